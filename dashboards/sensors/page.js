// Sensors: every one of them, what it needs, and who else is talking.

import { words } from "../words.js";
import { ifThere, read } from "../server.js";
import { html, place } from "../markup.js";
import { openStillPage, showMoment } from "../shell.js";
import { saver } from "../csv.js";
import { flagOf } from "../flags.js";
import { followWalk } from "./walk.js";
import { careOf, isClockOff, refusalOf } from "../sensor_care.js";

const EVERY_MS = 15_000;

function refusedCell(sensor, format) {
  const reasons = Object.entries(sensor.refused);
  if (!reasons.length) return html("td", {}, format.number(0));
  const sum = reasons.reduce((all, [, n]) => all + n, 0);
  const why = reasons.map(([reason, n]) => `${format.number(n)} ${refusalOf(reason)}`).join("; ");
  return html("td", {}, html("ul", { class: "flags end" }, flagOf(format.number(sum), why)));
}

function clockCell(sensor, venue, format) {
  if (venue.clock !== "wall") return html("td", { class: "quiet" }, words.sensor.clockOfReplay);
  if (sensor.clock_error_ms === null) return html("td", { class: "quiet" }, words.point.missing.short);
  return html("td", { class: isClockOff(sensor, venue) ? "care" : "" }, words.sensor.seconds(format.signed(Math.round(sensor.clock_error_ms / 100) / 10)));
}

function fleetRow(sensor, venue, names, format) {
  const heard = sensor.last_heard ? format.moment(Date.parse(sensor.last_heard)) : words.sensor.never;
  const alive = sensor.alive ? html("td", { class: "well" }, words.sensor.isAlive) : html("td", { class: "care" }, `${words.sensor.isSilent}: ${heard}`);
  const count = (n) => html("td", { class: n ? "" : "quiet" }, format.number(n));
  return html("tr", { "data-alive": sensor.alive }, html("th", { scope: "row" }, sensor.sensor), html("td", { class: "left" }, names.get(sensor.zone) ?? sensor.zone), alive,
    html("td", { class: "quiet" }, words.rate[sensor.rate] ?? sensor.rate), clockCell(sensor, venue, format), count(sensor.gaps), count(sensor.repeats), refusedCell(sensor, format));
}

function showFleet(list, venue, format) {
  const names = new Map(venue.zones.map((zone) => [zone.id, zone.name]));
  const alive = list.sensors.filter((sensor) => sensor.alive).length;
  const needy = list.sensors.filter((sensor) => careOf(sensor, venue, format).length);
  showMoment(Date.parse(list.at), format);
  place("sensors-alive").textContent = words.sensor.alive(format.number(alive), format.number(list.sensors.length));
  place("sensors-alive").dataset.well = alive === list.sensors.length;
  place("fleet-note").textContent = needy.length ? words.sensor.needy(format.number(needy.length)) : words.sensor.fine;
  // Those in need first; within them the order of the configuration.
  const order = [...needy, ...list.sensors.filter((sensor) => !needy.includes(sensor))];
  const focused = document.activeElement?.closest("#fleet-rows");
  // A row that somebody reads with the keyboard is not taken away under the focus.
  if (!focused) place("fleet-rows").replaceChildren(...order.map((sensor) => fleetRow(sensor, venue, names, format)));
  const columns = ["sensor", "zone", "alive", "last_heard", "rate", "clock_error_ms", "gaps", "repeats", "refused"];
  const rows = () => list.sensors.map((s) => [s.sensor, s.zone, s.alive, s.last_heard, s.rate, s.clock_error_ms, s.gaps, s.repeats, Object.entries(s.refused).map(([reason, n]) => `${reason}=${n}`).join(";")]);
  if (!place("fleet-tools").hasChildNodes()) place("fleet-tools").append(saver("passant-sensors", words.sensors, () => [columns, rows()]));
}

/** Copies a text. Where a browser lets no page do so, as over plain HTTP, the text is marked for the reader to copy. */
async function hasCopied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}

function showStrangers(strangers) {
  if (strangers === null) {
    place("strangers-note").textContent = words.notInServer;
    return;
  }
  const there = strangers.toml !== "";
  place("strangers-note").textContent = there ? words.strangers.hint : words.strangers.none;
  place("strangers-toml").hidden = !there;
  place("strangers-toml").textContent = strangers.toml;
  if (!there || place("strangers-tools").hasChildNodes()) return;
  const copy = html("button", { type: "button", class: "save" }, words.strangers.copy);
  copy.addEventListener("click", async () => {
    copy.textContent = (await hasCopied(place("strangers-toml"))) ? words.strangers.copied : words.strangers.marked;
  });
  place("strangers-tools").append(copy);
}

openStillPage(({ venue, format }) => {
  const path = `/${encodeURIComponent(venue.id)}`;
  const refresh = async () => {
    try {
      const list = await ifThere(read(`${path}/sensors`));
      if (list) showFleet(list, venue, format);
      else place("sensors-alive").textContent = words.nothingYet;
      showStrangers(await ifThere(read(`${path}/strangers`)));
    } catch (error) {
      place("fleet-note").textContent = error.detail ?? words.failed;
    }
    setTimeout(refresh, EVERY_MS);
  };
  refresh();
  followWalk(venue, format);
});

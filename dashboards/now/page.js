// The page of a venue: what the server says, shown where it belongs.

import { words } from "../words.js";
import { follow, ifThere, read } from "../server.js";
import { html, place } from "../markup.js";
import { openPage, showLink } from "../shell.js";
import { zonesOf } from "./plan.js";
import { curveOf } from "./curve.js";
import { showSensors } from "./sensors.js";
import { againstUsual, showNow } from "./number.js";
import { alertsOf } from "./alerts.js";

const WINDOW_MS = 300_000;
const HOUR_MS = 3_600_000;
const LATENESS_MS = 120_000;
const ASKED_EVERY_MS = 10_000;
/** So long after a half-minute its figures are stored, and rules have looked at them. */
const RULES_LOOK_MS = 2_000;

function showAbout(venue) {
  place("about").replaceChildren(...words.about(venue.k).map((text) => html("p", {}, text)));
}

/** Reads today's curve; of two that overtake each other the one asked last is shown. Says whether it is complete. */
function curveReader(venue, curve) {
  let asked = 0;
  return async (live, zone) => {
    asked += 1;
    const mine = asked;
    const at = Date.parse(live.at);
    const begun = Date.parse(live.day_started_at);
    const to = new Date(begun + Math.max(1, Math.ceil((at - begun) / WINDOW_MS)) * WINDOW_MS).toISOString();
    const query = { metric: "occupancy", step: "5m", from: new Date(begun).toISOString(), to };
    if (zone) query.zone = zone;
    try {
      const series = await read(`/${encodeURIComponent(venue.id)}/figures`, query);
      const name = venue.zones.find(({ id }) => id === zone)?.name ?? words.curve.venue;
      if (mine === asked) curve.show(series.figures, begun, at, zone, name);
      // A window that has just closed may take a moment to be stored.
      const newest = begun + (Math.floor((at - LATENESS_MS - begun) / WINDOW_MS) - 1) * WINDOW_MS;
      return newest < begun || series.figures.some(({ from }) => Date.parse(from) === newest);
    } catch {
      if (mine === asked) curve.failed();
      return false;
    }
  };
}

/** Reads what may change with a half-minute: some moments after it, when all of it is judged, and not too often. */
function steadyReader(path, show, settlesMs = 0) {
  let last = -Infinity;
  let later = null;
  const ask = async () => {
    later = null;
    last = performance.now();
    try {
      show(await read(path));
    } catch {
      last = -Infinity;
    }
  };
  return (now = false) => {
    const wait = now ? 0 : Math.max(settlesMs, last + ASKED_EVERY_MS - performance.now());
    if (wait <= 0) ask();
    else later ??= setTimeout(ask, wait);
  };
}

/** Reads what is usual on such a day, once an hour and when another zone is chosen; a server may not know it yet. */
function typicalReader(venue, days, format, curve, tell) {
  let last = null;
  return async (live, zone) => {
    const at = Date.parse(live.at);
    const asked = `${zone} ${Math.floor(at / HOUR_MS)}`;
    if (asked === last) return;
    last = asked;
    curve.compare(null);
    const query = { metric: "occupancy", step: "1h", day: days.dateOf(Date.parse(live.day_started_at)) };
    if (zone) query.zone = zone;
    try {
      const typical = await ifThere(read(`/${encodeURIComponent(venue.id)}/typical`, query));
      if (asked !== last) return;
      curve.compare(typical?.days ? { ...typical, weekday: format.weekday(Date.parse(live.day_started_at) + HOUR_MS) } : null);
      if (!zone) tell(typical);
    } catch {
      last = null;
    }
  };
}

function showUsual(typical, live, format) {
  const at = Date.parse(live.at);
  const hour = typical?.points.find(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to));
  const told = typical?.days && hour?.usual != null;
  const band = told && [hour.usual_low, hour.usual_high].map(format.number);
  place("now-usual").textContent = told ? `${words.usualNow(format.number(hour.usual), words.band(...band), words.days(typical.days, format.weekday(at)))} ${againstUsual(live.occupancy, hour)}` : "";
}

function run({ venue, format, days }) {
  const path = `/${encodeURIComponent(venue.id)}`;
  const readSensors = steadyReader(`${path}/sensors`, (list) => showSensors(list, venue, format));
  const showAlerts = alertsOf(venue, format);
  // A rule turns where a figure or a sensor does, and both do with a half-minute. Without rules nobody asks.
  const readAlerts = venue.alert_rules ? steadyReader(`${path}/alerts`, (alerts) => showAlerts(alerts, Date.parse(live.at)), RULES_LOOK_MS) : () => {};
  const curve = curveOf(venue, days, format);
  const readCurve = curveReader(venue, curve);
  const readTypical = typicalReader(venue, days, format, curve, (typical) => {
    usual = typical;
    showUsual(usual, live, format);
  });
  let live = null;
  let usual = null;
  let zone = null;
  let window = null;

  const refresh = async () => {
    // Asked for again as soon as a window has closed, and with the next half-minute if that failed or came too early.
    const closed = Math.floor((Date.parse(live.at) - LATENESS_MS) / WINDOW_MS);
    readTypical(live, zone);
    if (closed === window) return;
    window = closed;
    if (!(await readCurve(live, zone))) window = null;
  };
  const zones = zonesOf(venue, format, (chosen) => {
    zone = chosen;
    window = null;
    place("curve-back").hidden = zone === null;
    zones.choose(zone);
    if (live) refresh();
  });
  place("curve-back").addEventListener("click", () => {
    zone = null;
    window = null;
    place("curve-back").hidden = true;
    zones.choose(null);
    place("chart").focus();
    if (live) refresh();
  });

  readSensors(true);
  follow(venue.id, {
    state: showLink,
    live(answer) {
      const isFirst = live === null;
      live = answer;
      showNow(live, venue, format);
      showUsual(usual, live, format);
      zones.show(live);
      refresh();
      readSensors();
      readAlerts(isFirst);
    },
    again() {
      window = null;
      refresh();
      readSensors(true);
      readAlerts(true);
    },
  });
}

openPage((scene) => {
  showAbout(scene.venue);
  run(scene);
});

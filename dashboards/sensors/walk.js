// The walk test: who carries a device that is nobody's, which sensors hear it, and where it would be.

import { words } from "../words.js";
import { html, place } from "../markup.js";
import { Refused, read } from "../server.js";

const WALK_EVERY_MS = 2_000;
/** The ends of a bar, dBm: what hardly any antenna hears, and what lies beside one. */
const DBM = { min: -100, max: -30 };
/** A way is cut where nobody heard the walker for longer than this. */
const SILENCE_MS = 30_000;
const SLOT_MS = 10_000;
/** Stretches of the way that are listed. */
const STRETCHES_MAX = 12;

/** Slots in a row in one zone, near or not, as one stretch each; oldest first. */
function stretchesOf(trace) {
  const stretches = [];
  for (const slot of trace) {
    const from = Date.parse(slot.from);
    const last = stretches.at(-1);
    if (last && last.zone === slot.zone && last.near === slot.near && from - last.to <= SILENCE_MS) {
      last.to = from + SLOT_MS;
      last.dbm = Math.max(last.dbm, slot.dbm);
    } else {
      stretches.push({ zone: slot.zone, near: slot.near, from, to: from + SLOT_MS, dbm: slot.dbm });
    }
  }
  return stretches;
}

function sensorRow(sensor, names, format) {
  const dbm = words.walk.dbm(format.number(sensor.last_dbm));
  const bar = html("meter", { ...DBM, value: sensor.now ? sensor.last_dbm : DBM.min, "aria-label": words.walk.bar(sensor.sensor, dbm) });
  const last = sensor.now ? html("td", {}, dbm) : html("td", { class: "quiet" }, format.second(Date.parse(sensor.last_heard)));
  return html("tr", { "data-now": sensor.now }, html("th", { scope: "row" }, sensor.sensor), html("td", { class: "left" }, names.get(sensor.zone) ?? sensor.zone),
    html("td", {}, bar), last, html("td", {}, words.walk.dbm(format.number(sensor.strongest_dbm))));
}

function tableOf(caption, columns, rows) {
  const heads = columns.map(([name, side]) => html("th", { scope: "col", class: side }, name));
  return html("table", { "aria-label": caption }, html("thead", {}, html("tr", {}, ...heads)), html("tbody", {}, ...rows));
}

function walkerOf(walker, at, names, format) {
  const title = html("h3", {}, words.walk.walker(format.number(walker.walker)));
  if (walker.spent) return [title, html("p", { class: "care" }, words.walk.spent)];
  const newest = stretchesOf(walker.trace).at(-1);
  const isHere = newest && at - newest.to <= SILENCE_MS;
  const where = isHere ? (newest.near ? words.walk.here : words.walk.outside)(names.get(newest.zone) ?? newest.zone) : words.walk.lost;
  const way = stretchesOf(walker.trace).slice(-STRETCHES_MAX).reverse().map((stretch) =>
    html("tr", {}, html("th", { scope: "row" }, names.get(stretch.zone) ?? stretch.zone), html("td", {}, `${format.second(stretch.from)} – ${format.second(stretch.to)}`),
      html("td", {}, words.walk.dbm(format.number(Math.round(stretch.dbm)))), html("td", { class: stretch.near ? "well" : "quiet" }, stretch.near ? words.walk.near : words.walk.far)));
  const sensors = tableOf(words.walk.sensors, [[words.columnSensor], [words.columnZone, "left"], [words.walk.loud], [words.walk.last], [words.walk.strongest]], walker.sensors.map((sensor) => sensorRow(sensor, names, format)));
  const ways = tableOf(words.walk.way, [[words.columnZone], [words.walk.when], [words.walk.strongest], [words.walk.isNear]], way);
  return [title, html("p", { class: isHere ? "strong" : "care" }, where), html("div", { class: "scroll wide", tabindex: 0, role: "group", "aria-label": words.walk.sensors }, sensors),
    html("div", { class: "scroll wide", tabindex: 0, role: "group", "aria-label": words.walk.way }, ways)];
}

/** Follows whoever walks, for as long as the page is open; a viewer is told that it takes an operator. */
export async function followWalk(venue, format) {
  const names = new Map(venue.zones.map((zone) => [zone.id, zone.name]));
  try {
    const walk = await read(`/${encodeURIComponent(venue.id)}/walk`);
    place("walk-note").textContent = walk.walkers.length ? "" : words.walk.nobody;
    const focused = document.activeElement?.closest("#walkers");
    // What somebody scrolls with the keyboard is not taken away under the focus.
    if (!focused) place("walkers").replaceChildren(...walk.walkers.flatMap((walker) => walkerOf(walker, Date.parse(walk.at), names, format)));
  } catch (error) {
    place("walkers").replaceChildren();
    const notAllowed = error instanceof Refused && error.status === 403;
    place("walk-note").textContent = notAllowed ? words.walk.notAllowed : error.detail ?? words.failed;
    if (notAllowed) return;
  }
  setTimeout(() => followWalk(venue, format), WALK_EVERY_MS);
}

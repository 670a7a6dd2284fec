// A period in a few numbers, and how far each differs from another period.

import { words } from "./words.js";
import { html, place } from "./markup.js";
import { saver } from "./csv.js";
import { saidPoint, unitOf } from "./states.js";
import { DAYS_MIN } from "./chance.js";
import { changeBetween, pairsOf, wholeOf } from "./series.js";

/**
 * The series of a metric over a period, and over the one that it is compared with.
 * @typedef {{ metric: string, points: object[], other: ?object[] }} Pair
 */

/**
 * Shows totals as tiles; the one of the chosen metric is pressed.
 * @param {Pair[]} pairs
 * @param {{ name: ?string, note: ?string }} versus what they are compared with, and what is to be known of that
 * @param {(metric: string) => void} choose
 */
export function showTotals(pairs, chosen, { name: versusName, note }, choose, k, format) {
  const wholes = pairs.map(({ metric, points, other }) => ({ metric, points, other, whole: wholeOf(points, metric), before: other && wholeOf(other, metric) }));
  place("tiles").replaceChildren(...wholes.map((one) => tileFor(one, chosen, versusName, choose, k, format)));
  const row = (name, metric, w) => [name, metric, w.value, w.low, w.high, w.state, w.flags.join(";"), w.known, w.parts];
  const rows = () => wholes.flatMap(({ metric, whole, before }) => [row("chosen", metric, whole), ...(before ? [row("compared", metric, before)] : [])]);
  const columns = ["period", "metric", "value", "low", "high", "state", "flags", "days_known", "days"];
  place("totals-tools").replaceChildren(saver("passant-totals", words.totals, () => [columns, rows()]));
  place("totals-note").textContent = [words.totalsNote, note].filter(Boolean).join(" ");
}

function tileFor({ metric, points, other, whole }, chosen, versusName, choose, k, format) {
  const text = saidPoint(whole, unitOf(metric), k, format);
  const said = html("span", { class: "figure", "data-state": whole.state }, text.short);
  // Why there is no number is said when somebody looks at it, and once: most often it is the same for all.
  const band = whole.state === "final" ? html("span", { class: "quiet" }, words.band(...[whole.low, whole.high].map(format.number))) : html("span", { class: "why" }, text.long);
  const known = whole.state === "final" && whole.known < whole.parts ? html("span", { class: "quiet" }, words.point.known(format.number(whole.known), format.number(whole.parts))) : null;
  const parts = [html("span", { class: "name" }, words.metric[metric]), " ", said, " ", band, " ", known, " ", other && changeOf(changeBetween(points, other, metric), metric, versusName, format), " ", other && dayByDay(points, other, format)];
  const tile = html("button", { type: "button", class: "total", "aria-pressed": metric === chosen }, ...parts.filter(Boolean));
  tile.addEventListener("click", () => choose(metric));
  return tile;
}

/** A difference as it is written, and which way that is: what rounds to nothing goes nowhere. */
export function writtenChange(change, metric, format) {
  const isPercent = unitOf(metric) !== "percent" && change.percent !== null;
  const by = isPercent ? change.percent : Math.round(change.by);
  const text = isPercent ? words.percent(format.signed(by)) : unitOf(metric) === "percent" ? words.versus.points(format.signed(by)) : format.signed(by);
  return { text, way: by > 0 ? "up" : by < 0 ? "down" : "same" };
}

/** A change in words that tell it from chance, and from the estimate's own doubt. */
export function changeOf(change, metric, versusName, format) {
  if (!change) return html("span", { class: "change" }, words.versus.unknown(versusName));
  const { text, way } = writtenChange(change, metric, format);
  const sure = `${words.versus.chance[change.chance](DAYS_MIN)} ${change.apart ? words.versus.apart : words.versus.overlap}`;
  return html("span", { class: "change", "data-way": way, "data-sure": change.sure }, html("b", {}, text), ` ${words.versus.against(versusName)}. `, html("span", { class: "quiet" }, sure));
}

/** On how many of the days that both tell it was higher, and on how many lower: whether a difference is one day's, or all days'. */
function dayByDay(points, others, format) {
  const ways = pairsOf(points, others).map(([mine, other]) => Math.sign(mine.value - other.value));
  const count = (way) => format.number(ways.filter((one) => one === way).length);
  return ways.length > 1 ? html("span", { class: "quiet" }, words.versus.dayByDay(format.number(ways.length), count(1), count(-1))) : null;
}

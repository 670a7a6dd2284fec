// A period in a few numbers, and how far each differs from another period.

import { words } from "./words.js";
import { html, place } from "./markup.js";
import { saver } from "./csv.js";
import { saidPoint, unitOf } from "./states.js";
import { difference, pairedWholes, wholeOf } from "./series.js";

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
  const wholes = pairs.map(({ metric, points, other }) => ({ metric, whole: wholeOf(points, metric), before: other && wholeOf(other, metric), both: other && (pairedWholes(points, other, metric) ?? []) }));
  place("tiles").replaceChildren(...wholes.map((one) => tileFor(one, chosen, versusName, choose, k, format)));
  const row = (name, metric, w) => [name, metric, w.value, w.low, w.high, w.state, w.flags.join(";"), w.known, w.parts];
  const rows = () => wholes.flatMap(({ metric, whole, before }) => [row("chosen", metric, whole), ...(before ? [row("compared", metric, before)] : [])]);
  const columns = ["period", "metric", "value", "low", "high", "state", "flags", "days_known", "days"];
  place("totals-tools").replaceChildren(saver("passant-totals", words.totals, () => [columns, rows()]));
  place("totals-note").textContent = [words.totalsNote, note].filter(Boolean).join(" ");
}

function tileFor({ metric, whole, both }, chosen, versusName, choose, k, format) {
  const text = saidPoint(whole, unitOf(metric), k, format);
  const said = html("span", { class: "figure", "data-state": whole.state }, text.short);
  // Why there is no number is said when somebody looks at it, and once: most often it is the same for all.
  const band = whole.state === "final" ? html("span", { class: "quiet" }, words.band(...[whole.low, whole.high].map(format.number))) : html("span", { class: "why" }, text.long);
  const known = whole.state === "final" && whole.known < whole.parts ? html("span", { class: "quiet" }, words.point.known(format.number(whole.known), format.number(whole.parts))) : null;
  const parts = [html("span", { class: "name" }, words.metric[metric]), " ", said, " ", band, " ", known, " ", both && changeOf(both[0], both[1], metric, versusName, format), " ", both?.length && both[0].known < whole.parts ? html("span", { class: "quiet" }, words.versus.paired(format.number(both[0].known), both[0].known)) : null];
  const tile = html("button", { type: "button", class: "total", "aria-pressed": metric === chosen }, ...parts.filter(Boolean));
  tile.addEventListener("click", () => choose(metric));
  return tile;
}

/** How a whole differs from another of as many windows, in words that tell a difference from chance. */
export function changeOf(whole, before, metric, versusName, format) {
  const change = whole && before ? difference(whole, before, metric) : null;
  if (!change) return html("span", { class: "change" }, words.versus.unknown(versusName));
  const points = unitOf(metric) === "percent";
  const by = points ? words.versus.points(format.signed(Math.round(change.by))) : change.percent === null ? format.signed(Math.round(change.by)) : words.percent(format.signed(change.percent));
  const direction = change.by > 0 ? "up" : change.by < 0 ? "down" : "same";
  const sure = change.apart ? words.versus.apart : words.versus.overlap;
  return html("span", { class: "change", "data-way": direction, "data-apart": change.apart }, html("b", {}, by), ` ${words.versus.against(versusName)}. `, html("span", { class: "quiet" }, sure));
}

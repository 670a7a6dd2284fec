// Places in order, the fullest first; where bands meet, the order may be chance.

import { words } from "./words.js";
import { html } from "./markup.js";
import { saver } from "./csv.js";
import { written } from "./states.js";

const BEFORE_COLUMNS = ["value_before", "low_before", "high_before", "bands_apart", "chance"];

function beforeCells({ before, change }) {
  return [before?.value, before?.low, before?.high, change?.apart, change?.chance];
}

/**
 * Shows places in order.
 * @param {{ body: HTMLElement, tools: HTMLElement }} places
 * @param {{ rank: number, zone: string, name: string, state?: string, value: ?number, low: ?number, high: ?number, missing: number, tied_with_next: boolean }[]} rows
 * @param {{ metric: string, unit: string, chosen: ?string, heading: string, blank?: string, change?: ?(row: object) => Node }} about
 *   `blank` is the state of a place of which there is no figure at all; `change` says under a name how its row differs from another
 *   period
 * @param {(zone: string) => void} choose
 */
export function showRanking(places, rows, { metric, unit, chosen, heading, blank = "missing", change = null }, choose, format) {
  if (!rows.length) {
    places.body.replaceChildren(html("p", { class: "empty" }, words.nothingThere));
    places.tools.replaceChildren();
    return;
  }
  const most = Math.max(1, ...rows.map((row) => row.high ?? 0));
  const head = html("tr", {}, ...[words.rank.place, words.columnZone, words.metric[metric], words.columnBand].map((text, i) => html("th", { scope: "col", class: i === 1 ? "left" : null }, text)));
  const body = html("tbody", {}, ...rows.map((row) => rankRow(row, most, { unit, chosen, blank, change }, choose, format)));
  const ties = rows.some((row) => row.tied_with_next) ? html("p", { class: "quiet" }, `≈ ${words.rank.tied}`) : null;
  const gaps = rows.some((row) => row.missing > 0) ? html("p", { class: "quiet" }, `* ${words.rank.missing}`) : null;
  places.body.replaceChildren(...[html("table", { class: "rank", "aria-label": heading }, html("thead", {}, head), body), ties, gaps].filter(Boolean));
  const columns = ["rank", "zone", "name", "metric", "value", "low", "high", "windows_missing", "tied_with_next", ...(change ? BEFORE_COLUMNS : [])];
  const lines = () => rows.map((row) => [row.rank, row.zone, row.name, metric, row.value, row.low, row.high, row.missing, row.tied_with_next, ...(change ? beforeCells(row) : [])]);
  places.tools.replaceChildren(saver(`passant-ranking-${metric}`, heading, () => [columns, lines()]));
}

function rankRow(row, most, { unit, chosen, blank, change }, choose, format) {
  const told = row.value !== null && row.value !== undefined;
  const button = html("button", { type: "button", "aria-pressed": row.zone === chosen }, row.name);
  button.addEventListener("click", () => choose(row.zone));
  const bar = html("span", { class: "bar", "aria-hidden": true });
  // The band lies behind the bar, so that one sees how far each number may be off.
  if (told) {
    const [band, value] = [html("span", { class: "reach" }), html("span", { class: "length" })];
    band.style.width = `${(100 * row.high) / most}%`;
    value.style.width = `${(100 * row.value) / most}%`;
    bar.append(band, value);
  }
  const sign = `${row.tied_with_next ? " ≈" : ""}${row.missing > 0 ? " *" : ""}`;
  const cells = told
    ? [html("td", { class: "strong" }, written(row.value, unit, format) + sign), html("td", { class: "quiet" }, words.bandShort(format.number(row.low), format.number(row.high)))]
    : [html("td", { class: "word", colspan: 2 }, words.point[row.state ?? (row.missing > 0 ? "held_back" : blank)].short + (row.missing > 0 ? " *" : ""))];
  return html("tr", {}, html("td", {}, told ? format.number(row.rank) : ""), html("th", { scope: "row" }, button, bar, change && change(row)), ...cells);
}

// Every flow, and every cross-visit, as a table of one zone against another.

import { words } from "../words.js";
import { html } from "../markup.js";
import { saver } from "../csv.js";
import { shadeOf, stepWidth } from "../states.js";

/** The most zones of a table on the page; all of them are in its file. */
const SHOWN_MAX = 24;

/**
 * Shows cells by row and column.
 * @param {{ body: HTMLElement, tools: HTMLElement }} places
 * @param {{ row: ?string, column: ?string, value: number, low: number, high: number }[]} cells
 */
export function showMatrix(places, cells, { heading, file, unit, columns, nameFor }, format) {
  if (!cells.length) {
    places.body.replaceChildren(html("p", { class: "empty" }, words.nothingThere));
    places.tools.replaceChildren();
    return;
  }
  const known = new Map(cells.map((cell) => [`${cell.row} ${cell.column}`, cell]));
  const weight = (key, side) => cells.filter((cell) => cell[side] === key).reduce((all, cell) => all + cell.value, 0);
  const ordered = (side) => [...new Set(cells.map((cell) => cell[side]))].map((key) => [key, weight(key, side)]).sort((a, b) => b[1] - a[1]).slice(0, SHOWN_MAX).map(([key]) => key);
  const [rows, heads] = [ordered("row"), ordered("column")];
  const width = stepWidth(Math.max(...cells.map((cell) => cell.value)));
  const box = (row, column) => {
    const cell = known.get(`${row} ${column}`);
    if (!cell) return html("td", { "data-shade": "none" }, html("span", { class: "unseen" }, words.flows.noCell));
    const long = `${nameFor(row)} → ${nameFor(column)}: ${unit(cell.value)}, ${words.band(format.number(cell.low), format.number(cell.high))}`;
    return html("td", { "data-shade": shadeOf({ ...cell, state: "final" }, width), title: long }, unit(cell.value));
  };
  const head = html("tr", {}, html("th", { scope: "col" }, html("span", { class: "unseen" }, words.columnZone)), ...heads.map((column) => html("th", { scope: "col" }, html("span", {}, nameFor(column)))));
  const body = rows.map((row) => html("tr", {}, html("th", { scope: "row" }, nameFor(row)), ...heads.map((column) => box(row, column))));
  const table = html("table", { class: "heat matrix" }, html("thead", {}, head), html("tbody", {}, ...body));
  places.body.replaceChildren(html("div", { class: "scroll wide", tabindex: 0, role: "group", "aria-label": heading }, table));
  places.tools.replaceChildren(saver(file, heading, () => [columns, cells.map(({ row, column, value, low, high, windows }) => [row, column, value, low, high, windows])]));
}

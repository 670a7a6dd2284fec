// A table as a file: what is seen, with its bands and states, for a spreadsheet.

import { words } from "./words.js";
import { html } from "./markup.js";

function cellOf(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows of a table as comma-separated values. */
export function csvOf(columns, rows) {
  return [columns, ...rows].map((row) => row.map(cellOf).join(",")).join("\r\n").concat("\r\n");
}

/** The columns that every series has. */
export const SERIES_COLUMNS = ["from", "to", "zone", "metric", "value", "low", "high", "state", "flags", "windows_known", "windows"];

/** The rows of a series. */
export function seriesRows(points, zone, metric, format) {
  return points
    .filter((point) => point.state !== "ahead")
    .map((p) => [format.stamp(p.from), format.stamp(p.to), zone, metric, p.value, p.low, p.high, p.state, p.flags.join(";"), p.known, p.parts]);
}

/**
 * A button that saves a table.
 * @param {string} name the file's, without its ending
 * @param {string} what is saved, as it is read aloud
 * @param {() => [string[], any[][]]} table its columns and rows, as they are when it is asked for
 */
export function saver(name, what, table) {
  const button = html("button", { type: "button", class: "save", "aria-label": `CSV: ${what}` }, "CSV");
  button.title = words.saveTitle;
  button.addEventListener("click", () => {
    const file = new Blob([csvOf(...table())], { type: "text/csv;charset=utf-8" });
    const link = html("a", { href: URL.createObjectURL(file), download: `${name}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
  });
  return button;
}

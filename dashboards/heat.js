// Weekdays and hours: where a week is full, in one look.

import { words } from "./words.js";
import { html } from "./markup.js";
import { saver } from "./csv.js";
import { edges, saidPoint, shadeOf, stepWidth, unitOf, written } from "./states.js";
import { wholeOf } from "./series.js";
import { DAY_MS, weekdayOf } from "./days.js";

/** The most hours that are named beside the fullest. */
const NAMED_HOURS_MAX = 4;
/** A Monday at noon, from which the names of the weekdays are told. */
const A_MONDAY_MS = Date.UTC(2026, 0, 5, 12);

/** A weekday's name: 0 is Monday. */
function weekdayName(weekday, short) {
  const format = new Intl.DateTimeFormat(words.locale, { timeZone: "UTC", weekday: short ? "short" : "long" });
  return format.format(A_MONDAY_MS + weekday * DAY_MS);
}

/** The mean of every hour of every weekday. */
function cellsOf(points, metric, days) {
  const cells = new Map();
  for (const point of points) {
    const key = `${weekdayOf(point.date)} ${days.hourOf(point.from)}`;
    cells.set(key, [...(cells.get(key) ?? []), point]);
  }
  // A mean even of what could be added up: a cell is one hour.
  const mean = metric === "capture_rate" || metric.startsWith("dwell") ? metric : "occupancy";
  return new Map([...cells].map(([key, group]) => [key, wholeOf(group, mean)]));
}

/** The fullest hour with its band, and which others may be as full: their bands reach it. */
function fullestOf(cells, unit, k, format) {
  const told = [...cells].filter(([, cell]) => cell.state === "final").sort(([, a], [, b]) => b.value - a.value);
  const name = ([key]) => {
    const [weekday, hour] = key.split(" ").map(Number);
    return `${weekdayName(weekday, false)}, ${words.oClock(hour)}`;
  };
  const [top, ...others] = told;
  if (!top) return "";
  const asFull = others.filter(([, cell]) => cell.high >= top[1].low);
  const named = asFull.slice(0, NAMED_HOURS_MAX).map(name);
  const more = asFull.length - named.length;
  return [words.heatTop(name(top), saidPoint(top[1], unit, k, format).long), named.length ? words.heatToo(named.join("; "), more && format.number(more)) : words.heatAlone].join(" ");
}

/**
 * Fills a place with the heat of a week.
 * @param {{ body: HTMLElement, legend: HTMLElement, readout: HTMLElement, tools: HTMLElement }} places
 */
export function showHeat(places, points, metric, days, k, format) {
  const cells = cellsOf(points, metric, days);
  const unit = unitOf(metric);
  // In the order of the venue's day, and only the hours of which there is anything.
  const order = Array.from({ length: 24 }, (_, i) => (days.firstHour + i) % 24);
  const told = (hour) => [0, 1, 2, 3, 4, 5, 6].some((weekday) => ["final", "held_back"].includes(cells.get(`${weekday} ${hour}`)?.state));
  const [first, last] = [order.findIndex(told), order.findLastIndex(told)];
  if (first < 0) {
    places.body.replaceChildren(html("p", { class: "empty" }, words.nothingThere));
    places.legend.replaceChildren();
    places.tools.replaceChildren();
    return;
  }
  const hours = order.slice(first, last + 1);
  const width = stepWidth(Math.max(...[...cells.values()].map((cell) => cell.value ?? 0)));
  const head = html("tr", {}, html("th", { scope: "col" }, html("span", { class: "unseen" }, words.weekday)), ...hours.map((hour) => html("th", { scope: "col" }, String(hour))));
  const rows = [0, 1, 2, 3, 4, 5, 6].map((weekday) => {
    const tell = (hour, cell) => `${weekdayName(weekday, false)}, ${words.oClock(hour)}: ${saidPoint(cell, unit, k, format).long}`;
    return html("tr", {}, html("th", { scope: "row", abbr: weekdayName(weekday, false) }, weekdayName(weekday, true)), ...hours.map((hour) => {
      const cell = cells.get(`${weekday} ${hour}`) ?? { state: "missing", value: null };
      const text = cell.state === "final" ? format.number(cell.value) : words.point[cell.state].sign;
      const box = html("td", { "data-shade": shadeOf(cell, width) }, text);
      if (cell.state !== "final") box.append(html("span", { class: "unseen" }, words.point[cell.state].short));
      box.addEventListener("pointerenter", () => { places.readout.textContent = tell(hour, cell); });
      return box;
    }));
  });
  const table = html("table", { class: "heat" }, html("thead", {}, head), html("tbody", {}, ...rows));
  places.body.replaceChildren(html("div", { class: "scroll wide", tabindex: 0, role: "group", "aria-label": words.heatTitle }, table));
  places.legend.replaceChildren(...heatLegend(width, unit, format));
  places.readout.textContent = `${fullestOf(cells, unit, k, format)} ${words.heatHint}`;
  const columns = ["weekday", "hour", "metric", "value", "low", "high", "state", "windows_known", "windows"];
  const lines = () => [0, 1, 2, 3, 4, 5, 6].flatMap((weekday) => hours.map((hour) => {
    const cell = cells.get(`${weekday} ${hour}`);
    return [weekday + 1, hour, metric, cell?.value, cell?.low, cell?.high, cell?.state ?? "missing", cell?.known ?? 0, cell?.parts ?? 0];
  }));
  places.tools.replaceChildren(saver(`passant-week-${metric}`, words.heatTitle, () => [columns, lines()]));
}

function heatLegend(width, unit, format) {
  const key = (shade, text) => html("li", {}, html("span", { class: "swatch", "data-shade": shade, "aria-hidden": true }), text);
  const from = edges(width);
  const steps = from.map((edge, i) => key(`step-${i}`, i === from.length - 1 ? words.plan.from(written(edge, unit, format)) : written(edge, unit, format)));
  return [...steps, key("held-back", words.point.held_back.short), key("no-data", words.point.missing.short)];
}

// Today's curve with its band, and what is usual on such a day.

import { words } from "../words.js";
import { html, place } from "../markup.js";
import { SERIES_COLUMNS, saver, seriesRows } from "../csv.js";
import { chartIn, chartLegend, newestOf } from "../chart.js";
import { marksOf, sayMark } from "../named_days.js";

const WINDOW_SECS = 300;
const HOUR_SECS = 3600;
/** So long after a window's end its figure is there, or will never be. */
const SETTLED_SECS = 180;

/** @typedef {{ from: string, to: string, value: ?number, low: ?number, high: ?number, state: string, flags: string[] }} Figure */

/**
 * The curve's place on the page, and what fills it.
 * @param {object} venue its layout
 */
export function curveOf(venue, days, format) {
  const host = place("chart");
  let day = null;
  let name = words.curve.venue;
  let of = null;
  let usual = null;
  // A zone's curve begins where the venue's did, so that the two can be compared.
  let begun = { day: null, first: Infinity };

  const tell = (at) => {
    const index = at ?? (day && newestOf(day.points));
    place("curve-readout").textContent = day && index !== null ? spoken(day, index, venue.k, format, usual) : "";
  };
  const chart = chartIn(host, tell);
  const draw = () => {
    const other = usual && day && day.points.map((point) => usualAt(usual, point));
    // A legend names only what is drawn: the usual day may not be known in the hours that are shown.
    const isUsual = other && other.some((value) => value != null);
    place("curve-legend").replaceChildren(...chartLegend(words.curve.line, day?.points ?? [], isUsual ? words.curve.usual(words.days(usual.days, usual.weekday)) : null));
    if (!day || day.first === null) return chart.show(null);
    chart.show({ ...day, tick: (secs) => format.clock(secs * 1000), number: format.number, other });
  };
  place("curve-tools").replaceChildren(saver("passant-today", words.today, () => [SERIES_COLUMNS, dayRows(day, usual, of, format)]));
  place("curve-table").addEventListener("toggle", () => table(day, venue.k, format));

  return {
    /** @param {Figure[]} figures of a place on the venue day that began at a moment, up to now */
    show(figures, dayStartedAt, at, zone, title) {
      if (begun.day !== dayStartedAt) begun = { day: dayStartedAt, first: Infinity };
      day = laidOut(figures, at, begun.first);
      begun.first = day.first ?? begun.first;
      name = title;
      of = zone;
      const date = days.dateOf(dayStartedAt);
      // The day's own names stand with it: on a holiday nobody wonders why it is unlike the usual.
      place("curve-title").textContent = [words.curve.of(name), ...marksOf(venue, { from: date, to: date }, days).map(sayMark)].join(" · ");
      place("curve-note").textContent = day.first === null ? words.curve.none : "";
      host.setAttribute("aria-label", summary(day, name, format));
      draw();
      tell(null);
      table(day, venue.k, format);
    },
    /** @param {?object} day what is usual, hour by hour; null if nobody knows */
    compare(typical) {
      usual = typical;
      draw();
    },
    failed() {
      place("curve-note").textContent = words.curve.failed;
    },
  };
}

/** Lays the figures on the day's grid of windows: what is not there stays empty and is not drawn as nobody. */
function laidOut(figures, at, earliest) {
  const known = new Map(figures.map((figure) => [Date.parse(figure.from) / 1000, figure]));
  const closed = figures.filter((figure) => figure.state === "final");
  if (!figures.length || !figures.some((figure) => figure.state !== "open")) return { first: null, points: [] };
  const begin = Date.parse((closed[0] ?? figures[0]).from) / 1000;
  const shown = Math.max(Date.parse(figures[0].from) / 1000, Math.floor(begin / HOUR_SECS) * HOUR_SECS - HOUR_SECS / 2);
  const first = Math.min(earliest, shown);
  const last = Math.ceil(at / 1000 / HOUR_SECS) * HOUR_SECS;
  const points = [];
  for (let from = Math.ceil(first / WINDOW_SECS) * WINDOW_SECS; from < last; from += WINDOW_SECS) {
    const figure = known.get(from);
    const state = figure?.state ?? (from + WINDOW_SECS + SETTLED_SECS < at / 1000 ? "missing" : "ahead");
    points.push({ from, to: from + WINDOW_SECS, state, value: figure?.value ?? null, low: figure?.low ?? null, high: figure?.high ?? null, flags: figure?.flags ?? [] });
  }
  const hours = Array.from({ length: Math.floor((last - first) / HOUR_SECS) + 1 }, (_, i) => last - i * HOUR_SECS).reverse();
  return { first, last, points, edges: hours };
}

/** What is usual in the hour of a point; only its middle carries it, so that the line goes from hour to hour. */
function usualAt(usual, point) {
  const hour = usual.points.find(({ from, to }) => {
    const middle = (Date.parse(from) + Date.parse(to)) / 2000;
    return point.from <= middle && middle < point.to;
  });
  return hour ? hour.usual : undefined;
}

function sayWindow(w, k, format) {
  if (w.state === "final") return `${words.people(format.number(w.value), w.value)}, ${words.band(format.number(w.low), format.number(w.high))}`;
  if (w.state === "held_back") return words.curve.heldBackWhy(k);
  return w.state === "missing" ? words.curve.missingWhy : words.curve.open;
}

/** The day as rows of a file, and after it what is usual, each hour with the days that it is made of. */
function dayRows(day, usual, zone, format) {
  const known = (state) => Number(state === "final");
  const windows = (day?.points ?? []).map((w) => ({ ...w, from: w.from * 1000, to: w.to * 1000, known: known(w.state), parts: 1 }));
  const hours = (usual?.points ?? []).filter((hour) => hour.usual !== null).map((hour) => ({
    from: Date.parse(hour.from), to: Date.parse(hour.to), value: hour.usual, low: hour.usual_low, high: hour.usual_high, state: "final", flags: [], known: usual.days, parts: usual.days,
  }));
  return [...seriesRows(windows, zone, "occupancy", format), ...seriesRows(hours, zone, "occupancy_usual", format)];
}

function times(w, format) {
  return words.curve.at(format.clock(w.from * 1000), format.clock(w.to * 1000));
}

function spoken(day, index, k, format, usual) {
  const w = day.points[index];
  if (!w) return "";
  const middle = (w.from + w.to) * 500;
  const hour = usual?.points.find(({ from, to }) => Date.parse(from) <= middle && middle < Date.parse(to));
  const usually = hour?.usual == null ? "" : `; ${words.curve.usually(format.number(hour.usual))}`;
  return `${times(w, format)}: ${sayWindow(w, k, format)}${usually}`;
}

function summary(day, name, format) {
  const closed = day.points.filter((w) => w.state === "final");
  if (!closed.length) return words.curve.of(name);
  const top = closed.reduce((a, b) => (b.value > a.value ? b : a));
  const point = (w) => `${format.number(w.value)} (${format.clock(w.from * 1000)})`;
  return words.curve.summary(name, point(closed.at(-1)), point(top));
}

/** The same in rows, written only while somebody looks. */
function table(day, k, format) {
  if (!place("curve-table").open || !day) return;
  const told = day.points.filter((w) => w.state !== "ahead");
  const rows = told.map((w) => html("tr", {}, html("th", { scope: "row" }, times(w, format)), html("td", {}, sayWindow(w, k, format))));
  place("curve-rows").replaceChildren(...rows.reverse());
}

// Today's curve with its band.

import uPlot from "/assets/uplot.js";
import { words } from "./words.js";
import { html, place } from "./markup.js";

const WINDOW_SECS = 300;
const HOUR_SECS = 3600;
/** So long after a window's end its figure is there, or will never be. */
const SETTLED_SECS = 180;

/** @typedef {{ from: string, to: string, value: ?number, low: ?number, high: ?number, state: string }} Figure */

/**
 * The curve's place on the page, and what fills it.
 * @param {object} venue its layout
 */
export function curveOf(venue, format) {
  const host = place("chart");
  let day = null;
  let name = words.curve.venue;
  let chart = null;
  // A zone's curve begins where the venue's did, so that the two can be compared.
  let begun = { day: null, first: Infinity };

  const tell = (at) => {
    const index = at ?? newest(day);
    place("curve-readout").textContent = day && index !== null ? spoken(day, index, venue.k, format) : "";
  };
  const redraw = () => {
    chart?.destroy();
    chart = null;
    if (!day || day.first === null) return;
    chart = new uPlot(options(host, day, venue.timezone, format, tell), day.data, host);
  };

  place("curve-legend").replaceChildren(...curveLegend());
  new ResizeObserver(() => chart?.setSize(sizeOf(host))).observe(host);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  host.addEventListener("keydown", (event) => step(event, chart, day));
  place("curve-table").addEventListener("toggle", () => table(day, venue.k, format));

  return {
    /** @param {Figure[]} figures of the venue day that began at a moment, up to now */
    show(figures, dayStartedAt, at, title) {
      if (begun.day !== dayStartedAt) begun = { day: dayStartedAt, first: Infinity };
      day = laidOut(figures, at, begun.first);
      begun.first = day.first ?? begun.first;
      host.hidden = day.first === null;
      name = title;
      place("curve-title").textContent = words.curve.of(name);
      place("curve-note").textContent = day.first === null ? words.curve.none : "";
      host.setAttribute("aria-label", summary(day, name, format));
      redraw();
      tell(null);
      table(day, venue.k, format);
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
  if (!figures.length || !figures.some((figure) => figure.state !== "open")) return { first: null, windows: [], data: [] };
  const begin = Date.parse((closed[0] ?? figures[0]).from) / 1000;
  const shown = Math.max(Date.parse(figures[0].from) / 1000, Math.floor(begin / HOUR_SECS) * HOUR_SECS - HOUR_SECS / 2);
  const first = Math.min(earliest, shown);
  const last = Math.ceil(at / 1000 / HOUR_SECS) * HOUR_SECS;
  const windows = [];
  for (let from = Math.ceil(first / WINDOW_SECS) * WINDOW_SECS; from < last; from += WINDOW_SECS) {
    const figure = known.get(from);
    const state = figure?.state ?? (from + WINDOW_SECS + SETTLED_SECS < at / 1000 ? "missing" : "ahead");
    windows.push({ from, state, value: figure?.value ?? null, low: figure?.low ?? null, high: figure?.high ?? null });
  }
  const column = (read) => windows.map(read);
  const data = [column((w) => w.from + WINDOW_SECS / 2), column((w) => w.high), column((w) => w.low), column((w) => w.value)];
  return { first, last, windows, data };
}

function newest(day) {
  const index = day?.windows.findLastIndex((w) => w.state === "final" || w.state === "held_back") ?? -1;
  return index < 0 ? null : index;
}

function sayWindow(w, k, format) {
  if (w.state === "final") return `${words.people(format.number(w.value), w.value)}, ${words.band(format.number(w.low), format.number(w.high))}`;
  if (w.state === "held_back") return words.curve.heldBackWhy(k);
  return w.state === "missing" ? words.curve.missingWhy : words.curve.open;
}

function times(w, format) {
  return words.curve.at(format.clock(w.from * 1000), format.clock((w.from + WINDOW_SECS) * 1000));
}

function spoken(day, index, k, format) {
  const w = day.windows[index];
  return w ? `${times(w, format)}: ${sayWindow(w, k, format)}` : "";
}

function summary(day, name, format) {
  const closed = day.windows.filter((w) => w.state === "final");
  if (!closed.length) return words.curve.of(name);
  const top = closed.reduce((a, b) => (b.value > a.value ? b : a));
  const point = (w) => `${format.number(w.value)} (${format.clock(w.from * 1000)})`;
  return words.curve.summary(name, point(closed.at(-1)), point(top));
}

function sizeOf(host) {
  return { width: Math.max(200, host.clientWidth), height: Math.max(140, host.clientHeight) };
}

function options(host, day, timeZone, format, tell) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const rem = parseFloat(style.fontSize);
  const axis = {
    stroke: colour("--quiet"),
    font: `${Math.round(rem * 0.78)}px ${style.fontFamily}`,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
    gap: rem * 0.4,
  };
  return {
    ...sizeOf(host),
    tzDate: (secs) => uPlot.tzDate(new Date(secs * 1000), timeZone),
    padding: [rem * 0.6, rem * 1.6, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: rem * 0.5 } },
    scales: {
      x: { time: true, range: () => [day.first, day.last] },
      y: { range: (_, low, high) => [0, Math.max(10, high * 1.06)] },
    },
    axes: [
      { ...axis, size: rem * 1.9, space: rem * 4, incrs: [3600, 7200, 10800, 14400, 21600], values: (_, at) => at.map((secs) => format.clock(secs * 1000)) },
      { ...axis, size: rem * 3.4, space: rem * 2.6, incrs: [2, 5, 10, 20, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 20000], values: (_, at) => at.map(format.number) },
    ],
    series: [
      {},
      { stroke: "transparent", width: 0, points: { show: false } },
      { stroke: "transparent", width: 0, points: { show: false } },
      { stroke: colour("--line"), width: 2.25, points: { show: true, size: rem * 0.4, fill: colour("--line"), filter: () => alone(day.data[3]) } },
    ],
    bands: [{ series: [1, 2], fill: colour("--band") }],
    hooks: {
      drawClear: [(chart) => hatch(chart, day, colour)],
      setCursor: [(chart) => tell(chart.cursor.left >= 0 ? chart.cursor.idx : null)],
    },
  };
}

/** Values between two gaps: a line cannot show them, so they are dots. */
function alone(values) {
  return values.flatMap((value, i) => (value !== null && values[i - 1] == null && values[i + 1] == null ? [i] : []));
}

/** Strips behind the curve for the time of which nothing may be said, or nothing is known. */
function hatch(chart, day, colour) {
  const { ctx, bbox } = chart;
  for (const [state, paint] of [["held_back", net(ctx, colour("--hatch"))], ["missing", dots(ctx, colour("--hatch"))]]) {
    ctx.save();
    ctx.fillStyle = paint;
    day.windows.forEach((w, i) => {
      if (w.state !== state || day.windows[i - 1]?.state === state) return;
      let end = i;
      while (day.windows[end + 1]?.state === state) end += 1;
      const left = chart.valToPos(w.from, "x", true);
      const right = chart.valToPos(day.windows[end].from + WINDOW_SECS, "x", true);
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    });
    ctx.restore();
  }
}

function tile(ctx, size, draw) {
  const canvas = document.createElement("canvas");
  canvas.width = size;
  canvas.height = size;
  draw(canvas.getContext("2d"));
  return ctx.createPattern(canvas, "repeat");
}

function net(ctx, colour) {
  const size = Math.round(8 * devicePixelRatio);
  return tile(ctx, size, (pen) => {
    pen.strokeStyle = colour;
    pen.lineWidth = devicePixelRatio;
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift, size);
      pen.lineTo(shift + size, 0);
      pen.moveTo(shift, 0);
      pen.lineTo(shift + size, size);
    }
    pen.stroke();
  });
}

function dots(ctx, colour) {
  const size = Math.round(8 * devicePixelRatio);
  return tile(ctx, size, (pen) => {
    pen.fillStyle = colour;
    pen.fillRect(size / 2, size / 2, 1.5 * devicePixelRatio, 1.5 * devicePixelRatio);
  });
}

/** Reads the curve window by window with the arrow keys. */
function step(event, chart, day) {
  const ways = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  const way = ways[event.key];
  if (way === undefined || !chart) return;
  event.preventDefault();
  const last = newest(day) ?? 0;
  const from = chart.cursor.left >= 0 ? chart.cursor.idx : last + (way === -1 ? 1 : 0);
  const index = Math.min(Math.max(from + way, 0), last);
  chart.setCursor({ left: chart.valToPos(day.data[0][index], "x"), top: 0 });
}

function curveLegend() {
  const key = (kind, text) => html("li", {}, html("span", { class: `swatch ${kind}`, "aria-hidden": true }), text);
  return [key("line", words.curve.line), key("band", words.curve.band), key("net", words.curve.heldBack), key("dots", words.curve.missing)];
}

/** The same in rows, written only while somebody looks. */
function table(day, k, format) {
  if (!place("curve-table").open || !day) return;
  const told = day.windows.filter((w) => w.state !== "ahead");
  const rows = told.map((w) => html("tr", {}, html("th", { scope: "row" }, times(w, format)), html("td", {}, sayWindow(w, k, format))));
  place("curve-rows").replaceChildren(...rows.reverse());
}

// A curve with its band, and with what may not be said, or is not known, drawn as neither.

import uPlot from "/assets/uplot.js";
import { words } from "./words.js";
import { html } from "./markup.js";

/** Every how many edges a tick may stand. */
const TICKS_EACH = [1, 2, 3, 4, 6, 7, 12, 14, 24, 28, 48, 56, 84, 168, 336];

/**
 * A window of a series; times in seconds.
 * @typedef {{ from: number, to: number, value: ?number, low: ?number, high: ?number, state: string }} Point
 * What a chart shows. `edges` are the moments that may have a tick; `other` is a second line, point by point;
 * `marks` are moments with a name.
 * @typedef {{ points: Point[], first: number, last: number, edges: number[], tick: (secs: number) => string,
 *   number: (value: number) => string, least?: number, other?: ?number[], marks?: { at: number, name: string, kind: string }[] }} Picture
 */

/**
 * A place for charts.
 * @param {HTMLElement} host
 * @param {(index: ?number) => void} tell which point is pointed at
 */
export function chartIn(host, tell) {
  let chart = null;
  let picture = null;
  const draw = () => {
    chart?.destroy();
    chart = picture && new uPlot(chartOptions(host, picture, tell), columns(picture), host);
  };
  new ResizeObserver(() => chart?.setSize(sizeOf(host))).observe(host);
  // On paper the colours are those of the day, whatever the screen has.
  for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", draw);
  host.addEventListener("keydown", (event) => step(event, chart, picture));
  return {
    /** @param {?Picture} next */
    show(next) {
      picture = next;
      host.hidden = next === null;
      draw();
    },
  };
}

/** The newest point of which something is said; null if there is none. */
export function newestOf(points) {
  const index = points.findLastIndex((point) => point.state === "final" || point.state === "held_back");
  return index < 0 ? null : index;
}

/** How time is drawn of which there is no number, and what it is called. */
const BLANKS = [["held_back", "net", "heldBack"], ["missing", "dots", "missing"], ["open", "still", "isOpen"]];

/** What the lines and hatches of a chart mean, those that are in it. */
export function chartLegend(line, points, other = null) {
  const key = (kind, text) => html("li", {}, html("span", { class: `swatch ${kind}`, "aria-hidden": true }), text);
  const lines = [key("line", line), other && key("line other", other), key("band", words.curve.band)].filter(Boolean);
  const blanks = BLANKS.filter(([state]) => points.some((point) => point.state === state));
  return [...lines, ...blanks.map(([, kind, word]) => key(kind, words.curve[word]))];
}

function columns({ points, other }) {
  const column = (read) => points.map(read);
  const data = [column((p) => (p.from + p.to) / 2), column((p) => p.high), column((p) => p.low), column((p) => p.value)];
  return other ? [...data, other] : data;
}

function sizeOf(host) {
  return { width: Math.max(200, host.clientWidth), height: Math.max(140, host.clientHeight) };
}

/** The edges that have room for a tick. */
function thinned(edges, width, room) {
  const most = Math.max(1, Math.floor(width / room));
  const each = TICKS_EACH.find((n) => edges.length / n <= most) ?? Math.ceil(edges.length / most);
  return edges.filter((_, i) => i % each === 0);
}

function chartOptions(host, picture, tell) {
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
  const line = (name, data, dash) => ({
    stroke: colour(name),
    width: 2.25,
    dash,
    points: { show: true, size: rem * 0.4, fill: colour(name), filter: () => alone(data) },
  });
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  const values = picture.points.map((point) => point.value);
  return {
    ...sizeOf(host),
    padding: [rem * (picture.marks?.length ? 1.4 : 0.6), rem * 1.6, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: rem * 0.5 } },
    scales: {
      x: { time: false, range: () => [picture.first, picture.last] },
      y: { range: (_, low, high) => [0, Math.max(picture.least ?? 10, (high ?? 0) * 1.06)] },
    },
    axes: [
      {
        ...axis,
        size: rem * 1.9,
        splits: (chart) => thinned(picture.edges, chart.bbox.width / devicePixelRatio, rem * 4.4),
        values: (_, at) => at.map(picture.tick),
      },
      {
        ...axis,
        size: rem * 3.4,
        space: rem * 2.6,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 20000, 50000, 100000, 200000, 500000],
        values: (_, at) => at.map(picture.number),
      },
    ],
    series: [{}, edge, edge, line("--line", values), ...(picture.other ? [line("--other", picture.other, [6, 4])] : [])],
    bands: [{ series: [1, 2], fill: colour("--band") }],
    hooks: {
      drawClear: [(chart) => hatch(chart, picture.points, colour)],
      draw: [(chart) => flagged(chart, picture.marks ?? [], colour, rem)],
      setCursor: [(chart) => tell(chart.cursor.left >= 0 ? chart.cursor.idx : null)],
    },
  };
}

/** Values between two gaps: a line cannot show them, so they are dots; so are all where there are few. */
function alone(values) {
  const few = values.length <= 31;
  return values.flatMap((value, i) => (value != null && (few || (values[i - 1] == null && values[i + 1] == null)) ? [i] : []));
}

/** Strips behind the curve for the time of which nothing may be said, or nothing is known. */
function hatch(chart, points, colour) {
  const { ctx, bbox } = chart;
  const paints = { net: net(ctx, colour("--hatch")), dots: dots(ctx, colour("--hatch")), still: colour("--grid") };
  for (const [state, kind] of BLANKS) {
    ctx.save();
    ctx.fillStyle = paints[kind];
    ctx.strokeStyle = colour("--quiet");
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    points.forEach((point, i) => {
      if (point.state !== state || points[i - 1]?.state === state) return;
      let end = i;
      while (points[end + 1]?.state === state) end += 1;
      const left = Math.max(bbox.left, chart.valToPos(point.from, "x", true));
      const right = Math.min(bbox.left + bbox.width, chart.valToPos(points[end].to, "x", true));
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      if (kind === "still") ctx.strokeRect(left, bbox.top, right - left, bbox.height);
    });
    ctx.restore();
  }
}

/** Moments with a name: a thin line, and the name over the plot; of an event both are firm, of other hours and holidays not. */
function flagged(chart, marks, colour, rem) {
  const { ctx, bbox } = chart;
  let free = -Infinity;
  ctx.save();
  ctx.strokeStyle = colour("--care");
  ctx.fillStyle = colour("--care");
  ctx.textAlign = "left";
  ctx.lineWidth = devicePixelRatio;
  const font = `${Math.round(rem * 0.74 * devicePixelRatio)}px ${getComputedStyle(document.documentElement).fontFamily}`;
  for (const { at, name, kind } of marks) {
    const x = chart.valToPos(at, "x", true);
    ctx.font = kind === "event" ? font : `italic ${font}`;
    ctx.setLineDash(kind === "event" ? [] : [3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const long = ctx.measureText(name).width;
    const left = Math.min(x + 0.3 * rem, bbox.left + bbox.width - long);
    // A name that would lie over another is left to the readout.
    if (left < free) continue;
    ctx.fillText(name, left, bbox.top - 0.3 * rem * devicePixelRatio);
    free = left + long + rem;
  }
  ctx.restore();
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
function step(event, chart, picture) {
  const ways = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  const way = ways[event.key];
  if (way === undefined || !chart) return;
  event.preventDefault();
  const newest = newestOf(picture.points) ?? 0;
  const last = picture.points.findLastIndex(({ state }) => state !== "ahead");
  const from = chart.cursor.left >= 0 ? chart.cursor.idx : newest + (way === -1 ? 1 : 0);
  const index = Math.min(Math.max(from + way, 0), last);
  const point = picture.points[index];
  chart.setCursor({ left: chart.valToPos((point.from + point.to) / 2, "x"), top: 0 });
}

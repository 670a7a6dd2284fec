// A series as it is looked at: the curve with its band, what is to be known of it, and the same as a table and a file.

import { words } from "./words.js";
import { html } from "./markup.js";
import { chartIn, chartLegend, newestOf } from "./chart.js";
import { SERIES_COLUMNS, saver, seriesRows } from "./csv.js";
import { showNotes } from "./flags.js";
import { saidPoint, unitOf } from "./states.js";
import { isAdded } from "./series.js";
import { sayMark } from "./named_days.js";

/** Hours of more days than these have their ticks at days. */
const CLOCK_TICKS_MS_MAX = 3 * 86_400_000;

/** A series is printed as a table too if it has no more rows than these: two months of days. The file has any number. */
const PRINTED_ROWS_MAX = 62;

/** When a window was, as short as its step allows. */
export function sayWhen(point, step, format) {
  const middle = (point.from + point.to) / 2;
  if (step === "hour") return `${format.shortDay(middle)}, ${words.curve.at(format.clock(point.from), format.clock(point.to))}`;
  if (step === "month") return format.month(middle);
  return step === "week" ? words.weekFrom(format.fullDate(point.from + 43_200_000)) : format.shortDay(middle);
}

function ticksOf(points, step, format) {
  const span = points.at(-1).to - points[0].from;
  if (step === "hour" && span <= CLOCK_TICKS_MS_MAX) return { edges: points.map((p) => p.from / 1000), tick: (secs) => format.clock(secs * 1000) };
  if (step === "hour") {
    const starts = points.filter((point, i) => point.date !== points[i - 1]?.date);
    return { edges: starts.map((p) => p.from / 1000), tick: (secs) => format.date(secs * 1000 + 43_200_000) };
  }
  const write = step === "month" ? format.month : format.date;
  return { edges: points.map((p) => (p.from + p.to) / 2000), tick: (secs) => write(secs * 1000) };
}

/** Whether a mark's days touch a point's. */
function isMarked(point, mark) {
  return (mark.from <= point.date && point.date <= mark.to) || (point.from <= mark.at && mark.at < point.to);
}

/** Hours without the nights before the first and after the last of which there is anything, in either of two series. */
function awake(drawn) {
  if (drawn.step !== "hour") return drawn;
  const told = (i) => [drawn.points[i], drawn.other?.[i]].some((point) => point && ["final", "held_back", "open"].includes(point.state));
  const all = drawn.points.map((_, i) => i).filter(told);
  if (!all.length) return drawn;
  const [first, end] = [Math.max(0, all[0] - 1), all.at(-1) + 2];
  return { ...drawn, points: drawn.points.slice(first, end), other: drawn.other?.slice(first, end) ?? null };
}

/**
 * What is to be drawn.
 * @typedef {{ points: object[], other: ?object[], metric: string, zone: ?string, step: string, title: string,
 *   otherName: ?string, otherZone: ?string, marks: import("./named_days.js").Mark[] }} Drawn
 */

/**
 * Fills a section with a series.
 * @param {HTMLElement} section
 * @param {string} heading
 */
export function seriesViewIn(section, heading, k, format) {
  const legend = html("ul", { class: "legend" });
  const tools = html("div", { class: "tools" });
  const title = html("p", { class: "sub" });
  const host = html("div", { class: "chart", tabindex: 0, role: "group" });
  const empty = html("p", { class: "empty", hidden: "" });
  const readout = html("p", { class: "readout" });
  const notes = html("ul", { class: "flags" });
  const rows = html("tbody");
  const scroll = html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": `${words.asTable}: ${heading}` }, html("table", {}, rows));
  const details = html("details", {}, html("summary", {}, words.asTable), scroll);
  const head = html("div", { class: "head" }, html("h2", { id: `${section.id}-title` }, heading), legend, tools);
  section.setAttribute("aria-labelledby", `${section.id}-title`);
  section.replaceChildren(head, title, host, empty, html("div", { class: "foot" }, readout, details), notes);
  let drawn = null;

  const say = (point) => saidPoint(point, unitOf(drawn.metric), k, format);
  const tell = (at) => {
    const index = at ?? (drawn && newestOf(drawn.points));
    const point = drawn && index !== null ? drawn.points[index] : null;
    const other = drawn?.other?.[index];
    const against = other && other.state !== "ahead" ? ` · ${drawn.otherName} (${sayWhen(other, drawn.step, format)}): ${say(other).long}` : "";
    const names = point ? drawn.marks.filter((mark) => isMarked(point, mark)).map((mark) => ` · ${sayMark(mark)}`).join("") : "";
    readout.textContent = point ? `${sayWhen(point, drawn.step, format)}: ${say(point).long}${against}${names}` : "";
  };
  const chart = chartIn(host, tell);
  const table = () => {
    if (!details.open || !drawn) return;
    const told = drawn.points.filter((point) => point.state !== "ahead");
    rows.replaceChildren(...told.map((point) => html("tr", {}, html("th", { scope: "row" }, sayWhen(point, drawn.step, format)), html("td", {}, say(point).long))));
  };
  details.addEventListener("toggle", table);
  let isLookedAt = false;
  addEventListener("beforeprint", () => {
    isLookedAt = details.open;
    details.open ||= drawn !== null && drawn.points.length <= PRINTED_ROWS_MAX;
    table();
  });
  addEventListener("afterprint", () => {
    details.open = isLookedAt;
  });

  return {
    /** @param {Drawn} whole */
    show(whole) {
      const next = awake(whole);
      drawn = next;
      const told = next.points.filter((point) => point.state !== "ahead");
      const secs = ({ from, to, ...rest }) => ({ from: from / 1000, to: to / 1000, ...rest });
      const any = told.some((point) => point.state !== "open");
      title.textContent = next.title;
      empty.hidden = any;
      empty.textContent = told.length ? words.onlyOpen : words.nothingThere;
      legend.replaceChildren(...chartLegend(words.metric[next.metric], next.points, next.other && next.otherName));
      showNotes(notes, told, k, format);
      const save = () => [SERIES_COLUMNS, [...seriesRows(whole.points, whole.zone, whole.metric, format), ...seriesRows(whole.other ?? [], whole.otherZone, whole.metric, format)]];
      tools.replaceChildren(saver(`passant-${next.metric}-${whole.points[0].date}`, heading, save));
      host.setAttribute("aria-label", spokenSummary(next, say, format));
      chart.show(any ? {
        points: next.points.map(secs),
        first: next.points[0].from / 1000,
        last: next.points.at(-1).to / 1000,
        ...ticksOf(next.points, next.step, format),
        number: format.number,
        least: isAdded(next.metric) ? 10 : 5,
        other: next.other && next.points.map((_, i) => next.other[i]?.value ?? null),
        // What began before the first window is named at it.
        marks: next.marks.map(({ at, name, kind }) => ({ at: Math.max(at, next.points[0].from) / 1000, name, kind })).filter(({ at }) => at * 1000 < next.points.at(-1).to),
      } : null);
      tell(null);
      table();
    },
    failed(text) {
      drawn = null;
      chart.show(null);
      empty.hidden = false;
      empty.textContent = text;
    },
  };
}

function spokenSummary(drawn, say, format) {
  const told = drawn.points.filter((point) => point.state === "final");
  if (!told.length) return drawn.title;
  const top = told.reduce((a, b) => (b.value > a.value ? b : a));
  const point = (p) => `${say(p).short} (${sayWhen(p, drawn.step, format)})`;
  return words.seriesSummary(drawn.title, point(told.at(-1)), point(top));
}

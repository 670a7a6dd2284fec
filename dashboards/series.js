// Series of judged figures: read, laid on their grid, and summed to weeks, months and whole periods.

import { eachOf, read } from "./server.js";
import { beginningOf, daysBetween, plusDays } from "./days.js";
import { chanceOf } from "./chance.js";

const HOUR_MS = 3_600_000;
/** Points of one question; the server gives 2,000. */
const POINTS_MAX = 1_900;
/** So long after its end a window's figure is there, or will never be. */
const SETTLED_MS = 20 * 60_000;
/** What may be added up; of the others a mean is taken. */
const ADDED = new Set(["footfall", "visits", "visitors", "passersby", "bounces", "engaged"]);
/** What groups have too, and zones in steps under an hour. */
const CROWD = new Set(["occupancy", "occupancy_peak"]);

/** Whether a metric is of the crowd lens. */
export function isOfCrowd(metric) {
  return CROWD.has(metric);
}

/** Whether a metric is told of a place: footfall of the whole venue alone, and of a group what the crowd lens says. */
export function isToldOf(metric, zone, groups) {
  if (!zone) return true;
  return groups.has(zone) ? isOfCrowd(metric) : metric !== "footfall";
}

/** Whether a metric of several windows is a sum of theirs. */
export function isAdded(metric) {
  return ADDED.has(metric);
}

/**
 * A stretch of whole venue days, the last one included.
 * @typedef {{ from: string, to: string }} Stretch
 * What is said of a window. `known` of its `parts` have a value.
 * @typedef {{ from: number, to: number, date: string, value: ?number, low: ?number, high: ?number, state: string,
 *   flags: string[], known: number, parts: number }} Point
 */

/** The windows of a stretch: its hours, or its days. */
function windowsOf(stretch, step, days) {
  const windows = [];
  for (let date = stretch.from; date <= stretch.to; date = plusDays(date, 1)) {
    const [start, end] = [days.startOf(date), days.startOf(plusDays(date, 1))];
    if (step !== "hour") {
      windows.push({ from: start, to: end, date });
      continue;
    }
    for (let from = start; from < end; from += HOUR_MS) windows.push({ from, to: Math.min(from + HOUR_MS, end), date });
  }
  return windows;
}

/**
 * Reads a metric over a stretch.
 * @param {{ venue: string, metric: string, zone?: ?string, stretch: Stretch, step: string, now: number }} asked
 * @returns {Promise<Point[]>}
 */
export async function readSeries(asked, days) {
  const windows = windowsOf(asked.stretch, asked.step, days);
  const chunks = [];
  for (let i = 0; i < windows.length; i += POINTS_MAX) chunks.push(windows.slice(i, i + POINTS_MAX));
  const answers = await eachOf(chunks, (chunk) => readChunk(asked, chunk));
  const known = new Map(answers.flatMap(({ figures }) => figures).map((figure) => [Date.parse(figure.from), figure]));
  const points = windows.map((window) => pointOf(window, known.get(window.from), asked.now));
  return asked.step === "week" || asked.step === "month" ? summed(points, asked.metric, asked.step) : points;
}

function readChunk({ venue, metric, zone, step }, chunk) {
  const moment = (at) => new Date(at).toISOString();
  const query = { metric, step: step === "hour" ? "1h" : "1d", from: moment(chunk[0].from), to: moment(chunk.at(-1).to) };
  return read(`/${encodeURIComponent(venue)}/figures`, zone ? { ...query, zone } : query);
}

function pointOf(window, figure, now) {
  if (!figure) return { ...window, value: null, low: null, high: null, state: window.to + SETTLED_MS < now ? "missing" : "ahead", flags: [], known: 0, parts: 1 };
  const { value, low, high, state, flags } = figure;
  return { ...window, value, low, high, state, flags, known: state === "final" ? 1 : 0, parts: 1 };
}

/** Points by their week or month. */
function summed(points, metric, step) {
  const groups = new Map();
  for (const point of points) {
    const beginning = beginningOf(step, point.date);
    groups.set(beginning, [...(groups.get(beginning) ?? []), point]);
  }
  return [...groups.values()].map((group) => wholeOf(group, metric));
}

/**
 * Several windows as one: the sum or the mean of those that have a value, their bands added as fully correlated.
 * @param {Point[]} points
 * @returns {Point}
 */
export function wholeOf(points, metric) {
  const told = points.filter((point) => point.state === "final");
  const gone = points.filter((point) => point.state !== "ahead");
  const over = isAdded(metric) ? 1 : told.length;
  const sum = (read) => (told.length ? Math.round(told.reduce((all, point) => all + read(point), 0) / over) : null);
  const state = told.length ? "final" : (["held_back", "open", "missing"].find((state) => gone.some((point) => point.state === state)) ?? "ahead");
  return {
    from: points[0].from, to: points.at(-1).to, date: points[0].date, state,
    value: sum((point) => point.value), low: sum((point) => point.low), high: sum((point) => point.high),
    flags: [...new Set(points.flatMap((point) => point.flags))], known: told.length, parts: points.length,
  };
}

/** The windows that two series both tell, each beside the one of its place. */
export function pairsOf(points, others) {
  return points.map((point, i) => [point, others[i]]).filter((pair) => pair.every((point) => point?.state === "final"));
}

/**
 * Two series as one whole each, of the windows that both tell, so that a hole, or a day that is not over, is not taken for a quiet one.
 * @param {Point[]} points
 * @param {Point[]} others as many, each to be held against the one of its place
 * @returns {?[Point, Point]}
 */
export function pairedWholes(points, others, metric) {
  const both = pairsOf(points, others);
  return both.length ? [0, 1].map((side) => wholeOf(both.map((pair) => pair[side]), metric)) : null;
}

/**
 * How far a period differs from another.
 * @typedef {{ by: number, percent: ?number, apart: boolean, chance: string, sure: boolean }} Change `apart` where the bands do not
 *   meet; `chance` is whether it is more than days differ by chance; `sure` is what a reader may go by: chance, and of too few
 *   days to tell it the bands
 */

/**
 * How far two series of days differ over those that both tell.
 * @param {Point[]} points
 * @param {Point[]} others as many, each to be held against the one of its place
 * @returns {?Change}
 */
export function changeBetween(points, others, metric) {
  const wholes = pairedWholes(points, others, metric);
  return wholes && difference(...wholes, pairsOf(points, others).map(([one, other]) => one.value - other.value), metric);
}

/**
 * How far two wholes differ, by window.
 * @param {number[]} differences of each day of which both tell
 * @returns {?Change}
 */
export function difference(a, b, differences, metric) {
  if (a.value === null || b.value === null) return null;
  const each = (whole, value) => (isAdded(metric) ? value / whole.known : value);
  const [mine, other] = [each(a, a.value), each(b, b.value)];
  const apart = each(a, a.low) > each(b, b.high) || each(a, a.high) < each(b, b.low);
  const chance = chanceOf(differences);
  return { by: mine - other, percent: other ? Math.round(((mine - other) / other) * 100) : null, apart, chance, sure: chance === "few" ? apart : chance === "more" };
}

/** The stretch of as many days that another is compared with. */
export function stretchBefore(stretch, versus) {
  const length = daysBetween(stretch.from, stretch.to) + 1;
  // Whole weeks back, so that a Saturday meets a Saturday.
  const back = versus === "year" ? 364 : Math.ceil(length / 7) * 7;
  return { from: plusDays(stretch.from, -back), to: plusDays(stretch.to, -back) };
}

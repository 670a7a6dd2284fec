// What may be said of people now, and in which colour.

import { words } from "./words.js";

const STEPS = 6;
const NICE = [1, 2, 2.5, 5, 10];
const NARROWEST = 5;

/**
 * An occupancy in words.
 * @param {{ state: string, value: ?number, low: ?number, high: ?number }} occupancy
 * @param {string} whole the state of the venue's own
 */
export function said(occupancy, k, format, whole = occupancy.state) {
  if (occupancy.state === "shown") {
    const band = [format.number(occupancy.low), format.number(occupancy.high)];
    return {
      title: format.number(occupancy.value),
      short: format.number(occupancy.value),
      band: words.bandShort(...band),
      long: `${words.people(format.number(occupancy.value), occupancy.value)}, ${words.band(...band)}`,
    };
  }
  const state = words.state[occupancy.state];
  return { title: state.title(k), short: state.short(k), band: "", long: state.why(k, whole) };
}

/** The width of a colour's step, so that the fullest zone has the last colour or the one before it. */
export function stepWidth(fullest) {
  const least = Math.max(fullest / STEPS, NARROWEST);
  const power = 10 ** Math.floor(Math.log10(least));
  return Math.ceil(NICE.find((nice) => nice * power >= least) * power);
}

/** The class that colours an occupancy. */
export function shade(occupancy, width) {
  if (occupancy.state !== "shown") return occupancy.state.replace("_", "-");
  return `step-${Math.min(STEPS - 1, Math.floor(occupancy.value / width))}`;
}

/** Where each colour begins. */
export function edges(width) {
  return Array.from({ length: STEPS }, (_, step) => step * width);
}

/** Whether a metric is a percentage, minutes, or a number of people or visits. */
export function unitOf(metric) {
  if (metric === "capture_rate") return "percent";
  return metric.startsWith("dwell") ? "minutes" : "number";
}

/** A value of a metric with its unit. */
export function written(value, unit, format) {
  if (unit === "percent") return words.percent(format.number(value));
  return unit === "minutes" ? words.minutes(format.number(value)) : format.number(value);
}

/**
 * A point of a series in words.
 * @param {{ state: string, value: ?number, low: ?number, high: ?number, known: number, parts: number }} point
 */
export function saidPoint(point, unit, k, format) {
  if (point.state !== "final") {
    const state = words.point[point.state];
    return { short: state.short, band: "", long: state.why(k) };
  }
  const value = written(point.value, unit, format);
  const band = [point.low, point.high].map(format.number);
  const partly = point.known < point.parts ? `; ${words.point.known(format.number(point.known), format.number(point.parts))}` : "";
  return { short: value, band: words.bandShort(...band), long: `${value}, ${words.band(...band)}${partly}` };
}

/** The class that colours a point. */
export function shadeOf(point, width) {
  if (point.state !== "final") return { held_back: "held-back", missing: "no-data", open: "open" }[point.state] ?? "ahead";
  return `step-${Math.min(STEPS - 1, Math.floor(point.value / width))}`;
}

// What an alert rule watches for, and what it says, in words.

import { words } from "./words.js";
import { unitOf, written } from "./states.js";

const TODAY_MS = 12 * 3_600_000;
/** A sensor's silence is counted in these. */
const SILENCE_MINUTES = 5;

/** The place that a rule looks at. */
export function placeOf(alert, venue) {
  return venue.zones.find(({ id }) => id === alert.zone)?.name ?? alert.zone ?? words.wholeVenue;
}

/** What a rule watches for, without its place. */
export function ruleOf(alert, format) {
  const metric = words.metric[alert.metric] ?? alert.metric;
  const threshold = alert.threshold === null ? null : written(alert.threshold, unitOf(alert.metric), format);
  return words.alert.when[alert.when](metric, threshold);
}

/** For how long it must be so until it is told. */
export function lengthOf(alert, format) {
  if (alert.step === null) return words.alert.silence(format.number(SILENCE_MINUTES * alert.windows));
  return words.alert.length[alert.step](format.number(alert.windows), alert.windows);
}

/** The newest figure with its band, or how many sensors are gone; empty where there is none. */
export function figureOf(alert, format) {
  if (alert.value === null) return "";
  if (alert.metric === null) return words.alert.gone(format.number(alert.value), alert.value);
  const band = words.band(format.number(alert.low), format.number(alert.high));
  return `${written(alert.value, unitOf(alert.metric), format)}, ${band}`;
}

/** Since when, shorter where it is of today. */
export function sinceOf(alert, now, format) {
  const since = Date.parse(alert.since);
  return words.alert.since(Math.abs(now - since) < TODAY_MS ? format.clock(since) : format.moment(since));
}

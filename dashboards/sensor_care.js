// What a sensor needs of somebody's hands.

import { words } from "./words.js";

const CLOCK_ERROR_MS_MAX = 5_000;

/** Every reason why a sensor needs care, in words; none is well. */
export function careOf(sensor, venue, format) {
  const care = [];
  if (!sensor.alive) {
    care.push(sensor.last_heard ? words.sensor.silent(format.clock(Date.parse(sensor.last_heard))) : words.sensor.never);
  }
  if (sensor.gaps) care.push(words.sensor.gaps(format.number(sensor.gaps)));
  for (const [reason, count] of Object.entries(sensor.refused)) {
    care.push(words.sensor.refused(format.number(count), refusalOf(reason)));
  }
  if (isClockOff(sensor, venue)) care.push(words.sensor.clock(format.number(Math.round(sensor.clock_error_ms / 1000))));
  return care;
}

/** A reason for a refusal in words. */
export function refusalOf(reason) {
  return words.refusal[reason] ?? reason.replaceAll("_", " ");
}

/** Whether a sensor's clock is so wrong that somebody should set it. */
export function isClockOff(sensor, venue) {
  // The time of a replay is not the sensor's own, so there is nothing to compare.
  return venue.clock === "wall" && Math.abs(sensor.clock_error_ms ?? 0) > CLOCK_ERROR_MS_MAX;
}

// The days of a venue that have a name: exceptions to its hours, holidays and events.

import { words } from "./words.js";

/**
 * A named stretch of days. `at` is where the first of them begins, in milliseconds.
 * @typedef {{ at: number, from: string, to: string, name: string, kind: "hours" | "holiday" | "event" }} Mark
 */

/**
 * The named days that touch a stretch, by their beginning.
 * @param {object} venue its layout
 * @returns {Mark[]}
 */
export function marksOf(venue, stretch, days) {
  const inside = (from, to) => from <= stretch.to && to >= stretch.from;
  const hours = venue.special_days.filter(({ date }) => inside(date, date)).map(({ date, hours }) => ({ from: date, to: date, name: hours === "closed" ? words.closed : hours, kind: "hours" }));
  const events = venue.events.filter(({ from, to }) => inside(from, to)).map(({ from, to, name, kind }) => ({ from, to, name, kind }));
  const all = [...hours, ...events].map((mark) => ({ ...mark, at: days.startOf(mark.from) }));
  return all.sort((a, b) => a.at - b.at);
}

/** What a mark is called where there is no line beside it: its name, and of a holiday that it is one. */
export function sayMark({ name, kind }) {
  return kind === "holiday" ? words.holiday(name) : name;
}

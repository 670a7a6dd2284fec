// Which days are looked at, in which steps, and which they are compared with.

import { words } from "./words.js";
import { beginningOf, daysBetween, plusDays } from "./days.js";

/** The most days that are shown hour by hour, and in all. */
const HOURLY_DAYS_MAX = 62;
const DAYS_MAX = 800;
const PERIODS = ["today", "yesterday", "7d", "28d", "month", "lastMonth", "365d", "custom"];
const STEPS_BY_LENGTH = [[3, "hour"], [92, "day"], [300, "week"], [Infinity, "month"]];

/** The choices of a period. */
export function periodFields(today, initial = "7d") {
  const custom = (state) => state.period === "custom";
  return [
    { name: "period", label: words.period.label, options: PERIODS.map((value) => ({ value, text: words.period[value] })), initial },
    { name: "from", label: words.period.from, initial: plusDays(today, -27), shown: custom },
    { name: "to", label: words.period.to, initial: today, shown: custom },
  ];
}

/** The choice of a step. */
export function stepField() {
  const options = ["auto", "hour", "day", "week", "month"].map((value) => ({ value, text: words.step[value] }));
  return { name: "step", label: words.step.label, options, initial: "auto" };
}

/** The stretch of days that was chosen. */
export function stretchOf(state, today) {
  const back = (days) => ({ from: plusDays(today, 1 - days), to: today });
  const month = beginningOf("month", today);
  const lastEnd = plusDays(month, -1);
  const [a, b] = [state.from, state.to].sort();
  return {
    today: back(1),
    yesterday: { from: plusDays(today, -1), to: plusDays(today, -1) },
    "7d": back(7), "28d": back(28), "365d": back(365),
    month: { from: month, to: today },
    lastMonth: { from: beginningOf("month", lastEnd), to: lastEnd },
    custom: { from: daysBetween(a, b) >= DAYS_MAX ? plusDays(b, 1 - DAYS_MAX) : a, to: b },
  }[state.period];
}

/** The step that was chosen, or else that fits; hours of many weeks would be too many points to read. */
export function stepOf(state, stretch) {
  const length = daysBetween(stretch.from, stretch.to) + 1;
  if (state.step !== "auto" && !(state.step === "hour" && length > HOURLY_DAYS_MAX)) return state.step;
  return STEPS_BY_LENGTH.find(([most]) => length <= most)[1];
}

/** A stretch in words. */
export function sayStretch(stretch, days, format) {
  const middle = (date) => days.startOf(date) + 43_200_000;
  const [from, to] = [stretch.from, stretch.to].map((date) => format.fullDate(middle(date)));
  return from === to ? from : words.curve.at(from, to);
}

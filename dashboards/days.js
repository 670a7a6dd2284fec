// A venue's days: each begins at the venue's own hour, in its own time zone.

/** A day of no change of the clocks. */
export const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/**
 * The days of a venue. A date is text like 2026-11-25, and times are milliseconds.
 * @param {string} timeZone an IANA name
 * @param {string} dayStartsAt local time, like 04:00
 */
export function daysOf(timeZone, dayStartsAt) {
  const [hours, minutes] = dayStartsAt.split(":").map(Number);
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  /** The local time of a moment, as if it were a moment in UTC. */
  const local = (at) => {
    const read = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(read.year, read.month - 1, read.day, read.hour, read.minute, read.second);
  };
  const momentOf = (date, minute) => {
    const wanted = Date.parse(`${date}T00:00:00Z`) + minute * MINUTE_MS;
    // The offset of the guess is that of the moment but near a change of the clocks, and then that of the second guess is.
    const guess = wanted - (local(wanted) - wanted);
    return guess - (local(guess) - wanted);
  };
  return {
    /** The first moment of a day. */
    startOf: (date) => momentOf(date, hours * 60 + minutes),
    /** The moment of a calendar's date at a minute after its midnight. */
    momentOf,
    /** The calendar's date and the time of a moment, as a field for both takes them. */
    localOf: (at) => new Date(local(at)).toISOString().slice(0, 16),
    /** The day that a moment lies in. */
    dateOf: (at) => new Date(local(at) - (hours * 60 + minutes) * MINUTE_MS).toISOString().slice(0, 10),
    /** The local hour of a moment, 0 to 23. */
    hourOf: (at) => new Date(local(at)).getUTCHours(),
    /** The hour at which a day begins. */
    firstHour: hours,
  };
}

/** A date some days later, or earlier. */
export function plusDays(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** How many days lie between two dates. */
export function daysBetween(from, to) {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

/** The weekday of a date: 0 is Monday. */
export function weekdayOf(date) {
  return (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
}

/** The first day of the week or month of a date. */
export function beginningOf(step, date) {
  if (step === "week") return plusDays(date, -weekdayOf(date));
  return step === "month" ? `${date.slice(0, 7)}-01` : date;
}

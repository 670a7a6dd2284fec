// How one venue stands, in as few questions as there are things to know.

import { ifThere, read } from "../server.js";
import { daysOf, plusDays } from "../days.js";
import { isOfCrowd, pairedWholes, readSeries, wholeOf } from "../series.js";

/** States of an hour that has closed. */
const CLOSED = ["final", "held_back"];

/**
 * A stretch of a day beside the same of the same weekday a week before.
 * @typedef {{ whole: object, mine: ?object, before: ?object, date: string }} Stood `mine` and `before` are of the hours
 *   that both days tell
 */

/** The hours of today that have closed, or yesterday, beside the same weekday before. */
async function stoodOf(venue, zone, { day, metric }, now) {
  const days = daysOf(venue.timezone, venue.day_starts_at);
  const date = plusDays(days.dateOf(now), day === "today" ? 0 : -1);
  const step = day === "today" ? "hour" : "day";
  const points = (of) => readSeries({ venue: venue.id, zone, metric, step, now, stretch: { from: of, to: of } }, days);
  const all = await points(date);
  const earlier = await points(plusDays(date, -7));
  const closed = all.filter((point) => CLOSED.includes(point.state));
  const whole = wholeOf(closed.length ? closed : all, metric);
  const [mine, before] = pairedWholes(all, earlier, metric) ?? [null, null];
  return { whole, mine, before, date };
}

/** Everything that a venue's row says. */
export async function standingOf(venue, choice) {
  const path = `/${encodeURIComponent(venue.id)}`;
  const live = await ifThere(read(`${path}/live`));
  const now = live ? Date.parse(live.at) : Date.now();
  const sensors = await ifThere(read(`${path}/sensors`));
  const alerts = await ifThere(read(`${path}/alerts`));
  return { at: now, live, sensors: sensors?.sensors ?? [], alerts: alerts ?? [], stood: await stoodOf(venue, null, choice, now) };
}

/** What a group's row says: of groups there are people, and no visits. */
export async function groupStandingOf(venue, group, choice, now) {
  const metric = isOfCrowd(choice.metric) ? choice.metric : "occupancy";
  return { metric, stood: await stoodOf(venue, group, { ...choice, metric }, now) };
}

// Groups in order: floors and wings have figures of the crowd lens alone.

import { eachOf } from "../server.js";
import { isOfCrowd, wholeOf } from "../series.js";

/**
 * The groups of a venue, the fullest first.
 * @param {(group: string) => Promise<object[]>} seriesOf
 */
export async function groupsRanked(venue, metric, seriesOf) {
  if (!isOfCrowd(metric) || venue.groups.length < 2) return [];
  const wholes = await eachOf(venue.groups, async (zone) => {
    const points = await seriesOf(zone);
    return { zone, name: zone, whole: wholeOf(points, metric), values: points.map(({ value }) => value) };
  });
  wholes.sort((a, b) => (b.whole.value ?? -1) - (a.whole.value ?? -1));
  return wholes.map(({ zone, name, whole, values }, i) => {
    const next = wholes[i + 1]?.whole;
    const tied = whole.value !== null && next != null && next.value !== null && next.high >= whole.low;
    return { rank: i + 1, zone, name, state: whole.state, value: whole.value, low: whole.low, high: whole.high, missing: whole.parts - whole.known, windows: whole.known, tied_with_next: tied, values };
  });
}

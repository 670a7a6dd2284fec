// What the counts have taught: how many there are, how wide the band is, and where the next one teaches most.

import { words } from "../words.js";
import { html, place } from "../markup.js";

/** Counts that end a calibration. */
const COUNTS_FOR_ALL = 12;

/**
 * The zone to count next: of those that were counted least the one with the most people, for a full zone teaches more.
 * @param {?object} live
 * @returns {?{ zone: string, people: number, counted: number }}
 */
export function nextZone(live, counts) {
  const counted = (zone) => counts.filter((count) => count.zone === zone).length;
  const shown = (live?.zones ?? []).filter(({ occupancy }) => occupancy.state === "shown");
  const zones = shown.map(({ zone, occupancy }) => ({ zone, people: occupancy.value, counted: counted(zone) }));
  return zones.sort((a, b) => a.counted - b.counted || b.people - a.people)[0] ?? null;
}

/** Says how far the calibration is. */
export function showLearnt(venue, live, counts, format) {
  const n = counts.length;
  place("learnt-sum").textContent = words.learnt.sum(format.number(n), n);
  place("learnt-why").textContent = n === 0 ? words.learnt.none : n < COUNTS_FOR_ALL ? words.learnt.more(format.number(COUNTS_FOR_ALL - n), COUNTS_FOR_ALL - n) : words.learnt.all;
  const next = nextZone(live, counts);
  const name = next && venue.zones.find(({ id }) => id === next.zone)?.name;
  place("learnt-next").textContent = next ? words.learnt.next(name, format.number(next.people), next.counted) : words.learnt.nextUnknown;
  return next?.zone ?? null;
}

/**
 * Shows how wide the venue's band was under each version of the calibration: half of it, in percent of the value.
 * @param {object[]} figures of occupancy, hour by hour
 */
export function showShrink(figures, format) {
  const versions = new Map();
  for (const figure of figures) {
    if (figure.state !== "final" || !figure.value) continue;
    const half = (figure.high - figure.low) / 2 / figure.value;
    const known = versions.get(figure.calibration) ?? { sum: 0, n: 0, from: figure.from };
    versions.set(figure.calibration, { ...known, sum: known.sum + half, n: known.n + 1 });
  }
  if (!versions.size) {
    place("shrink-body").replaceChildren(html("p", { class: "empty" }, words.nothingThere));
    return;
  }
  const rows = [...versions].map(([version, { sum, n, from }]) => ({ version, from, percent: Math.round((100 * sum) / n) }));
  const most = Math.max(...rows.map(({ percent }) => percent));
  const line = ({ version, from, percent }) => {
    const length = html("span", { class: "length" });
    length.style.width = `${(100 * percent) / most}%`;
    const name = version === 0 ? words.learnt.uncalibrated : words.learnt.version(format.number(version));
    return html("tr", {}, html("th", { scope: "row" }, name, " ", html("span", { class: "quiet" }, words.learnt.since(format.moment(Date.parse(from)))), html("span", { class: "bar", "aria-hidden": true }, length)), html("td", { class: "strong" }, `± ${words.percent(format.number(percent))}`));
  };
  place("shrink-body").replaceChildren(html("table", { class: "rank", "aria-labelledby": "shrink-title" }, html("tbody", {}, ...rows.map(line))));
}

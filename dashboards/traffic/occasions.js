// Views that are prepared: each named stretch of days, against the same weekdays before it.

import { html, place } from "../markup.js";

/** The most that are offered: the newest of those that have begun. */
const OCCASIONS_MAX = 12;

/**
 * Offers the venue's events as links; what goes on still is looked at up to today.
 * @param {{ name: string, from: string, to: string }[]} events
 */
export function showOccasions(events, today) {
  const begun = events.filter(({ from }) => from <= today).sort((a, b) => (a.from < b.from ? 1 : -1));
  const link = ({ name, from, to }) => {
    const view = new URLSearchParams({ period: "custom", from, to: to < today ? to : today, versus: "before" });
    return html("li", {}, html("a", { href: `?${view}` }, name));
  };
  place("occasions").hidden = begun.length === 0;
  place("occasions-list").replaceChildren(...begun.slice(0, OCCASIONS_MAX).map(link));
}

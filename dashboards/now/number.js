// The venue's number, its moment, and what a reader must know about it.

import { words } from "../words.js";
import { place } from "../markup.js";
import { said } from "../states.js";
import { showFlags } from "../flags.js";
import { showMoment } from "../shell.js";

/** Shows the venue's half-minute. */
export function showNow(live, venue, format) {
  const text = said(live.occupancy, venue.k, format);
  const shown = live.occupancy.state === "shown";
  place("now-value").textContent = text.title;
  place("now-value").dataset.state = live.occupancy.state;
  place("now-band").textContent = shown ? words.band(format.number(live.occupancy.low), format.number(live.occupancy.high)) : text.long;
  place("now-note").textContent = shown ? words.bandNote : "";
  showMoment(Date.parse(live.at), format);
  document.title = `${shown ? text.title : words.state[live.occupancy.state].short(venue.k)} · ${venue.name} · Passant`;
  showFlags(place("flags"), live.flags);
}

/** Whether there are more people than is usual in such an hour, fewer, or neither for sure; nothing while no number is shown. */
export function againstUsual({ state, low, high }, { usual_low: least, usual_high: most }) {
  if (state !== "shown") return "";
  if (low > most) return words.unusual.more;
  return high < least ? words.unusual.fewer : words.unusual.neither;
}

// The venue's number, its moment, and what a reader must know about it.

import { words } from "./words.js";
import { html, place } from "./markup.js";
import { said } from "./states.js";

/** Shows the venue's half-minute. */
export function showNow(live, venue, format) {
  const text = said(live.occupancy, venue.k, format);
  const shown = live.occupancy.state === "shown";
  place("now-value").textContent = text.title;
  place("now-value").dataset.state = live.occupancy.state;
  place("now-band").textContent = shown ? words.band(format.number(live.occupancy.low), format.number(live.occupancy.high)) : text.long;
  place("now-note").textContent = shown ? words.bandNote : "";
  const at = Date.parse(live.at);
  place("at").dateTime = live.at;
  place("at").textContent = format.second(at);
  place("at-day").textContent = format.day(at);
  document.title = `${shown ? text.title : words.state[live.occupancy.state].short(venue.k)} · ${venue.name} · Passant`;
  showFlags(live.flags);
}

function showFlags(flags) {
  const list = place("flags");
  // A label that somebody is reading is not taken away under the pointer.
  if (list.dataset.shown === flags.join()) return;
  list.dataset.shown = flags.join();
  list.replaceChildren(...flags.map(flagOf));
}

function flagOf(flag) {
  const [title, why] = words.flag[flag] ?? [flag, ""];
  const id = `why-${flag}`;
  const button = html("button", { type: "button", class: "flag", "aria-describedby": id }, title);
  return html("li", {}, button, html("span", { class: "why", role: "tooltip", id }, why));
}

/** Says how the line to the server is. */
export function showLink(state) {
  if (place("link").dataset.state === state) return;
  place("link").dataset.state = state;
  place("link").textContent = words.link[state];
}

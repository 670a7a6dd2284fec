// What a reader must know of figures: a word, and on focus the reason.

import { words } from "./words.js";
import { html } from "./markup.js";

let made = 0;

/** A word with its reason. */
export function flagOf(title, why, kind = "") {
  made += 1;
  const id = `why-${made}`;
  const button = html("button", { type: "button", class: `flag ${kind}`, "aria-describedby": id }, title);
  return html("li", {}, button, html("span", { class: "why", role: "tooltip", id }, why));
}

/** Shows flags by their words of the API. */
export function showFlags(list, flags) {
  // A label that somebody is reading is not taken away under the pointer.
  if (list.dataset.shown === flags.join()) return;
  list.dataset.shown = flags.join();
  list.replaceChildren(...flags.map((flag) => flagOf(...(words.flag[flag] ?? [flag, ""]))));
}

/**
 * Shows what is to be known of points: their flags, and how many have no value and why.
 * @param {{ state: string, flags: string[], known: number, parts: number }[]} points
 */
export function showNotes(list, points, k, format) {
  const count = (state) => points.filter((point) => point.state === state).length;
  const states = ["held_back", "open", "missing"].map((state) => [state, count(state)]).filter(([, n]) => n > 0);
  const partly = points.filter((point) => point.state === "final" && point.known < point.parts).length;
  const flags = [...new Set(points.flatMap((point) => point.flags))];
  const notes = [
    ...flags.map((flag) => flagOf(...(words.flag[flag] ?? [flag, ""]), flag)),
    ...states.map(([state, n]) => flagOf(`${words.point[state].title}: ${format.number(n)}`, words.point[state].why(k), state)),
    ...(partly ? [flagOf(`${words.point.partly.title}: ${format.number(partly)}`, words.point.partly.why(), "partly")] : []),
  ];
  list.replaceChildren(...notes);
}

// Counting heads with a telephone in the hand: a number that goes up and down, and its mean when one stops.

import { words } from "../words.js";
import { html, place } from "../markup.js";

/** The windows that a head count is made of. */
export const WINDOW_MS = 300_000;
const SECOND_MS = 1_000;
/** The server takes head counts of an hour at most. */
const LONGEST_MS = 12 * WINDOW_MS;
const PEOPLE_MAX = 10_000;

/**
 * What was counted as a head count: the five-minute windows that were watched for more than half, or the one that was
 * watched most, and the mean over what of them was watched.
 * @param {{ at: number, people: number }[]} marks each number from its moment on
 * @param {number} end
 */
export function countOf(marks, end) {
  const begin = marks[0].at;
  const watched = (from) => Math.min(end, from + WINDOW_MS) - Math.max(begin, from);
  const edge = (at) => Math.floor(at / WINDOW_MS) * WINDOW_MS;
  const all = Array.from({ length: (edge(end) - edge(begin)) / WINDOW_MS + 1 }, (_, i) => edge(begin) + i * WINDOW_MS);
  const most = all.reduce((a, b) => (watched(b) > watched(a) ? b : a));
  const kept = all.filter((from) => from === most || watched(from) > WINDOW_MS / 2);
  const [from, to] = [kept[0], Math.min(kept.at(-1) + WINDOW_MS, kept[0] + LONGEST_MS)];
  const [first, last] = [Math.max(from, begin), Math.min(to, end)];
  const share = (mark, i) => Math.max(0, Math.min(marks[i + 1]?.at ?? end, last) - Math.max(mark.at, first));
  const whole = marks.reduce((all_, mark, i) => all_ + share(mark, i), 0);
  const mean = whole ? marks.reduce((sum, mark, i) => sum + mark.people * share(mark, i), 0) / whole : marks.at(-1).people;
  return { from, to, people: Math.round(mean) };
}

/**
 * The tally's screen.
 * @param {() => number} clock the venue's moment
 * @param {(zone: string, count: { from: number, to: number, people: number }) => Promise<void>} send
 */
export function tallyIn(venue, format, clock, send) {
  const dialog = place("tally");
  let people = 0;
  let marks = [];
  let ticking;

  const running = () => marks.length > 0;
  const say = () => {
    place("tally-number").textContent = format.number(people);
    const counted = running() && countOf(marks, clock());
    place("tally-say").textContent = counted ? words.tally.running(format.clock(counted.from), format.clock(counted.to), format.number(counted.people)) : words.tally.ready;
  };
  const set = (next) => {
    people = Math.min(PEOPLE_MAX, Math.max(0, next));
    if (running()) marks.push({ at: clock(), people });
    say();
  };
  const show = () => {
    place("tally-start").hidden = running();
    place("tally-stop").hidden = !running();
    place("tally-zone").disabled = running();
    say();
  };
  const end = () => {
    clearInterval(ticking);
    marks = [];
    show();
  };
  const stop = async () => {
    const counted = countOf(marks, clock());
    try {
      await send(place("tally-zone").value, counted);
      end();
      dialog.close();
    } catch (error) {
      // What was counted stays, so that nobody has to count again.
      place("tally-wrong").textContent = error.detail ?? words.failed;
    }
  };

  place("tally-zone").replaceChildren(...venue.zones.map((zone) => html("option", { value: zone.id }, zone.name)));
  place("tally-plus").addEventListener("click", () => set(people + 1));
  place("tally-minus").addEventListener("click", () => set(people - 1));
  place("tally-stop").addEventListener("click", stop);
  place("tally-start").addEventListener("click", () => {
    marks = [{ at: clock(), people }];
    ticking = setInterval(() => {
      if (clock() - marks[0].at >= LONGEST_MS) stop();
      say();
    }, SECOND_MS);
    show();
  });
  dialog.addEventListener("keydown", (event) => {
    const by = { "+": 1, "-": -1 }[event.key];
    if (by) set(people + by);
  });
  dialog.addEventListener("close", end);
  return (zone) => {
    people = 0;
    marks = [];
    place("tally-wrong").textContent = "";
    if (zone) place("tally-zone").value = zone;
    show();
    dialog.showModal();
    place("tally-plus").focus();
  };
}

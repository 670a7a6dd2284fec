// Calibration: people counted by eye, from which the estimate learns its scale.

import { words } from "../words.js";
import { change, ifThere, read } from "../server.js";
import { html, place } from "../markup.js";
import { openStillPage } from "../shell.js";
import { nameOf } from "../controls.js";
import { plusDays } from "../days.js";
import { saver } from "../csv.js";
import { showLearnt, showShrink } from "./learnt.js";
import { WINDOW_MS, tallyIn } from "./tally.js";
import { doorsIn } from "./doors.js";

const MINUTES_MAX = 60;
const SHRINK_DAYS = 60;

function entryOf({ zone, from, to, people }) {
  return { zone, from: new Date(from).toISOString(), to: new Date(to).toISOString(), people };
}

/** The head counts of a venue, and what changes them. */
function officeOf(venue) {
  const path = `/api/v1/venues/${encodeURIComponent(venue.id)}/head-counts`;
  const add = (count) => change("POST", path, entryOf(count));
  const remove = (count) => change("DELETE", `${path}/${count.id}`);
  return {
    add,
    remove,
    /** Takes one back and enters another; if that is refused the first is entered again. */
    async correct(old, count) {
      await remove(old);
      try {
        await add(count);
      } catch (error) {
        await add({ ...old, from: Date.parse(old.from), to: Date.parse(old.to) });
        throw error;
      }
    },
  };
}

function showCounts(venue, counts, format, { correct, remove }) {
  const line = (count) => {
    const [from, to] = [Date.parse(count.from), Date.parse(count.to)];
    const when = `${format.shortDay(from)}, ${words.curve.at(format.clock(from), format.clock(to))}`;
    const name = nameOf(venue, count.zone);
    const button = (text, act) => {
      const element = html("button", { type: "button", class: "link", "aria-label": `${text}: ${name}, ${when}` }, text);
      element.addEventListener("click", () => act(count, element));
      return element;
    };
    return html("tr", {}, html("th", { scope: "row" }, name), html("td", { class: "left" }, when), html("td", { class: "strong" }, format.number(count.people)), html("td", { class: "quiet" }, format.moment(Date.parse(count.entered_at))),
      html("td", {}, button(words.counts.correct, correct), " ", button(words.counts.remove, remove)));
  };
  const head = [words.columnZone, words.counts.when, words.columnPeople, words.counts.entered, words.counts.actions];
  const table = html("table", { "aria-labelledby": "counts-title" }, html("thead", {}, html("tr", {}, ...head.map((text, i) => html("th", { scope: "col", class: i === 1 ? "left" : null }, text)))), html("tbody", {}, ...counts.toReversed().map(line)));
  place("counts-body").replaceChildren(counts.length ? table : html("p", { class: "empty" }, words.counts.none));
  const columns = ["id", "zone", "from", "to", "people", "entered_at"];
  place("counts-tools").replaceChildren(saver("passant-head-counts", words.countsTitle, () => [columns, counts.map((count) => columns.map((column) => count[column]))]));
}

/** The form for a count that was made on paper, or is to be corrected. */
function entryForm({ venue, days, now }, office, done) {
  let old = null;
  const [zone, from, minutes, people] = ["zone", "from", "minutes", "people"].map((name) => place(`entry-${name}`));
  const lengths = Array.from({ length: MINUTES_MAX / 5 }, (_, i) => 5 * (i + 1));
  zone.replaceChildren(...venue.zones.map(({ id, name }) => html("option", { value: id }, name)));
  minutes.replaceChildren(...lengths.map((n) => html("option", { value: n }, words.minutes(n))));
  from.value = days.localOf(Math.floor(now / WINDOW_MS) * WINDOW_MS - WINDOW_MS);
  place("entry-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [date, time] = from.value.split("T");
    const [hour, minute] = time.split(":").map(Number);
    const start = days.momentOf(date, hour * 60 + minute);
    const count = { zone: zone.value, from: start, to: start + Number(minutes.value) * 60_000, people: Number(people.value) };
    place("entry-wrong").textContent = "";
    try {
      await (old ? office.correct(old, count) : office.add(count));
      old = null;
      place("entry-title").textContent = words.entryTitle;
      people.value = "";
      done(words.counts.entered_);
    } catch (error) {
      place("entry-wrong").textContent = error.detail ?? words.failed;
    }
  });
  return (count) => {
    old = count;
    zone.value = count.zone;
    from.value = days.localOf(Date.parse(count.from));
    minutes.value = String((Date.parse(count.to) - Date.parse(count.from)) / 60_000);
    people.value = String(count.people);
    place("entry-title").textContent = words.counts.correcting;
    people.focus();
  };
}

openStillPage((scene) => {
  const { venue, format, days, now } = scene;
  const path = `/${encodeURIComponent(venue.id)}`;
  const office = officeOf(venue);
  // The venue's clock goes on from where it was read; a replay's may go faster, and is then read again with each change.
  const ahead = venue.clock === "wall" ? 0 : now - Date.now();
  let next = null;

  const refresh = async (said = "") => {
    try {
      const [{ head_counts: counts }, live] = await Promise.all([read(`${path}/head-counts`), ifThere(read(`${path}/live`))]);
      showCounts(venue, counts, format, { correct, remove });
      next = showLearnt(venue, live, counts, format);
      place("counts-note").textContent = said;
      place("tally-open").disabled = false;
    } catch (error) {
      place("counts-note").textContent = error.detail ?? words.failed;
    }
  };
  const correct = entryForm(scene, office, refresh);
  const remove = async (count, button) => {
    // Asked once more, in the place where the finger is.
    if (button.dataset.sure !== "true") {
      button.dataset.sure = "true";
      button.textContent = words.counts.sure;
      return;
    }
    try {
      await office.remove(count);
      refresh(words.counts.removed);
    } catch (error) {
      place("counts-note").textContent = error.detail ?? words.failed;
    }
  };
  const openTally = tallyIn(venue, format, () => Date.now() + ahead, async (zone, count) => {
    await office.add({ zone, ...count });
    refresh(words.counts.entered_);
  });
  place("tally-open").addEventListener("click", () => openTally(next));
  refresh();
  doorsIn(scene);

  const today = days.dateOf(now);
  const query = { metric: "occupancy", step: "1h", from: new Date(days.startOf(plusDays(today, 1 - SHRINK_DAYS))).toISOString(), to: new Date(days.startOf(plusDays(today, 1))).toISOString() };
  read(`${path}/figures`, query).then(({ figures }) => showShrink(figures, format)).catch(() => place("shrink-body").replaceChildren(html("p", { class: "empty" }, words.failed)));
});

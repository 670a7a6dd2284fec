// Privacy: what is held back and why, what was forgotten and when, and what shoppers are told.

import { words } from "../words.js";
import { eachOf, readPath } from "../server.js";
import { html, place } from "../markup.js";
import { openStillPage } from "../shell.js";
import { plusDays } from "../days.js";
import { readSeries } from "../series.js";
import { saver } from "../csv.js";
import { sayStretch } from "../period.js";

const LOOKED_BACK_DAYS = 7;
/** The most places whose hours are looked at: each is an answer of its own. */
const PLACES_MAX = 60;

function showFacts(facts, format) {
  const moment = (text) => (text ? format.moment(Date.parse(text)) : words.facts.notYet);
  const rows = [
    [words.facts.k, words.facts.kValue(format.number(facts.k))],
    [words.facts.keyWiped, moment(facts.last_key_wiped)],
    [words.facts.purged, moment(facts.last_purge)],
    [words.facts.kept, words.facts.keptValue(format.number(facts.fine_days), format.number(facts.coarse_months))],
    [words.facts.objections, words.facts.objectionsValue(format.number(facts.objections_about), format.number(facts.decoys_min), format.number(facts.decoys_max))],
    [words.facts.ledger, words.facts.ledgerValue(format.number(facts.ledger_number), facts.ledger_hash)],
  ];
  place("facts").replaceChildren(...rows.map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))));
  place("facts-note").textContent = words.facts.note;
}

function shareRow({ name, points }, format) {
  const gone = points.filter((point) => point.state !== "ahead" && point.state !== "open");
  const count = (state) => gone.filter((point) => point.state === state).length;
  const [shown, held, missing] = ["final", "held_back", "missing"].map(count);
  const bar = html("span", { class: "bar share", "aria-hidden": true });
  for (const [state, n] of [["shown", shown], ["held-back", held], ["no-data", missing]]) {
    const part = html("span", { class: "part", "data-shade": state });
    part.style.width = `${gone.length ? (100 * n) / gone.length : 0}%`;
    bar.append(part);
  }
  const cell = (n) => html("td", { class: n ? "" : "quiet" }, format.number(n));
  return html("tr", {}, html("th", { scope: "row" }, name, bar), cell(shown), cell(held), cell(missing));
}

openStillPage(async ({ venue, format, days, now }) => {
  const id = encodeURIComponent(venue.id);
  const link = (href, text) => html("li", {}, html("a", { href }, text));
  place("shoppers-links").replaceChildren(link(`/privacy/${id}`, words.shoppers.page), link("/opt-out", words.shoppers.form));
  place("held-why").replaceChildren(...words.heldWhy(venue.k).map((text) => html("li", {}, text)));
  readPath(`/privacy/${id}`).then((facts) => showFacts(facts, format)).catch(() => { place("facts-note").textContent = words.failed; });

  const today = days.dateOf(now);
  const stretch = { from: plusDays(today, 1 - LOOKED_BACK_DAYS), to: today };
  place("held-when").textContent = sayStretch(stretch, days, format);
  const places = [{ id: null, name: words.wholeVenue }, ...venue.zones].slice(0, PLACES_MAX);
  try {
    const rows = await eachOf(places, async ({ id: zone, name }) => ({ zone, name, points: await readSeries({ venue: venue.id, metric: "occupancy", zone, stretch, step: "hour", now }, days) }));
    const head = [words.columnZone, words.heldShown, words.point.held_back.title, words.point.missing.title];
    const table = html("table", { class: "rank", "aria-labelledby": "held-title" }, html("thead", {}, html("tr", {}, ...head.map((text) => html("th", { scope: "col" }, text)))), html("tbody", {}, ...rows.map((row) => shareRow(row, format))));
    place("held-body").replaceChildren(table);
    const columns = ["zone", "hours_shown", "hours_held_back", "hours_no_data"];
    const of = (points, state) => points.filter((point) => point.state === state).length;
    place("held-tools").replaceChildren(saver("passant-held-back", words.heldTitle, () => [columns, rows.map(({ zone, points }) => [zone, of(points, "final"), of(points, "held_back"), of(points, "missing")])]));
  } catch {
    place("held-body").replaceChildren(html("p", { class: "empty" }, words.failed));
  }
});

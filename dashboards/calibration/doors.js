// Door counters: their hours read, entered and removed, and held against the figures.

import { words } from "../words.js";
import { change, eachOf, read } from "../server.js";
import { html, place } from "../markup.js";
import { flagOf } from "../flags.js";
import { saver } from "../csv.js";
import { readSeries } from "../series.js";
import { seriesViewIn } from "../series_view.js";
import { plusDays } from "../days.js";
import { agreement, doorDaysOf, isCounted } from "./balance.js";

/** So many days are held against the figures. */
const DOOR_DAYS = 28;
/** Hours of one question; the server gives 2,000. */
const ANSWER_HOURS_MAX = 1_900;
/** Hours that are entered at once; the server takes 400. */
const ENTRY_HOURS_MAX = 400;
/** Hours below which nothing is said of how well they agree. */
const HOURS_TO_TELL = 12;
const DAY_HOURS_MAX = 25;
/** The share of the truths that a band holds. */
const BAND_HOLDS = 0.8;
const EVER = "from=1970-01-01T00:00:00Z&to=2200-01-01T00:00:00Z";
const ENTRY_LINE = /^(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)(?::\d\d)?(Z|[+-]\d\d:\d\d)?\s*[,;\t]\s*(\d+)\s*[,;\t]\s*(\d+)$/;

async function readDoors(venue, days, today) {
  const moment = (date) => new Date(days.startOf(date)).toISOString();
  const ask = (from, to) => read(`/${encodeURIComponent(venue.id)}/door-counts`, { from: moment(from), to: moment(to) });
  const end = plusDays(today, 1);
  const { doors } = await ask(today, end);
  if (!doors.length) return { doors, counts: [] };
  const each = Math.max(1, Math.floor(ANSWER_HOURS_MAX / (DAY_HOURS_MAX * doors.length)));
  const begins = [];
  for (let date = plusDays(end, -DOOR_DAYS); date < end; date = plusDays(date, each)) begins.push(date);
  const answers = await eachOf(begins, (from) => ask(from, plusDays(from, each) < end ? plusDays(from, each) : end));
  return { doors, counts: answers.flatMap(({ counts }) => counts) };
}

/** Lines like `2026-11-20 10:00, 120, 95`, in the venue's time or with an offset, as the server takes them. */
function hoursIn(text, days) {
  const lines = text.split(/\r?\n/).map((line, i) => [line.trim(), i + 1]).filter(([line]) => line);
  return lines.map(([line, number]) => {
    const [, date, hour, minute, offset, came, went] = ENTRY_LINE.exec(line) ?? [];
    if (!date) throw Object.assign(new Error(), { detail: words.doors.line(number) });
    const from = offset ? Date.parse(`${date}T${hour}:${minute}:00${offset}`) : days.momentOf(date, Number(hour) * 60 + Number(minute));
    return { from: new Date(from).toISOString(), to: new Date(from + 3_600_000).toISOString(), in: Number(came), out: Number(went) };
  });
}

function entryOfDoors(venue, days, done) {
  place("doors-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    place("doors-wrong").textContent = "";
    try {
      const hours = hoursIn(place("doors-hours").value, days);
      let [fresh, known] = [0, 0];
      for (let i = 0; i < hours.length; i += ENTRY_HOURS_MAX) {
        const answer = await change("POST", `/api/v1/venues/${encodeURIComponent(venue.id)}/door-counts`, { door: place("doors-door").value.trim(), counts: hours.slice(i, i + ENTRY_HOURS_MAX) });
        fresh += answer.new;
        known += answer.known;
      }
      place("doors-hours").value = "";
      await done(words.doors.taken(fresh, known));
    } catch (error) {
      place("doors-wrong").textContent = error.detail ?? words.failed;
    }
  });
}

function showDoors(venue, doors, done) {
  const line = (door) => {
    const button = html("button", { type: "button", class: "link", "aria-label": `${words.counts.remove}: ${door}` }, words.counts.remove);
    button.addEventListener("click", async () => {
      // Asked once more, in the place where the finger is.
      if (button.dataset.sure !== "true") {
        button.dataset.sure = "true";
        button.textContent = words.counts.sure;
        return;
      }
      try {
        await change("DELETE", `/api/v1/venues/${encodeURIComponent(venue.id)}/door-counts/${encodeURIComponent(door)}?${EVER}`);
        await done(words.doors.removed(door));
      } catch (error) {
        place("doors-wrong").textContent = error.detail ?? words.failed;
      }
    });
    return html("li", {}, door, " ", button);
  };
  place("doors-list").replaceChildren(...doors.map(line));
}

function agreementRow(name, agreed, format) {
  const share = (value) => words.percent(format.number(Math.round(100 * value)));
  const cells = agreed
    ? [format.number(Math.round(agreed.theirs / agreed.hours)), format.number(Math.round(agreed.mine / agreed.hours)), share(agreed.ratio), words.bandShort(share(agreed.low), share(agreed.high)), share(agreed.held), format.number(agreed.hours)]
    : ["–", "–", "–", "–", "–", format.number(0)];
  return html("tr", {}, html("th", { scope: "row" }, name), ...cells.map((text, i) => html("td", { class: i === 2 ? "strong" : null }, text)));
}

/** Whether the calibration holds, as far as the doors can tell. */
function verdictOf(agreed, format) {
  if (!agreed || agreed.hours < HOURS_TO_TELL) return words.doors.few(format.number(HOURS_TO_TELL));
  if (agreed.held >= BAND_HOLDS) return words.doors.holds;
  if (agreed.low > 1) return words.doors.over;
  return agreed.high < 1 ? words.doors.under : words.doors.wide;
}

function showDays(days, format) {
  const flag = (day) => html("td", {}, html("ul", { class: "flags end" }, flagOf(...words.doors.state[day.state], day.state === "balanced" ? "" : "incomplete")));
  const line = (day) => html("tr", {}, html("th", { scope: "row" }, format.shortDay(day.hours[0].point.from)), ...[day.came, day.went].map((people) => html("td", {}, format.number(Math.round(people)))),
    html("td", {}, day.left === null || day.state === "open" ? "–" : words.percent(format.signed(Math.round(100 * day.left)))), flag(day));
  const head = words.doors.dayColumns.map((text) => html("th", { scope: "col" }, text));
  place("doors-days").replaceChildren(html("table", { "aria-labelledby": "doors-title" }, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...days.toReversed().map(line))));
}

function showAgreement(rows, format) {
  const head = words.doors.columns.map((text) => html("th", { scope: "col" }, text));
  place("doors-agreement").replaceChildren(html("table", { "aria-labelledby": "doors-title" }, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows.map(([name, agreed]) => agreementRow(name, agreed, format)))));
}

const DOOR_COLUMNS = ["from", "to", "door_in", "door_out", "door_numbers_under_k", "every_door", "door_present", "door_present_state", "occupancy", "occupancy_low", "occupancy_high", "occupancy_state", "footfall", "footfall_low", "footfall_high", "footfall_state"];

function doorLines(days, figures, format) {
  const said = (point) => [point?.value, point?.low, point?.high, point?.state];
  return days.flatMap(({ hours }) => hours).map((hour) => [
    format.stamp(hour.point.from), format.stamp(hour.point.to), Math.round(hour.came), Math.round(hour.went), hour.blankIn + hour.blankOut, hour.whole, hour.present, hour.state,
    ...said(figures.occupancy.get(hour.point.from)), ...said(figures.footfall.get(hour.point.from)),
  ]);
}

/** The section of door counters. */
export function doorsIn({ venue, format, days, now }) {
  const today = days.dateOf(now);
  const stretch = { from: plusDays(today, 1 - DOOR_DAYS), to: today };
  const view = seriesViewIn(place("doors-course"), words.doors.course, venue.k, format);
  const series = async (metric) => (venue.metrics.includes(metric) ? readSeries({ venue: venue.id, metric, zone: null, stretch, step: "hour", now }, days) : []);

  const refresh = async (said = "") => {
    try {
      const { doors, counts } = await readDoors(venue, days, today);
      for (const id of ["doors-body", "doors-course"]) place(id).hidden = !doors.length;
      showDoors(venue, doors, refresh);
      if (!doors.length) {
        place("doors-said").textContent = said || words.doors.none;
        return;
      }
      const [occupancy, footfall] = [await series("occupancy"), await series("footfall")];
      const figures = Object.fromEntries(Object.entries({ occupancy, footfall }).map(([metric, points]) => [metric, new Map(points.map((point) => [point.from, point]))]));
      const told = doorDaysOf(occupancy, counts, venue.k, now);
      const hours = told.flatMap((day) => day.hours);
      const pairs = (metric, value, counted) => hours.filter(counted).map((hour) => ({ theirs: value(hour), mine: figures[metric].get(hour.point.from) }));
      const present = agreement(pairs("occupancy", (hour) => hour.present, (hour) => hour.state === "final"));
      const came = agreement(pairs("footfall", (hour) => hour.came, isCounted));
      showAgreement([...(footfall.length ? [[words.metric.footfall, came]] : []), [words.metric.occupancy, present]], format);
      place("doors-verdict").textContent = verdictOf(present, format);
      showDays(told, format);
      const byDoors = new Map(hours.map((hour) => [hour.point.from, hour]));
      const other = occupancy.map((point) => {
        const hour = byDoors.get(point.from);
        return { ...point, value: hour?.present ?? null, low: hour?.present ?? null, high: hour?.present ?? null, state: hour?.state ?? "missing", flags: [], known: 1, parts: 1 };
      });
      view.show({ points: occupancy, other, metric: "occupancy", zone: null, step: "hour", title: words.seriesTitle(words.metric.occupancy, words.wholeVenue, words.step.hour), otherName: words.doors.balance, otherZone: "doors", marks: [] });
      place("doors-tools").replaceChildren(saver("passant-doors", words.doorsTitle, () => [DOOR_COLUMNS, doorLines(told, figures, format)]));
      place("doors-said").textContent = said;
    } catch (error) {
      place("doors-said").textContent = error.detail ?? words.failed;
    }
  };
  entryOfDoors(venue, days, refresh);
  refresh();
}

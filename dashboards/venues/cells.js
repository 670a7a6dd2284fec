// A row in words: a number with its band, or a word with its reason.

import { words } from "../words.js";
import { html } from "../markup.js";
import { flagOf } from "../flags.js";
import { said, saidPoint, unitOf } from "../states.js";
import { changeOf } from "../totals.js";
import { difference } from "../series.js";
import { careOf } from "../sensor_care.js";

/** Alerts and sensors that are named in a row; of the others their number is told. */
const NAMED_MAX = 6;

/** The columns of the table, in their order. */
export const SIDES = ["venue", "people", "stood", "change", "sensors", "alerts"];

/** A cell that knows its column: on a telephone the column's name stands beside it. */
export function cell(side, ...inside) {
  const held = inside.length ? [html("div", {}, ...inside)] : [];
  return html("td", { role: "cell", class: `side-${side}`, "data-column": words.side[side] }, ...held);
}

function flags(...list) {
  return html("ul", { class: "flags" }, ...list);
}

function banded(text) {
  return [html("span", { class: "figure" }, text.short), " ", html("span", { class: "quiet" }, text.band)];
}

function peopleCell({ live }, venue, format) {
  if (!live) return cell("people", html("span", { class: "quiet" }, words.nothingYet));
  const text = said(live.occupancy, venue.k, format);
  const shown = live.occupancy.state === "shown";
  const notes = live.flags.map((flag) => flagOf(...(words.flag[flag] ?? [flag, ""]), flag));
  if (shown) return cell("people", ...banded(text), flags(...notes));
  return cell("people", flags(flagOf(text.title, text.long, live.occupancy.state), ...notes));
}

/** The cells of a day and of how far it differs from the same weekday before: one day, and so nothing of chance. */
export function stoodCells({ whole, mine, before, date }, metric, k, format, named) {
  const text = saidPoint(whole, unitOf(metric), k, format);
  const name = named ? [html("span", { class: "quiet named" }, words.metric[metric]), " "] : [];
  const partly = whole.state === "final" && whole.known < whole.parts ? [flagOf(words.point.known(format.number(whole.known), format.number(whole.parts)), words.side.partly, "partly")] : [];
  const stood = whole.state === "final" ? cell("stood", ...name, ...banded(text), flags(...partly)) : cell("stood", ...name, flags(flagOf(text.short, text.long, whole.state)));
  const weekday = words.side.before(format.weekday(Date.parse(`${date}T12:00:00Z`)));
  const change = mine ? changeOf(difference(mine, before, [], metric), metric, weekday, format) : html("span", { class: "quiet" }, words.side.noBefore(weekday));
  stood.dataset.column = words.metric[metric];
  return [stood, cell("change", change)];
}

function few(texts, format) {
  const rest = texts.length - NAMED_MAX;
  return [...texts.slice(0, NAMED_MAX), ...(rest > 0 ? [words.sensor.more(format.number(rest))] : [])].join("; ");
}

function sensorsCell({ sensors }, venue, format) {
  const alive = sensors.filter((sensor) => sensor.alive).length;
  const needy = sensors.map((sensor) => [sensor.sensor, careOf(sensor, venue, format)]).filter(([, care]) => care.length);
  const text = words.sensor.alive(format.number(alive), format.number(sensors.length));
  if (!needy.length) return cell("sensors", text);
  const why = few(needy.map(([name, care]) => `${name}: ${care.join(", ")}`), format);
  return cell("sensors", text, flags(flagOf(words.side.care(format.number(needy.length)), why, "incomplete")));
}

function alertsCell({ alerts }, format) {
  const firing = alerts.filter(({ state }) => state === "firing");
  if (!alerts.length) return cell("alerts", html("span", { class: "quiet" }, words.side.noRules));
  if (!firing.length) return cell("alerts", html("span", { class: "quiet" }, words.side.noAlert));
  const since = ({ since: at }) => (at ? `, ${words.learnt.since(format.moment(Date.parse(at)))}` : "");
  return cell("alerts", flags(flagOf(words.side.standing(format.number(firing.length), firing.length), few(firing.map((alert) => `${alert.name}: ${alert.rule}${since(alert)}`), format), "incomplete")));
}

/** The cells of a venue behind its name. */
export function venueCells(standing, venue, metric, format) {
  return [peopleCell(standing, venue, format), ...stoodCells(standing.stood, metric, venue.k, format), sensorsCell(standing, venue, format), alertsCell(standing, format)];
}

/** The columns of the table as a file. */
export const SIDE_COLUMNS = ["venue", "group", "at", "people", "people_low", "people_high", "people_state", "flags", "date", "metric", "value", "low", "high", "state", "windows_known", "windows", "same_value", "before_value", "before_low", "before_high", "windows_compared", "sensors_alive", "sensors", "sensors_in_need", "alerts_standing", "alert_rules"];

function stoodFields({ whole, mine, before, date }, metric) {
  return [date, metric, whole.value, whole.low, whole.high, whole.state, whole.known, whole.parts, mine?.value, before?.value, before?.low, before?.high, mine?.known ?? 0];
}

/** A venue as a line of a file; one that has not answered is a line all the same. */
export function venueLine(venue, standing, metric, format) {
  if (!standing) return [venue.id, "", "", "", "", "", "not_read", ...SIDE_COLUMNS.slice(7).map(() => "")];
  const { live, sensors, alerts, stood } = standing;
  const needy = sensors.filter((sensor) => careOf(sensor, venue, format).length).length;
  const people = live ? [live.occupancy.value, live.occupancy.low, live.occupancy.high, live.occupancy.state, live.flags.join(";")] : ["", "", "", "no_data", ""];
  return [venue.id, "", format.stamp(standing.at), ...people, ...stoodFields(stood, metric), sensors.filter(({ alive }) => alive).length, sensors.length, needy, alerts.filter(({ state }) => state === "firing").length, alerts.length];
}

/** A group as a line of a file. */
export function groupLine(venue, group, at, { metric, stood }, format) {
  return [venue.id, group, format.stamp(at), "", "", "", "", stood.whole.flags.join(";"), ...stoodFields(stood, metric), "", "", "", "", ""];
}

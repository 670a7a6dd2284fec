// Traffic: how many came, over any period, place against place and period against period.

import { words } from "../words.js";
import { eachOf, ifThere, read } from "../server.js";
import { html, place } from "../markup.js";
import { openStillPage } from "../shell.js";
import { controlsIn, nameOf, placeField } from "../controls.js";
import { periodFields, sayStretch, stepField, stepOf, stretchOf } from "../period.js";
import { changeBetween, isToldOf, readSeries, stretchBefore } from "../series.js";
import { unitOf } from "../states.js";
import { seriesViewIn } from "../series_view.js";
import { showHeat } from "../heat.js";
import { showRanking } from "../ranking.js";
import { daysBetween, plusDays } from "../days.js";
import { showTotals } from "../totals.js";
import { showContrast } from "./contrast.js";
import { groupsRanked } from "./groups.js";
import { cameOrMoved, changeOfRow, closedOf, withChanges } from "./changes.js";
import { marksOf } from "../named_days.js";
import { showOccasions } from "./occasions.js";

const METRICS = ["footfall", "visitors", "passersby", "capture_rate", "occupancy", "occupancy_peak"];
/** Hours of more days than these are not asked for: the heat of the newest of them is shown. */
const HEAT_DAYS_MAX = 91;
/** Days of all zones that the server gives in one answer; of more the bands alone say how far a zone has changed. */
const RANKED_VALUES_MAX = 40_000;

function versusField(today) {
  const options = ["none", "before", "year", "since"].map((value) => ({ value, text: words.versus[value] }));
  return [
    { name: "versus", label: words.versus.label, options, initial: "none" },
    { name: "since", label: words.versus.sinceLabel, initial: plusDays(today, -28), shown: (state) => state.versus === "since" },
  ];
}

function controlField(venue) {
  const { options } = placeField(venue, true);
  return { name: "control", label: words.versus.control, options: [{ value: "none", text: words.versus.none }, { value: "whole", text: words.wholeVenue }, ...options.slice(1)], initial: "none" };
}

function noteOf({ versus }, name) {
  return name && [["before", "year"].includes(versus) ? words.versus.weeks : "", words.versus.note].filter(Boolean).join(" ");
}

function compared(state, stretch) {
  if (state.versus === "none") return null;
  if (state.versus !== "since") return stretchBefore(stretch, state.versus);
  const length = Date.parse(stretch.to) - Date.parse(stretch.from);
  return { from: state.since, to: new Date(Date.parse(state.since) + length).toISOString().slice(0, 10) };
}

openStillPage(({ venue, format, days, now }) => {
  const today = days.dateOf(now);
  const metrics = METRICS.filter((metric) => venue.metrics.includes(metric));
  const course = seriesViewIn(place("course"), words.course, venue.k, format);
  const groups = new Set(venue.groups);
  let asked = 0;

  const series = (metric, zone, stretch, step) => readSeries({ venue: venue.id, metric, zone, stretch, step, now }, days);
  const heat = async (state, metric, stretch) => {
    const from = plusDays(stretch.to, 1 - HEAT_DAYS_MAX);
    return series(metric, state.zone, { from: from > stretch.from ? from : stretch.from, to: stretch.to }, "hour");
  };
  const rank = async (metric, stretch, isCompared) => {
    const isJudged = isCompared && venue.zones.length * (1 + daysBetween(stretch.from, stretch.to)) <= RANKED_VALUES_MAX;
    const query = { ...(isJudged ? { values: "windows" } : {}), metric, step: "1d", from: new Date(days.startOf(stretch.from)).toISOString(), to: new Date(days.startOf(plusDays(stretch.to, 1))).toISOString() };
    const [ranking, ofGroups] = await Promise.all([ifThere(read(`/${encodeURIComponent(venue.id)}/ranking`, query)), groupsRanked(venue, metric, (zone) => series(metric, zone, stretch, "day"))]);
    return { ranking, ofGroups };
  };
  const change = async (state) => {
    asked += 1;
    const mine = asked;
    const shown = metrics.filter((one) => isToldOf(one, state.zone, groups));
    const metric = shown.includes(state.metric) ? state.metric : shown[0];
    // Zones have no footfall: they stand in the order of their visitors then.
    const ranked = metric === "footfall" ? "visitors" : metric;
    const stretch = stretchOf(state, today);
    const step = stepOf(state, stretch);
    const before = compared(state, stretch);
    const control = state.control === "none" ? null : { zone: state.control === "whole" ? "" : state.control };
    const [ordered, orderedBefore] = before ? closedOf(stretch, before, today) : [stretch, null];
    // Without another period the other place is what is compared with.
    const other = before ? { zone: state.zone, stretch: before } : control && { zone: control.zone, stretch };
    const versusName = before ? words.versus.named(sayStretch(before, days, format)) : control && nameOf(venue, control.zone);
    place("totals-when").textContent = `${nameOf(venue, state.zone)} · ${sayStretch(stretch, days, format)}`;
    document.body.dataset.busy = "true";
    try {
      const both = async (one, by) => ({
        metric: one,
        points: await series(one, state.zone, stretch, by),
        other: other && isToldOf(one, other.zone, groups) ? await series(one, other.zone, other.stretch, by) : null,
      });
      const [pairs, line] = await Promise.all([eachOf(shown, (one) => both(one, "day")), both(metric, step)]);
      if (mine !== asked) return;
      showTotals(pairs, metric, { name: versusName, note: noteOf(state, versusName) }, (one) => controls.set("metric", one), venue.k, format);
      course.show({ ...line, zone: state.zone, step, title: words.seriesTitle(words.metric[metric], nameOf(venue, state.zone), words.step[step]), otherName: versusName, otherZone: other?.zone, marks: marksOf(venue, stretch, days) });
      await showContrast(state, control && isToldOf(metric, control.zone, groups) ? control : null, before && { stretch, before }, metric, (zone, when) => series(metric, zone, when, "day"), (id) => nameOf(venue, id), venue.k, format);
      const [order, orderBefore, hours] = await Promise.all([rank(ranked, ordered, before !== null), before && rank(ranked, orderedBefore, true), heat(state, metric, stretch)]);
      if (mine !== asked) return;
      const whole = orderBefore && order.ofGroups.length ? await wholeChange(metric, ordered, orderedBefore) : null;
      if (mine !== asked) return;
      showRank(state, ranked, ordered, order, orderBefore, whole, before && sayStretch(orderedBefore, days, format));
      showHeat({ body: place("heat-body"), legend: place("heat-legend"), readout: place("heat-readout"), tools: place("heat-tools") }, hours, metric, days, venue.k, format);
    } catch (error) {
      if (mine === asked) course.failed(error.detail ?? words.failed);
    } finally {
      if (mine === asked) document.body.dataset.busy = "false";
    }
  };
  const wholeChange = async (metric, stretch, before) => {
    const [after, older] = await Promise.all([stretch, before].map((when) => series(metric, "", when, "day")));
    return changeBetween(after, older, metric);
  };
  /** Shows zones and groups in order; of `older`, the same of the period before, each row tells how it has changed. */
  const showRank = (state, metric, stretch, order, older, whole, versusName) => {
    const about = { metric, unit: unitOf(metric), chosen: state.zone, blank: stretch.from >= today ? "open" : "missing", change: (row) => changeOfRow(row, metric, format) };
    const choose = (zone) => controls.set("zone", zone === state.zone ? "" : zone);
    const rowsOf = (rows, before) => (older ? withChanges(rows, before ?? [], metric) : rows);
    // Where no row can be compared that is said once, below them, and not in each.
    const changeIn = (rows) => (rows.some((row) => row.change) ? about.change : null);
    const { ranking, ofGroups } = order;
    place("rank").dataset.there = String(ranking !== null || ofGroups.length > 0);
    const zoneRows = rowsOf(ranking?.rows ?? [], older?.ranking?.rows);
    if (ranking) showRanking({ body: place("rank-body"), tools: place("rank-tools") }, zoneRows, { ...about, change: changeIn(zoneRows), heading: words.rankTitle }, choose, format);
    else place("rank-body").replaceChildren(html("p", { class: "empty" }, words.notInServer));
    if (older) place("rank-body").append(html("p", { class: "quiet" }, changeIn(zoneRows) ? words.versus.rows(versusName) : words.versus.unknown(versusName)));
    if (!ofGroups.length) return;
    const [body, tools] = [html("div"), html("div", { class: "tools" })];
    const groupRows = rowsOf(ofGroups, older?.ofGroups);
    showRanking({ body, tools }, groupRows, { ...about, change: changeIn(groupRows), heading: words.groups }, choose, format);
    const said = older ? cameOrMoved(groupRows, whole) : "";
    place("rank-body").append(html("div", { class: "head" }, html("h3", {}, words.groups), tools), body, ...(said ? [html("p", { class: "strong", id: "came-or-moved" }, said)] : []));
  };
  const fields = [
    { name: "metric", label: words.metricLabel, options: metrics.map((value) => ({ value, text: words.metric[value] })), initial: metrics[0] },
    placeField(venue, true),
    ...periodFields(today),
    stepField(),
    ...versusField(today),
    controlField(venue),
  ];
  const controls = controlsIn(place("controls"), fields, change);
  showOccasions(venue.events, today);
  controls.start();
});

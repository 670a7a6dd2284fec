// Dwell: how long visits last, where and when, and how many end at once.

import { words } from "../words.js";
import { eachOf, ifThere, read } from "../server.js";
import { html, place } from "../markup.js";
import { openStillPage } from "../shell.js";
import { controlsIn, nameOf, placeField } from "../controls.js";
import { periodFields, sayStretch, stepField, stepOf, stretchOf } from "../period.js";
import { readSeries } from "../series.js";
import { unitOf } from "../states.js";
import { seriesViewIn } from "../series_view.js";
import { showHeat } from "../heat.js";
import { showRanking } from "../ranking.js";
import { showTotals } from "../totals.js";
import { plusDays } from "../days.js";
import { marksOf } from "../named_days.js";
import { showBands } from "./bands.js";

const METRICS = ["dwell_median", "dwell_p25", "dwell_p75", "visits", "bounces", "engaged"];
const PRESETS = ["default", "meraki", "cmx"];
const HEAT_DAYS_MAX = 91;

openStillPage(({ venue, format, days, now }) => {
  const today = days.dateOf(now);
  const path = `/${encodeURIComponent(venue.id)}`;
  const course = seriesViewIn(place("course"), words.course, venue.k, format);
  const series = (metric, zone, stretch, step) => readSeries({ venue: venue.id, metric, zone, stretch, step, now }, days);
  let asked = 0;

  const change = async (state) => {
    asked += 1;
    const mine = asked;
    const { metric, zone } = state;
    const stretch = stretchOf(state, today);
    const step = stepOf(state, stretch);
    const range = { step: "1d", from: new Date(days.startOf(stretch.from)).toISOString(), to: new Date(days.startOf(plusDays(stretch.to, 1))).toISOString() };
    const of = zone ? { ...range, zone } : range;
    // Of what is no length there is no hour's mean worth a look: the heat and the order are of the median then.
    const length = unitOf(metric) === "minutes" ? metric : "dwell_median";
    const from = plusDays(stretch.to, 1 - HEAT_DAYS_MAX);
    place("totals-when").textContent = `${nameOf(venue, zone)} · ${sayStretch(stretch, days, format)}`;
    document.body.dataset.busy = "true";
    try {
      const [pairs, points] = await Promise.all([eachOf(METRICS, async (one) => ({ metric: one, points: await series(one, zone, stretch, "day"), other: null })), series(metric, zone, stretch, step)]);
      if (mine !== asked) return;
      showTotals(pairs, metric, { name: null, note: null }, (one) => controls.set("metric", one), venue.k, format);
      course.show({ points, other: null, metric, zone, step, title: words.seriesTitle(words.metric[metric], nameOf(venue, zone), words.step[step]), otherName: null, otherZone: null, marks: marksOf(venue, stretch, days) });
      const [bands, ranking, hours] = await Promise.all([
        ifThere(read(`${path}/dwell`, { ...of, bands: state.bands })),
        ifThere(read(`${path}/ranking`, { ...range, metric: length })),
        series(length, zone, { from: from > stretch.from ? from : stretch.from, to: stretch.to }, "hour"),
      ]);
      if (mine !== asked) return;
      showBands(bands, venue.k, format);
      if (ranking) showRanking({ body: place("rank-body"), tools: place("rank-tools") }, ranking.rows, { metric: length, unit: "minutes", chosen: zone, blank: stretch.from >= today ? "open" : "missing", heading: words.dwellRank }, (id) => controls.set("zone", id === zone ? "" : id), format);
      else place("rank-body").replaceChildren(html("p", { class: "empty" }, words.notInServer));
      showHeat({ body: place("heat-body"), legend: place("heat-legend"), readout: place("heat-readout"), tools: place("heat-tools") }, hours, length, days, venue.k, format);
    } catch (error) {
      if (mine === asked) course.failed(error.detail ?? words.failed);
    } finally {
      if (mine === asked) document.body.dataset.busy = "false";
    }
  };
  const fields = [
    { name: "metric", label: words.metricLabel, options: METRICS.map((value) => ({ value, text: words.metric[value] })), initial: METRICS[0] },
    placeField(venue, false),
    ...periodFields(today),
    stepField(),
    { name: "bands", label: words.dwell.presets, options: PRESETS.map((value) => ({ value, text: words.dwell.preset[value] })), initial: PRESETS[0] },
  ];
  const controls = controlsIn(place("controls"), fields, change);
  controls.start();
});

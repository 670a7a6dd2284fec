// A campaign's place against one without it, each before and after: whether it brought people, or a busy week did.

import { words } from "../words.js";
import { html, place } from "../markup.js";
import { saidPoint, unitOf } from "../states.js";
import { chanceOfRatio } from "../chance.js";
import { changeBetween, wholeOf } from "../series.js";
import { changeOf } from "../totals.js";

/**
 * Shows both places in both periods; nothing without another place and another period.
 * @param {?{ zone: string }} control
 * @param {?{ stretch: object, before: object }} periods
 * @param {(zone: string, stretch: object) => Promise<object[]>} seriesOf
 */
export async function showContrast(state, control, periods, metric, seriesOf, nameFor, k, format) {
  place("contrast").hidden = !(control && periods);
  if (!control || !periods) return;
  const [mine, mineBefore, theirs, theirsBefore] = await Promise.all([
    seriesOf(state.zone, periods.stretch), seriesOf(state.zone, periods.before), seriesOf(control.zone, periods.stretch), seriesOf(control.zone, periods.before),
  ]);
  const rows = [[state.zone, mine, mineBefore], [control.zone, theirs, theirsBefore]].map(([zone, after, before]) => ({ zone, after: wholeOf(after, metric), before: wholeOf(before, metric), change: changeBetween(after, before, metric), days: after.map((point, i) => [valueOf(point), valueOf(before[i])]) }));
  const cell = (whole) => html("td", {}, saidPoint(whole, unitOf(metric), k, format).long);
  const line = ({ zone, after, before, change }) => html("tr", {}, html("th", { scope: "row" }, nameFor(zone)), cell(before), cell(after), html("td", {}, changeOf(change, metric, words.versus.beforeShort, format)));
  const head = html("tr", {}, ...[words.columnZone, words.versus.beforeColumn, words.versus.afterColumn, words.versus.change].map((text) => html("th", { scope: "col" }, text)));
  const table = html("table", { "aria-labelledby": "contrast-title" }, html("thead", {}, head), html("tbody", {}, ...rows.map(line)));
  place("contrast-body").replaceChildren(html("div", { class: "scroll wide", tabindex: 0, role: "group", "aria-label": words.versus.contrast }, table), html("p", { class: "strong" }, verdict(rows, nameFor, format)));
}

/** What is told of a day; of one of which nothing is told it is nought, and nought is in no ratio. */
function valueOf(point) {
  return point?.state === "final" ? point.value : 0;
}

function verdict(rows, nameFor, format) {
  const [mine, theirs] = rows.map(({ change }) => change);
  if (mine?.percent == null || theirs?.percent == null) return words.versus.noVerdict;
  const by = words.versus.points(format.signed(mine.percent - theirs.percent));
  const chance = chanceOfRatio(rows[0].days, rows[1].days);
  // Of too few days the bands are left: where neither place has moved beyond its own, nothing has been shown.
  const said = chance === "few" ? words.versus.moves(mine.apart || theirs.apart) : words.versus.chance[chance]();
  return `${words.versus.verdict(nameFor(rows[0].zone), by, nameFor(rows[1].zone))} ${said}`;
}

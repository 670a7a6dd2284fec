// How many stayed how long: the bands of a period.

import { words } from "../words.js";
import { html, place } from "../markup.js";
import { saver } from "../csv.js";
import { showNotes } from "../flags.js";
import { saidPoint } from "../states.js";
import { wholeOf } from "../series.js";

function nameOfBand({ from_min: from, to_min: to }) {
  return to === null ? words.dwell.over(from) : words.dwell.between(from, to);
}

/** The sum of each band over the windows of an answer. */
function sums(answer) {
  const point = (window, i) => {
    const { state, value, low, high } = window.values?.[i] ?? { state: window.state, value: null, low: null, high: null };
    return { from: Date.parse(window.from), to: Date.parse(window.to), state, value, low, high, flags: window.flags ?? [], known: state === "final" ? 1 : 0, parts: 1 };
  };
  return answer.bands.map((band, i) => ({ band, points: answer.windows.map((window) => point(window, i)) }));
}

/** Shows the bands of an answer; null is a server that has none. */
export function showBands(answer, k, format) {
  if (answer === null || !answer.windows.length) {
    place("bands-body").replaceChildren(html("p", { class: "empty" }, answer === null ? words.notInServer : words.nothingThere));
    place("bands-tools").replaceChildren();
    place("bands-notes").replaceChildren();
    return;
  }
  const all = sums(answer).map(({ band, points }) => ({ band, points, whole: wholeOf(points, "visits") }));
  const most = Math.max(1, ...all.map(({ whole }) => whole.high ?? 0));
  const line = ({ band, whole }) => {
    const bar = html("span", { class: "bar", "aria-hidden": true });
    for (const [kind, n] of [["reach", whole.high ?? 0], ["length", whole.value ?? 0]]) {
      const part = html("span", { class: kind });
      part.style.width = `${(100 * n) / most}%`;
      bar.append(part);
    }
    const text = saidPoint(whole, "number", k, format);
    const cells = whole.state === "final" ? [html("td", { class: "strong" }, text.short), html("td", { class: "quiet" }, text.band)] : [html("td", { class: "word", colspan: 2 }, text.short)];
    return html("tr", {}, html("th", { scope: "row" }, nameOfBand(band), bar), ...cells);
  };
  const head = [words.dwell.stay, words.metric.visits, words.columnBand].map((text) => html("th", { scope: "col" }, text));
  place("bands-body").replaceChildren(html("table", { class: "rank", "aria-labelledby": "bands-title" }, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...all.map(line))));
  showNotes(place("bands-notes"), all.flatMap(({ points }) => points), k, format);
  const columns = ["from_min", "to_min", "value", "low", "high", "state", "windows_known", "windows"];
  const rows = () => all.map(({ band, whole: w }) => [band.from_min, band.to_min, w.value, w.low, w.high, w.state, w.known, w.parts]);
  place("bands-tools").replaceChildren(saver("passant-dwell-bands", words.bandsTitle, () => [columns, rows()]));
}

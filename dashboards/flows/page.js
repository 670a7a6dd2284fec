// Flows: which way people go, where they come in and leave, and where else the visitors of a zone were.

import { words } from "../words.js";
import { ifThere, read } from "../server.js";
import { html, place } from "../markup.js";
import { openStillPage } from "../shell.js";
import { controlsIn, nameOf } from "../controls.js";
import { periodFields, sayStretch, stretchOf } from "../period.js";
import { showNotes } from "../flags.js";
import { showRanking } from "../ranking.js";
import { plusDays } from "../days.js";
import { RIBBONS_MAX, sankeyIn } from "./sankey.js";
import { showMatrix } from "./matrix.js";

const ZONES_OF_PATHS = ["all", "inside"];
/** The most zones that are named beside one. */
const ELSEWHERE_MAX = 8;

/** Cells by their row and column, whatever the two are called. */
const byPlace = (cells, [row, column]) => cells.map((cell) => ({ ...cell, row: cell[row], column: cell[column] }));

/** Cells as places in order; two whose bands meet are tied. */
function rowsOf(cells, side, nameFor) {
  const sorted = [...cells].sort((a, b) => b.value - a.value);
  return sorted.map((cell, i) => ({ rank: i + 1, zone: cell[side], name: nameFor(cell[side]), value: cell.value, low: cell.low, high: cell.high, missing: 0, tied_with_next: sorted[i + 1] !== undefined && sorted[i + 1].high >= cell.low }));
}

function showFlowsOf(answer, state, chooseZone, nameFor, venue, format) {
  const cells = byPlace(answer.cells, ["from_zone", "to_zone"]);
  const say = (cell) => `${nameFor(cell.row)} → ${nameFor(cell.column)}: ${words.flows.visits(format.number(cell.value))}, ${words.band(format.number(cell.low), format.number(cell.high))}`;
  const wanted = cells.filter((cell) => (state.ends === "all" || (cell.row !== null && cell.column !== null)) && (!state.zone || cell.row === state.zone || cell.column === state.zone));
  const held = answer.windows.reduce((all, window) => all + (window.held_back ?? 0), 0);
  place("paths-note").textContent = [words.flows.note(format.number(RIBBONS_MAX)), held ? words.flows.held(format.number(held)) : ""].filter(Boolean).join(" ");
  sankeyIn(place("sankey"), wanted.map((cell) => ({ from: cell.row, to: cell.column, value: cell.value, text: say(cell) })), nameFor, (text) => { place("sankey-readout").textContent = text; });
  const points = answer.windows.map((window) => ({ state: window.state, flags: window.flags ?? [], known: window.state === "final" ? 1 : 0, parts: 1 }));
  showNotes(place("paths-notes"), points, venue.k, format);
  const about = (heading) => ({ metric: "visits", unit: "number", chosen: state.zone, heading });
  showRanking({ body: place("in-body"), tools: place("in-tools") }, rowsOf(cells.filter(({ row, column }) => row === null && column !== null), "column", nameFor), about(words.inTitle), chooseZone, format);
  showRanking({ body: place("out-body"), tools: place("out-tools") }, rowsOf(cells.filter(({ row, column }) => column === null && row !== null), "row", nameFor), about(words.outTitle), chooseZone, format);
  showMatrix({ body: place("matrix-body"), tools: place("matrix-tools") }, cells, { heading: words.matrixTitle, file: "passant-flows", unit: format.number, columns: ["from_zone", "to_zone", "value", "low", "high", "windows"], nameFor }, format);
}

/** Where else the visitors of a zone were, most of them first; two whose bands meet are joined by ≈. */
function elsewhere(cells, zone, nameFor, format) {
  const rows = rowsOf(cells.filter((cell) => cell.row === zone && cell.column !== zone), "column", nameFor).slice(0, ELSEWHERE_MAX);
  const say = ({ name, value, low, high, tied_with_next }, i) => {
    const text = `${name} ${words.percent(format.number(value))} (${words.bandShort(format.number(low), format.number(high))})`;
    return i + 1 === rows.length ? text : `${text}${tied_with_next ? " ≈ " : ", "}`;
  };
  return rows.length ? words.flows.elsewhere(nameFor(zone), rows.map(say).join("")) : words.flows.nowhere(nameFor(zone));
}

function nothing(ids) {
  for (const id of ids) place(id).replaceChildren(html("p", { class: "empty" }, words.notInServer));
}

openStillPage(({ venue, format, days, now }) => {
  const today = days.dateOf(now);
  const path = `/${encodeURIComponent(venue.id)}`;
  const nameFor = (zone) => (zone === null ? words.flows.outside : nameOf(venue, zone));
  let asked = 0;

  const change = async (state) => {
    asked += 1;
    const mine = asked;
    const stretch = stretchOf(state, today);
    const query = { from: new Date(days.startOf(stretch.from)).toISOString(), to: new Date(days.startOf(plusDays(stretch.to, 1))).toISOString() };
    place("paths-when").textContent = sayStretch(stretch, days, format);
    document.body.dataset.busy = "true";
    try {
      const [flows, cross] = await Promise.all([ifThere(read(`${path}/flows/total`, query)), ifThere(read(`${path}/cross-visits/mean`, query))]);
      if (mine !== asked) return;
      const chooseZone = (zone) => controls.set("zone", zone === state.zone ? "" : zone);
      if (flows) showFlowsOf(flows, state, chooseZone, nameFor, venue, format);
      else nothing(["sankey", "in-body", "out-body", "matrix-body"]);
      const cells = cross && byPlace(cross.cells, ["zone", "also"]);
      place("cross-readout").textContent = cells && state.zone ? elsewhere(cells, state.zone, nameFor, format) : "";
      if (cells) showMatrix({ body: place("cross-body"), tools: place("cross-tools") }, cells, { heading: words.crossTitle, file: "passant-cross-visits", unit: (n) => words.percent(format.number(n)), columns: ["zone", "also", "value", "low", "high", "windows"], nameFor }, format);
      else nothing(["cross-body"]);
    } catch (error) {
      if (mine === asked) place("sankey").replaceChildren(html("p", { class: "empty" }, error.detail ?? words.failed));
    } finally {
      if (mine === asked) document.body.dataset.busy = "false";
    }
  };
  const zones = [{ value: "", text: words.flows.everyZone }, ...venue.zones.map(({ id, name }) => ({ value: id, text: name }))];
  const fields = [
    { name: "zone", label: words.flows.through, options: zones, initial: "" },
    { name: "ends", label: words.flows.ends, options: ZONES_OF_PATHS.map((value) => ({ value, text: words.flows.end[value] })), initial: ZONES_OF_PATHS[0] },
    ...periodFields(today, "yesterday"),
  ];
  const controls = controlsIn(place("controls"), fields, change);
  controls.start();
});

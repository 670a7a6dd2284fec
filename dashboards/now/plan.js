// The zones: on the floor plan where they have a place, as tiles where they have none, and all of them in a table.

import { words } from "../words.js";
import { html, place, svg } from "../markup.js";
import { rove } from "../rove.js";
import { saver } from "../csv.js";
import { edges, said, shade, stepWidth } from "../states.js";
import { boxOf, floors, roomFor } from "./geometry.js";

const MARGIN = 1;
const NOW_COLUMNS = ["at", "zone", "name", "metric", "value", "low", "high", "state", "flags"];

/**
 * Draws the zones of a venue once, and gives what brings them up to date.
 * @param {object} venue its layout
 * @param {(zone: ?string) => void} choose
 */
export function zonesOf(venue, format, choose) {
  const marks = new Map();
  const rows = new Map();
  const names = new Map(venue.zones.map((zone) => [zone.id, zone.name]));
  let newest = new Map();
  let told = null;
  let whole = "no_data";
  let fullest = 0;
  let chosen = null;

  const tell = (id) => {
    const occupancy = newest.get(id);
    place("plan-readout").textContent = occupancy ? `${names.get(id)}: ${said(occupancy, venue.k, format, whole).long}` : words.plan.hint;
  };
  const pick = (id) => choose(id === chosen ? null : id);
  const control = (element, id) => {
    element.addEventListener("click", () => pick(id));
    element.addEventListener("pointerenter", () => tell(id));
    element.addEventListener("pointerleave", () => tell(chosen));
    element.addEventListener("focus", () => tell(id));
    element.addEventListener("blur", () => tell(chosen));
    marks.set(id, element);
    return element;
  };

  draw(venue, control);
  const ids = [...marks.keys()];
  rove([...marks.values()], (index) => pick(ids[index]));
  place("everyone-tools").replaceChildren(saver("passant-now", words.zones, () => [NOW_COLUMNS, told ? nowRows(told, names) : []]));
  place("zone-rows").replaceChildren(...venue.zones.map((zone) => row(zone, rows, pick)));
  fit();
  new ResizeObserver(fit).observe(place("floors"));
  tell(null);

  return {
    show(live) {
      told = live;
      whole = live.occupancy.state;
      newest = new Map(live.zones.map((zone) => [zone.zone, zone.occupancy]));
      fullest = Math.max(fullest, ...live.zones.map((zone) => zone.occupancy.value ?? 0));
      const width = stepWidth(fullest);
      for (const [id, occupancy] of newest) {
        const text = said(occupancy, venue.k, format, whole);
        mark(marks.get(id), occupancy, width, text, names.get(id));
        write(rows.get(id), text);
      }
      planLegend(width, venue.k, format);
      fit();
      tell(chosen);
    },
    choose(id) {
      chosen = id;
      for (const [zone, element] of marks) element.setAttribute("aria-pressed", zone === id);
      for (const [zone, cells] of rows) cells.button.setAttribute("aria-pressed", zone === id);
      tell(id);
    },
  };
}

/** The half-minute as rows of a file: the whole venue, and every zone. */
function nowRows({ at, occupancy: whole, zones, flags }, names) {
  const row = (zone, name, { value, low, high, state }) => [at, zone, name, "occupancy", value, low, high, state, flags.join(";")];
  return [row("", words.wholeVenue, whole), ...zones.map(({ zone, occupancy }) => row(zone, names.get(zone), occupancy))];
}

function draw(venue, control) {
  const placed = venue.zones.filter((zone) => zone.polygon.length > 2);
  const others = venue.zones.filter((zone) => zone.polygon.length <= 2);
  const parts = placed.length ? floors(placed).map((floor) => floorOf(floor, control)) : [];
  if (others.length) {
    const tiles = html("div", { class: "tiles" }, ...others.map((zone) => tileOf(zone, control)));
    parts.push(html("div", {}, parts.length ? html("h3", {}, words.plan.tiles) : null, tiles));
  }
  place("floors").replaceChildren(...parts);
}

function floorOf(floor, control) {
  const box = boxOf(floor.zones.map((zone) => zone.polygon));
  const view = [box.left - MARGIN, box.top - MARGIN, box.width + 2 * MARGIN, box.height + 2 * MARGIN];
  const zones = floor.zones.map((zone) => {
    const outline = svg("polygon", { points: zone.polygon.map((point) => point.join(",")).join(" "), "vector-effect": "non-scaling-stroke" });
    const room = roomFor(zone.polygon);
    const name = svg("text", { class: "name", x: room.x, y: room.y }, zone.name);
    const number = svg("text", { class: "number", x: room.x, y: room.y });
    const group = svg("g", { class: "zone", role: "button", "aria-pressed": false }, outline, name, " ", number);
    group.room = room;
    return control(group, zone.id);
  });
  const drawing = svg("svg", { viewBox: view.join(" "), role: "group", "aria-label": words.plan.label }, patterns(view[2] / 130), ...zones);
  return html("div", { class: "floor" }, floor.name ? html("h3", {}, floor.name) : null, drawing);
}

/** Hatches that stay apart without colour: thin stripes for too few, a net for held back. */
function patterns(unit) {
  const pattern = (id, path) =>
    svg("pattern", { id, width: 2 * unit, height: 2 * unit, patternUnits: "userSpaceOnUse" }, svg("path", { d: path, class: "hatch", "stroke-width": 0.16, transform: `scale(${unit})` }));
  return svg("defs", {}, pattern("stripes", "M-1 1 1 -1M0 2 2 0M1 3 3 1"), pattern("net", "M0 0 2 2M0 2 2 0"));
}

function tileOf(zone, control) {
  const tile = html("button", { type: "button", class: "zone tile", "aria-pressed": false }, html("span", { class: "name" }, zone.name), " ", html("span", { class: "number" }));
  return control(tile, zone.id);
}

function mark(element, occupancy, width, text, name) {
  const state = shade(occupancy, width);
  element.dataset.shade = state;
  // The spoken name begins with what is written on the zone, so that it can be called by it.
  const spoken = occupancy.state === "shown" || text.long.startsWith(text.short) ? text.long : `${text.short}: ${text.long}`;
  element.setAttribute("aria-label", `${name} ${spoken}`);
  element.querySelector(".number").textContent = text.short;
  const fill = { "under-k": "url(#stripes)", "held-back": "url(#net)" }[state];
  const outline = element.querySelector("polygon");
  if (outline && fill) outline.setAttribute("fill", fill);
  else outline?.removeAttribute("fill");
}

/** Keeps the plan's words readable at any width: a name that has no room is left to the readout and the table. */
function fit() {
  for (const drawing of place("floors").querySelectorAll("svg")) {
    const { width, height } = drawing.getBoundingClientRect();
    const view = drawing.viewBox.baseVal;
    const scale = Math.min(width / view.width, height / view.height);
    if (!scale) continue;
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize) / scale;
    for (const group of drawing.querySelectorAll(".zone")) settle(group, size);
  }
}

function settle(group, size) {
  const [name, number] = [group.querySelector(".name"), group.querySelector(".number")];
  const room = group.room;
  const small = size * 0.78;
  name.setAttribute("font-size", small);
  const named = name.getComputedTextLength() < room.width * 0.92 && room.height > size * 2.5;
  const most = Math.min(size * (/\d/.test(number.textContent) ? 1.5 : 0.85), room.height * 0.8);
  number.setAttribute("font-size", most);
  const big = most * Math.min(1, (room.width * 0.88) / Math.max(number.getComputedTextLength(), 1e-6));
  name.setAttribute("visibility", named ? "visible" : "hidden");
  number.setAttribute("font-size", big);
  // A word that could not be read is left to the hatch, the legend and the table.
  number.setAttribute("visibility", big < size * 0.6 ? "hidden" : "visible");
  // Both lines together stand in the middle: capitals and digits are this high.
  const high = 0.72 * big + (named ? 0.72 * small + 0.4 * size : 0);
  name.setAttribute("y", room.y - high / 2 + 0.72 * small);
  number.setAttribute("y", room.y + high / 2);
}

function row(zone, rows, pick) {
  const button = html("button", { type: "button", "aria-pressed": false }, zone.name);
  button.addEventListener("click", () => pick(zone.id));
  const cells = { button, people: html("td"), band: html("td") };
  rows.set(zone.id, cells);
  return html("tr", {}, html("th", { scope: "row" }, button), cells.people, cells.band);
}

function write(cells, text) {
  cells.people.textContent = text.title;
  cells.people.colSpan = text.band ? 1 : 2;
  cells.people.className = text.band ? "" : "word";
  cells.band.textContent = text.band;
  cells.band.hidden = !text.band;
}

function planLegend(width, k, format) {
  const key = (state, text) => html("li", {}, html("span", { class: "swatch", "data-shade": state, "aria-hidden": true }), text);
  const told = edges(width).map((edge, i) => [edge, i]).filter(([edge]) => edge + width > k);
  const steps = told.map(([edge, i]) => key(`step-${i}`, words.plan.from(format.number(Math.max(edge, k)))));
  const states = ["under_k", "held_back", "no_data"].map((state) => key(state.replace("_", "-"), words.state[state].short(k)));
  place("plan-legend").replaceChildren(...steps, ...states);
}

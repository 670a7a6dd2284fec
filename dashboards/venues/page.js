// Every venue that one may see, side by side.

import { formats, words } from "../words.js";
import { html, place } from "../markup.js";
import { openAllVenues, pathOf } from "../shell.js";
import { controlsIn } from "../controls.js";
import { saver } from "../csv.js";
import { turnsOf } from "./turns.js";
import { groupStandingOf, standingOf } from "./standing.js";
import { SIDES, SIDE_COLUMNS, cell, groupLine, stoodCells, venueCells, venueLine } from "./cells.js";

/** A row in sight is read again this often. */
const AGAIN_MS = 60_000;
const METRICS_BESIDE = ["visits", "footfall", "occupancy"];

function fields() {
  const day = (value) => ({ value, text: words.period[value] });
  return [
    { name: "day", label: words.side.day, options: ["today", "yesterday"].map(day), initial: "today" },
    { name: "metric", label: words.metricLabel, options: METRICS_BESIDE.map((value) => ({ value, text: words.metric[value] })), initial: METRICS_BESIDE[0] },
  ];
}

/** A venue's row; its groups come below it when they are asked for. */
function rowOf(venue, turns) {
  const row = { venue, format: formats(venue.timezone), standing: null, asked: 0, inSight: false, groups: [], open: false };
  const name = html("th", { scope: "row", role: "rowheader" }, html("a", { href: pathOf(venue.id, "now") }, venue.name));
  if (venue.groups.length) {
    const button = html("button", { type: "button", class: "link", "aria-expanded": false, "aria-label": `${words.groups}: ${venue.name}` }, words.side.groups(row.format.number(venue.groups.length)));
    button.addEventListener("click", () => {
      row.open = !row.open;
      button.setAttribute("aria-expanded", row.open);
      if (row.open) row.groups = venue.groups.map((group) => groupRowOf(row, group));
      else row.groups.forEach(({ element }) => element.remove());
      row.element.after(...(row.open ? row.groups.map(({ element }) => element) : []));
      if (row.open) row.groups.forEach(turns.ask);
      else row.groups = [];
    });
    name.append(" ", button);
  }
  row.element = html("tr", { role: "row", "data-venue": venue.id }, name, waitingCell());
  return row;
}

function groupRowOf(row, group) {
  const name = html("th", { scope: "row", role: "rowheader" }, group);
  const element = html("tr", { role: "row", class: "group", "data-group": group }, name, waitingCell());
  return { of: row, group, element, standing: null, asked: 0, inSight: true };
}

function waitingCell() {
  return html("td", { role: "cell", class: "word left", colspan: SIDES.length - 1 }, words.starting);
}

/** Shows cells behind a row's name; those that somebody reads with the keyboard are not taken away under the focus. */
function showCells(row, cells) {
  const name = row.element.firstElementChild;
  const focused = document.activeElement?.closest("td");
  if (focused && row.element.contains(focused)) return;
  row.element.replaceChildren(name, ...cells);
}

function failedCell(error) {
  return html("td", { role: "cell", class: "wrong left", colspan: SIDES.length - 1 }, error.detail ?? words.failed);
}

/** Reads a row and shows it; of two answers that overtake each other the one asked last is shown. */
async function readRow(row, choice) {
  row.asked += 1;
  const mine = row.asked;
  const { venue, format } = row.of ?? row;
  try {
    const standing = row.of ? await groupStandingOf(venue, row.group, choice, row.of.standing?.at ?? Date.now()) : await standingOf(venue, choice);
    if (mine !== row.asked) return;
    row.standing = standing;
    showCells(row, row.of ? [cell("people"), ...stoodCells(standing.stood, standing.metric, venue.k, format, true), cell("sensors"), cell("alerts")] : venueCells(standing, venue, choice.metric, format));
  } catch (error) {
    if (mine === row.asked) showCells(row, [failedCell(error)]);
  }
}

function tableOf(rows, choice) {
  const head = (side) => html("th", { scope: "col", role: "columnheader", class: `side-${side}` }, side === "stood" ? `${words.metric[choice.metric]}, ${words.period[choice.day].toLowerCase()}` : words.side[side]);
  return html("table", { class: "sides", role: "table", "aria-labelledby": "side-title" }, html("thead", { role: "rowgroup" }, html("tr", { role: "row" }, ...SIDES.map(head))), html("tbody", { role: "rowgroup" }, ...rows.flatMap((row) => [row.element, ...row.groups.map(({ element }) => element)])));
}

openAllVenues((venues) => {
  if (!venues.length) {
    place("side-body").replaceChildren(html("p", { class: "empty" }, words.noVenue));
    return;
  }
  let choice = null;
  const turns = turnsOf(async (row) => {
    await readRow(row, choice);
    const read = rows.filter(({ standing }) => standing).length;
    place("side-note").textContent = read < rows.length ? words.side.read(read, rows.length) : "";
  });
  const rows = venues.map((venue) => rowOf(venue, turns));
  const ask = (row) => [row, ...row.groups].forEach(turns.ask);
  const eyes = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      const row = rows.find(({ element }) => element === target);
      row.inSight = isIntersecting;
      if (isIntersecting && !row.standing) ask(row);
    }
  });
  controlsIn(place("controls"), fields(), (chosen) => {
    choice = chosen;
    // What was read of another choice is not shown under this one's name.
    for (const row of rows.flatMap((one) => [one, ...one.groups])) {
      row.asked += 1;
      row.standing = null;
      row.element.replaceChildren(row.element.firstElementChild, waitingCell());
    }
    place("side-body").replaceChildren(tableOf(rows, choice));
    rows.forEach(ask);
    rows.forEach(({ element }) => eyes.observe(element));
  }).start();
  const lines = () => rows.flatMap(({ venue, format, standing, groups }) => [
    venueLine(venue, standing, choice.metric, format),
    ...groups.filter((group) => group.standing).map((group) => groupLine(venue, group.group, standing?.at ?? Date.now(), group.standing, format)),
  ]);
  place("side-tools").append(saver("passant-venues", words.sideTitle, () => [SIDE_COLUMNS, lines()]));
  setInterval(() => {
    if (document.visibilityState === "visible") rows.filter(({ inSight }) => inSight).forEach(ask);
  }, AGAIN_MS);
});

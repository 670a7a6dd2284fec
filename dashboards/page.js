// The page of a venue: what the server says, shown where it belongs.

import { words, formats } from "./words.js";
import { follow, read, readUntil } from "./server.js";
import { html, label, place } from "./markup.js";
import { zonesOf } from "./plan.js";
import { curveOf } from "./curve.js";
import { showSensors } from "./sensors.js";
import { showLink, showNow } from "./now.js";

const WINDOW_MS = 300_000;
const LATENESS_MS = 120_000;
const SENSORS_EVERY_MS = 10_000;

/** The venue that the address names; none is the first. */
function named() {
  const [, page, venue] = location.pathname.split("/");
  return page === "venues" && venue ? decodeURIComponent(venue) : null;
}

function trouble() {
  showLink("connecting");
  place("now-band").textContent = words.trouble;
}

function showVenues(venues, current) {
  const link = (venue) => html("a", { href: `/venues/${encodeURIComponent(venue.id)}`, "aria-current": venue.id === current ? "page" : null }, venue.name);
  place("venues").hidden = venues.length < 2;
  place("venues-list").replaceChildren(...venues.map((venue) => html("li", {}, link(venue))));
}

function showAbout(venue) {
  place("about").replaceChildren(...words.about(venue.k).map((text) => html("p", {}, text)));
}

/** Reads today's curve; of two that overtake each other the one asked last is shown. Says whether it is complete. */
function curveReader(venue, curve) {
  let asked = 0;
  return async (live, zone) => {
    asked += 1;
    const mine = asked;
    const at = Date.parse(live.at);
    const begun = Date.parse(live.day_started_at);
    const to = new Date(begun + Math.max(1, Math.ceil((at - begun) / WINDOW_MS)) * WINDOW_MS).toISOString();
    const query = { metric: "occupancy", step: "5m", from: new Date(begun).toISOString(), to };
    if (zone) query.zone = zone;
    try {
      const series = await read(`/${encodeURIComponent(venue.id)}/figures`, query);
      const name = venue.zones.find(({ id }) => id === zone)?.name ?? words.curve.venue;
      if (mine === asked) curve.show(series.figures, begun, at, name);
      // A window that has just closed may take a moment to be stored.
      const newest = begun + (Math.floor((at - LATENESS_MS - begun) / WINDOW_MS) - 1) * WINDOW_MS;
      return newest < begun || series.figures.some(({ from }) => Date.parse(from) === newest);
    } catch {
      if (mine === asked) curve.failed();
      return false;
    }
  };
}

function sensorReader(venue, format) {
  let last = -Infinity;
  return async (now = false) => {
    if (!now && performance.now() - last < SENSORS_EVERY_MS) return;
    last = performance.now();
    try {
      showSensors(await read(`/${encodeURIComponent(venue.id)}/sensors`), venue, format);
    } catch {
      last = -Infinity;
    }
  };
}

function run(venue) {
  const format = formats(venue.timezone);
  const readSensors = sensorReader(venue, format);
  const curve = curveOf(venue, format);
  const readCurve = curveReader(venue, curve);
  let live = null;
  let zone = null;
  let window = null;

  const refresh = async () => {
    // Asked for again as soon as a window has closed, and with the next half-minute if that failed or came too early.
    const closed = Math.floor((Date.parse(live.at) - LATENESS_MS) / WINDOW_MS);
    if (closed === window) return;
    window = closed;
    if (!(await readCurve(live, zone))) window = null;
  };
  const zones = zonesOf(venue, format, (chosen) => {
    zone = chosen;
    window = null;
    place("curve-back").hidden = zone === null;
    zones.choose(zone);
    if (live) refresh();
  });
  place("curve-back").addEventListener("click", () => {
    zone = null;
    window = null;
    place("curve-back").hidden = true;
    zones.choose(null);
    place("chart").focus();
    if (live) refresh();
  });

  readSensors(true);
  follow(venue.id, {
    state: showLink,
    live(answer) {
      live = answer;
      showNow(live, venue, format);
      zones.show(live);
      refresh();
      readSensors();
    },
    again() {
      window = null;
      refresh();
      readSensors(true);
    },
  });
}

async function start() {
  label();
  showLink("connecting");
  const known = named();
  const list = readUntil("", trouble);
  const id = known ?? (await list).venues[0]?.id;
  if (!id) {
    place("now-band").textContent = words.noVenue;
    return;
  }
  const venue = await readUntil(`/${encodeURIComponent(id)}`, trouble);
  place("venue").textContent = venue.name;
  showAbout(venue);
  run(venue);
  showVenues((await list).venues, id);
}

start();

// What is around every page: the venue, the way to the other pages, the language.

import { formats, otherLanguages, speak, words } from "./words.js";
import { change, read, readUntil, ifThere } from "./server.js";
import { html, label, place } from "./markup.js";
import { daysOf } from "./days.js";

/** Venues that are named at the top; of more there is the way to all of them, side by side. */
const NAMED_VENUES_MAX = 12;
/** Where all venues are side by side. */
const ALL_VENUES = "/venues";
const PAGES = ["now", "traffic", "dwell", "flows", "sensors", "calibration", "privacy", "settings"];

/** The venue that the address names; none is the first. */
function named() {
  const [, page, venue] = location.pathname.split("/");
  return page === "venues" && venue ? decodeURIComponent(venue) : null;
}

/** Where a page of a venue is. */
export function pathOf(venue, page) {
  return `/venues/${encodeURIComponent(venue)}${page === "now" ? "" : `/${page}`}`;
}

/** Says how the line to the server is. */
export function showLink(state) {
  if (place("link").dataset.state === state) return;
  place("link").dataset.state = state;
  place("link").textContent = words.link[state];
}

/** Shows the venue's moment. */
export function showMoment(at, format) {
  place("at").dateTime = new Date(at).toISOString();
  place("at").textContent = format.second(at);
  place("at-day").textContent = format.day(at);
}

function showPages(venue, current) {
  const link = (page) => html("a", { href: pathOf(venue, page), "aria-current": page === current ? "page" : null }, words.pages[page]);
  place("pages-list").replaceChildren(...PAGES.map((page) => html("li", {}, link(page))));
  const here = place("pages-list").querySelector("[aria-current]");
  // On a telephone the row is longer than the screen: where one is must be in sight.
  const row = place("pages-list");
  if (here) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

function showVenues(venues, current, page) {
  const link = (venue) => html("a", { href: pathOf(venue.id, page), "aria-current": venue.id === current ? "true" : null }, venue.name);
  const all = html("a", { href: ALL_VENUES, "aria-current": current === null ? "page" : null }, words.allVenues);
  const named = venues.length > NAMED_VENUES_MAX ? venues.filter(({ id }) => id === current) : venues;
  place("venues").hidden = venues.length < 2;
  place("venues-list").replaceChildren(...[all, ...named.map(link)].map((one) => html("li", {}, one)));
}

function showLanguages() {
  const button = ({ lang, name }) => {
    const element = html("button", { type: "button", lang, class: "quiet" }, name);
    element.addEventListener("click", () => speak(lang));
    return element;
  };
  place("language").replaceChildren(...otherLanguages().map(button));
}

/** The way out, for whoever came in with an account: the server has written that on the page. */
function showWayOut() {
  if (!("signedIn" in document.body.dataset)) return;
  const button = html("button", { type: "button", class: "quiet" }, words.me.signOut);
  button.addEventListener("click", async () => {
    try {
      await change("DELETE", "/api/v1/session");
      location.assign("/login");
    } catch {
      showLink("trouble");
    }
  });
  place("sign-out").replaceChildren(button);
}

/** The moment of the venue's clock; the machine's own where none is known yet. */
async function momentOf(venue) {
  try {
    const live = await ifThere(read(`/${encodeURIComponent(venue)}/live`));
    return live ? Date.parse(live.at) : Date.now();
  } catch {
    return Date.now();
  }
}

/**
 * What a page is given of its venue.
 * @typedef {{ venue: object, format: object, days: object }} Scene
 */

/**
 * Opens a page: draws what is around it, reads the venue, and hands over.
 * @param {(scene: Scene) => void} run
 */
export async function openPage(run) {
  const page = document.body.dataset.page;
  label();
  showLanguages();
  showWayOut();
  showLink("connecting");
  const known = named();
  const list = readUntil("", () => showLink("trouble"));
  const id = known ?? (await list).venues[0]?.id;
  if (!id) {
    place("main").replaceChildren(html("p", { class: "empty" }, words.noVenue));
    return;
  }
  showPages(id, page);
  const venue = await readUntil(`/${encodeURIComponent(id)}`, () => showLink("trouble"));
  place("venue").textContent = venue.name;
  document.title = `${words.pages[page]} · ${venue.name} · Passant`;
  run({ venue, format: formats(venue.timezone), days: daysOf(venue.timezone, venue.day_starts_at) });
  showVenues((await list).venues, id, page);
}

/**
 * The same for a page that follows no stream: with the venue's moment, read once.
 * @param {(scene: Scene & { now: number }) => void} run
 */
export function openStillPage(run) {
  return openPage(async (scene) => {
    const now = await momentOf(scene.venue.id);
    showMoment(now, scene.format);
    place("link").hidden = true;
    run({ ...scene, now });
  });
}

/**
 * Opens the page of all venues: it has no venue of its own, and so no moment either.
 * @param {(venues: object[]) => void} run
 */
export async function openAllVenues(run) {
  label();
  showLanguages();
  showLink("connecting");
  const { venues } = await readUntil("", () => showLink("trouble"));
  place("link").hidden = true;
  place("pages").hidden = true;
  place("venue").textContent = words.allVenues;
  document.title = `${words.allVenues} · Passant`;
  showVenues(venues, null, "now");
  run(venues);
}

// Settings: who one is, who else may look, which programs may ask, what alerts watch for, and how the venue is set.

import { words } from "../words.js";
import { Refused, read, readPath } from "../server.js";
import { html, place } from "../markup.js";
import { openStillPage } from "../shell.js";
import { rolesFormOf, sayRoles } from "./grants.js";
import { keysIn } from "./keys.js";
import { passwordOf } from "./password.js";
import { showRules } from "./rules.js";

/** An answer, or null where this server has no such thing, or not for whoever asks. */
async function ifAllowed(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && [401, 403, 404].includes(error.status)) return null;
    throw error;
  }
}

function showMe(session, venues) {
  if (session === null || session.kind === "anybody") {
    place("me-said").textContent = words.me.nobody;
    return;
  }
  place("me-said").textContent = words.me[session.kind]?.(session.name) ?? session.name;
  place("me-roles").textContent = sayRoles(session.roles, venues);
  if (session.kind === "account") passwordOf(session.name);
}

function showSettled(venue, format) {
  const minutes = (secs) => words.minutes(format.number(Math.round(secs / 60)));
  const rows = [
    [words.settled.timezone, venue.timezone],
    [words.settled.dayStarts, venue.day_starts_at],
    [words.settled.clock, words.settled.clocks[venue.clock] ?? venue.clock],
    [words.settled.hours, venue.hours_configured ? words.settled.hoursSet : words.settled.hoursNone],
    [words.facts.k, words.facts.kValue(format.number(venue.k))],
    [words.settled.visitor, minutes(venue.thresholds.visitor_secs)],
    [words.settled.engaged, minutes(venue.thresholds.engaged_secs)],
    [words.settled.near, words.dbm(format.number(venue.thresholds.near_dbm))],
    [words.settled.outside, words.dbm(format.number(venue.thresholds.outside_floor_dbm))],
    [words.settled.extent, words.settled.extentValue(format.number(venue.zones.length), format.number(venue.sensors.length), format.number(venue.groups.length))],
  ];
  place("settled-facts").replaceChildren(...rows.map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))));
}

function tellToken(answer) {
  // It is shown this once: nobody can ask for it again.
  place("tokens-secret").textContent = answer.token;
  place("tokens-once").hidden = false;
  return words.keys.made_(answer.label);
}

openStillPage(async ({ venue, now, format }) => {
  showSettled(venue, format);
  try {
    const { venues } = await read("");
    const me = await ifAllowed(readPath("/api/v1/session"));
    showMe(me, venues);
    const accounts = { kind: "accounts", what: "name", entry: (fields) => ({ name: fields.get("name"), password: fields.get("password") }), made: (answer) => words.keys.made_(answer.name), changing: () => rolesFormOf(venues, me?.kind === "account" ? me : null) };
    const tokens = { kind: "tokens", what: "label", entry: (fields) => ({ label: fields.get("label") }), made: tellToken };
    await Promise.all([showRules(venue, now, format), ...[accounts, tokens].map((about) => ifAllowed(keysIn(about, venues, format)))]);
  } catch (error) {
    place("me-said").textContent = error.detail ?? words.failed;
  }
});

// Accounts and tokens alike: a list of who may do what, one more, and one fewer.

import { words } from "../words.js";
import { change, readPath } from "../server.js";
import { html, place } from "../markup.js";

const ROLES = ["viewer", "operator", "admin"];

/** Roles in words. */
export function sayRoles(roles, venues) {
  const where = (id) => (id === "*" ? words.everyVenue : (venues.find((venue) => venue.id === id)?.name ?? id));
  return roles.map(({ venue, role }) => `${words.role[role] ?? role}: ${where(venue)}`).join("; ");
}

/**
 * A list of accounts, or of tokens.
 * @param {{ kind: string, what: string, entry: (fields: FormData) => object, made: (answer: object) => string }} about
 */
export async function keysIn({ kind, what, entry, made }, venues, format) {
  const path = `/api/v1/${kind}`;
  const form = place(`${kind}-form`);
  const say = (text) => { place(`${kind}-said`).textContent = text; };
  form.elements.role.replaceChildren(...ROLES.map((role) => html("option", { value: role }, words.role[role])));
  form.elements.venue.replaceChildren(html("option", { value: "*" }, words.everyVenue), ...venues.map(({ id, name }) => html("option", { value: id }, name)));

  const remove = async (item, button) => {
    if (button.dataset.sure !== "true") {
      button.dataset.sure = "true";
      button.textContent = words.counts.sure;
      return;
    }
    try {
      await change("DELETE", `${path}/${item.id}`);
      say(words.keys.removed(item[what]));
      await show();
    } catch (error) {
      say(error.detail ?? words.failed);
    }
  };
  const line = (item) => {
    const button = html("button", { type: "button", class: "link", "aria-label": `${words.counts.remove}: ${item[what]}` }, words.counts.remove);
    button.addEventListener("click", () => remove(item, button));
    return html("tr", {}, html("th", { scope: "row" }, item[what]), html("td", { class: "left" }, sayRoles(item.roles, venues)), html("td", { class: "quiet" }, format.fullDate(Date.parse(item.made_at))), html("td", {}, button));
  };
  const show = async () => {
    const items = (await readPath(path))[kind];
    const head = [words.keys[what], words.roleLabel, words.keys.made, words.counts.actions].map((text, i) => html("th", { scope: "col", class: i === 1 ? "left" : null }, text));
    const table = html("table", { "aria-labelledby": `${kind}-title` }, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...items.map(line)));
    place(`${kind}-body`).replaceChildren(items.length ? table : html("p", { class: "empty" }, words.keys.none));
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    try {
      const answer = await change("POST", path, { ...entry(fields), roles: [{ venue: fields.get("venue"), role: fields.get("role") }] });
      form.reset();
      say(made(answer));
      await show();
    } catch (error) {
      say(error.detail ?? words.failed);
    }
  });
  await show();
  place(kind).hidden = false;
}

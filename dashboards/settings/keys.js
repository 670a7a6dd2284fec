// Accounts and tokens alike: a list of who may do what, one more, and one fewer.

import { words } from "../words.js";
import { change, readPath } from "../server.js";
import { html, place } from "../markup.js";
import { grantsIn, sayRoles } from "./grants.js";

/**
 * A list of accounts, or of tokens.
 * @param {{ kind: string, what: string, entry: (fields: FormData) => object, made: (answer: object) => string, changing?: Function }} about
 *   `changing` makes what opens the form in which roles are changed; without it they stay as they are
 */
export async function keysIn({ kind, what, entry, made, changing }, venues, format) {
  const path = `/api/v1/${kind}`;
  const form = place(`${kind}-form`);
  const say = (text) => { place(`${kind}-said`).textContent = text; };
  const grants = grantsIn(place(`${kind}-grants`), venues);
  const open = changing?.() ?? null;

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
  const roles = (item) => {
    const button = html("button", { type: "button", class: "link", "data-roles": item.id, "aria-label": `${words.grants.change}: ${item[what]}` }, words.grants.change);
    const changed = async (text) => {
      say(text);
      await show();
    };
    // The list was written anew: the button is another one by then.
    button.addEventListener("click", () => open(item, changed, () => document.querySelector(`[data-roles="${item.id}"]`)?.focus()));
    return button;
  };
  const line = (item) => {
    const button = html("button", { type: "button", class: "link", "aria-label": `${words.counts.remove}: ${item[what]}` }, words.counts.remove);
    button.addEventListener("click", () => remove(item, button));
    return html("tr", {}, html("th", { scope: "row" }, item[what]), html("td", { class: "left" }, sayRoles(item.roles, venues)), html("td", { class: "quiet" }, format.fullDate(Date.parse(item.made_at))), html("td", {}, open && roles(item), button));
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
      const answer = await change("POST", path, { ...entry(fields), roles: grants.read() });
      form.reset();
      grants.fill([]);
      say(made(answer));
      await show();
    } catch (error) {
      say(error.detail ?? words.failed);
    }
  });
  await show();
  place(kind).hidden = false;
}

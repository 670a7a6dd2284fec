// Roles by place: a line each, as many as somebody is to have, and those of an account changed.

import { words } from "../words.js";
import { change } from "../server.js";
import { html, place } from "../markup.js";

const ROLES = ["viewer", "operator", "admin"];

/** Roles in words. */
export function sayRoles(roles, venues) {
  const where = (id) => (id === "*" ? words.everyVenue : (venues.find((venue) => venue.id === id)?.name ?? id));
  return roles.map(({ venue, role }) => `${words.role[role] ?? role}: ${where(venue)}`).join("; ");
}

/**
 * Lines of roles in a group of a form, one to begin with.
 * @returns {{ fill: (roles: { venue: string, role: string }[]) => void, read: () => object[], focus: () => void }}
 */
export function grantsIn(group, venues) {
  const lines = html("div", { class: "controls" });
  const more = html("button", { type: "button", class: "link" }, words.grants.add);
  const each = () => [...lines.children];
  const first = (line) => line.querySelector("select");
  const number = () => {
    each().forEach((line, i) => {
      const name = `${words.roleLabel} ${i + 1}`;
      line.setAttribute("aria-label", name);
      const drop = line.querySelector("button");
      drop.setAttribute("aria-label", `${words.counts.remove}: ${name}`);
      drop.hidden = each().length === 1;
    });
  };
  const turned = () => group.dispatchEvent(new Event("change", { bubbles: true }));
  const field = (label, kind, options, chosen) => {
    const select = html("select", { "data-of": kind }, ...options.map(([value, name]) => html("option", { value }, name)));
    select.value = chosen;
    return html("label", {}, html("span", {}, label), select);
  };
  const add = ({ venue, role }) => {
    const places = [["*", words.everyVenue], ...venues.map(({ id, name }) => [id, name])];
    // A role may lie in a venue that is configured no longer: it is shown as it is, and the server says what becomes of it.
    if (!places.some(([id]) => id === venue)) places.push([venue, venue]);
    const drop = html("button", { type: "button", class: "link" }, words.counts.remove);
    const line = html("div", { class: "controls", role: "group" }, field(words.roleLabel, "role", ROLES.map((word) => [word, words.role[word]]), role), field(words.roleWhere, "venue", places, venue), drop);
    drop.addEventListener("click", () => {
      const at = each().indexOf(line);
      line.remove();
      number();
      turned();
      first(each()[Math.max(at - 1, 0)]).focus();
    });
    lines.append(line);
    number();
    return line;
  };
  const unused = () => venues.map(({ id }) => id).find((id) => !each().some((line) => line.querySelector("[data-of=venue]").value === id)) ?? "*";
  more.addEventListener("click", () => {
    first(add({ venue: unused(), role: ROLES[0] })).focus();
    turned();
  });
  const fill = (roles) => {
    lines.replaceChildren();
    (roles.length ? roles : [{ venue: "*", role: ROLES[0] }]).forEach(add);
  };
  group.replaceChildren(lines, more);
  fill([]);
  return {
    fill,
    read: () => each().map((line) => ({ venue: line.querySelector("[data-of=venue]").value, role: line.querySelector("[data-of=role]").value })),
    focus: () => first(each()[0]).focus(),
  };
}

/** Whether some roles are less than others somewhere. */
function isLess(roles, before) {
  const at = (some, venue) => Math.max(...some.filter((one) => one.venue === venue || one.venue === "*").map(({ role }) => ROLES.indexOf(role)), -1);
  return before.some(({ venue, role }) => at(roles, venue) < ROLES.indexOf(role));
}

/**
 * The form that changes the roles of an account that is there.
 * @returns {(account: object, changed: (text: string) => Promise<void>, closed: () => void) => void} what opens it
 */
export function rolesFormOf(venues, me) {
  const form = place("roles-form");
  const grants = grantsIn(place("roles-grants"), venues);
  const [save, cancel] = form.querySelectorAll(":scope > button");
  save.textContent = words.grants.save;
  const say = (text) => { place("roles-wrong").textContent = text; };
  let open = null;
  let isSure = false;
  const close = () => {
    const { closed } = open;
    open = null;
    form.hidden = true;
    say("");
    closed();
  };
  cancel.addEventListener("click", close);
  form.addEventListener("change", () => { isSure = false; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { account, changed } = open;
    const roles = grants.read();
    if (!isSure && account.name === me?.name && isLess(roles, account.roles)) {
      say(words.grants.own);
      isSure = true;
      return;
    }
    try {
      await change("PATCH", `/api/v1/accounts/${account.id}`, { roles });
      await changed(words.grants.changed(account.name));
      close();
    } catch (error) {
      isSure = false;
      say(error.detail ?? words.failed);
    }
  });
  return (account, changed, closed) => {
    open = { account, changed, closed };
    place("roles-title").textContent = `${words.roleLabel}: ${account.name}`;
    grants.fill(account.roles);
    say("");
    isSure = false;
    form.hidden = false;
    grants.focus();
  };
}

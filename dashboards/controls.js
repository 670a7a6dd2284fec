// What a reader chooses, kept in the address: a view can be sent, marked, and gone back to.

import { words } from "./words.js";
import { html } from "./markup.js";

const DATE = /^\d{4}-\d\d-\d\d$/;

/**
 * A choice. Options are `{ value, text }`, or groups `{ text, options }`; without any it is a date.
 * @typedef {{ name: string, label: string, options?: object[], initial: string, shown?: (state: object) => boolean }} Field
 */

function valuesOf(options) {
  return options.flatMap((option) => (option.options ? valuesOf(option.options) : [option.value]));
}

function optionOf(option) {
  if (option.options) return html("optgroup", { label: option.text }, ...option.options.map(optionOf));
  return html("option", { value: option.value }, option.text);
}

function fits(field, value) {
  return value !== null && (field.options ? valuesOf(field.options).includes(value) : DATE.test(value));
}

/**
 * Fills a form with choices. `start` tells the first of them, and from then on every change is told.
 * @param {HTMLFormElement} form
 * @param {Field[]} fields
 * @param {(state: Record<string, string>) => void} changed
 */
export function controlsIn(form, fields, changed) {
  const inputs = new Map();
  const labels = new Map();
  const read = () => {
    const asked = new URLSearchParams(location.search);
    return Object.fromEntries(fields.map((field) => [field.name, fits(field, asked.get(field.name)) ? asked.get(field.name) : field.initial]));
  };
  let state = read();
  const show = () => {
    for (const field of fields) {
      inputs.get(field.name).value = state[field.name];
      labels.get(field.name).hidden = !(field.shown?.(state) ?? true);
    }
    changed(state);
  };
  const set = (name, value) => {
    state = { ...state, [name]: value };
    const told = fields.filter((field) => state[field.name] !== field.initial).map((field) => [field.name, state[field.name]]);
    const query = new URLSearchParams(told).toString();
    history.pushState(null, "", query ? `?${query}` : location.pathname);
    show();
  };
  for (const field of fields) {
    const id = `choice-${field.name}`;
    const input = field.options ? html("select", { id }, ...field.options.map(optionOf)) : html("input", { id, type: "date", required: true });
    input.addEventListener("change", () => fits(field, input.value) && set(field.name, input.value));
    inputs.set(field.name, input);
    labels.set(field.name, html("label", { for: id }, html("span", {}, field.label), input));
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.replaceChildren(...labels.values());
  addEventListener("popstate", () => {
    state = read();
    show();
  });
  return { set, start: show };
}

/** The choice of a place: the venue, its zones, and its groups where they have figures. */
export function placeField(venue, groups) {
  const option = ({ id, name }) => ({ value: id, text: name });
  const options = [{ value: "", text: words.wholeVenue }];
  if (groups && venue.groups.length) options.push({ text: words.groups, options: venue.groups.map((id) => ({ value: id, text: id })) });
  options.push({ text: words.zonesOnly, options: venue.zones.map(option) });
  return { name: "zone", label: words.place, options, initial: "" };
}

/** What a place of the venue is called. */
export function nameOf(venue, id) {
  if (!id) return words.wholeVenue;
  return venue.zones.find((zone) => zone.id === id)?.name ?? id;
}

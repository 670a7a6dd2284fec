// Elements, made without a line of HTML in a string: what the server names is text and stays text.

import { words } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

function dressed(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** An element of HTML. */
export function html(name, attributes = {}, ...children) {
  return dressed(document.createElement(name), attributes, children);
}

/** An element of SVG. */
export function svg(name, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG, name), attributes, children);
}

/** The element of an id. */
export function place(id) {
  return document.getElementById(id);
}

/** Writes the words that the page's outline names. */
export function label() {
  document.documentElement.lang = words.lang;
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = words[element.dataset.word];
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words[element.dataset.label]);
  }
}

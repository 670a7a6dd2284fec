// Many things, one stop for the tab key; the arrow keys go from one to the next.

const KEYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * Makes elements one stop.
 * @param {Element[]} elements
 * @param {?(index: number) => void} pick for those that are no buttons of the browser's own
 */
export function rove(elements, pick = null) {
  elements.forEach((element, i) => {
    element.setAttribute("tabindex", i === 0 ? 0 : -1);
    element.addEventListener("keydown", (event) => {
      if (pick && (event.key === "Enter" || event.key === " ") && element.tagName !== "BUTTON") {
        event.preventDefault();
        pick(i);
      }
      const way = KEYS[event.key];
      if (!way) return;
      event.preventDefault();
      const next = elements[(i + way + elements.length) % elements.length];
      element.setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    });
  });
}

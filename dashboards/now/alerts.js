// Alerts that stand now, above the plan; what changed is said once to whoever listens.

import { words } from "../words.js";
import { html, place } from "../markup.js";
import { figureOf, placeOf, ruleOf, sinceOf } from "../alerts.js";

const ALERTS_LISTED_MAX = 12;

/**
 * Gives what shows a venue's alerts. Where it has rules their room is kept, so that the first alert moves nothing.
 * @param {object} venue its layout
 */
export function alertsOf(venue, format) {
  let firing = null;
  place("alerts").dataset.watched = venue.alert_rules > 0;

  return (alerts, now) => {
    const standing = alerts.filter(({ state }) => state === "firing");
    const items = standing.slice(0, ALERTS_LISTED_MAX).map((alert) => alertItem(alert, venue, now, format));
    if (standing.length > items.length) items.push(html("li", {}, words.sensor.more(format.number(standing.length - items.length))));
    place("alerts").replaceChildren(...items);
    const before = firing;
    firing = new Map(standing.map((alert) => [alert.name, alert]));
    // What stood when the page was opened is read where it stands: nothing has changed.
    if (before === null) return;
    const text = (alert) => `${placeOf(alert, venue)}, ${ruleOf(alert, format)}`;
    const begun = standing.filter(({ name }) => !before.has(name)).map((alert) => words.alert.begun(text(alert), figureOf(alert, format)));
    const over = [...before.values()].filter(({ name }) => !firing.has(name)).map((alert) => words.alert.over(text(alert)));
    if (begun.length + over.length) place("alerts-said").textContent = [...begun, ...over].join(" ");
  };
}

function alertItem(alert, venue, now, format) {
  const what = html("span", {}, `${ruleOf(alert, format)}: `, html("b", {}, figureOf(alert, format)));
  return html("li", {}, html("strong", {}, placeOf(alert, venue)), " ", what, " ", html("span", { class: "quiet" }, sinceOf(alert, now, format)));
}

// The alert rules, with what each says now. They are in the configuration file, and are changed there.

import { words } from "../words.js";
import { read } from "../server.js";
import { html, place } from "../markup.js";
import { figureOf, lengthOf, placeOf, ruleOf, sinceOf } from "../alerts.js";

/** Shows the rules of a venue. */
export async function showRules(venue, now, format) {
  const alerts = venue.alert_rules ? await read(`/${encodeURIComponent(venue.id)}/alerts`) : [];
  const line = (alert) => {
    const since = alert.since === null ? "" : sinceOf(alert, now, format);
    const state = html("span", { "data-alert": alert.state }, html("b", {}, words.alert.state[alert.state]), " ", html("span", { class: "quiet" }, since));
    const rule = html("span", {}, `${placeOf(alert, venue)}: ${ruleOf(alert, format)}, ${lengthOf(alert, format)}`);
    return html("li", {}, html("strong", {}, alert.name), " ", rule, " ", state, " ", html("span", {}, figureOf(alert, format)));
  };
  const list = html("ul", { class: "rules", "aria-labelledby": "rules-title" }, ...alerts.map(line));
  place("rules-body").replaceChildren(alerts.length ? list : html("p", { class: "empty" }, words.alert.none));
}

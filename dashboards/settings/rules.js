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
    const state = html("td", { class: "left", "data-alert": alert.state }, html("span", {}, words.alert.state[alert.state]), " ", html("span", { class: "quiet" }, since));
    const rule = html("td", { class: "left" }, `${ruleOf(alert, format)}, ${lengthOf(alert, format)}`);
    return html("tr", {}, html("th", { scope: "row" }, alert.name), html("td", { class: "left" }, placeOf(alert, venue)), rule, state, html("td", {}, figureOf(alert, format)));
  };
  const head = [words.keys.name, words.place, words.alert.rule, words.alert.says, words.alert.newest];
  const cells = head.map((text, i) => html("th", { scope: "col", class: i > 0 && i < 4 ? "left" : null }, text));
  const table = html("table", { "aria-labelledby": "rules-title" }, html("thead", {}, html("tr", {}, ...cells)), html("tbody", {}, ...alerts.map(line)));
  place("rules-body").replaceChildren(alerts.length ? table : html("p", { class: "empty" }, words.alert.none));
}

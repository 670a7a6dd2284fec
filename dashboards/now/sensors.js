// Sensors: how many live, and which need care.

import { words } from "../words.js";
import { html, place } from "../markup.js";
import { careOf } from "../sensor_care.js";

const LISTED_MAX = 8;

/** Shows the health of a venue's sensors. */
export function showSensors(list, venue, format) {
  const all = list.sensors;
  const alive = all.filter((sensor) => sensor.alive).length;
  const names = new Map(venue.zones.map((zone) => [zone.id, zone.name]));
  const needy = all.map((sensor) => ({ sensor, care: careOf(sensor, venue, format) })).filter(({ care }) => care.length);
  needy.sort((a, b) => a.sensor.alive - b.sensor.alive);
  place("sensors-alive").textContent = words.sensor.alive(format.number(alive), format.number(all.length));
  place("sensors-alive").dataset.well = alive === all.length;
  place("sensors-note").textContent = needy.length ? "" : words.sensor.fine;
  const items = needy.slice(0, LISTED_MAX).map(({ sensor, care }) => item(sensor, care, names));
  if (needy.length > LISTED_MAX) items.push(html("li", {}, words.sensor.more(format.number(needy.length - LISTED_MAX))));
  place("sensors-care").replaceChildren(...items);
}

function item(sensor, care, names) {
  const zone = html("span", { class: "quiet" }, names.get(sensor.zone) ?? sensor.zone);
  return html("li", { "data-alive": sensor.alive }, html("p", {}, html("strong", {}, sensor.sensor), " ", zone), html("p", {}, care.join("; ")));
}

// Places in order, each against itself in the period before: who gained, who lost, and whether it is more than the doubt.

import { words } from "../words.js";
import { html } from "../markup.js";
import { difference } from "../series.js";
import { daysBetween, plusDays } from "../days.js";
import { writtenChange } from "../totals.js";

/** Two stretches without today, which is not told yet, and the day that it would be held against. */
export function closedOf(stretch, before, today) {
  if (stretch.to < today || stretch.from >= today) return [stretch, before];
  const open = daysBetween(today, stretch.to) + 1;
  return [stretch, before].map(({ from, to }) => ({ from, to: plusDays(to, -open) }));
}

/** The differences of the windows that two rows both tell. */
function differencesOf(row, old) {
  const pairs = (row.values ?? []).map((value, i) => [value, old.values?.[i]]);
  return pairs.filter((pair) => pair.every((value) => value != null)).map(([mine, theirs]) => mine - theirs);
}

/** Rows of an order, each with its own number of the period before and how far it differs. */
export function withChanges(rows, before, metric) {
  const known = (row) => row && { ...row, known: row.windows };
  const older = new Map(before.map((row) => [row.zone, row]));
  return rows.map((row) => {
    const old = older.get(row.zone);
    const comparable = row.value != null && old?.value != null;
    return { ...row, before: old ?? null, change: comparable ? difference(known(row), known(old), differencesOf(row, old), metric) : null };
  });
}

/** The change of a row in a few words. */
export function changeOfRow({ change }, metric, format) {
  if (!change) return html("span", { class: "change" }, words.versus.alone);
  const { text, way } = writtenChange(change, metric, format);
  return html("span", { class: "change", "data-way": way, "data-sure": change.sure }, html("b", {}, text), ` ${words.versus.row(change)}`);
}

/**
 * Whether people came to some places, or came from others: told only of changes that are more than chance, or of few days than the bands.
 * @param {?object} whole how the whole venue differs
 */
export function cameOrMoved(rows, whole) {
  const names = (way) => rows.filter(({ change }) => change?.sure && Math.sign(change.by) === way).map(({ name }) => name).join(", ");
  const [more, fewer] = [names(1), names(-1)];
  if (!more || !whole) return "";
  if (whole.sure && whole.by > 0) return fewer ? words.versus.both(more, fewer) : words.versus.came(more);
  return fewer ? words.versus.moved(more, fewer, whole.chance === "few") : words.versus.unsure(more);
}

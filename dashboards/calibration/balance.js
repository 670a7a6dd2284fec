// What door counters say of a venue: who came in, and by balance how many were inside. The estimate is not made of it.

/** A day has no balance whose doors differ by more than this share of who came in: one of them counts wrong, or is not counted. */
const DRIFT_MAX = 0.1;
/** Nor has an hour of which more than this share is unknown, since fewer than k are not kept. */
const UNKNOWN_MAX = 0.1;

/**
 * An hour of all doors together. `blank` are numbers that are fewer than k, each somewhere below it.
 * @typedef {{ point: object, whole: boolean, came: number, went: number, blankIn: number, blankOut: number,
 *   present: ?number, state: string }} DoorHour
 * A venue's day by its doors. `left` is the share of who came in that never went out, by the doors: what they drift by.
 * @typedef {{ date: string, hours: DoorHour[], came: number, went: number, left: ?number, state: string }} DoorDay
 */

function hourOf(point, row, k) {
  const sum = (side) => row.reduce((all, count) => all + (count?.[side] ?? 0), 0);
  const blank = (side) => row.filter((count) => count && count[side] === null).length;
  const [blankIn, blankOut] = [blank("in"), blank("out")];
  // A number of which only is known that it is under k is taken for the middle of what it may be.
  const middle = (k - 1) / 2;
  return { point, whole: row.every(Boolean), came: sum("in") + blankIn * middle, went: sum("out") + blankOut * middle, blankIn, blankOut, present: null, state: "missing" };
}

/** A day's hours, from the first that a door tells to the last; null if none does. */
function doorDay(date, points, doors, counts, k, now) {
  const rows = points.map((point) => doors.map((door) => counts.get(`${door} ${point.from}`)));
  const told = (row) => row.some(Boolean);
  const first = rows.findIndex(told);
  if (first < 0) return null;
  const last = rows.findLastIndex(told);
  const hours = points.slice(first, last + 1).map((point, i) => hourOf(point, rows[first + i], k));
  const [came, went] = ["came", "went"].map((side) => hours.reduce((all, hour) => all + hour[side], 0));
  const left = came ? (came - went) / came : null;
  const closed = points.at(-1).to <= now;
  const state = !closed ? "open" : !hours.every(({ whole }) => whole) ? "gaps" : left === null || Math.abs(left) > DRIFT_MAX ? "drifts" : "balanced";
  return { date, hours, came, went, left, state };
}

/** Runs a day's balance: nobody is inside before its first hour, and after its last hour nobody again. */
function runBalance(day, usual, k) {
  if (day.state === "gaps" || day.state === "drifts") return;
  // Whoever came in went out: the doors' own drift is taken out of the day that has closed, and an open one has that of others.
  const share = day.state === "balanced" ? day.came / day.went : usual;
  let [inside, unknown] = [0, 0];
  for (const hour of day.hours) {
    if (!hour.whole) return;
    const before = inside;
    inside += hour.came - share * hour.went;
    unknown += ((k - 1) / 2) * (hour.blankIn + hour.blankOut);
    const present = Math.max(0, Math.round((before + inside) / 2));
    // As with every number of the venue's people: under 2k it is not told.
    hour.state = present < 2 * k || unknown > UNKNOWN_MAX * present ? "held_back" : "final";
    hour.present = hour.state === "final" ? present : null;
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null;
}

/**
 * The days of a venue by its doors.
 * @param {object[]} points the hours of the days, as a series has them
 * @param {{ door: string, from: string, in: ?number, out: ?number }[]} counts
 * @returns {DoorDay[]}
 */
export function doorDaysOf(points, counts, k, now) {
  const known = new Map(counts.map((count) => [`${count.door} ${Date.parse(count.from)}`, count]));
  const dates = Map.groupBy(points, (point) => point.date);
  const dateAt = new Map(points.map((point) => [point.from, point.date]));
  // A counter is one of the venue's from the first day of which it tells anything to the last.
  const spans = Map.groupBy(counts, (count) => count.door);
  const reach = [...spans].map(([door, mine]) => [door, mine.map((count) => dateAt.get(Date.parse(count.from))).filter(Boolean).sort()]);
  const doorsOn = (date) => reach.filter(([, told]) => told.length && told[0] <= date && date <= told.at(-1)).map(([door]) => door);
  const days = [...dates].map(([date, hours]) => doorDay(date, hours, doorsOn(date), known, k, now)).filter(Boolean);
  const usual = median(days.filter(({ state }) => state === "balanced").map(({ came, went }) => came / went)) ?? 1;
  days.forEach((day) => runBalance(day, usual, k));
  return days;
}

/** A share of the way through some numbers. */
function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/**
 * How far figures and doors agree, over the hours that both tell.
 * @param {{ theirs: number, mine: object }[]} pairs the doors' number, and the figure
 * @returns {?{ hours: number, theirs: number, mine: number, ratio: number, low: number, high: number, held: number }} shares of
 *   the doors' number: of all hours together, and where the middle eight in ten of the hours lie; `held` is the share of
 *   hours whose band has the doors' number in it
 */
export function agreement(pairs) {
  const told = pairs.filter(({ theirs, mine }) => theirs > 0 && mine?.state === "final");
  if (!told.length) return null;
  const sum = (read) => told.reduce((all, pair) => all + read(pair), 0);
  const [theirs, mine] = [sum((pair) => pair.theirs), sum((pair) => pair.mine.value)];
  const shares = told.map((pair) => pair.mine.value / pair.theirs);
  const held = told.filter((pair) => pair.mine.low <= pair.theirs && pair.theirs <= pair.mine.high).length;
  return { hours: told.length, theirs, mine, ratio: mine / theirs, low: quantile(shares, 0.1), high: quantile(shares, 0.9), held: held / told.length };
}

/** Whether an hour's number of who came in is known of every door. */
export function isCounted(hour) {
  return hour.whole && hour.blankIn === 0;
}

// Every word of the pages, and how numbers and times are written. Another language is another entry of `languages`.

const heldBack = (k, whole) =>
  whole === "shown"
    ? `held back, or it would give away a number of fewer than ${k}.`
    : `Too few people for any number of this venue: they are shown from ${2 * k} people on.`;

const english = {
  lang: "en",
  locale: "en-GB",
  skip: "Skip to the table of zones",
  venuesLabel: "Venues",
  now: "People now",
  zones: "Zones now",
  today: "Today",
  everyZone: "Every zone",
  sensors: "Sensors",
  aboutTitle: "What these figures are",
  starting: "Loading",
  columnZone: "Zone",
  columnPeople: "People",
  columnBand: "80 % band",
  curveBack: "Show the whole venue",
  asTable: "As a table",
  link: {
    connecting: "Connecting",
    live: "Live",
    reconnecting: "Reconnecting; what you see is the last that arrived",
    quiet: "Nothing new for a while; what you see is the last that arrived",
  },
  people: (n, count) => `${n} ${count === 1 ? "person" : "people"}`,
  band: (low, high) => `between ${low} and ${high}`,
  bandShort: (low, high) => `${low} to ${high}`,
  bandNote: "eight times in ten",
  state: {
    under_k: { title: (k) => `Fewer than ${k}`, short: (k) => `<${k}`, why: (k) => `Fewer than ${k} people, or nobody: the two are not told apart.` },
    held_back: { title: () => "Held back", short: () => "held back", why: heldBack },
    no_data: { title: () => "No data", short: () => "no data", why: () => "No sensor here has been heard for long enough. No data is not nobody." },
  },
  flag: {
    uncalibrated: ["Uncalibrated", "Nobody has counted heads here yet. The estimate rests on one other room, so its band is twice as wide."],
    incomplete: ["Incomplete", "A sensor was silent for part of the time, so people may be missing."],
    rekeyed: ["New key", "The key changed in the middle of this window, so visits on both sides of it were not joined."],
    replay: ["Replay", "Time comes from recorded or simulated messages, not from the clock on the wall."],
  },
  plan: {
    hint: "Point at a zone, or choose it to see its day.",
    label: "Floor plan with the people in each zone",
    tiles: "Zones without a place on the plan",
    legend: "People in a zone",
    from: (n) => `${n}+`,
  },
  curve: {
    venue: "the whole venue",
    of: (name) => `People in ${name}, mean of five minutes`,
    line: "People",
    band: "80 % band",
    heldBack: "Held back",
    missing: "No data",
    none: "No window of today has closed yet. The first appears two minutes after its end.",
    failed: "The curve could not be read. It is asked for again with the next half-minute.",
    at: (from, to) => `${from} to ${to}`,
    open: "not closed yet",
    missingWhy: "no data",
    heldBackWhy: (k) => `held back, to protect fewer than ${k} people`,
    summary: (name, newest, top) => `Curve of people today in ${name}. Newest: ${newest}. Highest: ${top}. Arrow keys read it window by window.`,
  },
  sensor: {
    alive: (alive, all) => `${alive} of ${all} alive`,
    fine: "None needs care.",
    care: "In need of care",
    silent: (when) => `silent since ${when}`,
    never: "not heard since the server started",
    gaps: (n) => `${n} lost on the way`,
    refused: (n, why) => `${n} refused: ${why}`,
    clock: (secs) => `clock off by ${secs} s`,
    more: (n) => `and ${n} more`,
  },
  refusal: {
    bad_json: "no JSON", bad_shape: "not the expected form", bad_binary: "no valid binary form", bad_device: "device id unreadable",
    bad_rssi: "signal strength impossible", bad_time: "time unreadable", bad_kind: "unknown kind of radio", group_address: "address of a group",
    too_large: "message too large", too_many_sightings: "too many sightings", unknown_version: "unknown version", retained: "retained by the broker",
    time_behind: "time too far behind", time_ahead: "time too far ahead",
  },
  about: (k) => [
    "Every number is an estimate from radio signals, with the band it lies in eight times in ten. Do not use it for evacuation or legal capacity.",
    `A figure about fewer than ${k} people is neither shown nor stored. The venue's own number is rounded to 5 and shown from ${2 * k} people on; while it is held back, no zone is shown either.`,
  ],
  trouble: "The server does not answer. It is asked again by itself.",
  noVenue: "No venue is configured.",
};

const languages = { en: english };

/** The words of the reader's language, as far as there are any. */
export const words = languages[(navigator.language || "en").slice(0, 2)] ?? english;

/**
 * How numbers and moments of a venue are written: in its own time zone.
 * @param {string} timeZone an IANA name
 */
export function formats(timeZone) {
  const time = (options) => new Intl.DateTimeFormat(words.locale, { timeZone, hourCycle: "h23", ...options });
  const number = new Intl.NumberFormat(words.locale);
  const clock = time({ hour: "2-digit", minute: "2-digit" });
  const second = time({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = time({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  return {
    number: (n) => number.format(n),
    clock: (at) => clock.format(at),
    second: (at) => second.format(at),
    day: (at) => day.format(at),
  };
}

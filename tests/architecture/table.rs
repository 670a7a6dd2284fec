//! The floors of the house and who may import whom. A new room needs a row here before it builds.

/// A room: a folder of `src`, or a file of it.
pub(crate) struct Room {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its floor; a room imports from lower floors only.
    pub(crate) floor: u8,
    /// What it may import besides floor 1.
    pub(crate) may: &'static [&'static str],
    /// Why no more.
    pub(crate) because: &'static str,
}

const fn room(name: &'static str, floor: u8, may: &'static [&'static str], because: &'static str) -> Room {
    Room { name, floor, may, because }
}

const GROUND: &str = "the ground floor knows no room above it";
const FLOW_DOWN: &str = "options and constants flow down as values";
const DASHBOARD: &str = "what leaves the house is made of judged figures only, but for where a device that is nobody's was carried";

/// Everything above the ground works on the rooms of its row, and on no other.
pub(crate) const ROOMS: &[Room] = &[
    room("wire", 1, &[], GROUND),
    room("clock", 1, &[], GROUND),
    room("chance", 1, &[], GROUND),
    room("memory", 1, &[], GROUND),
    room("sealing", 1, &[], GROUND),
    room("telemetry", 1, &[], GROUND),
    room("ledger", 1, &[], GROUND),
    room("link", 1, &[], GROUND),
    room("broker", 1, &[], GROUND),
    room("config", 2, &[], FLOW_DOWN),
    room("calibration", 2, &[], FLOW_DOWN),
    room("sighting", 2, &[], "it is what enters, and knows nobody"),
    room("intake", 3, &["sighting", "config"], "it only fills a channel"),
    room("optout", 3, &["sighting"], "it is handed its marks and reaches no store"),
    room("pseudonym", 4, &["sighting", "optout", "config"], "no name goes to a store or a page"),
    room("visit", 5, &["pseudonym", "calibration", "config"], "there is no raw device up here"),
    room("crowd", 5, &["pseudonym", "calibration", "config"], "there is no raw device up here"),
    room("roster", 5, &["sighting", "config"], "it knows sensors, and no device even by its pseudonym"),
    room("aggregate", 6, &["visit", "crowd", "roster", "config"], "a window is not a visit, and no sighting"),
    room(
        "walk",
        6,
        &["sighting", "visit", "config"],
        "it is told of numbers that only a reserved address has",
    ),
    room("release", 7, &["aggregate", "roster", "config"], "the judge sees windows, nobody's visit"),
    room("vault", 7, &["pseudonym", "visit", "crowd", "aggregate"], "open state never meets the store"),
    room(
        "store",
        8,
        &["release", "optout", "config"],
        "the store takes judged figures, marks and the office's rows",
    ),
    room(
        "pipeline",
        9,
        &[
            "sighting",
            "config",
            "calibration",
            "optout",
            "pseudonym",
            "visit",
            "crowd",
            "roster",
            "aggregate",
            "release",
            "walk",
            "vault",
            "store",
        ],
        "the corridor is handed a channel and hands out a watch",
    ),
    room(
        "desk",
        9,
        &["sighting", "optout", "store", "calibration", "config"],
        "a visitor's no is a mark and a message, never a pseudonym",
    ),
    room("office", 9, &["optout", "store", "calibration", "config"], "accounts and counts know no device"),
    room("api", 10, &["store", "release", "desk", "office", "walk", "config"], DASHBOARD),
    room("outlet", 10, &["store", "release", "desk", "office", "config"], DASHBOARD),
];

/// These put the house together: they may import everything.
pub(crate) const OPEN: &[&str] = &["app", "main", "lib"];

/// Rooms of the ground floor that are not open to all, with those that may import them.
pub(crate) const GUARDED: &[(&str, &[&str], &str)] = &[
    (
        "wire",
        &["config", "sighting", "intake"],
        "what a sensor says is decoded at the front door and nowhere else",
    ),
    ("link", &["intake", "outlet"], "the broker is spoken to where news enters and where figures leave"),
    ("broker", &[], "only app starts a broker"),
    ("vault", &["pipeline"], "open state goes from the corridor to the vault and back, and nowhere else"),
];

/// The words and limits of the wire that name no device and no payload: every room may use them.
pub(crate) const WIRE_WORDS: &[&str] = &[
    "Id",
    "LIFE_SECS",
    "AHEAD_SECS",
    "HEARTBEAT_SECS",
    "SIGHTINGS_MAX",
    "PAYLOAD_BYTES_MAX",
    "BINARY_CONTENT_TYPE",
];

//! Shut doors: words that may stand in a few places only.

use crate::source::{Source, tokens};

/// Words that belong to some places.
pub(crate) struct Door {
    /// Tokens in a row; any of these rows is the word.
    words: &'static [&'static [&'static str]],
    /// Where it may stand: a folder with its last `/`, or a file.
    places: &'static [&'static str],
    /// Whether tests beside the code may use it anywhere.
    tests_may: bool,
    because: &'static str,
}

const DOORS: &[Door] = &[
    Door {
        words: &[&["Figure", "::", "judged"]],
        places: &["src/release/"],
        tests_may: false,
        because: "only the judge makes a figure",
    },
    Door {
        words: &[&[".", "octets"], &["DeviceId", "::", "octets"]],
        places: &["src/wire/", "src/sighting/class.rs", "src/pseudonym", "src/optout"],
        tests_may: true,
        because: "a raw device is read where it is classed, struck out or given its pseudonym",
    },
    Door {
        words: &[&[".", "into_clear_bytes"], &["Sealing", "::", "into_clear_bytes"], &["of_clear_bytes"]],
        places: &["src/vault/", "src/sealing.rs"],
        tests_may: true,
        because: "what rooms put in for the vault is sealed before anybody sees it",
    },
    Door {
        words: &[&["rumqttc"]],
        places: &["src/link/", "src/link.rs"],
        tests_may: false,
        because: "the MQTT client is wrapped once, so that it can be exchanged",
    },
    Door {
        words: &[&["mqtt5"]],
        places: &["src/broker/"],
        tests_may: false,
        because: "the embedded broker is wrapped once, so that it can be exchanged",
    },
    Door {
        words: &[&["SystemTime"], &["Instant", "::", "now"], &["Utc", "::", "now"], &["Local", "::", "now"]],
        places: &["src/clock/"],
        // A test may hold a stopwatch; clippy still makes it say why.
        tests_may: true,
        because: "time is an argument; only the clock asks the machine",
    },
    Door {
        words: &[&["getrandom", "::", "fill"]],
        places: &["src/chance.rs"],
        tests_may: false,
        because: "chance is an argument; only one file asks the operating system",
    },
    Door {
        words: &[&["sensor_sim"]],
        places: &["src/app", "src/main.rs"],
        // A test may judge a lens by the simulator's truth.
        tests_may: true,
        because: "only the demo knows the simulator",
    },
    Door {
        words: &[&["#", "[", "path"], &["extern", "crate"]],
        places: &[],
        tests_may: true,
        because: "it would bring a room in by a way that the table does not see",
    },
];

/// No lint is silenced for good: `expect` with a reason speaks up when its reason is gone.
const SILENCED: Door = Door {
    words: &[&["[", "allow", "("]],
    places: &[],
    tests_may: false,
    because: "say `#[expect(…, reason = …)]`",
};

/// Where a file of `src` names what belongs elsewhere, one line of words each.
pub(crate) fn violations(source: &Source) -> Vec<String> {
    DOORS.iter().flat_map(|door| through(door, source)).collect()
}

/// Where a file silences a lint.
pub(crate) fn silenced(source: &Source) -> Vec<String> {
    through(&SILENCED, source)
}

fn through(door: &Door, source: &Source) -> Vec<String> {
    if door.places.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let tokens = tokens(if door.tests_may { &source.live } else { &source.code });
    let mut told = Vec::new();
    for words in door.words {
        let stands = |part: &&[(usize, &str)]| part.iter().map(|(_, token)| token).eq(words.iter());
        for part in tokens.windows(words.len()).filter(stands) {
            let word = words.concat();
            told.push(format!("{}:{}: `{word}` stands here: {}", source.path, part[0].0, door.because));
        }
    }
    told
}

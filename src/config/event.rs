//! Holidays and named events: days that are told by their name, and that are nobody's usual.

use chrono::NaiveDate;

use super::file::EventFile;

/// The most events of one venue.
const EVENTS_MAX: usize = 1_000;
/// The longest name, characters: it stands on a chart and on a printed page.
const NAME_CHARS_MAX: usize = 60;

/// A stretch of days with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name, as people say it.
    pub name: String,
    /// What kind of days they are.
    pub kind: EventKind,
    /// The first day, by the date on which the venue day starts.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

/// What kind of days have a name.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// Something goes on in the venue: a campaign, a concert, works.
    #[default]
    Event,
    /// A public or a school holiday.
    Holiday,
}

impl Event {
    /// Whether a day is one of it.
    #[must_use]
    pub fn covers(&self, date: NaiveDate) -> bool {
        self.from <= date && date <= self.to
    }
}

impl EventKind {
    /// The word of the configuration and of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Holiday => "holiday",
        }
    }
}

/// Reads the events of a venue, in order of their first day.
pub(super) fn events(files: Vec<EventFile>, at: &str, faults: &mut Vec<String>) -> Vec<Event> {
    if files.len() > EVENTS_MAX {
        faults.push(format!("{at}: {} events: at most {EVENTS_MAX} are taken", files.len()));
    }
    let mut events: Vec<Event> = files.into_iter().filter_map(|file| event(file, at, faults)).collect();
    events.sort_by_key(|event| (event.from, event.to));
    events
}

fn event(file: EventFile, at: &str, faults: &mut Vec<String>) -> Option<Event> {
    let at = format!("{at}: event {:?}", file.name);
    if file.name.trim().is_empty() || file.name.chars().count() > NAME_CHARS_MAX {
        faults.push(format!("{at}: give it a name of 1 to {NAME_CHARS_MAX} characters"));
        return None;
    }
    let mut date = |key: &str, text: &str| {
        let date = text.parse::<NaiveDate>().ok();
        if date.is_none() {
            faults.push(format!("{at}: {key} {text:?} is not a date like \"2026-11-27\""));
        }
        date
    };
    let from = date("from", &file.from)?;
    let to = file.to.as_deref().map_or(Some(from), |to| date("to", to))?;
    if to < from {
        faults.push(format!("{at}: to lies before from; to is its last day"));
        return None;
    }
    Some(Event { name: file.name, kind: file.kind, from, to })
}

#[cfg(test)]
mod tests {
    use super::super::{Config, EXAMPLE};
    use super::*;

    fn with(event: &str) -> Result<Config, String> {
        let text = format!("{EXAMPLE}\n[[venue.event]]\n{event}\n");
        Config::parse(&text, std::iter::empty()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_event_has_a_name_a_first_day_and_a_last() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let config = with("name = \"Works\"\nfrom = \"2026-01-05\"\nto = \"2026-01-09\"").unwrap();
        let works = &config.venues[0].events[0];
        assert_eq!(
            (works.name.as_str(), works.kind),
            ("Works", EventKind::Event),
            "the earliest comes first"
        );
        assert!(works.covers(day("2026-01-05")) && works.covers(day("2026-01-09")));
        assert!(!works.covers(day("2026-01-04")) && !works.covers(day("2026-01-10")));
        let one = with("name = \"Nuit\"\nkind = \"holiday\"\nfrom = \"2026-06-21\"").unwrap();
        let nuit = one.venues[0].events.iter().find(|event| event.name == "Nuit").unwrap();
        assert_eq!((nuit.from, nuit.kind), (nuit.to, EventKind::Holiday));
    }

    #[test]
    fn an_event_that_does_not_read_says_so() {
        for (event, words) in [
            ("name = \"A\"\nfrom = \"27.11.2026\"", "2026-11-27"),
            ("name = \" \"\nfrom = \"2026-11-27\"", "1 to 60"),
            ("name = \"A\"\nfrom = \"2026-11-27\"\nto = \"2026-11-26\"", "last day"),
            ("name = \"A\"\nkind = \"party\"\nfrom = \"2026-11-27\"", "party"),
        ] {
            let error = with(event).unwrap_err();
            assert!(error.contains(words), "{event}: {error}");
        }
    }
}

//! Named events of a venue: what a reader of its curves should know of a day. No figure depends on them.

use chrono::NaiveDate;
use serde::Deserialize;

/// The most events of a venue.
pub const EVENTS_MAX: usize = 1_000;
/// The most characters of an event's name: it stands over a curve.
const NAME_CHARS_MAX: usize = 60;

/// Something that happens in a venue, or to it, on one day or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is called.
    pub name: String,
    /// Its first day.
    pub from: NaiveDate,
    /// Its last day.
    pub to: NaiveDate,
}

/// An event as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventFile {
    name: String,
    from: String,
    to: Option<String>,
}

/// Reads a venue's events, in order of time.
pub(super) fn events(files: Vec<EventFile>, at: &str, faults: &mut Vec<String>) -> Vec<Event> {
    if files.len() > EVENTS_MAX {
        faults.push(format!("{at}: {} events: at most {EVENTS_MAX} fit in one venue", files.len()));
    }
    let mut events: Vec<Event> = files.into_iter().filter_map(|file| event(file, at, faults)).collect();
    events.sort_by_key(|event| event.from);
    events
}

fn event(file: EventFile, at: &str, faults: &mut Vec<String>) -> Option<Event> {
    let before = faults.len();
    let chars = file.name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX {
        faults.push(format!(
            "{at}: an event's name has {chars} characters; give it 1 to {NAME_CHARS_MAX}, for it stands over the curves"
        ));
    }
    let date = |text: &str, faults: &mut Vec<String>| {
        let date = text.parse::<NaiveDate>().ok();
        if date.is_none() {
            faults.push(format!("{at}: event {:?}: {text:?} is not a date like \"2026-11-27\"", file.name));
        }
        date
    };
    let from = date(&file.from, faults);
    let to = file.to.as_deref().map_or(from, |to| date(to, faults));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        faults.push(format!("{at}: event {:?} ends before it begins; exchange from and to", file.name));
    }
    if faults.len() > before {
        return None;
    }
    Some(Event { name: file.name, from: from?, to: to? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String, String)>, String> {
        #[derive(Deserialize)]
        struct Events {
            event: Vec<EventFile>,
        }
        let files: Events = toml::from_str(text).unwrap();
        let mut faults = Vec::new();
        let events = events(files.event, "venue \"mall\"", &mut faults);
        let told = |event: Event| (event.name, event.from.to_string(), event.to.to_string());
        if faults.is_empty() { Ok(events.into_iter().map(told).collect()) } else { Err(faults.join("\n")) }
    }

    #[test]
    fn events_are_in_order_and_last_a_day_unless_they_say_more() {
        let text = "[[event]]\nname = \"Sales\"\nfrom = \"2027-01-06\"\nto = \"2027-02-02\"\n\
                    [[event]]\nname = \"Black Friday\"\nfrom = \"2026-11-27\"\n";
        let told = |name: &str, from: &str, to: &str| (name.to_owned(), from.to_owned(), to.to_owned());
        let both =
            vec![told("Black Friday", "2026-11-27", "2026-11-27"), told("Sales", "2027-01-06", "2027-02-02")];
        assert_eq!(read(text), Ok(both));
    }

    #[test]
    fn an_event_that_does_not_read_says_how_it_should() {
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for (name, from, to, words) in [
            ("Sales", "tomorrow", "2027-02-02", "is not a date like \"2026-11-27\""),
            ("Sales", "2027-02-02", "2027-02-30", "is not a date like \"2026-11-27\""),
            ("Sales", "2027-02-02", "2027-01-06", "ends before it begins"),
            ("", "2027-01-06", "2027-02-02", "has 0 characters"),
            (&long, "2027-01-06", "2027-02-02", "has 61 characters"),
        ] {
            let text = format!("[[event]]\nname = \"{name}\"\nfrom = \"{from}\"\nto = \"{to}\"\n");
            let fault = read(&text).unwrap_err();
            assert!(fault.contains(words) && fault.contains("mall"), "{fault}");
        }
    }
}

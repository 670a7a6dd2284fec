//! Opening hours with exceptions. Outside them a venue counts nobody.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};

use crate::clock::{Calendar, EpochMs};

/// What is written for a day without hours.
pub const CLOSED: &str = "closed";

/// When a venue is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Hours {
    /// By weekday from Monday; `None` where no hours are configured at all: always open.
    week: Option<[Vec<Span>; 7]>,
    exceptions: BTreeMap<NaiveDate, Vec<Span>>,
}

/// From a local time of day to another; if not later, the next day's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
struct Span {
    opens: NaiveTime,
    closes: NaiveTime,
}

/// Opening hours that do not read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HoursError {
    /// The key is neither a weekday nor a date.
    #[error("{0:?} is neither a weekday (mon, tue, wed, thu, fri, sat, sun) nor a date (2026-12-25)")]
    Key(String),
    /// The value is not a list of spans.
    #[error("{0:?} is neither \"closed\" nor hours like \"09:00-20:00\" or \"09:00-12:00, 14:00-19:00\"")]
    Span(String),
}

impl Hours {
    /// Reads a table of weekdays and dates. A weekday that is not named is closed, unless none is named at all.
    ///
    /// # Errors
    /// When a key or a value does not read.
    pub fn parse(table: &BTreeMap<String, String>) -> Result<Self, HoursError> {
        let mut hours = Self::default();
        for (key, value) in table {
            let spans = spans(value)?;
            if let Ok(weekday) = key.parse::<Weekday>() {
                let week = hours.week.get_or_insert_default();
                week[weekday.num_days_from_monday() as usize] = spans;
            } else {
                let date = key.parse::<NaiveDate>().map_err(|_| HoursError::Key(key.clone()))?;
                hours.exceptions.insert(date, spans);
            }
        }
        Ok(hours)
    }

    /// Whether it is open at a moment.
    #[must_use]
    pub fn is_open(&self, calendar: &Calendar, at: EpochMs) -> bool {
        let today = calendar.local(at).date_naive();
        let yesterday = today.checked_sub_days(Days::new(1));
        std::iter::once(today).chain(yesterday).any(|date| self.is_open_on(calendar, date, at))
    }

    /// Whether any closed hours are configured.
    #[must_use]
    pub fn ever_close(&self) -> bool {
        self.week.is_some() || !self.exceptions.is_empty()
    }

    /// The dates whose hours are not the weekday's, in order, each with its hours as the configuration writes them.
    pub fn special_days(&self) -> impl Iterator<Item = (NaiveDate, String)> {
        self.exceptions.iter().map(|(date, spans)| (*date, written(spans)))
    }

    /// The hours of a date, if they are not the weekday's, as the configuration writes them.
    #[must_use]
    pub fn special_day(&self, date: NaiveDate) -> Option<String> {
        self.exceptions.get(&date).map(|spans| written(spans))
    }

    fn is_open_on(&self, calendar: &Calendar, date: NaiveDate, at: EpochMs) -> bool {
        let spans = match (self.exceptions.get(&date), &self.week) {
            (Some(spans), _) => spans,
            (None, Some(week)) => &week[date.weekday().num_days_from_monday() as usize],
            (None, None) => {
                // Always open, but on a date whose exception says otherwise.
                return calendar.local(at).date_naive() == date;
            }
        };
        spans.iter().any(|span| {
            let end_date = if span.closes > span.opens {
                date
            } else {
                date.checked_add_days(Days::new(1)).unwrap_or(date)
            };
            calendar.moment(date, span.opens) <= at && at < calendar.moment(end_date, span.closes)
        })
    }
}

fn written(spans: &[Span]) -> String {
    if spans.is_empty() {
        return CLOSED.to_owned();
    }
    let span = |span: &Span| format!("{}-{}", span.opens.format("%H:%M"), span.closes.format("%H:%M"));
    spans.iter().map(span).collect::<Vec<_>>().join(", ")
}

fn spans(text: &str) -> Result<Vec<Span>, HoursError> {
    if text.trim() == CLOSED {
        return Ok(Vec::new());
    }
    let wrong = || HoursError::Span(text.to_owned());
    let time = |word: &str| match word.trim() {
        "24:00" => Some(NaiveTime::MIN),
        word => NaiveTime::parse_from_str(word, "%H:%M").ok(),
    };
    text.split(',')
        .map(|span| {
            let (opens, closes) = span.split_once('-').ok_or_else(wrong)?;
            Ok(Span { opens: time(opens).ok_or_else(wrong)?, closes: time(closes).ok_or_else(wrong)? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn open(table: &[(&str, &str)], at: &str) -> bool {
        let table = table.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let calendar =
            Calendar::new("Europe/Prague".parse().unwrap(), NaiveTime::from_hms_opt(4, 0, 0).unwrap());
        let at = EpochMs(DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis());
        Hours::parse(&table).unwrap().is_open(&calendar, at)
    }

    #[test]
    fn weekdays_spans_midnight_and_holidays() {
        let table = [("sat", "10:00-02:00"), ("fri", "09:00-12:00, 14:00-24:00"), ("2026-12-25", "closed")];
        for (at, expected) in [
            ("2026-11-20T08:59:59+01:00", false),
            ("2026-11-20T09:00:00+01:00", true),
            ("2026-11-20T12:00:00+01:00", false),
            ("2026-11-20T23:59:59+01:00", true),
            ("2026-11-21T00:00:00+01:00", false),
            ("2026-11-22T01:59:59+01:00", true),
            ("2026-11-22T02:00:00+01:00", false),
            ("2026-11-23T11:00:00+01:00", false),
            ("2026-12-25T10:00:00+01:00", false),
        ] {
            assert_eq!(open(&table, at), expected, "{at}");
        }
    }

    #[test]
    fn without_hours_it_is_always_open_but_on_an_exception() {
        assert!(open(&[], "2026-11-20T03:00:00+01:00"));
        assert!(!open(&[("2026-11-20", "closed")], "2026-11-20T13:00:00+01:00"));
        assert!(open(&[("2026-11-20", "closed")], "2026-11-21T00:30:00+01:00"));
    }

    #[test]
    fn special_days_are_told_by_their_date() {
        let table = [("2026-12-25", "closed"), ("2026-12-24", "09:00-14:00"), ("fri", "09:00-20:00")];
        let table = table.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let hours = Hours::parse(&table).unwrap();
        let told: Vec<_> = hours.special_days().map(|(date, hours)| (date.to_string(), hours)).collect();
        let said = |date: &str, hours: &str| (date.to_owned(), hours.to_owned());
        assert_eq!(told, [said("2026-12-24", "09:00-14:00"), said("2026-12-25", CLOSED)]);
        assert_eq!(hours.special_day("2026-12-25".parse().unwrap()).as_deref(), Some(CLOSED));
        assert_eq!(hours.special_day("2026-12-18".parse().unwrap()), None, "a Friday like the others");
    }

    #[test]
    fn what_does_not_read_says_so() {
        let parse = |k: &str, v: &str| Hours::parse(&[(k.to_owned(), v.to_owned())].into()).unwrap_err();
        assert!(matches!(parse("someday", "closed"), HoursError::Key(_)));
        assert!(matches!(parse("mon", "9-5pm"), HoursError::Span(_)));
        assert!(matches!(parse("mon", "25:00-26:00"), HoursError::Span(_)));
    }
}

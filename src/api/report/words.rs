//! Every word of the report, by language: one file each in `dashboards/report`.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};

use super::week::Against;
use crate::api::pages::source;

/// The words of a language.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportWords {
    /// What stands between three digits and the next.
    thousands: String,
    date: String,
    months: Vec<String>,
    pub(super) weekdays: Vec<String>,
    pub(super) title: String,
    week: String,
    pub(super) unfinished: String,
    pub(super) visitors: String,
    pub(super) footfall: String,
    pub(super) nothing: String,
    pub(super) band: String,
    pub(super) days_of: String,
    more: String,
    less: String,
    same: String,
    perhaps_more: String,
    perhaps_less: String,
    pub(super) days_title: String,
    pub(super) day: String,
    pub(super) count: String,
    pub(super) band_title: String,
    pub(super) usual_title: String,
    pub(super) curve_title: String,
    pub(super) curve: String,
    pub(super) curve_key: String,
    pub(super) zones_title: String,
    pub(super) zone: String,
    pub(super) zones_more: String,
    pub(super) named_title: String,
    pub(super) nothing_named: String,
    pub(super) notes_title: String,
    pub(super) visitors_note: String,
    pub(super) footfall_note: String,
    pub(super) held_back: String,
    pub(super) usual_note: String,
    pub(super) no_usual: String,
    pub(super) uncalibrated: String,
    pub(super) incomplete: String,
    pub(super) closed: String,
    pub(super) other_hours: String,
    pub(super) held: String,
    pub(super) printed: String,
}

/// By code, English first: it is what is left where there are no words.
static ALL: LazyLock<Vec<(&str, ReportWords)>> = LazyLock::new(|| {
    let files = [("en", source!("report/en.toml")), ("fr", source!("report/fr.toml"))];
    // A test reads every file, so that none is left out here.
    files.into_iter().filter_map(|(code, text)| Some((code, toml::from_str(text).ok()?))).collect()
});

/// The words of a language, or English.
pub(super) fn of(code: &str) -> (&'static str, &'static ReportWords) {
    let (code, words) = ALL.iter().find(|(known, _)| *known == code).unwrap_or(&ALL[0]);
    (code, words)
}

impl ReportWords {
    /// A whole number in this language.
    pub(super) fn number(&self, number: u32) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push_str(&self.thousands);
            }
            text.push(digit);
        }
        text
    }

    /// A date in this language.
    pub(super) fn date(&self, date: NaiveDate) -> String {
        let month = self.months.get(date.month0() as usize).map_or("", String::as_str);
        let words = self.date.replace("{day}", &date.day().to_string()).replace("{month}", month);
        words.replace("{year}", &date.year().to_string())
    }

    /// A day of a week, short.
    pub(super) fn day(&self, date: NaiveDate) -> String {
        let weekday = self.weekdays.get(date.weekday().num_days_from_monday() as usize);
        format!("{} {}", weekday.map_or("", String::as_str), date.day())
    }

    /// The week of a Monday.
    pub(super) fn week_of(&self, monday: NaiveDate) -> String {
        let week = monday.iso_week();
        let last = monday + chrono::TimeDelta::days(6);
        self.week
            .replace("{week}", &week.week().to_string())
            .replace("{from}", &self.date(monday))
            .replace("{to}", &self.date(last))
    }

    /// More or less than usual, and whether that is clear.
    pub(super) fn against(&self, against: Against) -> String {
        let words = match (against.percent, against.is_clear) {
            (0, _) => &self.same,
            (1.., true) => &self.more,
            (1.., false) => &self.perhaps_more,
            (_, true) => &self.less,
            (_, false) => &self.perhaps_less,
        };
        words.replace("{percent}", &against.percent.unsigned_abs().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_words_is_whole() {
        for text in [source!("report/en.toml"), source!("report/fr.toml")] {
            let words: ReportWords = toml::from_str(text).unwrap();
            assert_eq!((words.months.len(), words.weekdays.len()), (12, 7));
        }
        assert_eq!((of("en").0, of("fr").0, of("xx").0), ("en", "fr", "en"));
    }

    #[test]
    fn numbers_and_dates_are_the_languages_own() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 16).unwrap();
        let (_, en) = of("en");
        assert_eq!((en.number(1_234_567), en.date(date)), ("1,234,567".into(), "16 November 2026".into()));
        let (_, fr) = of("fr");
        assert_eq!((fr.number(12_345), fr.number(999)), ("12\u{202f}345".into(), "999".into()));
        assert_eq!(fr.week_of(date), "Semaine 47, du 16 novembre 2026 au 22 novembre 2026");
    }
}

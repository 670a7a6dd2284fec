//! Every word of the pages without script, by language: one file each in `dashboards/words`, named by its code.

use std::sync::LazyLock;

/// The language of whoever asks for none that is there.
const FALLBACK: &str = "en";

#[derive(rust_embed::RustEmbed)]
#[folder = "dashboards/words"]
struct Files;

/// A language.
pub(in crate::api) struct Language {
    /// Its code, as in `Accept-Language`.
    pub(in crate::api) code: String,
    /// Its words.
    pub(in crate::api) words: Words,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Words {
    pub(in crate::api) language: String,
    pub(in crate::api) other_pages: String,
    pub(super) no_value: String,
    pub(super) opt_out: OptOutWords,
    pub(super) receipt: ReceiptWords,
    pub(super) error: ErrorWords,
    pub(super) privacy: PrivacyWords,
    pub(super) poster: PosterWords,
    pub(in crate::api) sign_in: SignInWords,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptOutWords {
    pub(super) title: String,
    pub(super) lead: String,
    pub(super) field: String,
    pub(super) hint: String,
    pub(super) send: String,
    pub(super) where_title: String,
    pub(super) where_lead: String,
    pub(super) iphone_title: String,
    pub(super) iphone: Vec<String>,
    pub(super) android_title: String,
    pub(super) android: Vec<String>,
    pub(super) bluetooth_title: String,
    pub(super) bluetooth: Vec<String>,
    pub(super) does_title: String,
    pub(super) does: Vec<String>,
    pub(super) cannot_title: String,
    /// What P5 has the page and the notice say in the same words: for which address it holds.
    pub(super) limits: Vec<String>,
    pub(super) cannot: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptWords {
    pub(super) title: String,
    pub(super) lead: String,
    pub(super) code: String,
    pub(super) link: String,
    pub(super) check: String,
    pub(super) withdraw: String,
    pub(super) withdraw_note: String,
    pub(super) long_note: String,
    pub(super) renew: String,
    pub(super) ledger: String,
    pub(super) unknown_title: String,
    pub(super) unknown_lead: String,
    pub(super) again: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorWords {
    pub(super) title: String,
    empty: String,
    digits: String,
    letter: String,
    nobody: String,
    unavailable: String,
    many: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrivacyWords {
    pub(super) title: String,
    pub(super) lead: String,
    pub(super) stop: String,
    pub(super) who_title: String,
    pub(super) controller: String,
    pub(super) contact: String,
    pub(super) purpose: String,
    pub(super) missing: String,
    pub(super) counted_title: String,
    pub(super) counted: Vec<String>,
    pub(super) kept_title: String,
    pub(super) kept: Vec<String>,
    pub(super) live_title: String,
    pub(super) k: String,
    pub(super) retention: String,
    pub(super) retention_value: String,
    pub(super) key_wiped: String,
    pub(super) purged: String,
    pub(super) objections: String,
    pub(super) objections_value: String,
    pub(super) ledger: String,
    pub(super) ledger_value: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PosterWords {
    pub(super) notice: String,
    pub(super) title: String,
    pub(super) lead: String,
    pub(super) object: String,
    pub(super) how: String,
    pub(super) square: String,
    pub(super) limits_title: String,
    pub(super) where_title: String,
    pub(super) where_more: String,
    pub(super) rights_title: String,
    pub(super) rights: Vec<String>,
    pub(super) more: String,
    pub(super) printed: String,
}

/// The words of the staff's own doors.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SignInWords {
    pub(in crate::api) title: String,
    pub(in crate::api) name: String,
    pub(in crate::api) password: String,
    pub(in crate::api) send: String,
    pub(in crate::api) wrong: String,
    many: String,
    pub(in crate::api) stale: String,
    pub(in crate::api) forgotten: String,
    pub(in crate::api) known_as: String,
    pub(in crate::api) home: String,
    pub(in crate::api) sign_out: String,
    pub(in crate::api) needs_none: String,
    pub(in crate::api) none_yet: String,
    pub(in crate::api) first_title: String,
    pub(in crate::api) first_lead: String,
    pub(in crate::api) first_send: String,
    pub(in crate::api) first_note: String,
    pub(in crate::api) name_hint: String,
    pub(in crate::api) name_wrong: String,
    pub(in crate::api) password_hint: String,
    pub(in crate::api) password_short: String,
    pub(in crate::api) password_long: String,
    pub(in crate::api) password_easy: String,
    pub(in crate::api) over_title: String,
    pub(in crate::api) over_lead: String,
}

impl SignInWords {
    /// The sentence for whoever must wait some seconds.
    pub(in crate::api) fn too_often(&self, secs: u64) -> String {
        self.many.replace("{secs}", &secs.to_string())
    }
}

impl ErrorWords {
    /// The sentence for a client that must wait some seconds.
    pub(super) fn too_often(&self, secs: u64) -> String {
        self.many.replace("{secs}", &secs.to_string())
    }

    /// The sentence for a fault, by its word.
    pub(super) fn of(&self, fault: &str) -> &str {
        match fault {
            "empty" => &self.empty,
            "digits" => &self.digits,
            "letter" => &self.letter,
            "nobody" => &self.nobody,
            _ => &self.unavailable,
        }
    }
}

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let read = |name: std::borrow::Cow<'static, str>| {
        let file = Files::get(&name)?;
        // A test reads every file, so that none is left out here.
        let words = toml::from_str(std::str::from_utf8(&file.data).ok()?).ok()?;
        Some(Language { code: name.strip_suffix(".toml")?.to_owned(), words })
    };
    Files::iter().filter_map(read).collect()
});

/// Every language there is, by its code.
pub(in crate::api) fn languages() -> &'static [Language] {
    &LANGUAGES
}

/// The language of a code, if there are words in it.
pub(super) fn language(code: &str) -> Option<&'static Language> {
    languages().iter().find(|language| language.code.eq_ignore_ascii_case(code))
}

/// The language chosen by hand, or the one that the browser would rather have, or English.
pub(in crate::api) fn choose(by_hand: Option<&str>, accepted: Option<&str>) -> &'static Language {
    let known = |code: &str| {
        let primary = code.trim().split('-').next().unwrap_or_default();
        language(primary)
    };
    let mut wanted: Vec<(f32, &str)> = accepted
        .unwrap_or_default()
        .split(',')
        .map(|part| match part.split_once(";q=") {
            Some((code, q)) => (q.trim().parse().unwrap_or(0.0), code),
            None => (1.0, part),
        })
        .filter(|(q, _)| *q > 0.0)
        .collect();
    // The sort is stable: of equals the first stays first.
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    by_hand
        .and_then(known)
        .or_else(|| wanted.into_iter().find_map(|(_, code)| known(code)))
        .or_else(|| known(FALLBACK))
        .unwrap_or(&languages()[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_words_is_whole() {
        let mut read = 0;
        for name in Files::iter() {
            let file = Files::get(&name).unwrap();
            let text = std::str::from_utf8(&file.data).unwrap();
            let words: Result<Words, _> = toml::from_str(text);
            assert!(words.is_ok(), "{name}: {}", words.err().unwrap());
            read += 1;
        }
        assert_eq!(read, languages().len());
        assert!(["en", "fr"].iter().all(|code| languages().iter().any(|language| language.code == *code)));
    }

    #[test]
    fn the_browser_chooses_unless_a_hand_has() {
        for (by_hand, accepted, expected) in [
            (None, None, "en"),
            (None, Some("fr-CH, fr;q=0.9, en;q=0.8"), "fr"),
            (None, Some("de, en;q=0.5, fr;q=0.7"), "fr"),
            (None, Some("ja"), "en"),
            (None, Some("fr;q=0, en"), "en"),
            (None, Some(";;q=x,,"), "en"),
            (Some("en"), Some("fr"), "en"),
            (Some("xx"), Some("fr"), "fr"),
        ] {
            assert_eq!(choose(by_hand, accepted).code, expected, "{by_hand:?} {accepted:?}");
        }
    }
}

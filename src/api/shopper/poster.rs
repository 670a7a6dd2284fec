//! The notice on the wall: one sheet of A4 that needs nothing from outside. Whoever prints it has tried the way of an
//! objection out before.

use askama::Template;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};

use super::privacy::Facts;
use super::words::{self, Language, PosterWords, PrivacyWords};
use crate::api::State;
use crate::api::pages::source;
use crate::config::{Public, Venue};

/// The most characters that the sheet has room for, of each text of the operator's own.
const NAME_CHARS_MAX: usize = 50;
const URL_CHARS_MAX: usize = 60;
const CONTROLLER_CHARS_MAX: usize = 100;
const CONTACT_CHARS_MAX: usize = 80;
const PURPOSE_CHARS_MAX: usize = 120;
/// The most characters of zones' names; those that do not fit are told by their number.
const ZONES_CHARS_MAX: usize = 120;

/// A notice whose words are all there.
pub struct Poster<'a> {
    state: &'a State,
    venue: &'a Venue,
    language: &'static Language,
    /// How telephones reach the visitors' pages, without an end.
    url: &'a str,
    controller: &'a str,
    contact: &'a str,
    purpose: &'a str,
}

/// Why a notice is not printed, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum NotPrinted {
    /// No such venue.
    #[error("no such venue is counted here; ask for one of: {0}")]
    NoVenue(String),
    /// No words in that language.
    #[error("there are no words in that language; ask for one of: {0}, or add a file to dashboards/words")]
    NoLanguage(String),
    /// What a notice must say is not in the configuration.
    #[error("the notice has to name what the configuration does not: set {0}, and start the server again")]
    Missing(String),
    /// A text of the configuration does not fit on the sheet.
    #[error("the notice has room for {room} characters of {key}; shorten it, and start the server again")]
    TooLong {
        /// The key of the configuration.
        key: &'static str,
        /// The most characters.
        room: usize,
    },
    /// The address does not fit into a square code.
    #[error("public.url is too long for a square code; choose a shorter name")]
    NoSquare,
    /// The list of objections does not answer, or the page could not be written.
    #[error("the notice could not be written ({0}); try again")]
    Unwritten(String),
}

#[derive(Template)]
#[template(path = "poster.html", config = ".askama.toml")]
struct Sheet<'a> {
    code: &'a str,
    style: &'static str,
    venue: &'a str,
    w: &'a PosterWords,
    object_title: &'a str,
    limits: &'a [String],
    privacy: &'a PrivacyWords,
    counted: Vec<String>,
    kept: Vec<String>,
    who: Vec<(&'a str, String)>,
    square: String,
    square_words: String,
    address: String,
    printed: String,
}

impl<'a> Poster<'a> {
    /// A venue's notice in a language, if the configuration has what it must say.
    ///
    /// # Errors
    /// When it has not, or there is no such venue or language.
    pub fn of(state: &'a State, public: &'a Public, venue: &str, code: &str) -> Result<Self, NotPrinted> {
        let venues = || state.venues.iter().map(|venue| venue.id.as_str()).collect::<Vec<_>>().join(", ");
        let found = state.venues.iter().find(|known| known.id.as_str() == venue);
        let venue = found.ok_or_else(|| NotPrinted::NoVenue(venues()))?;
        let codes =
            || words::languages().iter().map(|known| known.code.as_str()).collect::<Vec<_>>().join(", ");
        let language = words::language(code).ok_or_else(|| NotPrinted::NoLanguage(codes()))?;
        let notice = &venue.notice;
        let named = [
            ("[public] url", &public.url),
            ("controller", &notice.controller),
            ("contact", &notice.contact),
            ("purpose", &notice.purpose),
        ];
        let [Some(url), Some(controller), Some(contact), Some(purpose)] = named.map(|(_, text)| said(text))
        else {
            let missing = named.iter().filter(|(_, text)| said(text).is_none()).map(|(key, _)| *key);
            return Err(NotPrinted::Missing(missing.collect::<Vec<_>>().join(", ")));
        };
        for (key, text, room) in [
            ("the venue's name", venue.name.as_str(), NAME_CHARS_MAX),
            ("[public] url", url, URL_CHARS_MAX),
            ("controller", controller, CONTROLLER_CHARS_MAX),
            ("contact", contact, CONTACT_CHARS_MAX),
            ("purpose", purpose, PURPOSE_CHARS_MAX),
        ] {
            if text.chars().count() > room {
                return Err(NotPrinted::TooLong { key, room });
            }
        }
        Ok(Self { state, venue, language, url, controller, contact, purpose })
    }

    /// The venue it is for.
    #[must_use]
    pub fn venue(&self) -> &Venue {
        self.venue
    }

    /// The language's code, for a file's name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        &self.language.code
    }

    /// The sheet, as a page that is whole in itself.
    ///
    /// # Errors
    /// When the list of objections does not answer.
    pub async fn print(&self) -> Result<String, NotPrinted> {
        let facts = Facts::of(self.state, self.venue);
        let facts = facts.await.map_err(|_| NotPrinted::Unwritten("the list does not answer".to_owned()))?;
        let words = &self.language.words;
        let (w, privacy) = (&words.poster, &words.privacy);
        let objections = format!("{}/opt-out", self.url);
        let date = self.venue.calendar.local(self.state.clock.now()).date_naive();
        let sheet = Sheet {
            code: &self.language.code,
            style: concat!(source!("palette.css"), source!("shopper/poster.css")),
            venue: &self.venue.name,
            w,
            object_title: &words.opt_out.title,
            limits: &words.opt_out.limits,
            counted: facts.filled(&privacy.counted),
            kept: facts.filled(&privacy.kept),
            who: vec![
                (&privacy.controller, self.controller.to_owned()),
                (&privacy.contact, self.contact.to_owned()),
                (&w.more, readable(&format!("{}/privacy/{}", self.url, self.venue.id))),
                (&privacy.purpose, self.purpose.to_owned()),
                (&w.where_title, self.zones(w)),
                (&privacy.retention, facts.retention(privacy)),
            ],
            square: square(&objections)?,
            square_words: w.square.replace("{address}", &objections),
            address: readable(&objections),
            printed: facts.ledger(&w.printed.replace("{date}", &date.to_string())),
            privacy,
        };
        sheet.render().map_err(|error| NotPrinted::Unwritten(error.to_string()))
    }

    /// The zones that have an antenna, by their names.
    fn zones(&self, w: &PosterWords) -> String {
        let Venue { zones, sensors, .. } = self.venue;
        let heard = |place: &usize| sensors.iter().any(|sensor| sensor.zone == *place);
        let names: Vec<&str> =
            (0..zones.len()).filter(heard).map(|place| zones[place].name.as_str()).collect();
        let mut chars = 0;
        let fits = |name: &&&str| {
            chars += name.chars().count() + 2;
            chars <= ZONES_CHARS_MAX
        };
        let told: Vec<&str> = names.iter().take_while(fits).copied().collect();
        match names.len() - told.len() {
            0 => told.join(", "),
            more => w.where_more.replace("{zones}", &told.join(", ")).replace("{count}", &more.to_string()),
        }
    }
}

/// A text that says something.
fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// An address as people type it: a browser adds the usual scheme by itself.
fn readable(url: &str) -> String {
    url.strip_prefix("https://").unwrap_or(url).to_owned()
}

/// The square code of an address, as a picture that stands inside the page. A quarter of it may be soiled. The white that
/// it needs around it is the sheet's.
fn square(url: &str) -> Result<String, NotPrinted> {
    let code = QRBuilder::new(url).ecl(ECL::Q).build().map_err(|_| NotPrinted::NoSquare)?;
    Ok(SvgBuilder::default().margin(0).to_str(&code))
}

#[cfg(test)]
#[path = "poster_tests.rs"]
mod tests;

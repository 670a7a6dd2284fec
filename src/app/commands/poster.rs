//! `passant poster`: the notice as a printable page, refused while the way of an objection does not work.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Refused, Request, ask_server, write_down_refusal};
use crate::api::{self, Poster};
use crate::app::self_test::{Broken, SelfTest};
use crate::app::{Configured, say};
use crate::config::{Config, Public, Venue};

/// Which notice.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    configured: Configured,
    /// The venue's id
    #[arg(long)]
    venue: String,
    /// Its language, by the code of a file in dashboards/words
    #[arg(long, default_value = "en")]
    lang: String,
    /// Where to write the page; - is standard output. Unless it is named: poster-VENUE-LANG.html
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a running server needs to try the way of an objection out, and to print.
#[derive(Clone)]
pub(in crate::app) struct Notices {
    pub(in crate::app) state: api::State,
    pub(in crate::app) public: Public,
    pub(in crate::app) self_test: SelfTest,
}

/// A notice that may be hung up.
#[derive(Serialize, Deserialize)]
pub(super) struct Printed {
    html: String,
    venue: String,
    lang: String,
}

/// Has the notice printed by the running server, and writes it to its file.
///
/// # Errors
/// When the way of an objection does not work, no server runs, or the notice has not all it must say: the refusal is
/// written down then. Or when the file cannot be written.
pub async fn run(options: &Options) -> Result<()> {
    let config = Config::load(&options.configured.config, std::env::vars())?;
    let printed = match printed(&config, &options.venue, &options.lang).await {
        Ok(printed) => printed,
        Err(why) => {
            let told = write_down_refusal(&config, Refused::Poster).await;
            let untold = told.err().map(|error| format!("; and the ledger was not told: {error:#}"));
            return Err(why.context(format!("no notice is printed{}", untold.unwrap_or_default())));
        }
    };
    let named = options.out.clone();
    let out = named.unwrap_or_else(|| format!("poster-{}-{}.html", printed.venue, printed.lang).into());
    if out.as_os_str() == "-" {
        say(printed.html.trim_end());
        return Ok(());
    }
    std::fs::write(&out, printed.html).with_context(|| format!("writing the notice to {}", out.display()))?;
    say(&format!(
        "An objection was tried out and worked. The notice is in {}; print it on A4, without margins of the browser's own.",
        out.display()
    ));
    Ok(())
}

/// Asks the running server for a notice.
async fn printed(config: &Config, venue: &str, lang: &str) -> Result<Printed> {
    let request = Request::Poster { venue: venue.to_owned(), lang: lang.to_owned() };
    let value = ask_server(config, &request).await?.context(NO_SERVER)?;
    Ok(serde_json::from_value(value)?)
}

/// Why there is no notice where no server runs.
const NO_SERVER: &str = "no server runs for this data directory, so nobody who objects could be left out; start `passant serve` and ask again";

impl Notices {
    /// Tries the way of an objection out and prints the notice.
    pub(super) async fn print(&self, venue: &str, lang: &str) -> Result<Printed> {
        let poster = Poster::of(&self.state, &self.public, venue, lang)?;
        self.try_out(poster.venue()).await?;
        let (venue, lang) = (poster.venue().id.to_string(), poster.code().to_owned());
        Ok(Printed { html: poster.print().await?, venue, lang })
    }

    /// Tries the way of an objection out in every venue.
    pub(super) async fn try_out_all(&self) -> Result<usize> {
        for venue in self.state.venues.iter() {
            self.try_out(venue).await.with_context(|| format!("venue {}", venue.id))?;
        }
        Ok(self.state.venues.len())
    }

    async fn try_out(&self, venue: &Venue) -> Result<(), Broken> {
        self.self_test.run(&venue.id).await
    }
}

#[cfg(test)]
#[path = "poster_tests.rs"]
mod tests;

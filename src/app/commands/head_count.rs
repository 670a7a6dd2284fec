//! `passant head-count`: people counted by eye, from which the crowd lens learns its scale.

use anyhow::{Context, Result};
use chrono::DateTime;

use super::{Request, ask};
use crate::app::{Configured, say};

/// What to do with a head count.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Enter how many people stood in a zone
    Add {
        #[command(flatten)]
        configured: Configured,
        /// The venue's id
        #[arg(long)]
        venue: String,
        /// The zone's id
        #[arg(long)]
        zone: String,
        /// Where the count begins, RFC 3339, on the edge of a five-minute window
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Where it ends, at most an hour later
        #[arg(long, value_name = "TIME")]
        to: String,
        /// How many people were there, on average
        #[arg(long)]
        people: u32,
    },
    /// List the head counts of a venue
    List {
        #[command(flatten)]
        configured: Configured,
        /// The venue's id
        #[arg(long)]
        venue: String,
    },
    /// Take a head count back
    Remove {
        #[command(flatten)]
        configured: Configured,
        /// The venue's id
        #[arg(long)]
        venue: String,
        /// Its number, as `list` prints it
        number: i64,
    },
}

/// Carries it out and prints what came of it.
///
/// # Errors
/// When it cannot be done, in words that say what to do.
pub async fn run(options: &Options) -> Result<()> {
    let (configured, request) = match &options.verb {
        Verb::Add { configured, venue, zone, from, to, people } => {
            let (from_ms, to_ms) = (moment("--from", from)?, moment("--to", to)?);
            let (venue, zone) = (venue.clone(), zone.clone());
            (configured, Request::HeadCountAdd { venue, zone, from_ms, to_ms, people: *people })
        }
        Verb::List { configured, venue } => (configured, Request::HeadCountList { venue: venue.clone() }),
        Verb::Remove { configured, venue, number } => {
            (configured, Request::HeadCountRemove { venue: venue.clone(), number: *number })
        }
    };
    let value = ask(&configured.config, request).await?;
    if options.json {
        say(&value.to_string());
        return Ok(());
    }
    for row in value.as_array().unwrap_or(&vec![value.clone()]) {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        say(&format!(
            "{}  {}  {}  {}  {} people",
            row["id"],
            text("zone"),
            text("from"),
            text("to"),
            row["people"]
        ));
    }
    Ok(())
}

fn moment(which: &str, text: &str) -> Result<i64> {
    let at = DateTime::parse_from_rfc3339(text);
    Ok(at
        .with_context(|| format!("{which} is not a time like 2026-11-20T10:00:00+01:00"))?
        .timestamp_millis())
}

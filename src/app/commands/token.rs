//! `passant token`: how programs come in. A token is printed once, when it is made.

use anyhow::Result;

use super::staff::{self, Grants, roles_in_words};
use super::{Request, ask};
use crate::app::{Configured, say};

/// What to do with an API token.
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
    /// Make an API token and print it, this once
    Add {
        #[command(flatten)]
        configured: Configured,
        /// What it is for
        label: String,
        #[command(flatten)]
        grants: Grants,
    },
    /// List the API tokens, without their texts
    List(Configured),
    /// Revoke an API token
    Remove {
        #[command(flatten)]
        configured: Configured,
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
        Verb::Add { configured, label, grants } => {
            let (label, grants) = (label.clone(), grants.clone());
            (configured, staff::Request::TokenAdd { label, grants })
        }
        Verb::List(configured) => (configured, staff::Request::TokenList),
        Verb::Remove { configured, number } => (configured, staff::Request::TokenRemove { number: *number }),
    };
    let value = ask(&configured.config, Request::Staff(request)).await?;
    if options.json {
        say(&value.to_string());
        return Ok(());
    }
    if let Some(text) = value["token"].as_str() {
        // Alone on its line, so that a script may take it.
        say(text);
        return Ok(());
    }
    for row in value.as_array().unwrap_or(&vec![value.clone()]) {
        let label = row["label"].as_str().unwrap_or_default();
        say(&format!("{}  {label}  {}", row["id"], roles_in_words(row)));
    }
    Ok(())
}

//! `passant optout`: the same as the form, for a venue's desk. Addresses and receipts come on standard input.

use std::path::PathBuf;

use anyhow::Result;

use super::{Request, ask, line_of_input};
use crate::app::{Configured, say};

/// What to do with an objection.
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
    /// Put an objection in force; the device's address comes on standard input, the receipt is printed
    Add(Configured),
    /// Withdraw an objection; its receipt comes on standard input
    Withdraw(Configured),
    /// Say how many objections are in force, decoys among them
    Count(Configured),
    /// Bring back the objections of a restored backup
    Merge {
        #[command(flatten)]
        configured: Configured,
        /// The backup's database
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
}

/// Carries it out and prints what came of it.
///
/// # Errors
/// When it cannot be done, in words that say what to do.
pub async fn run(options: &Options) -> Result<()> {
    let (configured, request) = match &options.verb {
        Verb::Add(configured) => {
            (configured, Request::OptOutAdd { device: line_of_input("the device's address")? })
        }
        Verb::Withdraw(configured) => {
            (configured, Request::OptOutWithdraw { receipt: line_of_input("the receipt")? })
        }
        Verb::Count(configured) => (configured, Request::OptOutCount),
        Verb::Merge { configured, from } => {
            // The server stands in a directory of its own.
            (configured, Request::OptOutMerge { from: std::path::absolute(from)? })
        }
    };
    let value = ask(&configured.config, request).await?;
    if options.json {
        say(&value.to_string());
        return Ok(());
    }
    match &options.verb {
        Verb::Add(_) => {
            say(value["receipt"].as_str().unwrap_or_default());
            if value["bits"] == 28 {
                say("The list of short marks is full; this one has 28 bits and hides less well whose it is.");
            }
        }
        Verb::Withdraw(_) => say("Withdrawn."),
        Verb::Count(_) => say(&format!(
            "About {} objections are in force, {} to {} of them decoys.",
            value["rows_about"], value["decoys_min"], value["decoys_max"]
        )),
        Verb::Merge { .. } => say(&format!("{} objections came back.", value["merged"])),
    }
    Ok(())
}

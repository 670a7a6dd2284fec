//! `passant user`: accounts of those who run the place. A password comes on standard input, never as an argument.

use anyhow::Result;

use super::staff::{self, Grants, roles_in_words};
use super::{Request, ask, secret_of_input};
use crate::app::{Configured, say};

/// What to do with an account.
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
    /// Make an account; its password comes on standard input
    Add {
        #[command(flatten)]
        configured: Configured,
        /// What its holder signs in with
        name: String,
        #[command(flatten)]
        grants: Grants,
    },
    /// List the accounts
    List(Configured),
    /// Remove an account; its sessions end at once
    Remove {
        #[command(flatten)]
        configured: Configured,
        /// Its name, as `list` prints it
        name: String,
    },
}

/// Carries it out and prints what came of it.
///
/// # Errors
/// When it cannot be done, in words that say what to do.
pub async fn run(options: &Options) -> Result<()> {
    let (configured, request) = match &options.verb {
        Verb::Add { configured, name, grants } => {
            let password = secret_of_input("the password")?;
            let (name, grants) = (name.clone(), grants.clone());
            (configured, staff::Request::UserAdd { name, password, grants })
        }
        Verb::List(configured) => (configured, staff::Request::UserList),
        Verb::Remove { configured, name } => (configured, staff::Request::UserRemove { name: name.clone() }),
    };
    let value = ask(&configured.config, Request::Staff(request)).await?;
    if options.json {
        say(&value.to_string());
        return Ok(());
    }
    for row in value.as_array().unwrap_or(&vec![value.clone()]) {
        say(&format!("{}  {}", row["name"].as_str().unwrap_or_default(), roles_in_words(row)));
    }
    Ok(())
}

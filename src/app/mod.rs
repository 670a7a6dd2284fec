//! The program's commands, one file each.

mod audit;
pub mod check;
pub mod commands;
pub mod demo;
pub mod evaluate;
mod guarded;
mod listening;
mod outlet;
mod resumed;
mod retention;
mod self_test;
pub mod serve;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The command failed; usage errors are clap's, with 2.
const FAILED: u8 = 1;

/// Counts the people in a venue from the radio signals their phones send anyway, and keeps nobody's trace.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show a living mall: embedded broker, server and simulator in one process
    Demo(demo::Options),
    /// Run the server: sightings in, judged figures out
    Serve(serve::Options),
    /// Check a configuration, the broker, the store and the machine; say who publishes
    Check(check::Options),
    /// Put an objection in force, withdraw one, or count them, at a venue's desk
    Optout(commands::optout::Options),
    /// Add a sensor to the configuration
    Sensor(commands::sensor::Options),
    /// Enter, list and take back head counts
    HeadCount(commands::head_count::Options),
    /// Make, list and remove accounts
    User(commands::user::Options),
    /// Make, list and revoke API tokens
    Token(commands::token::Options),
    /// Print the notice to visitors, if an objection works when it is tried out
    Poster(commands::poster::Options),
    /// Erase a venue's data and keys for good, and print a certificate
    Destroy(commands::destroy::Options),
    /// Estimate occupancy offline from recorded captures of one sensor; prints CSV
    Evaluate(evaluate::Options),
}

/// Commands that need the configuration.
#[derive(Debug, clap::Args)]
pub struct Configured {
    /// The configuration, TOML; every key is documented in the example that ships with the program
    #[arg(long, default_value = "passant.toml")]
    pub config: PathBuf,
}

/// Runs the program with the words of its command line, the program's own name first.
#[must_use]
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = Command::parse_from(words);
    crate::telemetry::start_log();
    guarded::keep_panics_to_their_place();
    // Every command may hold a device: the desk's reads one from its input.
    guarded::keep_memory_to_ourselves();
    let done = match command.verb {
        Verb::Evaluate(options) => evaluate::run(&options, std::io::stdout().lock()),
        Verb::Demo(options) => on_runtime(demo::run(&options)),
        Verb::Serve(options) => on_runtime(serve::run(&options)),
        Verb::Optout(options) => on_runtime(commands::optout::run(&options)),
        Verb::Sensor(options) => commands::sensor::run(&options),
        Verb::HeadCount(options) => on_runtime(commands::head_count::run(&options)),
        Verb::User(options) => on_runtime(commands::user::run(&options)),
        Verb::Token(options) => on_runtime(commands::token::run(&options)),
        Verb::Poster(options) => on_runtime(commands::poster::run(&options)),
        Verb::Destroy(options) => on_runtime(commands::destroy::run(&options)),
        Verb::Check(options) => on_runtime(check::run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(FAILED)
        }
    }
}

/// Prints a line for whoever typed the command. Nobody may be listening any more.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[expect(clippy::print_stderr, reason = "the last word of a command is for whoever typed it")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

fn on_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

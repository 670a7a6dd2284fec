//! `passant destroy`: erases a venue's data and keys, reads back, and prints a certificate.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use passant_wire::Id;
use serde::{Deserialize, Serialize};

use super::{Clerk, Request, ask, line_of_input};
use crate::app::{Configured, say};
use crate::intake;
use crate::ledger::Event;
use crate::link;
use crate::sighting::{Arrival, Delivery};
use crate::vault;

/// The corridor lets a venue go within this.
const CORRIDOR_WAIT: Duration = Duration::from_secs(30);

/// What no program of this machine can reach or prove, told on every certificate.
const NOT_REACHED: [&str; 8] = [
    "backups and snapshots of the file system, and images of a virtual machine, made before",
    "what the broker itself may have written to a disk; the configuration that ships has it write nothing",
    "blocks that a solid-state disk or a copying file system has moved elsewhere",
    "exports, answers of the API and pages that people have kept; what Prometheus or Grafana have collected",
    "the antennas and their makers' clouds",
    "the configuration file, in which the venue's name still stands",
    "the ledger, whose lines of this venue stay: they say when keys and rows went, and nothing of anyone",
    "the list of objections, which belongs to the whole installation",
];

/// Which venue.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    configured: Configured,
    /// The venue's id
    #[arg(long)]
    venue: String,
    /// Do not ask for the id once more
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was erased, and what was not.
#[derive(Serialize, Deserialize)]
pub(super) struct Certificate {
    venue: String,
    /// When it was done, RFC 3339.
    at: String,
    /// Rows erased, by table.
    rows_erased: BTreeMap<String, u64>,
    /// Rows of the venue read back afterwards.
    rows_left: u64,
    database_log_cut: bool,
    database_rewritten: bool,
    /// The venue's keys and open windows were in a running server's memory, and were wiped there.
    keys_wiped_in_memory: bool,
    /// Files of the venue that still lie in the vault; absent where none is configured.
    vault_files_left: Option<usize>,
    /// What the broker retained and still retains; absent when it could not be asked.
    retained_cleared: Option<usize>,
    retained_left: Option<usize>,
    broker_error: Option<String>,
    ledger_line: u64,
    ledger_head: String,
    /// Whether everything that can be reached was erased.
    complete: bool,
    not_reached: Vec<String>,
}

/// Asks for confirmation, has the venue erased, and prints the certificate.
///
/// # Errors
/// When it was not confirmed, or something that can be reached was not erased.
pub async fn run(options: &Options) -> Result<()> {
    if !options.yes {
        ensure!(
            std::io::stdin().is_terminal(),
            "destroying a venue cannot be undone; say --yes where nobody can be asked"
        );
        let typed = line_of_input(
            "This erases every figure, head count, calibration and key of the venue, for good. To go on, type its id",
        )?;
        ensure!(typed == options.venue, "that is another id; nothing was erased");
    }
    let request = Request::Destroy { venue: options.venue.clone() };
    let value = ask(&options.configured.config, request).await?;
    let certificate: Certificate = serde_json::from_value(value.clone())?;
    if options.json {
        say(&value.to_string());
    } else {
        certificate.lines().iter().for_each(|line| say(line));
    }
    ensure!(
        certificate.complete,
        "not everything was erased; the certificate says what is left. Do it again"
    );
    Ok(())
}

/// Erases a venue. To do it again changes nothing.
pub(super) async fn destroy(clerk: &Clerk, venue: &Id) -> Result<Certificate> {
    let place = clerk.venues.iter().position(|known| known.id == *venue);
    let known = place.is_some() || clerk.ledger.facts(venue).destroyed.is_some();
    ensure!(
        known || clerk.store.rows_of(venue).await? > 0,
        "destroying: no such venue is configured, and the database has nothing of it"
    );
    clerk.store.shut(venue);
    let keys_wiped_in_memory = let_go(clerk, place).await?;
    let vault_files_left = clerk.vault_dir.as_deref().map(|dir| wipe_vault(dir, venue));
    let erased = clerk.store.erase(venue).await?;
    ensure!(erased.left == 0, "destroying: {} rows of the venue were read back; do it again", erased.left);
    let cleared = clear_retained(clerk, venue).await;
    let head = clerk.write_down(Event::Destroyed { venue: venue.clone() }).await?;
    tracing::info!(%venue, "a venue was destroyed");
    let left = cleared.as_ref().map_or(1, |cleared| cleared.left);
    Ok(Certificate {
        venue: venue.to_string(),
        at: clerk.clock.now().rfc3339(),
        rows_left: erased.left,
        database_log_cut: erased.log_cut,
        database_rewritten: erased.rewritten,
        keys_wiped_in_memory,
        vault_files_left,
        retained_cleared: cleared.as_ref().ok().map(|cleared| cleared.topics),
        retained_left: cleared.as_ref().ok().map(|cleared| cleared.left),
        broker_error: cleared.err().map(|error| format!("{error:#}")),
        ledger_line: head.number,
        ledger_head: head.hex(),
        complete: erased.log_cut && left == 0 && vault_files_left.unwrap_or(0) == 0,
        rows_erased: erased.rows.into_iter().collect(),
        not_reached: NOT_REACHED.iter().map(|&what| what.to_owned()).collect(),
    })
}

/// Has a running server wipe the venue's keys and let its open windows go. Gives whether one runs.
async fn let_go(clerk: &Clerk, place: Option<usize>) -> Result<bool> {
    let (Some(lane), Some(place)) = (&clerk.fast_lane, place) else { return Ok(false) };
    let (delivery, taken) = Delivery::awaited(Arrival::Destroyed { venue: u16::try_from(place)? });
    let done = async {
        lane.send(delivery).await.ok()?;
        // It ends when the corridor has let the venue go.
        let _ = taken.await;
        Some(())
    };
    let done = tokio::time::timeout(CORRIDOR_WAIT, done).await.ok().flatten();
    done.context(
        "destroying: the server did not let the venue go; nothing was erased. Stop it and try again",
    )?;
    Ok(true)
}

/// Overwrites and removes what lies in the vault of the venue. Gives how many files are left.
fn wipe_vault(dir: &Path, venue: &Id) -> usize {
    if let Err(error) = vault::wipe(dir, venue) {
        tracing::error!(%error, "the vault was not wiped");
    }
    vault::files_of(dir, venue)
}

async fn clear_retained(clerk: &Clerk, venue: &Id) -> Result<link::Cleared> {
    let options = intake::options(&clerk.mqtt)?;
    Ok(link::clear_retained(options, &format!("passant/v1/{venue}/#")).await?)
}

impl Certificate {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("Certificate of destruction: venue {}", self.venue),
            format!("at {}", self.at),
            String::new(),
            "Erased:".to_owned(),
        ];
        lines.extend(
            self.rows_erased.iter().map(|(table, rows)| format!("  {rows} rows of the table {table}")),
        );
        lines.push(format!("  {} rows of the venue were read back afterwards", self.rows_left));
        lines.push(match self.database_log_cut {
            true => "  the database's log was cut to nothing".to_owned(),
            false => "  NOT ERASED: the database's log could not be cut, for somebody reads it".to_owned(),
        });
        lines.push(match self.database_rewritten {
            true => "  the database's file was written anew".to_owned(),
            false => "  the database's file was overwritten in place".to_owned(),
        });
        lines.push(match self.keys_wiped_in_memory {
            true => "  its keys and open windows were wiped in the server's memory".to_owned(),
            false => "  no server counts there, so no key of it is in a memory".to_owned(),
        });
        lines.extend(self.vault_files_left.map(|left| match left {
            0 => "  the vault holds nothing of it; what lay there was overwritten".to_owned(),
            left => format!("  NOT ERASED: {left} files of it lie in the vault"),
        }));
        lines.push(match (self.retained_cleared, self.retained_left, &self.broker_error) {
            (Some(cleared), Some(0), _) => format!("  {cleared} retained messages at the broker"),
            (_, Some(left), _) => {
                format!("  NOT ERASED: the broker still retains {left} messages of the venue")
            }
            (.., why) => {
                format!("  NOT ERASED: what the broker retains ({})", why.as_deref().unwrap_or_default())
            }
        });
        lines.push(String::new());
        lines.push("Not reached, and not proved:".to_owned());
        lines.extend(self.not_reached.iter().map(|what| format!("  {what}")));
        lines.push(String::new());
        lines.push(format!("Line {} of the ledger: {}", self.ledger_line, self.ledger_head));
        lines
    }
}

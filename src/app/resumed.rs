//! What earlier runs left of a venue: figures in the store, keys by the ledger's word, open state in the vault.

use anyhow::{Context as _, Result};
use passant_wire::Id;

use super::guarded::swap_areas;
use crate::clock::{EpochMs, Machine};
use crate::config::{ClockKind, Config, Venue};
use crate::ledger::Ledger;
use crate::pipeline::{self, Earlier, Journal, Reading};
use crate::store::Store;
use crate::vault::Vault;

/// The vault that the configuration asks for. What lies there of venues that are not configured any more is wiped.
///
/// # Errors
/// When the directory is not fit to hold one.
pub(super) fn vault(config: &Config) -> Result<Option<Vault>> {
    let Some(dir) = &config.vault_dir else { return Ok(None) };
    let vault = Vault::open(dir, &swap_areas())?;
    let venues: Vec<&Id> = config.venues.iter().map(|venue| &venue.id).collect();
    let strangers = vault.wipe_others(&venues)?;
    if strangers > 0 {
        tracing::warn!(strangers, "files of venues that are not configured were wiped from the vault");
    }
    Ok(Some(vault))
}

/// What earlier runs left of a venue; what they had closed is in the store when this returns.
///
/// # Errors
/// When the store or the ledger does not answer.
pub(super) async fn earlier(
    venue: &Venue,
    vault: Option<&Vault>,
    store: &Store,
    ledger: &Ledger,
    machine: Machine,
) -> Result<Earlier> {
    let now = Reading::take(machine);
    let journal = vault.map(|vault| Journal::open(vault, venue, now)).transpose();
    let mut journal = journal.context("opening the vault")?;
    if let Some(journal) = &journal {
        let written = pipeline::write_down(store, ledger, journal.unwritten()).await;
        written.context("writing what an earlier run had closed")?;
    }
    let published = store.newest_end(&venue.id).await?;
    if let Some(journal) = &mut journal {
        journal.published(published);
    }
    Ok(Earlier { published, heard_until: heard_until(venue, ledger, now.wall), journal })
}

/// Until when an earlier run may have heard. One that stopped as it was told to wiped its keys then; one that crashed may
/// have heard until just now. In a replay nobody knows what the ledger's time would mean.
fn heard_until(venue: &Venue, ledger: &Ledger, now: EpochMs) -> Option<EpochMs> {
    let facts = ledger.facts(&venue.id);
    match (venue.clock, facts.keys) {
        (ClockKind::Sightings, _) => None,
        (ClockKind::Wall, 0) => facts.last_key_wiped,
        (ClockKind::Wall, _) => Some(now),
    }
}

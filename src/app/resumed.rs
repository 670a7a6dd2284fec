//! What earlier runs left of a venue: figures in the store, keys by the ledger's word, open state in the vault.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use passant_wire::Id;
use tokio::sync::{mpsc, watch};

use super::guarded::swap_areas;
use crate::clock::{EpochMs, Machine, Step};
use crate::config::{ClockKind, Config, Venue};
use crate::ledger::Ledger;
use crate::optout::Gate;
use crate::pipeline::{self, Corridor, Earlier, Journal, Reading, Room};
use crate::release::{Metric, USUAL_DAYS};
use crate::sighting::{Arrival, Delivery};
use crate::store::Store;
use crate::telemetry::Tally;
use crate::vault::Vault;

/// Objections on their way into the vault while no server runs.
const OBJECTIONS_MAX: usize = 16;

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
    let stable_shares = stable_shares(venue, store, published).await?;
    Ok(Earlier { published, heard_until: heard_until(venue, ledger, now.wall), stable_shares, journal })
}

/// Which share of people the stable devices were on the days before the newest figure, as far back as the usual of a
/// weekday reaches.
async fn stable_shares(
    venue: &Venue,
    store: &Store,
    published: Option<EpochMs>,
) -> Result<Vec<(EpochMs, u32)>> {
    let Some(newest) = published else { return Ok(Vec::new()) };
    let from = venue.calendar.days_before(newest, 7 * USUAL_DAYS as u32);
    let days = store.series(&venue.id, None, Metric::StableShare, Step::Day, from, newest).await?;
    Ok(days.iter().filter_map(|day| Some((day.window.from, day.value?.value))).collect())
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

/// A lane for objections while no server runs, where a vault is configured: what lies in it forgets the open visit too, so
/// that the next start does not go on with it. An unfit vault refuses no objection: no server starts with it either.
///
/// # Errors
/// When the store or the ledger does not answer.
pub(super) async fn objections(
    config: &Config,
    gate: Gate,
    store: &Store,
    ledger: &Ledger,
    machine: Machine,
) -> Result<Option<mpsc::Sender<Delivery>>> {
    let opened = vault(config);
    if let Err(error) = &opened {
        tracing::warn!("{error:#}");
    }
    let Some(vault) = opened.ok().flatten() else { return Ok(None) };
    let mut rooms = Vec::new();
    for venue in &config.venues {
        let earlier = earlier(venue, Some(&vault), store, ledger, machine).await?;
        let thresholds = store.thresholds_version(&venue.id, &venue.made_under()?).await?;
        let (live, venue) = (watch::channel(None).0, Arc::new(venue.clone()));
        if earlier.journal.as_ref().is_some_and(Journal::goes_on) {
            rooms.push(Room { venue, thresholds, calibration: None, earlier, live });
        }
    }
    let (lane, mut objections) = mpsc::channel::<Delivery>(OBJECTIONS_MAX);
    let mut corridor = Corridor::new(gate, rooms, Tally::default());
    tokio::spawn(async move {
        while let Some(Delivery { arrival, ack }) = objections.recv().await {
            if let Arrival::OptedOut { .. } = arrival {
                let now = Reading::take(machine);
                let taken = corridor.take(arrival, now, &mut Vec::new());
                corridor.journal(now, [].iter());
                if let Err(error) = taken {
                    tracing::error!(%error, "the vault did not forget an open visit");
                }
            }
            drop(ack);
        }
    });
    Ok(Some(lane))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EXAMPLE;
    use crate::ledger::Event;

    #[test]
    fn the_ledger_tells_a_crash_from_a_stop() {
        let temp = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(temp.path()).unwrap();
        let venue = &Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues[0];
        let (id, now) = (|| venue.id.clone(), EpochMs(1_764_000_900_000));
        let at = |minute: i64| EpochMs(1_764_000_000_000 + minute * 60_000);
        let write = |minute, event| ledger.append(at(minute), &event).map(|_| ()).unwrap();
        assert_eq!(heard_until(venue, &ledger, now), None, "the first start there is");
        write(0, Event::Started);
        write(1, Event::KeyMade { venue: id() });
        assert_eq!(heard_until(venue, &ledger, now), Some(now), "it crashed with a key");
        write(2, Event::KeyWiped { venue: id() });
        write(3, Event::Stopped);
        assert_eq!(heard_until(venue, &ledger, now), Some(at(2)), "it wiped its key when it stopped");
        write(4, Event::Started);
        write(5, Event::Resumed { venue: id(), secs: 1 });
        let ledger = Ledger::open(temp.path()).unwrap();
        assert_eq!(heard_until(venue, &ledger, now), Some(now), "what goes on from the vault has a key");
        let replay = Venue { clock: ClockKind::Sightings, ..venue.clone() };
        assert_eq!(heard_until(&replay, &ledger, now), None);
    }
}

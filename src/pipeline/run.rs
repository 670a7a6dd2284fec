//! The corridor on a thread of its own, with its doors and its writer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::corridor::{Corridor, Write};
use super::journal::UNWRITTEN_MAX;
use super::venue_clock::Reading;
use crate::calibration::Summary;
use crate::clock::{EpochMs, Machine};
use crate::ledger::{self, Event, Ledger};
use crate::memory;
use crate::pseudonym::KeyError;
use crate::sighting::{Arrival, Delivery};
use crate::store::{self, CalibrationRow, Store};

/// Deliveries waiting at the front door, at most; with it full the intake waits.
pub const DELIVERIES_MAX: usize = 1_024;
/// Deliveries waiting in the fast lane, at most.
const FAST_LANE_MAX: usize = 256;
/// Deliveries taken between two looks at the fast lane and the clock.
const BATCH_MAX: usize = 32;
/// Writes on their way to the store, at most.
pub(super) const WRITES_MAX: usize = 256;
/// Writes kept back behind those while the store takes none; over it no delivery is taken in, so that the intake waits, and
/// then the broker. Time goes on: windows close, keys are wiped, objections are heard.
pub(super) const BACKLOG_MAX: usize = 256;
/// At the end the store is given this long to take what has closed.
const LAST_WRITES: Duration = Duration::from_secs(10);
/// Time is looked at this often when nothing arrives.
const TICK: Duration = Duration::from_millis(250);
/// The pause before a failed write is tried again: doubled each time, up to the longest.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LONGEST: Duration = Duration::from_secs(10);

/// The two lanes of the front door.
#[derive(Clone, Debug)]
pub struct Door {
    /// For sensors' messages.
    pub deliveries: mpsc::Sender<Delivery>,
    /// For objections and head counts, past a full queue.
    pub fast: mpsc::Sender<Delivery>,
}

/// A corridor at work.
pub struct Running {
    stop: oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
    writer: JoinHandle<()>,
    failed: oneshot::Receiver<String>,
    rotated: watch::Receiver<()>,
}

/// Why the corridor could not start.
#[derive(Debug, thiserror::Error)]
#[error("starting the corridor's thread")]
pub struct StartError(#[from] std::io::Error);

/// Starts a corridor. It must be called inside a tokio runtime, which runs the writer.
///
/// # Errors
/// When the system gives no thread.
pub fn start(
    corridor: Corridor,
    store: Store,
    ledger: Ledger,
    machine: Machine,
) -> Result<(Door, Running), StartError> {
    let (deliveries, arriving) = mpsc::channel(DELIVERIES_MAX);
    let (fast, objections) = mpsc::channel(FAST_LANE_MAX);
    let (writes, to_write) = mpsc::channel(WRITES_MAX);
    let (stop, stopped) = oneshot::channel();
    let (fail, failed) = oneshot::channel();
    let (rotation, rotated) = watch::channel(());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let written = Arc::new(AtomicU64::new(0));
    let unwritten = Unwritten { writes: VecDeque::new(), handed: 0, written: written.clone() };
    let backlog = VecDeque::new();
    let work = Work { corridor, arriving, objections, writes, backlog, unwritten, machine, rotation };
    let thread = std::thread::Builder::new().name("corridor".to_owned()).spawn(move || {
        if let Err(error) = runtime.block_on(work.go(stopped)) {
            let _ = fail.send(error.to_string());
        }
    })?;
    let writer = tokio::spawn(write(store, ledger, to_write, written));
    Ok((Door { deliveries, fast }, Running { stop, thread, writer, failed, rotated }))
}

impl Running {
    /// Waits until the corridor cannot go on by itself, and tells why.
    pub async fn failure(&mut self) -> String {
        match (&mut self.failed).await {
            Ok(why) => why,
            Err(_) => "the corridor's thread ended".to_owned(),
        }
    }

    /// Changes whenever the key of a venue day was wiped, and ends with the corridor: what holds bytes of the day should
    /// let them go.
    #[must_use]
    pub fn rotations(&self) -> watch::Receiver<()> {
        self.rotated.clone()
    }

    /// Takes in what has been delivered, writes what has closed, and ends. What is open is left in the vault, or let go.
    pub async fn stop(self) {
        let Self { stop, thread, mut writer, .. } = self;
        let _ = stop.send(());
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the corridor's thread did not end well");
        }
        if tokio::time::timeout(LAST_WRITES, &mut writer).await.is_err() {
            writer.abort();
            tracing::error!(
                "the store did not take the last figures; what had closed and was not written is lost"
            );
        }
    }
}

struct Work {
    corridor: Corridor,
    arriving: mpsc::Receiver<Delivery>,
    objections: mpsc::Receiver<Delivery>,
    writes: mpsc::Sender<Write>,
    backlog: VecDeque<Write>,
    unwritten: Unwritten,
    machine: Machine,
    rotation: watch::Sender<()>,
}

/// Writes that the store has not said that it took, for the journal: what has closed must outlive a crash.
struct Unwritten {
    /// Each with its number among all that were handed to the writer.
    writes: VecDeque<(u64, Write)>,
    handed: u64,
    /// How many of them the writer has done with, in order.
    written: Arc<AtomicU64>,
}

impl Unwritten {
    fn remember(&mut self, out: &[Write]) {
        let written = self.written.load(Ordering::Acquire);
        self.writes.retain(|(number, _)| *number > written);
        for write in out {
            self.handed += 1;
            if !matches!(write, Write::Ledger { .. }) {
                self.writes.push_back((self.handed, write.clone()));
            }
        }
        while self.writes.len() > UNWRITTEN_MAX {
            self.writes.pop_front();
        }
    }
}

impl Work {
    async fn go(mut self, mut stopped: oneshot::Receiver<()>) -> Result<(), KeyError> {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stopping = false;
        while !stopping {
            let (waiting, full) = (!self.backlog.is_empty(), self.backlog.len() >= BACKLOG_MAX);
            tokio::select! {
                biased;
                Some(delivery) = self.objections.recv() => batch.push(delivery),
                _ = ticks.tick() => {}
                _ = &mut stopped => stopping = true,
                Ok(place) = self.writes.reserve(), if waiting => self.backlog.pop_front().map(|write| place.send(write)).unwrap_or_default(),
                _ = self.arriving.recv_many(&mut batch, BATCH_MAX), if !full => {}
            }
            if stopping {
                self.arriving.close();
                while let Ok(delivery) = self.arriving.try_recv() {
                    batch.push(delivery);
                }
            }
            let taken = self.take(&mut batch);
            // Keys and devices were hashed down there.
            memory::wipe_stack();
            taken?;
        }
        let mut last = Vec::new();
        let reading = Reading::take(self.machine);
        self.journal(reading, &[]);
        self.corridor.end(reading, &mut last);
        self.backlog.extend(last);
        for write in self.backlog {
            if tokio::time::timeout(LAST_WRITES, self.writes.send(write)).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, batch: &mut Vec<Delivery>) -> Result<(), KeyError> {
        let mut out = Vec::new();
        let reading = Reading::take(self.machine);
        let mut failed = Ok(());
        let mut taken = Vec::with_capacity(batch.len());
        let mut forgot = false;
        for Delivery { arrival, ack } in batch.drain(..) {
            forgot |= matches!(arrival, Arrival::OptedOut { .. });
            if failed.is_ok() {
                failed = self.corridor.take(arrival, reading, &mut out);
            }
            match failed {
                Ok(()) => taken.push(ack),
                // What was not taken in must not be acknowledged: the broker keeps it for the next start.
                Err(_) => std::mem::forget(ack),
            }
        }
        if failed.is_ok() {
            failed = self.corridor.tick(reading, &mut out);
        }
        let is_wiped = |write: &Write| matches!(write, Write::Ledger { event: Event::KeyWiped { .. }, .. });
        if out.iter().any(is_wiped) {
            self.rotation.send_replace(());
        }
        // What leaves, and a visit that was forgotten, must not come back after a crash.
        if forgot || !out.is_empty() || self.corridor.journal_is_due(reading) {
            self.journal(reading, &out);
        }
        drop(taken);
        for write in out {
            match self.backlog.is_empty() {
                true => {
                    self.backlog.extend(self.writes.try_send(write).err().map(|unsent| unsent.into_inner()))
                }
                false => self.backlog.push_back(write),
            }
        }
        failed
    }
}

impl Work {
    fn journal(&mut self, reading: Reading, out: &[Write]) {
        if self.corridor.keeps_journals() {
            self.unwritten.remember(out);
            self.corridor.journal(reading, self.unwritten.writes.iter().map(|(_, write)| write));
        }
    }
}

/// Writes until the corridor has ended and all is written. What is closed must not be lost: a write that fails is
/// tried again until it does not.
async fn write(store: Store, ledger: Ledger, mut writes: mpsc::Receiver<Write>, written: Arc<AtomicU64>) {
    while let Some(write) = writes.recv().await {
        let mut pause = RETRY_FIRST;
        let mut failing = false;
        while let Err(error) = write_once(&store, &ledger, &write).await {
            if let Error::Store(store::Error::CalibrationTaken { .. }) = error {
                // Trying again cannot help, and the figures themselves do not need this row.
                tracing::error!(%error, "a calibration could not be kept");
                break;
            }
            if !failing {
                tracing::error!(%error, "figures wait for the disk; trying until it takes them");
                failing = true;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_LONGEST);
        }
        if failing {
            tracing::info!("the disk takes figures again");
        }
        written.fetch_add(1, Ordering::Release);
    }
}

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The ledger did not.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

/// Writes what an earlier run had closed and the store may not have taken. To write it again changes nothing.
///
/// # Errors
/// When the store or the ledger does not take it.
pub async fn write_down(store: &Store, ledger: &Ledger, unwritten: &[Write]) -> Result<(), Error> {
    for write in unwritten {
        match write_once(store, ledger, write).await {
            // Another calibration of that version is there: the figures do not need this one.
            Err(Error::Store(store::Error::CalibrationTaken { .. })) => {}
            done => done?,
        }
    }
    Ok(())
}

async fn write_once(store: &Store, ledger: &Ledger, write: &Write) -> Result<(), Error> {
    match write {
        Write::Figures(figures) => store.append(figures).await.map(|_| ())?,
        Write::Sheets(sheets) => store.append_sheets(sheets).await.map(|_| ())?,
        // A line waits for its disk, as rows do on a thread of the database's own.
        Write::Ledger { at, event } => {
            let (ledger, at, event) = (ledger.clone(), *at, event.clone());
            let line = tokio::task::spawn_blocking(move || ledger.append(at, &event).map(|_| ()));
            line.await.unwrap_or(Err(ledger::Error::BrokenOff))?;
        }
        Write::Calibration { venue, summary, made_at } => {
            let Summary { calibration, people_sum, root_sum } = summary;
            let part = |value: f64, of: f64| (value * of).round().max(0.0) as u64;
            let small = |value: f64, of: f64| u32::try_from(part(value, of)).unwrap_or(u32::MAX);
            let row = CalibrationRow {
                venue: venue.clone(),
                version: calibration.version,
                scale_milli: small(calibration.scale, 1000.0),
                power_milli: small(calibration.power, 1000.0),
                knee_centi: calibration.knee.map(|knee| small(knee, 100.0)),
                kappa_permille: small(calibration.kappa, 1000.0),
                counts: calibration.counts,
                people_sum: part(*people_sum, 1.0),
                root_sum_centi: part(*root_sum, 100.0),
                // As the store keeps it, so that to save it again is to save the same.
                made_at: EpochMs(made_at.0.div_euclid(1000) * 1000),
            };
            store.save_calibration(&row).await?;
        }
    }
    Ok(())
}

//! The corridor on a thread of its own, with its doors and its writer.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::corridor::{Corridor, Write};
use super::venue_clock::Reading;
use crate::calibration::Summary;
use crate::clock::{EpochMs, Machine};
use crate::ledger::{self, Ledger};
use crate::pseudonym::KeyError;
use crate::sighting::Delivery;
use crate::store::{self, CalibrationRow, Store};

/// Deliveries waiting at the front door, at most; with it full the intake waits.
pub const DELIVERIES_MAX: usize = 1_024;
/// Deliveries waiting in the fast lane, at most.
const FAST_LANE_MAX: usize = 256;
/// Deliveries taken between two looks at the fast lane and the clock.
const BATCH_MAX: usize = 32;
/// Writes on their way to the store, at most.
const WRITES_MAX: usize = 256;
/// Writes kept back behind those while the store takes none; over it no delivery is taken in, so that the intake waits, and
/// then the broker. Time goes on: windows close, keys are wiped, objections are heard.
const BACKLOG_MAX: usize = 256;
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let work = Work { corridor, arriving, objections, writes, backlog: VecDeque::new(), machine };
    let thread = std::thread::Builder::new().name("corridor".to_owned()).spawn(move || {
        if let Err(error) = runtime.block_on(work.go(stopped)) {
            let _ = fail.send(error.to_string());
        }
    })?;
    let writer = tokio::spawn(write(store, ledger, to_write));
    Ok((Door { deliveries, fast }, Running { stop, thread, writer, failed }))
}

impl Running {
    /// Waits until the corridor cannot go on by itself, and tells why.
    pub async fn failure(&mut self) -> String {
        match (&mut self.failed).await {
            Ok(why) => why,
            Err(_) => "the corridor's thread ended".to_owned(),
        }
    }

    /// Takes in what has been delivered, writes what has closed, and ends. Open windows are let go.
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
    machine: Machine,
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
            self.take(&mut batch)?;
        }
        let mut last = Vec::new();
        self.corridor.end(Reading::take(self.machine), &mut last);
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
        for Delivery { arrival, ack } in batch.drain(..) {
            if failed.is_ok() {
                failed = self.corridor.take(arrival, reading, &mut out);
            }
            match failed {
                Ok(()) => drop(ack),
                // What was not taken in must not be acknowledged: the broker keeps it for the next start.
                Err(_) => std::mem::forget(ack),
            }
        }
        if failed.is_ok() {
            failed = self.corridor.tick(reading, &mut out);
        }
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

/// Writes until the corridor has ended and all is written. What is closed must not be lost: a write that fails is
/// tried again until it does not.
async fn write(store: Store, ledger: Ledger, mut writes: mpsc::Receiver<Write>) {
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
    }
}

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

async fn write_once(store: &Store, ledger: &Ledger, write: &Write) -> Result<(), Error> {
    match write {
        Write::Figures(figures) => store.append(figures).await.map(|_| ())?,
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

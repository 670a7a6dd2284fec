//! A crowd far larger than any venue's, to see what a server sustains and whether it loses anything.

pub mod crowd;
pub mod device;
pub mod http;
pub mod outcome;
pub mod site;
pub mod tally;
pub mod zipf;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use passant_wire::{BootId, Id, Subject, Topic};
use tokio::task::JoinSet;

use self::crowd::{Crowd, Form};
use self::http::ApiUrl;
use self::outcome::{Outcome, Seen};
use self::site::Site;
use self::tally::Totals;
use self::zipf::Zipf;
use crate::clock;
use crate::progress::Progress;
use crate::publisher::{self, BrokerUrl, Line, Publisher};

/// Pause between two looks at the server's counters, ms.
pub const LOOK_MS: u64 = 100;

/// Once everything is sent: how long the counters must stand still until they are believed to be final, seconds. A
/// slot of 10 s is judged another 10 s after its end.
pub const QUIET_SECS: u64 = 25;

/// The longest that the counters are waited for, seconds.
pub const SETTLE_SECS_MAX: u64 = 180;

/// Messages in flight on one connection, unless the broker allows fewer.
pub const INFLIGHT_MAX: u16 = 1000;

/// The most connections.
pub const CONNECTIONS_MAX: usize = 64;

/// Pause when no message may be sent yet, ms.
const IDLE_MS: u64 = 1;

/// What load to make.
#[derive(Debug)]
pub struct Order {
    /// The broker.
    pub url: BrokerUrl,
    /// The server to ask what it counted.
    pub api: Option<ApiUrl>,
    /// The venue, if not the only or the assumed one.
    pub venue: Option<Id>,
    /// How many sensors, if not all.
    pub sensors: Option<usize>,
    /// Sightings a second; `None` as many as the window lets pass.
    pub rate: Option<u64>,
    /// How long.
    pub secs: u64,
    /// Sightings a message, at least one and at most as many as there are devices.
    pub batch: usize,
    /// The most sightings on their way between here and the server's counters.
    pub window: u64,
    /// Connections to the broker, which share the sensors.
    pub connections: usize,
    /// Devices in the crowd.
    pub devices: u32,
    /// Chance's seed.
    pub seed: u64,
    /// How messages are written.
    pub form: Form,
}

/// Why a load test ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody to speak for.
    #[error(transparent)]
    Site(#[from] site::Error),
    /// The counters could not be read.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// The broker.
    #[error(transparent)]
    Publisher(#[from] publisher::Error),
    /// A task of ours is gone.
    #[error("a sending task ended early; this is a fault of the simulator")]
    Task,
}

/// Sightings handed to the broker and taken in by the server so far.
#[derive(Debug, Default)]
struct Flow {
    sent: AtomicU64,
    taken_in: AtomicU64,
    /// Summed over the connections.
    held_micros: AtomicU64,
}

/// Sends for the given time, waits for the server to count, and adds up.
///
/// # Errors
/// When the broker or the server is gone. Lost sightings are an outcome, not an error.
pub async fn load(order: &Order, progress: &Progress) -> Result<Outcome, Error> {
    let site = match order.api {
        Some(api) => Site::ask(api, order.venue.clone(), order.sensors).await?,
        None => Site::assumed(order.venue.clone(), order.sensors)?,
    };
    let mut watch = Watch::begin(order).await?;
    let boot = clock::fresh_boot();
    let publishers = connect(order, &boot).await?;
    let flow = Arc::new(Flow::default());
    let begun = clock::steady();
    let mut producers = JoinSet::new();
    for (i, crowd) in crowds(order, &site, &boot).into_iter().enumerate() {
        let (publisher, flow) = (Arc::clone(&publishers[i]), Arc::clone(&flow));
        producers.spawn(produce(crowd, publisher, flow, Pace::of(order, begun)));
    }
    let mut looks = tokio::time::interval(Duration::from_millis(LOOK_MS));
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = producers.join_next() => match ended {
                Some(ended) => ended.map_err(|_| Error::Task)??,
                None => break,
            },
            _ = looks.tick() => watch.look(&flow, progress).await?,
        }
    }
    let sending = clock::steady().saturating_sub(begun);
    for publisher in &publishers {
        publisher.settle().await?;
    }
    watch.settle(&flow, progress).await?;
    let mut seen = Seen {
        sent: flow.sent.load(Ordering::Acquire),
        sending,
        held: Duration::from_micros(flow.held_micros.load(Ordering::Relaxed)) / publishers.len() as u32,
        sensors: site.sensors.len(),
        ..Seen::default()
    };
    for publisher in publishers {
        seen.acknowledged += publisher.acknowledged();
        seen.refused_by_broker += publisher.refused();
        seen.latency.merge(&Arc::into_inner(publisher).ok_or(Error::Task)?.close().await?);
    }
    seen.grown = watch.api.map(|_| (watch.grown, watch.grew_at.saturating_sub(begun)));
    Ok(Outcome::of(order, seen))
}

/// Opens the connections and waits until all stand.
async fn connect(order: &Order, boot: &str) -> Result<Vec<Arc<Publisher>>, Error> {
    let line = |i| Line {
        url: order.url.clone(),
        client_id: format!("sensor-sim-load-{boot}-{i}"),
        inflight_max: INFLIGHT_MAX,
        will: None,
    };
    let publishers: Vec<_> = (0..order.connections).map(|i| Arc::new(Publisher::open(line(i)))).collect();
    for publisher in &publishers {
        publisher.settle().await?;
    }
    Ok(publishers)
}

/// Deals the sensors out to the connections.
fn crowds(order: &Order, site: &Site, boot: &str) -> Vec<Crowd> {
    let zipf = Arc::new(Zipf::new(order.devices));
    let topic = |sensor: &Id| {
        let (venue, sensor) = (site.venue.as_str(), sensor.as_str());
        Topic { venue, sensor, subject: Subject::Sightings }.to_string()
    };
    let crowd = |i| {
        let topics = site.sensors.iter().skip(i).step_by(order.connections).map(topic).collect();
        let boot = BootId::parse(boot.as_bytes())?;
        Some(Crowd::new(&zipf, (order.seed, i as u64), topics, boot, (order.batch, order.form)))
    };
    (0..order.connections).filter_map(crowd).collect()
}

/// One connection's share of the load.
#[derive(Clone, Copy, Debug)]
struct Pace {
    begun: Duration,
    end: Duration,
    batch: u64,
    window: u64,
    /// Messages a second.
    rate: Option<f64>,
}

impl Pace {
    fn of(order: &Order, begun: Duration) -> Self {
        let share = (order.batch * order.connections) as f64;
        Self {
            begun,
            end: begun.saturating_add(Duration::from_secs(order.secs)),
            batch: order.batch as u64,
            // Without a server to ask, the broker alone decides.
            window: if order.api.is_some() { order.window } else { u64::MAX },
            rate: order.rate.map(|rate| rate as f64 / share),
        }
    }

    fn is_due(&self, messages: u64, now: Duration) -> bool {
        let elapsed_secs = now.saturating_sub(self.begun).as_secs_f64();
        self.rate.is_none_or(|rate| (messages as f64) < elapsed_secs * rate)
    }

    fn is_open(&self, flow: &Flow) -> bool {
        let sent = flow.sent.load(Ordering::Acquire);
        sent.saturating_sub(flow.taken_in.load(Ordering::Acquire)).saturating_add(self.batch) <= self.window
    }
}

async fn produce(
    mut crowd: Crowd,
    publisher: Arc<Publisher>,
    flow: Arc<Flow>,
    pace: Pace,
) -> Result<(), publisher::Error> {
    let idle = Duration::from_millis(IDLE_MS);
    let mut messages = 0;
    loop {
        let now = clock::steady();
        if now >= pace.end {
            return Ok(());
        }
        if !pace.is_due(messages, now) {
            tokio::time::sleep(idle).await;
            continue;
        }
        if !pace.is_open(&flow) {
            tokio::time::sleep(idle).await;
            let held = clock::steady().saturating_sub(now).as_micros() as u64;
            flow.held_micros.fetch_add(held, Ordering::Relaxed);
            continue;
        }
        // The message is written once the broker will take it, so that its times are of now.
        let place = publisher.place().await?;
        let Some((topic, payload)) = crowd.message(clock::now_ms()) else {
            drop(place);
            tokio::time::sleep(idle).await;
            continue;
        };
        flow.sent.fetch_add(pace.batch, Ordering::AcqRel);
        place.publish(topic, false, payload)?;
        messages += 1;
    }
}

/// Looks at the server's counters.
struct Watch {
    api: Option<ApiUrl>,
    batch: u64,
    before: Totals,
    grown: Totals,
    /// When they grew last.
    grew_at: Duration,
}

impl Watch {
    async fn begin(order: &Order) -> Result<Self, Error> {
        let before = match order.api {
            Some(api) => Totals::parse(&api.get("/metrics").await?),
            None => Totals::default(),
        };
        let batch = order.batch as u64;
        Ok(Self { api: order.api, batch, before, grown: Totals::default(), grew_at: clock::steady() })
    }

    async fn look(&mut self, flow: &Flow, progress: &Progress) -> Result<(), Error> {
        if let Some(api) = self.api {
            let grown = Totals::parse(&api.get("/metrics").await?).since(&self.before);
            if grown != self.grown {
                self.grew_at = clock::steady();
                self.grown = grown;
            }
            flow.taken_in.store(self.grown.taken_in(self.batch), Ordering::Release);
        }
        let counted = || self.api.map_or("uncounted".into(), |_| format!("{} counted", self.grown.counted));
        progress.set(flow.sent.load(Ordering::Relaxed), counted);
        Ok(())
    }

    /// Looks until everything sent is accounted for, or nothing has moved for long.
    async fn settle(&mut self, flow: &Flow, progress: &Progress) -> Result<(), Error> {
        if self.api.is_none() {
            return Ok(());
        }
        let begun = clock::steady();
        for _ in 0..SETTLE_SECS_MAX * 1000 / LOOK_MS {
            self.look(flow, progress).await?;
            let all_in = self.grown.taken_in(self.batch) >= flow.sent.load(Ordering::Acquire);
            let quiet = clock::steady().saturating_sub(self.grew_at.max(begun));
            if all_in || quiet >= Duration::from_secs(QUIET_SECS) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: Option<f64>) -> Pace {
        Pace { begun: Duration::from_secs(10), end: Duration::from_secs(20), batch: 100, window: 250, rate }
    }

    #[test]
    fn messages_are_due_by_the_rate() {
        let at = Duration::from_secs_f64;
        assert!(pace(Some(10.0)).is_due(9, at(11.0)));
        assert!(!pace(Some(10.0)).is_due(10, at(11.0)));
        assert!(pace(None).is_due(u64::MAX, at(10.0)));
    }

    #[test]
    fn the_window_is_never_overrun() {
        let flow = Flow::default();
        for (sent, taken_in, open) in [(0, 0, true), (100, 0, true), (200, 0, false), (200, 100, true)] {
            flow.sent.store(sent, Ordering::Release);
            flow.taken_in.store(taken_in, Ordering::Release);
            assert_eq!(pace(None).is_open(&flow), open, "{sent} sent, {taken_in} taken in");
        }
    }
}

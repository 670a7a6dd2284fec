//! A crowd far larger than any venue's, to see what a server sustains and whether it loses anything.

pub mod crowd;
pub mod device;
pub mod outcome;
mod sending;
pub mod site;
pub mod tally;
mod watch;
pub mod zipf;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use passant_wire::{BootId, Id, Subject, Topic};
use tokio::task::JoinSet;

use self::crowd::{Crowd, Form};
use self::outcome::{Outcome, Seen};
use self::sending::{Flow, Pace, produce};
use self::site::Site;
use self::watch::Watch;
use self::zipf::Zipf;
use crate::clock;
use crate::http::{self, ApiUrl};
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

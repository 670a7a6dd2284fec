//! What a load test found.

use std::time::Duration;

use super::Order;
use super::tally::{Identity, Totals};
use crate::latency::Latency;

/// What was seen, before it is added up.
#[derive(Debug, Default)]
pub struct Seen {
    /// Sightings handed to the broker.
    pub sent: u64,
    /// Messages it acknowledged.
    pub acknowledged: u64,
    /// Messages it refused.
    pub refused_by_broker: u64,
    /// From the first to the last message.
    pub sending: Duration,
    /// How long a connection stood still for the window's sake.
    pub held: Duration,
    /// From sending to acknowledgement.
    pub latency: Latency,
    /// The sensors spoken for.
    pub sensors: usize,
    /// What the server's counters grew by, and how long after the start they last grew.
    pub grown: Option<(Totals, Duration)>,
}

/// The result.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Outcome {
    /// Sightings handed to the broker.
    pub sent: u64,
    /// Messages handed to the broker.
    pub messages_sent: u64,
    /// Messages it acknowledged.
    pub messages_acknowledged: u64,
    /// Messages it refused.
    pub messages_refused_by_broker: u64,
    /// The sensors spoken for.
    pub sensors: usize,
    /// The devices heard.
    pub devices: u32,
    /// Sightings a message.
    pub batch: usize,
    /// Chance's seed.
    pub seed: u64,
    /// Seconds of sending.
    pub sending_secs: f64,
    /// Sent a second of sending.
    pub sent_per_sec: f64,
    /// The part of the sending time in which the window held the load back, 0 to 1.
    pub held_by_window: f64,
    /// Milliseconds half of the acknowledgements stayed under.
    pub ack_p50_ms: Option<f64>,
    /// The same of 95 %.
    pub ack_p95_ms: Option<f64>,
    /// The same of 99 %.
    pub ack_p99_ms: Option<f64>,
    /// Seconds from the first message until the counters last grew; unknown without an API.
    pub counting_secs: Option<f64>,
    /// Counted a second of those.
    pub counted_per_sec: Option<f64>,
    /// The sum; unknown without an API.
    pub identity: Option<Identity>,
}

impl Outcome {
    /// Adds up.
    #[must_use]
    pub fn of(order: &Order, seen: Seen) -> Self {
        let batch = order.batch as u64;
        let sending_secs = seen.sending.as_secs_f64();
        let counting =
            seen.grown.map(|(totals, time)| (totals.identity(seen.sent, batch), time.as_secs_f64()));
        Self {
            sent: seen.sent,
            messages_sent: seen.sent / batch.max(1),
            messages_acknowledged: seen.acknowledged,
            messages_refused_by_broker: seen.refused_by_broker,
            sensors: seen.sensors,
            devices: order.devices,
            batch: order.batch,
            seed: order.seed,
            sending_secs,
            sent_per_sec: per_sec(seen.sent, sending_secs),
            held_by_window: if sending_secs > 0.0 { seen.held.as_secs_f64() / sending_secs } else { 0.0 },
            ack_p50_ms: seen.latency.percentile_ms(50),
            ack_p95_ms: seen.latency.percentile_ms(95),
            ack_p99_ms: seen.latency.percentile_ms(99),
            counting_secs: counting.as_ref().map(|(_, secs)| *secs),
            counted_per_sec: counting.as_ref().map(|(identity, secs)| per_sec(identity.counted, *secs)),
            identity: counting.map(|(identity, _)| identity),
        }
    }

    /// Whether nothing is known to be lost or refused by the broker.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.messages_refused_by_broker == 0 && self.identity.as_ref().is_none_or(|sum| sum.lost <= 0)
    }
}

fn per_sec(count: u64, secs: f64) -> f64 {
    if secs > 0.0 { count as f64 / secs } else { 0.0 }
}

//! One connection's sending: no faster than the rate, no further ahead of the server than the window.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Order;
use super::crowd::Crowd;
use crate::clock;
use crate::publisher::{self, Publisher};

/// Pause when no message may be sent yet, ms.
const IDLE_MS: u64 = 1;

/// Sightings handed to the broker and taken in by the server so far.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) sent: AtomicU64,
    pub(super) taken_in: AtomicU64,
    /// Summed over the connections.
    pub(super) held_micros: AtomicU64,
}

/// One connection's share of the load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    begun: Duration,
    end: Duration,
    batch: u64,
    window: u64,
    /// Messages a second.
    rate: Option<f64>,
}

impl Pace {
    pub(super) fn of(order: &Order, begun: Duration) -> Self {
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

/// Publishes a crowd's messages when they are due and the window is open, until the time is up.
pub(super) async fn produce(
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

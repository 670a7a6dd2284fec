//! The task that polls a connection, and keeps the books of what the broker owes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::v5::{ConnAck, Packet, PubAck, PubAckReason};
use rumqttc::v5::{ConnectionError, Event, EventLoop, Request};

use super::{Error, KEEP_ALIVE_SECS, RECONNECT_PAUSE_MS, RECONNECTS_MAX, STALLED_PINGS_MAX, Shared};
use crate::clock;
use crate::latency::Latency;

/// Polls until goodbye is said or the connection is given up.
pub(super) struct Driver {
    events: EventLoop,
    shared: Arc<Shared>,
    inflight_max: u16,
    /// By packet id: since when its acknowledgement is owed.
    sent_at: Vec<Option<Duration>>,
    latency: Latency,
    /// What was unacknowledged when the connection broke, in case the broker has forgotten the session.
    kept: VecDeque<Request>,
    setbacks: u32,
    idle_pings: u32,
}

impl Driver {
    pub(super) fn new(events: EventLoop, shared: Arc<Shared>, inflight_max: u16) -> Self {
        Self {
            events,
            shared,
            inflight_max,
            sent_at: vec![None; usize::from(inflight_max) + 1],
            latency: Latency::default(),
            kept: VecDeque::new(),
            setbacks: 0,
            idle_pings: 0,
        }
    }

    pub(super) async fn run(mut self) -> Latency {
        let failure = loop {
            let done = match self.events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(ack))) => self.connected(&ack),
                Ok(Event::Incoming(Packet::PubAck(ack))) => self.acknowledged(&ack),
                Ok(Event::Incoming(Packet::PingResp(_))) => self.look_for_a_stall(),
                Ok(Event::Outgoing(Outgoing::Publish(id))) => self.sent(id),
                Ok(Event::Outgoing(Outgoing::Disconnect)) => break None,
                Ok(_) => Ok(()),
                Err(error) => self.set_back(&error).await,
            };
            if let Err(error) = done {
                break Some(error);
            }
        };
        if let Some(error) = failure {
            // Only this task sets it, and only here.
            let _ = self.shared.failure.set(error);
        }
        self.shared.permits.close();
        self.latency
    }

    fn connected(&mut self, ack: &ConnAck) -> Result<(), Error> {
        if !ack.session_present && !self.kept.is_empty() {
            tracing::warn!(messages = self.kept.len(), "the broker forgot the session; sending again");
            self.events.pending = std::mem::take(&mut self.kept);
        }
        if self.shared.permits_max.load(Ordering::Acquire) == 0 {
            let allowed = ack.properties.as_ref().and_then(|p| p.receive_max).unwrap_or(u16::MAX);
            let permits = allowed.min(self.inflight_max).max(1);
            self.shared.permits_max.store(u32::from(permits), Ordering::Release);
            self.shared.permits.add_permits(usize::from(permits));
        }
        Ok(())
    }

    fn sent(&mut self, id: u16) -> Result<(), Error> {
        if let Some(place) = self.sent_at.get_mut(usize::from(id)) {
            *place = Some(clock::steady());
        }
        Ok(())
    }

    fn acknowledged(&mut self, ack: &PubAck) -> Result<(), Error> {
        // An acknowledgement nobody waits for is no news.
        let Some(since) = self.sent_at.get_mut(usize::from(ack.pkid)).and_then(Option::take) else {
            return Ok(());
        };
        self.latency.add(clock::steady().saturating_sub(since));
        let taken = matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
        let counter = if taken { &self.shared.acknowledged } else { &self.shared.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        self.shared.permits.add_permits(1);
        self.setbacks = 0;
        self.idle_pings = 0;
        Ok(())
    }

    fn look_for_a_stall(&mut self) -> Result<(), Error> {
        let owed = self.sent_at.iter().any(Option::is_some);
        self.idle_pings = if owed { self.idle_pings + 1 } else { 0 };
        let secs = u64::from(self.idle_pings) * KEEP_ALIVE_SECS;
        if self.idle_pings < STALLED_PINGS_MAX { Ok(()) } else { Err(Error::Stalled { secs }) }
    }

    async fn set_back(&mut self, error: &ConnectionError) -> Result<(), Error> {
        self.setbacks += 1;
        if self.setbacks == 1 {
            tracing::warn!(%error, "the connection to the broker failed; trying again");
        }
        if self.setbacks >= RECONNECTS_MAX {
            return Err(Error::Connection { tries: self.setbacks, reason: error.to_string() });
        }
        self.kept.clone_from(&self.events.pending);
        tokio::time::sleep(Duration::from_millis(RECONNECT_PAUSE_MS)).await;
        Ok(())
    }
}

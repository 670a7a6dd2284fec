//! One connection to a broker, wrapped once. A message is only handed over when the broker will take it, and stays
//! ours until the broker has acknowledged it, through reconnects and through a broker that forgot the session.
//!
//! Three traps of rumqttc are kept shut here. It drops what was in flight when the broker forgot the session: the
//! copies are put back. It loses messages when more wait for a packet id than the broker allows: no more permits than
//! ids are given out, so no two messages ever want one id. And it only moves while it is polled: a task does nothing
//! else.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use passant_wire::{LIFE_SECS, PAYLOAD_BYTES_MAX};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnAck, LastWill, Packet, PubAck, PubAckReason};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Request};
use rumqttc::{NetworkOptions, Outgoing};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;

use crate::clock;
use crate::latency::Latency;

/// Failed connections in a row, with nothing acknowledged between them, after which it gives up.
pub const RECONNECTS_MAX: u32 = 20;

/// Pause before each reconnect, ms.
pub const RECONNECT_PAUSE_MS: u64 = 500;

/// Seconds between pings, which also are the looks for a stall.
pub const KEEP_ALIVE_SECS: u64 = 10;

/// Pings in a row without any acknowledgement, while some are owed, after which it gives up.
pub const STALLED_PINGS_MAX: u32 = 3;

/// Room around a payload for topic and properties, bytes.
const ENVELOPE_BYTES_MAX: usize = 1024;

const PORT: u16 = 1883;

/// Where the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerUrl {
    host: String,
    port: u16,
}

/// What a connection needs to know.
#[derive(Debug)]
pub struct Line {
    /// The broker.
    pub url: BrokerUrl,
    /// The session's name, which nobody else uses.
    pub client_id: String,
    /// The most messages in flight; the broker may allow fewer.
    pub inflight_max: u16,
    /// Topic and payload of a retained last will.
    pub will: Option<(String, Vec<u8>)>,
}

/// A connection that publishes with QoS 1.
#[derive(Debug)]
pub struct Publisher {
    client: AsyncClient,
    shared: Arc<Shared>,
    driver: JoinHandle<Latency>,
}

/// The right to publish one message now.
#[derive(Debug)]
pub struct Place<'a> {
    publisher: &'a Publisher,
    permit: SemaphorePermit<'a>,
}

#[derive(Debug)]
struct Shared {
    /// One for each message the broker will take now; closed when the connection is given up.
    permits: Semaphore,
    permits_max: AtomicU32,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    failure: OnceLock<Error>,
}

/// Why messages could not be brought to the broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a URL this program understands.
    #[error("the broker's address is not of the form mqtt://host:port; logins and TLS are not spoken here")]
    Url,
    /// [`RECONNECTS_MAX`] times in a row.
    #[error("connecting to the broker failed {tries} times: {reason}; check its address and that it runs")]
    Connection {
        /// How often.
        tries: u32,
        /// What the last one said.
        reason: String,
    },
    /// The broker lives but acknowledges nothing.
    #[error("the broker has acknowledged nothing for {secs} s; check its log and limits")]
    Stalled {
        /// How long.
        secs: u64,
    },
    /// The connection was closed before.
    #[error("publishing on a closed connection")]
    Closed,
}

impl std::str::FromStr for BrokerUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix("mqtt://").ok_or(Error::Url)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| Error::Url)?),
            _ => (rest, PORT),
        };
        let named = !host.is_empty() && !host.contains(['/', '@', '?', ' ']);
        if named { Ok(Self { host: host.into(), port }) } else { Err(Error::Url) }
    }
}

impl Publisher {
    /// Begins to connect; publishing waits until it has.
    #[must_use]
    pub fn open(line: Line) -> Self {
        let (client, events) = AsyncClient::new(options(&line), usize::from(line.inflight_max) + 1);
        let shared = Arc::new(Shared {
            permits: Semaphore::new(0),
            permits_max: AtomicU32::new(0),
            acknowledged: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failure: OnceLock::new(),
        });
        let driver = Driver {
            events,
            shared: Arc::clone(&shared),
            inflight_max: line.inflight_max,
            sent_at: vec![None; usize::from(line.inflight_max) + 1],
            latency: Latency::default(),
            kept: VecDeque::new(),
            setbacks: 0,
            idle_pings: 0,
        };
        Self { client, shared, driver: tokio::spawn(driver.run()) }
    }

    /// Hands a message over as soon as the broker will take it.
    ///
    /// # Errors
    /// When the connection was given up.
    pub async fn publish(&self, topic: &str, retain: bool, payload: Vec<u8>) -> Result<(), Error> {
        self.place().await?.publish(topic, retain, payload)
    }

    /// Waits until the broker will take a message, for whoever writes it only then.
    ///
    /// # Errors
    /// When the connection was given up.
    pub async fn place(&self) -> Result<Place<'_>, Error> {
        let permit = self.shared.permits.acquire().await.map_err(|_| self.failure())?;
        Ok(Place { publisher: self, permit })
    }

    /// Waits until every message handed over is acknowledged.
    ///
    /// # Errors
    /// When the connection was given up.
    pub async fn settle(&self) -> Result<(), Error> {
        // The first permit comes with the connection, and with it their number is known.
        drop(self.shared.permits.acquire().await.map_err(|_| self.failure())?);
        let all = self.shared.permits_max.load(Ordering::Acquire);
        self.shared.permits.acquire_many(all).await.map(drop).map_err(|_| self.failure())
    }

    /// Messages the broker took.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// Messages the broker answered with a refusal, as an access list does.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Says goodbye, so that no last will is published, and gives back how long each acknowledgement took.
    ///
    /// # Errors
    /// When the connection was given up.
    pub async fn close(self) -> Result<Latency, Error> {
        self.client.disconnect().await.map_err(|_| self.failure())?;
        let latency = self.driver.await.map_err(|_| Error::Closed)?;
        self.shared.failure.get().cloned().map_or(Ok(latency), Err)
    }

    fn failure(&self) -> Error {
        self.shared.failure.get().cloned().unwrap_or(Error::Closed)
    }
}

impl Place<'_> {
    /// Hands the message over.
    ///
    /// # Errors
    /// When the connection was given up.
    pub fn publish(self, topic: &str, retain: bool, payload: Vec<u8>) -> Result<(), Error> {
        // The channel is as long as there are permits, so it is never full; and the permit comes back with the
        // acknowledgement.
        let handed = self.publisher.client.try_publish(topic, QoS::AtLeastOnce, retain, payload);
        handed.map_err(|_| self.publisher.failure())?;
        self.permit.forget();
        Ok(())
    }
}

fn options(line: &Line) -> MqttOptions {
    let mut options = MqttOptions::new(&line.client_id, &line.url.host, line.url.port);
    options.set_clean_start(false);
    options.set_session_expiry_interval(Some(LIFE_SECS));
    options.set_keep_alive(Duration::from_secs(KEEP_ALIVE_SECS));
    options.set_outgoing_inflight_upper_limit(line.inflight_max);
    let bytes_max = PAYLOAD_BYTES_MAX + ENVELOPE_BYTES_MAX;
    options.set_max_packet_size(Some(u32::try_from(bytes_max).unwrap_or(u32::MAX)));
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    if let Some((topic, payload)) = &line.will {
        options.set_last_will(LastWill::new(topic.as_str(), payload.clone(), QoS::AtLeastOnce, true, None));
    }
    options
}

/// The task that polls.
struct Driver {
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
    async fn run(mut self) -> Latency {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brokers_address_reads() {
        for (text, host, port) in [
            ("mqtt://127.0.0.1:1884", "127.0.0.1", 1884),
            ("mqtt://localhost", "localhost", 1883),
            ("mqtt://localhost:1883/", "localhost", 1883),
            ("mqtt://[::1]:1883", "[::1]", 1883),
            ("mqtt://[::1]", "[::1]", 1883),
        ] {
            assert_eq!(text.parse(), Ok(BrokerUrl { host: host.into(), port }), "{text}");
        }
        for text in ["", "127.0.0.1:1883", "mqtts://host", "mqtt://", "mqtt://u:p@host", "mqtt://host:port"] {
            assert_eq!(text.parse::<BrokerUrl>(), Err(Error::Url), "{text}");
        }
    }

    #[tokio::test]
    async fn a_connection_given_up_says_so_to_everybody() {
        let shared = Shared {
            permits: Semaphore::new(0),
            permits_max: AtomicU32::new(0),
            acknowledged: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failure: OnceLock::new(),
        };
        shared.failure.set(Error::Stalled { secs: 30 }).unwrap();
        shared.permits.close();
        let line = Line {
            url: "mqtt://127.0.0.1:1".parse().unwrap(),
            client_id: "nobody".into(),
            inflight_max: 10,
            will: None,
        };
        let (client, _events) = AsyncClient::new(options(&line), 1);
        let driver = tokio::spawn(async { Latency::default() });
        let publisher = Publisher { client, shared: Arc::new(shared), driver };
        let said = publisher.publish("passant/v1/v/s/status", false, Vec::new()).await;
        assert_eq!(said, Err(Error::Stalled { secs: 30 }));
        assert_eq!(publisher.settle().await, Err(Error::Stalled { secs: 30 }));
    }
}

//! One connection to the broker, in either version, and the few things it can say.

use std::time::Duration;

use rumqttc::{TlsConfiguration, Transport};

use super::fault::Fault;
use super::{Message, Options, v5, v311};

/// Seconds between pings; the broker gives up on us after one and a half of it, and we on it after two.
const KEEP_ALIVE_SECS: u64 = 15;
/// Seconds for TCP, TLS and MQTT to connect.
pub(super) const CONNECT_SECS: u64 = 5;
/// Requests that wait for the socket. An acknowledgement needs a packet id, of which MQTT has 65,535 a connection, so with
/// room for those and some commands a request always fits and nobody ever waits to make one.
pub(super) const REQUESTS_LEN_MAX: usize = 65_535 + 16;

#[expect(clippy::large_enum_variant, reason = "there is one for each connection, and never a second")]
pub(super) enum Session {
    V5(v5::Session),
    V311(v311::Session),
}

/// A version of MQTT that is really spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V5,
    V311,
}

pub(super) enum Event {
    Connected,
    Subscribed {
        /// Every filter was granted.
        granted: bool,
    },
    Message(Message),
    /// The broker answered for what we published.
    Answered {
        /// It took it; false is a refusal, for which MQTT 3.1.1 has no word.
        granted: bool,
    },
    /// Pings, and our own packets on their way out.
    Other,
}

/// Whether the broker keeps a message for those who come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// It goes to those who listen now.
    Nothing,
    /// It is retained, until the next one on its topic.
    Newest,
}

/// Publishes over a connection, beside whoever polls it.
#[derive(Clone)]
pub(super) enum Mouth {
    V5(rumqttc::v5::AsyncClient),
    V311(rumqttc::AsyncClient),
}

impl Mouth {
    /// Puts a message on its way, with QoS 1.
    pub(super) fn publish(&self, topic: &str, payload: Vec<u8>, keep: Keep) -> Result<(), Fault> {
        use rumqttc::QoS as Qos311;
        use rumqttc::v5::mqttbytes::QoS as Qos5;
        let retain = keep == Keep::Newest;
        let put = match self {
            Self::V5(client) => client.try_publish(topic, Qos5::AtLeastOnce, retain, payload).ok(),
            Self::V311(client) => client.try_publish(topic, Qos311::AtLeastOnce, retain, payload).ok(),
        };
        put.ok_or(Fault::Closed)
    }
}

impl Session {
    /// Prepares a connection; the first `next` makes it.
    pub(super) fn open(options: &Options, version: Version, clean: bool) -> Self {
        match version {
            Version::V5 => Self::V5(v5::Session::open(options, clean)),
            Version::V311 => Self::V311(v311::Session::open(options, clean)),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Event, Fault> {
        match self {
            Self::V5(session) => session.next().await,
            Self::V311(session) => session.next().await,
        }
    }

    /// The longest time without any progress, pings included, on a connection that is well.
    pub(super) fn silence_max(&self) -> Duration {
        2 * match self {
            Self::V5(session) => session.keep_alive().max(keep_alive()),
            Self::V311(_) => keep_alive(),
        }
    }

    pub(super) fn subscribe(&self, filters: &[String]) -> Result<(), Fault> {
        match self {
            Self::V5(session) => session.subscribe(filters),
            Self::V311(session) => session.subscribe(filters),
        }
    }

    /// Whoever publishes over this connection while it is polled.
    pub(super) fn mouth(&self) -> Mouth {
        match self {
            Self::V5(session) => Mouth::V5(session.client()),
            Self::V311(session) => Mouth::V311(session.client()),
        }
    }

    /// Clears what the broker retains under a topic.
    pub(super) fn clear(&self, topic: &str) -> Result<(), Fault> {
        match self {
            Self::V5(session) => session.clear(topic),
            Self::V311(session) => session.clear(topic),
        }
    }

    /// Asks for a clean disconnect, behind every acknowledgement that was made so far. No message comes after it.
    pub(super) fn say_farewell(&mut self) -> Result<(), Fault> {
        match self {
            Self::V5(session) => session.say_farewell(),
            Self::V311(session) => session.say_farewell(),
        }
    }
}

pub(super) fn transport(options: &Options) -> Transport {
    match &options.tls {
        Some(config) => Transport::tls_with_config(TlsConfiguration::Rustls(config.clone())),
        None => Transport::tcp(),
    }
}

pub(super) fn keep_alive() -> Duration {
    Duration::from_secs(KEEP_ALIVE_SECS)
}

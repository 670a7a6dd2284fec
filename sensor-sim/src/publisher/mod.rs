//! One connection to a broker, wrapped once. A message is only handed over when the broker will take it, and stays
//! ours until the broker has acknowledged it, through reconnects and through a broker that forgot the session.
//!
//! Three traps of rumqttc are kept shut here. It drops what was in flight when the broker forgot the session: the
//! copies are put back. It loses messages when more wait for a packet id than the broker allows: no more permits than
//! ids are given out, so no two messages ever want one id. And it only moves while it is polled: a task does nothing
//! else.

mod driver;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use passant_wire::{LIFE_SECS, PAYLOAD_BYTES_MAX};
use rumqttc::NetworkOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::LastWill;
use rumqttc::v5::{AsyncClient, MqttOptions};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;

use self::driver::Driver;
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

/// Where the broker is, and as whom it is spoken to.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    host: String,
    port: u16,
    /// User and password.
    login: Option<(String, String)>,
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
    #[error(
        "the broker's address is not of the form mqtt://host:port or mqtt://user:password@host:port; TLS is not spoken here"
    )]
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
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(login.split_once(':').ok_or(Error::Url)?), rest),
            None => (None, rest),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| Error::Url)?),
            _ => (rest, PORT),
        };
        let odd = ['/', '@', '?', '%', ' '];
        let is_plain = |part: &str| !part.is_empty() && !part.contains(odd);
        // A login with signs that a URL would have to escape is not guessed at.
        let is_known = login.is_none_or(|(user, password)| is_plain(user) && is_plain(password));
        if !is_plain(host) || !is_known {
            return Err(Error::Url);
        }
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        Ok(Self { host: host.into(), port, login })
    }
}

/// Without the password.
impl std::fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = self.login.as_ref().map(|(user, _)| user);
        f.debug_struct("BrokerUrl")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &user)
            .finish()
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
        let driver = Driver::new(events, Arc::clone(&shared), line.inflight_max);
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
    if let Some((user, password)) = &line.url.login {
        options.set_credentials(user, password);
    }
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
            assert_eq!(text.parse(), Ok(BrokerUrl { host: host.into(), port, login: None }), "{text}");
        }
        let with_login: BrokerUrl = "mqtt://demo:secret@[::1]:1884".parse().unwrap();
        assert_eq!((with_login.host.as_str(), with_login.port), ("[::1]", 1884));
        assert_eq!(with_login.login, Some(("demo".to_owned(), "secret".to_owned())));
        assert!(!format!("{with_login:?}").contains("secret"));
        for text in [
            "",
            "127.0.0.1:1883",
            "mqtts://host",
            "mqtt://",
            "mqtt://host:port",
            "mqtt://u@host",
            "mqtt://u:@host",
            "mqtt://u:p%40@host",
        ] {
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

#![doc = include_str!("README.md")]

mod fault;
mod poller;
mod retained;
mod session;
mod tls;
mod v311;
mod v5;
mod voice;

pub use retained::{ClearError, Cleared, clear_retained};
pub use tls::{Error, tls};
pub use voice::{Unsaid, Voice};

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::telemetry::Tally;

/// Messages that may wait for their acknowledgement at once; beyond it the broker holds back. MQTT 3.1.1 cannot say it,
/// so the shipped broker configuration has the same number.
pub const RECEIVE_MAX: u16 = 2_048;
/// Messages between the poller and whoever takes them: QoS 0 may fill half, so QoS 1 always finds room.
pub const HANDOVER_LEN_MAX: usize = 2 * RECEIVE_MAX as usize;
/// The largest packet asked for in MQTT 5; the broker drops a larger one for us. It leaves room over the largest payload
/// so that a payload a little too large is refused by us, and counted.
pub const PACKET_BYTES_MAX: u32 = 2 * passant_wire::PAYLOAD_BYTES_MAX as u32;
/// The largest packet taken in MQTT 3.1.1, where a broker cannot be told: a larger one costs the connection, so this
/// lies well over anything an honest antenna sends.
pub const PACKET_BYTES_MAX_V311: usize = 8 * 1024 * 1024;

/// How to reach a broker.
pub struct Options {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The TLS client, if the broker speaks TLS; [`tls`] makes one.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// A stable client id: the broker keeps the session under it.
    pub client_id: String,
    /// User and password, if the broker asks.
    pub credentials: Option<(String, Password)>,
    /// Which version of MQTT to speak.
    pub protocol: Protocol,
    /// Seconds the broker keeps the session, and what is published meanwhile, after the client has gone. With 0 it
    /// keeps nothing. MQTT 3.1.1 knows only nothing or as long as the broker likes.
    pub session_secs: u32,
}

/// A password: it has no `Debug`, is not cloned and wipes itself.
pub struct Password(Zeroizing<String>);

/// A version of MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// MQTT 5, or 3.1.1 where the broker refuses it.
    #[default]
    Auto,
    /// MQTT 5 only.
    V5,
    /// MQTT 3.1.1 only.
    V311,
}

/// A message from the broker. It has no `Debug`: its payload holds devices.
pub struct Message {
    /// The topic, as the publisher wrote it.
    pub topic: String,
    /// The payload, shared with the receive buffer and never copied.
    pub payload: Bytes,
    /// It was kept by the broker from before we subscribed.
    pub retained: bool,
    /// MQTT 5's content type.
    pub content_type: Option<String>,
    /// Dropping it acknowledges; QoS 0 has none.
    pub guard: Option<Box<dyn Send>>,
}

/// Holds the link up; dropping it takes the link down. It goes before whoever takes the messages: as long as the link
/// stands, a guard that is dropped with its message unread acknowledges it.
pub struct Handle {
    stop: oneshot::Sender<()>,
    renew: Arc<Notify>,
    task: JoinHandle<()>,
    voice: Voice,
}

/// Asks for a new client in place of the old one, whose buffers hold what it received last.
#[derive(Clone)]
pub struct Renewal(Arc<Notify>);

/// Listens to some topic filters until the handle or the receiver is dropped. Needs a running tokio.
#[must_use]
pub fn listen(options: Options, filters: &[&str], tally: Tally) -> (mpsc::Receiver<Message>, Handle) {
    let (sender, messages) = mpsc::channel(HANDOVER_LEN_MAX);
    let (stop, stopped) = oneshot::channel();
    let renew = Arc::<Notify>::default();
    let filters = filters.iter().map(|filter| (*filter).to_owned()).collect();
    let asked = poller::Asked { stop: stopped, renew: renew.clone() };
    let (line, standing) = watch::channel(None);
    let task = tokio::spawn(poller::run(options, filters, tally, sender, asked, line));
    (messages, Handle { stop, renew, task, voice: Voice::new(standing) })
}

impl Renewal {
    /// Has the client take its leave and a new one go on in its session. What was not acknowledged is delivered again;
    /// what is published meanwhile with QoS 1 waits at the broker, and with QoS 0 is lost.
    pub fn ask(&self) {
        self.0.notify_one();
    }
}

impl Handle {
    /// For whoever knows when the client should be renewed.
    #[must_use]
    pub fn renewal(&self) -> Renewal {
        Renewal(self.renew.clone())
    }

    /// Speaks over the link's connection.
    #[must_use]
    pub fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// Takes the link down with a clean MQTT disconnect. What was not acknowledged is delivered again to whoever connects
    /// next under the same client id within the life of the session.
    pub async fn shutdown(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("the link to the broker had failed before it was shut down");
        }
    }
}

impl Password {
    /// Takes a password.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::{Message, Options, Password};

    // A compile error here means that a password or a payload can be shown or copied.
    assert_not_impl_any!(Password: Clone, std::fmt::Debug, std::fmt::Display);
    assert_not_impl_any!(Options: Clone, std::fmt::Debug);
    assert_not_impl_any!(Message: Clone, std::fmt::Debug);
}

#![doc = include_str!("README.md")]

mod doorkeeper;
mod embedded;
mod engine;
mod listeners;

use std::net::SocketAddr;

use zeroize::Zeroizing;

use embedded::Embedded;
use engine::Engine as _;

/// The largest packet taken; a larger one costs its sender the connection. The slack over the largest payload lets one
/// that is a little larger through, so that the server can count it by its reason instead of never hearing of it.
pub const PACKET_BYTES_MAX: usize = passant_wire::PAYLOAD_BYTES_MAX + 16 * 1024;
/// Connections at once, each with up to a packet half read.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Clients that may listen at once. One that went away counts as long as its session lives.
pub const LISTENERS_MAX: usize = 8;
/// Messages on their way to one listener, for QoS 0 and for QoS 1 each. Beyond it QoS 0 is dropped; QoS 1 makes its
/// publisher wait for two seconds and then goes to the queue.
pub const LANE_LEN_MAX: usize = 512;
/// Messages that one listener may have without having acknowledged them, whatever more it asks for.
pub const INFLIGHT_LEN_MAX: u16 = 512;
/// Bytes of QoS 1 that wait for one listener that is away or behind; beyond it the oldest goes.
pub const QUEUE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Filters that one client may listen to.
pub const FILTERS_MAX: usize = 16;
/// Kept messages: one status a sensor, the figures of a zone, the state of an alert.
pub const RETAINED_LEN_MAX: usize = 8_192;
/// Bytes of a kept message: a status has some fifty, a zone's figures of every metric and step some eight thousand.
pub const RETAINED_BYTES_MAX: usize = 16 * 1024;
/// The most bytes of messages that one listener can hold, if every message is of the largest size: what is on its way,
/// what is in flight (twice: once to be sent, once to be sent again), and the queue.
pub const LISTENER_BYTES_MAX: usize =
    (2 * LANE_LEN_MAX + 2 * INFLIGHT_LEN_MAX as usize) * PACKET_BYTES_MAX + QUEUE_BYTES_MAX;

/// What a broker is asked for.
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who is let in.
    pub access: Access,
}

/// Who is let in.
pub enum Access {
    /// Whoever runs on this machine; the broker listens on loopback only.
    Anyone,
    /// Whoever knows the one user and its password.
    Password {
        /// The user's name.
        user: String,
        /// Its password.
        password: Password,
    },
}

/// A password: it has no `Debug`, is not cloned and wipes itself.
pub struct Password(Zeroizing<String>);

/// Why no broker runs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It would be open to a network without a password.
    #[error("the broker would be open to anyone at {0}: give it a password, or let it listen on loopback")]
    OpenToAnyone(SocketAddr),
    /// An empty user or password.
    #[error("the broker's user and password are empty: give it both")]
    EmptyPassword,
    /// The address cannot be had.
    #[error("the broker cannot listen on {0}, give it a free port of this machine: {1}")]
    Listen(SocketAddr, String),
    /// The engine stopped before it was ready.
    #[error("the broker stopped while it was starting, start it again: {0}")]
    Start(String),
}

/// A broker that runs until it is shut down or dropped. Everything it holds goes with it.
pub struct Running(Embedded);

/// Starts a broker and waits until it takes connections. Needs a running tokio.
///
/// # Errors
/// When it would be open to anyone off this machine, or cannot listen.
pub async fn start(options: Options) -> Result<(SocketAddr, Running), Error> {
    let Options { listen, access } = options;
    match &access {
        Access::Anyone if !listen.ip().to_canonical().is_loopback() => {
            return Err(Error::OpenToAnyone(listen));
        }
        Access::Password { user, password } if user.is_empty() || password.0.is_empty() => {
            return Err(Error::EmptyPassword);
        }
        _ => {}
    }
    let engine = Embedded::start(listen, access).await?;
    Ok((engine.address(), Running(engine)))
}

impl Running {
    /// Says farewell to every client and stops.
    pub async fn shutdown(self) {
        self.0.shutdown().await;
    }
}

impl Default for Options {
    /// Loopback's port of MQTT, without a password.
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 1883)), access: Access::Anyone }
    }
}

impl Password {
    /// Takes a password.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn reveal(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::{assert_not_impl_any, const_assert};

    use super::{Access, LISTENER_BYTES_MAX, Options, Password};

    // A compile error here means that a password can be shown or copied.
    assert_not_impl_any!(Password: Clone, std::fmt::Debug, std::fmt::Display);
    assert_not_impl_any!(Access: Clone, std::fmt::Debug);
    assert_not_impl_any!(Options: Clone, std::fmt::Debug);
    // One listener that hangs stays within what the shipped Mosquitto is given as a whole.
    const_assert!(LISTENER_BYTES_MAX < 1_073_741_824);
}

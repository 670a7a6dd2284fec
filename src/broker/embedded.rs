//! The engine: `mqtt5`, in memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerShutdownHandle, MqttBroker};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::doorkeeper::Doorkeeper;
use super::engine::Engine;
use super::{
    Access, CONNECTIONS_MAX, Error, FILTERS_MAX, INFLIGHT_LEN_MAX, LANE_LEN_MAX, PACKET_BYTES_MAX,
    QUEUE_BYTES_MAX, RETAINED_BYTES_MAX, RETAINED_LEN_MAX,
};

/// Seconds between sweeps of sessions that have outlived their time.
pub(super) const SWEEP_SECS: u64 = 5;
/// Seconds a shutdown waits for the farewells; a demo is expected to stop within five.
const SHUTDOWN_SECS: u64 = 3;
/// Topics that a connection may give a number; a sensor has two.
const ALIASES_MAX: u16 = 4;

pub(super) struct Embedded {
    address: SocketAddr,
    stop: BrokerShutdownHandle,
    task: Option<JoinHandle<mqtt5::Result<()>>>,
}

impl Engine for Embedded {
    async fn start(listen: SocketAddr, access: Access) -> Result<Self, Error> {
        let doorkeeper = Arc::new(Doorkeeper::new(access));
        let config = config(listen).with_event_handler(doorkeeper.clone());
        let told = |fault: mqtt5::MqttError| Error::Listen(listen, fault.to_string());
        let mut broker = MqttBroker::with_config(config).await.map_err(told)?.with_auth_provider(doorkeeper);
        let address = broker.local_addr().ok_or_else(|| Error::Start("it has no address".to_owned()))?;
        let (stop, ready) = (broker.shutdown_handle(), broker.ready_receiver());
        let task = tokio::spawn(async move { broker.run().await });
        let mut engine = Self { address, stop, task: Some(task) };
        engine.wait_until_ready(ready).await?;
        Ok(engine)
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn shutdown(mut self) {
        self.stop.shutdown();
        let Some(mut task) = self.task.take() else { return };
        match tokio::time::timeout(Duration::from_secs(SHUTDOWN_SECS), &mut task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => tracing::error!("the embedded broker had failed before it was shut down"),
            Err(_) => {
                tracing::warn!("the embedded broker's clients took no farewell, so it goes without one");
                task.abort();
            }
        }
    }
}

impl Embedded {
    async fn wait_until_ready(&mut self, mut ready: watch::Receiver<bool>) -> Result<(), Error> {
        let is_ready = ready.wait_for(|ready| *ready).await.is_ok();
        match self.task.take() {
            Some(task) if !is_ready => Err(Error::Start(match task.await {
                Ok(Err(fault)) => fault.to_string(),
                _ => "its task ended".to_owned(),
            })),
            task => {
                self.task = task;
                Ok(())
            }
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn config(listen: SocketAddr) -> BrokerConfig {
    let mut config = BrokerConfig::default()
        .with_bind_address(listen)
        .with_max_clients(CONNECTIONS_MAX)
        .with_max_packet_size(PACKET_BYTES_MAX)
        // Sessions, and with them what waits for an absent listener, end with what a sighting is worth.
        .with_session_expiry(Duration::from_secs(u64::from(passant_wire::LIFE_SECS)))
        .with_maximum_qos(1)
        .with_max_subscriptions_per_client(FILTERS_MAX)
        .with_max_retained_messages(RETAINED_LEN_MAX)
        .with_max_retained_message_size(RETAINED_BYTES_MAX)
        .with_client_channel_capacity(LANE_LEN_MAX)
        .with_max_outbound_inflight(INFLIGHT_LEN_MAX)
        .with_storage(storage())
        .with_sys_topics_enabled(false);
    config.topic_alias_maximum = ALIASES_MAX;
    // The library refuses to start without a password file unless anyone is let in; the doorkeeper decides instead.
    config.auth_config.allow_anonymous = true;
    config
}

/// The library keeps files unless told otherwise, and what passes here are raw addresses. Its word for sessions that
/// outlive a connection is persistence; in memory it touches no disk.
fn storage() -> StorageConfig {
    StorageConfig::default()
        .with_backend(StorageBackend::Memory)
        .with_base_dir("/dev/null/passant-writes-nothing".into())
        .with_persistence(true)
        .with_cleanup_interval(Duration::from_secs(SWEEP_SECS))
        // The bound is in bytes; every message has some hundred of its own.
        .with_max_queued_messages_per_client(QUEUE_BYTES_MAX)
        .with_max_queued_bytes_per_client(QUEUE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_on_a_disk_or_beyond_its_life() {
        let config = config(SocketAddr::from(([127, 0, 0, 1], 0)));
        assert_eq!(config.storage_config.backend, StorageBackend::Memory);
        assert_eq!(config.session_expiry_interval.as_secs(), u64::from(passant_wire::LIFE_SECS));
        assert!(config.bridges.is_empty() && !config.sys_topics_enabled);
    }
}

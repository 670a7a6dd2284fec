#![doc = include_str!("README.md")]

mod alarm;
mod alerts;
mod herald;
mod rule;
#[cfg(test)]
mod tests;

pub use rule::rules;

use std::collections::BTreeMap;
use std::sync::Arc;

use passant_wire::Id;
use tokio::sync::{mpsc, watch};

use self::alerts::Alerts;
use self::herald::Herald;
use crate::config::{self, Venue};
use crate::link::Voice;
use crate::release::Live;
use crate::store::Store;
use crate::telemetry::Tally;

/// States of alerts on their way to the herald, at most; the watch over the rules waits while it is full, and the store
/// keeps what it will look at.
const CHANGES_LEN_MAX: usize = 64;

/// The newest judged moment of each venue, by its id.
pub type LiveFigures = Arc<BTreeMap<Id, watch::Receiver<Option<Arc<Live>>>>>;

/// Why the outlet does not open.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Some rules make no sense; each line says which and what to do.
    #[error("the alerts of the configuration are not acceptable:\n{}", .0.join("\n"))]
    Rules(Vec<String>),
}

/// What the outlet works with.
pub struct Parts {
    /// The configured venues.
    pub venues: Arc<Vec<Venue>>,
    /// What may go out by MQTT.
    pub outlet: config::Outlet,
    /// The judged figures.
    pub store: Store,
    /// The newest judged moments.
    pub live: LiveFigures,
    /// Speaks to the broker.
    pub voice: Voice,
    /// The program's counters.
    pub tally: Tally,
}

/// The outlet, before it is at work.
pub struct Outlet {
    alerts: Alerts,
    herald: Option<Herald>,
}

impl Outlet {
    /// Listens to what is released from now on.
    ///
    /// # Errors
    /// When a rule of the configuration makes no sense.
    pub fn open(parts: Parts) -> Result<Self, Error> {
        let rules = rules(&parts.venues)?;
        let (changes, changed) = mpsc::channel(CHANGES_LEN_MAX);
        let goes_out = parts.outlet.is_open();
        let alerts = Alerts::new(&parts, rules, goes_out.then_some(changes));
        let herald = goes_out.then(|| Herald::new(parts, changed));
        Ok(Self { alerts, herald })
    }

    /// Works until it is dropped.
    pub async fn run(self) {
        let Self { alerts, herald } = self;
        let herald = async {
            if let Some(herald) = herald {
                herald.run().await;
            }
        };
        tokio::join!(alerts.run(), herald);
    }
}

//! The server's counters, looked at while the load runs and until they are final.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::sending::Flow;
use super::tally::Totals;
use super::{Error, LOOK_MS, Order, QUIET_SECS, SETTLE_SECS_MAX};
use crate::clock;
use crate::http::ApiUrl;
use crate::progress::Progress;

/// Looks at the server's counters.
pub(super) struct Watch {
    pub(super) api: Option<ApiUrl>,
    batch: u64,
    before: Totals,
    pub(super) grown: Totals,
    /// When they grew last.
    pub(super) grew_at: Duration,
}

impl Watch {
    pub(super) async fn begin(order: &Order) -> Result<Self, Error> {
        let before = match order.api {
            Some(api) => Totals::parse(&api.get("/metrics").await?),
            None => Totals::default(),
        };
        let batch = order.batch as u64;
        Ok(Self { api: order.api, batch, before, grown: Totals::default(), grew_at: clock::steady() })
    }

    pub(super) async fn look(&mut self, flow: &Flow, progress: &Progress) -> Result<(), Error> {
        if let Some(api) = self.api {
            let grown = Totals::parse(&api.get("/metrics").await?).since(&self.before);
            if grown != self.grown {
                self.grew_at = clock::steady();
                self.grown = grown;
            }
            flow.taken_in.store(self.grown.taken_in(self.batch), Ordering::Release);
        }
        let counted = || self.api.map_or("uncounted".into(), |_| format!("{} counted", self.grown.counted));
        progress.set(flow.sent.load(Ordering::Relaxed), counted);
        Ok(())
    }

    /// Looks until everything sent is accounted for, or nothing has moved for long.
    pub(super) async fn settle(&mut self, flow: &Flow, progress: &Progress) -> Result<(), Error> {
        if self.api.is_none() {
            return Ok(());
        }
        let begun = clock::steady();
        for _ in 0..SETTLE_SECS_MAX * 1000 / LOOK_MS {
            self.look(flow, progress).await?;
            let all_in = self.grown.taken_in(self.batch) >= flow.sent.load(Ordering::Acquire);
            let quiet = clock::steady().saturating_sub(self.grew_at.max(begun));
            if all_in || quiet >= Duration::from_secs(QUIET_SECS) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
        Ok(())
    }
}

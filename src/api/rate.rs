//! How often something may be asked for, by who asks. In memory only, and only so many at once.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Machine;

/// Those remembered at once; those beyond share one place until some are forgotten.
pub(super) const ASKERS_MAX: usize = 10_000;

/// The steady clock, as the limiter reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady(pub(super) Machine);

impl Clock for Steady {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(Duration::from_millis(u64::try_from(self.0.steady().0).unwrap_or(0)))
    }
}

/// How much one may ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// At once.
    pub(super) at_once: NonZeroU32,
    /// After that, one more each of these, seconds.
    pub(super) one_each_secs: u64,
}

/// A limit for each who asks. Clones share it.
pub(super) struct Rate<K: Hash + Eq + Clone, C: Clock = Steady> {
    askers: Arc<Askers<K, C>>,
    clock: C,
    shared: K,
}

type Askers<K, C> = RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl<K: Hash + Eq + Clone, C: Clock + Clone> Rate<K, C> {
    /// A limit of a share each, with the place that those share who are too many.
    pub(super) fn new(clock: C, share: Share, shared: K) -> Self {
        // A period of no length is the only one that is refused.
        let each = Duration::from_secs(share.one_each_secs.max(1));
        let quota = Quota::with_period(each).unwrap_or(Quota::per_minute(share.at_once));
        let askers = RateLimiter::hashmap_with_clock(quota.allow_burst(share.at_once), clock.clone());
        Self { askers: Arc::new(askers), clock, shared }
    }

    /// Counts one; if it is one too many, after how many seconds another may come.
    pub(super) fn ask(&self, who: K) -> Result<(), u64> {
        let mut who = who;
        if self.askers.len() >= ASKERS_MAX {
            self.askers.retain_recent();
            self.askers.shrink_to_fit();
            if self.askers.len() >= ASKERS_MAX {
                who = self.shared.clone();
            }
        }
        self.askers
            .check_key(&who)
            .map_err(|until| until.wait_time_from(self.clock.now()).as_millis().div_ceil(1_000) as u64)
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.askers.len()
    }
}

/// A household of IPv6 has 2^64 addresses: it is one client.
pub(super) fn narrowed(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        client => client,
    }
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Clone for Rate<K, C> {
    fn clone(&self) -> Self {
        Self { askers: self.askers.clone(), clock: self.clock.clone(), shared: self.shared.clone() }
    }
}

impl<K: Hash + Eq + Clone, C: Clock> std::fmt::Debug for Rate<K, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Addresses of clients are nobody's to read.
        f.write_str("Rate")
    }
}

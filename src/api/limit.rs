//! How often one client may ask for something that the list of objections must answer. In memory only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::{Problem, shopper};
use crate::clock::Machine;

/// What a client may ask for at once: a family at one address objects for all its devices.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// After that, one more each of these, seconds.
const ONE_EACH_SECS: u64 = 5;
/// Clients remembered at once; those beyond share one place until some are forgotten.
const CLIENTS_MAX: usize = 10_000;
/// Where clients share a place, or have no address.
const SHARED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The steady clock, as the limiter reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady(pub(super) Machine);

impl Clock for Steady {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(Duration::from_millis(u64::try_from(self.0.steady().0).unwrap_or(0)))
    }
}

/// The limit. Clones share it.
pub(super) struct Limit<C: Clock = Steady> {
    clients: Arc<Clients<C>>,
    clock: C,
    trusted: Arc<Vec<IpAddr>>,
}

type Clients<C> = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl<C: Clock + Clone> Limit<C> {
    pub(super) fn new(clock: C, trusted: Vec<IpAddr>) -> Self {
        // A period of no length is the only one that is refused, and five seconds is none.
        let quota =
            Quota::with_period(Duration::from_secs(ONE_EACH_SECS)).unwrap_or(Quota::per_minute(AT_ONCE));
        let clients = RateLimiter::hashmap_with_clock(quota.allow_burst(AT_ONCE), clock.clone());
        Self { clients: Arc::new(clients), clock, trusted: Arc::new(trusted) }
    }

    /// Counts a request; if it is one too many, after how many seconds another may come.
    pub(super) fn ask(&self, client: IpAddr) -> Result<(), u64> {
        let mut client = narrowed(client);
        if self.clients.len() >= CLIENTS_MAX {
            self.clients.retain_recent();
            self.clients.shrink_to_fit();
            if self.clients.len() >= CLIENTS_MAX {
                client = SHARED;
            }
        }
        self.clients
            .check_key(&client)
            .map_err(|until| until.wait_time_from(self.clock.now()).as_millis().div_ceil(1_000) as u64)
    }

    /// Who asks: the peer, or what a trusted proxy says of whom it asks for.
    pub(super) fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        let Some(peer) = peer else { return SHARED };
        if !self.trusted.contains(&peer) {
            return peer;
        }
        // The last hop is the proxy's own word; those before it are anybody's.
        let said = headers.get_all("x-forwarded-for").iter().next_back().and_then(|line| line.to_str().ok());
        let last = said.and_then(|line| line.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
        last.map_or(peer, |last| last.to_canonical())
    }
}

/// Lets a request through that asks nothing of the list, or whose client has not asked too often.
pub(super) async fn held(State(limit): State<Limit>, request: Request, next: Next) -> Response {
    let Some(asks) = Asks::of(&request) else { return next.run(request).await };
    let client = limit.client(request.extensions(), request.headers());
    let Err(secs) = limit.ask(client) else { return next.run(request).await };
    let mut refused = match asks {
        Asks::Page => shopper::too_often(&request, secs),
        Asks::Program => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!("too many requests about objections came from this client; ask again in {secs} s"),
        )
        .into_response(),
    };
    refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    refused
}

/// Who asks something that the list must answer.
enum Asks {
    Page,
    Program,
}

impl Asks {
    fn of(request: &Request) -> Option<Self> {
        let route = request.extensions().get::<MatchedPath>()?.as_str();
        match route {
            "/opt-out" => (*request.method() == Method::POST).then_some(Self::Page),
            route if route.starts_with("/opt-out/") => Some(Self::Page),
            route if route.starts_with("/api/v1/opt-outs") => Some(Self::Program),
            _ => None,
        }
    }
}

/// A household of IPv6 has 2^64 addresses: it is one client.
fn narrowed(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        client => client,
    }
}

impl<C: Clock + Clone> Clone for Limit<C> {
    fn clone(&self) -> Self {
        Self { clients: self.clients.clone(), clock: self.clock.clone(), trusted: self.trusted.clone() }
    }
}

impl<C: Clock> std::fmt::Debug for Limit<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Addresses of clients are nobody's to read.
        f.write_str("Limit")
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_waits_after_its_share_and_others_do_not() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::new(clock.clone(), Vec::new());
        for _ in 0..AT_ONCE.get() {
            assert_eq!(limit.ask(ip("192.0.2.1")), Ok(()));
        }
        assert_eq!(limit.ask(ip("192.0.2.1")), Err(ONE_EACH_SECS));
        assert_eq!(limit.ask(ip("192.0.2.2")), Ok(()));
        clock.advance(Duration::from_secs(ONE_EACH_SECS));
        assert_eq!(limit.ask(ip("192.0.2.1")), Ok(()));
        assert_eq!(limit.ask(ip("192.0.2.1")), Err(ONE_EACH_SECS));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let limit = Limit::new(FakeRelativeClock::default(), Vec::new());
        for host in 0..AT_ONCE.get() {
            assert_eq!(limit.ask(ip(&format!("2001:db8:0:1::{host:x}"))), Ok(()));
        }
        assert!(limit.ask(ip("2001:db8:0:1:ffff::1")).is_err());
        assert!(limit.ask(ip("2001:db8:0:2::1")).is_ok());
    }

    #[test]
    fn the_memory_for_clients_is_bounded_and_comes_back() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::new(clock.clone(), Vec::new());
        let client = |n: usize| IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n as u32));
        for n in 0..2 * CLIENTS_MAX {
            let _ = limit.ask(client(n));
        }
        assert!(limit.clients.len() <= CLIENTS_MAX + 1);
        assert!(limit.ask(client(3 * CLIENTS_MAX)).is_err(), "those beyond share one place");
        clock.advance(Duration::from_secs(ONE_EACH_SECS * u64::from(AT_ONCE.get()) + 1));
        assert!(limit.ask(client(3 * CLIENTS_MAX)).is_ok());
        assert!(limit.clients.len() < 10, "clients that have been away are forgotten");
    }

    #[test]
    fn only_a_trusted_proxy_says_for_whom_it_asks() {
        let trusted = Limit::new(FakeRelativeClock::default(), vec![ip("127.0.0.1")]);
        let nobody = Limit::new(FakeRelativeClock::default(), Vec::new());
        let mut extensions = Extensions::new();
        let mut headers = HeaderMap::new();
        assert_eq!(trusted.client(&extensions, &headers), SHARED);
        extensions.insert(ConnectInfo("127.0.0.1:1".parse::<SocketAddr>().unwrap()));
        assert_eq!(trusted.client(&extensions, &headers), ip("127.0.0.1"));
        headers.append("x-forwarded-for", "198.51.100.9, 192.0.2.7".parse().unwrap());
        assert_eq!(trusted.client(&extensions, &headers), ip("192.0.2.7"));
        assert_eq!(nobody.client(&extensions, &headers), ip("127.0.0.1"));
        extensions.insert(ConnectInfo("203.0.113.5:1".parse::<SocketAddr>().unwrap()));
        assert_eq!(trusted.client(&extensions, &headers), ip("203.0.113.5"));
    }
}

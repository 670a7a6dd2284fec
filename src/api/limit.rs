//! How often one client may ask for something that the list of objections must answer. In memory only.

use std::net::IpAddr;
use std::num::NonZeroU32;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock;

use super::rate::{Rate, Share, Steady, narrowed};
use super::way::{SHARED, Way};
use super::{Problem, shopper};

/// What a client may ask for: a family at one address objects for all its devices.
const OF_CLIENT: Share = Share { at_once: NonZeroU32::new(30).unwrap(), one_each_secs: 5 };

/// The limit. Clones share it.
#[derive(Debug)]
pub(super) struct Limit<C: Clock = Steady>(Rate<IpAddr, C>);

impl<C: Clock + Clone> Limit<C> {
    pub(super) fn new(clock: C) -> Self {
        Self(Rate::new(clock, OF_CLIENT, SHARED))
    }

    /// Counts a request; if it is one too many, after how many seconds another may come.
    pub(super) fn ask(&self, client: IpAddr) -> Result<(), u64> {
        self.0.ask(narrowed(client))
    }
}

impl<C: Clock + Clone> Clone for Limit<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Lets a request through that asks nothing of the list, or whose client has not asked too often.
pub(super) async fn held(State(limit): State<Limit>, request: Request, next: Next) -> Response {
    let Some(asks) = Asks::of(&request) else { return next.run(request).await };
    let client = request.extensions().get::<Way>().map_or(SHARED, |way| way.client);
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;
    use crate::api::rate::ASKERS_MAX;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_waits_after_its_share_and_others_do_not() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::new(clock.clone());
        for _ in 0..OF_CLIENT.at_once.get() {
            assert_eq!(limit.ask(ip("192.0.2.1")), Ok(()));
        }
        assert_eq!(limit.ask(ip("192.0.2.1")), Err(OF_CLIENT.one_each_secs));
        assert_eq!(limit.ask(ip("192.0.2.2")), Ok(()));
        clock.advance(Duration::from_secs(OF_CLIENT.one_each_secs));
        assert_eq!(limit.ask(ip("192.0.2.1")), Ok(()));
        assert_eq!(limit.ask(ip("192.0.2.1")), Err(OF_CLIENT.one_each_secs));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let limit = Limit::new(FakeRelativeClock::default());
        for host in 0..OF_CLIENT.at_once.get() {
            assert_eq!(limit.ask(ip(&format!("2001:db8:0:1::{host:x}"))), Ok(()));
        }
        assert!(limit.ask(ip("2001:db8:0:1:ffff::1")).is_err());
        assert!(limit.ask(ip("2001:db8:0:2::1")).is_ok());
    }

    #[test]
    fn the_memory_for_clients_is_bounded_and_comes_back() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::new(clock.clone());
        let client = |n: usize| IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n as u32));
        for n in 0..2 * ASKERS_MAX {
            let _ = limit.ask(client(n));
        }
        assert!(limit.0.len() <= ASKERS_MAX + 1);
        assert!(limit.ask(client(3 * ASKERS_MAX)).is_err(), "those beyond share one place");
        clock.advance(Duration::from_secs(OF_CLIENT.one_each_secs * u64::from(OF_CLIENT.at_once.get()) + 1));
        assert!(limit.ask(client(3 * ASKERS_MAX)).is_ok());
        assert!(limit.0.len() < 10, "clients that have been away are forgotten");
    }
}

//! By which way a request came: from which client, and whether somebody could listen on the way.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use tokio::net::TcpListener;

use super::Problem;
use super::tls::Tls;
use crate::config::HttpDoor;

/// Where clients share a place, or have no address.
pub(super) const SHARED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The other end of a connection. It has no `Debug`: addresses of clients are nobody's to read.
#[derive(Clone, Copy)]
pub struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, Tls>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Tls>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Who else could listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// Nobody: it came under TLS, to this server or to a proxy that is believed.
    Sealed,
    /// Nobody elsewhere: it has not left this machine.
    Own,
    /// Everybody on the way.
    Open,
}

/// The way of a request. It has no `Debug`, as [`Peer`] has none.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// Who asks.
    pub(super) client: IpAddr,
    /// Who else could listen.
    pub(super) wire: Wire,
}

/// What a listener is, as far as it bears on who is believed what.
#[derive(Clone, Debug)]
pub struct Entrance {
    speaks: Speaks,
    reach: Reach,
    proxies: Arc<[IpAddr]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Tls,
    Plainly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// On a loopback address, with no proxy that hands requests of others on.
    ThisMachine,
    Elsewhere,
}

impl Entrance {
    /// The entrance of an address and what is configured for it.
    #[must_use]
    pub fn of(listen: SocketAddr, door: &HttpDoor) -> Self {
        let own = listen.ip().to_canonical().is_loopback() && door.trusted_proxies.is_empty();
        Self {
            speaks: if door.tls.is_some() { Speaks::Tls } else { Speaks::Plainly },
            reach: if own { Reach::ThisMachine } else { Reach::Elsewhere },
            proxies: door.trusted_proxies.clone().into(),
        }
    }

    /// One that asks nothing of its clients, and believes these proxies who a client is.
    pub(super) fn behind(proxies: &[IpAddr]) -> Self {
        Self { speaks: Speaks::Plainly, reach: Reach::Elsewhere, proxies: proxies.into() }
    }

    /// Whether only this machine itself can come in.
    pub(super) fn is_this_machines(&self) -> bool {
        self.reach == Reach::ThisMachine
    }

    /// The way by which a peer's request came.
    fn way(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Way {
        let Some(peer) = peer else { return Way { client: SHARED, wire: Wire::Open } };
        let forwarded = ["x-forwarded-for", "x-forwarded-proto"].map(|name| last(headers, name));
        let own = if peer.is_loopback() { Wire::Own } else { Wire::Open };
        let (client, wire) = match forwarded {
            // A program on this machine asks for itself, even where a proxy runs beside it.
            _ if !self.proxies.contains(&peer) => (peer, own),
            [None, None] => (peer, own),
            [client, proto] => {
                let client = client.and_then(|text| text.parse::<IpAddr>().ok()).unwrap_or(peer);
                let sealed = proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
                (client.to_canonical(), if sealed { Wire::Sealed } else { Wire::Open })
            }
        };
        Way { client, wire: if self.speaks == Speaks::Tls { Wire::Sealed } else { wire } }
    }
}

/// The last word of a header: what the nearest proxy wrote. Those before it are anybody's.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}

/// Notes by which way a request came.
pub(super) async fn noted(State(entrance): State<Entrance>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0.0.ip().to_canonical());
    let way = entrance.way(peer, request.headers());
    request.extensions_mut().insert(way);
    next.run(request).await
}

/// The same, and refuses what others could have listened to: passwords and figures travel here.
pub(super) async fn unheard(State(entrance): State<Entrance>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0.0.ip().to_canonical());
    if entrance.way(peer, request.headers()).wire == Wire::Open {
        return Problem::forbidden(
            "this server takes nothing that others could have listened to: ask over https, by the proxy that \
             http.trusted_proxies names; it must send X-Forwarded-For and X-Forwarded-Proto",
        )
        .into_response();
    }
    noted(State(entrance), request, next).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn entrance(listen: &str, proxies: &[&str]) -> Entrance {
        let door = HttpDoor { tls: None, trusted_proxies: proxies.iter().map(|text| ip(text)).collect() };
        Entrance::of(listen.parse().unwrap(), &door)
    }

    fn headers(said: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_a_trusted_proxy_says_for_whom_it_asks_and_how_they_came() {
        let behind = entrance("0.0.0.0:8080", &["127.0.0.1", "10.0.0.2"]);
        let alone = entrance("0.0.0.0:8080", &[]);
        let said =
            headers(&[("x-forwarded-for", "198.51.100.9, 192.0.2.7"), ("x-forwarded-proto", "http, https")]);
        for (entrance, peer, client, wire) in [
            (&behind, "10.0.0.2", "192.0.2.7", Wire::Sealed),
            (&behind, "127.0.0.1", "192.0.2.7", Wire::Sealed),
            (&behind, "203.0.113.5", "203.0.113.5", Wire::Open),
            (&behind, "127.0.0.2", "127.0.0.2", Wire::Own),
            (&alone, "10.0.0.2", "10.0.0.2", Wire::Open),
            (&alone, "127.0.0.1", "127.0.0.1", Wire::Own),
        ] {
            let way = entrance.way(Some(ip(peer)), &said);
            assert_eq!((way.client, way.wire), (ip(client), wire), "{peer}");
        }
        let way = behind.way(None, &said);
        assert_eq!((way.client, way.wire), (SHARED, Wire::Open));
    }

    #[test]
    fn what_a_proxy_does_not_call_https_is_open() {
        let behind = entrance("127.0.0.1:8080", &["127.0.0.1"]);
        for (said, wire) in [
            (vec![("x-forwarded-for", "192.0.2.7")], Wire::Open),
            (vec![("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "http")], Wire::Open),
            (vec![("x-forwarded-proto", "https, http")], Wire::Open),
            (vec![("x-forwarded-proto", "HTTPS")], Wire::Sealed),
            (vec![], Wire::Own),
        ] {
            assert_eq!(behind.way(Some(ip("127.0.0.1")), &headers(&said)).wire, wire, "{said:?}");
        }
        assert!(!behind.is_this_machines(), "others come in by the proxy");
        assert!(
            entrance("[::1]:8080", &[]).is_this_machines() && !entrance("[::]:8080", &[]).is_this_machines()
        );
    }
}

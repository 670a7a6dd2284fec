//! Where pages and API are asked for, and the link that makes the first account there.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::demo::doors::from_elsewhere;
use super::say;
use crate::api::{self, Peer, Tls};
use crate::config::HttpDoor;

/// Listens at an address, with little kept for a client that does not read.
///
/// # Errors
/// When the address is not free, or none of this machine's.
pub(super) async fn at(address: SocketAddr) -> std::io::Result<TcpListener> {
    api::bounded(TcpListener::bind(address).await?)
}

/// Where somebody asks.
pub(super) enum Listening {
    Plainly(TcpListener),
    Sealed(Tls),
}

impl Listening {
    /// Speaks TLS at a listener, if a certificate is configured.
    ///
    /// # Errors
    /// When certificate and key are none.
    pub(super) fn open(listener: TcpListener, door: &HttpDoor) -> Result<Self> {
        Ok(match &door.tls {
            Some(files) => Self::Sealed(Tls::over(listener, api::speech(files)?)?),
            None => Self::Plainly(listener),
        })
    }

    /// Its address.
    ///
    /// # Errors
    /// When the system does not say.
    pub(super) fn address(&self) -> std::io::Result<SocketAddr> {
        match self {
            Self::Plainly(listener) => listener.local_addr(),
            Self::Sealed(tls) => axum::serve::Listener::local_addr(tls),
        }
    }

    /// Serves on a task of its own; handlers know who asks.
    pub(super) fn serve(self, router: axum::Router) -> JoinHandle<std::io::Result<()>> {
        let service = router.into_make_service_with_connect_info::<Peer>();
        match self {
            Self::Plainly(listener) => tokio::spawn(axum::serve(listener, service).into_future()),
            Self::Sealed(tls) => tokio::spawn(axum::serve(tls, service).into_future()),
        }
    }

    fn scheme(&self) -> &'static str {
        match self {
            Self::Plainly(_) => "http",
            Self::Sealed(_) => "https",
        }
    }
}

/// Prints the link that makes the first account, while there is none. It goes to whoever started the server, and to no
/// log of ours.
///
/// # Errors
/// When there are no random bytes.
pub(super) fn set_up_link(state: &api::State, listening: &Listening) -> Result<()> {
    let Some(secret) = state.accounts.draw_set_up(state.clock.now())? else { return Ok(()) };
    let (scheme, address) = (listening.scheme(), from_elsewhere(listening.address()?));
    say("There is no account yet. This link makes the first one; it works once, and for an hour. Where \
         the server is reached by a name of its own, or by a proxy, put that in place of the address.");
    say(&Zeroizing::new(format!("  {scheme}://{address}/setup/{}", *secret)));
    Ok(())
}

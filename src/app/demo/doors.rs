//! The demo's two doors, the page's and the broker's. On loopback whoever runs on this machine comes in; anywhere else
//! each has a secret of its own, made at every start and kept nowhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use anyhow::{Context as _, Result};
use sensor_sim::publisher::BrokerUrl;
use zeroize::Zeroizing;

use crate::{api, broker, chance, link};

/// The broker's one user.
const USER: &str = "demo";
/// Random bytes of the broker's password.
const PASSWORD_BYTES: usize = 16;
/// Addresses for documentation: a way towards one is the way out of this machine, and nothing is sent there.
const AWAY: [(IpAddr, &str); 2] = [
    (IpAddr::V4(Ipv4Addr::UNSPECIFIED), "192.0.2.1:9"),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), "[2001:db8::1]:9"),
];

/// The page's door.
pub(super) struct Page {
    token: Option<Zeroizing<String>>,
    pub(super) access: api::Access,
}

impl Page {
    /// A door for an address.
    ///
    /// # Errors
    /// When a token is needed and the operating system gives no random bytes.
    pub(super) fn at(listen: SocketAddr) -> Result<Self> {
        if is_loopback(listen) {
            return Ok(Self { token: None, access: api::Access::ThisMachine });
        }
        let (token, text) = api::Token::random().context("making a token")?;
        Ok(Self { token: Some(text), access: api::Access::Token(token) })
    }

    /// What to visit.
    pub(super) fn link(&self, listen: SocketAddr) -> Zeroizing<String> {
        Zeroizing::new(match &self.token {
            None => format!("http://{listen}"),
            Some(token) => format!("http://{}/?token={}", from_elsewhere(listen), **token),
        })
    }

    /// What else there is to know, if the door has a token.
    pub(super) fn advice(&self) -> Option<Zeroizing<String>> {
        let token = self.token.as_ref()?;
        Some(Zeroizing::new(format!(
            "Who has this link may look, until the demo stops. A program sends `Authorization: Bearer {}`.",
            **token
        )))
    }
}

/// The broker's door.
pub(super) struct Sensors {
    password: Option<Zeroizing<String>>,
}

impl Sensors {
    /// A door for an address.
    ///
    /// # Errors
    /// When a password is needed and the operating system gives no random bytes.
    pub(super) fn at(listen: SocketAddr) -> Result<Self> {
        let make = || chance::word::<PASSWORD_BYTES>().context("making a password");
        Ok(Self { password: (!is_loopback(listen)).then(make).transpose()? })
    }

    /// Whom the broker lets in.
    pub(super) fn access(&self) -> broker::Access {
        match &self.password {
            None => broker::Access::Anyone,
            Some(password) => broker::Access::Password {
                user: USER.to_owned(),
                password: broker::Password::new(password.clone()),
            },
        }
    }

    /// How the server comes in.
    pub(super) fn login(&self) -> Option<(String, link::Password)> {
        let password = self.password.as_ref()?;
        Some((USER.to_owned(), link::Password::new(password.clone())))
    }

    /// How the simulator in this process comes in.
    ///
    /// # Errors
    /// Never, but for a fault of ours.
    pub(super) fn own_url(&self, listen: SocketAddr) -> Result<BrokerUrl> {
        Ok(self.url(from_here(listen)).parse::<BrokerUrl>()?)
    }

    /// What else there is to know, if the door has a password.
    pub(super) fn advice(&self, listen: SocketAddr) -> Option<Zeroizing<String>> {
        self.password.as_ref()?;
        let url = self.url(from_elsewhere(listen));
        Some(Zeroizing::new(format!("Sensors publish to {}", *url)))
    }

    fn url(&self, address: SocketAddr) -> Zeroizing<String> {
        Zeroizing::new(match &self.password {
            None => format!("mqtt://{address}"),
            Some(password) => format!("mqtt://{USER}:{}@{address}", **password),
        })
    }
}

pub(super) fn is_loopback(listen: SocketAddr) -> bool {
    listen.ip().to_canonical().is_loopback()
}

/// The address as this process reaches it: what listens everywhere is spoken to on loopback.
pub(super) fn from_here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The address as another machine would reach it; a machine without a network is only reached from itself.
pub(in crate::app) fn from_elsewhere(listen: SocketAddr) -> SocketAddr {
    let Some((any, away)) = AWAY.iter().find(|(any, _)| *any == listen.ip()) else { return listen };
    let socket = UdpSocket::bind((*any, 0)).and_then(|socket| {
        socket.connect(*away)?;
        socket.local_addr()
    });
    socket.map_or(from_here(listen), |own| SocketAddr::new(own.ip(), listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn this_machine_needs_no_secret_and_any_other_needs_both() {
        for here in ["127.0.0.1:8080", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
            let (page, sensors) = (Page::at(address(here)).unwrap(), Sensors::at(address(here)).unwrap());
            assert!(matches!(page.access, api::Access::ThisMachine) && page.advice().is_none());
            assert!(matches!(sensors.access(), broker::Access::Anyone) && sensors.login().is_none());
            assert_eq!(*page.link(address(here)), format!("http://{here}"));
        }
        for elsewhere in ["0.0.0.0:8080", "[::]:8080", "192.0.2.7:8080"] {
            let (page, sensors) =
                (Page::at(address(elsewhere)).unwrap(), Sensors::at(address(elsewhere)).unwrap());
            assert!(matches!(page.access, api::Access::Token(_)));
            assert!(matches!(sensors.access(), broker::Access::Password { .. }) && sensors.login().is_some());
            let link = page.link(address(elsewhere));
            let (place, token) = link.split_once("/?token=").unwrap();
            assert!(token.len() == 32 && page.advice().unwrap().contains(token));
            assert!(!place.contains("0.0.0.0") && !place.contains("[::]"), "{place}: nobody can visit that");
            assert!(sensors.own_url(address(elsewhere)).is_ok());
            let password = sensors.password.as_ref().unwrap();
            assert!(
                sensors.advice(address(elsewhere)).unwrap().contains(&format!("mqtt://demo:{}@", **password))
            );
            assert!(**password != token, "each door has its own");
        }
    }

    #[test]
    fn what_listens_everywhere_is_reached_from_here_on_loopback() {
        assert_eq!(from_here(address("0.0.0.0:1883")), address("127.0.0.1:1883"));
        assert_eq!(from_here(address("[::]:1883")), address("[::1]:1883"));
        assert_eq!(from_here(address("192.0.2.7:1883")), address("192.0.2.7:1883"));
    }
}

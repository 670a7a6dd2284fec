//! How often somebody may try to sign in: a client, whatever the name, and a name, whoever the client.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::Clock;

use super::Problem;
use super::rate::{Rate, Share, Steady, narrowed};
use super::way::SHARED;

/// One client: whoever mistypes has tries enough, and whoever guesses has three thousand a day.
const OF_CLIENT: Share = Share { at_once: NonZeroU32::new(10).unwrap(), one_each_secs: 30 };
/// One name, from all clients together: guesses from a thousand machines are no faster than this. The room at once is
/// wide, so that whoever means to shut somebody out has to keep at it.
const OF_NAME: Share = Share { at_once: NonZeroU32::new(100).unwrap(), one_each_secs: 10 };

/// The limits. Clones share them.
pub(super) struct Tries<C: Clock = Steady> {
    clients: Rate<IpAddr, C>,
    names: Rate<u64, C>,
}

impl<C: Clock + Clone> Tries<C> {
    pub(super) fn new(clock: C) -> Self {
        Self { clients: Rate::new(clock.clone(), OF_CLIENT, SHARED), names: Rate::new(clock, OF_NAME, 0) }
    }

    /// Counts a try. The name counts whether or not it is anybody's, so that the limit tells nothing of it.
    pub(super) fn ask(&self, client: IpAddr, name: &str) -> Result<(), Problem> {
        let name = blake3::hash(name.trim().to_lowercase().as_bytes());
        let name = u64::from_le_bytes(std::array::from_fn(|at| name.as_bytes()[at]));
        let asked = self.clients.ask(narrowed(client)).and_then(|()| self.names.ask(name));
        asked.map_err(|secs| {
            Problem::too_often(format!("too many tries to sign in; try again in {secs} s"), secs)
        })
    }
}

impl<C: Clock + Clone> Clone for Tries<C> {
    fn clone(&self) -> Self {
        Self { clients: self.clients.clone(), names: self.names.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn client(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n))
    }

    #[test]
    fn a_client_waits_after_ten_tries_whatever_the_names() {
        let clock = FakeRelativeClock::default();
        let tries = Tries::new(clock.clone());
        for n in 0..OF_CLIENT.at_once.get() {
            assert!(tries.ask(client(1), &format!("name{n}")).is_ok());
        }
        let wait = tries.ask(client(1), "another").unwrap_err();
        assert_eq!(wait.retry_after_secs(), Some(OF_CLIENT.one_each_secs));
        assert!(tries.ask(client(2), "another").is_ok());
        clock.advance(Duration::from_secs(OF_CLIENT.one_each_secs));
        assert!(tries.ask(client(1), "another").is_ok() && tries.ask(client(1), "another").is_err());
    }

    #[test]
    fn a_name_waits_after_a_hundred_tries_whoever_the_clients_and_however_it_is_spelled() {
        let clock = FakeRelativeClock::default();
        let tries = Tries::new(clock.clone());
        for n in 0..OF_NAME.at_once.get() {
            assert!(tries.ask(client(n), if n % 2 == 0 { "anna" } else { " ANNA" }).is_ok());
        }
        assert!(tries.ask(client(1_000), "Anna").is_err());
        assert!(tries.ask(client(1_001), "bert").is_ok());
        clock.advance(Duration::from_secs(OF_NAME.one_each_secs));
        assert!(tries.ask(client(1_002), "anna").is_ok());
    }

    #[test]
    fn the_memory_for_tries_is_bounded() {
        let tries = Tries::new(FakeRelativeClock::default());
        for n in 0..2 * crate::api::rate::ASKERS_MAX as u32 {
            let _ = tries.ask(client(n), &n.to_string());
        }
        assert!(tries.clients.len() <= crate::api::rate::ASKERS_MAX + 1);
        assert!(tries.names.len() <= crate::api::rate::ASKERS_MAX + 1);
    }
}

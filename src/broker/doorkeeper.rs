//! Who may come in, say and hear what. The rules for topics are the same with a password and without.

use std::future::{Future, Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Once;
use std::time::Duration;

use mqtt5::broker::auth::{AuthProvider, AuthResult};
use mqtt5::broker::events::{
    BrokerEventHandler, ClientConnectEvent, ClientDisconnectEvent, ClientPublishEvent, PublishAction,
};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;

use super::Access;
use super::embedded::SWEEP_SECS;
use super::listeners::Listeners;

/// Seconds that a wrong password has to wait for its answer, so that guessing takes for ever.
const WRONG_PASSWORD_SECS: u64 = 1;

/// Levels of a topic below `passant/v1/` that are Passant's.
const LEVELS_MAX: usize = 4;

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(super) struct Doorkeeper {
    /// Hashes of the user and the password: they compare in constant time, and the password itself is not kept.
    wanted: Option<[blake3::Hash; 2]>,
    listeners: Listeners,
    /// Each is logged once: whoever is refused tries again.
    wrong_password: Once,
    dropped: Once,
}

/// What a topic is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Sightings,
    Status,
    /// Released figures and the states of alerts, which the server tells.
    Released,
}

impl Doorkeeper {
    pub(super) fn new(access: Access) -> Self {
        let wanted = match access {
            Access::Anyone => None,
            Access::Password { user, password } => {
                Some([blake3::hash(user.as_bytes()), blake3::hash(password.reveal())])
            }
        };
        let (wrong_password, dropped) = (Once::new(), Once::new());
        let life_secs = u64::from(passant_wire::LIFE_SECS) + 2 * SWEEP_SECS;
        let listeners = Listeners::new(Duration::from_secs(life_secs));
        Self { wanted, listeners, wrong_password, dropped }
    }

    fn knows(&self, connect: &ConnectPacket) -> bool {
        let Some([user, password]) = &self.wanted else { return true };
        let said_user = blake3::hash(connect.username.as_deref().unwrap_or_default().as_bytes());
        let said_password = blake3::hash(connect.password.as_deref().unwrap_or_default());
        // Both are compared whatever the first says.
        (said_user == *user) & (said_password == *password)
    }
}

impl AuthProvider for Doorkeeper {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        _from: SocketAddr,
    ) -> Answer<'a, mqtt5::Result<AuthResult>> {
        if !self.knows(connect) {
            self.wrong_password.call_once(|| tracing::warn!("the embedded broker refused a wrong password"));
            return Box::pin(async {
                tokio::time::sleep(Duration::from_secs(WRONG_PASSWORD_SECS)).await;
                Ok(AuthResult::fail(ReasonCode::BadUsernameOrPassword))
            });
        }
        // A last will goes past the rules for messages, so it is judged here.
        let will_is_fit =
            connect.will.as_ref().is_none_or(|will| subject(&will.topic) == Some(Subject::Status));
        at_once(Ok(if will_is_fit {
            AuthResult::success()
        } else {
            AuthResult::fail(ReasonCode::NotAuthorized)
        }))
    }

    /// Messages are judged in `on_client_publish`: a refusal here would be answered with a reason that MQTT 3.1.1 does not
    /// know, and a client of it may take that for a broken packet.
    fn authorize_publish<'a>(
        &'a self,
        _client_id: &str,
        _user: Option<&'a str>,
        _topic: &'a str,
    ) -> Answer<'a, bool> {
        at_once(true)
    }

    fn authorize_subscribe<'a>(
        &'a self,
        client_id: &str,
        _user: Option<&'a str>,
        filter: &'a str,
    ) -> Answer<'a, bool> {
        at_once(may_listen(filter) && self.listeners.admit(client_id))
    }
}

impl BrokerEventHandler for Doorkeeper {
    fn on_client_connect<'a>(&'a self, event: ClientConnectEvent) -> Answer<'a, ()> {
        self.listeners.came(&event.client_id);
        at_once(())
    }

    fn on_client_disconnect<'a>(&'a self, event: ClientDisconnectEvent) -> Answer<'a, ()> {
        self.listeners.left(&event.client_id);
        at_once(())
    }

    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Answer<'a, PublishAction> {
        let is_carried = match subject(&event.topic) {
            Some(Subject::Status | Subject::Released) => true,
            Some(Subject::Sightings) => !event.retain,
            None => false,
        };
        if !is_carried {
            let warn = || {
                tracing::warn!(
                    "a client publishes what the embedded broker drops: a topic that is none of Passant's, or sightings that are to be kept"
                )
            };
            self.dropped.call_once(warn);
            // It is acknowledged all the same, or it would come again for ever.
            return at_once(PublishAction::Handled);
        }
        at_once(PublishAction::Continue)
    }
}

fn at_once<'a, T: Send + 'a>(answer: T) -> Answer<'a, T> {
    let answer: Ready<T> = ready(answer);
    Box::pin(answer)
}

/// `passant/v1/{venue}/{sensor}/sightings` or `…/status`, and what the server tells: `passant/v1/{venue}/figures`,
/// `…/zones/{zone}/figures`, `…/alerts/{name}`. Whether the names are fit is decided at the front door.
fn subject(topic: &str) -> Option<Subject> {
    let levels: Vec<&str> = topic.strip_prefix("passant/v1/")?.splitn(LEVELS_MAX + 1, '/').collect();
    if levels.iter().any(|level| level.is_empty()) {
        return None;
    }
    match levels[..] {
        [_, _, "sightings"] => Some(Subject::Sightings),
        [_, _, "status"] => Some(Subject::Status),
        [_, "figures"] | [_, "zones", _, "figures"] | [_, "alerts", _] => Some(Subject::Released),
        _ => None,
    }
}

/// Anything under `passant/v1/`, shared or not.
fn may_listen(filter: &str) -> bool {
    let own = match filter.strip_prefix("$share/") {
        Some(shared) => shared.split_once('/').map(|(_, own)| own),
        None => Some(filter),
    };
    own.is_some_and(|own| own.starts_with("passant/v1/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_says_and_hears_what_belongs_to_passant_and_nothing_else() {
        assert!(subject("passant/v1/mall/north-1/sightings") == Some(Subject::Sightings));
        assert!(subject("passant/v1/mall/north-1/status") == Some(Subject::Status));
        for topic in ["figures", "zones/food/figures", "alerts/full"] {
            assert!(subject(&format!("passant/v1/mall/{topic}")) == Some(Subject::Released), "{topic}");
        }
        for topic in [
            "",
            "passant/v1/mall/north-1",
            "passant/v1/mall/north-1/status/more",
            "passant/v1/mall//status",
            "passant/v1//north-1/sightings",
            "passant/v1/mall/zones/food/figures/more",
            "passant/v1/mall/zones/food",
            "passant/v1/mall/zones//figures",
            "passant/v1/mall/alerts",
            "passant/v2/mall/north-1/status",
            "$SYS/broker/uptime",
        ] {
            assert!(subject(topic).is_none(), "{topic}");
        }
        for filter in ["passant/v1/#", "passant/v1/+/+/status", "$share/group/passant/v1/+/+/sightings"] {
            assert!(may_listen(filter), "{filter}");
        }
        for filter in
            ["#", "+/v1/#", "passant/#", "$SYS/#", "$share/group/#", "$share/passant/v1", "passant/v10/#"]
        {
            assert!(!may_listen(filter), "{filter}");
        }
    }
}

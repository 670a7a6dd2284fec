//! The self-test of the way of an objection: a sensor that does not exist hears a device that does not exist, over the
//! configured broker, before, while and after its owner objects. It takes the way that a visitor's objection takes, and
//! leaves no row behind.

use std::sync::Arc;
use std::time::Duration;

use passant_wire::{BootId, Id, PROBE_SENSOR, RESERVED_OCTETS, Subject, Topic};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::chance::{self, NoChance};
use crate::desk::{self, Desk};
use crate::intake::Probes;
use crate::link::{Unsaid, Voice};
use crate::sighting::Verdict;

/// Reserved addresses that are tried until one has a mark of its own. A mark is shared by chance with a decoy or with
/// somebody's objection, and then a withdrawal could not be seen. At most two in a hundred are, so that sixteen in a row
/// mean a gate that lets nobody pass.
const ADDRESSES_MAX: usize = 16;
/// The longest wait for the broker, and then for the gate, which may stand behind a full queue.
const WAIT: Duration = Duration::from_secs(10);

/// Tries the way of an objection out, one trial at a time. Clones share the turn.
#[derive(Clone)]
pub(super) struct SelfTest {
    voice: Voice,
    probes: Probes,
    desk: Desk,
    turn: Arc<Mutex<()>>,
    wait: Duration,
}

/// What is wrong with the way of an objection, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// No random bytes.
    #[error(transparent)]
    NoChance(#[from] NoChance),
    /// The link is down.
    #[error(
        "the server is not connected to its broker, so nobody is counted and no objection can be seen to work; see that the broker of [mqtt] runs, and wait until /readyz answers 200"
    )]
    NoBroker,
    /// The broker's list of rights stands in between.
    #[error(
        "the broker refuses what the server publishes as the sensor {PROBE_SENSOR}, or hangs up over it; let the server's user write it, with the line `topic write passant/v1/+/{PROBE_SENSOR}/sightings` in the broker's access list (src/broker/mosquitto.acl has it)"
    )]
    Forbidden,
    /// The probe did not come to the gate.
    #[error(
        "what the server published as the sensor {PROBE_SENSOR} has not come to the gate in {} s: messages are not taken in, or the broker's access list drops this one without a word. Give the server's user the line `topic write passant/v1/+/{PROBE_SENSOR}/sightings`; if it has it, restart the server and look at its log",
        WAIT.as_secs()
    )]
    Unheard,
    /// Nothing passes.
    #[error(
        "the gate drops every one of {ADDRESSES_MAX} addresses that nobody has, so it lets nobody pass and a withdrawal could not be seen; restart the server, and restore the list of objections from its backup if that does not help"
    )]
    Shut,
    /// The desk could not do its part.
    #[error("objecting for the reserved address: {0}")]
    Desk(#[from] desk::Error),
    /// An objection is in force on paper only.
    #[error(
        "an objection was given its receipt, and the device passed the gate all the same: objections are void. Stop the server, and print nothing until this test passes"
    )]
    Void,
    /// A withdrawal is on paper only.
    #[error(
        "an objection was withdrawn, and its device is dropped all the same; restart the server and try again"
    )]
    Stuck,
}

impl SelfTest {
    pub(super) fn new(voice: Voice, probes: Probes, desk: Desk) -> Self {
        Self { voice, probes, desk, turn: Arc::default(), wait: WAIT }
    }

    /// Tries it out in a venue's topics: an address that passes is objected for and must be dropped, and must pass again
    /// when the objection is withdrawn.
    ///
    /// # Errors
    /// When any of it does not come about, with what to do.
    pub(super) async fn run(&self, venue: &Id) -> Result<(), Broken> {
        let _turn = self.turn.lock().await;
        let address = self.address_of_its_own(venue).await?;
        let receipt = self.desk.object(&address).await?;
        let objected = self.probe(venue, &address).await;
        // Whatever came of it, no row is left.
        let withdrawn = self.desk.withdraw(&receipt.code).await;
        if objected? == Verdict::Passed {
            return Err(Broken::Void);
        }
        withdrawn?;
        match self.probe(venue, &address).await? {
            Verdict::Passed => Ok(()),
            Verdict::Dropped => Err(Broken::Stuck),
        }
    }

    /// A reserved address whose mark nobody else has.
    async fn address_of_its_own(&self, venue: &Id) -> Result<String, Broken> {
        for _ in 0..ADDRESSES_MAX {
            let [a, b, c] = RESERVED_OCTETS;
            let rest = chance::word::<3>()?;
            let address = format!("{a:02x}{b:02x}{c:02x}{}", *rest);
            if self.probe(venue, &address).await? == Verdict::Passed {
                return Ok(address);
            }
        }
        Err(Broken::Shut)
    }

    /// Publishes the address as a sensor would that heard it, and waits for what the gate did.
    async fn probe(&self, venue: &Id, address: &str) -> Result<Verdict, Broken> {
        let word = chance::word::<8>()?;
        let boot = BootId::parse(word.as_bytes()).ok_or(Broken::Unheard)?;
        let verdict = self.probes.wait_for(boot);
        let topic = Topic { venue: venue.as_str(), sensor: PROBE_SENSOR, subject: Subject::Sightings };
        let payload = format!(r#"{{"b":"{}","s":[{{"id":"{address}","rssi":-60,"k":"wifi"}}]}}"#, *word);
        match self.voice.say(&topic.to_string(), payload.into_bytes(), self.wait).await {
            Ok(()) => {}
            Err(Unsaid::Forbidden | Unsaid::HungUp) => return Err(Broken::Forbidden),
            Err(Unsaid::Lost | Unsaid::Busy) => return Err(Broken::NoBroker),
        }
        timeout(self.wait, verdict).await.ok().and_then(Result::ok).ok_or(Broken::Unheard)
    }
}

#[cfg(test)]
#[path = "self_test_tests.rs"]
pub(super) mod tests;

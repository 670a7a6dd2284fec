#![doc = include_str!("README.md")]

mod directory;
mod options;
mod probes;
mod strangers;

pub use directory::Directory;
pub use options::{Error, login, options};
pub use probes::Probes;
pub use strangers::{STRANGERS_MAX, Strangers};

use passant_wire::{DecodeError, Heard, PROBE_SENSOR, Reason, Report, Status, Subject, Topic};
use tokio::sync::mpsc;

use crate::clock::EpochMs;
use crate::link::Message;
use crate::memory;
use crate::sighting::{
    Ack, AddressClass, Arrival, Delivery, Header, SensorRef, SensorReport, SensorStatus, Sighting,
};
use crate::telemetry::Tally;

/// Why a message was refused whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// Its topic is none of ours.
    BadTopic,
    /// Its sensor is not configured.
    UnknownSensor(Topic<'a>),
    /// It comes from the sensor that does not exist, and nobody waits for it.
    StrayProbe,
    /// The broker had kept it: sightings are never retained.
    Retained(Topic<'a>),
    /// Its payload does not decode.
    Broken(Topic<'a>, Reason),
}

/// Turns messages into deliveries until the link or the receiver of the deliveries is gone.
pub async fn run(
    mut messages: mpsc::Receiver<Message>,
    directory: Directory,
    strangers: Strangers,
    deliveries: mpsc::Sender<Delivery>,
    tally: Tally,
) {
    while let Some(message) = messages.recv().await {
        let Message { topic, payload, retained, content_type, guard } = message;
        let taken = take_in(&directory, &topic, &payload, retained, content_type.as_deref());
        // The payload ends before anything waits, and so do the addresses that were read down there.
        drop(payload);
        memory::wipe_stack();
        match taken {
            Ok(arrival) => {
                let ack = guard.map_or_else(Ack::none, Ack::on_drop);
                if let Err(unsent) = deliveries.send(Delivery { arrival, ack }).await {
                    // The link goes first: then dropping what nobody took acknowledges nothing.
                    drop(messages);
                    drop(unsent);
                    return;
                }
            }
            Err(refusal) => refusal.count(&tally, &strangers),
        }
    }
}

/// Judges and decodes one message.
///
/// # Errors
/// When the message is refused whole.
pub fn take_in<'a>(
    directory: &Directory,
    topic: &'a str,
    payload: &[u8],
    retained: bool,
    content_type: Option<&str>,
) -> Result<Arrival, Refusal<'a>> {
    let topic = Topic::parse(topic).map_err(|_| Refusal::BadTopic)?;
    if topic.sensor == PROBE_SENSOR {
        return probe(directory, topic, payload, retained, content_type);
    }
    let from = directory.find(topic.venue, topic.sensor).ok_or(Refusal::UnknownSensor(topic))?;
    let broken = |error: DecodeError| Refusal::Broken(topic, error.reason);
    match topic.subject {
        Subject::Sightings if retained => Err(Refusal::Retained(topic)),
        Subject::Sightings => {
            let decoded = passant_wire::decode(payload, content_type).map_err(broken)?;
            Ok(Arrival::Report(report(from, decoded)))
        }
        Subject::Status => {
            let status = Status::decode(payload).map_err(broken)?;
            let at = status.at.map(EpochMs);
            Ok(Arrival::Status(SensorStatus { from, online: status.online, at, retained }))
        }
    }
}

/// Lets a probe in that somebody waits for. It touches no list of sensors, not even that of the strangers.
fn probe<'a>(
    directory: &Directory,
    topic: Topic<'a>,
    payload: &[u8],
    retained: bool,
    content_type: Option<&str>,
) -> Result<Arrival, Refusal<'a>> {
    if retained || topic.subject != Subject::Sightings {
        return Err(Refusal::StrayProbe);
    }
    let report = passant_wire::decode(payload, content_type).map_err(|_| Refusal::StrayProbe)?;
    directory.probes().claim(report).map(Arrival::Probe).ok_or(Refusal::StrayProbe)
}

impl Refusal<'_> {
    /// The word that counts it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::BadTopic => "bad_topic",
            Self::UnknownSensor(_) => "unknown_sensor",
            Self::StrayProbe => "stray_probe",
            Self::Retained(_) => "retained",
            Self::Broken(_, reason) => reason.as_str(),
        }
    }

    /// Counts it, under the sensor's name only if that is configured: a stranger may call itself anything.
    fn count(&self, tally: &Tally, strangers: &Strangers) {
        match self {
            Self::BadTopic | Self::StrayProbe => tally.stranger_refused(self.as_str()),
            Self::UnknownSensor(topic) => {
                tally.stranger_refused(self.as_str());
                strangers.note(topic.venue, topic.sensor);
            }
            Self::Retained(topic) | Self::Broken(topic, _) => {
                tally.message_refused(topic.venue, topic.sensor, self.as_str());
            }
        }
    }
}

fn report(from: SensorRef, decoded: Report) -> SensorReport {
    let header = Header { number: decoded.number, boot: decoded.boot, at: decoded.at.map(EpochMs) };
    let sightings = decoded.sightings.into_iter().map(sighting).collect();
    SensorReport { from, header, sightings, refused: decoded.refused }
}

fn sighting(heard: Heard) -> Sighting {
    let class = AddressClass::of(heard.kind, &heard.device);
    Sighting { device: heard.device, class, rssi: heard.rssi, at: heard.at.map(EpochMs) }
}

#[cfg(test)]
mod tests;

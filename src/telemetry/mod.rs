//! What the program says about itself: a log, and counters for Prometheus. No identifier of a device is ever a label
//! or a field, and no counter is kept for a person, a visit or a zone.

mod hush;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The embedded broker's library names topics and client ids in its log, which strangers choose: it is never printed,
/// whatever the filter says.
const SILENT: [&str; 2] = ["mqtt5", "mqtt5_protocol"];

/// Starts the log on standard error. `PASSANT_LOG` sets the filter, for example `debug` or `passant=trace`.
pub fn start_log() {
    let filter = EnvFilter::try_from_env("PASSANT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let loud = filter_fn(|metadata| {
        !is_silent(metadata.target()) && !is_chatter(metadata.target(), *metadata.level())
    });
    if tracing_subscriber::registry().with(filter).with(loud).with(lines).try_init().is_err() {
        tracing::debug!("a log was running already");
    }
}

/// The client's library tells of every packet, and so of every sensor that hears somebody at night: of it only what
/// went wrong is printed.
fn is_chatter(target: &str, level: tracing::Level) -> bool {
    target.split("::").next() == Some("rumqttc") && level > tracing::Level::WARN
}

fn is_silent(target: &str) -> bool {
    SILENT.contains(&target.split("::").next().unwrap_or_default())
}

/// Counts what came in and what became of it. Clones count together.
#[derive(Clone, Debug)]
pub struct Tally(Arc<Inner>);

/// Messages refused, by reason.
pub type Refusals = BTreeMap<&'static str, u64>;

#[derive(Debug)]
struct Inner {
    registry: Registry,
    messages: Counter,
    message_refusals: Family<MessageRefusal, Counter>,
    /// The same by sensor, so that a page can ask; as many entries as there are configured sensors.
    refusals_of: Mutex<BTreeMap<(String, String), Refusals>>,
    sightings: Family<SightingOutcome, Counter>,
    figures: Family<FigureOutcome, Counter>,
    purged_figures: Counter,
    broker_connected: Gauge,
    broker_connections: Counter,
    outlet: Family<OutletOutcome, Counter>,
    quiet: Mutex<hush::Quiet>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct MessageRefusal {
    venue: String,
    sensor: String,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SightingOutcome {
    outcome: String,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FigureOutcome {
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutletOutcome {
    outcome: String,
}

/// What became of a message of the outlet's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outward {
    /// The broker took it.
    Said,
    /// A newer one on its topic came before it could be said.
    Superseded,
    /// The broker's list of rights does not let the server say it.
    Refused,
    /// A batch of figures went by unheard; what it held is read from the store.
    Missed,
}

/// What became of a sighting. Sent = counted + refused + duplicate + lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It reached a lens.
    Counted,
    /// Its message had been taken in before.
    Duplicate,
    /// It was refused, with the word for why.
    Refused(&'static str),
}

impl Default for Tally {
    fn default() -> Self {
        let mut inner = Inner {
            registry: Registry::with_prefix("passant"),
            messages: Counter::default(),
            message_refusals: Family::default(),
            refusals_of: Mutex::default(),
            sightings: Family::default(),
            figures: Family::default(),
            purged_figures: Counter::default(),
            broker_connected: Gauge::default(),
            broker_connections: Counter::default(),
            outlet: Family::default(),
            quiet: Mutex::default(),
        };
        let registry = &mut inner.registry;
        registry.register("messages", "MQTT messages received", inner.messages.clone());
        registry.register(
            "messages_refused",
            "MQTT messages refused whole, by reason; a sensor that is not configured is counted as a stranger",
            inner.message_refusals.clone(),
        );
        registry.register("sightings", "Sightings by what became of them", inner.sightings.clone());
        registry.register("figures", "Figures closed, by state", inner.figures.clone());
        registry.register(
            "purged_figures",
            "Figures deleted because they had outlived their time",
            inner.purged_figures.clone(),
        );
        registry.register(
            "broker_connected",
            "1 while the broker is connected",
            inner.broker_connected.clone(),
        );
        registry.register(
            "broker_connections",
            "Connections made to the broker",
            inner.broker_connections.clone(),
        );
        registry.register(
            "outlet_messages",
            "Messages of released figures and alerts by what became of them: said, superseded by a newer one before it could be said, refused by the broker, or missed by an outlet that was too far behind (batches)",
            inner.outlet.clone(),
        );
        Self(Arc::new(inner))
    }
}

impl Tally {
    /// A message arrived.
    pub fn message(&self) {
        if !self.quiet().keeps_message() {
            self.0.messages.inc();
        }
    }

    /// A message of a configured sensor was refused whole.
    pub fn message_refused(&self, venue: &str, sensor: &str, reason: &'static str) {
        if !self.quiet().keeps_refusal(venue, sensor, reason) {
            self.refuse_messages(venue, sensor, reason, 1);
        }
    }

    fn refuse_messages(&self, venue: &str, sensor: &str, reason: &'static str, count: u64) {
        let label = MessageRefusal { venue: venue.into(), sensor: sensor.into(), reason: reason.into() };
        self.0.message_refusals.get_or_create(&label).inc_by(count);
        let mut refusals = self.0.refusals_of.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.entry((label.venue, label.sensor)).or_default().entry(reason).or_default() += count;
    }

    /// A message was refused whole that belongs to no configured sensor: its topic may say anything, so it is no label.
    pub fn stranger_refused(&self, reason: &'static str) {
        self.message_refused("", "", reason);
    }

    /// How many messages of a sensor were refused whole, by reason.
    #[must_use]
    pub fn messages_refused_so_far(&self, venue: &str, sensor: &str) -> Refusals {
        let refusals = self.0.refusals_of.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.get(&(venue.to_owned(), sensor.to_owned())).cloned().unwrap_or_default()
    }

    /// Some sightings met an outcome.
    pub fn sightings(&self, outcome: Outcome, count: u64) {
        if count > 0 {
            self.0.sightings.get_or_create(&outcome.into()).inc_by(count);
        }
    }

    /// Some sightings of a venue met an outcome.
    pub fn sightings_of(&self, venue: &str, outcome: Outcome, count: u64) {
        let heard = self.quiet().hear(venue, outcome, count);
        self.release(heard);
    }

    /// A venue is quiet while its people are not shown: what is counted of it then is told later, all at once, so that
    /// no counter moves with somebody who is there alone. To be called about every half-minute.
    pub fn hush(&self, venue: &str, quiet: bool) {
        let kept = self.quiet().hush(venue, quiet);
        self.release(kept);
    }

    fn release(&self, kept: hush::Kept) {
        self.0.messages.inc_by(kept.messages);
        for (outcome, count) in kept.sightings {
            self.sightings(outcome, count);
        }
        for ((venue, sensor, reason), count) in kept.refusals {
            self.refuse_messages(&venue, &sensor, reason, count);
        }
    }

    fn quiet(&self) -> std::sync::MutexGuard<'_, hush::Quiet> {
        self.0.quiet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many sightings have met an outcome, told or kept.
    #[must_use]
    pub fn sightings_so_far(&self, outcome: Outcome) -> u64 {
        let told = self.0.sightings.get(&outcome.into()).map_or(0, |counter| counter.get());
        told + self.quiet().kept(outcome)
    }

    /// Figures were closed.
    pub fn figures(&self, published: u64, held_back: u64) {
        for (state, count) in [("final", published), ("held_back", held_back)] {
            self.0.figures.get_or_create(&FigureOutcome { state: state.into() }).inc_by(count);
        }
    }

    /// Figures that had outlived their time were deleted.
    pub fn purged(&self, figures: u64) {
        self.0.purged_figures.inc_by(figures);
    }

    /// Messages of the outlet met an outcome.
    pub fn outward(&self, outcome: Outward, count: u64) {
        let outcome = match outcome {
            Outward::Said => "said",
            Outward::Superseded => "superseded",
            Outward::Refused => "refused",
            Outward::Missed => "missed",
        };
        self.0.outlet.get_or_create(&OutletOutcome { outcome: outcome.to_owned() }).inc_by(count);
    }

    /// The broker was reached, or lost.
    pub fn broker(&self, connected: bool) {
        if connected {
            self.0.broker_connections.inc();
        }
        self.0.broker_connected.set(i64::from(connected));
    }

    /// Whether the broker is connected, for the readiness page.
    #[must_use]
    pub fn broker_is_connected(&self) -> bool {
        self.0.broker_connected.get() == 1
    }

    /// Everything in Prometheus's text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.0.registry).is_err() {
            let _ = writeln!(text, "# the counters could not be written");
        }
        text
    }
}

impl From<Outcome> for SightingOutcome {
    fn from(outcome: Outcome) -> Self {
        let (outcome, reason) = match outcome {
            Outcome::Counted => ("counted", ""),
            Outcome::Duplicate => ("duplicate", ""),
            Outcome::Refused(reason) => ("refused", reason),
        };
        Self { outcome: outcome.into(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_brokers_library_is_silent() {
        assert!(
            is_silent("mqtt5") && is_silent("mqtt5::broker::router") && is_silent("mqtt5_protocol::packet")
        );
        assert!(!is_silent("passant::broker") && !is_silent("rumqttc::mqttbytes"));
    }

    #[test]
    fn counters_read_back_and_print() {
        let tally = Tally::default();
        tally.sightings(Outcome::Counted, 3);
        tally.sightings(Outcome::Refused("time_behind"), 2);
        tally.clone().sightings(Outcome::Counted, 4);
        tally.message_refused("mall", "door", "bad_json");
        assert_eq!(tally.sightings_so_far(Outcome::Counted), 7);
        assert_eq!(tally.messages_refused_so_far("mall", "door"), BTreeMap::from([("bad_json", 1)]));
        let text = tally.encode();
        for line in [
            "passant_sightings_total{outcome=\"counted\",reason=\"\"} 7",
            "passant_sightings_total{outcome=\"refused\",reason=\"time_behind\"} 2",
            "passant_messages_refused_total{venue=\"mall\",sensor=\"door\",reason=\"bad_json\"} 1",
        ] {
            assert!(text.contains(line), "{line} not in\n{text}");
        }
    }
}

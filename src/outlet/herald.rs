//! The herald: says the newest of every topic to the broker, and never more than one thing at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use passant_wire::Id;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

use super::Parts;
use crate::clock::Step;
use crate::config::{AlertsOut, Venue};
use crate::link::{Unsaid, Voice};
use crate::release::{Banded, Metric};
use crate::store::{self, AlertRow, Published, Released, Store};
use crate::telemetry::{Outward, Tally};

/// The longest wait for a turn, for the connection and for the broker's answer, each.
const WAIT: Duration = Duration::from_secs(10);

/// What is to be said: a topic by its place, whose message is written when it is its turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// The state of a rule.
    Alert(usize, Id),
    /// The figures of the venue, or of a zone or group.
    Figures(usize, Option<Id>),
}

/// The newest figure of each series of a place.
type Newest = BTreeMap<(Metric, Step), Published>;

/// Says what is released.
pub(super) struct Herald {
    venues: Arc<Vec<Venue>>,
    steps: Vec<Step>,
    alerts_out: AlertsOut,
    store: Store,
    released: broadcast::Receiver<Arc<[Released]>>,
    changed: mpsc::Receiver<AlertRow>,
    voice: Voice,
    tally: Tally,
    /// The newest figures of each place; as many as there are places, metrics and steps.
    newest: BTreeMap<(usize, Option<Id>), Newest>,
    states: BTreeMap<(usize, Id), AlertRow>,
    /// Topics whose newest has not been said; at most one of each place and rule.
    unsaid: BTreeSet<Subject>,
    /// What the broker refuses was logged.
    refused: bool,
}

impl Herald {
    pub(super) fn new(parts: Parts, changed: mpsc::Receiver<AlertRow>) -> Self {
        Self {
            released: parts.store.released(),
            venues: parts.venues,
            steps: parts.outlet.figures,
            alerts_out: parts.outlet.alerts,
            store: parts.store,
            changed,
            voice: parts.voice,
            tally: parts.tally,
            newest: BTreeMap::new(),
            states: BTreeMap::new(),
            unsaid: BTreeSet::new(),
            refused: false,
        }
    }

    pub(super) async fn run(mut self) {
        self.prime().await;
        loop {
            if self.unsaid.is_empty() || !self.voice.is_heard() {
                if !self.listen().await {
                    return;
                }
            } else {
                self.catch_up().await;
                self.say_one().await;
            }
        }
    }

    /// Reads the newest figures that are in the store. What cannot be read is told when its next window closes.
    async fn prime(&mut self) {
        let mut failed = None;
        for (place, venue) in self.venues.clone().iter().enumerate() {
            let zones = venue.zones.iter().map(|zone| Some(zone.id.clone()));
            let scopes = std::iter::once(None).chain(zones).chain(venue.groups.iter().cloned().map(Some));
            for scope in scopes {
                failed = self.prime_scope(place, venue, scope).await.err().or(failed);
            }
        }
        if let Some(error) = failed {
            tracing::error!(%error, "the newest figures could not be read to be told; each place follows with its next window");
        }
    }

    async fn prime_scope(
        &mut self,
        place: usize,
        venue: &Venue,
        scope: Option<Id>,
    ) -> Result<(), store::Error> {
        for step in self.steps.clone() {
            for metric in Metric::ALL.into_iter().filter(|metric| metric.has_step(step, scope.is_none())) {
                if let Some(figure) = self.store.newest(&venue.id, scope.as_ref(), metric, step).await? {
                    self.take(place, scope.clone(), (metric, step), figure);
                }
            }
        }
        Ok(())
    }

    /// Waits for something to say, or to say it to. False when there is nobody to speak to any more.
    async fn listen(&mut self) -> bool {
        tokio::select! {
            heard = self.released.recv() => match heard {
                Ok(batch) => self.hear(&batch),
                Err(RecvError::Lagged(batches)) => self.missed(batches).await,
                Err(RecvError::Closed) => return false,
            },
            Some(row) = self.changed.recv() => self.change(row),
            again = self.voice.connected_anew() => {
                if !again {
                    return false;
                }
                self.say_all();
            }
        }
        true
    }

    /// Hears what has come meanwhile, so that the newest is said.
    async fn catch_up(&mut self) {
        loop {
            match self.released.try_recv() {
                Ok(batch) => self.hear(&batch),
                Err(broadcast::error::TryRecvError::Lagged(batches)) => self.missed(batches).await,
                Err(_) => break,
            }
        }
        while let Ok(row) = self.changed.try_recv() {
            self.change(row);
        }
        if self.voice.is_new() {
            self.say_all();
        }
    }

    async fn missed(&mut self, batches: u64) {
        self.tally.outward(Outward::Missed, batches);
        self.prime().await;
    }

    fn hear(&mut self, batch: &[Released]) {
        for new in batch {
            if !self.steps.contains(&new.step) {
                continue;
            }
            if let Some(place) = self.venues.iter().position(|venue| venue.id == new.venue) {
                self.take(place, new.scope.clone(), (new.metric, new.step), new.figure);
            }
        }
    }

    fn take(&mut self, place: usize, scope: Option<Id>, series: (Metric, Step), figure: Published) {
        let of_place = self.newest.entry((place, scope.clone())).or_default();
        match of_place.get(&series) {
            Some(known) if known.window.from > figure.window.from || *known == figure => return,
            _ => of_place.insert(series, figure),
        };
        self.put(Subject::Figures(place, scope));
    }

    fn change(&mut self, row: AlertRow) {
        if self.alerts_out == AlertsOut::Off {
            return;
        }
        if let Some(place) = self.venues.iter().position(|venue| venue.id == row.venue) {
            let name = row.name.clone();
            self.states.insert((place, name.clone()), row);
            self.put(Subject::Alert(place, name));
        }
    }

    fn put(&mut self, subject: Subject) {
        if !self.unsaid.insert(subject) {
            self.tally.outward(Outward::Superseded, 1);
        }
    }

    /// The broker may have lost what it kept.
    fn say_all(&mut self) {
        let figures = self.newest.keys().map(|(place, scope)| Subject::Figures(*place, scope.clone()));
        let alerts = self.states.keys().map(|(place, name)| Subject::Alert(*place, name.clone()));
        self.unsaid.extend(figures.chain(alerts));
    }

    async fn say_one(&mut self) {
        let Some(subject) = self.unsaid.pop_first() else { return };
        let Some((topic, message)) = self.message(&subject) else { return };
        match self.voice.say_to_keep(&topic, message.to_string().into_bytes(), WAIT).await {
            Ok(()) => {
                self.refused = false;
                self.tally.outward(Outward::Said, 1);
            }
            Err(Unsaid::Forbidden) => {
                self.tally.outward(Outward::Refused, 1);
                if !self.refused {
                    self.refused = true;
                    tracing::error!(
                        "the broker does not let the server tell figures or alerts; give its user the lines of [outlet] in the broker's access list (src/broker/mosquitto.acl has them)"
                    );
                }
            }
            // The link says that the broker is lost; what was to be said waits for it.
            Err(Unsaid::Lost | Unsaid::HungUp | Unsaid::Busy) => drop(self.unsaid.insert(subject)),
        }
    }

    /// Topic and message; `None` when there is nothing to say any more, as of a venue that was destroyed.
    fn message(&self, subject: &Subject) -> Option<(String, Value)> {
        match subject {
            Subject::Figures(place, scope) => {
                let venue = self.venues.get(*place).filter(|venue| !self.store.is_shut(&venue.id))?;
                let topic = match scope {
                    Some(scope) => format!("passant/v1/{}/zones/{scope}/figures", venue.id),
                    None => format!("passant/v1/{}/figures", venue.id),
                };
                let series = self.newest.get(&(*place, scope.clone()))?;
                let figures =
                    series.iter().map(|(series, figure)| told(venue, scope.as_ref(), *series, figure));
                let figures: Vec<Value> = figures.collect();
                Some((topic, json!({"venue": venue.id.as_str(), "figures": figures})))
            }
            Subject::Alert(place, name) => {
                let venue = self.venues.get(*place).filter(|venue| !self.store.is_shut(&venue.id))?;
                let row = self.states.get(&(*place, name.clone()))?;
                let rule = venue.alerts.iter().find(|alert| alert.name == *name)?;
                let topic = format!("passant/v1/{}/alerts/{name}", venue.id);
                let message = json!({
                    "venue": venue.id.as_str(),
                    "name": name.as_str(),
                    "zone": rule.scope.as_ref().map(Id::as_str),
                    "metric": rule.metric(),
                    "rule": rule.to_string(),
                    "state": row.state.as_str(),
                    "since": venue.calendar.rfc3339(row.since),
                    "value": row.figure.map(|figure| figure.value),
                    "low": row.figure.map(|figure| figure.low),
                    "high": row.figure.map(|figure| figure.high),
                });
                Some((topic, message))
            }
        }
    }
}

/// A figure as the API gives it, with what it counts.
fn told(venue: &Venue, scope: Option<&Id>, (metric, step): (Metric, Step), figure: &Published) -> Value {
    let part = |part: fn(Banded) -> u32| figure.value.map(part);
    json!({
        "metric": metric.as_str(),
        "step": step.as_str(),
        "from": venue.calendar.rfc3339(figure.window.from),
        "to": venue.calendar.rfc3339(figure.window.to),
        "zone": scope.map(Id::as_str),
        "value": part(|band| band.value),
        "low": part(|band| band.low),
        "high": part(|band| band.high),
        "state": figure.state(),
        "flags": figure.flags.words(),
        "coverage": f64::from(figure.coverage_permille) / 1000.0,
        "thresholds": figure.thresholds,
        "calibration": figure.calibration,
    })
}

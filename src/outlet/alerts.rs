//! The watch over the rules: each new figure is looked at once, in order, and what comes of it is kept before it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};

use super::alarm::{Turn, Usual, Verdict, advance, verdict};
use super::rule::{Rule, Subject};
use super::{LiveFigures, Parts};
use crate::clock::{EpochMs, Step, Window};
use crate::config::{USUAL_WEEKS_MIN, Venue, When};
use crate::release::{Banded, Live, Metric, SensorLive, Shown};
use crate::store::{self, AlertRow, AlertState, Released, Store};
use crate::telemetry::{Outward, Tally};

/// Windows of a rule that are looked at after a pause, at most; older ones went by untold.
const CATCH_UP_WINDOWS_MAX: i64 = 2_016;
/// Sensors are looked at this often.
const LOOK: Duration = Duration::from_secs(10);
/// A sensor's silence is counted in these, seconds.
const SILENCE_SECS: i64 = 300;

/// A rule with its state.
struct Watched {
    rule: Rule,
    row: Option<AlertRow>,
}

/// Watches over every rule.
pub(super) struct Alerts {
    venues: Arc<Vec<Venue>>,
    store: Store,
    live: LiveFigures,
    released: broadcast::Receiver<Arc<[Released]>>,
    watched: Vec<Watched>,
    /// Where states that are to be told go; `None` when none goes out.
    changes: Option<mpsc::Sender<AlertRow>>,
    /// By venue: the first moment that live was told of.
    began: BTreeMap<usize, EpochMs>,
    tally: Tally,
    /// The store failed the last time, which was logged.
    failing: bool,
}

impl Alerts {
    pub(super) fn new(parts: &Parts, rules: Vec<Rule>, changes: Option<mpsc::Sender<AlertRow>>) -> Self {
        Self {
            venues: parts.venues.clone(),
            store: parts.store.clone(),
            live: parts.live.clone(),
            released: parts.store.released(),
            watched: rules.into_iter().map(|rule| Watched { rule, row: None }).collect(),
            changes,
            began: BTreeMap::new(),
            tally: parts.tally.clone(),
            failing: false,
        }
    }

    pub(super) async fn run(mut self) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut begun = false;
        loop {
            if !begun {
                let taken_up = self.take_up().await;
                begun = self.well(taken_up);
            }
            tokio::select! {
                heard = self.released.recv() => match heard {
                    Ok(batch) if begun => {
                        let looked = self.hear(&batch).await;
                        self.well(looked);
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(batches)) => {
                        self.tally.outward(Outward::Missed, batches);
                        let looked = self.look_at_all().await;
                        self.well(looked);
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = looks.tick() => {
                    let looked = self.look_at_sensors().await;
                    self.well(looked);
                }
            }
        }
    }

    /// Whether the store answered; a failure is told once, until it answers again.
    fn well(&mut self, done: Result<(), store::Error>) -> bool {
        match &done {
            Err(error) if !self.failing => {
                tracing::error!(%error, "alerts wait for the database; what closes meanwhile is looked at then");
            }
            _ => {}
        }
        self.failing = done.is_err();
        !self.failing
    }

    /// Takes the kept states up, forgets those of rules that are gone, and looks at what closed meanwhile.
    pub(super) async fn take_up(&mut self) -> Result<(), store::Error> {
        for (place, venue) in self.venues.clone().iter().enumerate() {
            for row in self.store.alerts(&venue.id).await? {
                let mut of_venue = self.watched.iter_mut().filter(|watched| watched.rule.venue == place);
                match of_venue.find(|watched| watched.rule.name == row.name && watched.rule.words == row.rule)
                {
                    Some(watched) => watched.row = Some(row),
                    None => self.store.forget_alert(&venue.id, &row.name).await?,
                }
            }
        }
        for row in self.watched.iter().filter_map(|watched| watched.row.clone()).collect::<Vec<_>>() {
            self.tell(row).await;
        }
        self.look_at_all().await
    }

    async fn look_at_all(&mut self) -> Result<(), store::Error> {
        for place in 0..self.watched.len() {
            self.look(place).await?;
        }
        Ok(())
    }

    /// Looks at the rules that new figures are of.
    pub(super) async fn hear(&mut self, batch: &[Released]) -> Result<(), store::Error> {
        for place in 0..self.watched.len() {
            let rule = &self.watched[place].rule;
            let Subject::Figure { metric, step, .. } = rule.subject else { continue };
            let venue = &self.venues[rule.venue].id;
            let is_of = |new: &Released| {
                (&new.venue, &new.scope, new.metric, new.step) == (venue, &rule.scope, metric, step)
            };
            if batch.iter().any(is_of) {
                self.look(place).await?;
            }
        }
        Ok(())
    }

    /// Looks at every figure of a rule that it has not seen, in order of time.
    async fn look(&mut self, place: usize) -> Result<(), store::Error> {
        let Watched { rule, row } = &self.watched[place];
        let (rule, mut row) = (rule.clone(), row.clone());
        let Subject::Figure { metric, step, when } = rule.subject else { return Ok(()) };
        let venue = self.venues[rule.venue].clone();
        if self.store.is_shut(&venue.id) {
            return Ok(());
        }
        let newest = self.store.newest(&venue.id, rule.scope.as_ref(), metric, step).await?;
        let Some(end) = newest.map(|newest| newest.window.to) else { return Ok(()) };
        let reach = if row.is_some() { CATCH_UP_WINDOWS_MAX } else { i64::from(rule.windows) };
        let earliest = end.plus_secs(-reach * step.secs());
        let from = row.as_ref().map_or(earliest, |row| row.judged_to.max(earliest));
        for figure in self.store.series(&venue.id, rule.scope.as_ref(), metric, step, from, end).await? {
            let usual = match when {
                When::UnlikeUsual => self.usual(&venue, &rule, metric, step, figure.window).await?,
                When::Over(_) | When::Under(_) => None,
            };
            let is_known = row.is_some();
            let mut next = row.take().unwrap_or_else(|| begin(&venue, &rule, figure.window.from));
            if next.judged_to != figure.window.from {
                // Windows that nobody counted are neither beyond nor back.
                (next.beyond, next.back) = (0, 0);
            }
            let turn = advance(&mut next, verdict(when, &figure, usual), figure.window.to, rule.windows);
            next.figure = figure.value;
            // The first thing that a rule says is told, whatever it is.
            let turn = if is_known { turn } else { Turn::Changed };
            row = Some(self.settle(place, next, turn).await?);
        }
        Ok(())
    }

    /// Where the bands of the same hours of the weeks before lie; `None` when too few of them are published.
    async fn usual(
        &self,
        venue: &Venue,
        rule: &Rule,
        metric: Metric,
        step: Step,
        window: Window,
    ) -> Result<Option<Usual>, store::Error> {
        let mut bands = Vec::new();
        for Window { from, to } in venue.usual_windows(window, step) {
            let figures = self.store.series(&venue.id, rule.scope.as_ref(), metric, step, from, to).await?;
            bands.extend(figures.iter().filter(|figure| !figure.flags.incomplete).filter_map(|f| f.value));
        }
        if bands.len() < USUAL_WEEKS_MIN {
            return Ok(None);
        }
        let low = bands.iter().map(|band: &Banded| band.low).min();
        Ok(low.zip(bands.iter().map(|band| band.high).max()).map(|(low, high)| Usual { low, high }))
    }

    async fn look_at_sensors(&mut self) -> Result<(), store::Error> {
        for live in self.live.clone().values() {
            let newest = live.borrow().clone();
            if let Some(live) = newest {
                self.see(&live).await?;
            }
        }
        Ok(())
    }

    /// Looks at the sensors of a venue as they are told.
    pub(super) async fn see(&mut self, live: &Live) -> Result<(), store::Error> {
        for place in 0..self.watched.len() {
            let Watched { rule, .. } = &self.watched[place];
            if rule.subject == Subject::Sensors && self.venues[rule.venue].id == live.venue {
                self.look_at_sensors_of(place, live).await?;
            }
        }
        Ok(())
    }

    /// Looks at the sensors of a rule's place.
    async fn look_at_sensors_of(&mut self, place: usize, live: &Live) -> Result<(), store::Error> {
        let Watched { rule, row } = &self.watched[place];
        let venue = &self.venues[rule.venue];
        if self.store.is_shut(&venue.id) {
            return Ok(());
        }
        let began = *self.began.entry(rule.venue).or_insert(live.at);
        let (verdict, gone) = gone(venue, rule, live, began);
        let figure =
            Some(Banded { value: gone, low: gone, high: gone }).filter(|_| verdict != Verdict::NoData);
        let before = row.clone();
        let mut next = before.clone().unwrap_or_else(|| begin(venue, rule, live.at));
        let turn = advance(&mut next, verdict, live.at, 1);
        let turn = if before.is_some() { turn } else { Turn::Changed };
        next.figure = figure;
        if turn == Turn::Changed || before.is_none_or(|before| before.figure != next.figure) {
            self.settle(place, next, turn).await?;
        }
        Ok(())
    }

    /// Keeps a state, and tells it if it changed.
    async fn settle(&mut self, place: usize, row: AlertRow, turn: Turn) -> Result<AlertRow, store::Error> {
        self.store.save_alert(&row).await?;
        self.watched[place].row = Some(row.clone());
        if turn == Turn::Changed {
            tracing::info!(venue = %row.venue, alert = %row.name, state = row.state.as_str(), "an alert changed");
            self.tell(row.clone()).await;
        }
        Ok(row)
    }

    async fn tell(&self, row: AlertRow) {
        if let Some(changes) = &self.changes {
            // It fails only when the herald is gone, and then nothing is told any more.
            let _ = changes.send(row).await;
        }
    }
}

/// The state of a rule that nothing is known of.
fn begin(venue: &Venue, rule: &Rule, at: EpochMs) -> AlertRow {
    AlertRow {
        venue: venue.id.clone(),
        name: rule.name.clone(),
        rule: rule.words.clone(),
        state: AlertState::NoData,
        since: at,
        judged_to: at,
        beyond: 0,
        back: 0,
        figure: None,
    }
}

/// What the sensors of a rule's place say, and how many are gone.
fn gone(venue: &Venue, rule: &Rule, live: &Live, began: EpochMs) -> (Verdict, u32) {
    let is_shown = matches!(live.occupancy, Shown::People(_));
    let silence_ms = i64::from(rule.windows) * SILENCE_SECS * 1_000;
    let of_place = |sensor: &&SensorLive| match &rule.scope {
        None => true,
        Some(scope) => {
            let zone = venue.zones.iter().find(|zone| zone.id == sensor.zone);
            let group = zone.and_then(|zone| zone.group).and_then(|group| venue.groups.get(group));
            sensor.zone == *scope || group == Some(scope)
        }
    };
    let (mut known, mut unknown, mut gone) = (0_u32, 0_u32, 0);
    for sensor in live.sensors.iter().filter(of_place) {
        match sensor.last_heard {
            Some(heard) if live.at.since(heard) >= silence_ms => gone += 1,
            Some(_) => known += 1,
            // Before it has had the time to speak, and at night where it says no status, nothing is known of it.
            None if is_shown && live.at.since(began) >= silence_ms => gone += 1,
            None => unknown += 1,
        }
    }
    let verdict = match (gone, unknown, known) {
        (1.., ..) => Verdict::Beyond,
        (0, 1.., _) => Verdict::Between,
        (0, 0, 1..) => Verdict::Back,
        (0, 0, 0) => Verdict::NoData,
    };
    (verdict, gone)
}

//! Which figures are compared: their names in the API, and their truth.

use serde::Serialize;

use crate::mall::truth::{Stable, Step, Window};

/// Of what a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each zone.
    Zones,
    /// The whole venue.
    Venue,
}

impl Scope {
    pub(super) const ALL: [Self; 2] = [Self::Zones, Self::Venue];

    /// Its word in a bound's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Zones => "zones",
            Self::Venue => "venue",
        }
    }
}

/// A figure of the API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figure {
    pub(super) metric: &'static str,
    told: Told,
    pub(super) truth: fn(&Window) -> Option<f64>,
    /// Windows of a smaller truth are too small for a percentage.
    pub(super) truth_min: f64,
}

/// A table of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// From which zone visits went to which next.
    Flows,
    /// In which zone visits began: flows from outside.
    Entrances,
    /// In which zone visits ended: flows to outside.
    Exits,
    /// Of the visits to a zone those that were in another as well.
    CrossVisits,
    /// Visits by length.
    Dwell,
}

impl Table {
    pub(super) const ALL: [Self; 5] =
        [Self::Flows, Self::Entrances, Self::Exits, Self::CrossVisits, Self::Dwell];

    /// Its name in a row and in a bound.
    pub(super) fn metric(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Entrances => "entrances",
            Self::Exits => "exits",
            Self::CrossVisits => "cross_visits",
            Self::Dwell => "dwell",
        }
    }

    /// The last part of its path.
    pub(super) fn page(self) -> &'static str {
        match self {
            Self::CrossVisits => "cross-visits",
            Self::Flows | Self::Entrances | Self::Exits => "flows",
            Self::Dwell => "dwell",
        }
    }

    /// Cells of a smaller truth are too small for a percentage.
    pub(super) fn truth_min(self) -> f64 {
        match self {
            Self::Flows | Self::Entrances | Self::Exits | Self::Dwell => COUNT_MIN,
            Self::CrossVisits => 0.0,
        }
    }

    /// As of a figure.
    pub(super) fn series(self) -> &'static [(Step, Scope)] {
        use Scope::{Venue, Zones};
        match self {
            Self::Flows | Self::Entrances | Self::Exits | Self::CrossVisits => &[(Step::Day, Venue)],
            Self::Dwell => {
                &[(Step::Day, Venue), (Step::Day, Zones), (Step::Hour, Venue), (Step::Hour, Zones)]
            }
        }
    }
}

/// The name of a figure or a table, and at which steps it is told of what.
pub(super) fn series_of(word: &str) -> Option<(&'static str, Vec<(Step, Scope)>)> {
    let figures = FIGURES.into_iter().map(|figure| (figure.metric, figure.series().collect()));
    let tables = Table::ALL.into_iter().map(|table| (table.metric(), table.series().to_vec()));
    figures.chain(tables).find(|(metric, _)| *metric == word)
}

#[derive(Clone, Copy, Debug)]
enum Told {
    /// At every step, of zones and the venue.
    Crowd,
    /// By the hour and day, of the venue also by the quarter.
    Visits,
    /// The same, of the venue alone; by the hour first.
    Venue,
    /// By the day, of the venue.
    VenueDay,
}

const PEOPLE_MIN: f64 = 20.0;
const COUNT_MIN: f64 = 30.0;

/// Every figure, as the API names it.
pub(super) const FIGURES: [Figure; 15] = [
    people("occupancy", |window| Some(window.people.occupancy)),
    people("occupancy_peak", |window| Some(window.people.occupancy_peak)),
    Figure {
        metric: "footfall",
        told: Told::Venue,
        truth: |window| Some(window.people.footfall as f64),
        truth_min: COUNT_MIN,
    },
    stable("visits", Told::Visits, COUNT_MIN, |window| of(window, |stable| Some(stable.visits as f64))),
    stable("visitors", Told::Visits, COUNT_MIN, |window| of(window, |stable| Some(stable.visitors as f64))),
    stable("passersby", Told::Venue, COUNT_MIN, |window| of(window, |stable| Some(stable.passersby as f64))),
    stable("bounces", Told::Visits, COUNT_MIN, |window| of(window, |stable| Some(stable.bounces as f64))),
    stable("engaged", Told::Visits, COUNT_MIN, |window| of(window, |stable| Some(stable.engaged as f64))),
    stable("capture_rate", Told::Venue, 0.0, |window| of(window, |stable| stable.capture_rate)),
    stable("dwell_mean", Told::Visits, 0.0, |window| of(window, |stable| stable.dwell_mean)),
    stable("dwell_p25", Told::Visits, 0.0, |window| of(window, |stable| stable.dwell_p25)),
    stable("dwell_median", Told::Visits, 0.0, |window| of(window, |stable| stable.dwell_median)),
    stable("dwell_p75", Told::Visits, 0.0, |window| of(window, |stable| stable.dwell_p75)),
    stable("stable_share", Told::Venue, 0.0, |window| of(window, |stable| stable.stable_share)),
    stable("infrastructure", Told::VenueDay, 0.0, |window| {
        of(window, |stable| Some(stable.infrastructure as f64))
    }),
];

const fn people(metric: &'static str, truth: fn(&Window) -> Option<f64>) -> Figure {
    Figure { metric, told: Told::Crowd, truth, truth_min: PEOPLE_MIN }
}

const fn stable(
    metric: &'static str,
    told: Told,
    truth_min: f64,
    truth: fn(&Window) -> Option<f64>,
) -> Figure {
    Figure { metric, told, truth, truth_min }
}

fn of(window: &Window, number: impl FnOnce(&Stable) -> Option<f64>) -> Option<f64> {
    window.stable_devices.as_deref().and_then(number)
}

impl Figure {
    /// At which steps it is told of what, the first being what is meant when nothing is said.
    pub(super) fn series(self) -> impl Iterator<Item = (Step, Scope)> {
        use Scope::{Venue, Zones};
        use Step::{Day, FiveMinutes, Hour, QuarterHour};
        let all: &[(Step, Scope)] = match self.told {
            Told::Crowd => &[
                (FiveMinutes, Zones),
                (FiveMinutes, Venue),
                (QuarterHour, Zones),
                (QuarterHour, Venue),
                (Hour, Zones),
                (Hour, Venue),
                (Day, Zones),
                (Day, Venue),
            ],
            Told::Visits => &[(Hour, Zones), (QuarterHour, Venue), (Hour, Venue), (Day, Zones), (Day, Venue)],
            Told::Venue => &[(Hour, Venue), (QuarterHour, Venue), (Day, Venue)],
            Told::VenueDay => &[(Day, Venue)],
        };
        all.iter().copied()
    }
}

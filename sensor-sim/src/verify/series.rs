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

/// The figure of a name.
pub(super) fn figure(metric: &str) -> Option<Figure> {
    FIGURES.into_iter().find(|figure| figure.metric == metric)
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

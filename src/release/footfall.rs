//! People who came, and how large a sample the stable devices are.
//!
//! Both are computed from what is told of the venue's visits and of its occupancy, so they tell nothing more. Whoever was
//! present in a window was there when it began or came in it; and whoever was present and did not end there is there when
//! the next begins. So of the rounded numbers that are told, visitors less those who were there before are the stable
//! devices that came, and visitors less the visits that ended are those who stay.

use std::collections::BTreeMap;

use super::judge::{GRAIN, Made, to_grain};
use super::traffic::{SIGMAS, band};
use super::usual::Usual;
use super::{Banded, Metric};
use crate::aggregate::{CROWD_LATENESS_SECS, VISIT_LATENESS_SECS};
use crate::clock::{EpochMs, Step, Window};
use crate::config::Venue;

/// The variance of a number that was rounded to the grain.
const ROUNDING_VARIANCE: f64 = (GRAIN * GRAIN) as f64 / 12.0;
/// A visit is so many times more worth knowing of the ratio the longer it is: 1 and the squared relative spread of dwell,
/// which in the simulated malls is as wide as its mean.
const DWELL_SPREAD: f64 = 2.0;
/// The usual ratio weighs as much as that of so many visits.
const USUAL_VISITS: f64 = 300.0;
/// So much silence ends a visit, minutes.
const SILENCE_MINS: f64 = (VISIT_LATENESS_SECS - CROWD_LATENESS_SECS) as f64 / 60.0;
/// Rounds in which the mean silence is found; each brings it nearer by a third at least where visits are made.
const SOLVING_ROUNDS: usize = 40;
/// Quarters with less than this share of the devices of the day's fullest are left out of the ratio: when hardly anybody
/// has come yet, most of those who are heard work there.
const FULL_ENOUGH: f64 = 0.5;
/// Minutes in a quarter of an hour.
const QUARTER_MINS: f64 = 15.0;
/// What the newest day says of the venue's telephones weighs so much beside the days before it.
const NEWEST_DAY: f64 = 0.3;
/// The crowd lens's band adds up the zones' as if all were wrong alike. Where heads were counted they are not, and this
/// share of it is left in the sum over all zones and a day; without a count all of it is.
const CROWD_SHARE: f64 = 0.3;

/// What is told of the venue's people in a window.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct People {
    people: f64,
    half_width: f64,
    made: Made,
}

/// A number of stable devices, and half of what it may be off because a part is hidden.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Devices {
    devices: f64,
    unsure: f64,
}

/// How a window ended.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct End {
    to: EpochMs,
    /// Who was still there.
    stay: Devices,
    /// How many had come in it.
    came: f64,
}

/// A quarter of an hour in which people and stable devices are told.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Quarter {
    people: People,
    present: f64,
    came: f64,
}

/// How the venue's telephones keep silent, as the days that are over told it.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Silence {
    /// Devices present to those of which it is known at the moment, 1 and more.
    lift: f64,
    /// Visits that only seem to begin, since a device had been silent for too long, for each minute of a device present.
    returns_a_minute: f64,
}

/// The day so far, and what the days before have taught.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Footfall {
    silence: Option<Silence>,
    /// Occupancy that is told of windows whose visits have not closed.
    people: BTreeMap<(Step, EpochMs), People>,
    ends: BTreeMap<Step, End>,
    quarters: BTreeMap<EpochMs, Quarter>,
}

/// What is told of the venue's visits in a window: rounded, or nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visited {
    pub(super) visitors: Option<u32>,
    /// Visits of visitors that ended, at least and at most.
    pub(super) ended: Option<[u32; 2]>,
    /// Their mean dwell, minutes.
    pub(super) dwell_mins: Option<u32>,
}

/// What is told of a window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    footfall: Option<Banded>,
    stable_share: Option<Banded>,
    /// The calibration that stands behind the people in it.
    pub(super) made: Option<Made>,
}

impl Told {
    pub(super) fn figures(self) -> [(Metric, Option<Banded>); 2] {
        [(Metric::Footfall, self.footfall), (Metric::StableShare, self.stable_share)]
    }
}

/// Sums over some quarters.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    people: f64,
    half_width: f64,
    present: f64,
    came: f64,
}

impl Sums {
    fn of<'a>(quarters: impl Iterator<Item = &'a Quarter>) -> Self {
        quarters.fold(Self::default(), |sums, quarter| Self {
            people: sums.people + quarter.people.people,
            half_width: sums.half_width + quarter.people.half_width,
            present: sums.present + quarter.present,
            came: sums.came + quarter.came.max(0.0),
        })
    }

    /// How far the people in it may be off, as a relative standard deviation.
    fn crowd_error(self, made: Option<Made>) -> f64 {
        let share = if made.is_some_and(|made| made.calibrated) { CROWD_SHARE } else { 1.0 };
        share * self.half_width / self.people / SIGMAS
    }
}

/// People to a stable device.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    people: f64,
    /// Its relative variance.
    variance: f64,
}

impl Visited {
    /// How many are still there at the end. Of what is hidden it is known that it is under k.
    fn stay(self, k: u32) -> Devices {
        let half = f64::from(k) / 2.0;
        let of = |devices: f64, unsure| Devices { devices: devices.max(0.0), unsure };
        match (self.visitors.map(f64::from), self.ended.map(|ends| ends.map(f64::from))) {
            (Some(visitors), Some([least, most])) => {
                of(visitors - f64::midpoint(least, most), (most - least) / 2.0)
            }
            (Some(visitors), None) => of(visitors - half, half),
            (None, _) => of(half, half),
        }
    }
}

impl Footfall {
    /// Takes what is told of the venue's people in a window, before its visits close.
    pub(super) fn take(&mut self, step: Step, window: Window, said: Option<Banded>, made: Option<Made>) {
        let (Some(Banded { value, low, high }), Some(made)) = (said, made) else { return };
        let half_width = f64::from(high - low.min(high)) / 2.0;
        self.people.insert((step, window.from), People { people: f64::from(value), half_width, made });
    }

    /// Judges a window of the venue, after the quarters in it.
    pub(super) fn judge(
        &mut self,
        venue: &Venue,
        usual: &Usual,
        step: Step,
        window: Window,
        visited: Visited,
    ) -> Told {
        let k = venue.thresholds.k;
        let people = self.people.remove(&(step, window.from));
        self.people.retain(|(of, from), _| *of != step || *from > window.from);
        let day = venue.calendar.day_of(window.from);
        let made = people.map(|people| people.made);
        let came = match step {
            // Whoever came has gone by the day's end, and seems to have come once more after each long silence.
            Step::Day => {
                visited.visitors.map(|visitors| Devices { devices: f64::from(visitors), unsure: 0.0 })
            }
            _ => self.came(venue, step, window, visited, people),
        };
        let mut here = self.sums(window.from, window.to, 0.0);
        let mut so_far = self.full_enough(day.window.from, window.to);
        if step == Step::Day {
            self.quarters.retain(|from, _| *from >= window.to);
            if let Some(lift) = self.learn(visited, here) {
                so_far.present *= lift;
                here.present *= lift;
            }
        }
        let ratio = ratio(so_far, usual.ratio(&venue.calendar, day), made);
        let is_enough = |devices: &Devices| to_grain(devices.devices) >= k;
        Told {
            // Where the crowd lens finds fewer people than devices, so many devices may be fewer people.
            footfall: came
                .filter(is_enough)
                .zip(ratio)
                .map(|(came, ratio)| footfall(came, ratio))
                .filter(|people| people.value >= k),
            stable_share: (here.present >= f64::from(k) && here.people > 0.0)
                .then(|| stable_share(here, made)),
            made,
        }
    }

    /// How many came in a window, and who stays for the next.
    fn came(
        &mut self,
        venue: &Venue,
        step: Step,
        window: Window,
        visited: Visited,
        people: Option<People>,
    ) -> Option<Devices> {
        let before = self.before(venue, step, window);
        let stay = visited.stay(venue.thresholds.k);
        let present = |before: &End| {
            // Closing time ends every visit, so the visits do not tell who was still there.
            let after = if venue.is_open(window.to) { stay } else { before.stay };
            f64::midpoint(before.stay.devices, after.devices)
        };
        let first_minutes = f64::from(venue.thresholds.visitor_secs) / step.secs() as f64;
        let came = visited.visitors.zip(before).map(|(visitors, before)| {
            let seem_to = self.returns(present(&before), step.secs() as f64 / 60.0);
            let devices = (f64::from(visitors) - before.stay.devices - seem_to).max(0.0);
            // Who comes is a visitor some minutes later, and where more and more come, some of them only in the next window.
            let late = first_minutes * (devices - before.came);
            (devices, Devices { devices: (devices + late).max(0.0), unsure: before.stay.unsure })
        });
        if let (Step::QuarterHour, Some(people), Some((came, _)), Some(before)) = (step, people, came, before)
        {
            let known = present(&before) + first_minutes * came;
            let present = known * self.silence.map_or(1.0, |silence| silence.lift);
            self.quarters.insert(window.from, Quarter { people, present, came });
        }
        let came_here = came.map_or(0.0, |(devices, _)| devices);
        self.ends.insert(step, End { to: window.to, stay, came: came_here });
        came.map(|(_, came)| came)
    }

    /// Sums over the quarters in which so many devices and more were present.
    fn sums(&self, from: EpochMs, to: EpochMs, present_min: f64) -> Sums {
        let quarters = self.quarters.range(from..to).map(|(_, quarter)| quarter);
        Sums::of(quarters.filter(|quarter| quarter.present >= present_min))
    }

    /// The same over those that are full enough for what is fullest so far.
    fn full_enough(&self, from: EpochMs, to: EpochMs) -> Sums {
        let fullest = self.quarters.range(from..to).map(|(_, quarter)| quarter.present).fold(0.0, f64::max);
        self.sums(from, to, FULL_ENOUGH * fullest)
    }

    /// How many of those who seem to have come in so many minutes had only been silent, when so many were present.
    fn returns(&self, present: f64, mins: f64) -> f64 {
        self.silence.map_or(0.0, |silence| silence.returns_a_minute * present * mins)
    }

    /// Learns from a day that is over, and gives how many times more devices were present than was thought while it went on:
    /// dwell is known by then; and how often a device made several visits tells how long telephones are silent, which they
    /// were between its visits, and before and after them.
    fn learn(&mut self, visited: Visited, day: Sums) -> Option<f64> {
        let Visited { visitors: Some(visitors), ended: Some([least, most]), dwell_mins: Some(dwell) } =
            visited
        else {
            return None;
        };
        let ended = f64::midpoint(f64::from(least), f64::from(most));
        let returns = (ended - f64::from(visitors)).max(0.0);
        let heard = ended * f64::from(dwell);
        let silent = mean_silence_mins(returns / heard.max(1.0));
        // Each device was there for some silence before it was first heard and after it was last, and each time it seemed to
        // come again it had been silent for as much longer than ends a visit.
        let silence = returns * (SILENCE_MINS + silent) + 2.0 * silent * f64::from(visitors);
        let present = (heard + silence) / QUARTER_MINS;
        let before = self.silence.unwrap_or(Silence { lift: 1.0, returns_a_minute: 0.0 });
        let known = day.present / before.lift;
        if known <= 0.0 || present < known {
            return None;
        }
        let weight = if self.silence.is_some() { NEWEST_DAY } else { 1.0 };
        let mix = |old: f64, new: f64| weight * new + (1.0 - weight) * old;
        self.silence = Some(Silence {
            lift: mix(before.lift, present / known),
            returns_a_minute: mix(before.returns_a_minute, returns / (known * QUARTER_MINS)),
        });
        Some(present / day.present)
    }

    /// How the window before ended. Where the venue had been closed, nobody was there; of a window that was not judged
    /// nothing is known.
    fn before(&self, venue: &Venue, step: Step, window: Window) -> Option<End> {
        let known = self.ends.get(&step).filter(|end| end.to == window.from).copied();
        let nobody = || End { to: window.from, stay: Devices::default(), came: 0.0 };
        known.or_else(|| (!venue.is_open(window.from.plus_secs(-1))).then(nobody))
    }
}

/// The mean silence of telephones, minutes, if in so many of a minute's moments a silence begins that ends a visit. Of
/// hearings at random moments, λ a minute, λ·e^(−15·λ) are followed by 15 silent minutes (Poisson), and 1/λ is the mean
/// silence. Of the two λ it is the one of telephones that are heard several times in that time, since otherwise they would
/// make no visits.
fn mean_silence_mins(long_a_minute: f64) -> f64 {
    if long_a_minute <= 0.0 {
        return 0.0;
    }
    let slowest = 1.0 / SILENCE_MINS;
    let next = |lambda: f64| ((lambda / long_a_minute).ln() / SILENCE_MINS).max(slowest);
    1.0 / (0..SOLVING_ROUNDS).fold(1.0, |lambda, _| next(lambda))
}

/// The ratio of the day so far, shrunk to the weekday's usual by how few visits stand behind it.
fn ratio(so_far: Sums, usual: Option<f64>, made: Option<Made>) -> Option<Ratio> {
    let today = (so_far.present > 0.0 && so_far.people > 0.0).then(|| Ratio {
        people: so_far.people / so_far.present,
        variance: DWELL_SPREAD / so_far.came.max(1.0) + so_far.crowd_error(made).powi(2),
    });
    let Some(usual) = usual else { return today };
    // What is usual was estimated by the same means, from days that differ.
    let of_usual = Ratio { people: usual, variance: DWELL_SPREAD / USUAL_VISITS };
    let Some(today) = today else { return Some(of_usual) };
    let weight = so_far.came / (so_far.came + USUAL_VISITS);
    Some(Ratio {
        people: weight * today.people + (1.0 - weight) * usual,
        variance: weight * today.variance + (1.0 - weight) * of_usual.variance,
    })
}

/// People, with a band for how few came, what rounding and hiding may have taken from them, and the ratio.
fn footfall(came: Devices, ratio: Ratio) -> Banded {
    let Devices { devices, unsure } = came;
    let people = devices * ratio.people;
    // A sample of people, of whom one in so many is counted; three rounded numbers.
    let counted = (1.0 - 1.0 / ratio.people.max(1.0)) / devices;
    let rounded = 3.0 * ROUNDING_VARIANCE / devices.powi(2);
    let half_width = SIGMAS * people * (counted + rounded + ratio.variance).sqrt() + unsure * ratio.people;
    Banded { value: to_grain(people), ..band(people, half_width) }
}

/// Stable devices for each hundred people.
fn stable_share(here: Sums, made: Option<Made>) -> Banded {
    let share = 100.0 * here.present / here.people;
    let rounded = 2.0 * ROUNDING_VARIANCE / here.present.powi(2);
    band(share, SIGMAS * share * (rounded + here.crowd_error(made).powi(2)).sqrt())
}

#[cfg(test)]
#[path = "footfall_tests.rs"]
mod tests;

#![doc = include_str!("README.md")]

mod history;
mod night;
mod seal;
mod tags;
mod usual;

use std::collections::VecDeque;

use history::History;
use night::Nights;
use tags::Loudest;
use usual::Usuals;

use crate::calibration::{Calibration, Calibrator, Mixing, Unmixing};
use crate::clock::{EpochMs, HALF_MS};
use crate::config::Venue;
use crate::pseudonym::{Footprint, HALF_GRACE_MS, Trace};

/// The most half-minutes closed at once: two days. The rest of a longer silence is skipped, for nothing was heard in it.
const CATCH_UP_HALVES_MAX: i64 = 2 * 2_880;

/// A zone's half-minute, closed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beat {
    /// The zone's place in the venue.
    pub zone: u16,
    /// The first moment of the half-minute.
    pub at: EpochMs,
    /// People, if enough half-minutes were live.
    pub estimate: Option<Estimate>,
    /// The share of the zone's sensors that were alive at its end.
    pub alive: f64,
    /// The share of them that had said a status, whether they heard anybody or not.
    pub beating: f64,
}

/// People present, estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// v: the mean root.
    pub root_mean: f64,
    /// N.
    pub people: f64,
    /// Half the width of the 80 % band around N.
    pub half_width: f64,
    /// The version of the calibration it was made under.
    pub calibration: u32,
    /// Whether a head count stands behind that.
    pub calibrated: bool,
}

/// What became of a footprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is counted.
    Counted,
    /// Its half-minute was closed.
    Late,
    /// The half-minute's set is full.
    Full,
}

/// The crowd lens of one venue.
pub struct Crowd {
    /// The zone of every sensor.
    zone_of: Vec<u16>,
    /// The next half-minute to close, by its number since 1970; `None` before the first moment.
    next: Option<i64>,
    /// Sets of open half-minutes; the first belongs to `next`.
    open: VecDeque<Loudest>,
    histories: Vec<History>,
    usuals: Usuals,
    /// The share of devices that never comes here since the gate drops it by chance.
    chance_share: f64,
    nights: Nights,
}

impl Crowd {
    /// A lens that has heard nothing yet.
    #[must_use]
    pub fn new(venue: &Venue) -> Self {
        Self {
            zone_of: venue.sensors.iter().map(|s| s.zone as u16).collect(),
            next: None,
            open: VecDeque::new(),
            histories: vec![History::default(); venue.zones.len()],
            usuals: Usuals::new(venue.zones.len()),
            chance_share: 0.0,
            nights: Nights::default(),
        }
    }

    /// The share of devices that the gate drops by chance, 0 to 1: a half-minute's count is divided by the rest.
    pub fn set_chance_share(&mut self, share: f64) {
        self.chance_share = share;
    }

    /// Takes the fleeting footprints of a message; those of the visit lens are passed over.
    pub fn hear(&mut self, footprint: &Footprint) -> Heard {
        let Trace::Fleeting(tag) = footprint.trace else {
            if footprint.trace == Trace::Night {
                self.nights.hear(footprint.rssi);
            }
            return Heard::Counted;
        };
        let half = footprint.at.0.div_euclid(HALF_MS);
        let next = *self.next.get_or_insert(half);
        let Ok(place) = usize::try_from(half - next) else { return Heard::Late };
        // Weaker than θ a tag cannot count: a device below it at its strongest sensor counts nowhere.
        if footprint.rssi < self.nights.threshold_dbm() {
            return Heard::Counted;
        }
        while self.open.len() <= place {
            self.open.push_back(Loudest::default());
        }
        if self.open[place].hear(tag, footprint.rssi, footprint.sensor) {
            Heard::Counted
        } else {
            Heard::Full
        }
    }

    /// Closes every half-minute whose time has come by the venue's clock, in order, and wipes its set.
    ///
    /// `mixing` tells how often people of one zone are loudest in another. `alive` tells the share of a zone's sensors that
    /// were alive at the end of a half-minute, given as that moment, and the share that had said a status.
    /// Half-minutes in closed hours make no beat. Head counts act between half-minutes.
    pub fn close(
        &mut self,
        now: EpochMs,
        venue: &Venue,
        (calibrator, mixing): (&mut Calibrator, &Mixing),
        mut alive: impl FnMut(u16, EpochMs) -> [f64; 2],
    ) -> Vec<Beat> {
        let mut beats = Vec::new();
        let last = (now.0 - HALF_GRACE_MS).div_euclid(HALF_MS) - 1;
        let next = *self.next.get_or_insert(now.0.div_euclid(HALF_MS));
        self.next = Some(next);
        if last < next {
            return beats;
        }
        let caught_up = last.min(next + CATCH_UP_HALVES_MAX - 1);
        let unmixing = mixing.unmixing();
        for half in next..=caught_up {
            let at = EpochMs(half * HALF_MS);
            let distinct = self.open.pop_front().map(|set| set.count(&self.zone_of, self.histories.len()));
            if !venue.is_open(at) {
                self.histories.iter_mut().for_each(|history| history.push(None));
                self.nights.closed();
                continue;
            }
            self.nights.opened();
            let zones = 0..self.histories.len() as u16;
            let lives: Vec<[f64; 2]> = zones.map(|zone| alive(zone, EpochMs(at.0 + HALF_MS))).collect();
            let heard = self.roots(&distinct.unwrap_or_default(), &lives);
            let roots = self.usuals.steadied(&unmixed(&heard, &unmixing));
            for ((zone, root_mean), [alive, beating]) in (0..).zip(roots).zip(lives) {
                if let Some(v) = root_mean {
                    calibrator.hear(zone, at, v);
                }
                let estimate = root_mean.map(|root_mean| Estimate::of(root_mean, &calibrator.current()));
                beats.push(Beat { zone, at, estimate, alive, beating });
            }
            calibrator.settle(EpochMs(at.0 + HALF_MS));
        }
        if caught_up < last {
            self.open.clear();
            self.histories.fill(History::default());
            self.usuals.forget();
        }
        self.next = Some(last + 1);
        beats
    }

    /// Takes a half-minute's distinct tags by zone into the histories, and gives the mean root that is loudest in each zone.
    fn roots(&mut self, distinct: &[u32], lives: &[[f64; 2]]) -> Vec<Option<f64>> {
        let heard_share = 1.0 - self.chance_share;
        let root = |count: Option<&u32>| (f64::from(count.copied().unwrap_or(0)) / heard_share).sqrt();
        let each = self.histories.iter_mut().zip(lives).enumerate();
        each.map(|(zone, (history, [alive, _]))| {
            let is_alive = *alive > 0.0;
            history.push(is_alive.then(|| root(distinct.get(zone))));
            history.mean().filter(|_| is_alive)
        })
        .collect()
    }

    /// Wipes the sets of half-minutes that have not closed.
    pub fn wipe(&mut self) {
        self.open.clear();
    }

    /// θ, the weakest strength that counts, dBm.
    #[must_use]
    pub fn threshold_dbm(&self) -> i8 {
        self.nights.threshold_dbm()
    }
}

impl Estimate {
    fn of(root_mean: f64, calibration: &Calibration) -> Self {
        let people = calibration.people(root_mean);
        Self {
            root_mean,
            people,
            half_width: calibration.half_width(people),
            calibration: calibration.version,
            calibrated: calibration.is_calibrated(),
        }
    }
}

/// The mean root of each zone's own people, from those that were loudest there. Numbers of tags add up, roots do not.
fn unmixed(heard: &[Option<f64>], unmixing: &Unmixing) -> Vec<Option<f64>> {
    let squares: Vec<f64> = heard.iter().map(|root| root.map_or(0.0, |root| root * root)).collect();
    let within = unmixing.undo(&squares);
    let own = |((root, before), after): ((&Option<f64>, &f64), f64)| {
        // What is not changed stays the same to the last bit.
        root.map(|root| if after == *before { root } else { after.sqrt() })
    };
    heard.iter().zip(&squares).zip(within).map(own).collect()
}

#[cfg(test)]
mod tests;

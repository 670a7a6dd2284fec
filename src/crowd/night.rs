//! What the venue sounds like when nobody is in it: the threshold θ.

use std::collections::VecDeque;

/// θ before any closed night was heard, dBm.
const THRESHOLD_UNKNOWN_DBM: i8 = -75;
/// θ never leaves this range, dBm: the flat optimum of the measured room.
const THRESHOLD_RANGE_DBM: (i8, i8) = (-80, -68);
/// Nights that θ is taken from.
const NIGHTS_MAX: usize = 7;
/// Half-minutes of a night, at least: four hours. A lunch break is no night.
const NIGHT_HALVES_MIN: u32 = 480;
/// Fewer sightings than this in all those nights tell nothing.
const NIGHT_SIGHTINGS_MIN: u64 = 100;
/// The share of night strengths under θ.
const QUANTILE: f64 = 0.99;

/// Strengths heard in one night, by dBm from −128.
pub(super) type Strengths = Box<[u32; 256]>;

pub(super) struct Night {
    pub(super) strengths: Strengths,
    pub(super) halves: u32,
}

pub(super) struct Nights {
    pub(super) past: VecDeque<Strengths>,
    pub(super) tonight: Option<Night>,
    pub(super) threshold_dbm: i8,
}

impl Default for Nights {
    fn default() -> Self {
        Self { past: VecDeque::new(), tonight: None, threshold_dbm: THRESHOLD_UNKNOWN_DBM }
    }
}

impl Nights {
    pub(super) fn threshold_dbm(&self) -> i8 {
        self.threshold_dbm
    }

    /// A fleeting device was heard in closed hours.
    pub(super) fn hear(&mut self, rssi: i8) {
        if let Some(tonight) = &mut self.tonight {
            let bin = &mut tonight.strengths[usize::from(rssi.wrapping_sub(i8::MIN) as u8)];
            *bin = bin.saturating_add(1);
        }
    }

    /// A half-minute passed in closed hours.
    pub(super) fn closed(&mut self) {
        self.tonight.get_or_insert_with(|| Night { strengths: Box::new([0; 256]), halves: 0 }).halves += 1;
    }

    /// A half-minute passed in open hours: the night before, if any, is over and θ is taken anew.
    pub(super) fn opened(&mut self) {
        let Some(Night { strengths: night, halves }) = self.tonight.take() else { return };
        if halves < NIGHT_HALVES_MIN {
            return;
        }
        if self.past.len() == NIGHTS_MAX {
            self.past.pop_front();
        }
        self.past.push_back(night);
        let total: u64 = self.past.iter().flat_map(|night| night.iter()).map(|n| u64::from(*n)).sum();
        if total < NIGHT_SIGHTINGS_MIN {
            return;
        }
        let under = (QUANTILE * total as f64).ceil() as u64;
        let mut seen = 0;
        for bin in 0..256 {
            seen += self.past.iter().map(|night| u64::from(night[bin])).sum::<u64>();
            if seen >= under {
                let dbm = (bin as i16 + i16::from(i8::MIN)) as i8;
                self.threshold_dbm = dbm.clamp(THRESHOLD_RANGE_DBM.0, THRESHOLD_RANGE_DBM.1);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(nights: &mut Nights, strengths: impl IntoIterator<Item = i8>) -> i8 {
        (0..NIGHT_HALVES_MIN).for_each(|_| nights.closed());
        strengths.into_iter().for_each(|rssi| nights.hear(rssi));
        nights.opened();
        nights.threshold_dbm()
    }

    #[test]
    fn the_threshold_is_the_99th_percentile_of_seven_nights_within_its_range() {
        let mut nights = Nights::default();
        assert_eq!(nights.threshold_dbm(), -75);
        assert_eq!(night(&mut nights, [-70; 99]), -75, "too little was heard");
        assert_eq!(night(&mut nights, [-70; 1]), -70);
        let mut nights = Nights::default();
        assert_eq!(night(&mut nights, (0..1000).map(|i| if i < 990 { -90 } else { -60 })), -80);
        assert_eq!(night(&mut nights, (0..1000).map(|i| if i < 900 { -90 } else { -60 })), -68);
        for _ in 0..7 {
            night(&mut nights, [-72; 1000]);
        }
        assert_eq!(nights.threshold_dbm(), -72, "older nights are forgotten");
    }

    #[test]
    fn a_lunch_break_is_no_night() {
        let mut nights = Nights::default();
        (1..NIGHT_HALVES_MIN).for_each(|_| nights.closed());
        (0..500).for_each(|_| nights.hear(-60));
        nights.opened();
        assert_eq!(nights.threshold_dbm(), -75);
    }

    #[test]
    fn nothing_is_learnt_in_open_hours() {
        let mut nights = Nights::default();
        nights.opened();
        (0..500).for_each(|_| nights.hear(-60));
        nights.opened();
        assert_eq!(nights.threshold_dbm(), -75);
    }
}

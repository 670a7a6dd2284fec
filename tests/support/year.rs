//! A year of published figures of a large venue, for benches. It takes the way that every figure takes: windows are made up,
//! the judge judges them, and what it lets through is written. No program that ships holds this file.

use std::fmt::Write as _;
use std::sync::Arc;

use passant::aggregate::{Closed, Covered, Dwell, Level, Newest, Occupancy, Place, Traffic, ZoneWindow};
use passant::clock::{EpochMs, Step, Window};
use passant::config::{Config, Venue};
use passant::release::{Figure, Judge};
use passant::store::Store;

/// Zones of the venue, by five to a group.
pub(crate) const ZONES: usize = 200;
const GROUPS: usize = 5;
/// 2025-11-24, a Monday, at 04:00 in Paris, when the venue's day begins.
pub(crate) const FROM: EpochMs = EpochMs(1_763_953_200_000);
/// The last so many days have figures of minutes as well, as the server keeps them.
const FINE_DAYS: u32 = 90;
/// Lengths of visits that occur, minutes.
const LENGTHS: [u16; 6] = [6, 12, 20, 35, 60, 110];

/// The configuration of the venue.
pub(crate) fn config() -> Config {
    let mut text = String::from(
        "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n\
         [[venue]]\nid = \"mall\"\nname = \"A large mall\"\ntimezone = \"Europe/Paris\"\n",
    );
    for zone in 0..ZONES {
        let _ = write!(
            text,
            "[[venue.zone]]\nid = \"z{zone}\"\nname = \"Zone {zone}\"\ngroup = \"floor-{}\"\n\
             [[venue.sensor]]\nid = \"s{zone}\"\nzone = \"z{zone}\"\n",
            zone % GROUPS
        );
    }
    Config::parse(&text, std::iter::empty()).expect("a good configuration")
}

/// Writes so many days of figures. Gives how many there are.
pub(crate) async fn publish(store: &Store, venue: &Arc<Venue>, days: u32, told: impl Fn(u32)) -> u64 {
    let mut year = Year { venue: venue.clone(), judge: Judge::new(venue.clone(), 1, None) };
    let mut written = 0;
    let mut at = FROM;
    for day in 0..days {
        let window = venue.calendar.day_of(at).window;
        let figures = year.day(window, day + FINE_DAYS >= days);
        written += store.append(&figures).await.expect("the store takes it");
        told(day);
        at = window.to;
    }
    written
}

struct Year {
    venue: Arc<Venue>,
    judge: Judge,
}

impl Year {
    /// The figures of a day, with those of minutes or without.
    fn day(&mut self, day: Window, is_fine: bool) -> Vec<Figure> {
        let mut figures = Vec::new();
        let pause_secs = if is_fine { Step::FiveMinutes.secs() } else { Step::Hour.secs() };
        let mut at = day.from;
        while at < day.to {
            let hour = self.venue.calendar.window_of(at, Step::Hour);
            self.judge.hear(&self.half(at, busy(at, day)));
            let next = at.plus_secs(pause_secs);
            for step in Step::ALL {
                let window = self.venue.calendar.window_of(at, step);
                if window.to <= next || !is_fine && step < Step::Hour {
                    let told = self.judge.judge(Closed::Crowd(self.crowd(step, window, busy(at, day))));
                    if is_fine || step >= Step::Hour {
                        figures.extend(told);
                    }
                }
                let has_visits = step > Step::FiveMinutes && (is_fine || step >= Step::Hour);
                if has_visits && window.to <= next {
                    figures.extend(self.judge.judge(Closed::Visits(self.visits(
                        step,
                        window,
                        busy(hour.from, day),
                    ))));
                }
            }
            at = next;
        }
        figures
    }

    fn half(&self, at: EpochMs, busy: f64) -> Newest {
        let zones: Vec<Option<Level>> = (0..ZONES).map(|zone| Some(level(people(zone, busy)))).collect();
        let all = zones.iter().flatten().map(|level| level.people).sum();
        Newest { end: at.plus_secs(30), venue: Some(level(all)), zones }
    }

    fn crowd(&self, step: Step, window: Window, busy: f64) -> ZoneWindow<Occupancy> {
        let row = |place| {
            let level = level(self.of(place, |zone| people(zone, busy)));
            let root_mean = matches!(place, Place::Zone(_)).then_some(level.root_mean);
            Occupancy { mean: Some(level), peak: Some(level), root_mean, halves: 1 }
        };
        ZoneWindow {
            step,
            window,
            rows: self.places(true).map(|place| (place, covered(row(place)))).collect(),
        }
    }

    fn visits(&self, step: Step, window: Window, busy: f64) -> ZoneWindow<Traffic> {
        let hours = step.secs() as f64 / 3_600.0;
        let row = |place| {
            // A day is not always as busy as its last hour.
            let busy = if step == Step::Day { 0.45 } else { busy };
            let long = (self.of(place, |zone| people(zone, busy)) * hours) as u64;
            let mut dwell = Dwell::default();
            for (minutes, part) in LENGTHS.into_iter().zip([4, 5, 4, 3, 2, 1]) {
                (0..long * part / 19).for_each(|_| dwell.add(minutes));
            }
            let kept = dwell.count();
            let engaged = kept * 10 / 19;
            Traffic {
                visits: 3 * kept,
                passersby: kept,
                bounces: kept,
                engaged,
                visitors: kept as f64,
                dwell,
            }
        };
        // Of a quarter-hour only the whole venue has visits.
        let of_all = step >= Step::Hour;
        let places = self.places(false).filter(|place| of_all || *place == Place::Venue);
        ZoneWindow { step, window, rows: places.map(|place| (place, covered(row(place)))).collect() }
    }

    fn places(&self, with_groups: bool) -> impl Iterator<Item = Place> + use<> {
        let groups = (0..if with_groups { GROUPS } else { 0 }).map(|group| Place::Group(group as u16));
        std::iter::once(Place::Venue).chain(groups).chain((0..ZONES).map(|zone| Place::Zone(zone as u16)))
    }

    fn of(&self, place: Place, people: impl Fn(usize) -> f64) -> f64 {
        let is_of = |zone: &usize| match place {
            Place::Venue => true,
            Place::Group(group) => zone % GROUPS == usize::from(group),
            Place::Zone(only) => *zone == usize::from(only),
        };
        (0..ZONES).filter(is_of).map(people).sum()
    }
}

/// How busy it is, 0 to 1: nobody at night, and more on some days than on others.
fn busy(at: EpochMs, day: Window) -> f64 {
    let hour = at.since(day.from) as f64 / 3_600_000.0;
    let weekday = day.from.since(FROM).div_euclid(86_400_000) % 7;
    let opened = (hour - 5.0) / 12.0;
    if !(0.0..=1.0).contains(&opened) {
        return 0.0;
    }
    (std::f64::consts::PI * opened).sin() * (0.7 + 0.05 * weekday as f64)
}

fn people(zone: usize, busy: f64) -> f64 {
    busy * (10.0 + (zone * 37 % 91) as f64)
}

fn level(people: f64) -> Level {
    Level {
        people,
        half_width: 1.0 + people / 5.0,
        root_mean: people / 7.0,
        calibration: 2,
        calibrated: true,
    }
}

fn covered<Row>(row: Row) -> Covered<Row> {
    Covered { coverage: 1.0, beating: 1.0, row }
}

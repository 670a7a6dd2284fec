//! A year of published figures of a large venue, for benches. It takes the way that every figure takes: windows are made up,
//! the judge judges them, and what it lets through is written. No program that ships holds this file.

use std::fmt::Write as _;
use std::sync::Arc;

use passant::aggregate::{Closed, Covered, Dwell, Level, Newest, Occupancy, Place, Traffic, ZoneWindow};
use passant::clock::{EpochMs, Step, Window};
use passant::config::{Config, Venue};
use passant::release::{Figure, Judge, Sheet};
use passant::store::Store;

#[path = "year_moves.rs"]
mod moves;

/// Groups of the venue, among which the zones are dealt out.
const GROUPS: usize = 5;
/// 2025-11-24, a Monday, at 04:00 in Paris, when the venue's day begins.
pub(crate) const FROM: EpochMs = EpochMs(1_763_953_200_000);
const DAY_MS: i64 = 86_400_000;
/// Lengths of visits that occur, minutes.
const LENGTHS: [u16; 6] = [6, 12, 20, 35, 60, 110];

/// The venue, as a configuration has it.
pub(crate) fn venue(zones: usize) -> String {
    let mut text =
        String::from("[[venue]]\nid = \"mall\"\nname = \"A large mall\"\ntimezone = \"Europe/Paris\"\n");
    for zone in 0..zones {
        let _ = write!(
            text,
            "[[venue.zone]]\nid = \"z{zone}\"\nname = \"Zone {zone}\"\ngroup = \"floor-{}\"\n\
             [[venue.sensor]]\nid = \"s{zone}\"\nzone = \"z{zone}\"\n",
            zone % GROUPS
        );
    }
    text
}

/// The same, read.
pub(crate) fn read(venue: &str) -> Venue {
    let text = format!("data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n{venue}");
    Config::parse(&text, std::iter::empty()).expect("a good configuration").venues.remove(0)
}

/// How many days there are.
#[derive(Clone, Copy)]
pub(crate) struct Days {
    pub(crate) all: u32,
    /// The last so many have figures of minutes as well.
    pub(crate) fine: u32,
    /// The last so many have flows, cross-visits and dwell as well.
    pub(crate) tables: u32,
}

/// What is unlike other days.
#[derive(Clone, Copy)]
pub(crate) struct Story {
    /// When the first day begins.
    pub(crate) from: EpochMs,
    /// How many times as many people as usual are in a zone, by its place in the venue, on a day, by its first moment.
    pub(crate) people: fn(usize, EpochMs) -> f64,
    /// How many times as many people as usual pass by on a day.
    pub(crate) passing: fn(EpochMs) -> f64,
}

/// Days that are like any others.
const PLAIN: Story = Story { from: FROM, people: |_, _| 1.0, passing: |_| 1.0 };

/// Writes so many days of figures. Gives how many there are.
pub(crate) async fn publish(store: &Store, venue: &Arc<Venue>, days: Days, told: impl Fn(u32)) -> u64 {
    publish_story(store, venue, days, PLAIN, told).await
}

/// The same of days that have a story.
pub(crate) async fn publish_story(
    store: &Store,
    venue: &Arc<Venue>,
    days: Days,
    story: Story,
    told: impl Fn(u32),
) -> u64 {
    let mut year = Year { venue: venue.clone(), judge: Judge::new(venue.clone(), 1, None), story };
    let mut written = 0;
    let mut at = story.from;
    for day in 0..days.all {
        let window = venue.calendar.day_of(at).window;
        let figures = year.day(window, day + days.fine >= days.all);
        written += store.append(&figures).await.expect("the store takes it");
        if day + days.tables >= days.all {
            store.append_sheets(&year.tables(window)).await.expect("the store takes them");
        }
        told(day);
        at = window.to;
    }
    written
}

struct Year {
    venue: Arc<Venue>,
    judge: Judge,
    story: Story,
}

impl Year {
    /// The figures of a day, with those of minutes or without.
    fn day(&mut self, day: Window, is_fine: bool) -> Vec<Figure> {
        let mut figures = Vec::new();
        let pause_secs = if is_fine { Step::FiveMinutes.secs() } else { Step::Hour.secs() };
        let mut at = day.from;
        while at < day.to {
            let hour = self.venue.calendar.window_of(at, Step::Hour);
            self.judge.hear(&self.half(at, day, busy(at, day)));
            let next = at.plus_secs(pause_secs);
            for step in Step::ALL {
                let window = self.venue.calendar.window_of(at, step);
                if window.to <= next || !is_fine && step < Step::Hour {
                    let told = self.judge.judge(Closed::Crowd(self.crowd(step, window, day, busy(at, day))));
                    if is_fine || step >= Step::Hour {
                        figures.extend(told);
                    }
                }
                let has_visits = step > Step::FiveMinutes && (is_fine || step >= Step::Hour);
                if has_visits && window.to <= next {
                    figures.extend(self.judge.judge(Closed::Visits(self.visits(
                        step,
                        window,
                        day,
                        busy(hour.from, day),
                    ))));
                }
            }
            at = next;
        }
        figures
    }

    /// The tables of a day: of its hours, and then of itself.
    fn tables(&mut self, day: Window) -> Vec<Sheet> {
        let mut sheets = Vec::new();
        let mut whole = moves::none(self.zones());
        let mut at = day.from;
        while at < day.to {
            let window = self.venue.calendar.window_of(at, Step::Hour);
            let busy = busy(window.from, day);
            // Of an hour in which nobody comes there is no table.
            if busy > 0.0 {
                let visits: Vec<u64> =
                    (0..self.zones()).map(|zone| self.people(zone, day, busy) as u64).collect();
                let rows = moves::of_an_hour(&visits);
                moves::add(&mut whole, &rows);
                sheets.extend(self.judge.tables(&moves::closed(Step::Hour, window, rows)));
            }
            at = window.to;
        }
        sheets.extend(self.judge.tables(&moves::closed(Step::Day, day, moves::with_pairs(whole))));
        sheets
    }

    fn half(&self, at: EpochMs, day: Window, busy: f64) -> Newest {
        let zones: Vec<Option<Level>> =
            (0..self.zones()).map(|zone| Some(level(self.people(zone, day, busy)))).collect();
        let all = zones.iter().flatten().map(|level| level.people).sum();
        Newest { end: at.plus_secs(30), venue: Some(level(all)), zones }
    }

    fn crowd(&self, step: Step, window: Window, day: Window, busy: f64) -> ZoneWindow<Occupancy> {
        let row = |place| {
            let level = level(self.of(place, |zone| self.people(zone, day, busy)));
            let root_mean = matches!(place, Place::Zone(_)).then_some(level.root_mean);
            Occupancy { mean: Some(level), peak: Some(level), root_mean, halves: 1 }
        };
        ZoneWindow {
            step,
            window,
            rows: self.places(self.venue.groups.len()).map(|place| (place, covered(row(place)))).collect(),
        }
    }

    fn visits(&self, step: Step, window: Window, day: Window, busy: f64) -> ZoneWindow<Traffic> {
        let hours = step.secs() as f64 / 3_600.0;
        let row = |place| {
            // A day is not always as busy as its last hour.
            let busy = if step == Step::Day { 0.45 } else { busy };
            let long = (self.of(place, |zone| self.people(zone, day, busy)) * hours) as u64;
            let mut dwell = Dwell::default();
            for (minutes, part) in LENGTHS.into_iter().zip([4, 5, 4, 3, 2, 1]) {
                (0..long * part / 19).for_each(|_| dwell.add(minutes));
            }
            let kept = dwell.count();
            let engaged = kept * 10 / 19;
            Traffic {
                visits: 3 * kept,
                passersby: (kept as f64 * (self.story.passing)(day.from)) as u64,
                bounces: kept,
                engaged,
                visitors: kept as f64,
                dwell,
                infrastructure: if place == Place::Venue && step == Step::Day { 40 } else { 0 },
            }
        };
        // Of a quarter-hour only the whole venue has visits.
        let of_all = step >= Step::Hour;
        let places = self.places(0).filter(|place| of_all || *place == Place::Venue);
        ZoneWindow { step, window, rows: places.map(|place| (place, covered(row(place)))).collect() }
    }

    fn people(&self, zone: usize, day: Window, busy: f64) -> f64 {
        people(zone, busy) * (self.story.people)(zone, day.from)
    }

    fn zones(&self) -> usize {
        self.venue.zones.len()
    }

    /// The venue, so many groups, and every zone.
    fn places(&self, groups: usize) -> impl Iterator<Item = Place> + use<> {
        let groups = (0..groups).map(|group| Place::Group(group as u16));
        let zones = (0..self.zones()).map(|zone| Place::Zone(zone as u16));
        std::iter::once(Place::Venue).chain(groups).chain(zones)
    }

    fn of(&self, place: Place, people: impl Fn(usize) -> f64) -> f64 {
        let is_of = |zone: &usize| match place {
            Place::Venue => true,
            Place::Group(group) => self.venue.zones[*zone].group == Some(usize::from(group)),
            Place::Zone(only) => *zone == usize::from(only),
        };
        (0..self.zones()).filter(is_of).map(people).sum()
    }
}

/// How busy it is, 0 to 1: nobody at night, and more on some days than on others.
fn busy(at: EpochMs, day: Window) -> f64 {
    let hour = at.since(day.from) as f64 / 3_600_000.0;
    // From the middle of a day, for in summer they begin an hour earlier.
    let weekday = (day.from.since(FROM) + DAY_MS / 2).div_euclid(DAY_MS).rem_euclid(7);
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

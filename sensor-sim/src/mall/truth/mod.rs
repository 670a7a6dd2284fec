//! What really happened, in the words of the server's figures. It knows where people were, never what was heard.

mod presence;
mod tally;
#[cfg(test)]
mod tests;
mod ways;

use serde::{Deserialize, Serialize};

use self::presence::Presence;
use self::tally::Tally;
use super::calendar::VenueDay;
use super::plan::Plan;
use super::scenario::Scenario;

/// The version of the file's format, which its first line names.
pub const VERSION: u32 = 2;

/// A visit so long makes a visitor; a shorter one is a bounce, ms.
const VISITOR_MS: i64 = 300_000;

/// One line of a truth file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// What the lines after it are about, until the next of its kind.
    Truth(Header),
    /// A window of a zone or of the venue.
    Window(Window),
    /// How many went from a zone to another on a day.
    Flow(Flow),
    /// How many of a zone's visits touched another on a day.
    CrossVisit(CrossVisit),
}

/// Whose truth it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub version: u32,
    /// The venue's id.
    pub venue: String,
    /// Its chance's seed.
    pub seed: u64,
    /// The run's first moment, epoch ms.
    pub from_ms: i64,
    /// The first moment after it, epoch ms.
    pub to_ms: i64,
}

/// The length of a window, in the API's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    QuarterHour,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// A venue day.
    #[serde(rename = "1d")]
    Day,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::FiveMinutes, Self::QuarterHour, Self::Hour, Self::Day];

    /// Its word in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::Hour => "1h",
            Self::Day => "1d",
        }
    }
}

/// What happened in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Its length.
    pub step: Step,
    /// Epoch ms.
    pub from_ms: i64,
    /// Epoch ms.
    pub to_ms: i64,
    /// `None` is the venue.
    pub zone: Option<String>,
    /// Of people.
    pub people: People,
    /// Of stable devices; of the venue from a quarter of an hour on, of a zone from an hour on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable_devices: Option<Box<Stable>>,
}

/// People of a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct People {
    /// Inside on average, shoppers and staff.
    pub occupancy: f64,
    /// The largest of its half-minutes' averages.
    pub occupancy_peak: f64,
    /// Of the occupancy, those who work there.
    pub staff: f64,
    /// Different people who were inside at all, shoppers and staff.
    pub present: u64,
    /// Shoppers who came into it: from outside, or from another zone.
    pub footfall: u64,
    /// Shoppers who left it: to the outside, or to another zone.
    pub exits: u64,
    /// Shoppers whose visit to the venue began there.
    pub came_in: u64,
    /// Shoppers whose visit to the venue ended there.
    pub went_out: u64,
    /// People who passed outside on foot and did not come in, by the moment they had passed; of the venue only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passersby: Option<u64>,
}

/// Shoppers' stable devices of a window; a device's visit is its carrier's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stable {
    /// Inside on average.
    pub present: f64,
    /// Of a hundred shoppers inside on average; nothing where nobody was.
    pub stable_share: Option<f64>,
    /// Different ones that were inside at all.
    pub distinct: u64,
    /// That came into it.
    pub footfall: u64,
    /// Visits that ended in it, however short.
    pub visits: u64,
    /// Different ones that were present in it and had by then been there for five minutes.
    pub visitors: u64,
    /// That passed outside, on foot or in a car, by the moment they had passed; of the venue only.
    pub passersby: u64,
    /// Visits under five minutes that ended in it.
    pub bounces: u64,
    /// Visits of a quarter of an hour or more that ended in it.
    pub engaged: u64,
    /// Visitors' visits in percent of visitors' visits and passers-by; nothing where there is neither.
    pub capture_rate: Option<f64>,
    /// Mean length of visitors' visits that ended in it, minutes.
    pub dwell_mean: Option<f64>,
    /// A quarter of them was no longer, minutes.
    pub dwell_p25: Option<f64>,
    /// Half of them was no longer, minutes.
    pub dwell_median: Option<f64>,
    /// Three quarters of them were no longer, minutes.
    pub dwell_p75: Option<f64>,
    /// Visits by length: under 5 min, 5–15, 15–30, 30–60, 60–120, 120–240, 240 min and more.
    pub dwell_bands: [u64; tally::BANDS],
    /// Stable devices of tills, televisions and those who work there, present at all; of the venue only.
    pub infrastructure: u64,
}

/// From a zone to the one next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Epoch ms, the day's.
    pub from_ms: i64,
    /// Epoch ms, the day's.
    pub to_ms: i64,
    /// Where from; `None` is outside.
    pub from_zone: Option<String>,
    /// Where to; `None` is outside.
    pub to_zone: Option<String>,
    /// From each zone to the one entered next, however short the stay; in where the visit began, out where it ended.
    pub all: Moves,
    /// From each zone visit of five minutes or more to the next such one, whatever was crossed between, each way of a visit
    /// once; in and out as above.
    pub visitors: Moves,
}

/// Who moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    /// Shoppers.
    pub people: u64,
    /// Their stable devices.
    pub stable_devices: u64,
}

/// Visits to one zone that touched another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossVisit {
    /// Epoch ms, the day's.
    pub from_ms: i64,
    /// Epoch ms, the day's.
    pub to_ms: i64,
    /// The one.
    pub zone: String,
    /// The other.
    pub also: String,
    /// Venue visits of stable devices that were in the one for five minutes or more.
    pub visits: u64,
    /// Of these, those that were in the other for five minutes or more.
    pub also_visits: u64,
}

/// The truth of the days that a stretch of time touches, after its header; windows that the stretch does not wholly cover
/// are left out.
pub fn of(scenario: &Scenario, seed: u64, from_ms: i64, to_ms: i64) -> impl Iterator<Item = Line> {
    let header = Header { version: VERSION, venue: scenario.venue.to_string(), seed, from_ms, to_ms };
    let first = VenueDay::at(scenario, from_ms);
    let days = std::iter::successors(Some(first), move |day| Some(day.next(scenario)));
    let days = days.take_while(move |day| day.from < to_ms);
    let lines = days.flat_map(move |day| of_day(scenario, &Plan::draw(scenario, seed, day)));
    let whole =
        lines.filter(move |line| line.span_ms().is_none_or(|(from, to)| from_ms <= from && to <= to_ms));
    std::iter::once(Line::Truth(header)).chain(whole)
}

impl Line {
    /// What stretch of time it is about, epoch ms.
    fn span_ms(&self) -> Option<(i64, i64)> {
        match self {
            Self::Truth(_) => None,
            Self::Window(Window { from_ms, to_ms, .. })
            | Self::Flow(Flow { from_ms, to_ms, .. })
            | Self::CrossVisit(CrossVisit { from_ms, to_ms, .. }) => Some((*from_ms, *to_ms)),
        }
    }
}

fn of_day(scenario: &Scenario, plan: &Plan) -> Vec<Line> {
    let presence = Presence::of(scenario, plan);
    let mut lines = Vec::new();
    for step in Step::ALL {
        lines.extend(Tally::of(scenario, plan, step).windows(scenario, &presence).map(Line::Window));
    }
    lines.extend(ways::flows(scenario, plan).into_iter().map(Line::Flow));
    lines.extend(ways::cross_visits(scenario, plan).into_iter().map(Line::CrossVisit));
    lines
}

/// A zone's id; the row after the zones is the venue.
fn name(scenario: &Scenario, row: usize) -> Option<String> {
    scenario.zones.get(row).map(|zone| zone.id.to_string())
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

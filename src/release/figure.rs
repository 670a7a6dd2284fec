//! A figure that may leave: judged once, or held back and then nothing.

use passant_wire::Id;

use crate::aggregate::{CROWD_LATENESS_SECS, VISIT_LATENESS_SECS};
use crate::clock::{Step, Window};

/// What a figure counts. Units are in the description of each.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// People present, estimated by the crowd lens: the mean of the window's half-minutes.
    Occupancy,
    /// The largest half-minute of the window, people.
    OccupancyPeak,
    /// Visits of stable devices booked in the window, by their last sighting.
    Visits,
    /// Distinct stable devices present in the window that had stayed five minutes.
    Visitors,
    /// Visits that never came near.
    Passersby,
    /// Visits that came near for under five minutes.
    Bounces,
    /// Visits that stayed near for fifteen minutes or more.
    Engaged,
    /// Visitors' visits in percent of visitors' visits and passers-by.
    CaptureRate,
    /// Mean dwell of visitors' visits, whole minutes.
    DwellMean,
    /// A quarter of visitors' visits dwelt at most this many minutes.
    DwellP25,
    /// Half of visitors' visits dwelt at most this many minutes.
    DwellMedian,
    /// Three quarters of visitors' visits dwelt at most this many minutes.
    DwellP75,
    /// People who came into the venue, from what is told of the stable devices' visits and of the occupancy.
    Footfall,
    /// Stable devices present for each hundred people present: how large a sample the visits are.
    StableShare,
    /// Devices of the day that are no visitor's: tills, televisions, badges, and what was heard in closed hours.
    Infrastructure,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 15] = [
        Self::Occupancy,
        Self::OccupancyPeak,
        Self::Visits,
        Self::Visitors,
        Self::Passersby,
        Self::Bounces,
        Self::Engaged,
        Self::CaptureRate,
        Self::DwellMean,
        Self::DwellP25,
        Self::DwellMedian,
        Self::DwellP75,
        Self::Footfall,
        Self::StableShare,
        Self::Infrastructure,
    ];

    /// The word of the API and of the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Occupancy => "occupancy",
            Self::OccupancyPeak => "occupancy_peak",
            Self::Visits => "visits",
            Self::Visitors => "visitors",
            Self::Passersby => "passersby",
            Self::Bounces => "bounces",
            Self::Engaged => "engaged",
            Self::CaptureRate => "capture_rate",
            Self::DwellMean => "dwell_mean",
            Self::DwellP25 => "dwell_p25",
            Self::DwellMedian => "dwell_median",
            Self::DwellP75 => "dwell_p75",
            Self::Footfall => "footfall",
            Self::StableShare => "stable_share",
            Self::Infrastructure => "infrastructure",
        }
    }

    /// Reads the word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == word)
    }

    /// Whether the crowd lens makes it; the visit lens makes the others.
    #[must_use]
    pub fn is_of_the_crowd(self) -> bool {
        matches!(self, Self::Occupancy | Self::OccupancyPeak)
    }

    /// Whether the people in it are the crowd lens's, so that it is uncalibrated until heads were counted.
    #[must_use]
    pub fn counts_people(self) -> bool {
        self.is_of_the_crowd() || matches!(self, Self::Footfall | Self::StableShare)
    }

    /// Whether windows of it add up; of the others a longer stretch has the mean.
    #[must_use]
    pub fn adds_up(self) -> bool {
        use Metric::{Bounces, Engaged, Footfall, Passersby, Visitors, Visits};
        matches!(self, Visits | Visitors | Passersby | Bounces | Engaged | Footfall)
    }

    /// Whether only a whole venue has it: how many people stand behind a stable device is known of no zone by itself, for
    /// each zone hears its neighbours' people.
    fn is_of_venues(self) -> bool {
        matches!(self, Self::Footfall | Self::StableShare | Self::Infrastructure)
    }

    /// Whether a venue or zone has this metric in windows of this step.
    #[must_use]
    pub fn has_step(self, step: Step, of_venue: bool) -> bool {
        if self.is_of_venues() && !of_venue {
            return false;
        }
        match step {
            // What is no visitor's is known when the day is over.
            _ if self == Self::Infrastructure => step == Step::Day,
            Step::FiveMinutes => self.is_of_the_crowd(),
            Step::QuarterHour => self.is_of_the_crowd() || of_venue,
            Step::Hour | Step::Day => true,
        }
    }

    /// How long after its end a window of this metric closes, in seconds.
    #[must_use]
    pub fn closes_after_secs(self) -> i64 {
        if self.is_of_the_crowd() { CROWD_LATENESS_SECS } else { VISIT_LATENESS_SECS }
    }
}

/// Where a figure is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The whole venue.
    Venue,
    /// One zone.
    Zone(Id),
    /// A zone group: a floor or a wing.
    Group(Id),
}

impl Scope {
    /// The id of the zone or group; `None` for the venue.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Venue => None,
            Self::Zone(id) | Self::Group(id) => Some(id),
        }
    }
}

/// Whether a figure has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Judged and published.
    Final,
    /// Judged and withheld: too few people, or no data. It is stored as nothing.
    HeldBack,
    /// Its window has not closed yet.
    Open,
}

impl State {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::HeldBack => "held_back",
            Self::Open => "open",
        }
    }
}

/// What a reader must know about how a figure came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// A sensor was silent for part of the window.
    pub incomplete: bool,
    /// No head count stands behind it; its band is doubled.
    pub uncalibrated: bool,
    /// The key or the open state was lost inside the window and it began again.
    pub rekeyed: bool,
    /// Made from a replay.
    pub replay: bool,
}

impl Flags {
    /// The words of the API, in a fixed order.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let all = [
            (self.incomplete, "incomplete"),
            (self.uncalibrated, "uncalibrated"),
            (self.rekeyed, "rekeyed"),
            (self.replay, "replay"),
        ];
        all.into_iter().filter_map(|(set, word)| set.then_some(word)).collect()
    }

    /// The flags as a number for the store: bit 0 incomplete, 1 uncalibrated, 2 rekeyed, 3 replay.
    #[must_use]
    pub fn bits(self) -> i64 {
        i64::from(self.incomplete)
            | i64::from(self.uncalibrated) << 1
            | i64::from(self.rekeyed) << 2
            | i64::from(self.replay) << 3
    }

    /// The flags from a number of the store.
    #[must_use]
    pub fn from_bits(bits: i64) -> Self {
        Self {
            incomplete: bits & 1 != 0,
            uncalibrated: bits & 2 != 0,
            rekeyed: bits & 4 != 0,
            replay: bits & 8 != 0,
        }
    }
}

/// A value with its 80 % band, in whole units of the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banded {
    /// The figure.
    pub value: u32,
    /// The lower end of its band.
    pub low: u32,
    /// The upper end of its band.
    pub high: u32,
}

/// A judged figure of a closed window. Only this room makes one; its fields are read-only outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub(super) venue: Id,
    pub(super) scope: Scope,
    pub(super) metric: Metric,
    pub(super) step: Step,
    pub(super) window: Window,
    pub(super) value: Option<Banded>,
    pub(super) root_mean_centi: Option<u32>,
    pub(super) flags: Flags,
    pub(super) coverage_permille: u16,
    pub(super) thresholds: u32,
    pub(super) calibration: u32,
}

impl Figure {
    /// The venue.
    #[must_use]
    pub fn venue(&self) -> &Id {
        &self.venue
    }
    /// Where it is counted.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
    /// What it counts.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.metric
    }
    /// The length of its window.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }
    /// Its window.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }
    /// Its value and band; `None` when it is held back.
    #[must_use]
    pub fn value(&self) -> Option<Banded> {
        self.value
    }
    /// The crowd lens's v of a five-minute window in hundredths, kept only where the occupancy is shown.
    #[must_use]
    pub fn root_mean_centi(&self) -> Option<u32> {
        self.root_mean_centi
    }
    /// What a reader must know.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags
    }
    /// The share of the window in which its sensors were alive, in thousandths.
    #[must_use]
    pub fn coverage_permille(&self) -> u16 {
        self.coverage_permille
    }
    /// The version of the thresholds it was made under.
    #[must_use]
    pub fn thresholds(&self) -> u32 {
        self.thresholds
    }
    /// The version of the calibration it was made under; 0 is none.
    #[must_use]
    pub fn calibration(&self) -> u32 {
        self.calibration
    }
    /// Final or held back: a figure exists only once its window has closed.
    #[must_use]
    pub fn state(&self) -> State {
        if self.value.is_some() { State::Final } else { State::HeldBack }
    }
}

/// What a figure is called before it is judged: everything but its value.
#[derive(Clone, Debug)]
pub struct Label {
    /// The venue.
    pub venue: Id,
    /// Where it is counted.
    pub scope: Scope,
    /// What it counts.
    pub metric: Metric,
    /// The length of its window.
    pub step: Step,
    /// Its window.
    pub window: Window,
    /// What a reader must know.
    pub flags: Flags,
    /// The share of the window in which its sensors were alive, in thousandths.
    pub coverage_permille: u16,
    /// The version of the thresholds.
    pub thresholds: u32,
    /// The version of the calibration; 0 is none.
    pub calibration: u32,
}

impl Figure {
    /// The figure of a label with what the judge let through.
    pub(super) fn judged(label: Label, value: Option<Banded>, root_mean_centi: Option<u32>) -> Self {
        let Label { venue, scope, metric, step, window, flags, coverage_permille, thresholds, calibration } =
            label;
        let root_mean_centi = value.and(root_mean_centi);
        Self {
            venue,
            scope,
            metric,
            step,
            window,
            value,
            root_mean_centi,
            flags,
            coverage_permille,
            thresholds,
            calibration,
        }
    }

    /// A figure for the tests of the rooms above, which no room above can make.
    #[cfg(test)]
    pub(crate) fn for_tests(label: Label, value: Option<Banded>, root_mean_centi: Option<u32>) -> Self {
        Self::judged(label, value, root_mean_centi)
    }
}

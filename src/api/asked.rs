//! What a series is asked for, read and checked: every refusal says what there is instead.

use chrono::DateTime;
use passant_wire::Id;

use super::Problem;
use super::figures::Parameters;
use crate::clock::{EpochMs, Step, Window};
use crate::config::Venue;
use crate::release::Metric;

/// The most points of one answer.
pub(super) const POINTS_MAX: usize = 2_000;
/// How many zones or groups an error names.
const NAMED_MAX: usize = 20;

/// A series that there can be.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// What is counted.
    pub(super) metric: Metric,
    /// In windows of which length.
    pub(super) step: Step,
    /// A zone or group; `None` is the venue.
    pub(super) scope: Option<&'a Id>,
    /// The first moment.
    pub(super) from: EpochMs,
    /// The first moment after the last window.
    pub(super) to: EpochMs,
    /// The windows between them by the venue's calendar.
    pub(super) windows: Vec<Window>,
}

/// Where a series is counted, as far as it decides what there is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Venue,
    Zone,
    Group,
}

/// How a series is asked for.
const SERIES: &str = "?metric=occupancy&from=2026-11-20T09:00:00Z&to=2026-11-20T12:00:00Z&step=1h";

/// What a question is about: something that the place has.
pub(super) struct What<'a> {
    /// What is counted.
    pub(super) metric: Metric,
    /// In windows of which length.
    pub(super) step: Step,
    place: Place,
    /// A zone or group; `None` is the venue.
    pub(super) scope: Option<&'a Id>,
}

impl<'a> What<'a> {
    /// Reads and checks metric and step, in this order, and where. `example` is what to ask like.
    pub(super) fn read(
        venue: &'a Venue,
        [metric, step]: [Option<&String>; 2],
        zone: Option<&str>,
        example: &str,
    ) -> Result<Self, Problem> {
        let metric = Metric::parse(needed("metric", metric, example)?).ok_or_else(|| {
            let words: Vec<&str> = Metric::ALL.iter().map(|metric| metric.as_str()).collect();
            Problem::bad_request(format!("there is no such metric; metric is one of {}", words.join(", ")))
        })?;
        let step = Step::parse(needed("step", step, example)?)
            .ok_or_else(|| Problem::bad_request("there is no such step; step is one of 5m, 15m, 1h, 1d"))?;
        let (place, scope) = place_of(venue, zone)?;
        there_is(metric, step, place)?;
        Ok(Self { metric, step, place, scope })
    }
}

impl<'a> Asked<'a> {
    /// Reads and checks what a client asks of a venue.
    pub(super) fn read(venue: &'a Venue, asked: &Parameters) -> Result<Self, Problem> {
        let Parameters { metric, zone, step, .. } = asked;
        let What { metric, step, place, scope } =
            What::read(venue, [metric.as_ref(), step.as_ref()], zone.as_deref(), SERIES)?;
        let from = moment("from", needed("from", asked.from.as_ref(), SERIES)?)?;
        let to = moment("to", needed("to", asked.to.as_ref(), SERIES)?)?;
        if from >= to {
            return Err(Problem::bad_request("from must lie before to"));
        }
        on_edge(venue, step, "from", from)?;
        on_edge(venue, step, "to", to)?;
        let windows =
            windows(venue, step, from, to).ok_or_else(|| too_many(venue, metric, place, from, to))?;
        Ok(Self { metric, step, scope, from, to, windows })
    }
}

/// Reads an RFC 3339 time.
pub(super) fn moment(name: &str, text: &str) -> Result<EpochMs, Problem> {
    // In a query a plus means a space, so an offset that was not escaped arrives as one.
    let text = text.replace(' ', "+");
    DateTime::parse_from_rfc3339(&text).map(|at| EpochMs(at.timestamp_millis())).map_err(|_| {
        Problem::bad_request(format!(
            "{name} must be a time in RFC 3339 with an offset, like 2026-11-20T10:00:00+01:00 or 2026-11-20T09:00:00Z"
        ))
    })
}

/// A parameter that must be there.
pub(super) fn needed<'a>(name: &str, value: Option<&'a String>, example: &str) -> Result<&'a str, Problem> {
    value
        .map(String::as_str)
        .ok_or_else(|| Problem::bad_request(format!("{name} is missing; ask like {example}")))
}

pub(super) fn place_of<'a>(venue: &'a Venue, zone: Option<&str>) -> Result<(Place, Option<&'a Id>), Problem> {
    let Some(word) = zone else { return Ok((Place::Venue, None)) };
    if let Some(zone) = venue.zones.iter().find(|zone| zone.id.as_str() == word) {
        return Ok((Place::Zone, Some(&zone.id)));
    }
    if let Some(group) = venue.groups.iter().find(|group| group.as_str() == word) {
        return Ok((Place::Group, Some(group)));
    }
    let zones = named(venue.zones.iter().map(|zone| &zone.id));
    let groups = named(venue.groups.iter());
    let groups = if groups.is_empty() { String::new() } else { format!("; or one of its groups: {groups}") };
    Err(Problem::bad_request(format!(
        "there is no such zone; leave zone out for the whole venue, or name one of: {zones}{groups}"
    )))
}

/// Ids as an error names them.
pub(super) fn named<'a>(ids: impl Iterator<Item = &'a Id>) -> String {
    let mut words: Vec<&str> = ids.take(NAMED_MAX + 1).map(Id::as_str).collect();
    if words.len() > NAMED_MAX {
        words[NAMED_MAX] = "…";
    }
    words.join(", ")
}

/// The steps in which a place has a metric.
pub(super) fn steps(metric: Metric, place: Place) -> impl Iterator<Item = Step> {
    let has_any = place != Place::Group || metric.is_of_the_crowd();
    Step::ALL.into_iter().filter(move |step| has_any && metric.has_step(*step, place == Place::Venue))
}

fn there_is(metric: Metric, step: Step, place: Place) -> Result<(), Problem> {
    if steps(metric, place).any(|has| has == step) {
        return Ok(());
    }
    let has: Vec<&str> = steps(metric, place).map(Step::as_str).collect();
    let of = match place {
        Place::Venue => "a venue",
        Place::Zone => "a zone",
        Place::Group => "a group",
    };
    Err(Problem::bad_request(if has.is_empty() {
        format!("{of} has no {}; it has occupancy, in steps of 5m, 15m, 1h, 1d", metric.as_str())
    } else {
        format!("{of} has {} in steps of {}", metric.as_str(), has.join(", "))
    }))
}

pub(super) fn on_edge(venue: &Venue, step: Step, name: &str, at: EpochMs) -> Result<(), Problem> {
    let window = venue.calendar.window_of(at, step);
    if window.from == at {
        return Ok(());
    }
    Err(Problem::bad_request(format!(
        "{name} lies inside a window of {}; the nearest edges are {} and {}",
        step.as_str(),
        venue.calendar.rfc3339(window.from),
        venue.calendar.rfc3339(window.to)
    )))
}

/// The windows of a stretch; `None` if they are too many for one answer.
pub(super) fn windows(venue: &Venue, step: Step, from: EpochMs, to: EpochMs) -> Option<Vec<Window>> {
    windows_within(POINTS_MAX, venue, step, from, to)
}

/// The same, for an answer that has room for so many.
pub(super) fn windows_within(
    most: usize,
    venue: &Venue,
    step: Step,
    from: EpochMs,
    to: EpochMs,
) -> Option<Vec<Window>> {
    let mut windows = Vec::new();
    let mut edge = from;
    while edge < to {
        if windows.len() == most {
            return None;
        }
        let window = venue.calendar.window_of(edge, step);
        // At the end of the calendar's time a window might have no length, and the walk no end.
        if window.to <= edge {
            break;
        }
        windows.push(window);
        edge = window.to;
    }
    Some(windows)
}

fn too_many(venue: &Venue, metric: Metric, place: Place, from: EpochMs, to: EpochMs) -> Problem {
    let fits = steps(metric, place).find(|step| windows(venue, *step, from, to).is_some());
    Problem::bad_request(match fits {
        Some(step) => {
            format!(
                "that is more than {POINTS_MAX} points; step={} fits, or ask for less time",
                step.as_str()
            )
        }
        None => format!("that is more than {POINTS_MAX} points in any step; ask for less time"),
    })
}

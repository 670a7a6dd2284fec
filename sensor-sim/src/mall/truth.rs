//! What really happened, in the words of the server's figures. It knows where people were, never what was heard.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calendar::VenueDay;
use super::plan::{Person, Plan, Sort, Stay};
use super::scenario::Scenario;

const HALF_MINUTE_MS: i64 = 30_000;
const FIVE_MINUTES_MS: i64 = 300_000;
const HOUR_MS: i64 = 3_600_000;

/// Present so long makes a visitor, and an end of the first band of dwell.
const VISITOR_MS: i64 = 300_000;

/// The bands of dwell end here, minutes; the last is open.
const BANDS_MINS: [i64; 6] = [5, 15, 30, 60, 120, 240];

/// One line of a truth file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// A zone's five minutes, or (no zone) the venue's.
    Occupancy {
        /// Epoch ms.
        from_ms: i64,
        /// Epoch ms.
        to_ms: i64,
        /// `None` is the venue.
        zone: Option<String>,
        /// The mean of its half-minutes: shoppers, not staff.
        mean: f64,
        /// The largest of its half-minutes.
        peak: f64,
        /// Staff present, on average.
        staff: f64,
    },
    /// A zone's hour, or (no zone) the venue's.
    Hour {
        /// Epoch ms.
        from_ms: i64,
        /// Epoch ms.
        to_ms: i64,
        /// `None` is the venue.
        zone: Option<String>,
        /// Of people.
        people: Counts,
        /// Of stable devices.
        stable_devices: Counts,
        /// People who passed outside without coming in; only of the venue.
        #[serde(skip_serializing_if = "Option::is_none")]
        passersby: Option<u64>,
    },
    /// A whole venue day.
    Day {
        /// Epoch ms.
        from_ms: i64,
        /// Epoch ms.
        to_ms: i64,
        /// The date on which it began.
        date: String,
        /// Shoppers.
        people: u64,
        /// Distinct stable devices of shoppers.
        stable_devices: u64,
        /// People's visits to each zone by dwell: under 5 min, 5–15, 15–30, 30–60, 60–120, 120–240, 240 min and more.
        dwell: BTreeMap<String, [u64; BANDS_MINS.len() + 1]>,
        /// People's visits that went from one zone to another next.
        flows: Vec<(String, String, u64)>,
    },
}

/// Counts of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Who came in within it: footfall.
    pub entries: u64,
    /// Visits that ended within it.
    pub visits: u64,
    /// Who was present within it, and by then for five minutes.
    pub visitors: u64,
}

/// The truth of the days that a stretch of time touches; windows that it does not wholly cover are left out.
#[must_use]
pub fn of(scenario: &Scenario, seed: u64, from_ms: i64, to_ms: i64) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut day = VenueDay::at(scenario, from_ms);
    while day.from < to_ms {
        lines.extend(of_day(scenario, &Plan::draw(scenario, seed, day)));
        day = day.next(scenario);
    }
    lines.retain(|line| {
        let (Line::Occupancy { from_ms: from, to_ms: to, .. }
        | Line::Hour { from_ms: from, to_ms: to, .. }
        | Line::Day { from_ms: from, to_ms: to, .. }) = line;
        from_ms <= *from && *to <= to_ms
    });
    lines
}

fn of_day(scenario: &Scenario, plan: &Plan) -> Vec<Line> {
    let mut lines = occupancy(scenario, plan);
    lines.extend(hours(scenario, plan));
    lines.push(day(scenario, plan));
    lines
}

fn name(scenario: &Scenario, zone: usize) -> Option<String> {
    scenario.zones.get(zone).map(|zone| zone.id.to_string())
}

fn occupancy(scenario: &Scenario, plan: &Plan) -> Vec<Line> {
    let VenueDay { from: begin, to: end, .. } = plan.day;
    // One row more than there are zones: the venue.
    let venue = scenario.zones.len();
    let halves = ((end - begin) / HALF_MINUTE_MS) as usize;
    let mut present = vec![vec![[0i64; 2]; halves]; venue + 1];
    for person in &plan.people {
        let column = match person.sort {
            Sort::Shopper => 0,
            Sort::Staff => 1,
            Sort::PasserBy(_) | Sort::Car(_) | Sort::Fixture => continue,
        };
        for stay in &person.stays {
            let Some(zone) = stay.zone else { continue };
            spread(begin, stay, |half, ms| {
                for row in [zone, venue] {
                    if let Some(cell) = present[row].get_mut(half) {
                        cell[column] += ms;
                    }
                }
            });
        }
    }
    let per_window = (FIVE_MINUTES_MS / HALF_MINUTE_MS) as usize;
    let mut lines = Vec::with_capacity((venue + 1) * halves / per_window);
    for (window, from) in (begin..end).step_by(FIVE_MINUTES_MS as usize).enumerate() {
        for (zone, row) in present.iter().enumerate() {
            let Some(cells) = row.get(window * per_window..(window + 1) * per_window) else { continue };
            let people = |ms: i64, span: i64| thousandths(ms as f64 / span as f64);
            let sum = |column: usize| cells.iter().map(|cell| cell[column]).sum::<i64>();
            let peak = cells.iter().map(|cell| cell[0]).max().unwrap_or_default();
            lines.push(Line::Occupancy {
                from_ms: from,
                to_ms: from + FIVE_MINUTES_MS,
                zone: name(scenario, zone),
                mean: people(sum(0), FIVE_MINUTES_MS),
                peak: people(peak, HALF_MINUTE_MS),
                staff: people(sum(1), FIVE_MINUTES_MS),
            });
        }
    }
    lines
}

/// How much of a stay lies in each half-minute.
fn spread(begin: i64, stay: &Stay, mut add: impl FnMut(usize, i64)) {
    let mut at = stay.from.max(begin);
    while at < stay.to {
        let half = (at - begin) / HALF_MINUTE_MS;
        let until = stay.to.min(begin + (half + 1) * HALF_MINUTE_MS);
        add(half as usize, until - at);
        at = until;
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn hours(scenario: &Scenario, plan: &Plan) -> Vec<Line> {
    let VenueDay { from: begin, to: end, .. } = plan.day;
    let venue = scenario.zones.len();
    let hours = ((end - begin) / HOUR_MS) as usize;
    let mut counts = vec![vec![[Counts::default(); 2]; hours]; venue + 1];
    let mut passersby = vec![0; hours];
    let hour_of = |at: i64| ((at - begin).max(0) / HOUR_MS) as usize;
    for person in &plan.people {
        match person.sort {
            Sort::Shopper => {}
            Sort::PasserBy(_) => {
                if let Some(count) = passersby.get_mut(hour_of(person.arrive())) {
                    *count += 1;
                }
                continue;
            }
            Sort::Car(_) | Sort::Staff | Sort::Fixture => continue,
        }
        let whole = [(venue, person.arrive(), person.leave())];
        let zones = person.stays.iter().filter_map(|stay| Some((stay.zone?, stay.from, stay.to)));
        let mut present: Vec<(usize, usize)> = Vec::new();
        for (zone, from, to) in zones.chain(whole) {
            add(&mut counts[zone], person, |hour| (hour == hour_of(from), hour == hour_of(to - 1), false));
            if to - from >= VISITOR_MS {
                present.extend((hour_of(from + VISITOR_MS)..=hour_of(to - 1)).map(|hour| (zone, hour)));
            }
        }
        // Somebody who came twice within the hour is one visitor.
        present.sort_unstable();
        present.dedup();
        for (zone, there) in present {
            add(&mut counts[zone], person, |hour| (false, false, hour == there));
        }
    }
    let mut lines = Vec::with_capacity((venue + 1) * hours);
    for hour in 0..hours {
        for (zone, row) in counts.iter().enumerate() {
            let [people, stable_devices] = row[hour];
            let from_ms = begin + hour as i64 * HOUR_MS;
            let passersby = (zone == venue).then(|| passersby[hour]);
            let zone = name(scenario, zone);
            lines.push(Line::Hour {
                from_ms,
                to_ms: from_ms + HOUR_MS,
                zone,
                people,
                stable_devices,
                passersby,
            });
        }
    }
    lines
}

fn add(row: &mut [[Counts; 2]], person: &Person, in_hour: impl Fn(usize) -> (bool, bool, bool)) {
    for (hour, [people, stable]) in row.iter_mut().enumerate() {
        let (entered, ended, visited) = in_hour(hour);
        for (counts, weight) in [(people, 1), (stable, u64::from(person.stable_devices))] {
            counts.entries += u64::from(entered) * weight;
            counts.visits += u64::from(ended) * weight;
            counts.visitors += u64::from(visited) * weight;
        }
    }
}

fn day(scenario: &Scenario, plan: &Plan) -> Line {
    let zones = scenario.zones.len();
    let mut dwell = vec![[0; BANDS_MINS.len() + 1]; zones];
    let mut flows = vec![vec![0; zones]; zones];
    let (mut people, mut stable_devices) = (0, 0);
    for person in plan.people.iter().filter(|person| person.sort == Sort::Shopper) {
        people += 1;
        stable_devices += u64::from(person.stable_devices);
        for stay in &person.stays {
            let mins = (stay.to - stay.from) / 60_000;
            let band = BANDS_MINS.iter().take_while(|end| mins >= **end).count();
            if let Some(zone) = stay.zone {
                dwell[zone][band] += 1;
            }
        }
        for pair in person.stays.windows(2) {
            if let (Some(from), Some(to)) = (pair[0].zone, pair[1].zone) {
                flows[from][to] += 1;
            }
        }
    }
    let id = |zone: usize| name(scenario, zone).unwrap_or_default();
    let cells = (0..zones).flat_map(|from| (0..zones).map(move |to| (from, to)));
    Line::Day {
        from_ms: plan.day.from,
        to_ms: plan.day.to,
        date: plan.day.date.to_string(),
        people,
        stable_devices,
        dwell: dwell.into_iter().enumerate().map(|(zone, bands)| (id(zone), bands)).collect(),
        flows: cells
            .filter(|(from, to)| flows[*from][*to] > 0)
            .map(|(from, to)| (id(from), id(to), flows[from][to]))
            .collect(),
    }
}

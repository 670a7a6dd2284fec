//! From zone to zone within a visit.

use std::collections::{BTreeMap, BTreeSet};

use super::{CrossVisit, Flow, Moves, VISITOR_MS, name};
use crate::mall::plan::{Person, Plan, Sort};
use crate::mall::scenario::Scenario;

/// Two zones; `None` is outside.
type Way = (Option<usize>, Option<usize>);

pub(super) fn flows(scenario: &Scenario, plan: &Plan) -> Vec<Flow> {
    let mut moved: BTreeMap<Way, [Moves; 2]> = BTreeMap::new();
    let mut count = |way: Way, column: usize, person: &Person| {
        let moves = &mut moved.entry(way).or_default()[column];
        moves.people += 1;
        moves.stable_devices += u64::from(person.stable_devices);
    };
    for person in shoppers(plan) {
        let crossed = zones(person, 0);
        for pair in crossed.windows(2).filter(|pair| pair[0] != pair[1]) {
            count((Some(pair[0]), Some(pair[1])), 0, person);
        }
        // Back where they were, with only crossings between, is no way to another zone; and a visit is of a way once.
        let stays = zones(person, VISITOR_MS);
        let pairs = stays.windows(2).filter(|pair| pair[0] != pair[1]);
        let ways: BTreeSet<Way> = pairs.map(|pair| (Some(pair[0]), Some(pair[1]))).collect();
        for way in ways {
            count(way, 1, person);
        }
        for way in crossed
            .first()
            .map(|zone| (None, Some(*zone)))
            .into_iter()
            .chain(crossed.last().map(|zone| (Some(*zone), None)))
        {
            count(way, 0, person);
            count(way, 1, person);
        }
    }
    let id = |zone: Option<usize>| zone.and_then(|zone| name(scenario, zone));
    let flow = |((from, to), [all, visitors]): (Way, [Moves; 2])| Flow {
        from_ms: plan.day.from,
        to_ms: plan.day.to,
        from_zone: id(from),
        to_zone: id(to),
        all,
        visitors,
    };
    moved.into_iter().map(flow).collect()
}

pub(super) fn cross_visits(scenario: &Scenario, plan: &Plan) -> Vec<CrossVisit> {
    let mut visits = vec![0; scenario.zones.len()];
    let mut both: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for person in shoppers(plan).filter(|person| person.stable_devices > 0) {
        let touched: BTreeSet<usize> = zones(person, VISITOR_MS).into_iter().collect();
        for &zone in &touched {
            visits[zone] += u64::from(person.stable_devices);
            for &also in touched.iter().filter(|also| **also != zone) {
                *both.entry((zone, also)).or_default() += u64::from(person.stable_devices);
            }
        }
    }
    let id = |zone| name(scenario, zone).unwrap_or_default();
    let cross = |((zone, also), also_visits)| CrossVisit {
        from_ms: plan.day.from,
        to_ms: plan.day.to,
        zone: id(zone),
        also: id(also),
        visits: visits[zone],
        also_visits,
    };
    both.into_iter().map(cross).collect()
}

fn shoppers(plan: &Plan) -> impl Iterator<Item = &Person> {
    plan.people.iter().filter(|person| person.sort == Sort::Shopper)
}

/// The zones of a person's stays of at least so long, in order.
fn zones(person: &Person, ms_min: i64) -> Vec<usize> {
    let long = person.stays.iter().filter(|stay| stay.to - stay.from >= ms_min);
    long.filter_map(|stay| stay.zone).collect()
}

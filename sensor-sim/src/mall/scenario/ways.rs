//! Which zones lie between two: the way over the fewest, by what leads to what.

use super::file::{self, File};
use super::{Error, Role, Zone};

/// For each zone to get to, the next step from every other.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    zones: usize,
    next: Vec<u16>,
}

impl Ways {
    /// # Errors
    /// When a zone leads to one that is not there, or some zone cannot be reached.
    pub(super) fn of(file: &File, zones: &[Zone]) -> Result<Self, Error> {
        let doors = doors(file, zones)?;
        let mut ways = Self { zones: zones.len(), next: vec![u16::MAX; zones.len() * zones.len()] };
        for goal in 0..zones.len() {
            ways.lead_to(goal, &doors);
        }
        let lost = (0..zones.len()).find(|zone| ways.step(*zone, 0).is_none());
        lost.map_or(Ok(ways), |zone| {
            Err(super::check::wrong(
                &format!("zone {}", zones[zone].id),
                "nobody can reach it from the first zone; say what it leads to",
            ))
        })
    }

    /// What lies between two zones, in order.
    pub(super) fn between(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(from), move |zone| self.step(*zone, to))
            .take_while(move |zone| *zone != to)
            .skip(1)
    }

    fn step(&self, from: usize, to: usize) -> Option<usize> {
        let next = self.next[to * self.zones + from];
        (next != u16::MAX).then(|| usize::from(next))
    }

    fn lead_to(&mut self, goal: usize, doors: &[Vec<usize>]) {
        let row = &mut self.next[goal * self.zones..][..self.zones];
        row[goal] = goal as u16;
        let mut reached = vec![goal];
        let mut seen = 0;
        while let Some(&here) = reached.get(seen) {
            seen += 1;
            for &there in &doors[here] {
                if row[there] == u16::MAX {
                    row[there] = here as u16;
                    reached.push(there);
                }
            }
        }
    }
}

/// What one can step into from each zone, the first walkway of its floor where it says nothing.
fn doors(file: &File, zones: &[Zone]) -> Result<Vec<Vec<usize>>, Error> {
    let mut doors = vec![Vec::new(); zones.len()];
    let mut open = |from: usize, to: usize| {
        for (from, to) in [(from, to), (to, from)] {
            if !doors[from].contains(&to) {
                doors[from].push(to);
            }
        }
    };
    for (i, (zone, file::Zone { leads_to, .. })) in zones.iter().zip(&file.zones).enumerate() {
        for name in leads_to {
            open(i, super::check::find(&format!("zone {}", zone.id), name, zones)?);
        }
        if leads_to.is_empty() && zone.role != Role::Walkway {
            let walkway = |other: &Zone| other.role == Role::Walkway && other.floor == zone.floor;
            if let Some(walkway) = zones.iter().position(walkway) {
                open(i, walkway);
            }
        }
    }
    Ok(doors)
}

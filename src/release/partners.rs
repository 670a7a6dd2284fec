//! Which zones and groups may be shown beside each other without giving a hidden one away.

/// A zone's or group's people, and whether it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) people: u32,
    pub(super) shown: bool,
    /// Everybody knows its people, or that there are none, whether it is shown or not: it hides nothing.
    pub(super) known: bool,
}

/// Hides parts until nothing shown lets a hidden one be subtracted out.
///
/// What can be subtracted: from a shown group its visible zones, and from the venue its shown groups and the visible
/// zones outside them. The zones left over in either must number none, or at least two and k people together.
pub(super) fn hide_partners(k: u32, zones: &mut [Part], group_of: &[Option<usize>], groups: &mut [Part]) {
    // Each round hides one part or is the last.
    for _ in 0..=zones.len() + groups.len() {
        let broken = (0..groups.len())
            .filter(|group| groups[*group].shown)
            .map(Some)
            .chain([None])
            .find(|group| !is_safe(k, zones, group_of, groups, *group));
        let Some(group) = broken else { return };
        let inside = |zone: &usize| relation(group_of[*zone], groups) == group;
        let smallest = (0..zones.len())
            .filter(|z| zones[*z].shown && !zones[*z].known)
            .filter(inside)
            .min_by_key(|z| (zones[*z].people, *z));
        match (smallest, group) {
            (Some(zone), _) => zones[zone].shown = false,
            (None, Some(group)) => groups[group].shown = false,
            (None, None) => {
                let shown = (0..groups.len()).filter(|g| groups[*g].shown);
                match shown.min_by_key(|g| (groups[*g].people, *g)) {
                    Some(group) => groups[group].shown = false,
                    // Nothing is shown but the venue itself, and it has no part left to subtract.
                    None => return,
                }
            }
        }
    }
}

/// The shown group that a zone is summed in; `None` is the rest of the venue.
fn relation(group: Option<usize>, groups: &[Part]) -> Option<usize> {
    group.filter(|group| groups[*group].shown)
}

fn is_safe(
    k: u32,
    zones: &[Part],
    group_of: &[Option<usize>],
    groups: &[Part],
    group: Option<usize>,
) -> bool {
    let hidden = zones
        .iter()
        .zip(group_of)
        .filter(|(zone, of)| !zone.shown && !zone.known && relation(**of, groups) == group);
    let (count, people) = hidden.fold((0, 0), |(count, people), (zone, _)| (count + 1, people + zone.people));
    count == 0 || (count >= 2 && people >= k)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(people: &[u32]) -> Vec<Part> {
        people.iter().map(|p| Part { people: *p, shown: *p >= 10, known: false }).collect()
    }

    fn shown(people: &[u32], group_of: &[Option<usize>], groups: &[u32]) -> (Vec<bool>, Vec<bool>) {
        let (mut zones, mut groups) = (parts(people), parts(groups));
        hide_partners(10, &mut zones, group_of, &mut groups);
        (zones.iter().map(|z| z.shown).collect(), groups.iter().map(|g| g.shown).collect())
    }

    #[test]
    fn one_hidden_zone_takes_the_smallest_with_it() {
        assert_eq!(shown(&[30, 20, 8], &[None; 3], &[]).0, [true, false, false]);
        assert_eq!(shown(&[30, 20, 8, 3], &[None; 4], &[]).0, [true, true, false, false], "eleven together");
        assert_eq!(shown(&[30, 20, 4, 3], &[None; 4], &[]).0, [true, false, false, false], "seven together");
        assert_eq!(shown(&[30, 20], &[None; 2], &[]).0, [true, true]);
    }

    #[test]
    fn a_group_does_not_give_its_zone_away() {
        let group_of = [Some(0), Some(0), Some(1), Some(1)];
        assert_eq!(shown(&[30, 5, 40, 50], &group_of, &[35, 90]).0, [false, false, true, true]);
        // The group of 8 is hidden with both its zones; the rest of the venue is then 8 people, so another part hides.
        let (zones, groups) = shown(&[5, 3, 40, 50], &group_of, &[8, 90]);
        assert!(!zones[0] && !zones[1]);
        assert!(!groups[1] || !zones[2] || !zones[3]);
    }

    proptest! {
        #[test]
        fn nothing_hidden_can_be_subtracted_out(
            people in proptest::collection::vec(0u32..40, 1..12),
            membership in proptest::collection::vec(proptest::option::of(0usize..3), 12),
        ) {
            let group_of = &membership[..people.len()];
            let of = |g| people.iter().zip(group_of).filter(|(_, of)| **of == Some(g)).map(|(p, _)| p).sum();
            let sums: Vec<u32> = (0..3).map(of).collect();
            let (mut zones, mut groups) = (parts(&people), parts(&sums));
            hide_partners(10, &mut zones, group_of, &mut groups);
            for group in (0..3).filter(|g| groups[*g].shown).map(Some).chain([None]) {
                let nothing_shown = zones.iter().all(|z| !z.shown) && groups.iter().all(|g| !g.shown);
                prop_assert!(is_safe(10, &zones, group_of, &groups, group) || nothing_shown);
            }
            prop_assert!(zones.iter().all(|z| !z.shown || z.people >= 10), "hiding never shows");
        }
    }
}

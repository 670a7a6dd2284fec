use super::*;

fn who(n: u64) -> Distinct {
    // As a pseudonym is: spread over all bits.
    Distinct(mixed(n))
}

/// Where visits went, by device.
fn table(devices: impl Iterator<Item = u64>) -> MoveCell {
    let mut cell = MoveCell::default();
    for n in devices {
        let stays = [(n % 3) as u16, 3, (n % 2) as u16];
        cell.went(who(n), &Route::of(3, &stays, 4), true);
        cell.ended(who(n), Kind::Visitor, (n % 400) as u16, None);
        cell.ended(who(n), Kind::Bounce, 30, None);
    }
    cell
}

#[test]
fn chance_leaves_one_in_eight_out_of_a_cell_and_always_the_same() {
    let cells = table(0..8_000).finish();
    let Drawn { all, drawn, people } = cells.flows[&(None, Some(3))];
    assert_eq!(all, 8_000);
    assert!((6_900..7_100).contains(&drawn), "{drawn}");
    assert_eq!(people, 256, "as many marks as there are");
    let mut twice = table(0..20);
    (0..20).for_each(|n| twice.went(who(n), &Route::of(3, &[0, 3, 1], 4), true));
    let (once, twice) = (table(0..20).finish(), twice.finish());
    let entered = (None, Some(3));
    assert_eq!(twice.flows[&entered].drawn, 2 * once.flows[&entered].drawn);
    assert_eq!(twice.flows[&entered].people, once.flows[&entered].people, "the same devices again");
}

#[test]
fn devices_are_never_taken_for_more_than_they_are() {
    for devices in 1..60 {
        let cells = table(0..devices).finish();
        for cell in cells.flows.values().chain(cells.together.values()).chain(cells.dwell.values()) {
            assert!(u64::from(cell.people) <= cell.drawn && cell.drawn <= cell.all);
        }
        assert!(cells.flows[&(None, Some(3))].people <= devices as u32);
    }
    let mut one = MoveCell::default();
    (0..30).for_each(|_| one.went(who(7), &Route::of(0, &[0, 1], 1), true));
    let cells = one.finish();
    assert_eq!(cells.flows[&(None, Some(0))].all, 30);
    assert!(cells.flows.values().all(|cell| cell.people <= 1), "who comes thirty times is one");
}

#[test]
fn a_visit_adds_to_a_cell_once_and_to_few_cells() {
    let mut cell = MoveCell::default();
    let stays: Vec<u16> = (0..100).map(|n| n % 2).collect();
    cell.went(who(1), &Route::of(0, &stays, 1), true);
    let cells = cell.finish();
    assert!(cells.flows.values().all(|cell| cell.all == 1));
    assert_eq!((cells.flows.len(), cells.moved.all), (4, 2));
    assert_eq!(cells.together.keys().copied().collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 1)]);
    let mut far = MoveCell::default();
    let stays: Vec<u16> = (0..1_000).collect();
    far.went(who(1), &Route::of(0, &stays, 1), true);
    let cells = far.finish();
    let most = crate::visit::STAYS_MAX;
    assert_eq!((cells.flows.len(), cells.together.len()), (most - 1 + 2, most * (most + 1) / 2));
    let mut of_hour = MoveCell::default();
    of_hour.went(who(1), &Route::of(0, &[0, 1], 1), false);
    assert!(of_hour.finish().together.is_empty());
}

#[test]
fn two_halves_of_a_load_by_device_are_the_whole_in_any_order() {
    let whole = table(0..500).finish();
    let [odd, even] = [1, 0].map(|half| table((0..500).rev().filter(move |n| n % 2 == half)).finish());
    let sum = |of: fn(&Moves) -> Vec<(String, u64, u64)>| {
        let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (name, all, drawn) in of(&odd).into_iter().chain(of(&even)) {
            let cell = sums.entry(name).or_default();
            *cell = (cell.0 + all, cell.1 + drawn);
        }
        sums.into_iter().map(|(name, (all, drawn))| (name, all, drawn)).collect::<Vec<_>>()
    };
    let cells = |moves: &Moves| {
        let flows = moves.flows.iter().map(|(key, cell)| (format!("{key:?}"), cell.all, cell.drawn));
        let dwell = moves.dwell.iter().map(|(key, cell)| (format!("{key:?}"), cell.all, cell.drawn));
        let mut cells: Vec<_> = flows.chain(dwell).collect();
        cells.sort();
        cells
    };
    assert_eq!(sum(cells), cells(&whole));
    let reversed = table((0..500).rev()).finish();
    assert_eq!(reversed, whole);
}

#[test]
fn a_length_lies_in_one_band_of_each_set() {
    for minutes in 0..600 {
        for bands in Bands::ALL {
            let starts = bands.starts();
            let band = bands.of(minutes).map(usize::from);
            let lies_in = |band: usize| {
                starts[band] <= minutes && starts.get(band + 1).is_none_or(|end| minutes < *end)
            };
            assert_eq!(band.is_some(), minutes >= 5);
            assert!(band.is_none_or(lies_in), "{bands:?} {minutes}");
        }
    }
}

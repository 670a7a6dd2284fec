use super::*;

const K: u32 = 10;
const HOUR_MS: i64 = 3_600_000;

fn hour(n: i64) -> Window {
    Window { from: EpochMs(n * HOUR_MS), to: EpochMs((n + 1) * HOUR_MS) }
}

fn day() -> Window {
    Window { from: EpochMs(0), to: EpochMs(24 * HOUR_MS) }
}

fn cell(all: u64, drawn: u64) -> Drawn {
    Drawn { all, drawn, people: drawn as u32 }
}

/// Cells of one sum, each with all that is in it and what was drawn.
fn cells(counts: &[(u64, u64)]) -> BTreeMap<u8, Drawn> {
    (0..).zip(counts).map(|(key, (all, drawn))| (key, cell(*all, *drawn))).collect()
}

fn told(said: &BTreeMap<u8, Said>) -> Vec<(u8, f64)> {
    said.iter().map(|(key, said)| (*key, said.least)).collect()
}

fn judge(table: &mut Table<u8>, step: Step, window: Window, counts: &[(u64, u64)]) -> Vec<(u8, f64)> {
    told(&table.judge(K, step, window, &cells(counts), &all(counts)))
}

/// So many entrances.
fn all(counts: &[(u64, u64)]) -> Moves {
    Moves { came: cell(counts.iter().map(|(all, _)| all).sum(), 0), ..Moves::default() }
}

/// All cells are one sum.
impl Shares for u8 {
    fn sums(moves: &Moves, parts: &BTreeMap<Self, Part>) -> BTreeMap<Sum, (u64, Vec<Self>)> {
        BTreeMap::from([(Sum::Entrances, (moves.came.all, parts.keys().copied().collect()))])
    }

    fn of(self) -> Vec<Sum> {
        vec![Sum::Entrances]
    }

    fn crowds(self) -> Vec<Sum> {
        self.of()
    }
}

#[test]
fn a_cell_is_told_from_k_drawn_by_k_devices() {
    let mut table = Table::default();
    let hour = hour(9);
    assert_eq!(
        judge(&mut table, Step::Hour, hour, &[(60, 52), (11, 10), (11, 9), (0, 0)]),
        [(0, 52.0), (1, 10.0)]
    );
    let of_one = BTreeMap::from([(0_u8, Drawn { all: 30, drawn: 27, people: 1 })]);
    assert!(table.judge(K, Step::Hour, hour, &of_one, &all(&[(30, 27)])).is_empty());
}

#[test]
fn of_a_sum_half_of_k_stays_untold() {
    let judge = |counts: &[(u64, u64)]| judge(&mut Table::default(), Step::Hour, hour(9), counts);
    // 60 of 64 were drawn into the told one: it bends by one.
    assert_eq!(judge(&[(62, 60), (2, 2)]), [(0, 59.0)]);
    assert_eq!(judge(&[(65, 60), (0, 0)]), [(0, 60.0)]);
    assert_eq!(judge(&[(60, 60)]), [(0, 55.0)]);
    assert_eq!(judge(&[(14, 12)]), [], "what would be left is under k");
    assert_eq!(judge(&[(14, 13), (40, 40)]), [(0, 13.0), (1, 36.0)], "the largest bends");
    for all in 10..80 {
        for drawn in 0..=all {
            let told: f64 = judge(&[(all, drawn), (20, 18)]).iter().map(|(_, least)| least).sum();
            assert!(told <= (all + 20) as f64 - 5.0, "{drawn} of {all}");
        }
    }
}

#[test]
fn a_day_is_its_told_hours_and_what_may_be_told_of_the_others() {
    let mut table = Table::default();
    for (n, counts) in
        [[(40, 35), (8, 7)], [(8, 7), (8, 7)], [(8, 7), (8, 7)], [(40, 36), (8, 7)]].iter().enumerate()
    {
        judge(&mut table, Step::Hour, hour(n as i64), counts);
    }
    let of_day = table.judge(K, Step::Day, day(), &cells(&[(96, 85), (32, 28)]), &all(&[(96, 85), (32, 28)]));
    // Of two hidden hours with fourteen together eight are told, for which there is room in either beside the other cell; of
    // four with twenty-eight, all hidden, twenty-five.
    assert_eq!(told(&of_day), [(0, 35.0 + 36.0 + 8.0), (1, 25.0)]);
    assert!(table.hours.is_empty(), "the day is over");
    // Without an hour that was judged a day is told by itself; with some that were not, by what was told of those that were.
    assert_eq!(judge(&mut table, Step::Day, day(), &[(96, 85), (32, 28)]), [(0, 85.0), (1, 28.0)]);
    judge(&mut table, Step::Hour, hour(9), &[(40, 35)]);
    assert_eq!(judge(&mut table, Step::Day, day(), &[(80, 70)]), [(0, 35.0)]);
}

#[test]
fn zones_are_together_with_room_on_either_side() {
    let of = |visits: [u64; 2], both: (u64, u64)| {
        let mut moves = Moves::default();
        moves.together.insert((0, 0), cell(visits[0], visits[0]));
        moves.together.insert((1, 1), cell(visits[1], visits[1]));
        moves.together.insert((0, 1), cell(both.0, both.1));
        together(K, &moves).get(&(0, 1)).map(|told| told.both)
    };
    assert_eq!(of([100, 200], (40, 35)), Some(35.0));
    assert_eq!(
        of([100, 200], (100, 98)),
        Some(95.0),
        "who was in the one and not in the other may be nobody, or half of k"
    );
    assert_eq!(of([12, 200], (12, 11)), None);
    assert_eq!(of([9, 200], (9, 9)), None, "nothing is told of the one");
    assert_eq!(of([100, 200], (11, 9)), None);
}

#[test]
fn bands_of_different_sets_tell_no_more_together() {
    let mut table = Table::default();
    // 40 of 5 to 15 minutes and 60 of 60 to 120. The sets leave five each; the shorter of the one and the longer of the
    // other leave two together.
    let lengths = BTreeMap::from([
        ((Bands::Default, 0), cell(40, 39)),
        ((Bands::Default, 3), cell(60, 52)),
        ((Bands::Meraki, 0), cell(40, 34)),
        ((Bands::Meraki, 2), cell(60, 59)),
    ]);
    let moves = Moves { dwell: lengths, ..Moves::default() };
    let told = table.judge(K, Step::Hour, hour(9), &moves.dwell, &moves);
    let least = |bands, band| told[&(bands, band)].least;
    assert_eq!(least(Bands::Default, 0) + least(Bands::Meraki, 2), 95.0);
    assert_eq!((least(Bands::Default, 3), least(Bands::Meraki, 0)), (52.0, 34.0));
}

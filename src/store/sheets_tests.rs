use std::collections::BTreeMap;

use super::*;
use crate::store::{Kind, MIGRATIONS};

const T0: i64 = 1_764_018_000;

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn window(nth: i64) -> Window {
    Window { from: at_secs(T0 + nth * 3_600), to: at_secs(T0 + (nth + 1) * 3_600) }
}

fn sheet(venue: &str, nth: i64, values: &[u32]) -> Sheet {
    let cell = |value: &u32| SheetCell {
        row: "foyer".to_owned(),
        column: format!("hall-{value}"),
        value: (*value, value - 5, value + 5),
    };
    let cells = values.iter().map(cell).collect();
    Sheet::for_tests((id(venue), None), Subject::Flows, (Step::Hour, window(nth)), cells)
}

async fn read(store: &Store, venue: &str) -> Vec<Vec<u32>> {
    let all = (EpochMs(0), EpochMs(1 << 60));
    let sheets = store.sheets(&id(venue), None, Subject::Flows, Step::Hour, all).await.unwrap();
    sheets.iter().map(|sheet| sheet.cells.iter().map(|cell| cell.value.0).collect()).collect()
}

#[tokio::test]
async fn a_sheet_is_written_once_with_all_its_cells() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    let many: Vec<u32> = (100..290).collect();
    assert_eq!(store.append_sheets(&[sheet("mall", 1, &[]), sheet("mall", 0, &many)]).await.unwrap(), 2);
    assert_eq!(store.append_sheets(&[sheet("mall", 0, &[15]), sheet("mall", 1, &[20])]).await.unwrap(), 0);
    assert_eq!(
        read(&store, "mall").await,
        [many, vec![]],
        "what is closed stays closed, one without a cell as well"
    );
    let from_second = (window(1).from, window(2).to);
    let sheets = store.sheets(&id("mall"), None, Subject::Flows, Step::Hour, from_second).await.unwrap();
    let head = &sheets[0].head;
    assert_eq!((sheets.len(), head.state, head.window), (1, State::HeldBack, window(1)));
    assert_eq!((head.held_back, head.coverage_permille, head.thresholds), (Some(15), 970, 3));
}

#[tokio::test]
async fn sheets_go_with_their_cells_when_they_have_outlived_their_time() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    let of = |venue: &'static str| (0..100).map(move |nth| sheet(venue, nth, &[25, 30]));
    store.append_sheets(&of("mall").chain(of("museum")).collect::<Vec<_>>()).await.unwrap();
    let before = Cutoffs { fine: EpochMs(i64::MAX), coarse: window(70).from };
    let (mut gone, mut pieces) = (0, 0);
    while let Some(piece) = store.purge_sheets(&id("mall"), &before).await.unwrap() {
        assert!(piece <= PIECE_SHEETS_MAX.unsigned_abs());
        (gone, pieces) = (gone + piece, pieces + 1);
    }
    assert_eq!((gone, pieces), (70, 3));
    assert_eq!((read(&store, "mall").await.len(), read(&store, "museum").await.len()), (30, 100));
}

/// A day's sheet, by its number; each tells other cells.
fn day(venue: &str, subject: Subject, nth: i64) -> Sheet {
    let window = Window { from: at_secs(T0 + nth * 86_400), to: at_secs(T0 + (nth + 1) * 86_400) };
    let cell = |to: i64| SheetCell {
        row: "foyer".to_owned(),
        column: format!("hall-{}", (nth + to) % 5),
        value: (u32::try_from(20 + 5 * nth + to).unwrap(), 10, u32::try_from(100 + nth).unwrap()),
    };
    // Of every seventh day nothing is told.
    let cells = if nth % 7 == 3 { Vec::new() } else { (0..3).map(cell).collect() };
    Sheet::for_tests((id(venue), None), subject, (Step::Day, window), cells)
}

fn days_of(from: i64, to: i64) -> (EpochMs, EpochMs) {
    (at_secs(T0 + from * 86_400), at_secs(T0 + to * 86_400))
}

/// The same sum, of sheets that are read one by one.
async fn one_by_one(store: &Store, subject: Subject, of: (EpochMs, EpochMs)) -> SheetTotal {
    let sheets = store.sheets(&id("mall"), None, subject, Step::Day, of).await.unwrap();
    let mut cells: BTreeMap<(String, String), CellSum> = BTreeMap::new();
    for cell in sheets.iter().flat_map(|sheet| &sheet.cells) {
        let (row, column) = (cell.row.clone(), cell.column.clone());
        let none = CellSum { row: row.clone(), column: column.clone(), sum: (0, 0, 0), sheets: 0 };
        let sum = cells.entry((row, column)).or_insert(none);
        let (value, low, high) = cell.value;
        sum.sum = (sum.sum.0 + value, sum.sum.1 + low, sum.sum.2 + high);
        sum.sheets += 1;
    }
    SheetTotal {
        heads: sheets.into_iter().map(|sheet| sheet.head).collect(),
        cells: cells.into_values().collect(),
    }
}

#[tokio::test]
async fn days_together_are_what_they_are_one_by_one_whatever_the_stretch() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    for subject in [Subject::Flows, Subject::CrossVisits] {
        // In an order that leaves gaps and fills them, and one day for good.
        for nth in (0..140).step_by(2).chain((1..140).step_by(2)).filter(|nth| *nth != 50) {
            let others = day("museum", subject, nth);
            assert_eq!(store.append_sheets(&[day("mall", subject, nth), others]).await.unwrap(), 2);
        }
        for (from, to) in
            [(0, 140), (0, 1), (3, 4), (5, 33), (1, 100), (49, 52), (60, 139), (140, 141), (-40, 200)]
        {
            let of = days_of(from, to);
            let total = store.sheet_total(&id("mall"), subject, of).await.unwrap();
            assert_eq!(total, one_by_one(&store, subject, of).await, "{from}..{to}");
        }
    }
    let total = store.sheet_total(&id("mall"), Subject::Flows, days_of(0, 140)).await.unwrap();
    assert_eq!((total.heads.len(), total.cells.len()), (139, 5));
}

#[tokio::test]
async fn a_year_of_days_is_a_few_sums_and_a_sum_of_other_days_is_not_taken() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    let days: Vec<Sheet> = (0..365).map(|nth| day("mall", Subject::Flows, nth)).collect();
    store.append_sheets(&days).await.unwrap();
    let year = days_of(0, 365);
    let right = one_by_one(&store, Subject::Flows, year).await;
    let first = block_of(T0) + BLOCK_SECS;
    let whole = (secs(year.1) - first) / BLOCK_SECS;
    assert_eq!(whole, 10, "so many blocks lie in it whole");
    // What lies in them can be unreadable, since it is not read.
    let spoil = "UPDATE sheet SET cells = '[]' WHERE from_secs >= $1 AND from_secs < $2";
    let spoilt = sqlx::query(spoil).bind(first).bind(first + whole * BLOCK_SECS).execute(&store.pool).await;
    assert_eq!(spoilt.unwrap().rows_affected(), 320);
    let sums = store.sheet_total(&id("mall"), Subject::Flows, year).await.unwrap();
    assert_eq!(sums.cells, right.cells);
    assert_eq!(365 - 320, 45, "and so many sheets beside them are");
    // A sum that does not speak of the sheets that are there is passed over, for the sheets themselves.
    let lie = "UPDATE sheet_sum SET sheets = sheets - 1 WHERE from_secs = $1";
    sqlx::query(lie).bind(first).execute(&store.pool).await.unwrap();
    let error = store.sheet_total(&id("mall"), Subject::Flows, year).await.unwrap_err();
    assert!(matches!(error, Error::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn sums_go_with_the_first_of_their_sheets() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    let days: Vec<Sheet> = (0..100).map(|nth| day("mall", Subject::Flows, nth)).collect();
    store.append_sheets(&days).await.unwrap();
    let before = Cutoffs { fine: EpochMs(i64::MAX), coarse: days_of(40, 41).0 };
    while store.purge_sheets(&id("mall"), &before).await.unwrap().is_some() {}
    let oldest: i64 =
        sqlx::query_scalar("SELECT MIN(from_secs) FROM sheet_sum").fetch_one(&store.pool).await.unwrap();
    assert!(oldest >= secs(before.coarse), "no sum holds a day that has outlived its time");
    let of = days_of(0, 100);
    let total = store.sheet_total(&id("mall"), Subject::Flows, of).await.unwrap();
    assert_eq!((total.heads.len(), &total), (60, &one_by_one(&store, Subject::Flows, of).await));
}

#[tokio::test]
async fn cells_that_had_rows_of_their_own_are_moved_into_their_sheets() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(temp.path()).unwrap();
    let file = super::super::make_file(temp.path()).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let earlier: Vec<_> = MIGRATIONS.iter().filter(|migration| migration.version < 8).cloned().collect();
    sqlx::migrate::Migrator { migrations: earlier.into(), ..sqlx::migrate::Migrator::DEFAULT }
        .run(&pool)
        .await
        .unwrap();
    let (first, second) = (window(0), window(1));
    for of in [first, second] {
        sqlx::query(
            "INSERT INTO sheet (venue, zone, subject, step, from_secs, to_secs, held_back, flags, coverage_permille, \
             thresholds_version) VALUES ('mall', '', 'flows', '1h', $1, $2, 15, 1, 970, 3)",
        )
        .bind(secs(of.from))
        .bind(secs(of.to))
        .execute(&pool)
        .await
        .unwrap();
    }
    for (row, column, value) in [("", "foyer", 40), ("foyer", "hall", 25), ("foyer", "", 15)] {
        sqlx::query(
            "INSERT INTO sheet_cell (venue, zone, subject, step, from_secs, cell_row, cell_column, value, low, high) \
             VALUES ('mall', '', 'flows', '1h', $1, $2, $3, $4, $4 - 5, $4 + 5)",
        )
        .bind(secs(first.from))
        .bind(row)
        .bind(column)
        .bind(value)
        .execute(&pool)
        .await
        .unwrap();
    }
    pool.close().await;
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    let of = (first.from, second.to);
    let sheets = store.sheets(&id("mall"), None, Subject::Flows, Step::Hour, of).await.unwrap();
    let cell = |row: &str, column: &str, value: u32| SheetCell {
        row: row.into(),
        column: column.into(),
        value: (value, value - 5, value + 5),
    };
    assert_eq!(sheets[0].cells, [cell("", "foyer", 40), cell("foyer", "", 15), cell("foyer", "hall", 25)]);
    assert_eq!((sheets[0].head.state, sheets[1].head.state), (State::Final, State::HeldBack));
    assert_eq!((sheets.len(), sheets[1].cells.len(), sheets[0].head.held_back), (2, 0, Some(15)));
}

#[tokio::test]
async fn a_destroyed_venue_leaves_no_sheet_and_no_byte_of_one() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    let of = |venue: &'static str| (0..40).map(move |nth| sheet(venue, nth, &[25]));
    store.append_sheets(&of("galerie").chain(of("museum")).collect::<Vec<_>>()).await.unwrap();
    let erased = store.erase(&id("galerie")).await.unwrap();
    assert_eq!(erased.left, 0);
    assert!(erased.rows.contains(&("sheet".to_owned(), 40)), "{:?}", erased.rows);
    for entry in std::fs::read_dir(temp.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"galerie"));
    }
    assert_eq!(store.append_sheets(&of("galerie").collect::<Vec<_>>()).await.unwrap(), 0);
    assert_eq!(store.rows_of(&id("galerie")).await.unwrap(), 0);
    assert_eq!(read(&store, "museum").await.len(), 40);
}

use super::*;
use crate::store::Kind;

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
    assert_eq!((sheets.len(), sheets[0].state(), sheets[0].window), (1, State::HeldBack, window(1)));
    assert_eq!((sheets[0].held_back, sheets[0].coverage_permille, sheets[0].thresholds), (Some(15), 970, 3));
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
    let cells: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sheet_cell WHERE venue = 'mall'")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert_eq!(cells, 60);
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

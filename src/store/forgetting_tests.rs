use std::path::Path;

use super::*;
use crate::clock::Window;
use crate::release::{Banded, Figure, Flags, Label, Metric, Scope};
use crate::store::{CalibrationRow, Kind, NewHeadCount};

const T0: i64 = 1_764_018_000;
const METRICS: [Metric; 2] = [Metric::Occupancy, Metric::Visits];

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn figure(venue: &str, zone: u32, metric: Metric, step: Step, nth: i64) -> Figure {
    let from = EpochMs((T0 + nth * step.secs()) * 1000);
    let label = Label {
        venue: id(venue),
        scope: Scope::Zone(id(&format!("zone-{zone}"))),
        metric,
        step,
        window: Window { from, to: from.plus_secs(step.secs()) },
        flags: Flags::default(),
        coverage_permille: 1000,
        thresholds: 1,
        calibration: 0,
    };
    Figure::for_tests(label, Some(Banded { value: 20, low: 10, high: 30 }), None)
}

/// Every step and metric of some zones, `windows` windows each.
fn figures(venue: &str, zones: u32, windows: i64) -> Vec<Figure> {
    let mut all = Vec::new();
    for zone in 0..zones {
        for metric in METRICS {
            for step in Step::ALL {
                all.extend((0..windows).map(|nth| figure(venue, zone, metric, step, nth)));
            }
        }
    }
    all
}

async fn purge(store: &Store, venue: &Id, before: &Cutoffs) -> (u64, u64) {
    let (mut figures, mut pieces, mut place) = (0, 0, Some(Series::default()));
    while let Some(from) = place {
        let piece = store.purge_piece(venue, before, from).await.unwrap();
        assert!(piece.figures <= PIECE_ROWS_MAX);
        (figures, pieces, place) = (figures + piece.figures, pieces + 1, piece.next);
    }
    (figures, pieces)
}

async fn count(store: &Store, venue: &Id, step: Step) -> usize {
    let mut all = 0;
    for zone in 0..3 {
        for metric in METRICS {
            let zone = id(&format!("zone-{zone}"));
            let series = store.series(venue, Some(&zone), metric, step, EpochMs(0), EpochMs(1 << 60));
            all += series.await.unwrap().len();
        }
    }
    all
}

#[tokio::test]
async fn each_step_goes_at_its_own_time_and_other_venues_stay() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Replay).await.unwrap();
    let (mall, museum) = (id("mall"), id("museum"));
    store.append(&figures("mall", 3, 10)).await.unwrap();
    store.append(&figures("museum", 3, 10)).await.unwrap();
    // Four windows of five minutes, two quarter-hours; two hours.
    let moment = |secs: i64| EpochMs((T0 + secs) * 1000);
    let before = Cutoffs { fine: moment(1_200), coarse: moment(7_200) };
    let (gone, _) = purge(&store, &mall, &before).await;
    // In three zones, of two metrics; a window that began before the moment goes, so the second quarter does too.
    assert_eq!(gone, 6 * (4 + 2 + 2 + 1));
    for (step, left) in [(Step::FiveMinutes, 6), (Step::QuarterHour, 8), (Step::Hour, 8), (Step::Day, 9)] {
        assert_eq!(count(&store, &mall, step).await, 6 * left, "{step:?}");
        assert_eq!(count(&store, &museum, step).await, 60, "{step:?}");
    }
    assert_eq!(purge(&store, &mall, &before).await, (0, 1), "nothing is left to go");
}

#[tokio::test]
async fn no_piece_is_larger_than_its_limits_however_the_rows_lie() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Replay).await.unwrap();
    let mall = id("mall");
    let all = Cutoffs { fine: EpochMs(i64::MAX), coarse: EpochMs(i64::MAX) };
    // Few long series, then many short ones.
    store
        .append(&(0..2_500).map(|nth| figure("mall", 0, METRICS[0], Step::Hour, nth)).collect::<Vec<_>>())
        .await
        .unwrap();
    assert_eq!(purge(&store, &mall, &all).await, (2_500, 3));
    let many: Vec<Figure> = (0..600).map(|zone| figure("mall", zone, METRICS[0], Step::Hour, 0)).collect();
    store.append(&many).await.unwrap();
    assert_eq!(purge(&store, &mall, &all).await.0, 600);
    // What stays is looked at in pieces as well.
    store.append(&many).await.unwrap();
    let none = Cutoffs { fine: EpochMs(0), coarse: EpochMs(0) };
    assert_eq!(purge(&store, &mall, &none).await, (0, 3));
}

#[tokio::test]
async fn head_counts_go_when_they_have_outlived_their_time() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Replay).await.unwrap();
    for nth in 0..4 {
        store.add_head_count(head_count("mall", nth)).await.unwrap();
    }
    let edge = EpochMs((T0 + 2 * 300) * 1000);
    assert_eq!(store.purge_head_counts(&id("museum"), edge).await.unwrap(), 0);
    assert_eq!(store.purge_head_counts(&id("mall"), edge).await.unwrap(), 2);
    assert_eq!(store.head_counts(&id("mall")).await.unwrap().len(), 2);
}

fn head_count(venue: &str, nth: i64) -> NewHeadCount {
    NewHeadCount {
        venue: id(venue),
        zone: id("zone-0"),
        from: EpochMs((T0 + nth * 300) * 1000),
        to: EpochMs((T0 + (nth + 1) * 300) * 1000),
        people: 12,
        entered_at: EpochMs(T0 * 1000),
    }
}

fn calibration(venue: &str) -> CalibrationRow {
    CalibrationRow {
        venue: id(venue),
        version: 1,
        scale_milli: 6_912,
        power_milli: 1_000,
        knee_centi: None,
        kappa_permille: 280,
        counts: 3,
        people_sum: 61,
        root_sum_centi: 882,
        made_at: EpochMs(T0 * 1000),
    }
}

async fn furnish(store: &Store, venue: &str) {
    store.append(&figures(venue, 3, 50)).await.unwrap();
    store.add_head_count(head_count(venue, 0)).await.unwrap();
    store.save_calibration(&calibration(venue)).await.unwrap();
    store.thresholds_version(&id(venue), "{\"k\":10}").await.unwrap();
}

/// How often a text stands in the files of a data directory.
fn stands(dir: &Path, text: &str) -> usize {
    let of = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).filter(|part| *part == text.as_bytes()).count()
    };
    std::fs::read_dir(dir).unwrap().map(|entry| of(&entry.unwrap().path())).sum()
}

#[tokio::test]
async fn what_is_purged_is_gone_from_the_files_bytes() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    // A zone of its own makes its rows findable.
    let rows: Vec<Figure> =
        (0..300).map(|nth| figure("mall", 987_654, METRICS[0], Step::Hour, nth)).collect();
    store.append(&rows).await.unwrap();
    store.append(&figures("mall", 1, 50)).await.unwrap();
    assert!(stands(temp.path(), "zone-987654") >= 300);
    let before = Cutoffs { fine: EpochMs(0), coarse: EpochMs((T0 + 300 * 3_600) * 1000) };
    purge(&store, &id("mall"), &before).await;
    assert!(stands(temp.path(), "zone-987654") > 0, "the log still holds them");
    assert!(store.cut_log().await.unwrap());
    assert_eq!(stands(temp.path(), "zone-987654"), 0);
    assert!(stands(temp.path(), "zone-0") > 0);
}

#[tokio::test]
async fn an_erased_venue_leaves_no_row_and_no_byte_and_nothing_of_it_is_taken_again() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    furnish(&store, "galerie").await;
    furnish(&store, "museum").await;
    let venue = id("galerie");
    let erased = store.erase(&venue).await.unwrap();
    let rows: Vec<(&str, u64)> = erased.rows.iter().map(|(table, rows)| (table.as_str(), *rows)).collect();
    let expected =
        [("calibration", 1), ("figure", 1_200), ("head_count", 1), ("thresholds", 1), ("venue_reach", 1)];
    for row in expected {
        assert!(rows.contains(&row), "{row:?} in {rows:?}");
    }
    assert_eq!((erased.left, erased.log_cut, erased.rewritten), (0, true, true));
    assert_eq!(stands(temp.path(), "galerie"), 0, "not a byte of it stands in the files");
    assert!(stands(temp.path(), "museum") > 0);

    assert_eq!(store.append(&figures("galerie", 1, 1)).await.unwrap(), 0);
    assert_eq!(store.append(&[figure("museum", 7, METRICS[0], Step::Hour, 0)]).await.unwrap(), 1);
    let refused = store.add_head_count(head_count("galerie", 0)).await.unwrap_err();
    assert!(refused.to_string().contains("was destroyed"), "{refused}");
    store.save_calibration(&calibration("galerie")).await.unwrap();
    assert_eq!(store.rows_of(&venue).await.unwrap(), 0);
    let again = store.erase(&venue).await.unwrap();
    assert!(again.rows.iter().all(|(_, rows)| *rows == 0) && again.left == 0);
}

#[tokio::test]
async fn every_table_that_speaks_of_venues_is_erased() {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(temp.path(), Kind::Real).await.unwrap();
    let tables = store.tables_of_venues().await.unwrap();
    for known in ["calibration", "figure", "head_count", "thresholds", "venue_reach"] {
        assert!(tables.iter().any(|table| table == known), "{known} in {tables:?}");
    }
}

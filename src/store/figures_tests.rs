use std::time::{Duration, Instant};

use super::*;
use crate::release::{Label, Scope};
use crate::store::{FILE_NAME, Kind, Tuning};

const T0: i64 = 1_764_018_000;

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn window(nth: i64) -> Window {
    Window { from: at_secs(T0 + nth * 300), to: at_secs(T0 + (nth + 1) * 300) }
}

fn label(zone: Option<&str>, nth: i64) -> Label {
    Label {
        venue: id("mall"),
        scope: zone.map_or(Scope::Venue, |zone| Scope::Zone(id(zone))),
        metric: Metric::Occupancy,
        step: Step::FiveMinutes,
        window: window(nth),
        flags: Flags { uncalibrated: true, replay: true, ..Flags::default() },
        coverage_permille: 970,
        thresholds: 3,
        calibration: 2,
    }
}

fn figure(zone: Option<&str>, nth: i64, value: Option<u32>, root: Option<u32>) -> Figure {
    let banded = value.map(|value| Banded { value, low: value - 5, high: value + 5 });
    Figure::for_tests(label(zone, nth), banded, root)
}

async fn open(dir: &std::path::Path) -> Store {
    Store::open(dir, Kind::Real).await.unwrap()
}

async fn occupancy(store: &Store, zone: Option<&Id>, from: i64, to: i64) -> Vec<Published> {
    let (from, to) = (window(from).from, window(to).from);
    store.series(&id("mall"), zone, Metric::Occupancy, Step::FiveMinutes, from, to).await.unwrap()
}

#[tokio::test]
async fn figures_come_back_in_order_and_only_those_asked_for() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await;
    let hall = id("hall");
    assert_eq!(store.newest_end(&id("mall")).await.unwrap(), None);
    let figures: Vec<Figure> = [2, 0, 1, 3]
        .into_iter()
        .flat_map(|n| [figure(Some("hall"), n, Some(20), Some(280)), figure(None, n, Some(45), None)])
        .collect();
    assert_eq!(store.append(&figures).await.unwrap(), 8);
    assert_eq!(store.append(&[]).await.unwrap(), 0);
    let read = occupancy(&store, Some(&hall), 1, 3).await;
    assert_eq!(read.iter().map(|p| p.window).collect::<Vec<_>>(), [window(1), window(2)]);
    let expected = Published {
        window: window(1),
        value: Some(Banded { value: 20, low: 15, high: 25 }),
        flags: Flags { uncalibrated: true, replay: true, ..Flags::default() },
        coverage_permille: 970,
        thresholds: 3,
        calibration: 2,
    };
    assert_eq!((read[0], read[0].state()), (expected, State::Final));
    assert_eq!(occupancy(&store, None, 0, 9).await.len(), 4);
    assert_eq!(occupancy(&store, Some(&id("cellar")), 0, 9).await, []);
    assert_eq!(store.newest_end(&id("mall")).await.unwrap(), Some(window(3).to));
    assert_eq!(store.newest_end(&id("museum")).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_told_is_what_is_stored() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await;
    let mut listener = store.released();
    store.append(&[figure(None, 0, Some(40), None)]).await.unwrap();
    // The same window came again with another number, and a new one with it.
    store.append(&[figure(None, 0, Some(90), None), figure(Some("hall"), 1, None, None)]).await.unwrap();
    let first = listener.recv().await.unwrap();
    let second = listener.recv().await.unwrap();
    let value = |released: &Released| released.figure.value.map(|band| band.value);
    assert_eq!(first.iter().map(value).collect::<Vec<_>>(), [Some(40)]);
    assert_eq!(second.iter().map(value).collect::<Vec<_>>(), [Some(40), None]);
    assert_eq!((&second[1].scope, second[1].figure.window), (&Some(id("hall")), window(1)));
    // Whoever does not listen holds nobody up.
    for nth in 2..2 + 2 * RELEASED_LEN_MAX as i64 {
        store.append(&[figure(None, nth, Some(40), None)]).await.unwrap();
    }
    assert!(matches!(listener.recv().await, Err(broadcast::error::RecvError::Lagged(_))));
}

#[tokio::test]
async fn what_is_closed_stays_closed() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await;
    assert_eq!(
        store.append(&[figure(None, 0, Some(40), None), figure(None, 1, None, None)]).await.unwrap(),
        2
    );
    let again =
        [figure(None, 0, Some(90), None), figure(None, 1, Some(90), None), figure(None, 2, Some(50), None)];
    assert_eq!(store.append(&again).await.unwrap(), 1);
    drop(store);
    let values: Vec<_> = occupancy(&open(temp.path()).await, None, 0, 9)
        .await
        .iter()
        .map(|p| p.value.map(|v| v.value))
        .collect();
    assert_eq!(values, [Some(40), None, Some(50)]);
}

#[tokio::test]
async fn what_is_held_back_is_stored_as_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await;
    store.append(&[figure(Some("hall"), 0, None, Some(123))]).await.unwrap();
    assert_eq!(occupancy(&store, Some(&id("hall")), 0, 1).await[0].state(), State::HeldBack);
    type Numbers = (Option<i64>, Option<i64>, Option<i64>, Option<i64>);
    let row: Numbers = sqlx::query_as("SELECT value, low, high, root_mean_centi FROM figure")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert_eq!(row, (None, None, None, None));
}

#[tokio::test]
async fn a_root_mean_needs_every_window() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await;
    let hall = Some("hall");
    store
        .append(&[
            figure(hall, 0, Some(20), Some(280)),
            figure(hall, 1, Some(22), Some(301)),
            figure(hall, 2, None, None),
            figure(hall, 4, Some(20), Some(280)),
            figure(None, 3, Some(20), Some(280)),
        ])
        .await
        .unwrap();
    for (from, to, expected) in
        [(0, 2, Some(2.905)), (0, 1, Some(2.8)), (0, 3, None), (2, 3, None), (3, 5, None), (5, 5, None)]
    {
        let mean =
            store.root_mean(&id("mall"), &id("hall"), window(from).from, window(to).from).await.unwrap();
        assert_eq!(mean, expected, "{from}..{to}");
    }
}

#[tokio::test]
async fn a_locked_database_is_an_error_and_writes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let tuning = Tuning { lock_wait: Duration::ZERO, pages_max: None };
    let store = Store::open_tuned(temp.path(), Kind::Real, tuning).await.unwrap();
    let other = open(temp.path()).await;
    let lock = other.write("locking").await.unwrap();
    let figures = [figure(None, 0, Some(40), None)];
    let error = store.append(&figures).await.unwrap_err();
    assert_eq!(error.to_string(), "writing figures: the database did not answer");
    lock.rollback().await.unwrap();
    assert_eq!(store.append(&figures).await.unwrap(), 1);
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let batch =
        |nth: i64| -> Vec<Figure> { (0..50).map(|n| figure(None, nth * 50 + n, Some(40), None)).collect() };
    let tuning = Tuning { lock_wait: Duration::ZERO, pages_max: Some(60) };
    let store = Store::open_tuned(temp.path(), Kind::Real, tuning).await.unwrap();
    let mut written = 0;
    let failed = loop {
        match store.append(&batch(written)).await {
            Ok(new) => assert_eq!(new, 50),
            Err(error) => break error,
        }
        written += 1;
        assert!(written < 1_000, "the disk never filled");
    };
    assert!(written > 0 && !failed.to_string().contains("full"), "{failed}");
    let whole = usize::try_from(written * 50).unwrap();
    assert_eq!(occupancy(&store, None, 0, 100_000).await.len(), whole);
    store.close().await;
    // Room was made: the caller's second try goes through.
    let roomy = open(temp.path()).await;
    assert_eq!(roomy.append(&batch(written)).await.unwrap(), 50);
    assert!(temp.path().join(FILE_NAME).exists());
}

#[tokio::test]
#[ignore = "a measurement, not a test"]
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "it measures and prints")]
async fn how_fast_figures_are_written() {
    let temp = tempfile::tempdir().unwrap();
    let store = open(temp.path()).await;
    let figures: Vec<Figure> = (0..20_000).map(|n| figure(None, n, Some(40), None)).collect();
    let start = Instant::now();
    for batch in figures.chunks(100) {
        store.append(batch).await.unwrap();
    }
    eprintln!("{:.0} figures/s in transactions of 100", 20_000.0 / start.elapsed().as_secs_f64());
}

#[tokio::test]
async fn figures_of_some_places_are_found_by_the_whole_of_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for statement in [TOTALS, TOLD] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                .bind("mall")
                .bind(r#"["court"]"#)
                .bind("visits")
                .bind("1d")
                .bind(0)
                .bind(1)
                .fetch_all(&store.pool)
                .await
                .unwrap();
        let key = "(venue=? AND scope=? AND metric=? AND step=? AND from_secs>? AND from_secs<?)";
        assert!(plan.iter().any(|(.., step)| step.contains(key)), "{plan:?}");
    }
}

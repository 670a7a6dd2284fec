use passant_wire::Id;

use super::*;
use crate::config::{Config, EXAMPLE};
use crate::store::Kind;

/// A head count of the example's mall, written as local times of one November day.
fn asked<'a>(zone: &'a str, from: &str, to: &str, people: u32) -> Asked<'a> {
    let at = |time: &str| {
        let text = format!("2026-11-20T{time}+01:00");
        EpochMs(chrono::DateTime::parse_from_rfc3339(&text).unwrap().timestamp_millis())
    };
    Asked { zone, from: at(from), to: at(to), people }
}

async fn office(dir: &std::path::Path, channel_len: usize) -> (HeadCounts, mpsc::Receiver<Change>) {
    let config = Config::parse(EXAMPLE, std::iter::empty()).unwrap();
    let store = Store::open(dir, Kind::Real).await.unwrap();
    let (changes, told) = mpsc::channel(channel_len);
    (HeadCounts::new(Arc::new(config.venues), store, changes), told)
}

const NOW: EpochMs = EpochMs(1_764_018_000_123);

#[tokio::test]
async fn a_head_count_is_kept_and_told_and_taken_back() {
    let temp = tempfile::tempdir().unwrap();
    let (office, mut told) = office(temp.path(), 8).await;
    let count = asked("food-court", "10:00:00", "10:05:00", 17);
    let row = office.add("mall", count, NOW).await.unwrap();
    assert_eq!(row.count.entered_at, EpochMs(1_764_018_000_000));
    let change = Change { venue: 0, zone: 1, row: row.id, from: count.from, to: count.to, people: Some(17) };
    assert_eq!(told.try_recv().unwrap(), change);
    assert_eq!(office.list("mall").await.unwrap(), std::slice::from_ref(&row));
    assert_eq!(office.remove("mall", row.id).await.unwrap(), row);
    assert_eq!(told.try_recv().unwrap(), Change { people: None, ..change });
    assert!(matches!(office.remove("mall", row.id).await, Err(Error::Unknown)));
    assert!(told.try_recv().is_err());
    assert_eq!(office.list("mall").await.unwrap(), []);
    assert!(matches!(office.list("museum").await, Err(Error::Venue)));
}

#[tokio::test]
async fn what_is_not_acceptable_says_what_to_do() {
    let temp = tempfile::tempdir().unwrap();
    let (office, mut told) = office(temp.path(), 8).await;
    let first = office.add("mall", asked("food-court", "10:00:00", "10:30:00", 17), NOW).await.unwrap();
    told.try_recv().unwrap();
    for (count, words) in [
        (asked("cellar", "10:00:00", "10:05:00", 1), "entrance-north, food-court"),
        (asked("food-court", "11:05:00", "11:05:00", 1), "from must lie before to"),
        (asked("food-court", "11:02:00", "11:10:00", 1), "from must lie on the edge"),
        (
            asked("food-court", "11:00:00", "11:09:00", 1),
            "2026-11-20T11:05:00+01:00 and 2026-11-20T11:10:00+01:00",
        ),
        (asked("food-court", "11:00:00", "12:05:00", 1), "65 minutes"),
        (asked("food-court", "11:00:00", "11:05:00", 10_001), "at most 10000 people"),
        (asked("food-court", "10:25:00", "10:35:00", 1), &format!("overlaps head count {}", first.id)),
    ] {
        let error = office.add("mall", count, NOW).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(told.try_recv().is_err());
    assert_eq!(office.list("mall").await.unwrap().len(), 1);
    // Neighbours in time and in place are no overlap.
    office.add("mall", asked("food-court", "10:30:00", "11:30:00", 0), NOW).await.unwrap();
    office.add("mall", asked("entrance-north", "10:00:00", "10:30:00", 10_000), NOW).await.unwrap();
}

#[tokio::test]
async fn the_book_of_a_venue_has_a_last_page() {
    let count = NewHeadCount {
        venue: Id::parse("mall").unwrap(),
        zone: Id::parse("food-court").unwrap(),
        from: EpochMs(0),
        to: EpochMs(300_000),
        people: 1,
        entered_at: NOW,
    };
    let far = NewHeadCount { from: EpochMs(600_000), to: EpochMs(900_000), ..count.clone() };
    let row = HeadCountRow { id: 1, count };
    assert!(check::among(&vec![row.clone(); COUNTS_MAX - 1], &far).is_ok());
    assert!(matches!(check::among(&vec![row; COUNTS_MAX], &far), Err(Error::Full)));
}

#[tokio::test]
async fn what_cannot_be_told_is_not_kept() {
    let temp = tempfile::tempdir().unwrap();
    let (office, mut told) = office(temp.path(), 1).await;
    let row = office.add("mall", asked("food-court", "10:00:00", "10:05:00", 17), NOW).await.unwrap();
    let second = asked("food-court", "10:05:00", "10:10:00", 17);
    assert!(matches!(office.add("mall", second, NOW).await, Err(Error::Untold)));
    assert!(matches!(office.remove("mall", row.id).await, Err(Error::Untold)));
    assert_eq!(office.list("mall").await.unwrap(), [row]);
    told.recv().await.unwrap();
    office.add("mall", second, NOW).await.unwrap();
    drop(told);
    assert!(matches!(office.remove("mall", 1).await, Err(Error::Untold)));
}

#[tokio::test]
async fn of_two_that_overlap_one_wins() {
    let temp = tempfile::tempdir().unwrap();
    let (office, _told) = office(temp.path(), 8).await;
    let (a, b) = tokio::join!(
        office.add("mall", asked("food-court", "10:00:00", "10:10:00", 17), NOW),
        office.add("mall", asked("food-court", "10:05:00", "10:15:00", 18), NOW),
    );
    assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1);
}

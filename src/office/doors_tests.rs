use super::*;
use crate::config::{Config, EXAMPLE};
use crate::store::Kind;

fn at(text: &str) -> EpochMs {
    EpochMs(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

fn hour(from: &str, people_in: u32, people_out: u32) -> DoorHour {
    let from = at(from);
    DoorHour { window: Window { from, to: from.plus_secs(3_600) }, people_in, people_out }
}

async fn stage(dir: &std::path::Path) -> (Venue, Store) {
    let venue = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0);
    (venue, Store::open(dir, Kind::Real).await.unwrap())
}

const TEN: &str = "2026-11-20T10:00:00+01:00";
const NOON: &str = "2026-11-20T12:00:00+01:00";

#[tokio::test]
async fn fewer_than_k_is_kept_as_nothing_and_told_as_nothing_where_k_has_grown() {
    let temp = tempfile::tempdir().unwrap();
    let (mut venue, store) = stage(temp.path()).await;
    let k = venue.thresholds.k;
    let doors = DoorCounts::of(&venue, &store);
    let kept = doors.take("north", &[hour(TEN, k, k - 1)], at(NOON)).await.unwrap();
    assert_eq!(kept, DoorsKept { new: 1, known: 0 });
    // Nobody is fewer than k, and not told apart from some.
    assert_eq!(
        doors.take("north", &[hour(TEN, k, 0)], at(NOON)).await.unwrap(),
        DoorsKept { new: 0, known: 1 }
    );
    let raw = store.door_counts(&venue.id, EpochMs(0), EpochMs(1 << 60), 9).await.unwrap();
    assert_eq!((raw[0].people_in, raw[0].people_out), (Some(k), None));
    let all = async |venue: &Venue| {
        DoorCounts::of(venue, &store).list(EpochMs(0), EpochMs(1 << 60), 9).await.unwrap()[0].people_in
    };
    assert_eq!(all(&venue).await, Some(k));
    venue.thresholds.k = k + 1;
    assert_eq!(all(&venue).await, None);
}

#[tokio::test]
async fn what_is_not_acceptable_says_what_to_do_and_nothing_of_it_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let (venue, store) = stage(temp.path()).await;
    let doors = DoorCounts::of(&venue, &store);
    let good = hour(TEN, 50, 40);
    let long = DoorHour { window: Window { to: at(NOON), ..good.window }, ..good };
    let half = hour("2026-11-20T10:30:00+01:00", 50, 40);
    let many = vec![good; DOOR_HOURS_AT_ONCE_MAX + 1];
    doors.take("south", &[good], at(NOON)).await.unwrap();
    for (door, hours, words) in [
        ("no door", &[good][..], "a door's id"),
        ("north", &[], "1 to 400 hours"),
        ("north", &many, "1 to 400 hours"),
        ("north", &[good, long], "from 2026-11-20T10:00:00+01:00 to 2026-11-20T11:00:00+01:00"),
        ("north", &[good, half], "add finer counts up"),
        ("north", &[good, hour("2026-11-20T11:00:00+01:00", DOOR_PEOPLE_MAX + 1, 0)], "at most 100000"),
        ("north", &[good, hour("2026-11-20T12:00:00+01:00", 50, 40)], "has not ended"),
        ("south", &[hour(TEN, 51, 40)], "2026-11-20T10:00:00+01:00 is there with other numbers"),
    ] {
        let error = doors.take(door, hours, at(NOON)).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words} is not in: {error}");
    }
    assert_eq!(doors.doors().await.unwrap(), [Id::parse("south").unwrap()]);
    assert!(matches!(doors.remove("north", EpochMs(0), EpochMs(1 << 60)).await, Err(Error::NoDoor)));
    assert_eq!(doors.remove("south", EpochMs(0), EpochMs(1 << 60)).await.unwrap(), 1);
}

#[tokio::test]
async fn the_hours_of_a_day_on_which_the_clocks_change_are_taken() {
    let temp = tempfile::tempdir().unwrap();
    let (venue, store) = stage(temp.path()).await;
    let doors = DoorCounts::of(&venue, &store);
    let day = venue.calendar.day_of(at("2026-10-25T02:30:00+02:00")).window;
    let hours: Vec<DoorHour> = (0..25)
        .map(|nth| day.from.plus_secs(nth * 3_600))
        .map(|from| DoorHour {
            window: Window { from, to: from.plus_secs(3_600) },
            people_in: 50,
            people_out: 50,
        })
        .collect();
    assert_eq!(hours.last().unwrap().window.to, day.to);
    assert_eq!(doors.take("north", &hours, at(NOON)).await.unwrap().new, 25);
}

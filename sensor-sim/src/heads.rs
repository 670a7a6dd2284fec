//! Heads are counted: what a person with a list would have written down, entered as that person would.

use std::path::PathBuf;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::http::{self, Client};
use crate::mall::truth::{Step, Window};
use crate::verify::{self, Places, rfc3339};

/// The most zones in which heads are counted.
pub const ZONES_MAX: u8 = 60;

/// The most counts of a venue.
pub const COUNTS_MAX: u8 = 200;

/// The most people that a count may have, as the API has it.
const PEOPLE_MAX: f64 = 10_000.0;

/// The most windows that are asked for at once.
const WINDOWS_MAX: usize = 2000;

/// What is to be counted, and where it is entered.
#[derive(Clone, Debug)]
pub struct Order {
    /// The server, and its token.
    pub api: Client,
    /// The truth's file.
    pub truth: PathBuf,
    /// How many zones of each venue.
    pub zones: usize,
    /// How many counts of each venue, spread over its zones.
    pub counts: usize,
    /// By how much a person miscounts: the standard deviation as a share of the people there.
    pub miscount: f64,
    /// Chance's seed.
    pub seed: u64,
}

/// A count that was entered: five minutes of a zone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadCount {
    /// The venue.
    pub venue: String,
    /// The zone.
    pub zone: String,
    /// Where it begins, RFC 3339.
    pub from: String,
    /// How many were counted.
    pub people: u32,
    /// How many there were, on the mean of the five minutes.
    pub truth: f64,
}

/// Why not every count was entered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The truth.
    #[error(transparent)]
    Truth(#[from] verify::Error),
    /// The server.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// What it says does not read.
    #[error(
        "the server's answer for {path} does not read; check that --api names a passant server of this version"
    )]
    Answer {
        /// The page.
        path: String,
    },
    /// Too little is shown.
    #[error(
        "{venue} shows the occupancy of {shown} zones in enough windows of this truth, and {zones} are to be counted in; \
         publish the truth's days first, or ask for fewer zones or counts"
    )]
    Shown {
        /// The venue.
        venue: String,
        /// How many zones can be counted in.
        shown: usize,
        /// How many were asked for.
        zones: usize,
    },
    /// It does not want one.
    #[error("the server refuses a head count with {status}: {says}")]
    Refused {
        /// The code.
        status: u16,
        /// Its words.
        says: String,
    },
}

#[derive(Deserialize)]
struct Series {
    figures: Vec<Published>,
}

#[derive(Deserialize)]
struct Published {
    from: String,
    state: String,
}

#[derive(Deserialize)]
struct Refusal {
    detail: String,
}

/// Counts heads in each venue of a truth file, and enters what was counted.
///
/// Zones are drawn by the seed from those whose occupancy is shown. In each of them the windows that are shown, in order of
/// time, are cut into as many parts as there are counts, and one window is drawn from each part: busy hours and quiet ones
/// are counted alike, and no draw knows how wrong the server is.
///
/// # Errors
/// When the file does not read, when too little is shown, or when the server is not there or refuses.
pub async fn count(order: &Order) -> Result<Vec<HeadCount>, Error> {
    let mut entered = Vec::new();
    for (venue, places) in verify::read(&order.truth)? {
        let counts = drawn(order, &venue, &shown(&order.api, &venue, places).await?)?;
        for (count, to) in counts {
            enter(&order.api, &count, &to).await?;
            entered.push(count);
        }
    }
    Ok(entered)
}

/// Each zone's windows whose occupancy the server shows, zones by name and windows in order of time.
async fn shown(api: &Client, venue: &str, places: Places) -> Result<Vec<Vec<Window>>, Error> {
    let mut zones: Vec<Vec<Window>> = Vec::new();
    let of_zones = places.windows.into_iter().filter_map(|((step, zone), windows)| {
        (step == Step::FiveMinutes).then_some(()).and(zone).map(|zone| (zone, windows))
    });
    let mut of_zones: Vec<(String, Vec<Window>)> = of_zones.collect();
    of_zones.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (zone, windows) in of_zones {
        let mut seen = Vec::new();
        for part in windows.chunks(WINDOWS_MAX) {
            let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
            let (from, to) = (rfc3339(first.from_ms), rfc3339(last.to_ms));
            let path = format!(
                "/api/v1/venues/{venue}/figures?metric=occupancy&zone={zone}&step=5m&from={from}&to={to}"
            );
            let finals = finals(&api.get(&path).await?).ok_or(Error::Answer { path })?;
            seen.extend(part.iter().filter(|window| finals.contains(&window.from_ms)).cloned());
        }
        zones.push(seen);
    }
    Ok(zones)
}

fn finals(text: &str) -> Option<Vec<i64>> {
    let series: Series = serde_json::from_str(text).ok()?;
    let finals = series.figures.iter().filter(|figure| figure.state == "final");
    finals.map(|figure| Some(DateTime::parse_from_rfc3339(&figure.from).ok()?.timestamp_millis())).collect()
}

/// The counts of a venue, each with where it ends.
fn drawn(order: &Order, venue: &str, shown: &[Vec<Window>]) -> Result<Vec<(HeadCount, String)>, Error> {
    let most = order.counts.div_ceil(order.zones.max(1));
    let mut left: Vec<&Vec<Window>> = shown.iter().filter(|windows| windows.len() >= most.max(1)).collect();
    if left.len() < order.zones {
        return Err(Error::Shown { venue: venue.into(), shown: left.len(), zones: order.zones });
    }
    let mut dice = Dice::new(order.seed, 0);
    let mut counts = Vec::new();
    for zone in 0..order.zones {
        let windows = left.swap_remove(below(&mut dice, left.len()));
        // What does not divide evenly falls to the first zones.
        let parts = order.counts / order.zones + usize::from(zone < order.counts % order.zones);
        for part in 0..parts {
            let (from, to) = (part * windows.len() / parts, (part + 1) * windows.len() / parts);
            let window = &windows[from + below(&mut dice, to - from)];
            let truth = window.people.occupancy;
            let people = (truth * (1.0 + order.miscount * dice.normal())).round().clamp(0.0, PEOPLE_MAX);
            let count = HeadCount {
                venue: venue.into(),
                zone: window.zone.clone().unwrap_or_default(),
                from: rfc3339(window.from_ms),
                people: people as u32,
                truth,
            };
            counts.push((count, rfc3339(window.to_ms)));
        }
    }
    Ok(counts)
}

/// Evenly one of so many.
fn below(dice: &mut Dice, many: usize) -> usize {
    (dice.unit() * many as f64) as usize
}

async fn enter(api: &Client, count: &HeadCount, to: &str) -> Result<(), Error> {
    let path = format!("/api/v1/venues/{}/head-counts", count.venue);
    let entry = serde_json::json!({"zone": count.zone, "from": count.from, "to": to, "people": count.people});
    let answer = api.post(&path, &entry.to_string()).await?;
    if answer.status == 201 {
        return Ok(());
    }
    let says = serde_json::from_str(&answer.body).map_or_else(|_| String::new(), |Refusal { detail }| detail);
    Err(Error::Refused { status: answer.status, says })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mall::truth::People;

    const MINUTES_5_MS: i64 = 300_000;

    /// Five zones of 40 windows each; in window w of a zone are 100 + w people.
    fn shown() -> Vec<Vec<Window>> {
        let window = |zone: usize, index: i64| Window {
            step: Step::FiveMinutes,
            from_ms: index * MINUTES_5_MS,
            to_ms: (index + 1) * MINUTES_5_MS,
            zone: Some(format!("z{zone}")),
            people: People { occupancy: (100 + index) as f64, ..People::default() },
            stable_devices: None,
        };
        (0..5).map(|zone| (0..40).map(|index| window(zone, index)).collect()).collect()
    }

    fn order(zones: usize, counts: usize, miscount: f64, seed: u64) -> Order {
        let api = Client::new("http://127.0.0.1:1".parse().unwrap(), None);
        Order { api, truth: PathBuf::new(), zones, counts, miscount, seed }
    }

    fn counts(order: &Order) -> Vec<HeadCount> {
        drawn(order, "v", &shown()).unwrap().into_iter().map(|(count, _)| count).collect()
    }

    #[test]
    fn twelve_counts_lie_in_four_zones_and_over_the_whole_day_of_each() {
        for seed in 0..50 {
            let counts = counts(&order(4, 12, 0.0, seed));
            let mut zones: Vec<&str> = counts.iter().map(|count| count.zone.as_str()).collect();
            zones.dedup();
            assert_eq!((counts.len(), zones.len()), (12, 4));
            for of_zone in counts.chunks(3) {
                for (part, count) in of_zone.iter().enumerate() {
                    // A third of the forty windows each, in order of time.
                    let index = count.truth - 100.0;
                    let third = ((part * 40 / 3) as f64)..(((part + 1) * 40 / 3) as f64);
                    assert!(third.contains(&index), "{index} is not in {third:?}");
                    assert_eq!(f64::from(count.people), count.truth);
                }
            }
        }
    }

    #[test]
    fn the_seed_decides_and_a_miscount_is_as_large_as_was_asked() {
        assert_eq!(counts(&order(4, 12, 0.1, 7)), counts(&order(4, 12, 0.1, 7)));
        assert_ne!(counts(&order(4, 12, 0.0, 7)), counts(&order(4, 12, 0.0, 8)));
        let off = |count: &HeadCount| (f64::from(count.people) / count.truth - 1.0).powi(2);
        let squares: Vec<f64> =
            (0..200).flat_map(|seed| counts(&order(4, 12, 0.1, seed))).map(|count| off(&count)).collect();
        let deviation = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
        assert!((deviation - 0.1).abs() < 0.01, "{deviation}");
    }

    #[test]
    fn zones_that_are_not_shown_are_not_counted_in() {
        let mut shown = shown();
        shown[2].truncate(2);
        let counts = drawn(&order(4, 12, 0.0, 1), "v", &shown).unwrap();
        assert!(counts.iter().all(|(count, _)| count.zone != "z2"));
        let error = drawn(&order(5, 15, 0.0, 1), "v", &shown).unwrap_err().to_string();
        assert!(error.contains("4 zones") && error.contains("fewer zones"), "{error}");
    }

    #[test]
    fn only_what_is_final_is_shown() {
        let text = r#"{"figures":[{"from":"1970-01-01T00:00:00Z","state":"final"},
            {"from":"1970-01-01T00:05:00Z","state":"held_back"},{"from":"1970-01-01T00:10:00Z","state":"open"}]}"#;
        assert_eq!(finals(text), Some(vec![0]));
        assert_eq!(finals("{}"), None);
    }
}

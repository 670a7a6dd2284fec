//! The score of the Brno lab is the one that was published with its data.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use flate2::read::GzDecoder;

#[path = "support/lab.rs"]
mod lab;

use lab::{Count, Estimate, WINDOW_MS};

/// What the published script printed for the counter below, capture by capture.
const PUBLISHED: &[(&str, &str)] = &[
    ("2022-10-25_p1", "n    43  MAE 5.30  balanced 4.81  MAPE 45%  r 0.208  covered 30% width 9.2"),
    ("2022-11-15_p1", "n    47  MAE 4.18  balanced 5.70  MAPE 34%  r 0.477  covered 57% width 13.3"),
    ("2022-11-22_p1", "n    47  MAE 4.28  balanced 6.89  MAPE 36%  r 0.279  covered 55% width 12.0"),
    ("2023-02-28_p1", "n    59  MAE 5.53  balanced 6.10  MAPE 36%  r 0.354  covered 51% width 12.8"),
    ("2023-03-07_p1", "n    59  MAE 5.09  balanced 5.10  MAPE 39%  r 0.421  covered 46% width 11.9"),
    ("2023-04-05_p1", "n    20  MAE 3.88  balanced 3.88  MAPE 26%  r -0.066  covered 65% width 16.5"),
    ("2023-04-14_p1", "n    35  MAE 1.32  balanced 1.15  MAPE 42%  r 0.671  covered 34% width 3.4"),
    ("2023-04-26_p1", "n    35  MAE 7.21  balanced 3.98  MAPE 50%  r 0.772  covered 14% width 12.9"),
    ("2024-02-29_p1", "n    51  MAE 7.70  balanced 4.55  MAPE 58%  r 0.394  covered 8% width 7.9"),
    ("2024-02-29_p2", "n    51  MAE 6.80  balanced 4.51  MAPE 51%  r 0.354  covered 18% width 9.1"),
    ("2024-03-07_p1", "n    52  MAE 8.25  balanced 4.17  MAPE 64%  r 0.549  covered 6% width 6.5"),
    ("2024-03-07_p2", "n    52  MAE 7.53  balanced 3.94  MAPE 57%  r 0.494  covered 10% width 7.6"),
];

/// Captures of an empty room: they have closed hours and nothing to score.
const EMPTY: &[&str] = &["2024-03-16_p1", "2024-03-16_p2"];

/// A counter so plain that it can be said twice: an eighth of the distinct addresses, with gaps in its words.
fn an_eighth_of_the_addresses(key: &str) -> Vec<Estimate> {
    let file = File::open(lab::capture(key)).expect("a capture could not be opened");
    let mut addresses: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for row in csv::Reader::from_reader(GzDecoder::new(file)).records() {
        let row = row.expect("a capture has a broken row");
        let window = row[0].parse::<i64>().expect("a time is a number").div_euclid(WINDOW_MS) + 1;
        addresses.entry(window).or_default().insert(row[1].to_owned());
    }
    let said = addresses.into_iter().filter(|(window, _)| window % 7 != 0);
    said.map(|(window, addresses)| {
        let estimate = addresses.len() as f64 / 8.0;
        let band = (window % 5 != 0).then_some((estimate * 0.5, estimate * 1.5 + 1.0));
        Estimate {
            window_end_ms: window * WINDOW_MS,
            estimate,
            low: band.map(|(low, _)| low),
            high: band.map(|(_, high)| high),
        }
    })
    .collect()
}

#[test]
fn the_port_gives_what_the_published_script_gave() {
    let mut all = BTreeMap::new();
    for (key, published) in PUBLISHED {
        let one = BTreeMap::from([((*key).to_owned(), an_eighth_of_the_addresses(key))]);
        let told = lab::score(&one).to_string();
        assert!(told.starts_with(published), "{key}: {told}, not {published}");
        all.extend(one);
    }
    for key in EMPTY {
        let one = BTreeMap::from([((*key).to_owned(), an_eighth_of_the_addresses(key))]);
        assert_eq!(lab::score(&one).n, 0, "{key}");
        all.extend(one);
    }
    let total = lab::score(&all);
    assert_eq!(total.n, 551);
    for (name, ours, published) in [
        ("mae", total.mae, 5.785944882032668),
        ("balanced", total.balanced, 5.698047590690678),
        ("mape", total.mape, 45.7520270683568),
        ("r", total.r, 0.42702532129246756),
        ("cover", total.cover, 31.57894736842105),
        ("width", total.width, 10.009641873278238),
        ("closed", total.closed, 0.5124198717948718),
    ] {
        assert!((ours - published).abs() < 1e-9, "{name}: {ours}, not {published}");
    }
}

#[test]
fn head_counts_are_those_of_the_published_script() {
    let count = |from_ms, people| Count { from_ms, to_ms: from_ms + 300_000, people };
    let counts = lab::head_counts(&["2022-10-25_p1", "2022-11-15_p1", "2022-11-22_p1"]);
    let published = [
        count(1_666_690_800_000, 9),
        count(1_666_693_800_000, 8),
        count(1_666_695_900_000, 16),
        count(1_668_507_300_000, 9),
        count(1_668_514_200_000, 16),
        count(1_669_112_100_000, 9),
        count(1_669_114_800_000, 8),
        count(1_669_119_000_000, 16),
    ];
    assert_eq!(counts, published);
    assert!(lab::head_counts(EMPTY).is_empty());
}

#[test]
fn nothing_said_is_nobody_said() {
    let silent = BTreeMap::from([("2022-10-25_p1".to_owned(), Vec::new())]);
    let score = lab::score(&silent);
    assert_eq!((score.n, score.cover, score.closed), (43, 0.0, 0.0));
    assert!(score.mae > 5.0 && score.mape == 100.0, "{score}");
}

//! The Brno lab in `tests/data/brno-lab`: the head counts an operator could have made there, and the score of a
//! counter's five-minute figures against the people who were truly in the room.
//!
//! Both follow the two scripts that were published with the data, rule by rule, so that figures can be compared with
//! those quoted beside it. A test takes this file in with `#[path = "support/lab.rs"] mod lab;`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;

use flate2::read::GzDecoder;

/// Milliseconds of a window.
pub(crate) const WINDOW_MS: i64 = 300_000;
/// What is this near to occupation is scored; what is farther counts as closed.
const NEAR_MS: i64 = 3_600_000;
/// Upper ends of the bins of people over which the balanced error is a mean.
const BINS: [f64; 6] = [0.25, 6.5, 10.0, 14.0, 19.0, 1e9];

/// People counted by eye from one moment until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// Its first moment.
    pub(crate) from_ms: i64,
    /// The first moment after it.
    pub(crate) to_ms: i64,
    /// How many people.
    pub(crate) people: u32,
}

/// What a counter said of a window, with the band it claims in four cases of five.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// The window's end.
    pub(crate) window_end_ms: i64,
    /// People.
    pub(crate) estimate: f64,
    /// The lower end of the band.
    pub(crate) low: Option<f64>,
    /// The upper end of the band.
    pub(crate) high: Option<f64>,
}

/// How near a counter came. What cannot be computed is not a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Score {
    /// Windows scored; one without an estimate counts as an estimate of 0.
    pub(crate) n: usize,
    /// Mean absolute error, people.
    pub(crate) mae: f64,
    /// The mean over the bins of the mean absolute error in each.
    pub(crate) balanced: f64,
    /// Mean error in per cent of the truth, where that is 5 or more.
    pub(crate) mape: f64,
    /// Correlation with the truth.
    pub(crate) r: f64,
    /// Per cent of all scored windows whose band holds the truth.
    pub(crate) cover: f64,
    /// Mean width of the bands, people.
    pub(crate) width: f64,
    /// Mean estimate in closed hours; 0 when there were none.
    pub(crate) closed: f64,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, mae, balanced, mape, r, cover, width, closed } = self;
        write!(f, "n {n:5}  MAE {mae:.2}  balanced {balanced:.2}  MAPE {mape:.0}%  r {r:.3}  ")?;
        write!(f, "covered {cover:.0}% width {width:.1}  closed hours: mean {closed:.2}")
    }
}

/// The file of a capture, for a test that replays it; `key` is like `2022-10-25_p1`.
pub(crate) fn capture(key: &str) -> PathBuf {
    data(&format!("lab_{key}.csv.gz"))
}

/// Head counts an operator could have made: for each group of people one five-minute window while it sat still.
pub(crate) fn head_counts(keys: &[&str]) -> Vec<Count> {
    let mut counts = Vec::new();
    for key in keys {
        let steps = truth(key);
        let mut seen = Vec::new();
        for pair in steps.windows(2) {
            let [(from, people), (until, _)] = [pair[0], pair[1]];
            if people >= 3 && until - from >= 4 * WINDOW_MS && !seen.contains(&people) {
                seen.push(people);
                let from_ms = (from.div_euclid(WINDOW_MS) + 2) * WINDOW_MS;
                counts.push(Count { from_ms, to_ms: from_ms + WINDOW_MS, people });
            }
        }
    }
    counts
}

/// Scores estimates, by capture, against the truth of these captures.
///
/// Only windows within an hour of occupation are scored that were recorded to nine tenths and have no silent gap of
/// five minutes while people were there; windows far from occupation are closed hours.
pub(crate) fn score(estimates: &BTreeMap<String, Vec<Estimate>>) -> Score {
    let mut rows = Vec::new();
    let mut closed = Vec::new();
    for (key, estimates) in estimates {
        let said: BTreeMap<i64, Estimate> =
            estimates.iter().map(|said| (said.window_end_ms, *said)).collect();
        let (scored, empty) = windows(key);
        rows.extend(scored.into_iter().map(|(end, people)| Row { people, said: said.get(&end).copied() }));
        closed.extend(empty.iter().filter_map(|end| said.get(end)).map(|said| said.estimate));
    }
    figures(&rows, mean(closed.iter().copied()).unwrap_or(0.0))
}

// A test that takes this file in may need a part of it only; naming each part here keeps the rest from being called dead.
const _: fn(&str) -> PathBuf = capture;
const _: fn(&[&str]) -> Vec<Count> = head_counts;
const _: fn(&BTreeMap<String, Vec<Estimate>>) -> Score = score;

/// A scored window: the people who were there, and what was said of it.
struct Row {
    people: f64,
    said: Option<Estimate>,
}

impl Row {
    fn estimate(&self) -> f64 {
        self.said.map_or(0.0, |said| said.estimate)
    }

    fn error(&self) -> f64 {
        (self.estimate() - self.people).abs()
    }

    fn band(&self) -> Option<(f64, f64)> {
        self.said.and_then(|said| said.low.zip(said.high))
    }
}

fn figures(rows: &[Row], closed: f64) -> Score {
    let mut bins: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for row in rows {
        let bin =
            BINS.iter().position(|end| row.people <= *end).expect("more people than the last bin holds");
        bins.entry(bin).or_default().push(row.error());
    }
    let balanced = mean(bins.values().filter_map(|errors| mean(errors.iter().copied())));
    let big = rows.iter().filter(|row| row.people >= 5.0).map(|row| row.error() / row.people);
    let bands = || rows.iter().filter_map(|row| row.band().map(|(low, high)| (low, high, row.people)));
    let covered = bands().filter(|(low, high, people)| low <= people && people <= high).count();
    Score {
        n: rows.len(),
        mae: mean(rows.iter().map(Row::error)).unwrap_or(f64::NAN),
        balanced: balanced.unwrap_or(f64::NAN),
        mape: 100.0 * mean(big).unwrap_or(f64::NAN),
        r: correlation(rows).unwrap_or(f64::NAN),
        cover: 100.0 * covered as f64 / rows.len() as f64,
        width: mean(bands().map(|(low, high, _)| high - low)).unwrap_or(f64::NAN),
        closed,
    }
}

fn correlation(rows: &[Row]) -> Option<f64> {
    let people = mean(rows.iter().map(|row| row.people))?;
    let estimate = mean(rows.iter().map(Row::estimate))?;
    let sum = |part: fn(f64, f64) -> f64| -> f64 {
        rows.iter().map(|row| part(row.people - people, row.estimate() - estimate)).sum()
    };
    let spread = (sum(|people, _| people * people) * sum(|_, estimate| estimate * estimate)).sqrt();
    (spread > 0.0).then(|| sum(|people, estimate| people * estimate) / spread)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

/// The ends of a capture's scored windows with the people there, and the ends of its windows in closed hours.
fn windows(key: &str) -> (Vec<(i64, f64)>, Vec<i64>) {
    let (frames, steps) = (frames(key), truth(key));
    let (Some(&first), Some(&last), false) = (frames.first(), frames.last(), steps.is_empty()) else {
        return (Vec::new(), Vec::new());
    };
    let mut recorded = Vec::new();
    let mut end = (first.div_euclid(WINDOW_MS) + 1) * WINDOW_MS;
    while end <= last {
        let start = end - WINDOW_MS;
        let heard_ms = end.min(last) - start.max(first);
        if heard_ms as f64 / WINDOW_MS as f64 >= 0.9 {
            recorded.push((end, people(&steps, start, end), widest_gap(&frames, start, end)));
        }
        end += WINDOW_MS;
    }
    let busy: Vec<i64> =
        recorded.iter().filter(|(_, people, _)| *people > 1.0).map(|(end, ..)| *end).collect();
    let is_near = |end: i64| busy.iter().any(|busy| (end - busy).abs() <= NEAR_MS);
    let peak = recorded.iter().map(|(_, people, _)| *people).fold(0.0, f64::max);
    let is_scored = |(end, people, gap): &(i64, f64, i64)| {
        peak >= 4.0 && is_near(*end) && !(*gap >= WINDOW_MS && *people > 0.0)
    };
    let scored = recorded.iter().filter(|window| is_scored(window)).map(|(end, people, _)| (*end, *people));
    let closed =
        recorded.iter().filter(|(end, people, _)| *people == 0.0 && !is_near(*end)).map(|(end, ..)| *end);
    (scored.collect(), closed.collect())
}

/// The mean number of people in a window, from the steps of the truth.
fn people(steps: &[(i64, u32)], start: i64, end: i64) -> f64 {
    let mut now = f64::from(steps[0].1);
    let (mut total, mut since) = (0.0, start);
    for &(at, people) in steps {
        if at > start && at < end {
            total += now * (at - since) as f64;
            since = at;
        }
        if at < end {
            now = f64::from(people);
        }
    }
    (total + now * (end - since) as f64) / WINDOW_MS as f64
}

/// The longest time of a window without a frame.
fn widest_gap(frames: &[i64], start: i64, end: i64) -> i64 {
    /// The published script looks at so many frames of a window and no further.
    const FRAMES_MAX: usize = 20_000;
    let from = frames.partition_point(|at| *at < start - 1);
    let inside = frames[from..].iter().take(FRAMES_MAX).copied().filter(|at| (start..end).contains(at));
    let mut widest = 0;
    let mut before = start;
    for at in inside.chain([end]) {
        widest = widest.max(at - before);
        before = at;
    }
    widest
}

fn frames(key: &str) -> Vec<i64> {
    let file = File::open(capture(key)).expect("a capture could not be opened");
    let mut rows = csv::Reader::from_reader(GzDecoder::new(file));
    let mut frames: Vec<i64> = rows.records().map(|row| field(&row, 0)).collect();
    frames.sort_unstable();
    frames
}

fn truth(key: &str) -> Vec<(i64, u32)> {
    let path = data(&format!("truth_{key}.csv"));
    let mut rows = csv::Reader::from_path(path).expect("a truth could not be opened");
    rows.records().map(|row| (field(&row, 0), field(&row, 1))).collect()
}

fn field<T: std::str::FromStr>(row: &csv::Result<csv::StringRecord>, place: usize) -> T {
    let text = row.as_ref().ok().and_then(|row| row.get(place));
    text.and_then(|text| text.parse().ok()).expect("a row of the lab's files could not be read")
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/brno-lab").join(name)
}

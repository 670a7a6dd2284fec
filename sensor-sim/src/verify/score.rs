//! How far what was said lies from what was true.

use std::collections::BTreeMap;

use serde::Serialize;

/// A band is to hold so large a share of truths.
const BAND_SHARE: f64 = 0.8;

/// What was said of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said {
    /// A value, and its band.
    Final {
        value: f64,
        low: f64,
        high: f64,
    },
    HeldBack,
    /// Nothing yet, or nothing at all.
    Nothing,
}

/// A window of which the truth is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) truth: f64,
    pub(super) said: Said,
}

/// A table of one window.
#[derive(Clone, Debug)]
pub(super) struct Sheet<K> {
    /// What is true of each cell; a cell that is not named has nothing in it.
    pub(super) truth: BTreeMap<K, f64>,
    /// What is said of the cells that are told; nothing of a window that is not closed or that nothing is known of.
    pub(super) said: Option<BTreeMap<K, Said>>,
}

/// The score of a figure; what cannot be told from so few windows is nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// Windows with a truth large enough.
    pub windows: usize,
    /// Of these, with a value.
    pub compared: usize,
    /// Of those with a value or held back, held back.
    pub held_back_percent: Option<f64>,
    /// Mean truth of those compared.
    pub truth_mean: Option<f64>,
    /// Mean of what was said of them.
    pub said_mean: Option<f64>,
    /// Sum of absolute errors in percent of the sum of truths.
    pub mae_percent: Option<f64>,
    /// Mean of absolute errors, each in percent of its truth.
    pub mape_percent: Option<f64>,
    /// Sum of errors in percent of the sum of truths.
    pub bias_percent: Option<f64>,
    /// Bands that hold the truth.
    pub coverage_percent: Option<f64>,
    /// Mean width of the bands.
    pub width_mean: Option<f64>,
    /// How many times as wide as the narrowest of their shape that would cover.
    pub width_ratio: Option<f64>,
    /// Of a table of counts: total variation distance over the cells that are told, 0 to 1.
    pub tvd: Option<f64>,
    /// Of a table of counts: how much of what is true lies in cells that are not told, percent.
    pub untold_percent: Option<f64>,
}

impl Score {
    /// Of tables whose cells are counts: their points, and how far apart their shares are.
    pub(super) fn of_counts<K: Ord + Clone>(sheets: &[Sheet<K>], truth_min: f64) -> Self {
        let apart: Vec<Apart> = sheets.iter().filter_map(Apart::of).collect();
        let truths: f64 = apart.iter().map(|sheet| sheet.truth).sum();
        let told: f64 = apart.iter().map(|sheet| sheet.told).sum();
        // A window weighs as much as what is true in its cells that are told.
        let far: f64 = apart.iter().map(|sheet| sheet.told * sheet.tvd).sum();
        Self {
            tvd: (told > 0.0).then(|| far / told),
            untold_percent: (truths > 0.0).then(|| 100.0 * (truths - told) / truths),
            ..Self::of_shares(sheets, truth_min)
        }
    }

    /// Of tables whose cells are shares of something else than the table: their points.
    pub(super) fn of_shares<K: Ord + Clone>(sheets: &[Sheet<K>], truth_min: f64) -> Self {
        let points = sheets.iter().flat_map(|Sheet { truth, said }| {
            truth.iter().map(move |(cell, truth)| {
                let of_cell = |said: &BTreeMap<K, Said>| said.get(cell).copied().unwrap_or(Said::HeldBack);
                Point { truth: *truth, said: said.as_ref().map_or(Said::Nothing, of_cell) }
            })
        });
        Self::of(&points.collect::<Vec<_>>(), truth_min)
    }

    pub(super) fn of(points: &[Point], truth_min: f64) -> Self {
        let points: Vec<&Point> = points.iter().filter(|point| point.truth >= truth_min).collect();
        let held = points.iter().filter(|point| point.said == Said::HeldBack).count();
        let compared: Vec<[f64; 4]> = points
            .iter()
            .filter_map(|point| match point.said {
                Said::Final { value, low, high } => Some([point.truth, value, low, high]),
                Said::HeldBack | Said::Nothing => None,
            })
            .collect();
        let n = compared.len() as f64;
        let sum = |part: fn(&[f64; 4]) -> f64| (n > 0.0).then(|| compared.iter().map(part).sum::<f64>());
        let mean = |part| sum(part).map(|sum| sum / n);
        let truths = sum(|[truth, ..]| *truth).filter(|sum| *sum > 0.0);
        let of_truths = |part| sum(part).zip(truths).map(|(sum, truths)| 100.0 * sum / truths);
        // A truth of nothing has no percentage.
        let shares = compared.iter().filter(|[truth, ..]| *truth > 0.0);
        let shares: Vec<f64> = shares.map(|[truth, said, ..]| (said - truth).abs() / truth).collect();
        let known = (held + compared.len()) as f64;
        Self {
            windows: points.len(),
            compared: compared.len(),
            held_back_percent: (known > 0.0).then(|| 100.0 * held as f64 / known),
            truth_mean: mean(|[truth, ..]| *truth),
            said_mean: mean(|[_, said, ..]| *said),
            mae_percent: of_truths(|[truth, said, ..]| (said - truth).abs()),
            mape_percent: (!shares.is_empty())
                .then(|| 100.0 * shares.iter().sum::<f64>() / shares.len() as f64),
            bias_percent: of_truths(|[truth, said, ..]| said - truth),
            coverage_percent: mean(
                |[truth, _, low, high]| {
                    if (*low..=*high).contains(truth) { 100.0 } else { 0.0 }
                },
            ),
            width_mean: mean(|[_, _, low, high]| high - low),
            width_ratio: stretch(&compared).map(|factor| 1.0 / factor),
            tvd: None,
            untold_percent: None,
        }
    }
}

/// How far one table's shares are apart.
struct Apart {
    /// What is true in all cells.
    truth: f64,
    /// What is true in those that are told.
    told: f64,
    /// Total variation distance between the two, each as shares of its sum over the cells that are told.
    tvd: f64,
}

impl Apart {
    /// Nothing of a window of which nothing is known.
    fn of<K: Ord>(sheet: &Sheet<K>) -> Option<Self> {
        let said = sheet.said.as_ref()?;
        let told: Vec<(f64, f64)> = said
            .iter()
            .filter_map(|(cell, said)| match said {
                Said::Final { value, .. } => Some((sheet.truth.get(cell).copied().unwrap_or(0.0), *value)),
                Said::HeldBack | Said::Nothing => None,
            })
            .collect();
        let (truths, values) = told.iter().fold((0.0, 0.0), |(t, v), (truth, value)| (t + truth, v + value));
        let share = |part: f64, sum: f64| if sum > 0.0 { part / sum } else { 0.0 };
        let apart = told.iter().map(|(truth, value)| (share(*truth, truths) - share(*value, values)).abs());
        Some(Self { truth: sheet.truth.values().sum(), told: truths, tvd: 0.5 * apart.sum::<f64>() })
    }
}

/// The factor by which bands have to be stretched about their values to hold their share of the truths; nothing if they
/// hold it at no width at all.
fn stretch(compared: &[[f64; 4]]) -> Option<f64> {
    let needed = |[truth, said, low, high]: &[f64; 4]| {
        let (off, reach) =
            if truth >= said { (truth - said, high - said) } else { (said - truth, said - low) };
        if off == 0.0 { 0.0 } else { off / reach.max(0.0) }
    };
    let mut factors: Vec<f64> = compared.iter().map(needed).collect();
    factors.sort_by(f64::total_cmp);
    let rank = (BAND_SHARE * factors.len() as f64).ceil() as usize;
    factors.get(rank.checked_sub(1)?).copied().filter(|factor| *factor > 0.0)
}

#![doc = include_str!("README.md")]

mod bounds;
mod score;
mod series;
mod tables;
#[cfg(test)]
mod tables_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

pub use self::bounds::{Bound, DEFAULTS};
pub use self::score::Score;
use self::score::{Point, Said};
pub use self::series::Scope;
use self::series::{FIGURES, Figure, Table};
use self::tables::Ways;
use crate::http::{self, Client};
use crate::mall::truth::{self, Line, Step, Window};
use crate::progress::Progress;

/// The most windows an answer of the API has.
const POINTS_MAX: usize = 2000;

/// The most lines of a truth file.
pub const LINES_MAX: usize = 20_000_000;

/// What to compare.
#[derive(Clone, Debug)]
pub struct Order {
    /// The server, and its token.
    pub api: Client,
    /// The truth's file.
    pub truth: PathBuf,
    /// Bounds that must be kept, each by a figure that is offered; without any, [`DEFAULTS`] for what is offered.
    pub must: Vec<Bound>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// A row for each figure, step, scope and venue.
    pub rows: Vec<Row>,
    /// Bounds that are broken, in words.
    pub broken: Vec<String>,
}

/// A figure's score.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The venue.
    pub venue: String,
    /// As the API names it.
    pub metric: &'static str,
    /// The length of its windows.
    pub step: Step,
    /// Of what it is.
    pub scope: Scope,
    /// Nothing if the server does not offer it.
    pub score: Option<Score>,
}

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The truth's file.
    #[error("reading the truth {}: {source}", path.display())]
    Truth {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no such file.
    #[error("line {line} of the truth {} does not read: {what}; write it with `sensor-sim run --truth`", path.display())]
    Line {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Why.
        what: String,
    },
    /// The server.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// The server does not know the venue.
    #[error("the server has no venue {venue}; give it what `sensor-sim run --print-config` prints")]
    Venue {
        /// Which.
        venue: String,
    },
    /// What it says does not read.
    #[error(
        "the server's answer for {path} does not read; check that --api names a passant server of this version"
    )]
    Answer {
        /// The page.
        path: String,
    },
}

#[derive(Deserialize)]
struct Series {
    figures: Vec<Published>,
}

#[derive(Deserialize)]
struct Published {
    from: String,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    state: String,
}

/// The windows of one venue's zone, or of the venue, by step.
type Windows = HashMap<(Step, Option<String>), Vec<Window>>;

/// The truth of one venue.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) windows: Windows,
    ways: Ways,
}

/// A venue of a server.
struct Server<'a> {
    api: &'a Client,
    venue: &'a str,
}

/// Compares a truth with what a server says.
///
/// # Errors
/// When the file does not read, or the server is not there or not one.
pub async fn verify(order: &Order, progress: &Progress) -> Result<Outcome, Error> {
    let mut rows: Vec<Row> = Vec::new();
    for (venue, places) in read(&order.truth)? {
        let server = Server { api: &order.api, venue: &venue };
        let mut add = |metric: &'static str, step, scope, score| {
            rows.push(Row { venue: venue.clone(), metric, step, scope, score });
            progress.set(rows.len() as u64, || metric.to_owned());
        };
        for figure in FIGURES {
            for (step, scope) in figure.series() {
                let score = score(&server, &places.windows, (figure, step, scope)).await?;
                add(figure.metric, step, scope, score);
            }
        }
        for table in Table::ALL {
            for (step, scope) in table.series() {
                let score = tables::score(&server, &places, (table, *step, *scope)).await?;
                add(table.metric(), *step, *scope, score);
            }
        }
    }
    let broken = broken(&rows, &order.must);
    Ok(Outcome { rows, broken })
}

fn broken(rows: &[Row], must: &[Bound]) -> Vec<String> {
    let defaults = if must.is_empty() { Bound::defaults() } else { Vec::new() };
    let mut broken = Vec::new();
    for row in rows {
        let about =
            |bound: &&Bound| (bound.metric, bound.step, bound.scope) == (row.metric, row.step, row.scope);
        for bound in must.iter().chain(&defaults).filter(about) {
            let words = match &row.score {
                Some(score) if bound.judges(score) => bound.broken_by(score),
                // Only what was asked for has to be there.
                Some(_) if !must.is_empty() => Some(format!("{}: no window tells it", bound.name())),
                None if !must.is_empty() => Some(format!("{}: not offered", bound.name())),
                Some(_) | None => None,
            };
            broken.extend(words.map(|words| format!("{}: {words}", row.venue)));
        }
    }
    broken
}

/// The venues of a truth file.
///
/// # Errors
/// When it does not read.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, Places)>, Error> {
    let failed = |source| Error::Truth { path: path.into(), source };
    let file = std::io::BufReader::new(std::fs::File::open(path).map_err(failed)?);
    let mut venues: Vec<(String, Places)> = Vec::new();
    for (line, text) in (1..).zip(file.lines()) {
        let wrong = |what: String| Error::Line { path: path.into(), line, what };
        let read = serde_json::from_str(&text.map_err(failed)?).map_err(|error| wrong(error.to_string()))?;
        match (read, venues.last_mut()) {
            _ if line > LINES_MAX => return Err(wrong(format!("there are at most {LINES_MAX}"))),
            (Line::Truth(header), _) if header.version == truth::VERSION => {
                venues.push((header.venue, Places::default()));
            }
            (Line::Truth(header), _) => {
                return Err(wrong(format!("version {} and not {}", header.version, truth::VERSION)));
            }
            (_, None) => return Err(wrong("no header before it".into())),
            (Line::Window(window), Some((_, places))) => {
                places.windows.entry((window.step, window.zone.clone())).or_default().push(window);
            }
            (Line::Flow(flow), Some((_, places))) => places.ways.add_flow(flow),
            (Line::CrossVisit(cross), Some((_, places))) => places.ways.add_cross_visit(cross),
        }
    }
    Ok(venues)
}

/// The score of a figure, or nothing where the server does not offer it.
async fn score(
    server: &Server<'_>,
    windows: &Windows,
    (figure, step, scope): (Figure, Step, Scope),
) -> Result<Option<Score>, Error> {
    let mut points = Vec::new();
    let about =
        windows.iter().filter(|((of, zone), _)| *of == step && zone.is_some() == (scope == Scope::Zones));
    for ((_, zone), windows) in about {
        for part in windows.chunks(POINTS_MAX) {
            let Some(said) = ask(server, (figure.metric, step), zone.as_deref(), part).await? else {
                return Ok(None);
            };
            points.extend(part.iter().filter_map(|window| {
                let said = said.get(&window.from_ms).copied().unwrap_or(Said::Nothing);
                Some(Point { truth: (figure.truth)(window)?, said })
            }));
        }
    }
    Ok(Some(Score::of(&points, figure.truth_min)))
}

/// What the server says of some windows, by their beginning; nothing where it does not offer such a figure.
async fn ask(
    server: &Server<'_>,
    (metric, step): (&str, Step),
    zone: Option<&str>,
    windows: &[Window],
) -> Result<Option<HashMap<i64, Said>>, Error> {
    let (Some(first), Some(last)) = (windows.first(), windows.last()) else {
        return Ok(Some(HashMap::new()));
    };
    let zone = zone.map_or(String::new(), |zone| format!("zone={zone}&"));
    let what = format!("metric={metric}&{zone}");
    let path = server.path("figures", &what, step, (first.from_ms, last.to_ms));
    let Some(text) = server.page(&path).await? else { return Ok(None) };
    let said = |text: &str| {
        let series: Series = serde_json::from_str(text).ok()?;
        series.figures.into_iter().map(Published::said).collect::<Option<HashMap<_, _>>>()
    };
    said(&text).map(Some).ok_or(Error::Answer { path })
}

impl Server<'_> {
    /// Where a page about a stretch of time is; `what` are parameters of its own, each with an & after it.
    fn path(&self, page: &str, what: &str, step: Step, (from_ms, to_ms): (i64, i64)) -> String {
        let (from, to) = (rfc3339(from_ms), rfc3339(to_ms));
        format!("/api/v1/venues/{}/{page}?{what}step={}&from={from}&to={to}", self.venue, step.word())
    }

    /// A page; nothing where the server does not offer it.
    async fn page(&self, path: &str) -> Result<Option<String>, Error> {
        match self.api.get(path).await {
            Ok(text) => Ok(Some(text)),
            Err(http::Error::Status { status: 400, .. }) => Ok(None),
            Err(http::Error::Status { status: 404, .. }) => Err(Error::Venue { venue: self.venue.into() }),
            Err(error) => Err(error.into()),
        }
    }
}

/// A moment as the API writes it.
pub(crate) fn rfc3339(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Published {
    /// When its window begins, and what it says; nothing if it does not read.
    fn said(self) -> Option<(i64, Said)> {
        let from = DateTime::parse_from_rfc3339(&self.from).ok()?.timestamp_millis();
        let said = match self.state.as_str() {
            "final" => Said::Final { value: self.value?, low: self.low?, high: self.high? },
            "held_back" => Said::HeldBack,
            "open" => Said::Nothing,
            _ => return None,
        };
        Some((from, said))
    }
}

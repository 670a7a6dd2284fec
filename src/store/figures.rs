//! Figures: written once, read as a series.

use std::collections::BTreeMap;
use std::sync::Arc;

use passant_wire::Id;
use sqlx::{QueryBuilder, Sqlite};
use tokio::sync::broadcast;

use super::{Error, Store, at_secs, secs};
use crate::clock::{EpochMs, Step, Window};
use crate::release::{Banded, Figure, Flags, Metric, State};

/// How many figures one statement writes: fifteen values each, far below SQLite's 32,766.
const STATEMENT_ROWS_MAX: usize = 64;

/// Batches of released figures that wait for whoever listens, at most; who is further behind hears of no more than that
/// they were missed.
const RELEASED_LEN_MAX: usize = 256;

/// A figure that was written, with where it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The venue.
    pub venue: Id,
    /// The zone or group; `None` is the venue.
    pub scope: Option<Id>,
    /// What it counts.
    pub metric: Metric,
    /// The length of its window.
    pub step: Step,
    /// The figure, as it is read back.
    pub figure: Published,
}

/// Who listens to what is released. Telling never waits.
#[derive(Clone, Debug)]
pub(super) struct Listeners(broadcast::Sender<Arc<[Released]>>);

impl Default for Listeners {
    fn default() -> Self {
        Self(broadcast::Sender::new(RELEASED_LEN_MAX))
    }
}

/// A figure as it is read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its window.
    pub window: Window,
    /// Its value and band; `None` when it is held back.
    pub value: Option<Banded>,
    /// What a reader must know.
    pub flags: Flags,
    /// The share of the window in which its sensors were alive, in thousandths.
    pub coverage_permille: u16,
    /// The version of the thresholds it was made under.
    pub thresholds: u32,
    /// The version of the calibration it was made under; 0 is none.
    pub calibration: u32,
}

impl Published {
    /// Final or held back: a window that has not closed is not in the store.
    #[must_use]
    pub fn state(&self) -> State {
        if self.value.is_some() { State::Final } else { State::HeldBack }
    }
}

/// What a place's figures of a period come to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Total {
    /// The zone or group, empty for the venue.
    pub scope: String,
    /// Windows of which there is a figure, told or held back.
    pub windows: u32,
    /// Those that are told.
    pub told: u32,
    /// The sum of their values.
    pub value: u64,
    /// The sum of their lower ends.
    pub low: u64,
    /// The sum of their upper ends.
    pub high: u64,
}

/// What is told of a place's window.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Told {
    /// The zone or group, empty for the venue.
    pub scope: String,
    /// When the window begins, seconds since 1970.
    pub from_secs: i64,
    /// Its value, in whole units of the metric.
    pub value: u32,
}

/// Places are named one by one: each is then found by the whole of the key, where a venue alone has all of its figures read.
const TOTALS: &str = "SELECT scope, COUNT(*) AS windows, COUNT(value) AS told, COALESCE(SUM(value), 0) AS value, \
    COALESCE(SUM(low), 0) AS low, COALESCE(SUM(high), 0) AS high \
    FROM figure WHERE venue = $1 AND scope IN (SELECT value FROM json_each($2)) AND metric = $3 AND step = $4 \
    AND from_secs >= $5 AND from_secs < $6 GROUP BY scope ORDER BY scope";
const TOLD: &str = "SELECT scope, from_secs, value FROM figure \
    WHERE venue = $1 AND scope IN (SELECT value FROM json_each($2)) AND metric = $3 AND step = $4 \
    AND from_secs >= $5 AND from_secs < $6 AND figure.value IS NOT NULL ORDER BY scope, from_secs";

#[derive(sqlx::FromRow)]
struct Row {
    from_secs: i64,
    to_secs: i64,
    value: Option<u32>,
    low: Option<u32>,
    high: Option<u32>,
    flags: i64,
    coverage_permille: u16,
    thresholds_version: u32,
    calibration: u32,
}

/// What a count's windows say together.
#[derive(sqlx::FromRow)]
struct Roots {
    windows: i64,
    shown: i64,
    covered_secs: i64,
    sum_centi: i64,
}

impl Store {
    /// Writes figures in one transaction. A window that is there already stays as it is. Gives how many were new.
    ///
    /// # Errors
    /// When the database does not answer: none of them is written then, and the caller tries again.
    pub async fn append(&self, figures: &[Figure]) -> Result<u64, Error> {
        const DOING: &str = "writing figures";
        if figures.is_empty() {
            return Ok(0);
        }
        let mut written = 0;
        let mut transaction = self.write(DOING).await?;
        // Asked under the lock: whoever erases a venue shuts it first, and then waits for the lock.
        let open: Vec<&Figure> = figures.iter().filter(|figure| !self.is_shut(figure.venue())).collect();
        for some in open.chunks(STATEMENT_ROWS_MAX) {
            written += insert(some)
                .build()
                .execute(&mut *transaction)
                .await
                .map_err(Error::while_doing(DOING))?
                .rows_affected();
        }
        for (venue, end) in reach(&open) {
            sqlx::query(
                "INSERT INTO venue_reach (venue, newest_end_secs) VALUES ($1, $2) \
                 ON CONFLICT (venue) DO UPDATE SET newest_end_secs = max(newest_end_secs, excluded.newest_end_secs)",
            )
            .bind(venue.as_str())
            .bind(secs(end))
            .execute(&mut *transaction)
            .await
            .map_err(Error::while_doing(DOING))?;
        }
        transaction.commit().await.map_err(Error::while_doing(DOING))?;
        if self.listeners.0.receiver_count() > 0 {
            self.tell(&open, written).await?;
        }
        Ok(written)
    }

    /// Every figure that is written from now on, in batches. A listener that is too far behind misses some, and is told
    /// how many batches; they are in the store.
    #[must_use]
    pub fn released(&self) -> broadcast::Receiver<Arc<[Released]>> {
        self.listeners.0.subscribe()
    }

    /// Tells what is in the store now: of a window that was there already, what it holds, and not what came again.
    async fn tell(&self, figures: &[&Figure], written: u64) -> Result<(), Error> {
        let mut released: Vec<Released> = figures.iter().map(|figure| Released::from(*figure)).collect();
        if written < figures.len() as u64 {
            for told in &mut released {
                let Window { from, to } = told.figure.window;
                let series = self.series(&told.venue, told.scope.as_ref(), told.metric, told.step, from, to);
                if let Some(stored) = series.await?.first() {
                    told.figure = *stored;
                }
            }
        }
        // It fails only when nobody listens any more.
        let _ = self.listeners.0.send(released.into());
        Ok(())
    }

    /// The newest figure of a series.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest(
        &self,
        venue: &Id,
        scope: Option<&Id>,
        metric: Metric,
        step: Step,
    ) -> Result<Option<Published>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT from_secs, to_secs, value, low, high, flags, coverage_permille, thresholds_version, calibration \
             FROM figure WHERE venue = $1 AND scope = $2 AND metric = $3 AND step = $4 \
             ORDER BY from_secs DESC LIMIT 1",
        )
        .bind(venue.as_str())
        .bind(scope.map_or("", Id::as_str))
        .bind(metric.as_str())
        .bind(step.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(Error::while_doing("reading the newest figure"))?;
        Ok(row.map(Published::from))
    }

    /// The figures of a zone, a group or (`None`) the venue whose windows start in `[from, to)`, in order of time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn series(
        &self,
        venue: &Id,
        scope: Option<&Id>,
        metric: Metric,
        step: Step,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<Vec<Published>, Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT from_secs, to_secs, value, low, high, flags, coverage_permille, thresholds_version, calibration \
             FROM figure WHERE venue = $1 AND scope = $2 AND metric = $3 AND step = $4 \
             AND from_secs >= $5 AND from_secs < $6 ORDER BY from_secs",
        )
        .bind(venue.as_str())
        .bind(scope.map_or("", Id::as_str))
        .bind(metric.as_str())
        .bind(step.as_str())
        .bind(secs(from))
        .bind(secs(to))
        .fetch_all(&self.pool)
        .await
        .map_err(Error::while_doing("reading figures"))?;
        Ok(rows.into_iter().map(Published::from).collect())
    }

    /// What the figures of each of some places come to whose windows start in `[from, to)`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn totals(
        &self,
        venue: &Id,
        scopes: &[&Id],
        metric: Metric,
        step: Step,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<Vec<Total>, Error> {
        sqlx::query_as(TOTALS)
            .bind(venue.as_str())
            .bind(as_json(scopes))
            .bind(metric.as_str())
            .bind(step.as_str())
            .bind(secs(from))
            .bind(secs(to))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::while_doing("adding up figures"))
    }

    /// What is told of the windows of each of some places that start in `[from, to)`, by place and in order of time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn told(
        &self,
        venue: &Id,
        scopes: &[&Id],
        metric: Metric,
        step: Step,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<Vec<Told>, Error> {
        sqlx::query_as(TOLD)
            .bind(venue.as_str())
            .bind(as_json(scopes))
            .bind(metric.as_str())
            .bind(step.as_str())
            .bind(secs(from))
            .bind(secs(to))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::while_doing("reading the figures of all places"))
    }

    /// The latest end of any figure of a venue.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn newest_end(&self, venue: &Id) -> Result<Option<EpochMs>, Error> {
        let end: Option<i64> = sqlx::query_scalar("SELECT newest_end_secs FROM venue_reach WHERE venue = $1")
            .bind(venue.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::while_doing("reading how far the figures reach"))?;
        Ok(end.map(at_secs))
    }

    /// The mean of the crowd lens's v over a zone's five-minute windows in `[from, to)`; `None` unless every one of
    /// them is there and is shown.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn root_mean(
        &self,
        venue: &Id,
        zone: &Id,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<Option<f64>, Error> {
        let roots: Roots = sqlx::query_as(
            "SELECT COUNT(*) AS windows, COUNT(root_mean_centi) AS shown, \
             COALESCE(SUM(to_secs - from_secs), 0) AS covered_secs, COALESCE(SUM(root_mean_centi), 0) AS sum_centi \
             FROM figure WHERE venue = $1 AND scope = $2 AND metric = $3 AND step = $4 \
             AND from_secs >= $5 AND to_secs <= $6",
        )
        .bind(venue.as_str())
        .bind(zone.as_str())
        .bind(Metric::Occupancy.as_str())
        .bind(Step::FiveMinutes.as_str())
        .bind(secs(from))
        .bind(secs(to))
        .fetch_one(&self.pool)
        .await
        .map_err(Error::while_doing("reading what was heard during a head count"))?;
        // Windows do not overlap, so those that cover the whole stretch leave none out.
        let whole =
            roots.windows > 0 && roots.shown == roots.windows && roots.covered_secs == secs(to) - secs(from);
        #[expect(clippy::cast_precision_loss, reason = "sums of hundredths lie far below 2^52")]
        Ok(whole.then(|| roots.sum_centi as f64 / roots.windows as f64 / 100.0))
    }
}

/// One statement for some figures: a statement each would spend its time on the way to the database's thread.
fn insert(figures: &[&Figure]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        "INSERT INTO figure (venue, scope, metric, step, from_secs, to_secs, state, value, low, high, \
         root_mean_centi, flags, coverage_permille, thresholds_version, calibration) ",
    );
    query.push_values(figures, |mut row, figure| {
        let window = figure.window();
        let value = figure.value();
        row.push_bind(figure.venue().as_str().to_owned())
            .push_bind(figure.scope().id().map_or("", Id::as_str).to_owned())
            .push_bind(figure.metric().as_str())
            .push_bind(figure.step().as_str())
            .push_bind(secs(window.from))
            .push_bind(secs(window.to))
            .push_bind(if value.is_some() { "final" } else { "held_back" })
            .push_bind(value.map(|v| v.value))
            .push_bind(value.map(|v| v.low))
            .push_bind(value.map(|v| v.high))
            // What is held back is held back whole, whoever made the figure.
            .push_bind(value.and(figure.root_mean_centi()))
            .push_bind(figure.flags().bits())
            .push_bind(figure.coverage_permille())
            .push_bind(figure.thresholds())
            .push_bind(figure.calibration());
    });
    query.push(" ON CONFLICT DO NOTHING");
    query
}

/// The latest end of each venue that figures speak of.
fn reach<'a>(figures: &[&'a Figure]) -> BTreeMap<&'a Id, EpochMs> {
    let mut ends = BTreeMap::new();
    for figure in figures {
        let end = ends.entry(figure.venue()).or_insert(figure.window().to);
        *end = (*end).max(figure.window().to);
    }
    ends
}

impl From<&Figure> for Released {
    fn from(figure: &Figure) -> Self {
        Self {
            venue: figure.venue().clone(),
            scope: figure.scope().id().cloned(),
            metric: figure.metric(),
            step: figure.step(),
            figure: Published {
                window: figure.window(),
                value: figure.value(),
                flags: figure.flags(),
                coverage_permille: figure.coverage_permille(),
                thresholds: figure.thresholds(),
                calibration: figure.calibration(),
            },
        }
    }
}

impl From<Row> for Published {
    fn from(row: Row) -> Self {
        let value = match (row.value, row.low, row.high) {
            (Some(value), Some(low), Some(high)) => Some(Banded { value, low, high }),
            _ => None,
        };
        Self {
            window: Window { from: at_secs(row.from_secs), to: at_secs(row.to_secs) },
            value,
            flags: Flags::from_bits(row.flags),
            coverage_permille: row.coverage_permille,
            thresholds: row.thresholds_version,
            calibration: row.calibration,
        }
    }
}

/// Places as one parameter of a statement.
fn as_json(scopes: &[&Id]) -> String {
    serde_json::Value::from_iter(scopes.iter().map(|scope| scope.as_str())).to_string()
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;

//! A recorded capture, said again as its sensor would have said it.
//!
//! A server in `clock = "sightings"` mode takes its time from what it hears: the first time sets its clock, each
//! message may move it on by a day at most, and never back. So a replay first walks that clock up to the capture with
//! messages that are no sign of life, and after the last row moves it past the last window's end. In between it stays
//! silent where the capture is silent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use passant_wire::{BootId, Id, Report, Status, Subject, Topic, encode};

use crate::batch::Batches;
use crate::capture::{self, Capture, ROWS_MAX, Row, Unread};
use crate::clock;
use crate::progress::Progress;
use crate::publisher::{self, BrokerUrl, Line, Publisher};

/// Messages that walk the server's clock up to a capture: one a day, so a clock up to that many days back arrives.
pub const PREROLL: usize = 400;

/// How far past its last row a capture moves the clock: every window it touched has closed by then.
pub const CLOSING_SECS: i64 = 20 * 60;

/// Messages in flight, unless the broker allows fewer.
const INFLIGHT_MAX: u16 = 100;

/// How fast capture time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many times as fast as it was recorded.
    Times(f64),
    /// As fast as the broker acknowledges.
    Max,
}

/// What to replay, and where.
#[derive(Debug)]
pub struct Order {
    /// The broker.
    pub url: BrokerUrl,
    /// The venue to publish for.
    pub venue: Id,
    /// The sensor to be.
    pub sensor: Id,
    /// Captures in order of time.
    pub files: Vec<PathBuf>,
    /// How fast.
    pub speed: Speed,
    /// The compact form instead of JSON.
    pub binary: bool,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Outcome {
    /// Rows sent.
    pub rows_sent: u64,
    /// Messages handed over, the status messages among them.
    pub messages_sent: u64,
    /// Messages the broker acknowledged.
    pub messages_acknowledged: u64,
    /// Messages the broker refused.
    pub messages_refused: u64,
    /// Rows that did not read.
    pub rows_unread: Unread,
    /// From the first message to the last acknowledgement.
    pub elapsed_secs: f64,
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file.
    #[error(transparent)]
    Capture(#[from] capture::Error),
    /// The broker.
    #[error(transparent)]
    Publisher(#[from] publisher::Error),
    /// A clock that never goes back would refuse the second file.
    #[error("{} begins before the one before it has ended; give the files in order of time", file.display())]
    OutOfOrder {
        /// The later one on the command line.
        file: PathBuf,
    },
    /// More than [`ROWS_MAX`] in all.
    #[error("the files have over {ROWS_MAX} rows in all; replay them in several calls")]
    TooLong,
    /// No file has a row.
    #[error("no row of any file could be read; look at the columns time_ms,id,rssi_dbm")]
    Empty,
}

impl std::str::FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.parse::<f64>().ok().filter(|times| times.is_finite() && *times > 0.0);
        times.map(Self::Times).ok_or("give a number over 0, or max")
    }
}

/// Replays the files one after the other, and returns once the broker has acknowledged every message.
///
/// # Errors
/// When a file does not read, files overlap, or the broker is gone for good.
pub async fn replay(order: &Order, progress: &Progress) -> Result<Outcome, Error> {
    let (parts, rows_unread) = read(&order.files)?;
    let begun = clock::steady();
    let boot = clock::fresh_boot();
    let topic =
        |subject| Topic { venue: order.venue.as_str(), sensor: order.sensor.as_str(), subject }.to_string();
    let will = encode::status(&Status { online: false, at: None, number: None });
    let mut sensor = Sensor {
        publisher: Publisher::open(Line {
            url: order.url.clone(),
            client_id: format!("sensor-sim-replay-{boot}"),
            inflight_max: INFLIGHT_MAX,
            will: Some((topic(Subject::Status), will)),
        }),
        sightings: topic(Subject::Sightings),
        status: topic(Subject::Status),
        boot: BootId::parse(boot.as_bytes()),
        number: 0,
        binary: order.binary,
        pace: Pace { speed: order.speed, anchor: None },
        last: None,
        outcome: Outcome { rows_unread, ..Outcome::default() },
    };
    for part in parts {
        sensor.come_to(part.first).await?;
        for batch in Batches::of(part.rows) {
            sensor.say(batch).await?;
            progress.set(sensor.outcome.rows_sent, || format!("{}", part.file.display()));
        }
    }
    sensor.leave().await?;
    sensor.publisher.settle().await?;
    let mut outcome = sensor.outcome;
    outcome.messages_acknowledged = sensor.publisher.acknowledged();
    outcome.messages_refused = sensor.publisher.refused();
    outcome.elapsed_secs = clock::steady().saturating_sub(begun).as_secs_f64();
    sensor.publisher.close().await?;
    Ok(outcome)
}

/// A file with rows.
struct Part<'a> {
    file: &'a Path,
    first: i64,
    rows: Vec<Row>,
}

/// Reads every file before anything is sent, so that a bad one is found before a server's clock has been moved.
fn read(files: &[PathBuf]) -> Result<(Vec<Part<'_>>, Unread), Error> {
    let (mut parts, mut unread, mut last, mut total) = (Vec::new(), Unread::default(), i64::MIN, 0);
    for file in files {
        let capture = Capture::read(file)?;
        unread.add(capture.unread);
        total += capture.rows.len();
        if total > ROWS_MAX {
            return Err(Error::TooLong);
        }
        let rows = capture.rows;
        let (Some(first), Some(end)) = (rows.first().map(|row| row.at), rows.last().map(|row| row.at)) else {
            continue;
        };
        if first < last {
            return Err(Error::OutOfOrder { file: file.clone() });
        }
        last = end;
        parts.push(Part { file, first, rows });
    }
    if parts.is_empty() { Err(Error::Empty) } else { Ok((parts, unread)) }
}

struct Sensor {
    publisher: Publisher,
    sightings: String,
    status: String,
    boot: Option<BootId>,
    number: u64,
    binary: bool,
    pace: Pace,
    /// The time of the last row said.
    last: Option<i64>,
    outcome: Outcome,
}

impl Sensor {
    /// Brings the server's clock to the first row of a capture. A gap shorter than the closing is plain silence: the
    /// rows that follow close what was open.
    async fn come_to(&mut self, first: i64) -> Result<(), Error> {
        if self.last.is_some_and(|last| first - last <= CLOSING_SECS * 1000) {
            return Ok(());
        }
        self.leave().await?;
        for _ in 0..PREROLL {
            self.state(false, first, false).await?;
        }
        self.pace.anchor = Some((clock::steady(), first));
        self.state(true, first, true).await
    }

    /// Closes what the rows so far have opened.
    async fn leave(&mut self) -> Result<(), Error> {
        match self.last {
            Some(last) => self.state(false, last + CLOSING_SECS * 1000, true).await,
            None => Ok(()),
        }
    }

    async fn state(&mut self, online: bool, at: i64, retain: bool) -> Result<(), Error> {
        let payload = encode::status(&Status { online, at: Some(at), number: None });
        self.publisher.publish(&self.status, retain, payload).await?;
        self.outcome.messages_sent += 1;
        Ok(())
    }

    async fn say(&mut self, batch: Vec<Row>) -> Result<(), Error> {
        let at = batch.last().map(|row| row.at);
        if let Some(wait) = at.and_then(|at| self.pace.wait(at, clock::steady())) {
            tokio::time::sleep(wait).await;
        }
        let rows = batch.len() as u64;
        self.number += 1;
        let sightings = batch.into_iter().map(Row::heard).collect();
        let report =
            Report { number: Some(self.number), boot: self.boot, at, sightings, ..Report::default() };
        let payload = if self.binary { encode::binary(&report) } else { encode::json(&report) };
        self.publisher.publish(&self.sightings, false, payload).await?;
        self.last = at;
        self.outcome.messages_sent += 1;
        self.outcome.rows_sent += rows;
        Ok(())
    }
}

/// When a row is due.
#[derive(Clone, Copy, Debug)]
struct Pace {
    speed: Speed,
    /// A moment of the steady clock, and the capture time that it stands for.
    anchor: Option<(Duration, i64)>,
}

impl Pace {
    fn wait(&self, at: i64, now: Duration) -> Option<Duration> {
        let (Speed::Times(times), Some((begun, first))) = (self.speed, self.anchor) else { return None };
        let since_first_secs = (at - first).max(0) as f64 / 1000.0 / times;
        let due = begun.checked_add(Duration::try_from_secs_f64(since_first_secs).ok()?)?;
        due.checked_sub(now).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_due_when_its_time_has_passed_at_the_given_speed() {
        let secs = Duration::from_secs;
        let pace = |speed| Pace { speed, anchor: Some((secs(5), 1_000_000)) };
        assert_eq!(pace(Speed::Times(1.0)).wait(1_010_000, secs(6)), Some(secs(9)));
        assert_eq!(pace(Speed::Times(10.0)).wait(1_010_000, secs(5)), Some(secs(1)));
        assert_eq!(pace(Speed::Times(10.0)).wait(1_010_000, secs(7)), None, "late");
        assert_eq!(pace(Speed::Max).wait(1_010_000, secs(5)), None);
    }

    #[test]
    fn files_are_read_and_put_to_the_test_before_anything_is_sent() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, times: &[i64]| {
            let rows = times.iter().map(|at| format!("{at},a4:c1:38:11:22:33,-67\n"));
            let path = dir.path().join(name);
            std::fs::write(&path, format!("time_ms,id,rssi_dbm\nnever,x,1\n{}", rows.collect::<String>()))
                .unwrap();
            path
        };
        let (early, late, empty) = (file("early", &[3, 1]), file("late", &[3, 9]), file("empty", &[]));
        let files = [early.clone(), empty.clone(), late.clone()];
        let (parts, unread) = read(&files).unwrap();
        assert_eq!(
            parts.iter().map(|part| (part.first, part.rows.len())).collect::<Vec<_>>(),
            [(1, 2), (3, 2)]
        );
        assert_eq!(unread.bad_time, 3);
        assert!(matches!(read(&[late, early]), Err(Error::OutOfOrder { .. })));
        assert!(matches!(read(&[empty]), Err(Error::Empty)));
    }

    #[test]
    fn a_speed_is_a_number_over_0_or_max() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("2.5".parse(), Ok(Speed::Times(2.5)));
        for text in ["0", "-1", "inf", "NaN", "fast", ""] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }
}

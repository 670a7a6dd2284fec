//! A mall, published: the past as fast as the broker acknowledges, then live.

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use chrono::NaiveDate;

use super::calendar::VenueDay;
use super::{Mall, Message, Scenario, truth};
use crate::clock;
use crate::progress::Progress;
use crate::publisher::{self, BrokerUrl, Line, Publisher};
use crate::replay::Speed;

/// The most past days of one run.
pub const DAYS_MAX: u32 = 400;

/// Messages in flight, unless the broker allows fewer.
const INFLIGHT_MAX: u16 = 1000;

const DAY_MS: i64 = 86_400_000;

/// What to simulate, and where to say it.
#[derive(Clone, Debug)]
pub struct Order {
    /// The broker.
    pub url: BrokerUrl,
    /// The same one makes the same crowd.
    pub seed: u64,
    /// Where to begin; without it, as many days ago as there are past days.
    pub from: Option<NaiveDate>,
    /// Past days.
    pub days: u32,
    /// How fast the past days pass; without any, how fast time passes from then on.
    pub speed: Speed,
    /// Whether to go on after the past days, in real time.
    pub live: bool,
    /// Where the truth is written.
    pub truth: Option<PathBuf>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Outcome {
    /// The simulated time that passed.
    pub simulated_secs: f64,
    /// Sightings handed over.
    pub sightings_sent: u64,
    /// Messages handed over, the status messages among them.
    pub messages_sent: u64,
    /// Messages the broker acknowledged.
    pub messages_acknowledged: u64,
    /// Messages the broker refused.
    pub messages_refused: u64,
    /// From the first message to the last acknowledgement.
    pub elapsed_secs: f64,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker.
    #[error(transparent)]
    Publisher(#[from] publisher::Error),
    /// The truth's file.
    #[error("writing the truth to {}: {source}", path.display())]
    Truth {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// More than [`DAYS_MAX`].
    #[error("{days} days asked for; at most {DAYS_MAX} fit in one run")]
    Days {
        /// How many.
        days: u32,
    },
    /// Real time cannot go on from a date.
    #[error("going on live needs past days that end now; leave out the date or --live")]
    LiveFromDate,
}

/// How time passes.
#[derive(Clone, Copy, Debug)]
enum Pace {
    Max,
    /// From a moment of the steady clock that stands for a simulated one, so many times as fast.
    Times(f64, Duration, i64),
    /// As the machine's clock says.
    Live,
}

impl Order {
    /// Where the past begins and ends, epoch ms; without an end it runs until it is stopped.
    fn span(&self, scenario: &Scenario, now: i64) -> Result<(i64, Option<i64>), Error> {
        let days = i64::from(self.days);
        if self.days > DAYS_MAX {
            return Err(Error::Days { days: self.days });
        }
        if self.live && self.from.is_some() {
            return Err(Error::LiveFromDate);
        }
        let begin = self.from.map(|date| VenueDay::of(scenario, date));
        let from = begin.map_or(now - days * DAY_MS, |day| day.from);
        if self.days == 0 {
            return Ok((from, None));
        }
        let end = begin.map(|day| (0..self.days).fold(day, |day, _| day.next(scenario)).from);
        Ok((from, Some(end.unwrap_or(now))))
    }
}

/// Publishes a mall until its days are over or `stop` comes, and returns once the broker has acknowledged every
/// message.
///
/// # Errors
/// When the order makes no sense, the broker is gone for good, or the truth cannot be written.
pub async fn run(
    scenario: &Scenario,
    order: &Order,
    progress: &Progress,
    stop: impl Future<Output = ()>,
) -> Result<Outcome, Error> {
    let (from, end) = order.span(scenario, clock::now_ms())?;
    let begun = clock::steady();
    let mut sending = Sending {
        publisher: Publisher::open(Line {
            url: order.url.clone(),
            client_id: format!("sensor-sim-run-{}", clock::fresh_boot()),
            inflight_max: INFLIGHT_MAX,
            // One connection speaks for many sensors, and a will is for one: their silence has to tell.
            will: None,
        }),
        mall: Mall::new(scenario, order.seed, from),
        next: None,
        from,
        now: from,
        outcome: Outcome::default(),
    };
    let mut stop = pin!(stop);
    let pace = match order.speed {
        Speed::Max => Pace::Max,
        Speed::Times(times) => Pace::Times(times, begun, from),
    };
    let mut stopped = tokio::select! {
        ended = sending.until(end, pace, progress) => ended.map(|()| false)?,
        () = &mut stop => true,
    };
    if order.live && end.is_some() && !stopped {
        sending.publisher.settle().await?;
        write_truth(scenario, order, (from, sending.now))?;
        stopped = tokio::select! {
            ended = sending.until(None, Pace::Live, progress) => ended.map(|()| false)?,
            () = &mut stop => true,
        };
    }
    tracing::debug!(stopped, "the mall closes");
    sending.leave().await?;
    write_truth(scenario, order, (from, sending.now))?;
    sending.close(begun).await
}

struct Sending {
    publisher: Publisher,
    mall: Mall,
    /// Made, but not yet due or taken: a stop must not lose it.
    next: Option<Message>,
    from: i64,
    now: i64,
    outcome: Outcome,
}

impl Sending {
    async fn until(&mut self, end: Option<i64>, pace: Pace, progress: &Progress) -> Result<(), Error> {
        loop {
            if self.next.is_none() {
                self.next = self.mall.next_message();
            }
            let Some(at) = self.next.as_ref().map(|message| message.at_ms) else { return Ok(()) };
            if end.is_some_and(|end| at > end) {
                return Ok(());
            }
            if let Some(wait) = pace.wait(at) {
                tokio::time::sleep(wait).await;
            }
            self.publisher_takes_next().await?;
            self.now = at;
            let secs = (at - self.from) / 1000;
            let sightings = self.outcome.sightings_sent;
            progress.set(secs.unsigned_abs(), || format!("{sightings} sightings"));
        }
    }

    async fn publisher_takes_next(&mut self) -> Result<(), Error> {
        let place = self.publisher.place().await?;
        if let Some(message) = self.next.take() {
            self.outcome.sightings_sent += message.sightings as u64;
            self.outcome.messages_sent += 1;
            place.publish(&message.topic, message.retain, message.payload)?;
        }
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), Error> {
        for message in self.mall.goodbyes() {
            self.publisher.publish(&message.topic, message.retain, message.payload).await?;
            self.outcome.messages_sent += 1;
        }
        Ok(self.publisher.settle().await?)
    }

    async fn close(mut self, begun: Duration) -> Result<Outcome, Error> {
        self.outcome.messages_acknowledged = self.publisher.acknowledged();
        self.outcome.messages_refused = self.publisher.refused();
        self.outcome.simulated_secs = (self.now - self.from) as f64 / 1000.0;
        self.outcome.elapsed_secs = clock::steady().saturating_sub(begun).as_secs_f64();
        self.publisher.close().await?;
        Ok(self.outcome)
    }
}

impl Pace {
    fn wait(self, at: i64) -> Option<Duration> {
        let wait = match self {
            Self::Max => return None,
            Self::Live => Duration::from_millis((at - clock::now_ms()).max(0).unsigned_abs()),
            Self::Times(times, begun, from) => {
                let since_secs = (at - from).max(0) as f64 / 1000.0 / times;
                let due = begun.checked_add(Duration::try_from_secs_f64(since_secs).ok()?)?;
                due.saturating_sub(clock::steady())
            }
        };
        Some(wait).filter(|wait| !wait.is_zero())
    }
}

fn write_truth(scenario: &Scenario, order: &Order, (from, to): (i64, i64)) -> Result<(), Error> {
    let Some(path) = &order.truth else { return Ok(()) };
    let lines = truth::of(scenario, order.seed, from, to);
    write_lines(path, &lines).map_err(|source| Error::Truth { path: path.clone(), source })
}

fn write_lines(path: &Path, lines: &[truth::Line]) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for line in lines {
        serde_json::to_writer(&mut file, line)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

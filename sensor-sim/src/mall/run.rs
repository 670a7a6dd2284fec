//! Venues, published: the past as fast as the broker acknowledges, then live.

use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use chrono::NaiveDate;

use super::calendar::VenueDay;
use super::venues::{VENUES_MAX, Venues, seed_of};
use super::{Message, Scenario, truth};
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
    /// None, more than [`VENUES_MAX`], or two of one id.
    #[error("{venues} venues asked for; a run has 1 to {VENUES_MAX}, and no two of one id")]
    Venues {
        /// How many.
        venues: usize,
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
    /// Where the past begins and ends, epoch ms; without an end it runs until it is stopped. The days of several venues
    /// begin with the first and end with the last of them.
    fn span(&self, scenarios: &[Scenario], now: i64) -> Result<(i64, Option<i64>), Error> {
        let days = i64::from(self.days);
        if self.days > DAYS_MAX {
            return Err(Error::Days { days: self.days });
        }
        if self.live && self.from.is_some() {
            return Err(Error::LiveFromDate);
        }
        let Some(date) = self.from else {
            return Ok((now - days * DAY_MS, (self.days > 0).then_some(now)));
        };
        let begins = scenarios.iter().map(|scenario| VenueDay::of(scenario, date));
        let from = begins.clone().map(|day| day.from).min().unwrap_or(now);
        let ends = begins
            .zip(scenarios)
            .map(|(day, scenario)| (0..self.days).fold(day, |day, _| day.next(scenario)).from);
        Ok((from, ends.max().filter(|_| self.days > 0)))
    }
}

fn check(scenarios: &[Scenario]) -> Result<(), Error> {
    let mut ids: Vec<&str> = scenarios.iter().map(|scenario| scenario.venue.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != scenarios.len() || !(1..=VENUES_MAX).contains(&scenarios.len()) {
        return Err(Error::Venues { venues: scenarios.len() });
    }
    Ok(())
}

/// One venue, as [`run_all`].
///
/// # Errors
/// As [`run_all`].
pub async fn run(
    scenario: &Scenario,
    order: &Order,
    progress: &Progress,
    stop: impl Future<Output = ()>,
) -> Result<Outcome, Error> {
    run_all(std::slice::from_ref(scenario), order, progress, stop).await
}

/// Publishes venues until their days are over or `stop` comes, and returns once the broker has acknowledged every
/// message.
///
/// # Errors
/// When the order makes no sense, the broker is gone for good, or the truth cannot be written.
pub async fn run_all(
    scenarios: &[Scenario],
    order: &Order,
    progress: &Progress,
    stop: impl Future<Output = ()>,
) -> Result<Outcome, Error> {
    check(scenarios)?;
    let (from, end) = order.span(scenarios, clock::now_ms())?;
    let begun = clock::steady();
    let mut sending = Sending {
        publisher: Publisher::open(Line {
            url: order.url.clone(),
            client_id: format!("sensor-sim-run-{}", clock::fresh_boot()),
            inflight_max: INFLIGHT_MAX,
            // One connection speaks for many sensors, and a will is for one: their silence has to tell.
            will: None,
        }),
        venues: Venues::new(scenarios, order.seed, from),
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
        write_truth(scenarios, order, (from, sending.now))?;
        stopped = tokio::select! {
            ended = sending.until(None, Pace::Live, progress) => ended.map(|()| false)?,
            () = &mut stop => true,
        };
    }
    tracing::debug!(stopped, "the mall closes");
    sending.leave().await?;
    write_truth(scenarios, order, (from, sending.now))?;
    sending.close(begun).await
}

struct Sending {
    publisher: Publisher,
    venues: Venues,
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
                self.next = self.venues.next_message();
            }
            let Some(at) = self.next.as_ref().map(|message| message.at_ms) else { return Ok(()) };
            if end.is_some_and(|end| at > end) {
                return Ok(());
            }
            if let Some(wait) = pace.wait(at, clock::now_ms(), clock::steady()) {
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
        for message in self.venues.goodbyes() {
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
    /// How long a message of a simulated moment still has to wait, given wall and steady time.
    fn wait(self, at: i64, now_ms: i64, steady: Duration) -> Option<Duration> {
        let wait = match self {
            Self::Max => return None,
            Self::Live => Duration::from_millis((at - now_ms).max(0).unsigned_abs()),
            Self::Times(times, begun, from) => {
                let since_secs = (at - from).max(0) as f64 / 1000.0 / times;
                let due = begun.checked_add(Duration::try_from_secs_f64(since_secs).ok()?)?;
                due.saturating_sub(steady)
            }
        };
        Some(wait).filter(|wait| !wait.is_zero())
    }
}

fn write_truth(scenarios: &[Scenario], order: &Order, (from, to): (i64, i64)) -> Result<(), Error> {
    let Some(path) = &order.truth else { return Ok(()) };
    let venues = scenarios.iter().enumerate();
    let lines = venues.flat_map(|(i, scenario)| truth::of(scenario, seed_of(order.seed, i), from, to));
    write_lines(path, lines).map_err(|source| Error::Truth { path: path.clone(), source })
}

fn write_lines(path: &Path, lines: impl Iterator<Item = truth::Line>) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for line in lines {
        serde_json::to_writer(&mut file, &line)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::mall::{MALL, SHIPPED};

    fn order(days: u32, from: Option<NaiveDate>) -> Order {
        let url = "mqtt://127.0.0.1:1883".parse().unwrap();
        Order { url, seed: 1, from, days, speed: Speed::Max, live: false, truth: None }
    }

    #[test]
    fn a_message_waits_for_its_moment_as_fast_as_was_asked() {
        let (begun, from) = (Duration::from_secs(50), 1_000_000);
        let wait = |pace: Pace, steady_secs| {
            pace.wait(from + 600_000, from + 590_000, Duration::from_secs(steady_secs))
        };
        assert_eq!(wait(Pace::Max, 50), None);
        assert_eq!(wait(Pace::Live, 50), Some(Duration::from_secs(10)));
        // Ten minutes at 600 times real time are due a second after the beginning.
        assert_eq!(wait(Pace::Times(600.0, begun, from), 50), Some(Duration::from_secs(1)));
        assert_eq!(wait(Pace::Times(600.0, begun, from), 51), None);
        assert_eq!(wait(Pace::Times(1.0, begun, from), 51), Some(Duration::from_secs(599)));
    }

    #[test]
    fn days_of_several_venues_begin_with_the_first_and_end_with_the_last() {
        let here = Scenario::parse(MALL).unwrap();
        let east =
            Scenario::parse(&MALL.replace("Europe/Paris", "Asia/Tokyo").replace("\"mall\"", "\"east\""))
                .unwrap();
        let date = NaiveDate::from_ymd_opt(2026, 3, 3);
        let alone = |scenario: &Scenario| order(2, date).span(from_ref(scenario), 0).unwrap();
        let both = order(2, date).span(&[here.clone(), east.clone()], 0).unwrap();
        assert_eq!(both, (alone(&east).0, alone(&here).1));
        assert_eq!(alone(&here).0 - alone(&east).0, 8 * 3_600_000);
        assert_eq!(order(2, None).span(from_ref(&here), 7 * DAY_MS).unwrap(), (5 * DAY_MS, Some(7 * DAY_MS)));
        assert_eq!(order(0, date).span(from_ref(&here), 0).unwrap().1, None);
        assert!(check(&[here.clone(), east]).is_ok());
        assert!(matches!(check(&[here.clone(), here]), Err(Error::Venues { venues: 2 })));
        assert!(matches!(check(&[]), Err(Error::Venues { venues: 0 })));
    }

    #[test]
    fn several_venues_speak_in_order_of_time_and_each_as_if_it_were_alone() {
        let night =
            Scenario::parse(SHIPPED.iter().find(|(file, _)| *file == "night.toml").unwrap().1).unwrap();
        let scenarios = [Scenario::parse(MALL).unwrap(), night];
        let (from, to) = (1_772_506_800_000, 1_772_506_800_000 + 600_000);
        let mut venues = Venues::new(&scenarios, 1, from);
        let said: Vec<Message> =
            std::iter::from_fn(|| venues.next_message()).take_while(|message| message.at_ms < to).collect();
        assert!(said.is_sorted_by_key(|message| message.at_ms));
        for (i, scenario) in scenarios.iter().enumerate() {
            let mut alone = crate::mall::Mall::new(scenario, seed_of(1, i), from);
            let alone: Vec<Message> = std::iter::from_fn(|| alone.next_message())
                .take_while(|message| message.at_ms < to)
                .collect();
            let topic = format!("/{}/", scenario.venue());
            let own: Vec<&Message> = said.iter().filter(|message| message.topic.contains(&topic)).collect();
            assert!(own.len() > 100 && own.iter().copied().eq(&alone), "{topic}");
        }
    }
}

//! `passant evaluate`: the crowd lens over recorded captures, offline. It opens no socket and keeps nothing, and it is
//! exempt from k: one's own capture on one's own screen.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use passant_wire::{Id, Kind};

use crate::aggregate::{Closed, Place};
use crate::clock::{Calendar, EpochMs, SteadyMs, Step};
use crate::config::{ClockKind, CrowdRadio, Hours, Sensor, Thresholds, Venue, Zone};
use crate::optout::{Gate, Key};
use crate::pipeline::{Lenses, Moment};
use crate::sighting::{
    AddressClass, DeviceId, HeadCount, Header, ItemRefusals, SensorRef, SensorReport, Sighting,
};
use crate::telemetry::Tally;

/// Rows handed on at once, at most, and how much time of the capture they may span, ms.
const BATCH_ROWS_MAX: usize = 100;
const BATCH_MS_MAX: i64 = 1_000;
/// Epoch ms of the year 10000; a row from there on is in another unit than ms.
const TIME_END_MS: i64 = 253_402_300_800_000;
/// After the last row the clock is moved on this far, so that every window of the capture closes, ms.
const CLOSING_MS: i64 = 20 * 60_000;

/// What to evaluate.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Captures of one sensor, in order of time: CSV with the header time_ms,id,rssi_dbm, plain or gzip
    #[arg(required = true)]
    pub captures: Vec<PathBuf>,
    /// Head counts: CSV with the header from_ms,to_ms,people; each count acts from its end on
    #[arg(long)]
    pub head_counts: Option<PathBuf>,
    /// The venue's time zone, an IANA name
    #[arg(long, default_value = "UTC")]
    pub tz: String,
}

/// A five-minute window with its estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The first moment after the window.
    pub window_end: EpochMs,
    /// People.
    pub people: f64,
    /// Half the width of the 80 % band.
    pub half_width: f64,
}

/// What was read and what came out of it.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Windows that have data, in order of time.
    pub estimates: Vec<Estimate>,
    /// Rows read.
    pub rows: u64,
    /// Rows that did not read, or whose sender cannot be one: a Wi-Fi address with the group bit.
    pub bad_rows: u64,
}

/// Evaluates and prints CSV: window_end_ms,estimate,low,high.
///
/// # Errors
/// When a file cannot be read or a time zone is not known.
pub fn run(options: &Options, mut out: impl Write) -> Result<()> {
    let evaluation = evaluate(options)?;
    writeln!(out, "window_end_ms,estimate,low,high")?;
    for Estimate { window_end, people, half_width } in &evaluation.estimates {
        let (low, high) = ((people - half_width).max(0.0), people + half_width);
        writeln!(out, "{},{people:.2},{low:.2},{high:.2}", window_end.0)?;
    }
    if evaluation.bad_rows > 0 {
        tracing::warn!(
            rows = evaluation.rows,
            bad = evaluation.bad_rows,
            "some rows did not read and were left out"
        );
    }
    Ok(())
}

/// Evaluates.
///
/// # Errors
/// As [`run`].
pub fn evaluate(options: &Options) -> Result<Evaluation> {
    let tz = options
        .tz
        .parse()
        .ok()
        .with_context(|| format!("{:?} is no IANA time zone like Europe/Prague", options.tz))?;
    let mut lenses: Option<Player> = None;
    let mut evaluation = Evaluation::default();
    let counts = options.head_counts.as_deref().map(head_counts).transpose()?.unwrap_or_default();
    for path in &options.captures {
        for row in rows(path)? {
            evaluation.rows += 1;
            let Some((at, sighting)) = row? else {
                evaluation.bad_rows += 1;
                continue;
            };
            let player = match &mut lenses {
                Some(player) => player,
                None => lenses.insert(Player::new(tz, at, &counts)?),
            };
            player.take(at, sighting, &mut evaluation.estimates)?;
        }
    }
    if let Some(player) = &mut lenses {
        player.finish(&mut evaluation.estimates)?;
    }
    Ok(evaluation)
}

/// Plays rows to the lenses of a venue with one zone and one sensor, in batches like a sensor's.
struct Player {
    lenses: Lenses,
    gate: Gate,
    start: EpochMs,
    now: EpochMs,
    batch: Vec<Sighting>,
}

impl Player {
    fn new(tz: chrono_tz::Tz, start: EpochMs, counts: &[HeadCount]) -> Result<Self> {
        let venue = Arc::new(one_room(tz)?);
        let mut lenses = Lenses::new(venue, None, Tally::default());
        for count in counts {
            lenses.head_count(count, start);
        }
        Ok(Self {
            lenses,
            gate: Gate::new(std::sync::Arc::new(Key::random()?)),
            start,
            now: start,
            batch: Vec::new(),
        })
    }

    fn take(&mut self, at: EpochMs, sighting: Sighting, out: &mut Vec<Estimate>) -> Result<()> {
        let first = self.batch.first().and_then(|s| s.at).unwrap_or(at);
        if self.batch.len() == BATCH_ROWS_MAX || at.since(first) > BATCH_MS_MAX {
            self.flush(out)?;
        }
        if at < self.now.plus_secs(-i64::from(passant_wire::LIFE_SECS)) {
            bail!("the captures are not in order of time: a row lies before rows that were read already");
        }
        self.now = self.now.max(at);
        self.batch.push(sighting);
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<Estimate>) -> Result<()> {
        let sightings = std::mem::take(&mut self.batch);
        let at = sightings.iter().filter_map(|s| s.at).max().unwrap_or(self.now);
        let moment = self.moment(at);
        self.advance(moment, out);
        let header = Header { at: Some(at), ..Header::default() };
        let from = SensorRef { venue: 0, sensor: 0 };
        let report = SensorReport { from, header, sightings, refused: ItemRefusals::default() };
        self.lenses.report(&self.gate, report, moment)?;
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Estimate>) -> Result<()> {
        self.flush(out)?;
        let end = self.moment(EpochMs(self.now.0 + CLOSING_MS));
        self.advance(end, out);
        Ok(())
    }

    /// Keys age by the capture's own time here: nobody waits for it.
    fn moment(&self, at: EpochMs) -> Moment {
        Moment { at, steady: SteadyMs(at.since(self.start)) }
    }

    fn advance(&mut self, moment: Moment, out: &mut Vec<Estimate>) {
        for closed in self.lenses.advance(moment).closed {
            let Closed::Crowd(window) = closed else { continue };
            let zone = window.rows.iter().find(|(place, _)| *place == Place::Zone(0));
            if window.step == Step::FiveMinutes
                && let Some(level) = zone.and_then(|(_, covered)| covered.row.mean)
            {
                let window_end = window.window.to;
                out.push(Estimate { window_end, people: level.people, half_width: level.half_width });
            }
        }
    }
}

/// A venue of one zone and one sensor that is always open.
fn one_room(tz: chrono_tz::Tz) -> Result<Venue> {
    let id = |text| Id::parse(text).context("an id");
    let day_starts_at = chrono::NaiveTime::from_hms_opt(4, 0, 0).context("a time")?;
    Ok(Venue {
        events: Vec::new(),
        alerts: Vec::new(),
        notice: crate::config::Notice::default(),
        id: id("capture")?,
        name: "capture".to_owned(),
        calendar: Calendar::new(tz, day_starts_at),
        timezone: tz.name().to_owned(),
        clock: ClockKind::Sightings,
        hours: Hours::default(),
        crowd_radio: CrowdRadio::Wifi,
        thresholds: Thresholds::default(),
        zones: vec![Zone {
            id: id("room")?,
            name: "room".to_owned(),
            group: None,
            is_entrance: false,
            near_dbm: None,
            polygon: Vec::new(),
        }],
        groups: Vec::new(),
        sensors: vec![Sensor { id: id("sensor")?, zone: 0, rssi_offset_db: 0 }],
    })
}

fn rows(path: &Path) -> Result<impl Iterator<Item = Result<Option<(EpochMs, Sighting)>>>> {
    let what = || format!("reading the capture {}", path.display());
    let mut lines = open(path).with_context(what)?.lines();
    let header = lines.next().transpose().with_context(what)?.unwrap_or_default();
    if header.trim() != "time_ms,id,rssi_dbm" {
        bail!("{}: the first line must be time_ms,id,rssi_dbm", path.display());
    }
    let path = path.to_owned();
    Ok(lines
        .map(move |line| Ok(row(&line.with_context(|| format!("reading the capture {}", path.display()))?))))
}

fn row(line: &str) -> Option<(EpochMs, Sighting)> {
    let mut fields = line.trim().splitn(3, ',');
    let at = EpochMs(fields.next()?.parse().ok().filter(|ms| (0..TIME_END_MS).contains(ms))?);
    let device = DeviceId::parse(fields.next()?).filter(|device| !device.is_group())?;
    let rssi = fields.next()?.parse().ok()?;
    let class = AddressClass::of(Kind::Wifi, &device);
    Some((at, Sighting { device, class, rssi, at: Some(at) }))
}

fn head_counts(path: &Path) -> Result<Vec<HeadCount>> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("reading head counts {}", path.display()))?;
    let rows = reader.deserialize::<(i64, i64, u32)>().enumerate();
    let count = |(row, line): (usize, csv::Result<(i64, i64, u32)>)| {
        let (from, to, people) = line.with_context(|| {
            format!("head counts {}: row {} is not from_ms,to_ms,people", path.display(), row + 1)
        })?;
        Ok(HeadCount {
            venue: 0,
            zone: 0,
            row: row as i64,
            from: EpochMs(from),
            to: EpochMs(to),
            people: Some(people),
            root_mean_centi: None,
        })
    };
    rows.map(count).collect()
}

/// Opens a file, unpacking gzip by its first two bytes.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    let gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn Read> =
        if gzip { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok(Box::new(BufReader::new(reader)))
}

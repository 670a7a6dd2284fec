//! A server's corridor with its vault, driven by hand through crashes. A test takes this file in with
//! `#[path = "support/restart.rs"] mod restart;`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use passant::clock::{EpochMs, SteadyMs};
use passant::config::{Config, Venue};
use passant::intake::{self, Directory};
use passant::ledger::Event;
use passant::optout::{Gate, Key};
use passant::pipeline::{Corridor, Earlier, Journal, Reading, Room, Write};
use passant::release::{Figure, Sheet};
use passant::sighting::Arrival;
use passant::telemetry::Tally;
use passant::vault::Vault;
use passant_wire::{BootId, DeviceId, Heard, Kind, Report, Status, encode};
use tokio::sync::watch;

/// 2026-11-24T10:00Z, a Tuesday.
pub(crate) const START: i64 = 1_795_514_400_000;
/// A key is born this long after the machine has started, ms.
const STEADY: i64 = 5_000_000;

/// What outlives a crash: the store's figures, the ledger's events, the key of the objections.
pub(crate) struct House {
    pub(crate) venue: Venue,
    directory: Directory,
    vault: Option<Vault>,
    key: Arc<Key>,
    corridor: Option<Corridor>,
    /// The store: what is written stays as it was first written.
    pub(crate) figures: BTreeMap<String, Figure>,
    pub(crate) sheets: BTreeMap<String, Sheet>,
    pub(crate) ledger: Vec<Event>,
    /// How far the wall clock was set, ms.
    pub(crate) set_by_ms: i64,
    number: u64,
}

impl House {
    pub(crate) fn new(text: &str, vault: Option<&Path>) -> Self {
        let config = Config::parse(text, std::iter::empty()).expect("the configuration is good");
        let vault = vault.map(|dir| Vault::open(dir, &[]).expect("the vault is in memory"));
        Self {
            venue: config.venues[0].clone(),
            directory: Directory::new(&config),
            vault,
            key: Arc::new(Key::random().expect("random bytes")),
            corridor: None,
            figures: BTreeMap::new(),
            sheets: BTreeMap::new(),
            ledger: Vec::new(),
            set_by_ms: 0,
            number: 0,
        }
    }

    pub(crate) fn reading(&self, at: i64) -> Reading {
        Reading { wall: EpochMs(at + self.set_by_ms), steady: SteadyMs(STEADY + at - START) }
    }

    /// The server starts, as `serve` does it.
    pub(crate) fn start(&mut self, at: i64, heard_until: Option<i64>) {
        let now = self.reading(at);
        let mut journal =
            self.vault.as_ref().map(|vault| Journal::open(vault, &self.venue, now).expect("it is opened"));
        if let Some(journal) = &journal {
            let unwritten = journal.unwritten().to_vec();
            self.write(unwritten);
        }
        let published = self.figures.values().map(|figure| figure.window().to).max();
        if let Some(journal) = &mut journal {
            journal.published(published);
        }
        let heard_until = heard_until.map(EpochMs);
        let earlier = Earlier { published, heard_until, journal, ..Earlier::default() };
        let room = Room {
            venue: Arc::new(self.venue.clone()),
            thresholds: 1,
            calibration: None,
            earlier,
            live: watch::channel(None).0,
        };
        self.corridor = Some(Corridor::new(Gate::new(self.key.clone()), vec![room], Tally::default()));
        self.ledger.push(Event::Started);
        self.tick(at);
    }

    /// Nobody is told: what is in memory is gone.
    pub(crate) fn crash(&mut self) {
        self.corridor = None;
    }

    /// The server stops as it was told to.
    pub(crate) fn stop(&mut self, at: i64) {
        let now = self.reading(at);
        let mut corridor = self.corridor.take().expect("a server runs");
        corridor.journal(now, [].iter());
        let mut out = Vec::new();
        corridor.end(now, &mut out);
        self.write(out);
    }

    /// Open state is kept now.
    pub(crate) fn journal(&mut self, at: i64) {
        let now = self.reading(at);
        self.corridor.as_mut().expect("a server runs").journal(now, [].iter());
    }

    pub(crate) fn is_up(&self) -> bool {
        self.corridor.is_some()
    }

    pub(crate) fn take(&mut self, at: i64, arrival: Arrival) {
        self.work(at, Some(arrival));
    }

    pub(crate) fn tick(&mut self, at: i64) {
        self.work(at, None);
    }

    /// What the corridor's thread does with a batch.
    fn work(&mut self, at: i64, arrival: Option<Arrival>) {
        let now = self.reading(at);
        let corridor = self.corridor.as_mut().expect("a server runs");
        let forgot = matches!(arrival, Some(Arrival::OptedOut { .. }));
        let mut out = Vec::new();
        if let Some(arrival) = arrival {
            corridor.take(arrival, now, &mut out).expect("a key can be made");
        }
        corridor.tick(now, &mut out).expect("a key can be made");
        if forgot || !out.is_empty() || corridor.journal_is_due(now) {
            corridor.journal(now, out.iter());
        }
        self.write(out);
    }

    fn write(&mut self, out: Vec<Write>) {
        for write in out {
            match write {
                Write::Figures(figures) => {
                    for figure in figures {
                        self.figures.entry(name(&figure)).or_insert(figure);
                    }
                }
                Write::Ledger { event, .. } => self.ledger.push(event),
                Write::Sheets(sheets) => {
                    for sheet in sheets {
                        let (subject, step) = (sheet.subject().as_str(), sheet.step().as_str());
                        let name = format!("{:?} {subject} {step} {}", sheet.zone(), sheet.window().from.0);
                        self.sheets.entry(name).or_insert(sheet);
                    }
                }
                Write::Calibration { .. } => {}
            }
        }
    }

    /// An owner objects.
    pub(crate) fn object(&mut self, at: i64, device: DeviceId) {
        let mark = self.key.marks(&device)[0];
        self.take(at, Arrival::OptedOut { device: Box::new(device), mark });
    }

    /// A message is made by a sensor; it arrives when it is taken in.
    pub(crate) fn message(&mut self, at: i64, sensor: &str, sightings: Vec<Heard>) -> (String, Vec<u8>) {
        self.number += 1;
        let boot = BootId::parse(b"test");
        let report = Report { number: Some(self.number), boot, at: Some(at), sightings, ..Report::default() };
        (format!("passant/v1/mall/{sensor}/sightings"), encode::json(&report))
    }

    pub(crate) fn deliver(&mut self, at: i64, (topic, payload): &(String, Vec<u8>)) {
        let arrival = intake::take_in(&self.directory, topic, payload, false, None);
        self.take(at, arrival.unwrap_or_else(|_| panic!("{topic} was refused")));
    }

    pub(crate) fn status(&mut self, at: i64, sensor: &str) {
        let status = Status { online: true, at: Some(at), number: None };
        self.deliver(at, &(format!("passant/v1/mall/{sensor}/status"), encode::status(&status)));
    }

    /// The value of a figure of the venue.
    pub(crate) fn value(&self, metric: &str, step: &str, from: i64) -> Option<u32> {
        self.figures[&format!("venue {metric} {step} {from}")].value().map(|banded| banded.value)
    }

    /// Every figure that says it was made under two keys.
    pub(crate) fn rekeyed(&self) -> Vec<&String> {
        self.figures.iter().filter(|(_, figure)| figure.flags().rekeyed).map(|(name, _)| name).collect()
    }
}

fn name(figure: &Figure) -> String {
    let place = figure.scope().id().map_or("venue", |id| id.as_str());
    let (metric, step) = (figure.metric().as_str(), figure.step().as_str());
    format!("{place} {metric} {step} {}", figure.window().from.0)
}

/// An address that stays the same.
pub(crate) fn lasting(who: u8) -> DeviceId {
    DeviceId::from_octets([0x04, 0xca, 0xfe, 0xba, 0xbe, who]).expect("an address")
}

/// An address that changes every two minutes.
pub(crate) fn passing(who: u8, at: i64) -> DeviceId {
    let turn = (at - START).div_euclid(120_000);
    DeviceId::from_octets([0x02, 0xfe, who, 0, (turn >> 8) as u8, turn as u8]).expect("an address")
}

pub(crate) fn heard(device: DeviceId, at: i64, rssi: i8) -> Heard {
    Heard { device, kind: Kind::Wifi, rssi, at: Some(at) }
}

// The tests and the bench need a part of it each; naming each part here keeps the rest from being called dead.
const _: fn(&mut House, i64) = House::stop;
const _: fn(&mut House, i64) = House::journal;
const _: fn(&House) -> bool = House::is_up;
const _: fn(&mut House, i64, DeviceId) = House::object;
const _: fn(&mut House, i64, &str) = House::status;
const _: fn(&House, &str, &str, i64) -> Option<u32> = House::value;
const _: fn(&House) -> Vec<&String> = House::rekeyed;
const _: fn(u8) -> DeviceId = lasting;
const _: fn(u8, i64) -> DeviceId = passing;

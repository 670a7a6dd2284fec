use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::*;
use crate::broker;
use crate::clock::Machine;
use crate::config::{Config, EXAMPLE, Venue};
use crate::intake::{self, Directory, Strangers};
use crate::ledger::Ledger;
use crate::link;
use crate::optout::{Gate, Key, KeyFile, ObjectionMark, SHORT_BITS};
use crate::pipeline::{self, Corridor, Room, Running};
use crate::sighting::{Arrival, Delivery};
use crate::store::{Kind, Store};
use crate::telemetry::Tally;

/// The faults that are planted, each in its own place of the way.
#[derive(Clone, Copy, PartialEq)]
enum Planted {
    Nothing,
    /// A quarter of all marks is set, as with very many decoys.
    ManyMarks,
    /// Every mark is set.
    EveryMark,
    /// Nobody takes messages in.
    IntakeStands,
    /// The gate knows nobody's objection.
    GateOfAnotherKey,
    /// A withdrawal is answered and not carried out.
    WithdrawalsLost,
    /// Nobody listens at the broker's address.
    NoBroker,
    /// The broker refuses what is published.
    Forbidden,
}

/// All of the way but HTTP: a broker, the link, the intake, the corridor's thread, the desk, in one process.
struct Way {
    test: SelfTest,
    store: Store,
    tally: Tally,
    strangers: Strangers,
    live: watch::Receiver<Option<Arc<crate::release::Live>>>,
    venue: Id,
    _corridor: Running,
    _link: link::Handle,
    _broker: Option<broker::Running>,
    _dir: TempDir,
}

/// The example in the time of its sightings, so that every counter is told at once.
fn config(data: PathBuf, port: u16) -> Config {
    let text = EXAMPLE
        .replace("/var/lib/passant\"", &format!("{}\"", data.display()))
        .replace("clock = \"wall\"", "clock = \"sightings\"")
        .replace("127.0.0.1:1883", &format!("127.0.0.1:{port}"));
    Config::parse(&text, std::iter::empty()).unwrap()
}

async fn broker_of(planted: Planted) -> (u16, Option<broker::Running>) {
    match planted {
        Planted::NoBroker => (1, None),
        Planted::Forbidden => (refusing_broker().await, None),
        _ => {
            let listen = ([127, 0, 0, 1], 0).into();
            let started = broker::start(broker::Options { listen, ..broker::Options::default() }).await;
            let (address, running) = started.unwrap();
            (address.port(), Some(running))
        }
    }
}

/// A broker of MQTT 5 that takes a subscription and refuses whatever is published.
pub(in crate::app) async fn refusing_broker() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = refuse(socket).await;
        }
    });
    port
}

async fn refuse(mut socket: TcpStream) -> std::io::Result<()> {
    loop {
        let kind = socket.read_u8().await? >> 4;
        let mut len = usize::from(socket.read_u8().await?);
        if len > 127 {
            len = len - 128 + 128 * usize::from(socket.read_u8().await?);
        }
        let mut body = vec![0; len];
        socket.read_exact(&mut body).await?;
        let reply = match kind {
            1 => vec![0x20, 3, 0, 0, 0],
            3 => {
                let id = 2 + usize::from(body[1]);
                // Not authorized.
                vec![0x40, 3, body[id], body[id + 1], 0x87]
            }
            8 => vec![0x90, 5, body[0], body[1], 0, 1, 1],
            12 => vec![0xd0, 0],
            _ => return Ok(()),
        };
        socket.write_all(&reply).await?;
    }
}

fn gate_of(planted: Planted, mut gate: Gate) -> Gate {
    let marks = match planted {
        Planted::ManyMarks => 0..1 << (SHORT_BITS - 2),
        Planted::EveryMark => 0..1 << SHORT_BITS,
        Planted::GateOfAnotherKey => return Gate::new(Arc::new(Key::random().unwrap())),
        _ => 0..0,
    };
    marks.for_each(|number| gate.object(ObjectionMark { bits: SHORT_BITS, number }));
    gate
}

/// The fast lane, or one that loses withdrawals.
fn lane_of(planted: Planted, fast: mpsc::Sender<Delivery>) -> mpsc::Sender<Delivery> {
    if planted != Planted::WithdrawalsLost {
        return fast;
    }
    let (lane, mut arriving) = mpsc::channel::<Delivery>(4);
    tokio::spawn(async move {
        while let Some(delivery) = arriving.recv().await {
            if !matches!(delivery.arrival, Arrival::Withdrawn(_)) {
                let _ = fast.send(delivery).await;
            }
        }
    });
    lane
}

async fn way(planted: Planted, protocol: link::Protocol) -> Way {
    let dir = tempfile::tempdir().unwrap();
    let (port, broker) = broker_of(planted).await;
    let config = config(dir.path().join("data"), port);
    let venue: &Venue = &config.venues[0];
    std::fs::create_dir(&config.data_dir).unwrap();
    let store = Store::open(&config.data_dir, Kind::Replay).await.unwrap();
    let ledger = Ledger::open(&config.data_dir).unwrap();
    let (key, gate) = desk::open(&store, &KeyFile::new(dir.path().join("key/key"))).await.unwrap();
    let (tally, strangers) = (Tally::default(), Strangers::default());
    let (sender, live) = watch::channel(None);
    let room = Room {
        venue: Arc::new(venue.clone()),
        thresholds: 1,
        calibration: None,
        earlier: crate::pipeline::Earlier::default(),
        live: sender,
    };
    let corridor = Corridor::new(gate_of(planted, gate), vec![room], tally.clone());
    let (door, running) = pipeline::start(corridor, store.clone(), ledger, Machine::clock()).unwrap();
    let options = link::Options { protocol, ..intake::options(&config.mqtt).unwrap() };
    let (mut messages, link) = link::listen(options, &Topic::FILTERS, tally.clone());
    let directory = Directory::new(&config);
    let probes = directory.probes().clone();
    match planted {
        Planted::IntakeStands => drop(tokio::spawn(async move { while messages.recv().await.is_some() {} })),
        _ => drop(tokio::spawn(intake::run(
            messages,
            directory,
            strangers.clone(),
            door.deliveries,
            tally.clone(),
        ))),
    }
    let desk = Desk::new(key, store.clone(), lane_of(planted, door.fast));
    let mut test = SelfTest::new(link.voice(), probes, desk);
    if matches!(planted, Planted::IntakeStands | Planted::NoBroker) {
        // What never comes need not be waited for long.
        test.wait = Duration::from_millis(500);
    }
    let venue = venue.id.clone();
    Way {
        test,
        store,
        tally,
        strangers,
        live,
        venue,
        _corridor: running,
        _link: link,
        _broker: broker,
        _dir: dir,
    }
}

impl Way {
    /// The counters that are told, but the one of all that the broker sends.
    fn counters(&self) -> String {
        let told = self.tally.encode();
        told.lines().filter(|line| !line.starts_with("passant_messages_total")).collect::<Vec<_>>().join("\n")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objection_is_tried_out_over_both_versions_and_leaves_no_row() {
    for protocol in [link::Protocol::V5, link::Protocol::V311] {
        let way = way(Planted::Nothing, protocol).await;
        let rows = way.store.objections_len().await.unwrap();
        for _ in 0..3 {
            way.test.run(&way.venue).await.unwrap();
        }
        assert_eq!(way.store.objections_len().await.unwrap(), rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_moves_no_figure_counter_or_list() {
    let way = way(Planted::Nothing, link::Protocol::V5).await;
    way.test.run(&way.venue).await.unwrap();
    let before = way.counters();
    way.test.run(&way.venue).await.unwrap();
    assert_eq!(way.counters(), before);
    assert!(!before.contains(PROBE_SENSOR) && !before.contains("stray_probe"), "{before}");
    assert!(way.strangers.is_empty() && way.live.borrow().is_none());
    assert_eq!(way.store.rows_of(&way.venue).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_whose_mark_another_has_is_passed_over() {
    let way = way(Planted::ManyMarks, link::Protocol::V5).await;
    for _ in 0..8 {
        way.test.run(&way.venue).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_broken_on_the_way_fails_the_test_and_says_what_to_do() {
    for (planted, words) in [
        (Planted::NoBroker, "see that the broker of [mqtt] runs"),
        (Planted::Forbidden, "topic write passant/v1/+/passant-probe/sightings"),
        (Planted::IntakeStands, "restart the server"),
        (Planted::GateOfAnotherKey, "objections are void. Stop the server"),
        (Planted::WithdrawalsLost, "was withdrawn, and its device is dropped"),
        (Planted::EveryMark, "lets nobody pass"),
    ] {
        let way = way(planted, link::Protocol::Auto).await;
        let rows = way.store.objections_len().await.unwrap();
        let why = way.test.run(&way.venue).await.unwrap_err().to_string();
        assert!(why.contains(words), "{words} is not in: {why}");
        assert!(!why.contains("025053"), "no address is told: {why}");
        assert_eq!(way.store.objections_len().await.unwrap(), rows, "{words}");
    }
}

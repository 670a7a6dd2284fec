//! At night, with one guard walking: nothing that leaves the program moves with him.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use passant::api;
use passant::clock::{EpochMs, Machine, SteadyMs};
use passant::config::{Config, Venue};
use passant::desk::Desk;
use passant::intake::{self, Directory, Strangers};
use passant::ledger::Ledger;
use passant::office::{Accounts, HeadCounts};
use passant::optout::{Gate, Key};
use passant::pipeline::{Corridor, Earlier, Reading, Room, Write};
use passant::store::{Kind, Store};
use passant::telemetry::Tally;
use passant_wire::{BootId, Heard, Report, Status, encode};
use tokio::sync::{mpsc, watch};
use tower::ServiceExt as _;

/// 2026-11-24T23:00Z, a Tuesday.
const START: i64 = 1_795_561_200_000;
const MINUTES: i64 = 100;
const ZONES: usize = 3;
const PATHS: [&str; 8] = [
    "/api/v1/venues",
    "/api/v1/venues/mall",
    "/api/v1/venues/mall/live",
    "/api/v1/venues/mall/sensors",
    "/metrics",
    "/readyz",
    "/healthz",
    "/",
];

fn config(hours: &str, sensors_speak: bool) -> Config {
    let mut text = format!(
        "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n[privacy]\nk = 10\n[[venue]]\nid = \"mall\"\n\
         timezone = \"UTC\"\n{hours}"
    );
    for zone in 0..ZONES {
        text += &format!(
            "[[venue.zone]]\nid = \"z{zone}\"\n[[venue.sensor]]\nid = \"s{zone}\"\nzone = \"z{zone}\"\n"
        );
    }
    // One more sensor, which says no status.
    if sensors_speak {
        text += "[[venue.sensor]]\nid = \"mute\"\nzone = \"z0\"\n";
    }
    Config::parse(&text, std::iter::empty()).expect("the configuration is good")
}

/// A night, by what could be seen of it.
struct Night {
    config: Config,
    corridor: Corridor,
    tally: Tally,
    store: Store,
    router: axum::Router,
    live: watch::Receiver<Option<Arc<passant::release::Live>>>,
    number: u64,
    seen: Vec<String>,
    _dir: tempfile::TempDir,
    _changes: mpsc::Receiver<passant::office::Change>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lines").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Night {
    async fn new(config: Config) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path(), Kind::Real).await.expect("a store");
        let tally = Tally::default();
        let (sender, live) = watch::channel(None);
        let venue: &Venue = &config.venues[0];
        let room = Room {
            venue: Arc::new(venue.clone()),
            thresholds: 1,
            calibration: None,
            earlier: Earlier::default(),
            live: sender,
        };
        let key = Arc::new(Key::random().expect("random bytes"));
        let corridor = Corridor::new(Gate::new(key.clone()), vec![room], tally.clone());
        let venues = Arc::new(config.venues.clone());
        let (changes, told) = mpsc::channel(8);
        let ledger = Ledger::open(dir.path()).expect("a ledger");
        let accounts = Accounts::open(venues.clone(), store.clone(), ledger.clone());
        let state = api::State {
            accounts: accounts.await.expect("accounts"),
            head_counts: HeadCounts::new(venues.clone(), store.clone(), changes),
            desk: Desk::without_server(key, store.clone()),
            ledger,
            retention: config.retention,
            live: Arc::new([(venue.id.clone(), live.clone())].into()),
            venues,
            store: store.clone(),
            strangers: api::Strangers::default(),
            walks: Arc::default(),
            tally: tally.clone(),
            clock: Machine::clock(),
        };
        let router = api::router(state, api::Access::ThisMachine);
        Self {
            config,
            corridor,
            tally,
            store,
            router,
            live,
            number: 0,
            seen: Vec::new(),
            _dir: dir,
            _changes: told,
        }
    }

    async fn write(&mut self, out: Vec<Write>) {
        for write in out {
            if let Write::Figures(figures) = write {
                self.store.append(&figures).await.expect("figures are written");
            }
        }
    }

    /// A message arrives, as the link and the intake would take it in.
    async fn publish(&mut self, at: i64, topic: &str, payload: &[u8]) {
        self.tally.message();
        let (link, messages) = mpsc::channel(1);
        let (deliveries, mut arriving) = mpsc::channel(1);
        let message = passant::link::Message {
            topic: topic.into(),
            payload: payload.to_vec().into(),
            retained: false,
            content_type: None,
            guard: None,
        };
        assert!(link.try_send(message).is_ok(), "there is room");
        drop(link);
        intake::run(
            messages,
            Directory::new(&self.config),
            Strangers::default(),
            deliveries,
            self.tally.clone(),
        )
        .await;
        let mut out = Vec::new();
        if let Some(delivery) = arriving.recv().await {
            self.corridor.take(delivery.arrival, reading(at), &mut out).expect("a key can be made");
        }
        self.write(out).await;
    }

    /// Whoever is heard by a sensor: one address for the night, and one that changes.
    async fn hear(&mut self, at: i64, sensor: &str, who: u8) {
        self.number += 1;
        // His phone takes another address with every burst, four times a minute.
        let burst = (at - START) / 15_000;
        let fleeting = [0x02, who, 0, 0, (burst >> 8) as u8, burst as u8];
        let sightings = [[0x04, 0, 0, 0, 1, who], fleeting].map(|octets| Heard {
            device: passant_wire::DeviceId::from_octets(octets).expect("an address"),
            kind: passant_wire::Kind::Wifi,
            rssi: -55,
            at: Some(at),
        });
        let boot = BootId::parse(b"boot");
        let report = Report {
            number: Some(self.number),
            boot,
            at: Some(at),
            sightings: sightings.into(),
            ..Report::default()
        };
        self.publish(at, &format!("passant/v1/mall/{sensor}/sightings"), &encode::json(&report)).await;
    }

    async fn see(&mut self, when: &str) {
        for path in PATHS {
            // The counters come in an order of chance, by line.
            let mut lines: Vec<String> = self.get(path).await.lines().map(str::to_owned).collect();
            lines.sort_unstable();
            let text = lines.join("\n");
            self.seen.push(format!("{when} {path}\n{text}"));
        }
        self.seen.push(format!("{when} stream {}", self.live.has_changed().expect("the corridor lives")));
        self.live.mark_unchanged();
    }

    async fn get(&self, path: &str) -> String {
        let request = Request::builder().uri(path).header("host", "localhost").body(Body::empty());
        let response = self.router.clone().oneshot(request.expect("a request")).await.expect("an answer");
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn see_figures(&mut self) {
        let metrics = passant::release::Metric::ALL.map(|metric| metric.as_str());
        for metric in metrics {
            for step in ["5m", "15m", "1h"] {
                for zone in ["", "&zone=z0", "&zone=z1", "&zone=z2"] {
                    let times = "from=2026-11-24T23:00:00Z&to=2026-11-25T01:00:00Z";
                    let path =
                        format!("/api/v1/venues/mall/figures?metric={metric}&step={step}&{times}{zone}");
                    let text = self.get(&path).await;
                    self.seen.push(format!("{path}\n{text}"));
                }
            }
        }
    }
}

fn reading(at: i64) -> Reading {
    Reading { wall: EpochMs(at), steady: SteadyMs(at - START) }
}

/// A night with its heartbeats, every ten seconds looked at; somebody may walk from zone to zone.
async fn night(config: Config, guard: bool, people: usize) -> Night {
    let mute = config.venues[0].sensors.len() > ZONES;
    let mut night = Night::new(config).await;
    for ten in 0..MINUTES * 6 {
        let at = START + ten * 10_000;
        for sensor in 0..ZONES {
            if ten % 2 == 0 {
                let status = Status { online: true, at: Some(at), number: None };
                night
                    .publish(at, &format!("passant/v1/mall/s{sensor}/status"), &encode::status(&status))
                    .await;
            }
        }
        let mut out = Vec::new();
        night.corridor.tick(reading(at), &mut out).expect("a key can be made");
        night.write(out).await;
        let zone = (ten / 30) as usize % ZONES;
        if guard {
            // He is heard at odd moments, by one sensor that says statuses, and by one that does not; once what a sensor
            // says of him does not read, and once an antenna that nobody configured says it.
            night.hear(at + 3_333, &format!("s{zone}"), 1).await;
            if mute && zone == 0 {
                night.hear(at + 3_777, "mute", 1).await;
            }
            night.publish(at + 4_000, &format!("passant/v1/mall/s{zone}/sightings"), b"{").await;
            night.publish(at + 4_100, "passant/v1/mall/stranger/sightings", b"{}").await;
        }
        for who in 0..people {
            night.hear(at + 5_000, &format!("s{}", who % ZONES), 10 + who as u8).await;
        }
        if ten % 3 == 0 {
            night.see(&format!("{ten}")).await;
        }
    }
    night.see_figures().await;
    night
}

fn runs<T>(work: impl Future<Output = T>) -> (T, String) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let done = tracing::subscriber::with_default(subscriber, || runtime.block_on(work));
    let lines = lines.0.lock().expect("lines").clone();
    // Requests take a different time each, and the store tells how long it took: neither is counted here.
    let text = String::from_utf8_lossy(&lines).into_owned();
    let ours = text.lines().filter(|line| line.contains("passant") && !line.contains("answered"));
    (done, ours.collect::<Vec<_>>().join("\n"))
}

const CLOSED: &str = "[venue.hours]\nmon = \"09:00-20:00\"\ntue = \"09:00-20:00\"\nwed = \"09:00-20:00\"\n";

#[test]
fn nothing_moves_with_a_guard_at_night() {
    for (hours, mute) in [("", false), ("", true), (CLOSED, true)] {
        let (empty, empty_log) = runs(night(config(hours, mute), false, 0));
        let (walked, walked_log) = runs(night(config(hours, mute), true, 0));
        assert_eq!(empty.seen.len(), walked.seen.len());
        for (empty, walked) in empty.seen.iter().zip(&walked.seen) {
            assert_eq!(empty, walked, "{hours} {mute}");
        }
        assert_eq!(empty_log, walked_log);
        let kept = walked.tally.sightings_so_far(passant::telemetry::Outcome::Counted);
        assert!(kept > 0, "he was heard, and nobody is told");
    }
}

#[test]
fn with_a_crowd_the_same_things_move() {
    let (empty, _) = runs(night(config("", false), false, 0));
    let (crowd, _) = runs(night(config("", false), true, 60));
    let of = |night: &Night, path: &str| {
        night.seen.iter().filter(|seen| seen.contains(path)).cloned().collect::<Vec<_>>()
    };
    for path in ["/live\n", "/sensors\n", "/metrics\n", "metric=occupancy&"] {
        assert_ne!(of(&empty, path), of(&crowd, path), "{path} tells of a crowd");
    }
    assert!(crowd.seen.iter().any(|seen| seen.contains("outcome=\"counted\"")));
}

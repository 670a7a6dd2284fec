//! The stage of the tests: the example's mall with an empty store, asked without a network.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use chrono::DateTime;
use passant_wire::Id;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

use super::{Access, Entrance, Peer, State, Strangers, problem, router};
use crate::clock::{EpochMs, Machine};
use crate::config::{Config, EXAMPLE, HttpDoor, Retention};
use crate::desk::{self, Desk};
use crate::ledger::Ledger;
use crate::office::{Accounts, Change, HeadCounts, NewAccount, Place, Role, Roles};
use crate::optout::{Gate, KeyFile};
use crate::release::{Banded, Flags, Live, RateBand, SensorLive, Shown};
use crate::sighting::{Arrival, Delivery, DeviceId};
use crate::store::{Kind, Store};
use crate::telemetry::Tally;
use crate::walk::Board;

/// The password of every account of the stage.
pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) struct Stage {
    pub(super) router: axum::Router,
    state: State,
    pub(super) store: Store,
    pub(super) tally: Tally,
    pub(super) walk: Board,
    pub(super) told: mpsc::Receiver<Change>,
    live: watch::Sender<Option<Arc<Live>>>,
    gate: Arc<Mutex<Gate>>,
    _dir: tempfile::TempDir,
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Stage {
    pub(super) async fn set() -> Self {
        Self::set_with(Access::ThisMachine).await
    }

    /// The same, for those who may ask.
    pub(super) async fn set_with(access: Access) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let venues = Arc::new(Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues);
        let store = Store::open(dir.path(), Kind::Real).await.unwrap();
        let (changes, told) = mpsc::channel(8);
        let (live, watched) = watch::channel(None);
        let tally = Tally::default();
        let key_file = KeyFile::new(dir.path().join("opt-out-key/key"));
        let walk = Board::new(Arc::new(venues[0].clone()));
        let (key, gate) = desk::open(&store, &key_file).await.unwrap();
        let gate = Arc::new(Mutex::new(gate));
        let ledger = Ledger::open(dir.path()).unwrap();
        let state = State {
            venues: venues.clone(),
            store: store.clone(),
            accounts: Accounts::cheap(venues.clone(), store.clone(), ledger.clone()).await,
            head_counts: HeadCounts::new(venues, store.clone(), changes),
            desk: Desk::new(key, store.clone(), corridor(gate.clone())),
            ledger,
            retention: Retention::default(),
            live: Arc::new([(id("mall"), watched)].into()),
            strangers: Strangers::told_by(|venue| format!("# strangers of {venue}\n")),
            walks: Arc::new([(id("mall"), walk.clone())].into()),
            tally: tally.clone(),
            clock: Machine::clock(),
        };
        Self { router: router(state.clone(), access), state, store, tally, walk, told, live, gate, _dir: dir }
    }

    /// The same, where accounts are asked for: at an address, behind these proxies. There is none yet.
    pub(super) async fn set_at(listen: &str, proxies: &[&str]) -> Self {
        let trusted_proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        let door = HttpDoor { tls: None, trusted_proxies };
        Self::set_with(Access::Accounts(Entrance::of(listen.parse().unwrap(), &door))).await
    }

    /// Makes an account, and gives its number and the cookie of a session of it.
    pub(super) async fn account(&self, name: &str, grants: &[(&str, Role)]) -> (i64, String) {
        let place = |(place, role): &(&str, Role)| (Place::parse(place).unwrap(), *role);
        let roles = Roles::of(grants.iter().map(place)).unwrap();
        let (by, now) = (Roles::everywhere(Role::Admin), self.state.clock.now());
        let wanted = NewAccount { name, password: PASSWORD, roles: &roles };
        let account = self.state.accounts.add(&by, wanted, now).await.unwrap();
        let session = self.state.accounts.sign_in(name, PASSWORD, now).await.unwrap().unwrap();
        (account.id, format!("passant-session={}", *session.secret))
    }

    /// The same, asked at the example's address for telephones.
    pub(super) fn at_the_public_address(self) -> Self {
        let public = Config::parse(EXAMPLE, std::iter::empty()).unwrap().public;
        Self { router: super::visitors(self.state.clone(), &public), ..self }
    }

    /// What the API answers from.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Shows the venue's occupancy at a moment of the venue's clock.
    pub(super) fn show(&self, time: &str, people: u32) {
        let live = Live {
            venue: id("mall"),
            at: at(time),
            occupancy: Shown::People(Banded { value: people, low: people - 25, high: people + 25 }),
            zones: vec![
                (id("entrance-north"), Shown::UnderK),
                (id("food-court"), Shown::People(Banded { value: 60, low: 40, high: 81 })),
            ],
            flags: Flags { uncalibrated: true, ..Flags::default() },
            calibration: 2,
            sensors: vec![SensorLive {
                sensor: id("north-1"),
                zone: id("entrance-north"),
                alive: true,
                last_heard: Some(at(time)),
                rate: RateBand::VeryHigh,
                clock_error_ms: Some(-120),
                gaps: 2,
                repeats: 1,
                refused: vec![("bad_json", 3), ("time_behind", 4)],
            }],
        };
        self.live.send_replace(Some(Arc::new(live)));
    }

    /// Whether the gate would let a device pass.
    pub(super) fn passes(&self, address: &str) -> bool {
        !self.gate.lock().unwrap().holds(&DeviceId::parse(address).unwrap())
    }

    /// An address that no decoy has by chance.
    pub(super) fn free_address(&self) -> String {
        let address = |n: u8| format!("A4:C1:38:11:22:{n:02X}");
        (0..=255).map(address).find(|address| self.passes(address)).unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("host", "localhost")], "").await
    }

    pub(super) async fn csv(&self, path: &str) -> String {
        let answer = self.ask("GET", path, &[("host", "localhost"), ("accept", "text/csv")], "").await;
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        answer.text
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[("host", "localhost"), ("content-type", "application/json")], body).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, &[("host", "localhost")], "").await
    }

    pub(super) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        read(self.send(method, path, headers, body).await).await
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Body> {
        self.send_from("127.0.0.1:50000", method, path, headers, body).await
    }

    /// The same from another end of the line.
    pub(super) async fn send_from(
        &self,
        peer: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Body> {
        let peer = ConnectInfo(Peer(peer.parse().unwrap()));
        let mut request = Request::builder().method(method).uri(path).extension(peer);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json", "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that it is a problem whose detail holds some words.
    pub(super) fn is_problem(&self, words: &str) {
        assert_eq!(self.header("content-type"), problem::CONTENT_TYPE, "{}", self.text);
        let problem: serde_json::Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["title"], self.status.canonical_reason().unwrap());
        assert_eq!(problem["type"], "about:blank");
        let detail = problem["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && detail.contains(words), "{words:?} is not in {detail:?}");
    }
}

pub(super) async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

/// A corridor that does with the gate what the real one does. It ends with the desk.
fn corridor(gate: Arc<Mutex<Gate>>) -> mpsc::Sender<Delivery> {
    let (lane, mut arriving) = mpsc::channel::<Delivery>(8);
    tokio::spawn(async move {
        while let Some(Delivery { arrival, ack }) = arriving.recv().await {
            match arrival {
                Arrival::OptedOut { mark, .. } | Arrival::Restored(mark) => gate.lock().unwrap().object(mark),
                Arrival::Withdrawn(mark) => gate.lock().unwrap().withdraw(mark),
                _ => {}
            }
            drop(ack);
        }
    });
    lane
}

pub(super) fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

pub(super) fn at(text: &str) -> EpochMs {
    EpochMs(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

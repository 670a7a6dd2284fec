//! Every figure comes by the pipeline: what a simulated mall says, what the broker delivers and what the server accounts
//! for are one number, and without deliveries there is no figure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use passant::broker::{self, Access, Options};
use passant::link::{self, Protocol};
use passant::store::{Kind, Store};
use passant::telemetry::Tally;
use sensor_sim::load;
use sensor_sim::mall::run::{Order, Outcome, run as simulate};
use sensor_sim::mall::{MALL, Scenario};
use sensor_sim::progress::Progress;
use sensor_sim::replay::Speed;
use server::Server;

#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "only its free ports are used here")]
mod mosquitto;
#[path = "support/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;

/// The simulation is stopped at this many sightings, some hours after the mall has opened.
const SIGHTINGS_ENOUGH: u64 = 600_000;

/// What a second listener was delivered by the broker.
#[derive(Clone, Default)]
struct Delivered {
    messages: Arc<AtomicU64>,
    sightings: Arc<AtomicU64>,
}

impl Delivered {
    /// Listens beside the server for as long as the runtime lives.
    fn listen(port: u16) -> (Self, link::Handle) {
        let options = link::Options {
            host: "127.0.0.1".to_owned(),
            port,
            tls: None,
            client_id: "a-second-listener".to_owned(),
            credentials: None,
            protocol: Protocol::Auto,
            session_secs: passant_wire::LIFE_SECS,
        };
        let tally = Tally::default();
        let (mut messages, handle) = link::listen(options, &passant_wire::Topic::FILTERS, tally.clone());
        let delivered = Self::default();
        let counts = delivered.clone();
        tokio::spawn(async move {
            while let Some(message) = messages.recv().await {
                counts.messages.fetch_add(1, Ordering::Relaxed);
                if message.topic.ends_with("/sightings") {
                    let report = passant_wire::decode(&message.payload, None).expect("a report");
                    let all = report.sightings.len() as u64 + report.refused.total();
                    counts.sightings.fetch_add(all, Ordering::Relaxed);
                }
            }
        });
        (delivered, handle)
    }

    fn so_far(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.sightings.load(Ordering::Relaxed))
    }
}

/// Past days of a simulated mall, from four in the morning on, until enough has been heard of it.
async fn publish(scenario: &Scenario, port: u16, heard: &Delivered) -> Outcome {
    let order = Order {
        url: format!("mqtt://127.0.0.1:{port}").parse().expect("a url"),
        seed: 1,
        from: chrono::NaiveDate::from_ymd_opt(2026, 3, 3),
        days: 1,
        speed: Speed::Max,
        live: false,
        truth: None,
    };
    let enough = async {
        while heard.so_far().1 < SIGHTINGS_ENOUGH {
            tokio::task::yield_now().await;
        }
    };
    simulate(scenario, &order, &Progress::new(None, "s"), enough).await.expect("the mall is simulated")
}

/// A mall of one name walked before a server that knows it by another, or by the same; a broker is between them.
fn walk(scenario: &str, known: &str, check: impl FnOnce(&Server, Outcome, (u64, u64))) -> Option<i64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let scenario = Scenario::parse(scenario).expect("the scenario reads");
    let known = Scenario::parse(known).expect("the scenario reads");
    let (port, _broker, delivered, _listening) = runtime.block_on(async {
        let options = Options { listen: ([127, 0, 0, 1], 0).into(), access: Access::Anyone };
        let (address, running) = broker::start(options).await.expect("the broker starts");
        let (delivered, listening) = Delivered::listen(address.port());
        (address.port(), running, delivered, listening)
    });
    let mut server = Server::start(&known.server_config(), 10, port);
    let outcome = runtime.block_on(publish(&scenario, port, &delivered));
    server.until("every message has come to both", |server| {
        delivered.so_far().0 == outcome.messages_sent
            && server.counter("passant_messages_total", "") == outcome.messages_sent
    });
    server.until("the last sighting is accounted for", |server| {
        let refused = server.counter("passant_messages_refused_total", "");
        refused > 0 || server.counter("passant_sightings_total", "") == outcome.sightings_sent
    });
    check(&server, outcome, delivered.so_far());
    server.stop();
    runtime.block_on(async {
        let store =
            Store::open(&server.directory().join("data"), Kind::Replay).await.expect("the store opens");
        let venue = passant_wire::Id::parse("mall").expect("an id");
        let newest = store.newest_end(&venue).await.expect("the store answers");
        store.close().await;
        newest.map(|end| end.0)
    })
}

#[test]
fn what_is_sent_is_delivered_and_what_is_delivered_is_accounted_for() {
    let newest = walk(MALL, MALL, |server, outcome, (messages, sightings)| {
        assert!(outcome.sightings_sent >= SIGHTINGS_ENOUGH);
        assert_eq!((messages, sightings), (outcome.messages_sent, outcome.sightings_sent));
        let sightings_that = |outcome: &str| server.counter("passant_sightings_total", outcome);
        let [counted, refused, duplicate] =
            ["\"counted\"", "\"refused\"", "\"duplicate\""].map(sightings_that);
        assert_eq!(counted + refused + duplicate, sightings, "late ones are among the refused");
        assert!(counted > sightings / 2, "{counted} of {sightings}");
        assert!(server.counter("passant_figures_total", "final") > 0);
    });
    assert!(newest.is_some(), "there are figures");
}

#[test]
fn without_deliveries_for_the_venue_there_is_no_figure() {
    let elsewhere = MALL.replace("id = \"mall\"", "id = \"elsewhere\"");
    let newest = walk(&elsewhere, MALL, |server, outcome, (messages, _)| {
        assert_eq!(messages, outcome.messages_sent, "the broker delivered");
        assert_eq!(server.counter("passant_sightings_total", ""), 0);
        assert_eq!(server.counter("passant_figures_total", ""), 0);
    });
    assert_eq!(newest, None, "the table of figures is empty");
}

#[test]
fn a_server_with_a_broker_of_its_own_loses_nothing() {
    let (_, venues) = include_str!("../sensor-sim/load.toml").split_once("[[venue]]").expect("a venue");
    let port = mosquitto::free_port();
    let embedded = format!("embedded = \"127.0.0.1:{port}\"");
    let mut server = Server::start_with(&format!("[[venue]]{venues}"), 10, &embedded);
    let order = load::Order {
        url: format!("mqtt://127.0.0.1:{port}").parse().expect("a url"),
        api: Some(server.url().parse().expect("a url")),
        venue: None,
        sensors: None,
        rate: Some(20_000),
        secs: 2,
        batch: 100,
        window: 100_000,
        connections: 2,
        devices: 600_000,
        seed: 1,
        form: load::crowd::Form::Binary,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let done = runtime.expect("a runtime").block_on(load::load(&order, &Progress::new(None, "s")));
    let done = done.expect("the load runs");
    assert!(done.is_good() && done.sent > 10_000, "{done:?}");
    server.stop();
}

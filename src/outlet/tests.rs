//! Rules over published figures, and what is said to a broker.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::broker::{self, Access};
use crate::clock::{EpochMs, Step};
use crate::config::{Config, EXAMPLE};
use crate::link::{self, Protocol};
use crate::release::{Banded, Figure, Flags, Label, Metric, RateBand, Scope, SensorLive, Shown};
use crate::store::{AlertRow, AlertState, Kind};

/// 2026-11-20, a Friday, at noon in Paris.
const NOON: EpochMs = EpochMs(1_795_172_400_000);
const FIVE_MINUTES: i64 = 300;
/// A hang ends the test; nothing waits this long otherwise.
const HANG: Duration = Duration::from_secs(60);

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn config(more: &str) -> Config {
    Config::parse(&format!("{EXAMPLE}\n{more}"), std::iter::empty()).unwrap()
}

/// Occupancy of the food court in the nth five minutes from noon on.
fn occupancy(nth: i64, band: Option<[u32; 3]>) -> Figure {
    let from = NOON.plus_secs(nth * FIVE_MINUTES);
    figure(Some("food-court"), Metric::Occupancy, Step::FiveMinutes, from, band)
}

fn figure(zone: Option<&str>, metric: Metric, step: Step, from: EpochMs, band: Option<[u32; 3]>) -> Figure {
    let label = Label {
        venue: id("mall"),
        scope: zone.map_or(Scope::Venue, |zone| Scope::Zone(id(zone))),
        metric,
        step,
        window: config("").venues[0].calendar.window_of(from, step),
        flags: Flags::default(),
        coverage_permille: 1000,
        thresholds: 1,
        calibration: 2,
    };
    Figure::for_tests(label, band.map(|[low, value, high]| Banded { value, low, high }), None)
}

struct Stage {
    store: Store,
    venues: Arc<Vec<Venue>>,
    dir: tempfile::TempDir,
}

impl Stage {
    async fn set(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Kind::Real).await.unwrap();
        Self { store, venues: Arc::new(config(more).venues), dir }
    }

    /// The watch over the rules, with where it tells.
    fn alerts(&self) -> (Alerts, mpsc::Receiver<AlertRow>) {
        // Nobody is spoken to: this link ends with whoever would take its messages.
        let (_, link) = link::listen(options(9, "nobody"), &[], Tally::default());
        let parts = Parts {
            venues: self.venues.clone(),
            outlet: config::Outlet::default(),
            store: self.store.clone(),
            live: Arc::new(BTreeMap::new()),
            voice: link.voice(),
            tally: Tally::default(),
        };
        let (changes, changed) = mpsc::channel(CHANGES_LEN_MAX);
        (Alerts::new(&parts, rules(&self.venues).unwrap(), Some(changes)), changed)
    }

    /// Publishes figures, one after the other, and has the rules look at each.
    async fn publish(&self, alerts: &mut Alerts, figures: &[Figure]) {
        let mut released = self.store.released();
        for figure in figures {
            self.store.append(std::slice::from_ref(figure)).await.unwrap();
            alerts.hear(&released.recv().await.unwrap()).await.unwrap();
        }
    }
}

fn told(changed: &mut mpsc::Receiver<AlertRow>) -> Vec<(String, AlertState)> {
    let mut told = Vec::new();
    while let Ok(row) = changed.try_recv() {
        told.push((row.name.to_string(), row.state));
    }
    told
}

fn food(state: AlertState) -> (String, AlertState) {
    ("food-court-full".to_owned(), state)
}

#[tokio::test]
async fn a_rule_fires_once_and_clears_once() {
    let stage = Stage::set("").await;
    let (mut alerts, mut changed) = stage.alerts();
    alerts.take_up().await.unwrap();
    let over = Some([410, 460, 510]);
    stage.publish(&mut alerts, &[occupancy(0, Some([200, 250, 300]))]).await;
    assert_eq!(told(&mut changed), [food(AlertState::Quiet)]);
    // Two windows in a row, and no more is said while it lasts.
    stage.publish(&mut alerts, &[occupancy(1, over)]).await;
    assert_eq!(told(&mut changed), []);
    stage.publish(&mut alerts, &[occupancy(2, over), occupancy(3, over)]).await;
    assert_eq!(told(&mut changed), [food(AlertState::Firing)]);
    // Under the band's low end and over the threshold: it is not sure, and stays.
    stage.publish(&mut alerts, &[occupancy(4, Some([380, 420, 460]))]).await;
    assert_eq!(told(&mut changed), []);
    let back = Some([350, 400, 450]);
    stage.publish(&mut alerts, &[occupancy(5, back), occupancy(6, back), occupancy(7, back)]).await;
    assert_eq!(told(&mut changed), [food(AlertState::Quiet)]);
    let row = stage.store.alerts(&id("mall")).await.unwrap().remove(0);
    assert_eq!(
        (row.since, row.judged_to),
        (NOON.plus_secs(7 * FIVE_MINUTES), NOON.plus_secs(8 * FIVE_MINUTES))
    );
}

#[tokio::test]
async fn a_held_back_figure_is_no_data_and_never_fires() {
    let stage = Stage::set("").await;
    let (mut alerts, mut changed) = stage.alerts();
    let figures: Vec<Figure> = (0..5).map(|nth| occupancy(nth, None)).collect();
    stage.publish(&mut alerts, &figures).await;
    assert_eq!(told(&mut changed), [food(AlertState::NoData)], "the first is told, and no other");
    let row = stage.store.alerts(&id("mall")).await.unwrap().remove(0);
    assert_eq!((row.state, row.figure), (AlertState::NoData, None));
    // A window over the threshold, one that is held back, one over it: never two in a row.
    let over = Some([410, 460, 510]);
    stage.publish(&mut alerts, &[occupancy(5, over), occupancy(6, None), occupancy(7, over)]).await;
    assert!(told(&mut changed).iter().all(|(_, state)| *state != AlertState::Firing));
}

#[tokio::test]
async fn a_restart_neither_forgets_nor_tells_twice() {
    let stage = Stage::set("").await;
    let (mut alerts, mut changed) = stage.alerts();
    let over = Some([410, 460, 510]);
    stage.publish(&mut alerts, &[occupancy(0, over), occupancy(1, over)]).await;
    assert_eq!(told(&mut changed), [food(AlertState::Quiet), food(AlertState::Firing)]);
    let since = stage.store.alerts(&id("mall")).await.unwrap()[0].since;
    drop(alerts);
    // While nobody watched, figures closed that are over it still.
    stage.store.append(&[occupancy(2, over), occupancy(3, over)]).await.unwrap();
    let (mut alerts, mut changed) = stage.alerts();
    alerts.take_up().await.unwrap();
    // The state is said again for a broker that has lost it, and is the same change.
    let again = changed.recv().await.unwrap();
    assert_eq!((again.state, again.since), (AlertState::Firing, since));
    stage.publish(&mut alerts, &[occupancy(4, over)]).await;
    assert_eq!(told(&mut changed), []);
    // After a pause in which nothing closed, two windows in a row are needed anew to clear it.
    let back = Some([100, 120, 140]);
    stage.publish(&mut alerts, &[occupancy(5, back), occupancy(9, back)]).await;
    assert_eq!(told(&mut changed), []);
    stage.publish(&mut alerts, &[occupancy(10, back)]).await;
    assert_eq!(told(&mut changed), [food(AlertState::Quiet)]);
}

#[tokio::test]
async fn a_rule_that_changed_begins_anew_and_one_that_is_gone_is_forgotten() {
    let stage = Stage::set("").await;
    let (mut alerts, _changed) = stage.alerts();
    stage
        .publish(&mut alerts, &[occupancy(0, Some([410, 460, 510])), occupancy(1, Some([410, 460, 510]))])
        .await;
    let gone = AlertRow { name: id("gone"), ..stage.store.alerts(&id("mall")).await.unwrap().remove(0) };
    stage.store.save_alert(&gone).await.unwrap();
    let text = EXAMPLE.replace("threshold = 400", "threshold = 500");
    let venues = Arc::new(Config::parse(&text, std::iter::empty()).unwrap().venues);
    let stage = Stage { venues, ..stage };
    let (mut alerts, mut changed) = stage.alerts();
    alerts.take_up().await.unwrap();
    assert_eq!(told(&mut changed), [food(AlertState::Quiet)]);
    let rows = stage.store.alerts(&id("mall")).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["food-court-full"]);
    assert!(stage.dir.path().exists());
}

#[tokio::test]
async fn unlike_the_usual_is_outside_every_band_of_the_weeks_before() {
    let rule =
        "[[venue.alert]]\nname = \"odd\"\nmetric = \"visitors\"\nstep = \"1h\"\nwhen = \"unlike_usual\"\n";
    let stage = Stage::set(rule).await;
    let hour = |weeks: i64, band| {
        let from = NOON.plus_secs(-weeks * 7 * 86_400);
        figure(None, Metric::Visitors, Step::Hour, from, Some(band))
    };
    let (mut alerts, mut changed) = stage.alerts();
    // Two weeks make nothing usual.
    stage.store.append(&[hour(3, [90, 100, 110]), hour(2, [80, 90, 100])]).await.unwrap();
    stage.publish(&mut alerts, &[hour(1, [300, 310, 320])]).await;
    assert_eq!(told(&mut changed), [("odd".to_owned(), AlertState::NoData)]);
    assert_eq!(stage.store.alerts(&id("mall")).await.unwrap()[0].state, AlertState::NoData);
    // Now three do, and the band touches the highest of them.
    stage.publish(&mut alerts, &[hour(0, [320, 340, 360])]).await;
    assert_eq!(told(&mut changed), [("odd".to_owned(), AlertState::Quiet)]);
    stage.publish(&mut alerts, &[hour(-2, [40, 50, 60])]).await;
    assert_eq!(told(&mut changed), [("odd".to_owned(), AlertState::Firing)]);
}

fn live(minutes: i64, people: Shown, heard: [Option<i64>; 2]) -> Live {
    let at = |minutes: i64| NOON.plus_secs(60 * minutes);
    let sensor = |(name, zone): (&str, &str), heard: Option<i64>| SensorLive {
        sensor: id(name),
        zone: id(zone),
        alive: heard == Some(minutes),
        last_heard: heard.map(at),
        rate: RateBand::Normal,
        clock_error_ms: None,
        gaps: 0,
        repeats: 0,
        refused: Vec::new(),
    };
    let sensors = [("north-1", "entrance-north"), ("food-1", "food-court")];
    Live {
        venue: id("mall"),
        at: at(minutes),
        occupancy: people,
        zones: Vec::new(),
        flags: Flags::default(),
        calibration: 0,
        sensors: sensors.into_iter().zip(heard).map(|(named, heard)| sensor(named, heard)).collect(),
    }
}

#[tokio::test]
async fn a_sensor_that_is_gone_is_told_after_its_time_and_not_again_by_a_restart() {
    let stage = Stage::set("").await;
    let shown = Shown::People(Banded { value: 50, low: 40, high: 60 });
    let antennas = |state| ("antennas".to_owned(), state);
    let (mut alerts, mut changed) = stage.alerts();
    // Neither has spoken yet, which is not gone.
    alerts.see(&live(0, shown, [None, None])).await.unwrap();
    alerts.see(&live(9, shown, [Some(9), Some(9)])).await.unwrap();
    alerts.see(&live(18, shown, [Some(18), Some(9)])).await.unwrap();
    assert_eq!(told(&mut changed), [antennas(AlertState::Quiet)]);
    alerts.see(&live(19, shown, [Some(19), Some(9)])).await.unwrap();
    assert_eq!(told(&mut changed), [antennas(AlertState::Firing)]);
    assert_eq!(stage.store.alerts(&id("mall")).await.unwrap()[0].figure.map(|figure| figure.value), Some(1));
    // A new server has heard none of them yet.
    let (mut alerts, mut changed) = stage.alerts();
    alerts.take_up().await.unwrap();
    assert_eq!(told(&mut changed), [antennas(AlertState::Firing)]);
    alerts.see(&live(20, shown, [None, None])).await.unwrap();
    alerts.see(&live(29, shown, [Some(29), None])).await.unwrap();
    alerts.see(&live(30, shown, [Some(30), None])).await.unwrap();
    assert_eq!(told(&mut changed), []);
    alerts.see(&live(31, shown, [Some(31), Some(31)])).await.unwrap();
    assert_eq!(told(&mut changed), [antennas(AlertState::Quiet)]);
    // At night one that says no status cannot be told from a gone one.
    alerts.see(&live(50, Shown::UnderK, [Some(50), None])).await.unwrap();
    assert_eq!(told(&mut changed), []);
}

/// A display that hears everything a broker has, and the outlet that speaks to the same broker.
struct Air {
    port: u16,
    stage: Stage,
    tally: Tally,
}

impl Air {
    async fn display(&self, client_id: &str) -> (mpsc::Receiver<link::Message>, link::Handle) {
        link::listen(
            options(self.port, client_id),
            &["passant/v1/+/zones/+/figures", "passant/v1/+/figures", "passant/v1/+/alerts/+"],
            Tally::default(),
        )
    }

    /// An outlet whose alerts are off, or go out by MQTT.
    fn open(&self, voice: Voice, alerts: &str) -> Outlet {
        let text = EXAMPLE
            .replace("# [outlet]", "[outlet]")
            .replace("# figures = [", "figures = [")
            .replace("# alerts = \"off\"", &format!("alerts = \"{alerts}\""));
        let outlet = Config::parse(&text, std::iter::empty()).unwrap().outlet;
        let parts = Parts {
            venues: self.stage.venues.clone(),
            outlet,
            store: self.stage.store.clone(),
            live: Arc::new(BTreeMap::new()),
            voice,
            tally: self.tally.clone(),
        };
        Outlet::open(parts).unwrap()
    }
}

fn options(port: u16, client_id: &str) -> link::Options {
    link::Options {
        host: "127.0.0.1".into(),
        port,
        tls: None,
        client_id: client_id.into(),
        credentials: None,
        protocol: Protocol::V5,
        session_secs: 0,
    }
}

async fn next(messages: &mut mpsc::Receiver<link::Message>) -> (String, bool, Value) {
    let message = timeout(HANG, messages.recv()).await.expect("it takes too long").expect("a message");
    (message.topic.clone(), message.retained, serde_json::from_slice(&message.payload).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_released_figures_are_kept_by_the_broker_for_whoever_comes() {
    let listen = ([127, 0, 0, 1], 0).into();
    let (address, broker) = broker::start(broker::Options { listen, access: Access::Anyone }).await.unwrap();
    let air = Air { port: address.port(), stage: Stage::set("").await, tally: Tally::default() };
    // What was published before the server started is told as well.
    air.stage.store.append(&[occupancy(0, Some([200, 250, 300]))]).await.unwrap();
    let (_arriving, server) =
        link::listen(options(air.port, "server"), &["passant/v1/+/+/status"], Tally::default());
    let outlet = tokio::spawn(air.open(server.voice(), "off").run());
    let (mut heard, display) = air.display("display").await;
    let topic = "passant/v1/mall/zones/food-court/figures";
    let (first, _, message) = next(&mut heard).await;
    assert_eq!(first, topic);
    let expected = json!({
        "metric": "occupancy", "step": "5m", "zone": "food-court",
        "from": "2026-11-20T12:00:00+01:00", "to": "2026-11-20T12:05:00+01:00",
        "value": 250, "low": 200, "high": 300, "state": "final", "flags": [], "coverage": 1.0,
        "thresholds": 1, "calibration": 2,
    });
    assert_eq!(message, json!({"venue": "mall", "figures": [expected]}));
    // What is held back is told as nothing; a step that was not asked for is not told.
    let day = figure(Some("food-court"), Metric::Visitors, Step::Day, NOON, Some([50, 60, 70]));
    air.stage.store.append(&[occupancy(1, None), day]).await.unwrap();
    let (second, _, message) = next(&mut heard).await;
    let figures = message["figures"].as_array().unwrap();
    assert_eq!((second.as_str(), figures.len()), (topic, 1));
    assert_eq!((&figures[0]["state"], &figures[0]["value"]), (&json!("held_back"), &Value::Null));
    display.shutdown().await;
    // A display that comes later hears the newest, from the broker.
    let (mut late, _display) = air.display("late").await;
    let (third, retained, kept) = next(&mut late).await;
    assert_eq!((third.as_str(), retained, kept), (topic, true, message));
    // A display may hear a message before the server hears that it was taken, and only then is it counted.
    let counted = "passant_outlet_messages_total{outcome=\"said\"} 2\n";
    let count = async {
        while !air.tally.encode().contains(counted) {
            tokio::task::yield_now().await;
        }
    };
    timeout(HANG, count).await.expect("two messages are counted");
    outlet.abort();
    server.shutdown().await;
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_nothing_waits_and_the_newest_is_told_to_the_next() {
    let listen = ([127, 0, 0, 1], 0).into();
    let (address, broker) = broker::start(broker::Options { listen, access: Access::Anyone }).await.unwrap();
    broker.shutdown().await;
    let air = Air { port: address.port(), stage: Stage::set("").await, tally: Tally::default() };
    let (_arriving, server) =
        link::listen(options(air.port, "server"), &["passant/v1/+/+/status"], Tally::default());
    let outlet = tokio::spawn(air.open(server.voice(), "mqtt").run());
    // Far more than any queue holds; none of it waits for the broker.
    for nth in 0..600 {
        air.stage.store.append(&[occupancy(nth, Some([410, 460 + nth as u32, 1_500]))]).await.unwrap();
    }
    let again = broker::start(broker::Options { listen: address, access: Access::Anyone }).await;
    let (_, broker) = again.expect("the port is free again");
    let (mut heard, _display) = air.display("display").await;
    let mut newest = BTreeMap::new();
    while newest.get("passant/v1/mall/zones/food-court/figures") != Some(&json!(1_059))
        || !newest.contains_key("passant/v1/mall/alerts/food-court-full")
    {
        let (topic, _, message) = next(&mut heard).await;
        if topic.ends_with("/alerts/food-court-full") {
            assert_eq!(
                (&message["state"], &message["rule"]),
                (&json!("firing"), &json!("occupancy over 400, windows: 2"))
            );
        }
        newest.insert(topic, message["figures"][0]["value"].clone());
    }
    assert!(!air.tally.encode().contains("outcome=\"said\"} 600"));
    // A broker that is started anew has kept nothing, and is told all of it again.
    broker.shutdown().await;
    let again = broker::start(broker::Options { listen: address, access: Access::Anyone }).await;
    let (_, broker) = again.expect("the port is free again");
    let (mut heard, _display) = air.display("another").await;
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 2 {
        told.insert(next(&mut heard).await.0);
    }
    outlet.abort();
    server.shutdown().await;
    broker.shutdown().await;
}

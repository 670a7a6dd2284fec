//! Loads against a real broker, with and without a server that counts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use passant_wire::decode;
use sensor_sim::http::ApiUrl;
use sensor_sim::load::crowd::Form;
use sensor_sim::load::{self, Order};
use sensor_sim::progress::Progress;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::mosquitto::{Broker, Ears};

const BATCH: u64 = 50;
const SENSORS: usize = 12;

fn order(broker: &Broker, api: Option<ApiUrl>, rate: Option<u64>) -> Order {
    Order {
        url: broker.url(),
        api,
        venue: None,
        sensors: api.is_none().then_some(SENSORS),
        rate,
        secs: 1,
        batch: BATCH as usize,
        window: 5_000,
        connections: 2,
        devices: 10_000,
        seed: 1,
        form: Form::Binary,
    }
}

fn hidden() -> Progress {
    Progress::new(None, "sightings")
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_load_sends_what_it_says_it_sends() {
    let broker = Broker::start();
    let ears = broker.listen("all").await;
    let outcome = load::load(&order(&broker, None, Some(20_000)), &hidden()).await.unwrap();
    assert_eq!(outcome.messages_acknowledged, outcome.messages_sent);
    assert!((15_000..=20_100).contains(&outcome.sent), "{}", outcome.sent);
    let heard = ears.until(outcome.messages_sent as usize).await;
    let mut distinct = BTreeSet::new();
    for message in &heard {
        for heard in decode(&message.payload, None).unwrap().sightings {
            distinct.insert((message.topic.clone(), heard.at, *heard.device.octets()));
        }
    }
    assert_eq!(distinct.len() as u64, outcome.sent, "times are distinct");
    let sensors: BTreeSet<_> = heard.iter().map(|message| &message.topic).collect();
    assert_eq!(sensors.len(), SENSORS);
}

/// A server that counts what it hears, but refuses every tenth message whole and takes every eleventh for a repeat.
#[derive(Default)]
struct Server {
    messages: AtomicU64,
    refused: AtomicU64,
    duplicate: AtomicU64,
}

impl Server {
    async fn start(mut ears: Ears) -> ApiUrl {
        let server = Arc::new(Self::default());
        let listening = Arc::clone(&server);
        tokio::spawn(async move {
            while ears.next().await.is_some() {
                let number = listening.messages.fetch_add(1, Ordering::SeqCst);
                listening.refused.fetch_add(u64::from(number % 10 == 0), Ordering::SeqCst);
                listening
                    .duplicate
                    .fetch_add(u64::from(number % 10 != 0 && number % 11 == 0), Ordering::SeqCst);
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = [0; 1024];
                let len = stream.read(&mut asked).await.unwrap();
                let path = String::from_utf8_lossy(&asked[..len]).split(' ').nth(1).unwrap().to_owned();
                let answer = format!("HTTP/1.0 200 OK\r\n\r\n{}", server.page(&path));
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        api
    }

    fn page(&self, path: &str) -> String {
        let [refused, duplicate] = [&self.refused, &self.duplicate].map(|n| n.load(Ordering::SeqCst));
        let counted = self.messages.load(Ordering::SeqCst).saturating_sub(refused + duplicate);
        match path {
            "/api/v1/venues" => r#"{"venues":[{"id":"load"}]}"#.into(),
            "/api/v1/venues/load" => {
                let ids: Vec<_> = (1..=SENSORS).map(|i| format!(r#"{{"id":"s{i:03}"}}"#)).collect();
                format!(r#"{{"id":"load","sensors":[{}]}}"#, ids.join(","))
            }
            _ => format!(
                "passant_sightings_total{{outcome=\"counted\",reason=\"\"}} {}\n\
                 passant_sightings_total{{outcome=\"duplicate\",reason=\"\"}} {}\n\
                 passant_messages_refused_total{{venue=\"load\",sensor=\"s001\",reason=\"bad_binary\"}} {refused}\n",
                counted * BATCH,
                duplicate * BATCH
            ),
        }
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_load_accounts_for_every_sighting() {
    let broker = Broker::start();
    let api = Server::start(broker.listen("server").await).await;
    let outcome = load::load(&order(&broker, Some(api), None), &hidden()).await.unwrap();
    let sum = outcome.identity.as_ref().unwrap();
    assert_eq!((sum.sent, sum.lost), (outcome.sent, 0), "{sum:?}");
    assert_eq!(sum.sent, sum.counted + sum.refused + sum.duplicate);
    assert!(sum.counted > 0 && sum.duplicate > 0 && sum.refused_by_reason["bad_binary"] > 0);
    assert!(outcome.is_good());
    assert!(outcome.held_by_window > 0.0, "the window holds a load without a rate back");
    assert!(outcome.counting_secs.unwrap() >= 0.5);
}

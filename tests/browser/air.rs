//! What sensors send to a broker of this machine, in the time of a venue whose clock is its sightings.

use chrono::{DateTime, SecondsFormat};
use sensor_sim::publisher::{Line, Publisher};
use serde_json::Value;

use super::server::Server;

/// 2025-11-24T17:00 in Prague, a full hour of a venue day.
pub(crate) const START: i64 = 1_764_000_000_000;
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Messages on their way at once.
const INFLIGHT_MAX: u16 = 100;

/// A connection to a broker that sensors share.
pub(crate) struct Air {
    runtime: tokio::runtime::Runtime,
    port: u16,
    venue: &'static str,
}

impl Air {
    pub(crate) fn of(venue: &'static str, port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { runtime, port, venue }
    }

    /// Publishes, and returns when the broker has acknowledged all of it.
    pub(crate) fn send(&self, messages: Vec<(String, String)>) {
        let url = format!("mqtt://127.0.0.1:{}", self.port).parse().expect("a URL");
        let line = Line { url, client_id: "sensors".into(), inflight_max: INFLIGHT_MAX, will: None };
        let sent = self.runtime.block_on(async {
            let publisher = Publisher::open(line);
            for (topic, payload) in messages {
                publisher.publish(&topic, false, payload.into_bytes()).await?;
            }
            publisher.settle().await?;
            publisher.close().await
        });
        sent.expect("the broker takes it");
    }

    /// A sensor's message: who it has heard at a moment, all of them near.
    pub(crate) fn heard(&self, sensor: &str, at: i64, devices: &[String]) -> (String, String) {
        let sightings: Vec<_> = devices.iter().map(|id| format!(r#"{{"id":"{id}","rssi":-60}}"#)).collect();
        let topic = format!("passant/v1/{}/{sensor}/sightings", self.venue);
        (topic, format!(r#"{{"t":{at},"s":[{}]}}"#, sightings.join(",")))
    }

    /// Lets the venue's time pass, and waits until the server has seen it pass.
    pub(crate) fn pass_to(&self, server: &Server, sensor: &str, at: i64) {
        let topic = format!("passant/v1/{}/{sensor}/status", self.venue);
        self.send(vec![(topic, format!(r#"{{"online":true,"t":{at}}}"#))]);
        let path = format!("/api/v1/venues/{}/live", self.venue);
        server.until("the venue's clock has moved", |server| {
            // A clock that stands within a half-minute tells its beginning.
            ms(&server.json(&path)["at"]).is_some_and(|told| told > at - 30_000)
        });
    }
}

/// A moment in the words of the API.
pub(crate) fn rfc3339(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).expect("a time").to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn ms(time: &Value) -> Option<i64> {
    DateTime::parse_from_rfc3339(time.as_str()?).ok().map(|time| time.timestamp_millis())
}

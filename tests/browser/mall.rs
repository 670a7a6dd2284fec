//! A mall for the pages to show: zones on the plan and off it, full and nearly empty, and one of which nothing is heard.

use super::air::{Air, HOUR_MS, START};
use super::mosquitto::free_port;
use super::past;
use super::server::Server;

const HALF_MS: i64 = 30_000;
/// Half-minutes that are played: an hour and a half of the day.
const HALVES: i64 = 180;
/// Half-minutes without anybody, so that the curve has a part that is held back.
const EMPTY: std::ops::Range<i64> = 60..100;

/// Zones with a place on the plan, and the phones in each: one of every shade, and two with nobody, which hide a third.
const ZONES: [(&str, &str, u32); 9] = [
    ("north", "North entrance", 36),
    ("walk", "Long walk", 25),
    ("books", "Books and papers", 0),
    ("shoes", "Shoes", 0),
    ("court", "Food court", 100),
    ("market", "Market", 256),
    ("toys", "Toys", 4),
    ("garden", "Home and garden", 144),
    ("pets", "Pets", 1),
];
/// A zone whose sensor has never spoken, and one that has no place on the plan.
const MORE: &str = r#"
[[venue.zone]]
id = "cellar"
name = "Cellar"
polygon = [[80, 0], [100, 0], [100, 40], [80, 40]]
[[venue.sensor]]
id = "cellar-1"
zone = "cellar"
[[venue.zone]]
id = "yard"
name = "Yard"
[[venue.sensor]]
id = "yard-1"
zone = "yard"
"#;
/// Rules: one that `fill` makes fire, one that has too short a past to say anything, and one that is quiet.
const RULES: &str = r#"
[[venue.alert]]
name = "market-full"
zone = "market"
metric = "occupancy"
when = "over"
threshold = 25
[[venue.alert]]
name = "odd-day"
metric = "occupancy"
when = "unlike_usual"
step = "1h"
[[venue.alert]]
name = "yard-gone"
zone = "yard"
when = "sensor_gone"
windows = 2
"#;

pub(crate) struct Mall {
    pub(crate) server: Server,
    air: Air,
    /// The half-minutes that have been played.
    played: i64,
    /// The phones in each zone, in the order of the zones.
    phones: [u32; ZONES.len()],
}

impl Mall {
    /// Opens one and lets an hour and a half of its day pass.
    pub(crate) fn open() -> Self {
        Self::open_as(&venue())
    }

    /// Opens one whose food court and market are a group and that has an alert rule, beside so many venues that hear nothing.
    pub(crate) fn among(others: usize) -> Self {
        let mut text = venue();
        for zone in ["court", "market"] {
            let line = format!("[[venue.zone]]\nid = \"{zone}\"\n");
            text = text.replace(&line, &format!("{line}group = \"food\"\n"));
        }
        text += "[[venue.alert]]\nname = \"crowded\"\nmetric = \"occupancy\"\nwhen = \"over\"\nthreshold = 20\nwindows = 1\n";
        for other in 0..others {
            text += &format!(
                "[[venue]]\nid = \"halle-{other}\"\nname = \"Halle {other}\"\ntimezone = \"Europe/Paris\"\n\
                 clock = \"sightings\"\n[[venue.zone]]\nid = \"hall\"\n[[venue.sensor]]\nid = \"hall-1\"\nzone = \"hall\"\n"
            );
        }
        Self::open_as(&text)
    }

    /// Opens one that has published weeks before its day begins; its yard is its other entrance.
    pub(crate) fn with_a_past() -> Self {
        let mut text = venue().replace("name = \"Yard\"", "name = \"South entrance\"");
        for (zone, group) in past::GROUPS {
            let line = format!("[[venue.zone]]\nid = \"{zone}\"\n");
            text = text.replace(&line, &format!("{line}group = \"{group}\"\n"));
        }
        text += past::EVENTS;
        Self::opened(&text, |server| past::publish(server, &text))
    }

    fn open_as(venues: &str) -> Self {
        Self::opened(venues, |_| ())
    }

    fn opened(venues: &str, before_its_day: impl FnOnce(&mut Server)) -> Self {
        let broker = free_port();
        let mut server = Server::start_with(venues, 5, &format!("embedded = \"127.0.0.1:{broker}\""));
        before_its_day(&mut server);
        let mut mall = Self {
            server,
            air: Air::of("mall", broker),
            played: 0,
            phones: ZONES.map(|(_, _, phones)| phones),
        };
        mall.play(HALVES);
        let day = format!(
            "/api/v1/venues/mall/figures?metric=occupancy&step=5m&from={}&to={}",
            super::air::rfc3339(START),
            super::air::rfc3339(START + HOUR_MS)
        );
        mall.server.until("the curve is stored", |server| {
            server.json(&day)["figures"].as_array().is_some_and(|figures| figures.len() == 12)
        });
        mall
    }

    /// From now on so many phones are in a zone.
    pub(crate) fn fill(&mut self, zone: &str, phones: u32) {
        let place = ZONES.iter().position(|(id, ..)| *id == zone).expect("a zone");
        self.phones[place] = phones;
    }

    /// Lets half-minutes pass with people in them.
    pub(crate) fn play(&mut self, halves: i64) {
        let mut messages = Vec::new();
        for half in self.played..self.played + halves {
            let at = START + half * HALF_MS + 5_000;
            for (place, (zone, _, _)) in ZONES.into_iter().enumerate() {
                let phones = if EMPTY.contains(&half) { 0 } else { self.phones[place] };
                let id = |n: u32| format!("02{place:02x}{:04x}{n:04x}", half % 65_536);
                messages.push(self.air.heard(
                    &format!("{zone}-1"),
                    at,
                    &(0..phones).map(id).collect::<Vec<_>>(),
                ));
            }
            let yard: Vec<_> = (0..16).map(|n| format!("02ff{:04x}{n:04x}", half % 65_536)).collect();
            messages.push(self.air.heard("yard-1", at, &yard));
        }
        self.air.send(messages);
        self.played += halves;
        self.air.pass_to(&self.server, "yard-1", START + self.played * HALF_MS + 15_000);
    }

    /// Somebody carries a device that is nobody's past two sensors.
    pub(crate) fn walk(&self) {
        let at = START + self.played * HALF_MS + 16_000;
        let heard = |sensor: &str, at: i64, rssi: i8| {
            let topic = format!("passant/v1/mall/{sensor}/sightings");
            (topic, format!(r#"{{"t":{at},"s":[{{"id":"c25053776b01","rssi":{rssi},"k":"ble_random"}}]}}"#))
        };
        let messages =
            [("north-1", 0, -58), ("court-1", 1, -71), ("court-1", 11, -52), ("market-1", 12, -76)];
        self.air.send(messages.map(|(sensor, secs, rssi)| heard(sensor, at + secs * 1_000, rssi)).into());
        self.server.until("the walk is told", |server| {
            server.json("/api/v1/venues/mall/walk")["walkers"][0]["trace"]
                .as_array()
                .is_some_and(|t| t.len() == 2)
        });
    }

    /// A sensor that nobody has configured publishes.
    pub(crate) fn stranger(&self, sensor: &str) {
        let at = START + self.played * HALF_MS + 16_000;
        self.air.send(vec![self.air.heard(sensor, at, &["3c5ab4000001".to_owned()])]);
        self.server.until("the stranger is told", |server| {
            server.json("/api/v1/venues/mall/strangers")["toml"]
                .as_str()
                .is_some_and(|toml| toml.contains(sensor))
        });
    }

    /// Where a page is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }
}

fn venue() -> String {
    let mut text = String::from(
        "[[venue]]\nid = \"mall\"\nname = \"Galerie du Passage\"\ntimezone = \"Europe/Paris\"\nclock = \"sightings\"\n\
         controller = \"Galerie du Passage SAS, 1 place du Marché, 35000 Rennes\"\ncontact = \"privacy@passage.example\"\n\
         purpose = \"To know how many people come, where they stay, and which way they go\"\n",
    );
    text += "[[venue.event]]\nname = \"Late opening\"\nfrom = \"2025-11-24\"\n";
    for (place, (id, name, _)) in ZONES.iter().enumerate() {
        let (left, top) = (20 * (place % 4), 20 * (place / 4));
        let (right, bottom) = (left + 20, top + 20);
        text += &format!(
            "[[venue.zone]]\nid = \"{id}\"\nname = \"{name}\"\n\
             polygon = [[{left}, {top}], [{right}, {top}], [{right}, {bottom}], [{left}, {bottom}]]\n\
             [[venue.sensor]]\nid = \"{id}-1\"\nzone = \"{id}\"\n"
        );
    }
    text + MORE + RULES
}

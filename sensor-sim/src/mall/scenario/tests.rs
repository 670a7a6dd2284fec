//! What a scenario may say, and what a server is told of it.

use super::{Error, MALL, Scenario};

#[test]
fn the_mall_that_ships_is_as_large_as_promised() {
    let mall = Scenario::parse(MALL).unwrap();
    assert!(mall.zones.len() >= 12 && (14..=24).contains(&mall.sensors.len()) && mall.floors.len() >= 2);
    assert!(mall.arrivals.people_by_weekday.iter().all(|&people| people >= 4000.0));
    assert!((mall.stable_share() - 0.1).abs() < 1e-9);
}

#[test]
fn the_servers_configuration_has_the_same_ids() {
    let mall = Scenario::parse(MALL).unwrap();
    let table: toml::Table = toml::from_str(&mall.server_config()).unwrap();
    let venue = &table["venue"].as_array().unwrap()[0];
    let ids = |key: &str| -> Vec<String> {
        let items = venue[key].as_array().unwrap().iter();
        items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(venue["id"].as_str(), Some("mall"));
    assert_eq!(venue["clock"].as_str(), Some("sightings"));
    assert_eq!(ids("zone"), mall.zones.iter().map(|zone| zone.id.to_string()).collect::<Vec<_>>());
    assert_eq!(ids("sensor"), mall.sensors.iter().map(|sensor| sensor.id.to_string()).collect::<Vec<_>>());
    assert_eq!(venue["hours"]["sun"].as_str(), Some("10:00-19:00"));
    let (cafe, sport) = (&venue["zone"][8], &venue["zone"][13]);
    assert_eq!((cafe["id"].as_str(), cafe["group"].as_str()), (Some("cafe"), Some("ground")));
    assert_eq!(sport["polygon"].to_string(), "[[12, 66], [44, 66], [44, 90], [12, 90]]");
}

#[test]
fn a_name_is_quoted() {
    let mall = Scenario::parse(&MALL.replace("Galerie du Passage", "The \\\"Galerie\\\"")).unwrap();
    let table: toml::Table = toml::from_str(&mall.server_config()).unwrap();
    assert_eq!(table["venue"][0]["name"].as_str(), Some("The \"Galerie\""));
}

#[test]
fn what_makes_no_mall_is_refused_by_its_key() {
    let no = |from: &str, to: &str| {
        assert!(MALL.contains(from), "{from}");
        Scenario::parse(&MALL.replacen(from, to, 1)).unwrap_err()
    };
    assert!(matches!(no("stops_mean", "stop_mean"), Error::Parse(_)), "a key nobody knows");
    for (from, to, key) in [
        ("Europe/Paris", "Europe/Lutetia", "venue.timezone"),
        ("id = \"mall\"", "id = \"a mall\"", "venue.id"),
        ("mon = \"09:30-20:00\"", "mon = \"20:00-09:30\"", "hours.mon"),
        ("mon = ", "monday = ", "hours.monday"),
        ("phone_share = 0.85", "phone_share = 1.85", "devices, shares"),
        ("exponent = 2.2", "exponent = nan", "radio.exponent"),
        ("shadow_shares = [0.4, 0.4, 0.2]", "shadow_shares = [0.4, 0.4, 0.4]", "radio.shadow_shares"),
        ("batch_secs = 10", "batch_secs = 11", "sending.batch_secs"),
        ("batch_sightings_max = 200", "batch_sightings_max = 4097", "sending.batch_sightings_max"),
        ("zone = \"cafe\"", "zone = \"coffee\"", "sensor cafe-1"),
        ("id = \"cafe\"", "id = \"home\"", "zone home"),
        ("id = \"cafe-1\"", "id = \"home-1\"", "sensor home-1"),
        ("role = \"walkway\"\n", "attraction = 1\ndwell_median_mins = 1\n", "floor ground"),
        ("outside = [-12, 30]\n", "", "zone entrance-west"),
        ("passing_secs = [30, 120]", "passing_secs = [120, 30]", "arrivals.passing_secs"),
    ] {
        match no(from, to) {
            Error::Value { at, .. } => assert_eq!(at, key, "{to}"),
            other => panic!("{to}: {other}"),
        }
    }
}

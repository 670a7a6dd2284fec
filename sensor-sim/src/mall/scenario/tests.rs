//! What a scenario may say, and what a server is told of it.

use super::{Error, MALL, SHIPPED, Scenario};

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
fn every_scenario_that_ships_reads_and_is_as_large_as_promised() {
    for (file, text) in SHIPPED.iter().filter(|(file, _)| *file != "common.toml") {
        let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let sizes = (scenario.zones.len(), scenario.sensors.len());
        let people = scenario.arrivals.people_by_weekday;
        match *file {
            "two-floors.toml" => {
                assert_eq!(
                    (sizes, scenario.floors.len(), people.iter().sum::<f64>()),
                    ((60, 120), 2, 140_000.0)
                );
            }
            "stadium.toml" => assert_eq!((scenario.people.leaving_mins, people[5]), (20.0, 15_000.0)),
            "night.toml" => assert_eq!((scenario.guards.len(), people), (1, [0.0; 7])),
            _ => assert!(sizes.0 >= 6 && people.iter().sum::<f64>() > 0.0, "{file}"),
        }
        // A random share of 50 to 95 %, but for the guard's telephone.
        let share = scenario.devices.random_share;
        assert!((0.5..=0.95).contains(&share) || *file == "night.toml", "{file}: {share}");
    }
}

#[test]
fn a_scenario_says_only_what_is_different() {
    let extended = |text: &str| Scenario::parse(text).unwrap();
    let louder = extended("extends = \"two-floors.toml\"\n[radio]\nsigma_db = 9\n[sensing]\nloss = 0.5\n");
    assert_eq!((louder.zones.len(), louder.radio.sigma_db, louder.radio.exponent), (60, 9.0, 2.2));
    // Below it the duty of some sensors is their own, and the loss is everybody's.
    let shares: Vec<f64> = louder.sensors.iter().map(|sensor| sensor.heard_share).collect();
    assert!(shares.iter().all(|share| [0.5, 0.35].contains(share)) && shares.contains(&0.35), "{shares:?}");
    // A file beside it comes before the one that ships.
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("mine.toml", "extends = \"mall.toml\"\n");
    assert_eq!(Scenario::load(&folder.path().join("mine.toml")).unwrap().venue.as_str(), "mall");
    write("mall.toml", "extends = \"gallery.toml\"\n");
    assert_eq!(Scenario::load(&folder.path().join("mine.toml")).unwrap().venue.as_str(), "gallery");
    write("gallery.toml", "extends = \"mine.toml\"\n");
    let ring = Scenario::load(&folder.path().join("mine.toml")).unwrap_err();
    assert!(ring.to_string().starts_with("extends: at most"), "{ring}");
    for name in ["nowhere.toml", "../mall.toml"] {
        let error = Scenario::parse(&format!("extends = \"{name}\"")).unwrap_err();
        assert!(error.to_string().starts_with("extends: "), "{error}");
    }
}

#[test]
fn people_take_the_way_over_the_fewest_zones() {
    let mall =
        Scenario::parse(SHIPPED.iter().find(|(file, _)| *file == "two-floors.toml").unwrap().1).unwrap();
    let zone = |id: &str| mall.zones.iter().position(|zone| zone.id.as_str() == id).unwrap();
    let way = |from: &str, to: &str| -> Vec<String> {
        mall.way(zone(from), zone(to)).map(|zone| mall.zones[zone].id.to_string()).collect()
    };
    assert_eq!(way("gate-west", "walk-g-1"), [""; 0]);
    assert_eq!(way("gate-west", "gate-north"), ["walk-g-1", "walk-g-2", "walk-g-3"]);
    assert_eq!(way("deck", "gate-east"), ["walk-u-5", "walk-u-4", "walk-g-4", "walk-g-5"]);
}

#[test]
fn what_makes_no_mall_is_refused_by_its_key() {
    let no = |from: &str, to: &str| {
        // What stands in common.toml is said again, in a table at the end.
        let text = match from.strip_prefix("+ ") {
            Some(table) => format!("{MALL}\n[{table}]\n{to}\n"),
            None => MALL.replacen(from, to, 1),
        };
        assert_ne!(text, MALL, "{from}");
        Scenario::parse(&text).unwrap_err()
    };
    assert!(matches!(no("+ people", "stop_mean = 2"), Error::Parse(_)), "a key nobody knows");
    assert!(matches!(no("+ sensing", "losses = 0"), Error::Parse(_)), "a key no sensor has");
    for (from, to, key) in [
        ("Europe/Paris", "Europe/Lutetia", "venue.timezone"),
        ("id = \"mall\"", "id = \"a mall\"", "venue.id"),
        ("mon = \"09:30-20:00\"", "mon = \"20:00-09:30\"", "hours.mon"),
        ("mon = ", "monday = ", "hours.monday"),
        ("+ devices", "phone_share = 1.85", "devices, shares"),
        ("+ devices", "heavy_addresses_per_burst = [9, 8]", "devices.heavy_addresses_per_burst"),
        ("+ radio", "exponent = nan", "radio.exponent"),
        ("+ radio", "shadow_shares = [0.4, 0.4, 0.4]", "radio.shadow_shares"),
        ("+ radio", "multi_wall = { shadow_m = 0 }", "radio.multi_wall.shadow_m"),
        ("+ sending", "batch_secs = 11", "sending.batch_secs"),
        ("+ sending", "batch_sightings_max = 4097", "sending.batch_sightings_max"),
        ("+ sensing", "duplicates = 2", "sensor west-1"),
        ("+ [outage]", "sensor = \"attic-1\"\nfrom = \"10:00\"\nto = \"11:00\"", "outage"),
        ("+ [outage]", "sensor = \"cafe-1\"\nfrom = \"11:00\"\nto = \"10:00\"", "outage"),
        ("+ [guard]", "from = \"20:00\"\nto = \"8\"\nround = [\"cafe\", \"home\"]\nzone_mins = 5", "guard"),
        ("zone = \"cafe\"", "zone = \"coffee\"", "sensor cafe-1"),
        ("id = \"cafe\"", "id = \"home\"", "zone home"),
        ("id = \"cafe-1\"", "id = \"home-1\"", "sensor home-1"),
        ("leads_to = [\"walk-upper\"]\n", "", "zone walk-upper"),
        ("leads_to = [\"walk-upper\"]\n", "leads_to = [\"attic\"]\n", "zone walk-ground"),
        ("outside = [-12, 30]\n", "", "zone entrance-west"),
        ("passersby_per_person = 0.6", "passing_secs = [120, 30]", "arrivals.passing_secs"),
    ] {
        match no(from, to) {
            Error::Value { at, .. } => assert_eq!(at, key, "{to}"),
            other => panic!("{to}: {other}"),
        }
    }
}

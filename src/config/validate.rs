//! The checks, with the privacy floors among them: below one the program says why and does not start.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use chrono::NaiveTime;
use passant_wire::{Id, PROBE_SENSOR};

use super::file::{
    File, HttpFile, MqttFile, PrivacyFile, PublicFile, RetentionFile, SensorFile, VaultFile, VenueFile,
    ZoneFile,
};
use super::{
    COARSE_MONTHS_MAX, ClockKind, Config, Error, FINE_DAYS_MAX, Hours, HttpDoor, K_DEFAULT, K_FLOOR, Mqtt,
    Notice, Outlet, Public, Retention, SENSORS_MAX, Sensor, Thresholds, TlsFiles, VENUES_MAX, Venue,
    ZONES_MAX, Zone,
};
use super::{alert, event};
use crate::clock::Calendar;

/// Nothing is heard under this strength, dBm.
const RSSI_FLOOR_DBM: i8 = -95;

pub(super) fn check(file: File) -> Result<Config, Error> {
    let mut faults = Vec::new();
    let k = k(&file.privacy, &mut faults);
    let (http_listen, http_door) = http(file.http, &mut faults);
    let public = public(file.public, &mut faults);
    let mqtt = mqtt(file.mqtt, &mut faults);
    let retention = retention(&file.retention, &mut faults);
    if file.venues.len() > VENUES_MAX {
        faults.push(format!("{} venues: at most {VENUES_MAX} fit in one installation", file.venues.len()));
    }
    let mut seen = BTreeSet::new();
    let mut venues = Vec::new();
    for venue in file.venues {
        if !seen.insert(venue.id.clone()) {
            faults.push(format!("venue {:?} is named twice; give each venue an id of its own", venue.id));
        }
        venues.extend(self::venue(venue, k, &mut faults));
    }
    let replays = venues.iter().filter(|v: &&Venue| v.clock == ClockKind::Sightings).count();
    if let Some(mqtt) = &mqtt
        && replays > 0
        && !(is_loopback(&mqtt.host) && mqtt.embedded.is_none_or(|listen| listen.ip().is_loopback()))
    {
        faults.push(format!(
            "the broker is at {} and a venue has clock = \"sightings\": a replay's time can be set by whoever publishes, so it needs a broker on a loopback address",
            mqtt.embedded.map_or(mqtt.host.clone(), |listen| listen.ip().to_string())
        ));
    }
    if replays > 0 && replays < venues.len() {
        faults.push("some venues have clock = \"sightings\" and some \"wall\": a data directory is either a replay's or a real one; run two servers".to_owned());
    }
    let vault_dir = vault(file.vault, replays, &mut faults);
    let outlet = Outlet::read(&file.outlet, &mut faults);
    match mqtt {
        Some(mqtt) if faults.is_empty() => {
            let key_file = file.opt_out.key_file;
            Ok(Config {
                opt_out_key_file: key_file.unwrap_or_else(|| file.data_dir.join("opt-out-key/key")),
                data_dir: file.data_dir,
                vault_dir,
                mqtt,
                public,
                http_listen,
                http_door,
                k,
                retention,
                outlet,
                venues,
            })
        }
        _ => Err(Error::Invalid(faults)),
    }
}

fn k(file: &PrivacyFile, faults: &mut Vec<String>) -> u32 {
    let k = file.k.unwrap_or(K_DEFAULT);
    if k < K_FLOOR {
        faults.push(format!(
            "privacy.k is {k}: figures about fewer than {K_FLOOR} people can point at one; set it to {K_FLOOR} or more ({K_DEFAULT} is the default)"
        ));
    }
    k
}

fn vault(file: Option<VaultFile>, replays: usize, faults: &mut Vec<String>) -> Option<PathBuf> {
    let dir = file?.dir;
    if !dir.is_absolute() {
        faults.push(format!("vault.dir is {}: name it from the root, like /run/passant", dir.display()));
    }
    if replays > 0 {
        faults.push(
            "[vault] is set and a venue has clock = \"sightings\": a replay is begun again and not gone on with; remove [vault]"
                .to_owned(),
        );
    }
    Some(dir)
}

fn retention(file: &RetentionFile, faults: &mut Vec<String>) -> Retention {
    let Retention { fine_days, coarse_months } = Retention::default();
    let kept = Retention {
        fine_days: file.fine_days.unwrap_or(fine_days),
        coarse_months: file.coarse_months.unwrap_or(coarse_months),
    };
    if !(1..=FINE_DAYS_MAX).contains(&kept.fine_days) {
        faults.push(format!(
            "retention.fine_days is {}: figures of minutes are kept 1 to {FINE_DAYS_MAX} days; what visitors are told may be shortened and not outstayed",
            kept.fine_days
        ));
    }
    if !(1..=COARSE_MONTHS_MAX).contains(&kept.coarse_months) {
        faults.push(format!(
            "retention.coarse_months is {}: figures of hours and days are kept 1 to {COARSE_MONTHS_MAX} months; what visitors are told may be shortened and not outstayed",
            kept.coarse_months
        ));
    }
    kept
}

/// The most proxies that may be named.
const PROXIES_MAX: usize = 64;

/// Where pages and API listen, and how others than this machine come to them.
fn http(file: HttpFile, faults: &mut Vec<String>) -> (SocketAddr, HttpDoor) {
    let HttpFile { listen, tls_cert, tls_key, trusted_proxies } = file;
    if tls_cert.is_some() != tls_key.is_some() {
        faults.push("http names a certificate without its key, or a key without its certificate: set both http.tls_cert and http.tls_key (PEM), or neither".to_owned());
    }
    if trusted_proxies.len() > PROXIES_MAX {
        faults.push(format!("http.trusted_proxies names over {PROXIES_MAX}; name the nearest ones only"));
    }
    let tls = tls_cert.zip(tls_key).map(|(cert, key)| TlsFiles { cert, key });
    if !listen.ip().to_canonical().is_loopback() && tls.is_none() && trusted_proxies.is_empty() {
        faults.push(format!(
            "http.listen is {listen}: beyond a loopback address passwords and figures would travel in clear; set http.tls_cert and http.tls_key, or name the proxy with TLS that stands in front in http.trusted_proxies, or use 127.0.0.1:{}",
            listen.port()
        ));
    }
    (listen, HttpDoor { tls, trusted_proxies })
}

fn public(file: PublicFile, faults: &mut Vec<String>) -> Public {
    let url = file.url.map(|url| url.trim_end_matches('/').to_owned());
    if let Some(url) = &url {
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if !host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '@', '?', '#', ' '])) {
            faults.push(
                "public.url holds more or less than a scheme and a host: write it as https://count.example"
                    .to_owned(),
            );
        }
    }
    if url.is_none() && file.listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        faults.push("public.listen is set and public.url is not: name the address that telephones use, like https://count.example, for a request to another name is refused".to_owned());
    }
    if file.trusted_proxies.len() > PROXIES_MAX {
        faults.push(format!("public.trusted_proxies names over {PROXIES_MAX}; name the nearest ones only"));
    }
    Public { listen: file.listen, url, trusted_proxies: file.trusted_proxies }
}

/// Whether a host name can only mean this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn mqtt(file: MqttFile, faults: &mut Vec<String>) -> Option<Mqtt> {
    let (tls, host, port) = match (&file.url, file.embedded) {
        (Some(url), None) => broker_of(url, faults)?,
        (None, Some(listen)) => embedded(&file, listen, faults)?,
        _ => {
            faults.push(
                "mqtt names no broker, or two: give it url, or embedded for one of the server's own"
                    .to_owned(),
            );
            return None;
        }
    };
    if tls && file.ca_file.is_none() {
        faults.push("mqtt.url asks for TLS: name the authorities that may sign the broker's certificate in mqtt.ca_file (PEM)".to_owned());
    }
    if file.password_file.is_some() && file.username.is_none() {
        faults.push(
            "mqtt.password_file is set and mqtt.username is not: a broker takes a password with a user only"
                .to_owned(),
        );
    }
    Some(Mqtt {
        host,
        port,
        tls,
        ca_file: file.ca_file,
        client_id: file.client_id.unwrap_or_else(|| "passant-ingest".to_owned()),
        username: file.username,
        password_file: file.password_file,
        protocol: file.protocol,
        embedded: file.embedded,
    })
}

/// Whether to speak TLS, with which host and port.
fn broker_of(url: &str, faults: &mut Vec<String>) -> Option<(bool, String, u16)> {
    let wrong = |faults: &mut Vec<String>, what: &str| {
        faults.push(format!("mqtt.url {what}: write it as mqtt://host:1883 or, with TLS, mqtts://host:8883"));
        None
    };
    let (tls, rest) = if let Some(rest) = url.strip_prefix("mqtt://") {
        (false, rest)
    } else if let Some(rest) = url.strip_prefix("mqtts://") {
        (true, rest)
    } else {
        return wrong(faults, "has no known scheme");
    };
    if rest.contains(['@', '/', '?', '#']) {
        return wrong(faults, "holds more than a host and a port (user and password have keys of their own)");
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !rest.ends_with(']') => match port.parse() {
            Ok(port) => (host, port),
            Err(_) => return wrong(faults, "has a port that is no number"),
        },
        _ => (rest, if tls { 8883 } else { 1883 }),
    };
    if host.is_empty() {
        return wrong(faults, "names no host");
    }
    Some((tls, host.trim_matches(['[', ']']).to_owned(), port))
}

/// The server's own broker, as the server itself reaches it.
fn embedded(file: &MqttFile, listen: SocketAddr, faults: &mut Vec<String>) -> Option<(bool, String, u16)> {
    let before = faults.len();
    if listen.port() == 0 {
        faults.push("mqtt.embedded has port 0, where no sensor could find it; 1883 is MQTT's".to_owned());
    }
    if !listen.ip().is_loopback() && (file.username.is_none() || file.password_file.is_none()) {
        faults.push(format!(
            "mqtt.embedded is {listen}, where others than this machine can reach it: give mqtt.username and mqtt.password_file, which sensors and the server then use, or 127.0.0.1:{}",
            listen.port()
        ));
    }
    let host = if listen.ip().is_unspecified() {
        if listen.is_ipv4() { "127.0.0.1".to_owned() } else { "::1".to_owned() }
    } else {
        listen.ip().to_string()
    };
    (faults.len() == before).then_some((false, host, listen.port()))
}

fn venue(file: VenueFile, k: u32, faults: &mut Vec<String>) -> Option<Venue> {
    let at = format!("venue {:?}", file.id);
    let before = faults.len();
    let id = id(&file.id, &at, faults);
    let tz = file.timezone.parse::<chrono_tz::Tz>().ok();
    if tz.is_none() {
        faults.push(format!("{at}: timezone {:?} is not an IANA name like \"Europe/Paris\"", file.timezone));
    }
    let start = file.day_starts_at.as_deref().unwrap_or("04:00");
    let day_starts_at = NaiveTime::parse_from_str(start, "%H:%M").ok();
    if day_starts_at.is_none() {
        faults.push(format!("{at}: day_starts_at {start:?} is not a time like \"04:00\""));
    }
    let hours = Hours::parse(&file.hours).map_err(|e| faults.push(format!("{at}: hours: {e}"))).ok();
    let thresholds = thresholds(&file, k, &at, faults);
    let (zones, groups) = zones(file.zones, &at, faults);
    let sensors = sensors(file.sensors, &zones, &at, faults);
    let events = event::events(file.events, &at, faults);
    let alerts = alert::alerts(file.alerts, &zones, &groups, &at, faults);
    if faults.len() > before {
        return None;
    }
    Some(Venue {
        name: file.name.unwrap_or_else(|| file.id.clone()),
        notice: Notice { controller: file.controller, contact: file.contact, purpose: file.purpose },
        id: id?,
        calendar: Calendar::new(tz?, day_starts_at?),
        timezone: file.timezone,
        clock: file.clock,
        hours: hours?,
        crowd_radio: file.crowd_radio,
        thresholds,
        zones,
        groups,
        sensors,
        events,
        alerts,
    })
}

fn thresholds(file: &VenueFile, k: u32, at: &str, faults: &mut Vec<String>) -> Thresholds {
    let default = Thresholds::default();
    let thresholds = Thresholds {
        outside_floor_dbm: file.thresholds.outside_floor_dbm.unwrap_or(default.outside_floor_dbm),
        near_dbm: file.thresholds.near_dbm.unwrap_or(default.near_dbm),
        visitor_secs: file.thresholds.visitor_secs.unwrap_or(default.visitor_secs),
        engaged_secs: file.thresholds.engaged_secs.unwrap_or(default.engaged_secs),
        k,
    };
    if !(RSSI_FLOOR_DBM..0).contains(&thresholds.outside_floor_dbm) {
        faults.push(format!(
            "{at}: outside_floor_dbm is {}: choose one from {RSSI_FLOOR_DBM} to -1",
            thresholds.outside_floor_dbm
        ));
    }
    if thresholds.near_dbm < thresholds.outside_floor_dbm {
        faults
            .push(format!("{at}: near_dbm lies below outside_floor_dbm, so nobody could pass by; raise it"));
    }
    if thresholds.visitor_secs == 0 || thresholds.engaged_secs <= thresholds.visitor_secs {
        faults.push(format!("{at}: thresholds: 0 < visitor_secs < engaged_secs is needed"));
    }
    thresholds
}

fn zones(files: Vec<ZoneFile>, at: &str, faults: &mut Vec<String>) -> (Vec<Zone>, Vec<Id>) {
    if files.is_empty() || files.len() > ZONES_MAX {
        faults.push(format!("{at}: {} zones: 1 to {ZONES_MAX} are needed", files.len()));
    }
    let mut groups: Vec<Id> = Vec::new();
    let mut zones: Vec<Zone> = Vec::new();
    for file in files {
        let Some(id) = id(&file.id, at, faults) else { continue };
        if zones.iter().any(|z| z.id == id) {
            faults.push(format!("{at}: zone {id} is named twice"));
        }
        let group = file.group.and_then(|name| self::id(&name, at, faults)).map(|name| {
            groups.iter().position(|g| *g == name).unwrap_or_else(|| {
                groups.push(name);
                groups.len() - 1
            })
        });
        let name = file.name.unwrap_or_else(|| file.id.clone());
        zones.push(Zone {
            id,
            name,
            group,
            is_entrance: file.entrance,
            near_dbm: file.near_dbm,
            polygon: file.polygon,
        });
    }
    for group in &groups {
        if zones.iter().any(|z| z.id == *group) {
            faults.push(format!("{at}: {group} names a zone and a group; the API could not tell them apart"));
        }
    }
    (zones, groups)
}

fn sensors(files: Vec<SensorFile>, zones: &[Zone], at: &str, faults: &mut Vec<String>) -> Vec<Sensor> {
    if files.len() > SENSORS_MAX {
        faults.push(format!("{at}: {} sensors: at most {SENSORS_MAX} fit in one venue", files.len()));
    }
    let mut seen = BTreeSet::new();
    let mut sensors = Vec::new();
    for file in files {
        let Some(id) = id(&file.id, at, faults) else { continue };
        if !seen.insert(id.clone()) {
            faults.push(format!("{at}: sensor {id} is named twice"));
        }
        if id.as_str() == PROBE_SENSOR {
            faults.push(format!(
                "{at}: no sensor may be called {id}: the server tries the way of an objection out as it; give this one another id"
            ));
        }
        if id.as_str() == alert::TOPIC_LEVEL {
            faults.push(format!(
                "{at}: no sensor may be called {id}: the server tells alerts under that name, and a sensor with it could forge them; give this one another id"
            ));
        }
        match zones.iter().position(|z| z.id.as_str() == file.zone) {
            Some(zone) => sensors.push(Sensor { id, zone, rssi_offset_db: file.rssi_offset_db }),
            None => faults
                .push(format!("{at}: sensor {id} stands in zone {:?}, which is not configured", file.zone)),
        }
    }
    sensors
}

pub(super) fn id(text: &str, at: &str, faults: &mut Vec<String>) -> Option<Id> {
    let id = Id::parse(text);
    if id.is_none() {
        faults.push(format!("{at}: {text:?} is no id: use 1 to 64 letters, digits, '-', '_' or '.'"));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::super::{Config, EXAMPLE};

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, std::iter::empty()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_example_is_accepted() {
        let config = parse(EXAMPLE).unwrap();
        assert_eq!(config.k, 10);
        assert_eq!(config.venues[0].id.as_str(), "mall");
    }

    #[test]
    fn below_a_floor_the_program_says_why() {
        for (from, to, words) in [
            ("k = 10", "k = 4", "fewer than 5 people"),
            ("listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:8080\"", "loopback"),
            ("clock = \"wall\"", "clock = \"sundial\"", "clock"),
            ("data_dir", "data_dirr", "data_dirr"),
            ("https://count.example", "count.example", "public.url"),
            ("https://count.example", "https://count.example/opt-out", "public.url"),
            ("id = \"north-1\"", "id = \"passant-probe\"", "another id"),
            ("id = \"north-1\"", "id = \"alerts\"", "forge"),
            ("timezone = \"Europe/Paris\"", "timezone = \"Paris\"", "IANA"),
        ] {
            assert!(EXAMPLE.contains(from), "{from}");
            let error = parse(&EXAMPLE.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(words), "{to}: {error}");
        }
    }

    #[test]
    fn beyond_this_machine_pages_need_tls_or_a_named_proxy() {
        let listen = "listen = \"127.0.0.1:8080\"";
        let with = |keys: &str| parse(&EXAMPLE.replacen(listen, keys, 1));
        let everywhere = "listen = \"0.0.0.0:8443\"\n";
        for alone in ["", "trusted_proxies = []"] {
            let error = with(&format!("{everywhere}{alone}")).unwrap_err();
            assert!(error.contains("http.tls_cert") && error.contains("http.trusted_proxies"), "{error}");
        }
        let tls = with(&format!("{everywhere}tls_cert = \"a.pem\"\ntls_key = \"b.pem\"")).unwrap();
        assert_eq!(tls.http_door.tls.unwrap().key.to_str(), Some("b.pem"));
        let proxy = with(&format!("{everywhere}trusted_proxies = [\"10.0.0.2\"]")).unwrap();
        assert_eq!((proxy.http_door.tls, proxy.http_door.trusted_proxies.len()), (None, 1));
        let half = with(&format!("{everywhere}tls_cert = \"a.pem\"")).unwrap_err();
        assert!(half.contains("set both"), "{half}");
        assert_eq!(with("tls_cert = \"a.pem\"\ntls_key = \"b.pem\"").unwrap().http_listen.port(), 8080);
    }

    #[test]
    fn a_replay_needs_a_loopback_broker() {
        let text = EXAMPLE.replace("clock = \"wall\"", "clock = \"sightings\"");
        assert!(parse(&text).is_ok());
        let error = parse(&text.replace("mqtt://127.0.0.1:1883", "mqtt://broker.example:1883")).unwrap_err();
        assert!(error.contains("loopback"), "{error}");
    }

    #[test]
    fn an_embedded_broker_is_this_machines_or_has_a_password() {
        let url = "url = \"mqtt://127.0.0.1:1883\"";
        let with = |keys: &str| parse(&EXAMPLE.replace(url, keys));
        let own = with("embedded = \"127.0.0.1:1884\"").unwrap().mqtt;
        assert_eq!((own.host.as_str(), own.port, own.tls), ("127.0.0.1", 1884, false));
        let login = "\nusername = \"mall\"\npassword_file = \"password\"";
        for (listen, host) in
            [("0.0.0.0:1883", "127.0.0.1"), ("[::]:1883", "::1"), ("192.0.2.1:1883", "192.0.2.1")]
        {
            let open = format!("embedded = \"{listen}\"");
            let error = with(&open).unwrap_err();
            assert!(error.contains("mqtt.password_file"), "{error}");
            assert_eq!(with(&format!("{open}{login}")).unwrap().mqtt.host, host);
            let replay = EXAMPLE.replace("clock = \"wall\"", "clock = \"sightings\"");
            let error = parse(&replay.replace(url, &format!("{open}{login}"))).unwrap_err();
            assert!(error.contains("loopback"), "{error}");
        }
        for keys in ["", &format!("{url}\nembedded = \"127.0.0.1:1883\"")] {
            let error = with(keys).unwrap_err();
            assert!(error.contains("no broker, or two"), "{error}");
        }
        assert!(with("embedded = \"127.0.0.1:0\"").unwrap_err().contains("port 0"));
    }

    #[test]
    fn the_environment_stands_over_the_file() {
        let environment = [
            ("PASSANT__HTTP__LISTEN".to_owned(), "127.0.0.1:9999".to_owned()),
            ("PASSANT__PRIVACY__K".to_owned(), "20".to_owned()),
            ("HOME".to_owned(), "/".to_owned()),
        ];
        let config = Config::parse(EXAMPLE, environment.into_iter()).unwrap();
        assert_eq!((config.http_listen.port(), config.k), (9999, 20));
        let wrong = [("PASSANT__HTTP__PORT".to_owned(), "1".to_owned())];
        assert!(Config::parse(EXAMPLE, wrong.into_iter()).is_err());
    }
}

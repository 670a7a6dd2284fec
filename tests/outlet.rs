//! What leaves a real server: figures and alerts by MQTT, past the access list that ships, and the weekly report on paper.

#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;
#[path = "support/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;
#[path = "support/year.rs"]
mod year;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;

use mosquitto::{Mosquitto, free_port, publish};
use passant::store::{Kind, Store};
use serde_json::Value;
use server::Server;

/// The access list that ships.
const ACL: &str = include_str!("../src/broker/mosquitto.acl");
const RULE: &str = "[[venue.alert]]\nname = \"busy\"\nmetric = \"occupancy\"\nstep = \"1h\"\nwhen = \"over\"\nthreshold = 20\n";
const OUTLET: &str = "[outlet]\nfigures = [\"1h\"]\nalerts = \"mqtt\"\n";

/// A server that has published some days when it starts.
fn server_after(days: u32, zones: usize, broker: &str) -> Server {
    let venue = year::venue(zones);
    let mut server = Server::start_with(&format!("{OUTLET}{venue}{RULE}"), 10, broker);
    server.stop();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&server.directory().join("data"), Kind::Real).await.expect("a store");
        let days = year::Days { all: days, fine: 0, tables: 0 };
        let written = year::publish(&store, &Arc::new(year::read(&venue)), days, |_| ()).await;
        assert!(written > 0);
        store.close().await;
    });
    server.start_again();
    server
}

/// What a user hears of everything that is retained: topics and messages.
fn retained(broker: &Mosquitto, user: &str, secs: &str) -> Vec<(String, Value)> {
    let port = broker.port.to_string();
    let mut listener = Command::new("mosquitto_sub");
    listener.args(["-h", "127.0.0.1", "-p", &port, "-u", user, "-P", "secret", "-W", secs]);
    listener.args(["-t", "passant/v1/#", "--retained-only", "-F", "%t %p"]);
    let heard = listener.stderr(Stdio::null()).output().expect("it starts; is it installed?").stdout;
    let heard = String::from_utf8(heard).expect("text");
    let message = |line: &str| {
        let (topic, message) = line.split_once(' ')?;
        Some((topic.to_owned(), serde_json::from_str(message).ok()?))
    };
    heard.lines().filter_map(message).collect()
}

#[test]
#[ignore = "needs Mosquitto"]
fn past_the_access_list_that_ships_a_display_hears_what_is_released_and_a_sensor_nothing() {
    let broker = Mosquitto::with_access_list(ACL, &["passant", "display", "mall.north-1"]);
    let password = broker.directory().join("password");
    let keys = format!(
        "url = \"mqtt://127.0.0.1:{}\"\nusername = \"passant\"\npassword_file = {password:?}",
        broker.port
    );
    let server = server_after(1, 6, &keys);
    let said = |server: &Server| server.counter("passant_outlet_messages_total", "said");
    // Six zones, five groups, the venue, and the alert.
    server.until("all of it is said", |server| said(server) >= 13);
    assert_eq!(server.counter("passant_outlet_messages_total", "refused"), 0);
    let heard = retained(&broker, "display", "3");
    let topics: BTreeSet<&str> = heard.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(topics.len(), 13, "{topics:?}");
    for topic in ["figures", "zones/z3/figures", "zones/floor-1/figures", "alerts/busy"] {
        assert!(topics.contains(format!("passant/v1/mall/{topic}").as_str()), "{topic}");
    }
    let zone = heard.iter().find(|(topic, _)| topic.ends_with("/z3/figures")).expect("a zone's");
    let figures = zone.1["figures"].as_array().expect("figures");
    assert!(figures.len() >= 12 && figures.iter().all(|figure| figure["step"] == "1h"), "{figures:?}");
    // A sensor hears nothing of it, and cannot forge it.
    let port = broker.port.to_string();
    let sensor = ["-h", "127.0.0.1", "-p", &port, "-u", "mall.north-1", "-P", "secret"];
    let forged = ["-V", "5", "-q", "1", "-r", "-s", "-t", "passant/v1/mall/zones/z3/figures"];
    publish(sensor.iter().chain(&forged), b"{\"venue\":\"forged\"}");
    assert_eq!(retained(&broker, "mall.north-1", "2"), []);
    assert!(retained(&broker, "display", "2").iter().all(|(_, message)| message["venue"] == "mall"));
    // With the venue goes what the broker keeps of it.
    let mut destroy = Command::new(env!("CARGO_BIN_EXE_passant"));
    destroy.args(["destroy", "--venue", "mall", "--yes", "--json", "--config"]);
    let done = destroy.arg(server.directory().join("passant.toml")).output().expect("it runs");
    let certificate: Value = serde_json::from_slice(&done.stdout).expect("a certificate");
    assert_eq!((&certificate["retained_cleared"], &certificate["retained_left"]), (&13.into(), &0.into()));
    assert_eq!(retained(&broker, "display", "2"), []);
}

#[test]
#[ignore = "needs Chromium"]
fn the_weekly_report_is_one_sheet_in_every_language() {
    let server = server_after(35, 30, &format!("embedded = \"127.0.0.1:{}\"", free_port()));
    for lang in ["en", "fr"] {
        let page = format!("{}/venues/mall/report?week=2025-W52&lang={lang}", server.url());
        let mut browser = Command::new("chromium");
        browser.args([
            "--headless",
            "--no-sandbox",
            "--disable-background-networking",
            "--print-to-pdf=report.pdf",
        ]);
        browser.arg(page).current_dir(server.directory());
        assert!(browser.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs").success());
        let pdf = std::fs::read(server.directory().join("report.pdf")).expect("it prints");
        assert_eq!(String::from_utf8_lossy(&pdf).matches("/Type /Page\n").count(), 1, "{lang}");
        if let Some(kept) = std::env::var_os("PASSANT_REPORTS") {
            let kept = std::path::PathBuf::from(kept).join(format!("report-{lang}.pdf"));
            std::fs::copy(server.directory().join("report.pdf"), kept).expect("a copy");
        }
    }
}

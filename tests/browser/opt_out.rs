//! A visitor says no, on a telephone and without scripts, through the address that telephones reach.

use super::air::{Air, HOUR_MS, MINUTE_MS, START, rfc3339};
use super::driver::{Browser, PHONE, Scripts};
use super::mosquitto::{Mosquitto, free_port};
use super::server::Server;
use super::venue::venue;

const LAB: &str = venue!("lab");
/// Thirteen visitors are told as 15 and twelve as 10, so that one of them shows.
const VISITORS: u8 = 13;
const ALL_TOLD: u64 = 15;
const WITHOUT_ONE_TOLD: u64 = 10;

/// The address of a visitor's telephone; it stays the same.
fn device(visitor: u8) -> String {
    format!("a4c1381122{visitor:02x}")
}

/// Thirteen visitors come at the beginning of an hour, stay for ten minutes, and the hour closes. Gives how many visitors
/// it is told to have had, and how many sightings the gate has let through.
fn an_hour(server: &Server, air: &Air, from: i64) -> (Option<u64>, u64) {
    let counted = |server: &Server| server.counter("passant_sightings_total", "counted");
    let before = counted(server);
    let everybody: Vec<String> = (0..VISITORS).map(device).collect();
    let minutes = 0..10;
    air.send(minutes.map(|minute| air.heard("p1", from + minute * MINUTE_MS, &everybody)).collect());
    // An hour of visits closes 17 minutes after its end.
    air.pass_to(server, "p1", from + HOUR_MS + 18 * MINUTE_MS);
    let path = format!(
        "/api/v1/venues/lab/figures?metric=visitors&step=1h&from={}&to={}",
        rfc3339(from),
        rfc3339(from + HOUR_MS)
    );
    let told = |server: &Server| {
        let figure = server.json(&path)["figures"].as_array().expect("figures").first().cloned();
        figure.filter(|figure| figure["state"] != "open")
    };
    server.until("the hour is stored", |server| told(server).is_some());
    (told(server).expect("a figure")["value"].as_u64(), counted(server) - before)
}

/// The whole story, with a broker on some port.
fn an_objection_is_kept(server: &mut Server, public: u16, broker: u16) {
    let air = Air::of("lab", broker);
    let all = u64::from(VISITORS) * 10;
    assert_eq!(an_hour(server, &air, START), (Some(ALL_TOLD), all));

    let mut browser = Browser::open(Scripts::Off);
    browser.look_as(PHONE);
    browser.go(&format!("{}/", server.url()));
    assert!(
        browser.text(".noscript").contains("draws itself with JavaScript"),
        "scripts run in this browser"
    );
    browser.go(&format!("http://127.0.0.1:{public}/opt-out"));
    browser.write("#device", " A4-c1.38 11:22-00 ");
    browser.click("button");
    let code = browser.text(".code");
    let receipt = browser.url();
    assert_eq!(receipt, format!("http://127.0.0.1:{public}/opt-out/receipt/{code}?lang=en"));
    assert_eq!(browser.text("h1"), "Your objection is in force");
    assert_eq!(browser.text(".receipt a"), format!("127.0.0.1:{public}/opt-out/receipt/{code}"));

    let without_one = (Some(WITHOUT_ONE_TOLD), all - 10);
    assert_eq!(an_hour(server, &air, START + 2 * HOUR_MS), without_one, "from the next sighting on");
    server.stop();
    server.start_again();
    assert_eq!(an_hour(server, &air, START + 4 * HOUR_MS), without_one, "after a restart");
    assert_eq!(an_hour(server, &air, START + 24 * HOUR_MS), without_one, "the next day, under another key");

    // She comes back to the link she kept.
    browser.go(&format!("http://127.0.0.1:{public}/opt-out"));
    browser.go(&format!("http://127.0.0.1:{public}/opt-out/receipt/{code}"));
    browser.click("button.second");
    assert_eq!(browser.text("p > a.button"), "Object");
    assert_eq!(browser.text("h1"), "No objection is in force");
    assert_eq!(an_hour(server, &air, START + 26 * HOUR_MS), (Some(ALL_TOLD), all), "counted again");
}

fn public_door() -> (u16, String) {
    let port = free_port();
    (port, format!("[public]\nlisten = \"127.0.0.1:{port}\"\n{LAB}"))
}

#[test]
#[ignore = "needs Chromium"]
fn an_objection_from_the_form_holds_until_it_is_withdrawn() {
    let (public, venues) = public_door();
    let broker = free_port();
    let mut server = Server::start_with(&venues, 5, &format!("embedded = \"127.0.0.1:{broker}\""));
    an_objection_is_kept(&mut server, public, broker);
}

#[test]
#[ignore = "needs Chromium and mosquitto"]
fn an_objection_holds_behind_mosquitto_as_well() {
    let (public, venues) = public_door();
    let broker = Mosquitto::start();
    let mut server = Server::start(&venues, 5, broker.port);
    an_objection_is_kept(&mut server, public, broker.port);
}

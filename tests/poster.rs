//! The notice from end to end: a real server behind a real broker with its access list, and a real printer's page.

#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;
#[path = "support/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use mosquitto::{Mosquitto, free_port};
use passant_wire::PROBE_SENSOR;
use server::Server;

/// The access list that ships.
const ACL: &str = include_str!("../src/broker/mosquitto.acl");
/// Every text as long as the sheet has room for, and more zones than are named.
fn venue() -> String {
    let words = |chars: usize| "commerciale ".repeat(20).chars().take(chars - 1).collect::<String>() + "x";
    let mut text = format!(
        "[public]\nurl = \"http://{}\"\n[[venue]]\nid = \"mall\"\ntimezone = \"Europe/Paris\"\nname = \"{}\"\n\
         controller = \"{}\"\ncontact = \"{}\"\npurpose = \"{}\"\n",
        "a".repeat(40) + ".example.net",
        words(50),
        words(100),
        words(80),
        words(120),
    );
    for zone in 0..30 {
        text += &format!(
            "[[venue.zone]]\nid = \"z{zone}\"\nname = \"Galerie marchande {zone}\"\n[[venue.sensor]]\nid = \"s{zone}\"\nzone = \"z{zone}\"\n"
        );
    }
    text
}

/// The shipped configuration with a user, and a list of rights instead of an open door.
fn broker(acl: &str) -> Mosquitto {
    Mosquitto::with_access_list(acl, &["passant"])
}

fn server(broker: &Mosquitto, protocol: &str) -> Server {
    let password = broker.directory().join("password");
    let keys = format!(
        "url = \"mqtt://127.0.0.1:{}\"\nusername = \"passant\"\npassword_file = {password:?}\nprotocol = \"{protocol}\"",
        broker.port
    );
    Server::start_with(&venue(), 10, &keys)
}

fn passant(server: &Server, args: &[&str]) -> Output {
    let config = server.directory().join("passant.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_passant"));
    command.args(args).arg("--config").arg(config).stdin(Stdio::null()).current_dir(server.directory());
    command.output().expect("it runs")
}

#[test]
#[ignore = "needs Mosquitto"]
fn with_the_access_list_that_ships_a_notice_is_printed() {
    let broker = broker(ACL);
    for protocol in ["5", "3.1.1"] {
        let server = server(&broker, protocol);
        let printed = passant(&server, &["poster", "--venue", "mall", "--lang", "fr"]);
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        let html = std::fs::read_to_string(server.directory().join("poster-mall-fr.html")).expect("a page");
        assert!(html.contains("Ne pas compter mon téléphone"));
        let checked = passant(&server, &["check"]);
        let told = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(told.contains("ok    objections: one was tried out"), "{told}");
        let metrics = server.get("/metrics").1;
        assert!(!metrics.contains("unknown_sensor") && !metrics.contains("stray_probe"), "{metrics}");
        server.until("its link is up again", |server| server.get("/readyz").0 == 200);
    }
}

#[test]
#[ignore = "needs Mosquitto"]
fn without_its_line_in_the_access_list_none_is_and_the_words_say_which_line() {
    let line = format!("topic write passant/v1/+/{PROBE_SENSOR}/sightings\n");
    assert!(ACL.contains(&line));
    let broker = broker(&ACL.replace(&line, ""));
    // One release of Mosquitto hangs up over it, in 5 mostly after a word; another takes it and drops it in silence. Each
    // is told apart in words of its own, and all of them name the line.
    for protocol in ["5", "3.1.1"] {
        let server = server(&broker, protocol);
        let refused = passant(&server, &["poster", "--venue", "mall", "--out", "-"]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && refused.stdout.is_empty());
        assert!(
            ["or hangs up over it", "drops this one without a word"].iter().any(|words| told.contains(words)),
            "{told}"
        );
        assert!(told.contains(line.trim()), "{told}");
        let ledger = std::fs::read_to_string(server.directory().join("data/ledger.jsonl")).expect("a ledger");
        assert!(ledger.contains("\"event\":\"refused\",\"what\":\"poster\""), "{ledger}");
    }
}

/// The pages that a browser prints a file on.
fn pages(directory: &Path, html: &str) -> usize {
    let mut browser = Command::new("chromium");
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-background-networking",
        "--print-to-pdf=sheet.pdf",
    ]);
    browser.arg(format!("file://{}/{html}", directory.display())).current_dir(directory);
    assert!(browser.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs").success());
    let pdf = std::fs::read(directory.join("sheet.pdf")).expect("it prints");
    String::from_utf8_lossy(&pdf).matches("/Type /Page\n").count()
}

#[test]
#[ignore = "needs Chromium"]
fn a_notice_is_one_sheet_in_every_language_however_long_its_texts() {
    let server = Server::start_with(&venue(), 10, &format!("embedded = \"127.0.0.1:{}\"", free_port()));
    for lang in ["en", "fr"] {
        let printed = passant(&server, &["poster", "--venue", "mall", "--lang", lang, "--out", "sheet.html"]);
        assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        assert_eq!(pages(server.directory(), "sheet.html"), 1, "{lang}");
    }
}

//! What the crowds cost when nobody listens: `cargo bench -p sensor-sim --bench speed`.

use std::sync::Arc;

use passant_wire::BootId;
use sensor_sim::clock;
use sensor_sim::load::crowd::{Crowd, Form};
use sensor_sim::load::zipf::Zipf;
use sensor_sim::mall::{Chronicle, Mall, SHIPPED, Scenario, truth};

const SECS: f64 = 3.0;

fn main() {
    a_day_of_every_scenario();
    sightings_a_second_on_one_core();
}

/// What a day of a scenario weighs, and what it costs; with and without Bluetooth.
#[expect(clippy::print_stdout, reason = "a measurement is read")]
fn a_day_of_every_scenario() {
    let no_ble = "\n[devices]\nble_share = 0\nstaff_badge_share = 0\n";
    let files = SHIPPED.iter().filter(|(file, _)| *file != "base.toml");
    let plain = files.map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
    let wifi = ["two-floors.toml", "two-floors-multi-wall.toml"]
        .map(|file| (format!("{file}, Wi-Fi only"), format!("extends = \"{file}\"{no_ble}")));
    for (name, text) in plain.chain(wifi) {
        let scenario = Scenario::parse(&text).expect("it ships");
        // A Wednesday: every scenario is open on it.
        let date = chrono::NaiveDate::from_ymd_opt(2026, 3, 4).expect("a date");
        let (from, to) = Chronicle::of(&scenario, 1, date).day_ms();
        let begun = clock::steady();
        let mut mall = Mall::new(&scenario, 1, from);
        let (mut messages, mut sightings, mut bytes) = (0u64, 0, 0);
        while let Some(message) = mall.next_message().filter(|message| message.at_ms < to) {
            messages += 1;
            sightings += message.sightings;
            bytes += std::hint::black_box(message.payload).len();
        }
        let secs = clock::steady().saturating_sub(begun).as_secs_f64();
        let begun = clock::steady();
        let lines = truth::of(&scenario, 1, from, to).count();
        let truth_secs = clock::steady().saturating_sub(begun).as_secs_f64();
        println!(
            "{name}: {messages} messages, {sightings} sightings, {bytes} bytes, {secs:.2} s; \
             truth: {lines} lines, {truth_secs:.2} s"
        );
    }
}

/// Time is driven as at 2,000,000 sightings a second, so that slots are as full and redraws as many as there.
#[expect(clippy::print_stdout, reason = "a measurement is read")]
fn sightings_a_second_on_one_core() {
    let zipf = Arc::new(Zipf::new(600_000));
    for (form, batch) in [(Form::Binary, 100), (Form::Binary, 1000), (Form::Json, 100)] {
        let topics = (1..=120).map(|i| format!("passant/v1/load/s{i:03}/sightings")).collect();
        let boot = BootId::parse(b"speed").expect("an id");
        let mut crowd = Crowd::new(&zipf, (1, 0), topics, boot, (batch, form));
        let begun = clock::steady();
        let (mut sent, mut bytes, mut now_ms) = (0, 0, 1_764_018_000_000);
        let secs = loop {
            now_ms = now_ms.max(1_764_018_000_000 + sent as i64 / 2000);
            match crowd.message(now_ms) {
                Some((_, payload)) => {
                    sent += batch;
                    bytes += std::hint::black_box(payload).len();
                }
                None => now_ms += 1,
            }
            let secs = clock::steady().saturating_sub(begun).as_secs_f64();
            if secs >= SECS {
                break secs;
            }
        };
        let rate = sent as f64 / secs / 1e6;
        println!("{form:?}, batches of {batch}: {rate:.2} M sightings/s, {} bytes each", bytes / sent);
    }
}

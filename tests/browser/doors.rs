//! Door counters on the page of calibration: entered, held against the figures, and removed.

use serde_json::json;

use super::driver::{Browser, Scripts, View};
use super::mall::Mall;
use super::operator::until_settled;

const DESK: View = View { width: 1440, height: 900, scheme: "light" };
const PATH: &str = "/api/v1/venues/mall/door-counts";
const EVER: &str = "?from=2025-11-01T00:00:00Z&to=2025-12-01T00:00:00Z";

/// Enters hours of a November day in Paris: when they begin, who came in and who went out.
fn enter(mall: &Mall, door: &str, day: u32, hours: &[(u32, u32, u32)]) {
    let hour = |(from, came, went): &(u32, u32, u32)| {
        let at = |hour: u32| format!("2025-11-{day:02}T{hour:02}:00:00+01:00");
        json!({"from": at(*from), "to": at(from + 1), "in": came, "out": went})
    };
    let counts: Vec<_> = hours.iter().map(hour).collect();
    let (status, answer) = mall.server.post(PATH, &json!({"door": door, "counts": counts}).to_string());
    assert_eq!(status, 201, "{answer}");
}

/// A mall with a day that has gaps, one that balances, and one that does not.
pub(crate) fn with_doors() -> Mall {
    let mall = Mall::open();
    enter(&mall, "north", 21, &[(10, 90, 20), (11, 90, 20), (12, 20, 160)]);
    enter(&mall, "south", 21, &[(10, 90, 20), (12, 20, 90)]);
    enter(&mall, "north", 22, &[(10, 1_000, 20), (11, 20, 980)]);
    enter(&mall, "north", 23, &[(10, 500, 20), (11, 20, 80)]);
    mall
}

fn open(browser: &mut Browser, mall: &Mall) {
    browser.go(&mall.url("/venues/mall/calibration"));
    until_settled(browser);
}

#[test]
#[ignore = "needs Chromium"]
fn hours_of_a_counter_are_entered_and_a_counter_is_removed() {
    let mall = with_doors();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    open(&mut browser, &mall);

    // Today's hours, as somebody pastes them; what does not read is told by its line, and nothing of it is taken.
    browser.run("document.querySelector('#doors-entry').open = true");
    browser.write("#doors-door", "north");
    let paste = |browser: &mut Browser, text: &str| {
        browser.run(&format!("document.querySelector('#doors-hours').value = {}", json!(text)));
        browser.click("#doors-form button");
    };
    paste(&mut browser, "2025-11-24 16:00, 300, 20\nfive o'clock, 20, 20");
    browser.until(
        "the line is told",
        "return document.querySelector('#doors-wrong').textContent.includes('Line 2 does not read')",
    );
    paste(&mut browser, "2025-11-24 16:30, 300, 20");
    browser.until(
        "the server's words are told",
        "return document.querySelector('#doors-wrong').textContent.includes('one whole hour')",
    );
    let none = mall.server.json(&format!("{PATH}?from=2025-11-24T03:00:00Z&to=2025-11-25T03:00:00Z"));
    assert_eq!(none["counts"], json!([]));
    paste(&mut browser, "2025-11-24 16:00, 300, 20\n2025-11-24T17:00:00+01:00;20;20\n");
    browser.until(
        "they are entered",
        "return document.querySelector('#doors-said').textContent === 'Entered: 2 new, 0 known already.'",
    );
    let entered = mall.server.json(&format!("{PATH}?from=2025-11-24T03:00:00Z&to=2025-11-25T03:00:00Z"));
    assert_eq!(entered["counts"].as_array().map(Vec::len), Some(2));

    // A counter is removed when that was asked twice.
    browser.click("#doors-list li:nth-child(2) button");
    assert_eq!(mall.server.json(&format!("{PATH}{EVER}"))["doors"], json!(["north", "south"]));
    browser.click("#doors-list li:nth-child(2) button");
    browser.until("it is gone", "return document.querySelectorAll('#doors-list li').length === 1");
    assert_eq!(mall.server.json(&format!("{PATH}{EVER}"))["doors"], json!(["north"]));
    browser.until(
        "its gap is gone with it",
        "return document.querySelector('#doors-days tbody tr:last-child').textContent.includes('Balanced')",
    );
}

#[test]
#[ignore = "needs Chromium"]
fn door_counts_are_held_against_the_people_present() {
    let mall = with_doors();
    enter(&mall, "north", 24, &[(16, 300, 20), (17, 20, 20)]);
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    open(&mut browser, &mall);
    browser.until(
        "they are held against the figures",
        "return document.querySelectorAll('#doors-days tbody tr').length === 4",
    );

    // Each day with its balance, or with the word for none.
    let days = browser.run("return [...document.querySelectorAll('#doors-days tbody tr')].map((row) => [...row.children].map(({ textContent }) => textContent))");
    let word = |day: usize| days[day][4].as_str().expect("a word").to_owned();
    let numbers =
        |day: usize| [1, 2, 3].map(|column| days[day][column].as_str().expect("a number").to_owned());
    assert_eq!(days.as_array().map(Vec::len), Some(4), "{days}");
    assert_eq!(numbers(0), ["320", "40", "–"]);
    assert!(word(0).starts_with("Still open"), "{days}");
    assert_eq!(numbers(1), ["520", "100", "+81 %"]);
    assert!(word(1).starts_with("Does not balance"), "{days}");
    assert_eq!(numbers(2), ["1,020", "1,000", "+2 %"]);
    assert!(word(2).starts_with("Balanced"), "{days}");
    assert!(word(3).starts_with("With gaps"), "{days}");

    // Of the hour that has a figure: 280 - 0.4 people at its begin and 0.4 fewer at its end, with Saturday's drift taken out.
    let told = mall.server.json("/api/v1/venues/mall/figures?metric=occupancy&step=1h&from=2025-11-24T16:00:00Z&to=2025-11-24T17:00:00Z");
    let hour = told["figures"][0]["value"].as_u64().expect("an hour");
    let row = browser.run("return [...document.querySelector('#doors-agreement tbody tr:last-child').children].map(({ textContent }) => textContent)");
    let share = format!("{} %", (100.0 * hour as f64 / 279.0).round());
    assert_eq!(
        row,
        json!([
            "People present",
            "279",
            hour.to_string(),
            share,
            format!("{share} to {share}"),
            "100 %",
            "1"
        ])
    );
    assert!(browser.text("#doors-verdict").starts_with("Fewer than 12 hours"));
    let readout = browser.text("#doors-course .readout");
    assert!(
        readout.contains(&format!("{hour}, between"))
            && readout.contains("By the doors")
            && readout.contains("279"),
        "{readout}"
    );
}

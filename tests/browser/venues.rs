//! Venues side by side: each with what it stands at, or with the word for why there is no number, and never asked all at once.

use serde_json::{Value, json};

use super::axe::Axe;
use super::driver::{Browser, Scripts, View};
use super::mall::Mall;
use super::pages::looked_at;

const DESK: View = View { width: 1440, height: 900, scheme: "light" };
/// As many venues as a configuration may have, beside the mall.
const CROWDED: usize = 255;
/// Questions that may be on their way at once: one of each row that is read.
const AT_ONCE_MAX: u64 = 4;

fn until_read(browser: &mut Browser) {
    browser.until(
        "every venue is read",
        "const rows = document.querySelectorAll('tr[data-venue], tr[data-group]');
         return rows.length > 0 && document.querySelector('#side-note').textContent === ''
           && document.querySelector('.sides td.word') === null",
    );
}

fn open(browser: &mut Browser, mall: &Mall, path: &str) {
    browser.go(&mall.url(path));
    until_read(browser);
}

/// The text of a cell of a row.
fn cell(browser: &mut Browser, row: &str, side: &str) -> String {
    browser.text(&format!("tr[{row}] td.side-{side}"))
}

#[test]
#[ignore = "needs Chromium"]
fn venues_stand_side_by_side_each_with_its_figures_or_the_word_for_none() {
    let mall = Mall::among(1);
    mall.server.until("the alert fires", |server| {
        let rules = server.json("/api/v1/venues/mall/alerts");
        let is_crowded = |rule: &serde_json::Value| rule["name"] == "crowded" && rule["state"] == "firing";
        rules.as_array().is_some_and(|rules| rules.iter().any(is_crowded))
    });
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    browser.go(&mall.url("/venues/mall/sensors"));
    assert_eq!(browser.text("#venues-list li:first-child a"), "All venues");
    browser.click("#venues-list li:first-child a");
    until_read(&mut browser);
    assert!(browser.url().ends_with("/venues"), "{}", browser.url());
    assert_eq!(browser.text("#venues [aria-current=page]"), "All venues");

    let live = mall.server.json("/api/v1/venues/mall/live");
    let number = |key: &str| live["occupancy"][key].as_u64().expect("it is shown").to_string();
    let people = cell(&mut browser, "data-venue=mall", "people");
    assert!(
        people.starts_with(&format!("{} {} to {}", number("value"), number("low"), number("high"))),
        "{people}"
    );
    assert!(people.contains("Uncalibrated") && people.contains("Replay"), "{people}");
    let sensors = cell(&mut browser, "data-venue=mall", "sensors");
    assert!(sensors.starts_with("10 of 11 alive") && sensors.contains("1 in need of care"), "{sensors}");
    assert!(cell(&mut browser, "data-venue=mall", "alerts").contains("1 stands"));
    let change = cell(&mut browser, "data-venue=mall", "change");
    assert!(change.contains("the Monday before"), "{change}");

    // Of whom nothing was heard there is a word, and no number.
    assert!(cell(&mut browser, "data-venue=halle-0", "people").contains("No data"));
    assert!(cell(&mut browser, "data-venue=halle-0", "sensors").contains("0 of 1 alive"));
    assert!(cell(&mut browser, "data-venue=halle-0", "alerts").contains("no rule"));

    // The figure and the groups follow the choice, which is in the address.
    browser.run("const list = document.querySelector('#choice-metric'); list.value = 'occupancy'; list.dispatchEvent(new Event('change'))");
    until_read(&mut browser);
    assert!(browser.url().ends_with("/venues?metric=occupancy"), "{}", browser.url());
    let told = mall.server.json("/api/v1/venues/mall/figures?metric=occupancy&step=1h&from=2025-11-24T16:00:00Z&to=2025-11-24T17:00:00Z");
    let hour = told["figures"][0]["value"].as_u64().expect("an hour").to_string();
    let stood = cell(&mut browser, "data-venue=mall", "stood");
    assert!(stood.starts_with(&hour), "{stood} is not the hour's {hour}");
    browser.click("tr[data-venue=mall] th button");
    until_read(&mut browser);
    let told = mall.server.json("/api/v1/venues/mall/figures?metric=occupancy&zone=food&step=1h&from=2025-11-24T16:00:00Z&to=2025-11-24T17:00:00Z");
    let hour = told["figures"][0]["value"].as_u64().expect("the group's hour").to_string();
    assert!(cell(&mut browser, "data-group=food", "stood").contains(&format!("People present {hour}")));
    browser.click("tr[data-venue=mall] th button");
    assert_eq!(browser.run("return document.querySelector('tr[data-group]')"), Value::Null);

    // A venue is opened from its row.
    browser.click("tr[data-venue=mall] th a");
    assert!(browser.text("#now-title").contains("People now"), "{}", browser.url());
}

#[test]
#[ignore = "needs Chromium"]
fn what_stands_side_by_side_is_saved_with_its_bands_and_states() {
    let mall = Mall::among(1);
    let mut browser = Browser::open(Scripts::Run);
    let saved = tempfile::tempdir().expect("a directory");
    browser.look_as(DESK);
    browser.save_to(saved.path());
    open(&mut browser, &mall, "/venues?metric=occupancy");
    browser.click("#side-tools .save");
    let file = saved.path().join("passant-venues.csv");
    mall.server.until("the table is saved", |_| file.exists());
    let text = std::fs::read_to_string(&file).expect("the table");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{text}");
    let field = |line: usize, name: &str| {
        let column = lines[0].iter().position(|column| *column == name).expect("the column");
        lines[line][column]
    };
    let live = mall.server.json("/api/v1/venues/mall/live");
    for (column, key) in [("people", "value"), ("people_low", "low"), ("people_high", "high")] {
        assert_eq!(field(1, column), live["occupancy"][key].to_string(), "{column}");
    }
    assert_eq!(
        (field(1, "people_state"), field(1, "state"), field(1, "flags")),
        ("shown", "final", "incomplete;uncalibrated;replay")
    );
    assert_eq!((field(2, "venue"), field(2, "people"), field(2, "people_state")), ("halle-0", "", "no_data"));
}

#[test]
#[ignore = "needs Chromium"]
fn however_many_venues_there_are_a_few_questions_are_on_their_way_at_once() {
    let mall = Mall::among(CROWDED);
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    open(&mut browser, &mall, "/venues");
    assert_eq!(browser.run("return document.querySelectorAll('tr[data-venue]').length"), json!(CROWDED + 1));
    let most = browser.run(
        "const asked = performance.getEntriesByType('resource').filter(({ name }) => /venues\\/[^?]+\\//.test(name));
         const edges = asked.flatMap(({ startTime, responseEnd }) => [[startTime, 1], [responseEnd, -1]]);
         let [now, most] = [0, 0];
         for (const [, by] of edges.sort((a, b) => a[0] - b[0] || a[1] - b[1])) most = Math.max(most, (now += by));
         return most",
    );
    let most = most.as_f64().expect("a number");
    assert!((1.0..=AT_ONCE_MAX as f64).contains(&most), "{most} at once");
    // So many are not named at the top: there is the way to all of them.
    assert_eq!(browser.run("return document.querySelectorAll('#venues-list a').length"), json!(1));
}

#[test]
#[ignore = "needs Chromium and axe-core"]
fn the_page_of_all_venues_has_no_barrier() {
    let axe = Axe::found();
    let mall = Mall::among(2);
    let mut browser = Browser::open(Scripts::Run);
    open(&mut browser, &mall, "/venues?metric=occupancy");
    browser.run("document.querySelector('tr[data-venue=mall] th button').click()");
    until_read(&mut browser);
    let mut wrong = looked_at(&mut browser, &axe, "venues");
    browser.run("document.querySelector('.sides .flag').focus()");
    wrong.extend(looked_at(&mut browser, &axe, "venues with a reason"));
    browser.run("localStorage.setItem('passant-language', 'fr'); location.reload()");
    until_read(&mut browser);
    let seen = browser.text("body");
    assert!(
        seen.contains("Les lieux côte à côte") && !seen.contains("undefined") && !seen.contains("NaN"),
        "{seen}"
    );
    wrong.extend(looked_at(&mut browser, &axe, "lieux"));
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

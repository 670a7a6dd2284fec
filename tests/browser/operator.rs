//! An operator's morning: every page opened, a period changed, a zone looked into, a table saved, heads counted, and all of
//! it in French.

use serde_json::{Value, json};

use super::axe::Axe;
use super::doors::with_doors;
use super::driver::{Browser, PHONE, Scripts, View};
use super::mall::Mall;
use super::pages::{looked_at, until_it_shows};

/// The pages beside the first, and the most that each may transfer on a cold cache, bytes.
pub(crate) const PAGES: [&str; 7] =
    ["traffic", "dwell", "flows", "sensors", "calibration", "privacy", "settings"];
const BYTES_MAX: u64 = 100_000;
/// The most requests of a page, beside one a zone where zones are compared.
const REQUESTS_MAX: usize = 40;
pub(crate) const DESK: View = View { width: 1440, height: 900, scheme: "light" };

/// Waits until a page has shown everything that it asked for.
pub(crate) fn until_settled(browser: &mut Browser) {
    browser.until(
        "the page has settled",
        "return document.body.dataset.busy !== 'true'
           && document.querySelectorAll('#pages-list a').length === 8
           && document.querySelector('#at').textContent !== ''
           && ![...document.querySelectorAll('[data-word=starting]')].some(({ textContent }) => /^(Loading|Chargement)$/.test(textContent))",
    );
}

pub(crate) fn open(browser: &mut Browser, mall: &Mall, page: &str) {
    browser.go(&mall.url(&format!("/venues/mall/{page}")));
    until_settled(browser);
}

/// Chooses an option of a list, as a hand does.
fn choose(browser: &mut Browser, id: &str, value: &str) {
    browser.run(&format!(
        "const list = document.querySelector('#{id}'); list.value = '{value}'; list.dispatchEvent(new Event('change'))"
    ));
    until_settled(browser);
}

#[test]
#[ignore = "needs Chromium and axe-core"]
fn no_page_of_the_operator_has_a_barrier() {
    let axe = Axe::found();
    let mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    let mut wrong = Vec::new();
    for page in PAGES {
        open(&mut browser, &mall, page);
        wrong.extend(looked_at(&mut browser, &axe, page));
    }
    open(&mut browser, &mall, "traffic?metric=occupancy&period=today&step=hour&versus=before&control=court");
    browser.run("for (const table of document.querySelectorAll('details')) table.open = true");
    wrong.extend(looked_at(&mut browser, &axe, "traffic with its tables"));
    open(&mut browser, &mall, "calibration");
    browser.click("#tally-open");
    wrong.extend(looked_at(&mut browser, &axe, "tally"));
    let doors = with_doors();
    open(&mut browser, &doors, "calibration");
    browser.run("document.querySelector('#doors-entry').open = true");
    wrong.extend(looked_at(&mut browser, &axe, "door counters"));
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
#[ignore = "needs Chromium"]
fn every_page_is_small_and_comes_from_here_alone() {
    let mall = Mall::open();
    let own = mall.url("/");
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    for page in PAGES {
        browser.devtools("Network.clearBrowserCache", &json!({}));
        open(&mut browser, &mall, page);
        let asked = browser.run(
            "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
               .map(({ name, transferSize }) => ({ name, bytes: transferSize }))",
        );
        let asked = asked.as_array().expect("what was asked for");
        let foreign = asked.iter().filter(|one| !one["name"].as_str().unwrap_or_default().starts_with(&own));
        assert_eq!(foreign.count(), 0, "{page}: {asked:?}");
        let bytes: u64 = asked.iter().filter_map(|one| one["bytes"].as_u64()).sum();
        assert!(bytes > 10_000 && bytes <= BYTES_MAX, "{page}: {bytes} bytes");
        assert!(asked.len() <= REQUESTS_MAX, "{page}: {} requests", asked.len());
    }
}

#[test]
#[ignore = "needs Chromium"]
fn a_period_is_changed_a_place_looked_into_and_a_table_saved() {
    let mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    let saved = tempfile::tempdir().expect("a directory");
    browser.look_as(DESK);
    browser.save_to(saved.path());

    open(&mut browser, &mall, "traffic");
    assert_eq!(browser.text("#pages [aria-current]"), "Traffic");
    choose(&mut browser, "choice-metric", "occupancy");
    choose(&mut browser, "choice-period", "today");
    choose(&mut browser, "choice-zone", "court");
    assert!(
        browser.url().ends_with("/traffic?metric=occupancy&zone=court&period=today"),
        "{}",
        browser.url()
    );
    assert_eq!(browser.text("#course .sub"), "People present · Food court · by hour");
    let said = browser.text("#course .readout");
    assert!(said.contains("17:00 to 18:00:") && said.contains("between"), "{said}");
    assert!(said.ends_with("· Late opening"), "the day's event is named: {said}");
    assert!(browser.text("#course .flags").contains("Uncalibrated"));
    assert!(browser.text("#totals").contains("Food court"));

    // The hour that was shown, with its band and its state, and nothing that only looks like a number.
    browser.click("#course .save");
    let file = saved.path().join("passant-occupancy-2025-11-24.csv");
    mall.server.until("the table is saved", |_| file.exists());
    let text = std::fs::read_to_string(&file).expect("the table");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("from,to,zone,metric,value,low,high,state,flags,windows_known,windows"));
    let hour = lines
        .find(|line| line.starts_with("2025-11-24T17:00:00+01:00,2025-11-24T18:00:00+01:00,court"))
        .expect("the hour");
    let told = mall.server.json(
        "/api/v1/venues/mall/figures?metric=occupancy&zone=court&step=1h&from=2025-11-24T16:00:00Z&to=2025-11-24T17:00:00Z",
    );
    let figure = &told["figures"][0];
    let [value, low, high] = ["value", "low", "high"].map(|key| figure[key].as_u64().expect("a number"));
    assert!(hour.contains(&format!(",court,occupancy,{value},{low},{high},final,")), "{hour}");
    assert!(said.contains(&format!("{value}, between {low} and {high}")), "{said}");
    assert!(text.contains(",,,,open,"), "an open hour has no number: {text}");

    // Back is back.
    browser.run("history.back()");
    browser.until("the venue is shown again", "return !location.search.includes('zone')");
    until_settled(&mut browser);
    assert_eq!(browser.text("#course .sub"), "People present · Whole venue · by hour");
}

#[test]
#[ignore = "needs Chromium"]
fn a_zone_of_the_plan_shows_its_day() {
    let mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    open(&mut browser, &mall, "now");
    browser.until(
        "the plan has numbers",
        "return document.querySelector('.zone[aria-label*=\"between\"]') !== null",
    );
    browser.run("document.querySelector('.zone[aria-label^=\"Food court\"]').dispatchEvent(new MouseEvent('click', { bubbles: true }))");
    browser.until(
        "the zone's day is shown, with the name of the day",
        "return document.querySelector('#curve-title').textContent === 'People in Food court, mean of five minutes · Late opening'",
    );
    assert!(browser.text(".now").contains("Not for evacuation or legal capacity."));
    let fills = browser.run(
        "const zone = document.querySelector('g.zone');
         zone.removeAttribute('data-shade');
         return [getComputedStyle(zone.querySelector('polygon')).fill, getComputedStyle(document.querySelector('.plan')).backgroundColor]",
    );
    assert_eq!(fills[0], fills[1], "before its first figure a zone is a blank, not a dark one");
}

#[test]
#[ignore = "needs Chromium"]
fn what_stands_on_the_first_page_is_saved_with_its_bands_and_states() {
    let mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    let saved = tempfile::tempdir().expect("a directory");
    browser.look_as(DESK);
    browser.save_to(saved.path());
    let save = |browser: &mut Browser, tools: &str, name: &str| {
        browser.click(&format!("#{tools} .save"));
        let file = saved.path().join(name);
        mall.server.until("the table is saved", |_| file.exists());
        std::fs::read_to_string(&file).expect("the table").replace('\r', "")
    };
    browser.go(&mall.url("/venues/mall"));
    until_it_shows(&mut browser);

    // Every zone, those without a number too, and the venue itself.
    let live = mall.server.json("/api/v1/venues/mall/live");
    let row = |zone: &str, name: &str, occupancy: &Value| {
        let cell = |key: &str| occupancy[key].as_u64().map_or(String::new(), |n| n.to_string());
        let numbers = ["value", "low", "high"].map(cell).join(",");
        let (at, state) =
            (live["at"].as_str().expect("a time"), occupancy["state"].as_str().expect("a state"));
        let flags: Vec<_> =
            live["flags"].as_array().expect("flags").iter().filter_map(Value::as_str).collect();
        format!("{at},{zone},{name},occupancy,{numbers},{state},{}", flags.join(";"))
    };
    let zone = |id: &str| {
        &live["zones"].as_array().expect("zones").iter().find(|z| z["zone"] == id).expect("it")["occupancy"]
    };
    let text = save(&mut browser, "everyone-tools", "passant-now.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "at,zone,name,metric,value,low,high,state,flags");
    assert_eq!(lines[1], row("", "Whole venue", &live["occupancy"]));
    assert_eq!(lines.len(), 2 + live["zones"].as_array().map_or(0, Vec::len));
    for (id, name, state) in
        [("court", "Food court", "shown"), ("shoes", "Shoes", "under_k"), ("cellar", "Cellar", "no_data")]
    {
        assert_eq!(zone(id)["state"], state);
        assert!(lines.contains(&row(id, name, zone(id)).as_str()), "{id} is not in {text}");
    }

    // The curve of a zone, window by window, with the part of the day of which nothing may be said.
    browser.click("#zone-rows tr:nth-child(5) button");
    browser.until(
        "the zone's day is shown, with the name of the day",
        "return document.querySelector('#curve-title').textContent.includes('Food court')",
    );
    let text = save(&mut browser, "curve-tools", "passant-today.csv");
    assert!(
        text.starts_with("from,to,zone,metric,value,low,high,state,flags,windows_known,windows\n"),
        "{text}"
    );
    let told = mall.server.json("/api/v1/venues/mall/figures?metric=occupancy&zone=court&step=5m&from=2025-11-24T16:00:00Z&to=2025-11-24T17:00:00Z");
    let windows = told["figures"].as_array().expect("windows");
    let count = |state: &str| windows.iter().filter(|window| window["state"] == state).count();
    assert!(count("final") > 0 && count("held_back") > 0, "{told}");
    for window in windows {
        let cell = |key: &str| window[key].as_u64().map_or(String::new(), |n| n.to_string());
        let numbers = ["value", "low", "high"].map(cell).join(",");
        let word = |key: &str| window[key].as_str().expect("a word");
        let line = format!("{},{},court,occupancy,{numbers},{},", word("from"), word("to"), word("state"));
        assert!(text.contains(&line), "{line} is not in {text}");
    }
}

#[test]
#[ignore = "needs Chromium and axe-core"]
fn a_walk_shows_which_sensor_hears_it_where() {
    let axe = Axe::found();
    let mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    open(&mut browser, &mall, "sensors");
    browser
        .until("nobody walks", "return document.querySelector('#walk-note').textContent === 'Nobody walks.'");
    mall.walk();
    browser.until("somebody does", "return document.querySelectorAll('#walkers meter').length === 3");
    let seen = browser.text("#walkers");
    assert!(seen.contains("Walker 1") && seen.contains("It would be in Food court."), "{seen}");
    assert_eq!(browser.text("#walkers tbody tr th"), "court-1", "the loudest comes first: {seen}");
    let wrong = looked_at(&mut browser, &axe, "sensors with a walk");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The head counts of the mall as they are kept.
fn counts(mall: &Mall) -> Vec<(String, u64)> {
    let list = mall.server.json("/api/v1/venues/mall/head-counts");
    let count = |row: &Value| {
        (row["zone"].as_str().expect("a zone").to_owned(), row["people"].as_u64().expect("people"))
    };
    list["head_counts"].as_array().expect("counts").iter().map(count).collect()
}

#[test]
#[ignore = "needs Chromium"]
fn heads_are_counted_corrected_and_taken_back() {
    let mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(PHONE);
    open(&mut browser, &mall, "calibration");
    assert!(browser.text("#learnt-sum").contains("0 head counts"));
    // The fullest zone that nobody has counted.
    assert!(browser.text("#learnt-next").contains("Market"), "{}", browser.text("#learnt-next"));

    browser.click("#tally-open");
    browser.click("#tally-plus");
    browser.click("#tally-plus");
    browser.click("#tally-plus");
    browser.click("#tally-minus");
    browser.click("#tally-start");
    assert!(browser.text("#tally-say").contains("Mean so far: 2"), "{}", browser.text("#tally-say"));
    browser.click("#tally-stop");
    browser.until("it is entered", "return document.querySelector('#counts-body tbody tr') !== null");
    assert_eq!(counts(&mall), [("market".to_owned(), 2)]);
    assert!(browser.text("#learnt-sum").contains("1 head count"));

    browser.click("#counts-body button");
    browser.run("document.querySelector('#entry-people').value = '40'");
    browser.click("#entry-form button");
    browser.until(
        "it is corrected",
        "return document.querySelector('#counts-body td.strong').textContent === '40'",
    );
    assert_eq!(counts(&mall), [("market".to_owned(), 40)]);

    // What the server refuses is told in its words, and what was there stays.
    browser.run("document.querySelector('#entry-zone').value = 'market'; document.querySelector('#entry-people').value = '41'");
    browser.click("#entry-form button");
    browser.until(
        "the overlap is told",
        "return document.querySelector('#entry-wrong').textContent.includes('overlaps head count')",
    );
    assert_eq!(counts(&mall), [("market".to_owned(), 40)]);

    let remove = "#counts-body td:last-child button:last-child";
    browser.click(remove);
    assert_eq!(counts(&mall).len(), 1, "it asks once more");
    browser.click(remove);
    browser.until("it is gone", "return document.querySelector('#counts-body tbody tr') === null");
    assert_eq!(counts(&mall), []);
}

#[test]
#[ignore = "needs Chromium"]
fn a_language_is_chosen_and_kept() {
    let mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    open(&mut browser, &mall, "sensors");
    assert_eq!(browser.text("#language button"), "Français");
    browser.click("#language button");
    browser.until("it speaks French", "return document.documentElement.lang === 'fr'");
    for page in PAGES {
        open(&mut browser, &mall, page);
        let seen = browser.run("return [document.documentElement.lang, document.body.innerText]");
        assert_eq!(seen[0], "fr", "{page}");
        let text = seen[1].as_str().expect("a text");
        assert!(!text.contains("undefined") && !text.contains("NaN"), "{page}: {text}");
        assert!(text.contains("Vie privée") && !text.contains("Whole venue"), "{page}: {text}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn a_stranger_is_copied_and_where_a_browser_does_not_let_that_it_is_marked() {
    let mall = Mall::open();
    mall.stranger("till-9");
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    open(&mut browser, &mall, "sensors");
    browser
        .until("the stranger is there", "return document.querySelector('#strangers-tools button') !== null");
    assert!(browser.text("#strangers-toml").contains("till-9"));
    // So it is over plain HTTP, on any address but this machine's own.
    browser.run("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    browser.click("#strangers-tools button");
    browser.until(
        "it says so",
        "return document.querySelector('#strangers-tools button').textContent.startsWith('Marked')",
    );
    assert_eq!(browser.run("return getSelection().toString().trim()"), browser.text("#strangers-toml"));
}

//! What operators ask, as `dashboards/QUESTIONS.md` has it: each question with its clicks, done here one after the other, counted,
//! and what is then on the page held against what was published.

use serde_json::{Value, json};

use super::axe::Axe;
use super::driver::{Browser, Scripts};
use super::mall::Mall;
use super::operator::{DESK, open, until_settled};
use super::pages::{looked_at, until_it_shows};

const QUESTIONS: &str = include_str!("../../dashboards/QUESTIONS.md");
/// The most clicks from the first page to an answer.
const CLICKS_MAX: usize = 3;
/// How many questions there are.
const ASKED: usize = 10;

/// Whether the open page has the answer.
type Answer = fn(&mut Browser, &Mall);

/// The answers, by a part of their question.
const ANSWERS: [(&str, Answer); ASKED] = [
    ("Which entrance lost people", the_entrance_at_the_works_lost),
    ("second guard", the_fullest_hours_are_named),
    ("bring people to the west wing", the_concert_moved_people),
    ("more people here than is usual", now_is_held_against_the_usual),
    ("this week bring more people", the_week_is_like_the_one_before),
    ("better than last year's", the_market_is_better),
    ("most visitors", the_units_stand_in_order),
    ("stay in the food court", the_stay_has_its_band),
    ("visitors of the food court go", where_else_they_were),
    ("passers-by come in", more_of_them_come_in),
];

struct Question {
    text: &'static str,
    clicks: Vec<&'static str>,
}

/// The questions of the file.
fn questions() -> Vec<Question> {
    let read = |section: &'static str| {
        let (text, rest) = section.split_once('\n').expect("a question");
        let clicks = rest.lines().find_map(|line| line.strip_prefix("Clicks: ")).expect("its clicks");
        let clicks = if clicks == "none" { Vec::new() } else { clicks.split(" > ").collect() };
        Question { text, clicks }
    };
    QUESTIONS.split("\n## ").skip(1).map(read).collect()
}

/// Does one click, as the file names it: a page, one of the named days, or a choice in a list.
fn click(browser: &mut Browser, step: &str) {
    let Some((label, choice)) = step.split_once(": ") else {
        let link = nth(browser, "#pages-list a", step);
        browser.run("delete document.body.dataset.page");
        browser.click(&format!("#pages-list li:nth-child({link}) a"));
        browser.until("the page is there", "return document.body?.dataset.page !== undefined");
        return until_settled(browser);
    };
    if label == "Named days" {
        let link = nth(browser, "#occasions-list a", choice);
        browser.click(&format!("#occasions-list li:nth-child({link}) a"));
        browser.until("the view is there", "return location.search.includes('period=custom')");
        return until_settled(browser);
    }
    let option = browser.run(&format!(
        "const label = [...document.querySelectorAll('#controls label')].find((one) => one.querySelector('span').textContent === {label});
         const option = [...label.querySelectorAll('option')].find(({{ textContent }}) => textContent === {choice});
         return [label.htmlFor, option.value];",
        label = json!(label),
        choice = json!(choice),
    ));
    let (list, value) = (option[0].as_str().expect("a list"), option[1].as_str().expect("an option"));
    browser.click(&format!("#{list} option[value=\"{value}\"]"));
    until_settled(browser);
}

/// The place of the one of some links that has a text, from 1 on.
fn nth(browser: &mut Browser, links: &str, text: &str) -> u64 {
    browser.until(
        "there are links",
        &format!("return document.querySelector('{links}')?.checkVisibility() === true"),
    );
    let place = browser.run(&format!(
        "return 1 + [...document.querySelectorAll('{links}')].findIndex(({{ textContent }}) => textContent === {})",
        json!(text)
    ));
    place.as_u64().filter(|place| *place > 0).unwrap_or_else(|| panic!("no link says {text}"))
}

/// The text of a row of an order, or of a tile, by its name.
fn named(browser: &mut Browser, parts: &str, name: &str) -> String {
    let found = browser.run(&format!(
        "return [...document.querySelectorAll('{parts}')].find((one) => one.querySelector('th button, .name')?.textContent === {})?.innerText",
        json!(name)
    ));
    found.as_str().unwrap_or_else(|| panic!("{name} is not among {parts}")).replace(['\n', '\t'], " ")
}

fn row(browser: &mut Browser, name: &str) -> String {
    named(browser, "#rank-body tbody tr", name)
}

/// Asserts that a text has all of some words.
fn has(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "{words} is not in: {text}");
    }
}

/// A percentage with a sign before a word, in whole percent: of `-60 % more than the bands` -60.
fn change(text: &str) -> i32 {
    let number = |word: &&str| word.starts_with(['+', '-', '−']) || *word == "0";
    let word = text.split_whitespace().find(number).unwrap_or_else(|| panic!("no change in: {text}"));
    word.replace('−', "-").parse().unwrap_or_else(|_| panic!("{word} is no number in: {text}"))
}

/// What is published of a period of venue days, in order of a metric.
fn ranking(mall: &Mall, metric: &str, from: &str, to: &str) -> Value {
    mall.server.json(&format!("/api/v1/venues/mall/ranking?metric={metric}&step=1d&from={from}&to={to}"))
}

fn rank_of(ranking: &Value, zone: &str) -> [u64; 4] {
    let rows = ranking["rows"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["zone"] == zone).expect("the zone");
    ["value", "low", "high", "windows"].map(|key| row[key].as_u64().expect("it is told"))
}

fn the_entrance_at_the_works_lost(browser: &mut Browser, mall: &Mall) {
    let north = row(browser, "North entrance");
    has(&north, &["more than chance"]);
    let now = ranking(mall, "visitors", "2025-11-03T03:00:00Z", "2025-11-24T03:00:00Z");
    let before = ranking(mall, "visitors", "2025-10-06T02:00:00Z", "2025-10-27T03:00:00Z");
    let ([value, low, high, days], [old, _, _, old_days]) =
        (rank_of(&now, "north"), rank_of(&before, "north"));
    let grouped = |n: u64| if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) };
    has(&north, &[&grouped(value), &format!("{} to {}", grouped(low), grouped(high))]);
    let by = (value as f64 / days as f64) / (old as f64 / old_days as f64) - 1.0;
    assert_eq!(f64::from(change(&north)), (100.0 * by).round(), "{north}");
    assert!(by < -0.5, "the story is not in the figures: {by}");
    has(&row(browser, "South entrance"), &["may be chance"]);
    has(&browser.text("#rank-body > p.quiet:last-of-type"), &["6 Oct 2025 to 26 Oct 2025"]);
    has(&browser.text("#course .flags"), &["Replay"]);
}

fn the_fullest_hours_are_named(browser: &mut Browser, _: &Mall) {
    has(&browser.text("#totals-when"), &["floor-2", "28 Oct 2025 to 24 Nov 2025"]);
    let said = browser.text("#heat-readout");
    has(&said, &["Highest: Sunday, 15:00 to 16:00: ", ", between ", "may be as high: "]);
    has(&browser.text("#course .flags"), &["Still open", "Replay"]);
}

fn the_concert_moved_people(browser: &mut Browser, _: &Mall) {
    has(
        &browser.text("#came-or-moved"),
        &["People were moved: west-wing gained, east-wing lost, and the whole venue gained no more"],
    );
    let [west, east, floor] = ["west-wing", "east-wing", "floor-2"].map(|group| row(browser, group));
    assert!(change(&west) > 50 && change(&east) < -50, "{west}; {east}");
    for row in [west, east] {
        has(&row, &[" to ", "more than the bands"]);
    }
    has(&floor, &["within the bands"]);
    has(&named(browser, ".total", "People present"), &["between", "The bands meet"]);
}

fn now_is_held_against_the_usual(browser: &mut Browser, mall: &Mall) {
    browser.until("the usual is told", "return document.querySelector('#now-usual').textContent !== ''");
    let live = &mall.server.json("/api/v1/venues/mall/live")["occupancy"];
    let day = mall.server.json("/api/v1/venues/mall/typical?metric=occupancy&step=1h&day=2025-11-24");
    let hour = day["points"]
        .as_array()
        .expect("hours")
        .iter()
        .find(|hour| hour["from"].as_str().is_some_and(|from| from.starts_with("2025-11-24T18:00")));
    let number = |of: &Value, key: &str| of[key].as_u64().expect("a number");
    let hour = hour.expect("the hour");
    let [usual, least, most] = ["usual", "usual_low", "usual_high"].map(|key| number(hour, key));
    let said = browser.text("#now-usual");
    let days = number(&day, "days");
    has(
        &said,
        &[&format!("Usually {usual} at this hour, between {least} and {most}: the median of {days} Mondays")],
    );
    let (low, high) = (number(live, "low"), number(live, "high"));
    has(&browser.text(".band-line"), &[&format!("between {low} and {high}")]);
    let verdict = match (low > most, high < least) {
        (true, _) => "More than on three of four such days",
        (_, true) => "Fewer than on three of four such days",
        _ => "nothing says that it is an unusual hour",
    };
    has(&said, &[verdict]);
    has(&browser.text("#flags"), &["Uncalibrated", "Replay"]);
}

fn the_week_is_like_the_one_before(browser: &mut Browser, _: &Mall) {
    let visitors = named(browser, ".total", "Visitors");
    has(
        &visitors,
        &[
            "between",
            "against 11 Nov 2025 to 17 Nov 2025",
            "No more than days differ by chance",
            "The bands meet",
            "Of the 6 days that both tell: higher on 1, lower on 0.",
        ],
    );
}

fn the_market_is_better(browser: &mut Browser, _: &Mall) {
    let visitors = named(browser, ".total", "Visitors");
    has(
        &visitors,
        &[
            "between",
            "against 18 Nov 2024 to 24 Nov 2024",
            "More than days differ by chance",
            "The bands do not meet",
        ],
    );
    has(&visitors, &["+"]);
}

fn the_units_stand_in_order(browser: &mut Browser, mall: &Mall) {
    let told = ranking(mall, "visitors", "2025-10-28T03:00:00Z", "2025-11-25T03:00:00Z");
    let rows = told["rows"].as_array().expect("rows");
    let first = rows[0]["name"].as_str().expect("a name");
    for told in rows.iter().filter(|row| row["value"].is_u64()) {
        let seen = row(browser, told["name"].as_str().expect("a name"));
        assert_eq!(seen.contains('≈'), told["tied_with_next"] == true, "{seen} is not {told}");
        has(&seen, &[" to "]);
    }
    assert!(row(browser, first).starts_with("1 "), "{first} is not first");
    assert_eq!(rows[0]["tied_with_next"], false, "{told}");
}

fn the_stay_has_its_band(browser: &mut Browser, _: &Mall) {
    has(&named(browser, ".total", "Median stay"), &[" min", "between", "27 of 28 known"]);
    has(&browser.text("#heat-readout"), &["Highest: ", " min, between "]);
    has(&browser.text("#totals-when"), &["Food court"]);
}

fn where_else_they_were(browser: &mut Browser, _: &Mall) {
    let said = browser.text("#cross-readout");
    has(&said, &["Of those who visited Food court: Home and garden 5", " %", " to ", ", Market 2"]);
    has(&browser.text("#paths-notes"), &["Replay"]);
}

fn more_of_them_come_in(browser: &mut Browser, _: &Mall) {
    let rate = named(browser, ".total", "Capture rate");
    has(
        &rate,
        &[
            " %",
            "between",
            " points",
            "against 3 Nov 2025 to 9 Nov 2025",
            "More than days differ by chance",
            "The bands do not meet",
        ],
    );
    assert!(rate.contains('+'), "{rate}");
}

#[test]
fn every_question_has_its_answer_here_and_three_clicks_at_most() {
    let questions = questions();
    assert_eq!(questions.len(), ASKED);
    for (part, _) in ANSWERS {
        let of_it = questions.iter().filter(|question| question.text.contains(part));
        assert_eq!(of_it.count(), 1, "{part} is not one question of the file");
    }
    for Question { text, clicks } in questions {
        assert!(text.contains('?') && clicks.len() <= CLICKS_MAX, "{text}: {clicks:?}");
    }
}

#[test]
#[ignore = "needs Chromium"]
fn ten_questions_are_answered_within_three_clicks() {
    let mall = Mall::with_a_past();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    for Question { text, clicks } in questions() {
        browser.go(&mall.url("/"));
        until_it_shows(&mut browser);
        let mut done = 0;
        for step in clicks {
            click(&mut browser, step);
            done += 1;
        }
        assert!(done <= CLICKS_MAX, "{text}: {done} clicks");
        let (_, answer) = ANSWERS.iter().find(|(part, _)| text.contains(part)).expect("an answer");
        answer(&mut browser, &mall);
    }
}

#[test]
#[ignore = "needs Chromium and axe-core"]
fn what_answers_them_has_no_barrier_and_speaks_french() {
    let axe = Axe::found();
    let mall = Mall::with_a_past();
    let mut browser = Browser::open(Scripts::Run);
    let concert = "traffic?metric=occupancy&period=custom&from=2025-11-22&to=2025-11-22&versus=before";
    let pages = [concert, "flows?zone=court&period=7d", "dwell?zone=court&period=28d", "now"];
    let mut wrong = Vec::new();
    for page in pages {
        open(&mut browser, &mall, page);
        wrong.extend(looked_at(&mut browser, &axe, page));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    browser.run("localStorage.setItem('passant-language', 'fr')");
    let french = ["Des gens ont été déplacés", "De ceux qui ont visité", "Le plus haut", "D'habitude"];
    for (page, words) in pages.into_iter().zip(french) {
        open(&mut browser, &mall, page);
        browser
            .until("it has answered", &format!("return document.body.innerText.includes({})", json!(words)));
        let text = browser.text("main");
        assert!(!text.contains("undefined") && !text.contains("NaN"), "{page}: {text}");
    }
}

//! An alert as the control room sees it: it comes and goes on a page that is left open, and moves nothing.

use serde_json::Value;

use super::axe::Axe;
use super::driver::{Browser, Scripts};
use super::mall::Mall;
use super::operator::{DESK, open};
use super::pages::{looked_at, until_it_shows};

/// So full that the band lies over the rule's threshold, fuller, and nearly empty.
const FULL: u32 = 2_500;
const FULLER: u32 = 3_500;
const NEARLY_EMPTY: u32 = 4;
/// Half-minutes until the mean of ten minutes knows of it and its window has closed.
const HALVES: i64 = 50;

/// What the rule of the market says.
fn market(mall: &Mall) -> Value {
    mall.server.json("/api/v1/venues/mall/alerts")[0].clone()
}

/// How far below the place of the alerts the plan begins.
fn top_of_the_plan(browser: &mut Browser) -> Value {
    browser.run(
        "const [alerts, plan] = ['#alerts', '#floors'].map((id) => document.querySelector(id).getBoundingClientRect().top);
         return plan - alerts;",
    )
}

#[test]
#[ignore = "needs Chromium and axe-core"]
fn an_alert_comes_and_goes_on_a_page_that_is_left_open() {
    let axe = Axe::found();
    let mut mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    browser.go(&mall.url("/venues/mall"));
    until_it_shows(&mut browser);
    browser.until("its room is kept", "return document.querySelector('#alerts').dataset.watched === 'true'");
    assert_eq!(browser.run("return document.querySelectorAll('#alerts li').length"), 0);
    let top = top_of_the_plan(&mut browser);

    mall.fill("market", FULL);
    mall.play(HALVES);
    mall.server.until("the rule fires", |_| market(&mall)["state"] == "firing");
    browser.until("it is shown", "return document.querySelectorAll('#alerts li').length === 1");
    assert_eq!(top_of_the_plan(&mut browser), top, "the plan has moved");
    let said = browser.text("#alerts li");
    let told = market(&mall);
    let [value, low, high] = ["value", "low", "high"].map(|key| told[key].as_u64().expect("a number"));
    let figure = format!("{value}, between {low} and {high}");
    assert!(said.starts_with("Market People present over 25: ") && said.contains(" since "), "{said}");
    assert!(said.contains(&figure), "{said} does not say {figure}");
    let aloud = "return document.querySelector('#alerts-said[role=status]').textContent";
    let first = browser.run(aloud);
    assert!(first.as_str().is_some_and(|text| text.starts_with("Alert: Market, People present over 25: ")));
    // It is said once: a newer figure changes the line, and nothing is said again.
    browser.run("window.again = 0; new MutationObserver(() => { again += 1; }).observe(document.querySelector('#alerts-said'), { childList: true, characterData: true, subtree: true })");
    mall.fill("market", FULLER);
    mall.play(HALVES);
    browser.until(
        "a newer figure is shown",
        &format!("return !document.querySelector('#alerts li').textContent.includes('{figure}')"),
    );
    assert_eq!(browser.run("return again"), 0);
    let mut wrong = looked_at(&mut browser, &axe, "now with an alert");
    open(&mut browser, &mall, "settings");
    browser.until("the rules are listed", "return document.querySelectorAll('#rules li').length === 3");
    let rules = browser.text("#rules");
    for words in
        ["market-full", "for five minutes", "Alert since", "Nothing to judge by", "silent for 10 min"]
    {
        assert!(rules.contains(words), "{words} is not in {rules}");
    }
    wrong.extend(looked_at(&mut browser, &axe, "settings with rules"));
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));

    browser.look_as(DESK);
    browser.go(&mall.url("/venues/mall"));
    until_it_shows(&mut browser);
    browser.until("it stands", "return document.querySelectorAll('#alerts li').length === 1");
    assert_eq!(browser.run(aloud), "", "what stood already is no news");
    mall.fill("market", NEARLY_EMPTY);
    mall.play(HALVES);
    browser.until("it is over", "return document.querySelectorAll('#alerts li').length === 0");
    assert_eq!(browser.run(aloud), "Alert over: Market, People present over 25.");
    assert_eq!(top_of_the_plan(&mut browser), top, "the plan has moved");
}

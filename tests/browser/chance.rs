//! Whether a difference is more than chance, as the pages judge it: against published examples, and against chance itself.

use serde_json::{Value, json};

use super::driver::{Browser, Scripts};

/// The pages' own module, without a page around it.
fn judged(browser: &mut Browser, script: &str) -> Value {
    let module = include_str!("../../dashboards/chance.js").replace("export ", "");
    let whole = format!("{module}\nreturn {{ chanceOf, chanceOfRatio }};");
    browser.run(&format!("const {{ chanceOf, chanceOfRatio }} = new Function({})(); {script}", json!(whole)))
}

/// Hours of sleep that ten patients gained by each of two drugs (Student, The probable error of a mean, 1908): by the first
/// t = 1.33, by the second 3.68, and by the one more than by the other 4.06.
const FIRST: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
const SECOND: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

#[test]
#[ignore = "needs Chromium"]
fn a_change_is_more_than_chance_where_students_test_says_so() {
    let mut browser = Browser::open(Scripts::Run);
    browser.go("about:blank");
    let more: Vec<f64> = SECOND.iter().zip(FIRST).map(|(second, first)| second - first).collect();
    for (differences, word) in [(json!(FIRST), "within"), (json!(SECOND), "more"), (json!(more), "more")] {
        assert_eq!(judged(&mut browser, &format!("return chanceOf({differences});")), word, "{differences}");
    }
    assert_eq!(judged(&mut browser, "return chanceOf([9, 9, 9]);"), "few");
    assert_eq!(judged(&mut browser, "return chanceOf([0, 0, 0, 0]);"), "within");

    // A place that doubled while the other doubled too has not gained on it; one that doubled alone has. A day that one of
    // the four does not tell is in no ratio.
    let doubled = "[[20, 10], [42, 20], [61, 30], [79, 40], [0, 50]]";
    let same = "[[11, 10], [20, 20], [29, 30], [41, 40], [50, 50]]";
    assert_eq!(judged(&mut browser, &format!("return chanceOfRatio({doubled}, {doubled});")), "within");
    assert_eq!(judged(&mut browser, &format!("return chanceOfRatio({doubled}, {same});")), "more");
    let short = "[[20, 10], [42, 20], [61, 30], [0, 40], [0, 50]]";
    assert_eq!(judged(&mut browser, &format!("return chanceOfRatio({short}, {same});")), "few");
}

#[test]
#[ignore = "needs Chromium"]
fn of_weeks_that_do_not_differ_one_in_twenty_seems_to() {
    let mut browser = Browser::open(Scripts::Run);
    browser.go("about:blank");
    // 8,000 weeks of seven differences, each the sum of twelve even draws of a fixed row: near enough normal.
    let seemed = judged(
        &mut browser,
        "let state = 1;
         const even = () => (state = (state * 48271) % 2147483647) / 2147483647;
         const draw = () => Array.from({ length: 12 }, even).reduce((a, b) => a + b, -6);
         let n = 0;
         for (let week = 0; week < 8000; week += 1) n += chanceOf(Array.from({ length: 7 }, draw)) === 'more';
         return n;",
    );
    // Of 8,000 at one in twenty 400 are expected, with a standard deviation of 19.5: three of them either way.
    let seemed = seemed.as_u64().expect("a number");
    assert!((342..=458).contains(&seemed), "{seemed}");
}

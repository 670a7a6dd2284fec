//! Pages on paper: nobody can point at it, it is white, and what is said of figures must stand on it all the same.

use serde_json::{Value, json};

use super::driver::{Browser, Scripts};
use super::mall::Mall;
use super::operator::{DESK, open, until_settled};

/// How many of the curve's pixels have the colour of its line, as the page is now.
const LINE_PIXELS: &str = "const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--line');
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
    const canvas = document.querySelector('#course canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) n += data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255;
    return n;";

fn look(browser: &mut Browser, media: &str, scheme: &str) {
    let features = json!({"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]});
    browser.devtools("Emulation.setEmulatedMedia", &features);
}

fn ink(browser: &mut Browser) -> Value {
    browser.run("return getComputedStyle(document.documentElement).getPropertyValue('--line').trim()")
}

/// What of a selector one sees, in words.
fn seen(browser: &mut Browser, selector: &str) -> Value {
    browser.run(&format!(
        "return [...document.querySelectorAll('{selector}')].filter((one) => one.checkVisibility()).map(({{ textContent }}) => textContent)"
    ))
}

#[test]
#[ignore = "needs Chromium"]
fn on_paper_each_word_has_its_reason_a_short_series_its_table_and_a_dark_chart_is_light() {
    let mall = Mall::with_a_past();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    look(&mut browser, "", "dark");
    open(&mut browser, &mall, "traffic?metric=occupancy&period=7d&step=day");
    let by_night = ink(&mut browser);
    assert!(browser.run(LINE_PIXELS).as_u64() > Some(50), "the line is drawn in the colour of the night");
    assert_eq!(seen(&mut browser, "#course .why"), json!([]), "on a screen a reason waits until one points");

    look(&mut browser, "print", "dark");
    until_settled(&mut browser);
    assert_ne!(ink(&mut browser), by_night);
    assert!(
        browser.run(LINE_PIXELS).as_u64() > Some(50),
        "on paper the line is drawn in the colour of the day"
    );
    let flags = seen(&mut browser, "#course .flag");
    let reasons = seen(&mut browser, "#course .why");
    let (flags, reasons) = (flags.as_array().expect("flags"), reasons.as_array().expect("reasons"));
    assert!(!flags.is_empty());
    assert_eq!(flags.len(), reasons.len(), "{flags:?}; {reasons:?}");

    // The printer's own question: a table is filled before it, and is as it was after it.
    browser.run("dispatchEvent(new Event('beforeprint'))");
    let rows = seen(&mut browser, "#course tbody tr");
    assert_eq!(rows.as_array().map(Vec::len), Some(7), "{rows}");
    assert!(rows[0].as_str().is_some_and(|row| row.contains(", between ")), "a band is in each row: {rows}");
    browser.run("dispatchEvent(new Event('afterprint'))");
    assert_eq!(seen(&mut browser, "#course tbody tr"), json!([]));

    open(&mut browser, &mall, "traffic?metric=occupancy&period=7d&step=hour");
    browser.run("dispatchEvent(new Event('beforeprint'))");
    assert_eq!(seen(&mut browser, "#course tbody tr"), json!([]), "a week of hours is a file, and no page");
}

//! How soon the first page is drawn after its last byte, measured in Chromium. It prints what it measured, and asserts no time:
//! `cargo test --test browser -- --ignored --nocapture the_first_view_is_drawn`.

use serde_json::{Value, json};

use super::driver::{Browser, Scripts};
use super::mall::Mall;
use super::operator::DESK;
use super::pages::until_it_shows;

/// Views that are measured, each on a cold cache.
const VIEWS: usize = 9;

/// Looks before each frame whether number, plan and curve are there. What is there when a frame begins is painted by it, so the
/// moment is taken when the next one begins.
const WATCH: &str = "const look = () => {
    const there = document.querySelector('#now-value')?.dataset.state === 'shown'
      && document.querySelector('.zone[aria-label*=\"between\"]') && document.querySelector('#chart canvas');
    requestAnimationFrame(there ? () => performance.mark('drawn') : look);
  };
  requestAnimationFrame(look);
  new PerformanceObserver((list) => { window.largest = list.getEntries().at(-1).startTime; })
    .observe({ type: 'largest-contentful-paint', buffered: true });";

/// Moments of the view, ms from its beginning. The stream has no last byte; what it brought first came before the curve was asked for.
const MOMENTS: &str = "const drawn = performance.getEntriesByName('drawn')[0]?.startTime;
  const asked = performance.getEntriesByType('resource').filter(({ responseEnd }) => responseEnd > 0 && responseEnd <= drawn);
  return drawn && {
    last_byte: Math.max(...asked.map(({ responseEnd }) => responseEnd)), requests: asked.length + 1,
    bytes: [...performance.getEntriesByType('navigation'), ...asked].reduce((all, { transferSize }) => all + transferSize, 0),
    first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime, largest: window.largest, drawn,
  };";

#[expect(clippy::print_stderr, reason = "it tells what it measured")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[test]
#[ignore = "needs Chromium"]
fn the_first_view_is_drawn_soon_after_its_last_byte() {
    let mall = Mall::open();
    let mut browser = Browser::open(Scripts::Run);
    browser.look_as(DESK);
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({"source": WATCH}));
    for view in 1..=VIEWS {
        browser.devtools("Network.clearBrowserCache", &json!({}));
        browser.go(&mall.url("/venues/mall"));
        until_it_shows(&mut browser);
        browser.until("it is painted", "return performance.getEntriesByName('drawn').length > 0");
        let told = browser.run(MOMENTS);
        let ms = |key: &str| told[key].as_f64().unwrap_or_else(|| panic!("no {key}: {told}"));
        let [last, first, largest, drawn] = ["last_byte", "first", "largest", "drawn"].map(ms);
        say(&format!(
            "view {view}: {} requests, {} bytes, last byte {last:.0} ms, first paint {first:.0} ms, largest {largest:.0} ms, drawn \
             {drawn:.0} ms: {:.0} ms after the last byte",
            told["requests"],
            told["bytes"],
            drawn - last
        ));
        assert!(drawn >= last && last > 0.0 && told["requests"] != Value::Null, "{told}");
    }
}

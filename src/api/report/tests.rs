use crate::api::stage::{Stage, at, id};
use crate::clock::{EpochMs, Step};
use crate::config::{Config, EXAMPLE, Venue};
use crate::release::{Banded, Figure, Flags, Label, Metric, Scope};

const WEEK: &str = "/venues/mall/report?week=2026-W47";
/// The Monday of week 47, 2026, when the venue's day begins.
const MONDAY: &str = "2026-11-16T04:00:00+01:00";

fn venue() -> Venue {
    Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0)
}

fn figure(scope: Scope, metric: Metric, step: Step, inside: EpochMs, value: Option<u32>) -> Figure {
    let window = venue().calendar.window_of(inside, step);
    let (venue, flags) = (id("mall"), Flags::default());
    let label = Label {
        venue,
        scope,
        metric,
        step,
        window,
        flags,
        coverage_permille: 1000,
        thresholds: 1,
        calibration: 1,
    };
    Figure::for_tests(
        label,
        value.map(|value| Banded { value, low: value * 9 / 10, high: value * 11 / 10 }),
        None,
    )
}

/// Figures of a week: visitors of the venue and of a zone by day, and an hour's occupancy.
fn week_of(monday: EpochMs, visitors: u32) -> Vec<Figure> {
    let food = || Scope::Zone(id("food-court"));
    let days = (0..7).flat_map(|day| {
        let inside = venue().calendar.days_before(monday.plus_secs(7 * 86_400 + 43_200), 7 - day);
        let noon = inside.plus_secs(8 * 3_600);
        [
            // Nothing of the venue's Wednesday is published.
            figure(Scope::Venue, Metric::Visitors, Step::Day, inside, (day != 2).then_some(visitors)),
            figure(food(), Metric::Visitors, Step::Day, inside, Some(visitors / 2)),
            figure(Scope::Venue, Metric::Occupancy, Step::Hour, noon, Some(visitors / 10)),
        ]
    });
    days.collect()
}

async fn stage() -> Stage {
    let stage = Stage::set().await;
    stage.show("2026-11-24T10:00:00+01:00", 125);
    for weeks in 1..=4 {
        let monday = at(MONDAY).plus_secs(-weeks * 7 * 86_400);
        stage.store.append(&week_of(monday, 1_000)).await.unwrap();
    }
    stage.store.append(&week_of(at(MONDAY), 1_500)).await.unwrap();
    stage
}

#[tokio::test]
async fn a_week_is_summed_with_its_band_and_against_the_usual() {
    let stage = stage().await;
    let page = stage.get(WEEK).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    for words in [
        "Week 47, 16 November 2026 to 22 November 2026",
        // Six days of 1,500; the seventh is held back and said to be.
        "<p class=\"number\">9,000</p>",
        "8,100–9,900",
        "50% more<",
        "held back, or no data",
        "1 of the 21 figures behind this page are held back: they are about fewer than 10 people",
        "6 days of this week could be compared",
        "Food court</th><td class=\"n\"><b>5,250</b>",
        "None is named in the configuration.",
    ] {
        assert!(page.text.contains(words), "{words} is not in\n{}", page.text);
    }
    // The other zone has no figure, and stands last.
    let place = |name: &str| page.text.find(&format!("{name}</th>")).unwrap();
    assert!(place("Food court") < place("North entrance"));
    assert!(page.text.contains("class=\"line\"") && page.text.contains("class=\"usual\""));
    assert!(!page.text.contains("<script") && !page.text.contains("style="));
}

#[tokio::test]
async fn what_may_be_chance_is_said_to_be() {
    let stage = Stage::set().await;
    stage.show("2026-11-24T10:00:00+01:00", 125);
    for weeks in 1..=3 {
        stage.store.append(&week_of(at(MONDAY).plus_secs(-weeks * 7 * 86_400), 1_000)).await.unwrap();
    }
    stage.store.append(&week_of(at(MONDAY), 1_050)).await.unwrap();
    let page = stage.get(WEEK).await;
    assert!(page.text.contains("5% more, within the band"), "{}", page.text);
}

#[tokio::test]
async fn days_that_have_a_name_are_named_and_are_nobodys_usual() {
    let stage = stage().await;
    stage.show("2026-12-01T10:00:00+01:00", 125);
    stage.store.append(&week_of(at("2026-11-23T04:00:00+01:00"), 2_000)).await.unwrap();
    let black_friday = stage.get("/venues/mall/report?lang=fr").await;
    for words in
        ["Semaine 48", "Black Friday: 27 novembre 2026 – 29 novembre 2026", "12\u{202f}000", "82 % de plus"]
    {
        assert!(black_friday.text.contains(words), "{words} is not in\n{}", black_friday.text);
    }
    // A week later its Friday is compared with ordinary Fridays only: four of 1,000 and one of 1,500.
    stage.show("2026-12-08T10:00:00+01:00", 125);
    stage.store.append(&week_of(at("2026-11-30T04:00:00+01:00"), 1_100)).await.unwrap();
    let after = stage.get("/venues/mall/report").await;
    let friday = after.text.split("Fri 4</th>").nth(1).unwrap();
    assert!(friday[..300].contains("as usual"), "{}", &friday[..300]);
}

#[tokio::test]
async fn without_a_figure_the_page_says_so_and_a_wrong_week_is_told() {
    let stage = Stage::set().await;
    stage.show("2026-11-24T10:00:00+01:00", 125);
    let empty = stage.get(WEEK).await;
    assert!(empty.text.contains("No figure of this week is published."), "{}", empty.text);
    assert!(stage.get("/venues/mall/report?week=2026-W48").await.text.contains("This week is not over"));
    for (week, words) in [("2026-W49", "has not begun"), ("2026-11-16", "2026-W47"), ("2026-W60", "2026-W47")]
    {
        let answer = stage.get(&format!("/venues/mall/report?week={week}")).await;
        assert_eq!(answer.status.as_u16(), 400);
        answer.is_problem(words);
    }
    assert_eq!(stage.get("/venues/museum/report").await.status.as_u16(), 404);
}

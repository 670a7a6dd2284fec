//! The curve of a week: the venue's occupancy by hours with its band, drawn as SVG without a script or a style of its own.

use std::fmt::Write as _;

use super::week::HourPoint;
use crate::release::Banded;

/// The drawing's own units.
const WIDTH: f64 = 700.0;
const HEIGHT: f64 = 170.0;
/// Room for the numbers at the left, and for the weekdays below.
const LEFT: f64 = 38.0;
const BELOW: f64 = 18.0;
const ABOVE: f64 = 6.0;
/// Hours that are not shown are marked by a bar of this height at the foot.
const MARK: f64 = 3.0;
/// Steps that a scale may have, times a power of ten.
const NICE: [u32; 3] = [1, 2, 5];

/// What is drawn to which scale.
struct Scale {
    hours: f64,
    top: f64,
}

/// Draws the curve. `alt` says in words what it shows.
pub(super) fn draw(
    points: &[HourPoint],
    weekdays: &[String],
    alt: &str,
    number: impl Fn(u32) -> String,
) -> String {
    let highest = points.iter().filter_map(|point| point.shown).map(|band| band.high).max().unwrap_or(0);
    let usual = points.iter().filter_map(|point| point.usual).fold(0.0, f64::max).ceil() as u32;
    let step = nice_step(highest.max(usual).max(10));
    let lines = highest.max(usual).max(10).div_ceil(step);
    let hours = points.last().map_or(168.0, |last| last.hour + 1.0);
    let scale = Scale { hours, top: f64::from(step * lines) };
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" class=\"curve\">",
        escaped(alt)
    );
    for line in 0..=lines {
        let y = scale.y(f64::from(line * step));
        let _ = write!(svg, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{WIDTH}\"/>");
        let _ = write!(
            svg,
            "<text class=\"scale\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 4.0,
            y + 3.0,
            escaped(&number(line * step))
        );
    }
    for (day, name) in weekdays.iter().enumerate() {
        let x = scale.x(hours * day as f64 / weekdays.len() as f64);
        let _ = write!(svg, "<path class=\"grid\" d=\"M{x:.1} {ABOVE}V{:.1}\"/>", HEIGHT - BELOW);
        let _ = write!(
            svg,
            "<text class=\"day\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + 4.0,
            HEIGHT - 5.0,
            escaped(name)
        );
    }
    svg.push_str(&figures(points, &scale));
    svg.push_str("</svg>");
    svg
}

/// Band, usual and line, broken wherever nothing is shown.
fn figures(points: &[HourPoint], scale: &Scale) -> String {
    let mut svg = String::new();
    for run in points.chunk_by(|a, b| a.shown.is_some() == b.shown.is_some()) {
        let banded: Vec<(f64, Banded)> =
            run.iter().filter_map(|point| Some((scale.x(point.hour + 0.5), point.shown?))).collect();
        if banded.is_empty() {
            let (from, to) = (scale.x(run[0].hour), scale.x(run[run.len() - 1].hour + 1.0));
            let _ = write!(
                svg,
                "<rect class=\"hidden\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{MARK}\"/>",
                HEIGHT - BELOW - MARK,
                to - from
            );
            continue;
        }
        let upper = banded.iter().map(|(x, band)| (*x, scale.y(f64::from(band.high))));
        let lower = banded.iter().rev().map(|(x, band)| (*x, scale.y(f64::from(band.low))));
        let _ = write!(svg, "<path class=\"band\" d=\"{}Z\"/>", path(upper.chain(lower)));
        let line = banded.iter().map(|(x, band)| (*x, scale.y(f64::from(band.value))));
        let _ = write!(svg, "<path class=\"line\" d=\"{}\"/>", path(line));
    }
    for run in points.chunk_by(|a, b| a.usual.is_some() == b.usual.is_some()) {
        let usual = run.iter().filter_map(|point| Some((scale.x(point.hour + 0.5), scale.y(point.usual?))));
        let usual = path(usual);
        if !usual.is_empty() {
            let _ = write!(svg, "<path class=\"usual\" d=\"{usual}\"/>");
        }
    }
    svg
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
    }
    path
}

impl Scale {
    fn x(&self, hour: f64) -> f64 {
        LEFT + (WIDTH - LEFT) * hour / self.hours
    }

    fn y(&self, people: f64) -> f64 {
        let foot = HEIGHT - BELOW;
        foot - (foot - ABOVE) * (people / self.top).min(1.0)
    }
}

/// A step of the scale that gives at most four lines.
fn nice_step(highest: u32) -> u32 {
    let tens = (0..9).map(|power| 10_u32.pow(power));
    let mut steps = tens.flat_map(|ten| NICE.map(|nice| nice.saturating_mul(ten)));
    steps.find(|step| highest.div_ceil(*step) <= 4).unwrap_or(highest)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(hour: u32, value: Option<u32>) -> HourPoint {
        let shown = value.map(|value| Banded { value, low: value - 10, high: value + 10 });
        HourPoint { hour: f64::from(hour), shown, usual: None }
    }

    #[test]
    fn what_is_held_back_is_a_gap_and_a_mark() {
        let points: Vec<_> = [Some(50), Some(80), None, None, Some(60)].into_iter().zip(0..).collect();
        let points: Vec<_> = points.into_iter().map(|(value, hour)| point(hour, value)).collect();
        let svg = draw(&points, &["Mon".into()], "a \"week\" <of> people", |number| number.to_string());
        assert_eq!(svg.matches("class=\"line\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("class=\"hidden\"").count(), 1);
        assert!(svg.contains("aria-label=\"a &quot;week&quot; &lt;of> people\""));
        assert!(!svg.contains("style=") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn a_week_without_a_number_is_drawn_all_the_same() {
        let points: Vec<_> = (0..168).map(|hour| point(hour, None)).collect();
        let svg = draw(&points, &["Mon".into()], "nothing", |number| number.to_string());
        assert!(svg.contains("class=\"hidden\"") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn the_scale_has_round_numbers() {
        for (highest, step) in [(10, 5), (40, 10), (41, 20), (1_234, 500), (7_999, 2_000)] {
            assert_eq!(nice_step(highest), step, "{highest}");
        }
    }
}

use super::*;
use crate::config::{Config, EXAMPLE};

const QUARTER_MS: i64 = 900_000;

/// The example's mall, which opens at 09:30, and a moment of a Friday in it.
fn venue() -> Venue {
    Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues.remove(0)
}

fn at(time: &str) -> EpochMs {
    let text = format!("2026-11-20T{time}:00+01:00");
    EpochMs(chrono::DateTime::parse_from_rfc3339(&text).unwrap().timestamp_millis())
}

/// A day that is told window by window.
struct Told {
    venue: Venue,
    usual: Usual,
    footfall: Footfall,
}

impl Told {
    fn new() -> Self {
        Self { venue: venue(), usual: Usual::default(), footfall: Footfall::default() }
    }

    /// A quarter of an hour with so many people, and so many visitors of whom some ended.
    fn quarter(
        &mut self,
        from: EpochMs,
        people: u32,
        visitors: Option<u32>,
        ended: Option<u32>,
    ) -> super::Told {
        let window = Window { from, to: EpochMs(from.0 + QUARTER_MS) };
        let said = Banded { value: people, low: people * 9 / 10, high: people * 11 / 10 };
        let made = Made { calibration: 3, calibrated: true };
        self.footfall.take(Step::QuarterHour, window, Some(said), Some(made));
        let ended = ended.map(|ended| [ended; 2]);
        let visited = Visited { visitors, ended, dwell_mins: Some(30) };
        self.footfall.judge(&self.venue, &self.usual, Step::QuarterHour, window, visited)
    }
}

#[test]
fn who_came_is_who_was_there_less_who_had_stayed() {
    let mut told = Told::new();
    // The doors had just opened: forty came, ten went; of the next sixty thirty had stayed.
    let first = told.quarter(at("09:30"), 300, Some(40), Some(10)).footfall.unwrap();
    let second = told.quarter(at("09:45"), 450, Some(60), Some(15)).footfall.unwrap();
    // 35 and 62.5 devices were present, with those in their first five minutes.
    let ratio = [300.0 / (15.0 + 40.0 / 3.0), 750.0 / (15.0 + 40.0 / 3.0 + 37.5 + 10.0)];
    assert_eq!(first.value, to_grain((40.0 + 40.0 / 3.0) * ratio[0]), "{first:?}");
    assert_eq!(second.value, to_grain((30.0 - 10.0 / 3.0) * ratio[1]), "{second:?}");
    assert!(second.low < second.value && second.value < second.high, "{second:?}");
}

#[test]
fn that_the_doors_close_does_not_tell_that_nobody_had_stayed_till_then() {
    let mut told = Told::new();
    // The example's mall closes at 22:00 on a Friday: everybody's visit ends there, and sixty were there all the time.
    let silence = Silence { lift: 1.0, returns_a_minute: 0.01 };
    told.footfall.silence = Some(silence);
    told.quarter(at("21:15"), 600, Some(60), Some(0));
    told.quarter(at("21:30"), 600, Some(69), Some(9));
    let last = told.quarter(at("21:45"), 600, Some(80), Some(80)).footfall.unwrap();
    // Of the twenty who seem to have come nine had been silent. None of the first quarter is known to have come.
    let late = 11.0 / 3.0;
    let present = [60.0, 60.0 + 11.0 / 3.0];
    let expected = (11.0 + late) * 1_200.0 / present.iter().sum::<f64>();
    assert_eq!(last.value, to_grain(expected), "{last:?}");
}

#[test]
fn nothing_is_told_of_a_window_whose_start_is_not_known_or_in_which_few_came() {
    let mut told = Told::new();
    // This run began in the middle of the day.
    assert_eq!(told.quarter(at("14:00"), 300, Some(40), Some(10)).footfall, None);
    assert_eq!(told.quarter(at("14:15"), 300, Some(35), Some(10)).footfall, None, "five came");
    assert_eq!(told.quarter(at("14:30"), 300, None, None).footfall, None, "hidden");
    let after = told.quarter(at("14:45"), 300, Some(40), Some(10)).footfall.unwrap();
    let wide = f64::from(after.high - after.low) / f64::from(after.value);
    assert!(wide > 0.3, "up to k were there before: {after:?}");
}

#[test]
fn so_many_devices_are_not_told_where_they_are_fewer_people() {
    // 53 devices, of three people: the crowd lens was wrong, and five is under k.
    assert_eq!(Told::new().quarter(at("09:30"), 3, Some(40), Some(10)).footfall, None);
}

#[test]
fn the_fewer_came_so_far_the_more_the_ratio_is_the_usual_one() {
    let share = |usual: Option<u32>, people: u32| {
        let mut told = Told::new();
        usual.iter().for_each(|share| told.usual.take(EpochMs(at("04:00").0 - 7 * 86_400_000), *share));
        told.quarter(at("09:30"), people, Some(30), Some(10)).footfall.unwrap().value
    };
    // Twice as many people as usual, after thirty visits: the figure is nearer to the usual than to twice as much.
    let (alone, usual, both) = (share(None, 600), share(None, 300), share(Some(7), 600));
    assert!(both < alone - (alone - usual) / 2, "{alone} alone, {usual} as usual, {both}");
}

#[test]
fn a_day_teaches_how_long_telephones_are_silent() {
    let mut footfall = Footfall::default();
    let day = Sums { people: 4_000.0, half_width: 400.0, present: 400.0, came: 200.0 };
    // 240 visits of 30 minutes by 200 devices: forty of the 7,200 minutes began a long silence, of fifteen minutes and the
    // mean, and each device was silent for the mean before and after. 6,000 minutes were known.
    let visited = Visited { visitors: Some(200), ended: Some([240; 2]), dwell_mins: Some(30) };
    let silent = mean_silence_mins(40.0 / 7_200.0);
    let lift = (7_200.0 + 40.0 * (15.0 + silent) + 400.0 * silent) / 6_000.0;
    assert!((footfall.learn(visited, day).unwrap() - lift).abs() < 1e-9);
    // Of visits of which a part is hidden the middle is taken.
    let between = Visited { ended: Some([220, 260]), ..visited };
    assert!((Footfall::default().learn(between, day).unwrap() - lift).abs() < 1e-9);
    assert!((footfall.returns(60.0, 60.0) - 40.0 * 60.0 * 60.0 / 6_000.0).abs() < 1e-9);
    assert_eq!(
        footfall.learn(Visited { visitors: None, ..visited }, day),
        None,
        "what is hidden teaches nothing"
    );
}

#[test]
fn the_mean_silence_is_that_of_hearings_at_random_moments() {
    // Three minutes: one hearing in e⁵ is followed by fifteen silent minutes.
    for silent in [0.5_f64, 1.0, 3.0, 10.0] {
        let long_a_minute = (-SILENCE_MINS / silent).exp() / silent;
        let found = mean_silence_mins(long_a_minute);
        assert!((found - silent).abs() < 1e-3 * silent, "{silent} min: {found}");
    }
    assert_eq!(mean_silence_mins(0.0), 0.0, "nobody came again");
    assert!(
        (mean_silence_mins(1.0) - SILENCE_MINS).abs() < 1e-9,
        "no telephone that makes visits is so silent"
    );
}

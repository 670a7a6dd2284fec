//! The state machine of a rule: what a window says, and what becomes of the state.

use crate::clock::EpochMs;
use crate::config::When;
use crate::release::Banded;
use crate::store::{AlertRow, AlertState, Published};

/// What a window says of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is surely so.
    Beyond,
    /// It is not, or not sure.
    Between,
    /// It is not so any more.
    Back,
    /// Nothing can be said.
    NoData,
}

/// What is usual: where the bands of the weeks before lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usual {
    /// The lowest end of any.
    pub(super) low: u32,
    /// The highest end of any.
    pub(super) high: u32,
}

/// What the state did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It changed, which is told.
    Changed,
    /// It stayed.
    Stayed,
}

/// What a figure says of a rule. `usual` matters only to what is unlike it.
pub(super) fn verdict(when: When, figure: &Published, usual: Option<Usual>) -> Verdict {
    let Some(Banded { value, low, high }) = figure.value else { return Verdict::NoData };
    let (beyond, back) = match (when, usual) {
        (When::Over(threshold), _) => (low > threshold, value <= threshold),
        // A silent sensor is not a quiet room.
        (When::Under(_), _) if figure.flags.incomplete => (false, false),
        (When::Under(threshold), _) => (high < threshold, value >= threshold),
        (When::UnlikeUsual, None) => return Verdict::NoData,
        (When::UnlikeUsual, Some(_)) if figure.flags.incomplete => (false, false),
        (When::UnlikeUsual, Some(usual)) => {
            (low > usual.high || high < usual.low, (usual.low..=usual.high).contains(&value))
        }
    };
    match (beyond, back) {
        (true, _) => Verdict::Beyond,
        (_, true) => Verdict::Back,
        _ => Verdict::Between,
    }
}

/// Takes a verdict of a moment into the state. So many verdicts in a row make it fire, and as many clear it.
pub(super) fn advance(row: &mut AlertRow, verdict: Verdict, at: EpochMs, windows: u32) -> Turn {
    let in_a_row = |so_far: u32, goes_on: bool| if goes_on { so_far.saturating_add(1) } else { 0 };
    row.beyond = in_a_row(row.beyond, verdict == Verdict::Beyond);
    row.back = in_a_row(row.back, verdict == Verdict::Back);
    row.judged_to = at;
    let next = match (verdict, row.state) {
        (Verdict::NoData, _) => AlertState::NoData,
        (Verdict::Beyond, _) if row.beyond >= windows => AlertState::Firing,
        (Verdict::Back, AlertState::Firing) if row.back < windows => AlertState::Firing,
        (Verdict::Beyond | Verdict::Between, AlertState::Firing) => AlertState::Firing,
        _ => AlertState::Quiet,
    };
    if next == row.state {
        return Turn::Stayed;
    }
    row.state = next;
    row.since = at;
    Turn::Changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Window;
    use crate::release::Flags;
    use passant_wire::Id;

    fn figure(value: Option<[u32; 3]>) -> Published {
        Published {
            window: Window { from: EpochMs(0), to: EpochMs(300_000) },
            value: value.map(|[low, value, high]| Banded { value, low, high }),
            flags: Flags::default(),
            coverage_permille: 1000,
            thresholds: 1,
            calibration: 1,
        }
    }

    fn states(windows: u32, verdicts: &[Verdict]) -> Vec<AlertState> {
        let id = |text: &str| Id::parse(text).unwrap();
        let mut row = AlertRow {
            venue: id("mall"),
            name: id("full"),
            rule: String::new(),
            state: AlertState::NoData,
            since: EpochMs(0),
            judged_to: EpochMs(0),
            beyond: 0,
            back: 0,
            figure: None,
        };
        let mut told = Vec::new();
        for (verdict, at) in verdicts.iter().zip(1..) {
            if advance(&mut row, *verdict, EpochMs(at), windows) == Turn::Changed {
                assert_eq!(row.since, EpochMs(at));
                told.push(row.state);
            }
        }
        told
    }

    #[test]
    fn the_whole_band_fires_and_the_figure_itself_clears() {
        let over = |band| verdict(When::Over(100), &figure(Some(band)), None);
        assert_eq!(over([101, 120, 140]), Verdict::Beyond);
        assert_eq!(over([100, 120, 140]), Verdict::Between);
        assert_eq!(over([80, 101, 120]), Verdict::Between);
        assert_eq!(over([80, 100, 120]), Verdict::Back);
        let under = |band| verdict(When::Under(100), &figure(Some(band)), None);
        assert_eq!(under([60, 80, 99]), Verdict::Beyond);
        assert_eq!(under([60, 80, 100]), Verdict::Between);
        assert_eq!(under([80, 100, 120]), Verdict::Back);
        let usual = Some(Usual { low: 90, high: 110 });
        let unlike = |band| verdict(When::UnlikeUsual, &figure(Some(band)), usual);
        assert_eq!(unlike([111, 120, 130]), Verdict::Beyond);
        assert_eq!(unlike([70, 80, 89]), Verdict::Beyond);
        assert_eq!(unlike([80, 88, 95]), Verdict::Between);
        assert_eq!(unlike([80, 90, 95]), Verdict::Back);
    }

    #[test]
    fn what_is_held_back_or_has_no_usual_says_nothing() {
        for when in [When::Over(100), When::Under(100), When::UnlikeUsual] {
            assert_eq!(verdict(when, &figure(None), Some(Usual { low: 1, high: 2 })), Verdict::NoData);
        }
        assert_eq!(verdict(When::UnlikeUsual, &figure(Some([1, 2, 3])), None), Verdict::NoData);
    }

    #[test]
    fn a_silent_sensor_is_not_a_quiet_room() {
        let incomplete =
            Published { flags: Flags { incomplete: true, ..Flags::default() }, ..figure(Some([20, 30, 40])) };
        assert_eq!(verdict(When::Under(100), &incomplete, None), Verdict::Between);
        let usual = Some(Usual { low: 90, high: 110 });
        assert_eq!(verdict(When::UnlikeUsual, &incomplete, usual), Verdict::Between);
        assert_eq!(verdict(When::Over(10), &incomplete, None), Verdict::Beyond);
    }

    #[test]
    fn it_is_told_once_a_change_and_needs_its_windows_in_a_row() {
        use AlertState::{Firing, NoData as Unknown, Quiet};
        use Verdict::{Back, Between, Beyond, NoData};
        assert_eq!(states(1, &[Beyond, Beyond, Between, Beyond, Back, Back]), [Firing, Quiet]);
        assert_eq!(
            states(2, &[Beyond, Back, Beyond, Beyond, Back, Beyond, Back, Back]),
            [Quiet, Firing, Quiet]
        );
        // What is held back ends it, and does not fire again by itself.
        assert_eq!(
            states(2, &[Beyond, Beyond, NoData, Beyond, Beyond]),
            [Quiet, Firing, Unknown, Quiet, Firing]
        );
        assert_eq!(states(3, &[NoData, NoData, Between]), [Quiet]);
    }
}

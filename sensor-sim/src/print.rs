//! What the commands say at their end, for people and for scripts.

use std::fmt::Write as _;

use crate::heads::HeadCount;
use crate::load::outcome::Outcome as Loaded;
use crate::mall::run::Outcome as Ran;
use crate::replay::Outcome as Replayed;
use crate::verify::{Outcome as Verified, Row, Score};

/// One line about a mall.
#[must_use]
pub fn ran(outcome: &Ran) -> String {
    let mut line = format!(
        "{:.1} h simulated, {} sightings sent, {} of {} messages acknowledged",
        outcome.simulated_secs / 3600.0,
        outcome.sightings_sent,
        outcome.messages_acknowledged,
        outcome.messages_sent
    );
    if outcome.messages_refused > 0 {
        let _ = write!(line, ", {} refused by the broker: check its access list", outcome.messages_refused);
    }
    let _ = write!(line, ", {:.1} s", outcome.elapsed_secs);
    line
}

/// One line about a replay.
#[must_use]
pub fn replayed(outcome: &Replayed) -> String {
    let Replayed { rows_sent, messages_sent, messages_acknowledged, elapsed_secs, .. } = outcome;
    let mut line = format!(
        "{rows_sent} rows sent, {messages_acknowledged} of {messages_sent} messages acknowledged, {}",
        reasons(outcome.rows_unread.by_reason(), "every row read", "rows not read")
    );
    if outcome.messages_refused > 0 {
        let _ = write!(line, ", {} refused by the broker: check its access list", outcome.messages_refused);
    }
    let _ = write!(line, ", {elapsed_secs:.1} s");
    line
}

/// Some lines about a load test; the last is the sum that has to come out.
#[must_use]
pub fn loaded(outcome: &Loaded) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "crowd         {} devices (Zipf 1.0), {} sensors, {} sightings a message, seed {}",
        outcome.devices, outcome.sensors, outcome.batch, outcome.seed
    );
    let _ = writeln!(
        text,
        "sent          {} sightings in {} messages over {:.1} s",
        outcome.sent, outcome.messages_sent, outcome.sending_secs
    );
    let _ = writeln!(
        text,
        "acknowledged  {} messages, {} refused by the broker",
        outcome.messages_acknowledged, outcome.messages_refused_by_broker
    );
    let ms = |ms: Option<f64>| ms.map_or("unknown".into(), |ms| format!("{ms:.2} ms"));
    let _ = writeln!(
        text,
        "ack latency   p50 {}, p95 {}, p99 {}",
        ms(outcome.ack_p50_ms),
        ms(outcome.ack_p95_ms),
        ms(outcome.ack_p99_ms)
    );
    let _ = write!(text, "rate          {:.0} sightings/s while sending", outcome.sent_per_sec);
    if let (Some(rate), Some(secs)) = (outcome.counted_per_sec, outcome.counting_secs) {
        let _ = write!(text, ", {rate:.0}/s over the {secs:.1} s until all were counted");
        let _ = write!(text, "; held back by the window {:.0} % of the time", outcome.held_by_window * 100.0);
    }
    let Some(sum) = &outcome.identity else {
        let _ = write!(text, "\nsum           {} sent, counted = unknown (give --api to know)", outcome.sent);
        return text;
    };
    let refused = sum.refused_by_reason.iter().map(|(reason, count)| (reason.as_str(), *count));
    let _ = writeln!(text, "\nrefused       {}", reasons(refused, "none", "sightings"));
    let _ = write!(
        text,
        "sum           {} sent = {} counted + {} refused + {} duplicate + {} lost",
        sum.sent, sum.counted, sum.refused, sum.duplicate, sum.lost
    );
    if sum.lost < 0 {
        let _ = write!(text, " (below zero: somebody else publishes too)");
    }
    text
}

/// A table of figures beside their truth, then what was not offered, then what is broken.
#[must_use]
pub fn verified(outcome: &Verified) -> String {
    let mut text = format!(
        "{:<32} {:>7} {:>6} {:>9} {:>9} {:>7} {:>7} {:>7} {:>6} {:>8} {:>6} {:>6} {:>6}",
        "figure",
        "windows",
        "held %",
        "truth",
        "said",
        "mae %",
        "mape %",
        "bias %",
        "cover",
        "width",
        "ratio",
        "tvd",
        "untold"
    );
    let name = |row: &Row| format!("{} {}.{}.{}", row.venue, row.metric, row.step.word(), row.scope.word());
    for row in &outcome.rows {
        if let Some(score) = row.score.as_ref().filter(|score| score.windows > 0) {
            let _ = write!(text, "\n{:<32} {}", name(row), cells(score));
        }
    }
    let mut missing: Vec<&str> = Vec::new();
    for row in outcome.rows.iter().filter(|row| row.score.is_none()) {
        if !missing.contains(&row.metric) {
            missing.push(row.metric);
        }
    }
    if !missing.is_empty() {
        let _ = write!(text, "\nnot offered: {}", missing.join(", "));
    }
    for broken in &outcome.broken {
        let _ = write!(text, "\nbroken: {broken}");
    }
    text
}

fn cells(score: &Score) -> String {
    let cell =
        |value: Option<f64>, digits: usize| value.map_or("-".into(), |value| format!("{value:.digits$}"));
    format!(
        "{:>7} {:>6} {:>9} {:>9} {:>7} {:>7} {:>7} {:>6} {:>8} {:>6} {:>6} {:>6}",
        score.windows,
        cell(score.held_back_percent, 1),
        cell(score.truth_mean, 1),
        cell(score.said_mean, 1),
        cell(score.mae_percent, 1),
        cell(score.mape_percent, 1),
        cell(score.bias_percent, 1),
        cell(score.coverage_percent, 0),
        cell(score.width_mean, 1),
        cell(score.width_ratio, 2),
        cell(score.tvd, 3),
        cell(score.untold_percent, 1)
    )
}

/// Head counts that were entered.
#[must_use]
pub fn counted(counts: &[HeadCount]) -> String {
    let mut text = format!("{:<20} {:<24} {:>7} {:>7}", "zone", "from", "people", "truth");
    for HeadCount { venue, zone, from, people, truth } in counts {
        let _ = write!(text, "\n{:<20} {from:<24} {people:>7} {truth:>7.1}", format!("{venue} {zone}"));
    }
    text
}

/// Writes a line where a script or a person reads.
#[expect(clippy::print_stdout, reason = "this is where the program prints")]
pub fn say(text: &str) {
    println!("{text}");
}

fn reasons<'a>(counts: impl IntoIterator<Item = (&'a str, u64)>, none: &str, unit: &str) -> String {
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let (total, words) = counts.fold((0, Vec::new()), |(total, mut words), (reason, count)| {
        words.push(format!("{reason} {count}"));
        (total + count, words)
    });
    if total == 0 { none.into() } else { format!("{total} {unit} ({})", words.join(", ")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::capture::Unread;
    use crate::load::tally::Identity;

    #[test]
    fn a_replay_is_one_line() {
        let mut outcome = Replayed { rows_sent: 5, messages_sent: 3, ..Replayed::default() };
        outcome.messages_acknowledged = 3;
        let line = "5 rows sent, 3 of 3 messages acknowledged, every row read, 0.0 s";
        assert_eq!(replayed(&outcome), line);
        outcome.rows_unread = Unread { bad_time: 1, bad_rssi: 2, ..Unread::default() };
        outcome.messages_refused = 1;
        let line = "5 rows sent, 3 of 3 messages acknowledged, 3 rows not read (bad_time 1, bad_rssi 2), \
                    1 refused by the broker: check its access list, 0.0 s";
        assert_eq!(replayed(&outcome), line);
    }

    #[test]
    fn a_load_ends_with_its_sum() {
        let mut outcome = Loaded {
            sent: 1000,
            messages_sent: 10,
            messages_acknowledged: 10,
            messages_refused_by_broker: 0,
            sensors: 120,
            devices: 600_000,
            batch: 100,
            seed: 1,
            sending_secs: 2.0,
            sent_per_sec: 500.0,
            held_by_window: 0.25,
            ack_p50_ms: Some(1.0),
            ack_p95_ms: None,
            ack_p99_ms: None,
            counting_secs: Some(2.5),
            counted_per_sec: Some(396.0),
            identity: Some(Identity {
                sent: 1000,
                counted: 990,
                refused: 7,
                duplicate: 1,
                lost: 2,
                refused_by_reason: BTreeMap::from([("late".into(), 7)]),
            }),
        };
        assert!(!outcome.is_good());
        let text = loaded(&outcome);
        assert!(text.ends_with("1000 sent = 990 counted + 7 refused + 1 duplicate + 2 lost"), "{text}");
        assert!(text.contains("7 sightings (late 7)"), "{text}");
        outcome.identity = None;
        assert!(outcome.is_good());
        assert!(loaded(&outcome).ends_with("1000 sent, counted = unknown (give --api to know)"));
    }
}

//! What the server says of itself, and the sum that has to come out.

use std::collections::BTreeMap;

const SIGHTINGS: &str = "passant_sightings_total";
const MESSAGES_REFUSED: &str = "passant_messages_refused_total";

/// The server's counters at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sightings that reached a lens.
    pub counted: u64,
    /// Sightings of messages that had been taken in before.
    pub duplicate: u64,
    /// Sightings refused one by one, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Messages refused whole, by reason.
    pub messages_refused: BTreeMap<String, u64>,
}

/// Where every sighting sent has gone: sent = counted + refused + duplicate + lost.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Identity {
    /// Sightings handed to the broker.
    pub sent: u64,
    /// Reached a lens.
    pub counted: u64,
    /// Refused, alone or with their message.
    pub refused: u64,
    /// Taken in before.
    pub duplicate: u64,
    /// The rest; below zero when somebody else publishes too.
    pub lost: i64,
    /// The refused, by reason.
    pub refused_by_reason: BTreeMap<String, u64>,
}

impl Totals {
    /// Reads Prometheus text; other lines are skipped, and equal reasons of several sensors are added up.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut totals = Self::default();
        for (name, labels, value) in text.lines().filter_map(sample) {
            let reason = label(labels, "reason").unwrap_or_default().to_owned();
            match (name, label(labels, "outcome")) {
                (SIGHTINGS, Some("counted")) => totals.counted += value,
                (SIGHTINGS, Some("duplicate")) => totals.duplicate += value,
                (SIGHTINGS, Some("refused")) => *totals.refused.entry(reason).or_default() += value,
                (MESSAGES_REFUSED, _) => *totals.messages_refused.entry(reason).or_default() += value,
                _ => {}
            }
        }
        totals
    }

    /// What has been added since an earlier moment. A counter that fell was restarted and counts from zero.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let grown = |now: u64, then: u64| now.checked_sub(then).unwrap_or(now);
        let each = |now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>| {
            let grown = |(reason, &count): (&String, &u64)| {
                (reason.clone(), grown(count, then.get(reason).copied().unwrap_or(0)))
            };
            now.iter().map(grown).filter(|(_, count)| *count > 0).collect()
        };
        Self {
            counted: grown(self.counted, earlier.counted),
            duplicate: grown(self.duplicate, earlier.duplicate),
            refused: each(&self.refused, &earlier.refused),
            messages_refused: each(&self.messages_refused, &earlier.messages_refused),
        }
    }

    /// Sightings the server has dealt with, where every message carries a batch.
    #[must_use]
    pub fn taken_in(&self, batch: u64) -> u64 {
        self.counted + self.duplicate + self.refused_by_reason(batch).values().sum::<u64>()
    }

    /// The sum, where every message carries a batch.
    #[must_use]
    pub fn identity(&self, sent: u64, batch: u64) -> Identity {
        let refused_by_reason = self.refused_by_reason(batch);
        let (counted, duplicate) = (self.counted, self.duplicate);
        let refused = refused_by_reason.values().sum();
        let lost = sent as i64 - (counted + refused + duplicate) as i64;
        Identity { sent, counted, refused, duplicate, lost, refused_by_reason }
    }

    fn refused_by_reason(&self, batch: u64) -> BTreeMap<String, u64> {
        let mut all = self.refused.clone();
        for (reason, messages) in &self.messages_refused {
            *all.entry(reason.clone()).or_default() += messages * batch;
        }
        all
    }
}

/// Name, labels and value of a line of Prometheus text.
fn sample(line: &str) -> Option<(&str, &str, u64)> {
    let (series, value) = line.trim().rsplit_once(' ')?;
    let (name, labels) = series.split_once('{')?;
    Some((name, labels.strip_suffix('}')?, value.parse().ok()?))
}

/// A label's value. The reasons and outcomes looked for are plain words, so no escape is undone.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.split(',').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP passant_sightings Sightings by what became of them.
# TYPE passant_sightings counter
passant_sightings_total{outcome="counted",reason=""} 700
passant_sightings_total{outcome="duplicate",reason=""} 20
passant_sightings_total{reason="time_behind",outcome="refused"} 5
passant_sightings_total{outcome="refused",reason="late"} 3
passant_messages_refused_total{venue="load",sensor="s001",reason="bad_json"} 1
passant_messages_refused_total{venue="load",sensor="s002",reason="bad_json"} 2
passant_broker_connected 1
# EOF
"#;

    #[test]
    fn the_servers_words_read() {
        let totals = Totals::parse(TEXT);
        assert_eq!((totals.counted, totals.duplicate), (700, 20));
        assert_eq!(totals.refused, BTreeMap::from([("time_behind".into(), 5), ("late".into(), 3)]));
        assert_eq!(totals.messages_refused, BTreeMap::from([("bad_json".into(), 3)]));
        assert_eq!(totals.taken_in(100), 700 + 20 + 8 + 300);
        assert_eq!(Totals::parse("no metrics {} at all\n{ 5\nx{y} z"), Totals::default());
    }

    #[test]
    fn the_sum_comes_out() {
        let now = Totals::parse(TEXT);
        let identity = now.identity(1100, 100);
        assert_eq!(identity.refused, 308);
        assert_eq!(identity.lost, 1100 - 700 - 20 - 308);
        assert_eq!(now.identity(1000, 100).lost, -28, "somebody else publishes");
        let before = Totals { counted: 600, duplicate: 20, ..Totals::default() };
        let grown = now.since(&before);
        assert_eq!((grown.counted, grown.duplicate, grown.identity(408, 100).lost), (100, 0, 0));
        assert_eq!(now.since(&now), Totals::default());
        assert_eq!(before.since(&now).counted, 600, "the server was started anew");
    }
}

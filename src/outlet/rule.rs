//! An alert rule, read against what figures there are.

use passant_wire::Id;

use super::Error;
use crate::clock::Step;
use crate::config::{Alert, Venue, Watch, When};
use crate::release::Metric;

/// A rule of a venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The place of its venue among those configured.
    pub(super) venue: usize,
    /// Its name.
    pub(super) name: Id,
    /// The zone or group; `None` is the venue.
    pub(super) scope: Option<Id>,
    /// What it looks at.
    pub(super) subject: Subject,
    /// For how many windows in a row.
    pub(super) windows: u32,
    /// The rule in words, with its place: with others it is another rule.
    pub(super) words: String,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The figures of a series.
    Figure {
        /// What is counted.
        metric: Metric,
        /// The length of the windows.
        step: Step,
        /// What is told.
        when: When,
    },
    /// The place's sensors.
    Sensors,
}

/// The rules of some venues.
///
/// # Errors
/// When one asks for a figure that there is not, or for a threshold of people under k; every such rule is told.
pub fn rules(venues: &[Venue]) -> Result<Vec<Rule>, Error> {
    let mut faults = Vec::new();
    let mut rules = Vec::new();
    for (place, venue) in venues.iter().enumerate() {
        for alert in &venue.alerts {
            match subject(venue, alert) {
                Ok(subject) => rules.push(Rule {
                    venue: place,
                    name: alert.name.clone(),
                    scope: alert.scope.clone(),
                    subject,
                    windows: alert.windows,
                    words: match &alert.scope {
                        Some(scope) => format!("{scope}: {alert}"),
                        None => alert.to_string(),
                    },
                }),
                Err(fault) => faults.push(format!("venue {}: alert {}: {fault}", venue.id, alert.name)),
            }
        }
    }
    if faults.is_empty() { Ok(rules) } else { Err(Error::Rules(faults)) }
}

fn subject(venue: &Venue, alert: &Alert) -> Result<Subject, String> {
    let Watch::Figure { metric, step, when } = &alert.watch else { return Ok(Subject::Sensors) };
    let metric = Metric::parse(metric).ok_or_else(|| {
        let words: Vec<&str> = Metric::ALL.iter().map(|metric| metric.as_str()).collect();
        format!("there is no metric {metric:?}; it is one of {}", words.join(", "))
    })?;
    let of_group = alert.scope.as_ref().is_some_and(|scope| venue.groups.contains(scope));
    let has = |step: &Step| {
        metric.has_step(*step, alert.scope.is_none()) && (!of_group || metric.is_of_the_crowd())
    };
    let step = match step {
        None => Step::ALL.into_iter().find(has),
        Some(step) => Some(*step).filter(has),
    };
    let step = step.ok_or_else(|| {
        let steps: Vec<&str> = Step::ALL.into_iter().filter(has).map(Step::as_str).collect();
        match steps.is_empty() {
            true => format!("a group has no {}; name a zone, or leave zone out", metric.as_str()),
            false => format!("{} is there in steps of {} only", metric.as_str(), steps.join(", ")),
        }
    })?;
    let k = venue.thresholds.k;
    match when {
        When::Over(threshold) | When::Under(threshold) if counts_people(metric) && *threshold < k => {
            Err(format!(
                "its threshold is {threshold}: no figure about fewer than {k} people is published, so an alert under k would tell what the figures do not; set it to {k} or more"
            ))
        }
        when => Ok(Subject::Figure { metric, step, when: *when }),
    }
}

/// Whether a metric's unit is people or their visits; the others are shares and minutes, to which k does not apply.
fn counts_people(metric: Metric) -> bool {
    !matches!(
        metric,
        Metric::CaptureRate | Metric::DwellMean | Metric::DwellP25 | Metric::DwellMedian | Metric::DwellP75
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, EXAMPLE};

    fn with(alert: &str) -> Result<Vec<Rule>, String> {
        let text = format!("{EXAMPLE}\n[[venue.alert]]\nname = \"a\"\n{alert}\n");
        let config = Config::parse(&text, std::iter::empty()).unwrap();
        rules(&config.venues).map_err(|error| error.to_string())
    }

    #[test]
    fn under_k_the_validator_says_why() {
        for when in ["over", "under"] {
            let rule = format!("metric = \"visitors\"\nwhen = \"{when}\"\nthreshold = 9");
            let error = with(&rule).unwrap_err();
            assert!(error.contains("fewer than 10 people") && error.contains("10 or more"), "{error}");
            assert!(with(&rule.replace('9', "10")).is_ok());
        }
        // Minutes and percents are no people.
        assert!(with("metric = \"dwell_median\"\nwhen = \"over\"\nthreshold = 9").is_ok());
        assert!(with("metric = \"capture_rate\"\nwhen = \"under\"\nthreshold = 8").is_ok());
    }

    #[test]
    fn a_rule_takes_the_shortest_step_there_is() {
        let step = |alert: &str| match with(alert).unwrap().pop().unwrap().subject {
            Subject::Figure { step, .. } => step,
            Subject::Sensors => panic!("{alert}"),
        };
        let over = "when = \"over\"\nthreshold = 50";
        assert_eq!(step(&format!("metric = \"occupancy\"\n{over}")), Step::FiveMinutes);
        assert_eq!(step(&format!("metric = \"visits\"\n{over}")), Step::QuarterHour);
        assert_eq!(step(&format!("metric = \"visits\"\nzone = \"food-court\"\n{over}")), Step::Hour);
        assert_eq!(step(&format!("metric = \"occupancy\"\nstep = \"1d\"\n{over}")), Step::Day);
    }

    #[test]
    fn a_figure_that_there_is_not_is_told() {
        let over = "when = \"over\"\nthreshold = 50";
        for (alert, words) in [
            ("metric = \"people\"", "one of occupancy"),
            ("metric = \"visits\"\nstep = \"5m\"", "15m, 1h, 1d only"),
            ("metric = \"visits\"\nzone = \"ground\"", "a group has no visits"),
        ] {
            let error = with(&format!("{alert}\n{over}")).unwrap_err();
            assert!(error.contains(words), "{alert}: {error}");
        }
    }
}

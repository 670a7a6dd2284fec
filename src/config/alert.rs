//! Alert rules, and what goes out by MQTT. What a metric is, the outlet knows; here a rule is checked for its shape.

use std::fmt;

use passant_wire::Id;

use super::Zone;
use super::file::{AlertFile, OutletFile};
use super::validate::id;
use crate::clock::Step;

/// The most rules of one venue.
const ALERTS_MAX: usize = 100;
/// The most windows in a row that a rule waits for.
pub const WINDOWS_MAX: u32 = 100;
/// The level of the topic under which alerts are told: no sensor may be called so.
pub(super) const TOPIC_LEVEL: &str = "alerts";
/// Names under that level which the server would take for a sensor's message.
const NOT_NAMES: [&str; 2] = ["sightings", "status"];

/// What goes out by MQTT; nothing unless it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlet {
    /// The steps whose released figures go out.
    pub figures: Vec<Step>,
    /// Whether the states of alerts go out.
    pub alerts: AlertsOut,
}

/// Whether the states of alerts go out by MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertsOut {
    /// They are on the page and in the API only.
    #[default]
    Off,
    /// They go out as well.
    Mqtt,
}

/// An alert rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its name: a level of a topic.
    pub name: Id,
    /// The zone or group it looks at; `None` is the whole venue.
    pub scope: Option<Id>,
    /// What it looks at.
    pub watch: Watch,
    /// For how many windows in a row; 1 to [`WINDOWS_MAX`].
    pub windows: u32,
}

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// A published figure.
    Figure {
        /// The metric's word, as in the API.
        metric: String,
        /// The length of the windows; without it the shortest there is.
        step: Option<Step>,
        /// What is told.
        when: When,
    },
    /// The place's sensors: told when one has sent nothing for so many times five minutes.
    SensorGone,
}

/// When a figure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is over a threshold, in whole units of the metric.
    Over(u32),
    /// It is under a threshold.
    Under(u32),
    /// It is unlike the same hours of the same weekday in the weeks before.
    UnlikeUsual,
}

impl Alert {
    /// The word of the metric that it looks at; `None` where it looks at sensors.
    #[must_use]
    pub fn metric(&self) -> Option<&str> {
        match &self.watch {
            Watch::Figure { metric, .. } => Some(metric),
            Watch::SensorGone => None,
        }
    }
}

impl fmt::Display for Alert {
    /// The rule in words, without its place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.watch {
            Watch::Figure { metric, when, .. } => match when {
                When::Over(threshold) => write!(f, "{metric} over {threshold}"),
                When::Under(threshold) => write!(f, "{metric} under {threshold}"),
                When::UnlikeUsual => write!(f, "{metric} unlike the usual"),
            },
            Watch::SensorGone => write!(f, "sensor gone"),
        }?;
        match &self.watch {
            Watch::Figure { step: Some(step), .. } => {
                write!(f, ", windows of {}: {}", step.as_str(), self.windows)
            }
            Watch::Figure { step: None, .. } => write!(f, ", windows: {}", self.windows),
            Watch::SensorGone => write!(f, ", minutes: {}", 5 * self.windows),
        }
    }
}

impl Outlet {
    pub(super) fn read(file: &OutletFile, faults: &mut Vec<String>) -> Self {
        let mut figures = Vec::new();
        for word in &file.figures {
            match Step::parse(word) {
                Some(step) if !figures.contains(&step) => figures.push(step),
                Some(_) => {}
                None => {
                    faults.push(format!("outlet.figures names {word:?}; a step is one of 5m, 15m, 1h, 1d"))
                }
            }
        }
        Self { figures, alerts: file.alerts }
    }

    /// Whether anything goes out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.figures.is_empty() || self.alerts == AlertsOut::Mqtt
    }
}

/// Reads the rules of a venue.
pub(super) fn alerts(
    files: Vec<AlertFile>,
    zones: &[Zone],
    groups: &[Id],
    at: &str,
    faults: &mut Vec<String>,
) -> Vec<Alert> {
    if files.len() > ALERTS_MAX {
        faults.push(format!("{at}: {} alerts: at most {ALERTS_MAX} are watched", files.len()));
    }
    let mut alerts: Vec<Alert> = Vec::new();
    for file in files {
        let at = format!("{at}: alert {:?}", file.name);
        let Some(alert) = alert(file, zones, groups, &at, faults) else { continue };
        if alerts.iter().any(|other| other.name == alert.name) {
            faults.push(format!("{at} is named twice; give each a name of its own"));
        }
        alerts.push(alert);
    }
    alerts
}

fn alert(
    file: AlertFile,
    zones: &[Zone],
    groups: &[Id],
    at: &str,
    faults: &mut Vec<String>,
) -> Option<Alert> {
    let before = faults.len();
    let name = id(&file.name, at, faults);
    if NOT_NAMES.contains(&file.name.as_str()) {
        faults.push(format!("{at}: its topic would be taken for a sensor's; give it another name"));
    }
    let scope = file.zone.as_deref().and_then(|word| {
        let known = zones.iter().map(|zone| &zone.id).chain(groups).find(|id| id.as_str() == word);
        if known.is_none() {
            faults.push(format!(
                "{at} looks at {word:?}, which is no zone and no group; leave zone out for the whole venue"
            ));
        }
        known.cloned()
    });
    let windows = file.windows.unwrap_or(1);
    if !(1..=WINDOWS_MAX).contains(&windows) {
        faults.push(format!("{at}: windows is {windows}: wait for 1 to {WINDOWS_MAX}"));
    }
    let watch = watch(&file, at, faults);
    (faults.len() == before).then_some(Alert { name: name?, scope, watch: watch?, windows })
}

fn watch(file: &AlertFile, at: &str, faults: &mut Vec<String>) -> Option<Watch> {
    let when = match (file.when.as_str(), file.threshold) {
        ("over", Some(threshold)) => Some(When::Over(threshold)),
        ("under", Some(threshold)) => Some(When::Under(threshold)),
        ("over" | "under", None) => {
            faults.push(format!("{at}: threshold is missing: over or under how many?"));
            return None;
        }
        ("unlike_usual", None) => Some(When::UnlikeUsual),
        ("sensor_gone", None) => None,
        ("unlike_usual" | "sensor_gone", Some(_)) => {
            faults.push(format!("{at}: when = {:?} takes no threshold; remove it", file.when));
            return None;
        }
        (word, _) => {
            faults.push(format!("{at}: when is {word:?}: one of over, under, unlike_usual, sensor_gone"));
            return None;
        }
    };
    let step = match file.step.as_deref().map(|word| (word, Step::parse(word))) {
        Some((word, None)) => {
            faults.push(format!("{at}: step is {word:?}: one of 5m, 15m, 1h, 1d"));
            return None;
        }
        step => step.and_then(|(_, step)| step),
    };
    match (when, &file.metric) {
        (Some(when), Some(metric)) => Some(Watch::Figure { metric: metric.clone(), step, when }),
        (None, None) if step.is_none() => Some(Watch::SensorGone),
        (Some(_), None) => {
            faults.push(format!(
                "{at}: metric is missing: which figure is it about? For example \"occupancy\""
            ));
            None
        }
        (None, _) => {
            faults.push(format!("{at}: when = \"sensor_gone\" takes no metric and no step; remove them"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, EXAMPLE};
    use super::*;

    fn with(text: &str) -> Result<Config, String> {
        Config::parse(&format!("{EXAMPLE}\n{text}\n"), std::iter::empty()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_is_read_with_its_place() {
        let rule = "[[venue.alert]]\nname = \"full\"\nzone = \"ground\"\nmetric = \"occupancy\"\nstep = \"15m\"\n\
                    when = \"over\"\nthreshold = 400\nwindows = 3";
        let config = with(rule).unwrap();
        let alert = config.venues[0].alerts.iter().find(|alert| alert.name.as_str() == "full").unwrap();
        let when = When::Over(400);
        let watch = Watch::Figure { metric: "occupancy".into(), step: Some(Step::QuarterHour), when };
        assert_eq!((&alert.watch, alert.windows), (&watch, 3));
        assert_eq!(alert.scope.as_ref().map(Id::as_str), Some("ground"));
    }

    #[test]
    fn a_rule_that_makes_no_sense_says_what_is_missing() {
        let rule = |lines: &str| format!("[[venue.alert]]\nname = \"a\"\n{lines}");
        for (text, words) in [
            (rule("metric = \"occupancy\"\nwhen = \"over\""), "threshold is missing"),
            (rule("when = \"under\"\nthreshold = 40"), "metric is missing"),
            (rule("metric = \"occupancy\"\nwhen = \"unlike_usual\"\nthreshold = 40"), "takes no threshold"),
            (rule("metric = \"occupancy\"\nwhen = \"near\""), "one of over, under"),
            (rule("metric = \"occupancy\"\nwhen = \"over\"\nthreshold = 40\nstep = \"2h\""), "one of 5m"),
            (rule("when = \"sensor_gone\"\nmetric = \"occupancy\""), "takes no metric"),
            (rule("when = \"sensor_gone\"\nzone = \"cellar\""), "no zone and no group"),
            (rule("when = \"sensor_gone\"\nwindows = 0"), "1 to 100"),
            ("[[venue.alert]]\nname = \"status\"\nwhen = \"sensor_gone\"".into(), "another name"),
            ("[[venue.alert]]\nname = \"a b\"\nwhen = \"sensor_gone\"".into(), "is no id"),
            (format!("{0}\n{0}", rule("when = \"sensor_gone\"")), "named twice"),
        ] {
            let error = with(&text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn nothing_goes_out_unless_it_is_asked_for() {
        let outlet = |lines: &str| {
            let lines =
                EXAMPLE.replace("# [outlet]", "[outlet]").replace("# figures = [\"5m\", \"1h\"]", lines);
            Config::parse(&lines, std::iter::empty()).map(|config| config.outlet).map_err(|e| e.to_string())
        };
        assert!(!Config::parse(EXAMPLE, std::iter::empty()).unwrap().outlet.is_open());
        let both = outlet("figures = [\"5m\", \"1h\", \"5m\"]").unwrap();
        assert_eq!(both.figures, [Step::FiveMinutes, Step::Hour]);
        assert!(outlet("figures = [\"2h\"]").unwrap_err().contains("one of 5m"));
        assert!(outlet("alerts = \"mqtt\"").unwrap().is_open());
    }
}

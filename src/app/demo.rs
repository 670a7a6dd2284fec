//! `passant demo`: a living mall in one process: an embedded broker, the server, and a simulated mall whose past days
//! travel through both like any others.

pub(super) mod doors;
mod place;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sensor_sim::mall::{MALL, Scenario, run as mall};
use sensor_sim::progress::Progress;
use sensor_sim::replay::Speed;
use tokio::sync::watch;
use zeroize::Zeroizing;

use self::doors::{Page, Sensors, from_here, is_loopback};
use self::place::Place;
use super::guarded::hold;
use super::listening::{self, Listening};
use super::say;
use super::serve::{Server, stop_signal};
use crate::broker;
use crate::clock::Machine;
use crate::config::{Config, Notice};
use crate::intake;
use crate::link;

/// What to show.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Past days to simulate before now
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub days: u32,
    /// Where the page and the API listen; off loopback they ask for a token, which is printed
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// Where the embedded broker listens; off loopback it asks for a password, which is printed
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1883")]
    pub mqtt: SocketAddr,
    /// Where judged figures are kept
    #[arg(long, value_name = "DIR", default_value = "passant-demo-data")]
    pub data: PathBuf,
    /// The same seed makes the same crowd
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Runs the demo until it is told to stop.
///
/// # Errors
/// When a port is taken, the data directory does not allow it, or a part of it fails.
pub async fn run(options: &Options) -> Result<()> {
    let machine = Machine::clock();
    let Place { zone, data_dir } = Place::choose(&options.data, machine.now());
    let _held = hold(&data_dir)?;
    let scenario = Scenario::parse(&in_zone(MALL, &zone)).context("reading the demo's scenario")?;
    let listener = listening::at(options.http)
        .await
        .with_context(|| format!("listening on {}: choose a free address with --http", options.http))?;
    let (page, sensors) = (Page::at(options.http)?, Sensors::at(options.mqtt)?);
    let (mqtt, broker) = broker::start(broker::Options { listen: options.mqtt, access: sensors.access() })
        .await
        .with_context(|| {
            format!("starting the broker on {}: choose a free address with --mqtt", options.mqtt)
        })?;
    let config = config(&data_dir, &scenario, mqtt)?;
    let link = link::Options { credentials: sensors.login(), ..intake::options(&config.mqtt)? };
    let server = Server::start(config, link, page.access.clone(), machine).await?;

    say(&Zeroizing::new(format!("Passant shows a simulated mall: {}", *page.link(listener.local_addr()?))));
    welcome(options.days, &scenario, &zone);
    for advice in [page.advice(), sensors.advice(mqtt)].into_iter().flatten() {
        say(&advice);
    }
    if !(is_loopback(options.http) && is_loopback(options.mqtt)) {
        say("Neither is encrypted: whoever can listen to this network can read them on their way.");
    }

    let (stop, stopped) = watch::channel(false);
    let signal = stop_signal()?;
    tokio::spawn(async move {
        signal.await;
        stop.send_replace(true);
    });
    let mut serving = tokio::spawn(server.serve(Listening::Plainly(listener), until(stopped.clone())));
    let order = mall::Order {
        url: sensors.own_url(mqtt)?,
        seed: options.seed,
        from: None,
        days: options.days,
        speed: Speed::Max,
        live: true,
        truth: None,
    };
    let progress = Progress::new(Some(u64::from(options.days) * 86_400), "simulated seconds");
    let served = tokio::select! {
        simulated = mall::run(&scenario, &order, &progress, until(stopped)) => {
            drop(progress);
            simulated.context("simulating the mall")?;
            serving.await?
        }
        // The server cannot go on: its own words say why.
        served = &mut serving => served?,
    };
    broker.shutdown().await;
    served?;
    say(&format!(
        "Stopped. Judged figures are kept in {}; sightings, keys and open windows were in memory only and are gone.",
        data_dir.display()
    ));
    Ok(())
}

/// What is shown.
fn welcome(days: u32, scenario: &Scenario, zone: &str) {
    say(&format!(
        "{days} past days come first, then it goes on live; {:.0} % of its devices keep one address, the others change theirs.",
        100.0 * scenario.stable_share()
    ));
    say(&format!(
        "The mall stands where it is afternoon now ({zone}), so that there are people in it. Ctrl-C stops it."
    ));
}

/// The scenario moved to another time zone.
fn in_zone(scenario: &str, zone: &str) -> String {
    let line = |line: &str| match line.starts_with("timezone = ") {
        true => format!("timezone = \"{zone}\"\n"),
        false => format!("{line}\n"),
    };
    scenario.lines().map(line).collect()
}

/// What the page for visitors says of who counts, and why.
fn notice() -> Notice {
    let said = |words: &str| Some(words.to_owned());
    Notice {
        controller: said("nobody: this mall is simulated, and no person is counted in it"),
        contact: said("whoever started this demo"),
        purpose: said("to show what Passant does"),
    }
}

/// The server's configuration: the scenario's venue, and the broker. Where the page listens is not in it: the server is
/// handed what already does.
fn config(data_dir: &Path, scenario: &Scenario, mqtt: SocketAddr) -> Result<Config> {
    let data = toml::Value::String(data_dir.display().to_string());
    let text = format!(
        "data_dir = {data}\n[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\nclient_id = \"passant-demo\"\n{}",
        mqtt.port(),
        scenario.server_config()
    );
    let mut config = Config::parse(&text, std::iter::empty())?;
    // A configuration lets the messages tell the time only behind loopback. Here whoever can publish has the password.
    config.mqtt.host = from_here(mqtt).ip().to_string();
    config.venues.iter_mut().for_each(|venue| venue.notice = notice());
    Ok(config)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // The sender lives as long as the signal is waited for.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::EpochMs;

    fn broker() -> SocketAddr {
        SocketAddr::from(([0, 0, 0, 0], 1883))
    }

    #[test]
    fn the_mall_is_open_whenever_the_demo_is_started() {
        for hour in 0..24 {
            let now = EpochMs(1_764_000_000_000 + hour * 3_600_000);
            let zone = Place::choose(Path::new("nowhere"), now).zone;
            let scenario = Scenario::parse(&in_zone(MALL, &zone)).unwrap();
            let config = config(Path::new("somewhere"), &scenario, broker()).unwrap();
            assert!((0..7).all(|day| config.venues[0].is_open(EpochMs(now.0 + day * 86_400_000))), "{zone}");
        }
    }

    #[test]
    fn the_scenario_makes_a_configuration_in_the_time_of_its_sightings() {
        let scenario = Scenario::parse(MALL).unwrap();
        let config = config(Path::new("some where"), &scenario, broker()).unwrap();
        assert!(config.venues[0].zones.len() >= 12);
        assert_eq!(config.venues[0].clock, crate::config::ClockKind::Sightings);
        assert_eq!(config.mqtt.host, "127.0.0.1");
    }
}

//! `passant demo`: a living mall in one process: an embedded broker, the server, and a simulated mall whose past days
//! travel through both like any others.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use sensor_sim::mall::{MALL, Scenario, run as mall};
use sensor_sim::progress::Progress;
use sensor_sim::publisher::BrokerUrl;
use sensor_sim::replay::Speed;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::guarded::{hold, keep_memory_to_ourselves};
use super::serve::{Server, stop_signal};
use crate::broker::{self, Access};
use crate::clock::{EpochMs, Machine};
use crate::config::Config;

/// What to show.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Past days to simulate before now
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub days: u32,
    /// Where the page and the API listen; loopback only
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// Where the embedded broker listens; loopback only
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
    keep_memory_to_ourselves();
    let _held = hold(&options.data)?;
    let zone = afternoon_zone(machine.now());
    let scenario = Scenario::parse(&in_zone(MALL, &zone)).context("reading the demo's scenario")?;
    let listener = TcpListener::bind(options.http)
        .await
        .with_context(|| format!("listening on {}: choose a free address with --http", options.http))?;
    let (mqtt, broker) =
        broker::start(broker::Options { listen: options.mqtt, access: Access::Anyone }).await.with_context(
            || format!("starting the broker on {}: choose a free loopback address with --mqtt", options.mqtt),
        )?;
    let server = Server::start(config(options, &scenario, mqtt)?, machine).await?;

    say(&format!("Passant shows a simulated mall: http://{}", listener.local_addr()?));
    say(&format!(
        "{} past days come first, then it goes on live; {:.0} % of its devices keep one address, the others change theirs.",
        options.days,
        100.0 * scenario.stable_share()
    ));
    say(&format!(
        "The mall stands where it is afternoon now ({zone}), so that there are people in it. Ctrl-C stops it."
    ));

    let (stop, stopped) = watch::channel(false);
    let signal = stop_signal()?;
    tokio::spawn(async move {
        signal.await;
        stop.send_replace(true);
    });
    let mut serving = tokio::spawn(server.serve(listener, until(stopped.clone())));
    let order = mall::Order {
        url: format!("mqtt://{mqtt}").parse::<BrokerUrl>()?,
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
        options.data.display()
    ));
    Ok(())
}

/// The fixed offset in which it is three in the afternoon now, or as near to it as the world's offsets go: whenever
/// the demo is started, its mall is open.
fn afternoon_zone(now: EpochMs) -> String {
    const EASTMOST_HOURS: i64 = 14;
    const WESTMOST_HOURS: i64 = -12;
    let utc_hour = now.0.div_euclid(3_600_000).rem_euclid(24);
    let east = (15 - utc_hour).clamp(WESTMOST_HOURS, EASTMOST_HOURS);
    // The names of these zones count westward.
    match -east {
        0 => "Etc/GMT".to_owned(),
        west => format!("Etc/GMT{west:+}"),
    }
}

/// The scenario moved to another time zone.
fn in_zone(scenario: &str, zone: &str) -> String {
    let line = |line: &str| match line.starts_with("timezone = ") {
        true => format!("timezone = \"{zone}\"\n"),
        false => format!("{line}\n"),
    };
    scenario.lines().map(line).collect()
}

/// The server's configuration: the scenario's venue, and where everything listens.
fn config(options: &Options, scenario: &Scenario, mqtt: SocketAddr) -> Result<Config> {
    let data = toml::Value::String(options.data.display().to_string());
    let text = format!(
        "data_dir = {data}\n[mqtt]\nurl = \"mqtt://{mqtt}\"\nclient_id = \"passant-demo\"\n[http]\nlisten = \"{}\"\n{}",
        options.http,
        scenario.server_config()
    );
    Ok(Config::parse(&text, std::iter::empty())?)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // The sender lives as long as the signal is waited for.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mall_is_open_whenever_the_demo_is_started() {
        for hour in 0..24 {
            let now = EpochMs(1_764_000_000_000 + hour * 3_600_000);
            let zone = afternoon_zone(now);
            let scenario = Scenario::parse(&in_zone(MALL, &zone)).unwrap();
            let options = Options {
                days: 1,
                http: "127.0.0.1:8080".parse().unwrap(),
                mqtt: "127.0.0.1:1883".parse().unwrap(),
                data: "somewhere".into(),
                seed: 1,
            };
            let config = config(&options, &scenario, options.mqtt).unwrap();
            assert!((0..7).all(|day| config.venues[0].is_open(EpochMs(now.0 + day * 86_400_000))), "{zone}");
        }
    }

    #[test]
    fn the_scenario_makes_a_configuration_in_the_time_of_its_sightings() {
        let scenario = Scenario::parse(MALL).unwrap();
        let options = Options {
            days: 7,
            http: "127.0.0.1:8080".parse().unwrap(),
            mqtt: "127.0.0.1:1883".parse().unwrap(),
            data: "some where".into(),
            seed: 1,
        };
        let config = config(&options, &scenario, options.mqtt).unwrap();
        assert!(config.venues[0].zones.len() >= 12);
        assert_eq!(config.venues[0].clock, crate::config::ClockKind::Sightings);
    }
}

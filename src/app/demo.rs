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
use crate::clock::Machine;
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
    keep_memory_to_ourselves();
    let _held = hold(&options.data)?;
    let scenario = Scenario::parse(MALL).context("reading the demo's scenario")?;
    let listener = TcpListener::bind(options.http)
        .await
        .with_context(|| format!("listening on {}: choose a free address with --http", options.http))?;
    let (mqtt, broker) =
        broker::start(broker::Options { listen: options.mqtt, access: Access::Anyone }).await.with_context(
            || format!("starting the broker on {}: choose a free loopback address with --mqtt", options.mqtt),
        )?;
    let server = Server::start(config(options, &scenario, mqtt)?, Machine::clock()).await?;

    say(&format!("Passant shows a simulated mall: http://{}", listener.local_addr()?));
    say(&format!(
        "{} past days come first, then it goes on live; {:.0} % of its devices keep one address, the others change theirs.",
        options.days,
        100.0 * scenario.stable_share()
    ));
    say("Ctrl-C stops it.");

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

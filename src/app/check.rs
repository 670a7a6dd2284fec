//! `passant check`: what an installer wants to know before anybody is counted.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use passant_wire::Topic;
use tokio::time::timeout;

use super::audit::audit;
use super::commands::{Refused, Request, ask_server, write_down_refusal};
use super::guarded::{hold, locked, swap_areas};
use super::serve::own_broker;
use crate::api;
use crate::config::{ClockKind, Config};
use crate::intake::{self, Directory, Strangers};
use crate::link;
use crate::outlet;
use crate::pseudonym::{KEYS_MAX, Key};
use crate::store::{Kind, Store};
use crate::telemetry::Tally;
use crate::vault::look;

/// How long the broker may take to accept the server's client and its subscriptions.
const BROKER_WAIT: Duration = Duration::from_secs(10);
/// How often the broker's answer is looked for.
const BROKER_LOOK: Duration = Duration::from_millis(50);
/// Messages waiting while strangers are listened for.
const LISTEN_MAX: usize = 1_024;

/// What to check.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The configuration, TOML
    #[arg(long, default_value = "passant.toml")]
    pub config: PathBuf,
    /// Listen to the broker for some seconds and print sensors that publish but are not configured, as TOML
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub listen: Option<u64>,
    /// Verify the ledger, from its first line to its last, and nothing else
    #[arg(long, conflicts_with = "listen")]
    pub audit: bool,
    /// With --audit: a head seen before, through which the ledger must pass
    #[arg(long, value_name = "HEX", requires = "audit")]
    pub head: Option<String>,
}

/// Checks, prints a line for each finding, and fails if any is bad.
///
/// # Errors
/// When something would keep the server from working or a promise from being kept.
pub async fn run(options: &Options) -> Result<()> {
    let config = Config::load(&options.config, std::env::vars())?;
    if options.audit {
        let lines = audit(&config.data_dir, options.head.as_deref())?;
        lines.iter().for_each(|line| Report::default().plain(line));
        return Ok(());
    }
    let mut report = Report::default();
    let (zones, sensors) =
        config.venues.iter().fold((0, 0), |(z, s), v| (z + v.zones.len(), s + v.sensors.len()));
    report.good(&format!(
        "configuration: {} venues, {zones} zones, {sensors} sensors, k = {}",
        config.venues.len(),
        config.k
    ));
    for venue in &config.venues {
        for (place, zone) in venue.zones.iter().enumerate() {
            if !venue.sensors.iter().any(|sensor| sensor.zone == place) {
                report.note(&format!(
                    "venue {}: zone {} has no sensor and will have no figures",
                    venue.id, zone.id
                ));
            }
        }
    }
    match outlet::rules(&config.venues) {
        Ok(rules) if rules.is_empty() => {}
        Ok(rules) => report.good(&format!("alerts: {} rules", rules.len())),
        Err(error) => report.bad(&error.to_string()),
    }
    tls(&config, &mut report);
    store(&config, &mut report).await;
    memory(KEYS_MAX * config.venues.len(), &mut report);
    vault(&config, &mut report);
    let bad_before = report.bad;
    let strangers = broker(&config, options.listen, &mut report).await?;
    if report.bad > bad_before
        && let Err(why) = write_down_refusal(&config, Refused::Broker).await
    {
        report.note(&format!("the ledger was not told that the broker did not pass: {why:#}"));
    }
    objections(&config, &mut report).await;
    if let Some(toml) = strangers {
        report.plain(&toml);
    }
    if report.bad > 0 { bail!("{} of the checks failed", report.bad) } else { Ok(()) }
}

#[derive(Default)]
struct Report {
    bad: usize,
}

impl Report {
    fn good(&mut self, what: &str) {
        self.plain(&format!("ok    {what}"));
    }

    fn note(&mut self, what: &str) {
        self.plain(&format!("note  {what}"));
    }

    fn bad(&mut self, what: &str) {
        self.bad += 1;
        self.plain(&format!("BAD   {what}"));
    }

    fn plain(&mut self, line: &str) {
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

/// Whether the pages' own certificate and its key can be used.
fn tls(config: &Config, report: &mut Report) {
    let Some(files) = &config.http_door.tls else { return };
    match api::speech(files) {
        Ok(_) => report.good("http: the certificate and its key fit each other"),
        Err(error) => report.bad(&format!("http: {error}")),
    }
}

async fn store(config: &Config, report: &mut Report) {
    // A running server holds the lock: then it has opened the store, and that is the better check.
    let held = match hold(&config.data_dir) {
        Ok(held) => held,
        Err(why) => return report.note(&format!("store not opened: {why:#}")),
    };
    let replay = config.venues.iter().any(|venue| venue.clock == ClockKind::Sightings);
    let kind = if replay { Kind::Replay } else { Kind::Real };
    match Store::open(&config.data_dir, kind).await {
        Ok(store) => {
            report.good(&format!("store: {} opens and answers", config.data_dir.display()));
            store.close().await;
        }
        Err(error) => report.bad(&format!("store: {error}")),
    }
    drop(held);
}

/// Makes as many keys as the venues can hold at once.
fn memory(keys: usize, report: &mut Report) {
    match (0..keys).map(|_| Key::random()).collect::<Result<Vec<_>, _>>() {
        Ok(_) => report.good(&format!("memory: {keys} keys can be made and locked")),
        Err(error) => report.bad(&format!("memory: {error}")),
    }
    match locked() {
        Ok(how) => report.good(&format!("memory: {how}")),
        Err(how) => report.note(&format!("memory: {how}")),
    }
    match swap_areas().as_slice() {
        [] => report.good("memory: no swap is on"),
        areas => report.bad(&format!(
            "memory: swap is on ({}): raw devices may reach a disk; switch it off",
            areas.join(", ")
        )),
    }
}

/// Whether a restart could go on where the server was.
fn vault(config: &Config, report: &mut Report) {
    let Some(dir) = &config.vault_dir else {
        return report.note(
            "vault: none is configured; a restart begins a new key, and figures of the windows it falls into say `rekeyed`",
        );
    };
    // The server makes the directory itself, in one that is there.
    let there = if dir.exists() { Some(dir.as_path()) } else { dir.parent() };
    match there.map_or(Ok(()), |there| look(there, dir, &swap_areas())) {
        Ok(()) => report.good(&format!("vault: {} is in memory, and nobody else's", dir.display())),
        Err(error) => report.bad(&format!("vault: {error}")),
    }
}

/// Has a running server try the way of an objection out.
async fn objections(config: &Config, report: &mut Report) {
    match ask_server(config, &Request::SelfTest).await {
        Ok(Some(_)) => report.good("objections: one was tried out, kept, withdrawn, and kept no longer"),
        Ok(None) => report.note("objections: no server runs, so that they are kept could not be tried out"),
        Err(why) => report.bad(&format!("objections: {why:#}")),
    }
}

/// Connects and subscribes as the server would, under another id, and listens if asked to.
async fn broker(config: &Config, listen_secs: Option<u64>, report: &mut Report) -> Result<Option<String>> {
    let tally = Tally::default();
    // An embedded broker is the server's while that runs; otherwise it is tried out here.
    let own = own_broker(config).await.ok().flatten();
    let mut options = intake::options(&config.mqtt)?;
    options.client_id.push_str("-check");
    // A session that outlived the check would collect everybody's sightings for nobody.
    options.session_secs = 0;
    let (messages, handle) = link::listen(options, &Topic::FILTERS, tally.clone());
    let connected = async {
        while !tally.broker_is_connected() {
            tokio::time::sleep(BROKER_LOOK).await;
        }
    };
    let address = format!("{}:{}", config.mqtt.host, config.mqtt.port);
    if timeout(BROKER_WAIT, connected).await.is_err() {
        report.bad(&format!(
            "broker: {address} did not accept the server and its subscriptions in {} s; is it running, and may this user read passant/v1/#?",
            BROKER_WAIT.as_secs()
        ));
        handle.shutdown().await;
        return Ok(None);
    }
    report.good(&format!("broker: {address} accepts the server and its subscriptions"));
    report.note(match config.mqtt.embedded {
        Some(_) => "broker: it is embedded in the server, and keeps messages in memory only",
        None => "broker: whether it keeps messages on a disk cannot be asked over MQTT; run it with the configuration that ships in src/broker/mosquitto.conf",
    });
    let strangers = Strangers::default();
    if let Some(secs) = listen_secs {
        let (deliveries, mut received) = tokio::sync::mpsc::channel(LISTEN_MAX);
        let intake = intake::run(messages, Directory::new(config), strangers.clone(), deliveries, tally);
        let forget = async { while received.recv().await.is_some() {} };
        let _ = timeout(Duration::from_secs(secs), async { tokio::join!(intake, forget) }).await;
    }
    handle.shutdown().await;
    drop(own);
    Ok(listen_secs.map(|secs| match strangers.is_empty() {
        true => format!("# nobody who is not configured published in {secs} s"),
        false => strangers.to_toml(),
    }))
}

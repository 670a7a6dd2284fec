//! Simulated sensors for Passant: `run`, `replay`, `load`, and `verify` of what came of them.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use passant_wire::{Id, SIGHTINGS_MAX};
use sensor_sim::heads;
use sensor_sim::http::{self, ApiUrl, Client, Token};
use sensor_sim::load::crowd::Form;
use sensor_sim::load::{self, CONNECTIONS_MAX};
use sensor_sim::mall::{self, Scenario};
use sensor_sim::print;
use sensor_sim::progress::Progress;
use sensor_sim::publisher::BrokerUrl;
use sensor_sim::replay::{self, Speed};
use sensor_sim::verify::{self, Bound};
use tracing_subscriber::EnvFilter;

/// Simulated sensors for Passant.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shoppers walk a mall, and its sensors publish what they hear.
    Run(Run),
    /// Publish recorded captures (time_ms,id,rssi_dbm) as their sensor would have.
    Replay(Replay),
    /// Make a crowd, and account for every sighting of it.
    Load(Load),
    /// Compare what a server published with what was true.
    Verify(Verify),
    /// Count heads as the truth has them, and enter the counts at a server.
    CountHeads(CountHeads),
}

#[derive(Args, Debug)]
struct Run {
    /// What the place is like; those that ship are in scenarios/. Several are several venues at once.
    #[arg(long, value_name = "FILE", required = true)]
    scenario: Vec<PathBuf>,
    /// The broker, mqtt://host:port or mqtt://user:password@host:port.
    #[arg(long, value_name = "URL", required_unless_present = "print_config")]
    mqtt: Option<BrokerUrl>,
    /// How many times as fast as real time, or max: as fast as the broker acknowledges. Past days are at max by default,
    /// a run without an end at 1.
    #[arg(long, value_name = "X|max")]
    speed: Option<Speed>,
    /// Past days, ending now or beginning with --from; 0 runs until it is stopped.
    #[arg(long, default_value_t = 0, value_name = "N")]
    days: u32,
    /// The date to begin with, at 04:00 local time, YYYY-MM-DD.
    #[arg(long, value_name = "DATE", conflicts_with = "live")]
    from: Option<chrono::NaiveDate>,
    /// After the past days go on in real time until stopped.
    #[arg(long, requires = "days")]
    live: bool,
    /// Write what really happened, as JSON lines; `verify` compares it with what a server says.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Chance's seed: the same one makes the same crowd.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the server's configuration of this venue, and do nothing else.
    #[arg(long)]
    print_config: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Replay {
    /// The broker, mqtt://host:port or mqtt://user:password@host:port.
    #[arg(long, value_name = "URL")]
    mqtt: BrokerUrl,
    /// The venue to publish for.
    #[arg(long, value_parser = id)]
    venue: Id,
    /// The sensor to be.
    #[arg(long, value_parser = id)]
    sensor: Id,
    /// How many times as fast as recorded, or max: as fast as the broker acknowledges.
    #[arg(long, value_name = "X|max", default_value = "1")]
    speed: Speed,
    /// Write the compact form instead of JSON.
    #[arg(long)]
    binary: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
    /// Captures in order of time, plain or gzipped.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
struct Load {
    /// The broker, mqtt://host:port or mqtt://user:password@host:port.
    #[arg(long, value_name = "URL")]
    mqtt: BrokerUrl,
    /// Sightings a second, or max: as many as the server takes in.
    #[arg(long, value_name = "N|max", value_parser = rate)]
    rate: Rate,
    /// Seconds to send for.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    secs: u64,
    /// Sightings a message.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=SIGHTINGS_MAX as i64))]
    batch: u16,
    /// The server, http://127.0.0.1:8080: names its sensors, tells what it counted, and holds the load back.
    #[arg(long, value_name = "URL")]
    api: Option<ApiUrl>,
    /// The venue, if the server has several.
    #[arg(long, value_parser = id)]
    venue: Option<Id>,
    /// How many of its sensors; all by default, or s001 to s120 without --api.
    #[arg(long, value_name = "N")]
    sensors: Option<usize>,
    /// The most sightings between here and the server's counters; only with --api.
    #[arg(long, default_value_t = 400_000, value_name = "N")]
    window: u64,
    /// Connections to the broker, which share the sensors.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=CONNECTIONS_MAX as i64))]
    connections: u8,
    /// Devices in the crowd.
    #[arg(long, default_value_t = 600_000, value_parser = clap::value_parser!(u32).range(4096..=50_000_000))]
    devices: u32,
    /// Chance's seed: the same one draws the same devices in the same order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write JSON instead of the compact form.
    #[arg(long)]
    json_payload: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Verify {
    /// The server, http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    api: ApiUrl,
    /// What `run --truth` wrote.
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// Bounds that must be kept, like visits.1h.zones.mae=8 or occupancy.coverage=72..90; without any, those of the
    /// README, for what the server offers.
    #[arg(long, value_name = "NAME=BOUND,...", value_delimiter = ',')]
    must: Vec<Bound>,
    /// A file with an API token, where the server asks for one.
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct CountHeads {
    /// The server, http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    api: ApiUrl,
    /// What `run --truth` wrote.
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// In how many zones heads are counted.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=heads::ZONES_MAX as i64))]
    zones: u8,
    /// How many counts there are of them all.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u8).range(1..=heads::COUNTS_MAX as i64))]
    counts: u8,
    /// By how much a person miscounts, the standard deviation in percent; 0 counts right.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=50))]
    miscount: u8,
    /// Chance's seed: the same one counts in the same zones at the same times.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A file with an API token, where the server asks for one.
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// Print the counts as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rate(Option<u64>);

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("SENSOR_SIM_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let ended = match Cli::parse().command {
        Command::Run(args) => run_mall(args).await,
        Command::Replay(args) => run_replay(args).await,
        Command::Load(args) => run_load(args).await,
        Command::Verify(args) => run_verify(args).await,
        Command::CountHeads(args) => run_count_heads(args).await,
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run_mall(args: Run) -> anyhow::Result<bool> {
    let scenarios = args.scenario.iter().map(|file| Scenario::load(file)).collect::<Result<Vec<_>, _>>()?;
    let Some(url) = args.mqtt.filter(|_| !args.print_config) else {
        let configs: Vec<String> = scenarios.iter().map(Scenario::server_config).collect();
        print::say(configs.join("\n").trim_end());
        return Ok(true);
    };
    let order = mall::run::Order {
        url,
        seed: args.seed,
        from: args.from,
        days: args.days,
        speed: args.speed.unwrap_or(if args.days > 0 { Speed::Max } else { Speed::Times(1.0) }),
        live: args.live,
        truth: args.truth,
    };
    let secs = (args.days > 0).then(|| u64::from(args.days) * 86_400);
    let progress = Progress::new(secs, "simulated seconds");
    let stop = async {
        // Without a way to be interrupted it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let outcome = mall::run::run_all(&scenarios, &order, &progress, stop).await?;
    drop(progress);
    print::say(&if args.json { serde_json::to_string(&outcome)? } else { print::ran(&outcome) });
    Ok(outcome.messages_refused == 0)
}

async fn run_replay(args: Replay) -> anyhow::Result<bool> {
    let order = replay::Order {
        url: args.mqtt,
        venue: args.venue,
        sensor: args.sensor,
        files: args.files,
        speed: args.speed,
        binary: args.binary,
    };
    let progress = Progress::new(None, "rows");
    let outcome = replay::replay(&order, &progress).await?;
    drop(progress);
    let text = if args.json { serde_json::to_string(&outcome)? } else { print::replayed(&outcome) };
    print::say(&text);
    Ok(outcome.messages_refused == 0)
}

async fn run_load(args: Load) -> anyhow::Result<bool> {
    let Rate(rate) = args.rate;
    let order = load::Order {
        url: args.mqtt,
        api: args.api,
        venue: args.venue,
        sensors: args.sensors,
        rate,
        secs: args.secs,
        batch: usize::from(args.batch),
        // Under one message for each connection nothing would ever be sent.
        window: args.window.max(u64::from(args.batch) * u64::from(args.connections)),
        connections: usize::from(args.connections),
        devices: args.devices,
        seed: args.seed,
        form: if args.json_payload { Form::Json } else { Form::Binary },
    };
    let progress = Progress::new(rate.map(|rate| rate.saturating_mul(args.secs)), "sightings");
    let outcome = load::load(&order, &progress).await?;
    drop(progress);
    let text = if args.json { serde_json::to_string(&outcome)? } else { print::loaded(&outcome) };
    print::say(&text);
    Ok(outcome.is_good())
}

async fn run_verify(args: Verify) -> anyhow::Result<bool> {
    let api = client(args.api, args.token.as_deref())?;
    let order = verify::Order { api, truth: args.truth, must: args.must };
    let progress = Progress::new(None, "figures");
    let outcome = verify::verify(&order, &progress).await?;
    drop(progress);
    print::say(&if args.json { serde_json::to_string(&outcome)? } else { print::verified(&outcome) });
    Ok(outcome.broken.is_empty())
}

async fn run_count_heads(args: CountHeads) -> anyhow::Result<bool> {
    let order = heads::Order {
        api: client(args.api, args.token.as_deref())?,
        truth: args.truth,
        zones: usize::from(args.zones),
        counts: usize::from(args.counts),
        miscount: f64::from(args.miscount) / 100.0,
        seed: args.seed,
    };
    let counted = heads::count(&order).await?;
    print::say(&if args.json { serde_json::to_string(&counted)? } else { print::counted(&counted) });
    Ok(true)
}

fn client(url: ApiUrl, token: Option<&Path>) -> Result<Client, http::Error> {
    Ok(Client::new(url, token.map(Token::read).transpose()?))
}

fn id(text: &str) -> Result<Id, &'static str> {
    Id::parse(text).ok_or("an id is 1 to 64 letters, digits, - _ or .")
}

fn rate(text: &str) -> Result<Rate, &'static str> {
    if text == "max" {
        return Ok(Rate(None));
    }
    let rate = text.replace('_', "").parse().ok().filter(|rate| *rate > 0);
    rate.map(|rate| Rate(Some(rate))).ok_or("give a number over 0, or max")
}

#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
fn complain(error: &anyhow::Error) {
    eprintln!("sensor-sim: {error:#}");
}

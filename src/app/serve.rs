//! `passant serve`: the server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use passant_wire::{Id, Topic};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::commands::Clerk;
use super::commands::poster::Notices;
use super::commands::socket::Socket;
use super::guarded::{hold, locked, swap_areas};
use super::listening::{self, Listening, set_up_link};
use super::retention::Retention;
use super::self_test::SelfTest;
use crate::api;
use crate::broker::{self, Access};
use crate::calibration::{Calibration, Count, Kept, Summary};
use crate::clock::Machine;
use crate::config::{ClockKind, Config, Public, Venue};
use crate::desk::{self, Desk};
use crate::intake::{self, Directory, Strangers};
use crate::ledger::{Event, Ledger, Refusal};
use crate::link;
use crate::office::{Accounts, Change, HeadCounts};
use crate::optout::KeyFile;
use crate::outlet::rules;
use crate::pipeline::{self, Corridor, Door, Earlier, Room};
use crate::sighting::{Ack, Arrival, Delivery, HeadCount};
use crate::store::{CalibrationRow, HeadCountRow, Kind, Store};
use crate::telemetry::Tally;

/// Head counts on their way from the office to the corridor, at most.
const CHANGES_MAX: usize = 256;

/// The newest judged moments, by venue.
type Live = BTreeMap<Id, watch::Receiver<Option<Arc<crate::release::Live>>>>;

/// Which installation to serve.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The configuration, TOML; every key is documented in the example that ships with the program
    #[arg(long, default_value = "passant.toml")]
    pub config: PathBuf,
    /// Count again in a venue that was destroyed
    #[arg(long, value_name = "VENUE")]
    pub again: Option<String>,
}

/// Runs the server until it is told to stop.
///
/// # Errors
/// When the configuration, the data directory, the store or the address does not allow it.
pub async fn run(options: &Options) -> Result<()> {
    let config = Config::load(&options.config, std::env::vars())?;
    let _held = hold(&config.data_dir)?;
    let swap = swap_areas();
    if !swap.is_empty() {
        tracing::warn!(
            areas = swap.join(", "),
            "swap is on: raw devices in memory may reach a disk; switch it off"
        );
    }
    match locked() {
        Ok(how) => tracing::info!("{how}"),
        Err(how) => tracing::warn!("{how}"),
    }
    let listener = listening::at(config.http_listen).await.with_context(|| {
        format!("listening on {}: choose a free address in [http] listen", config.http_listen)
    })?;
    if let Some(again) = &options.again {
        count_anew(&config, again, Machine::clock())?;
    }
    let broker = own_broker(&config).await?;
    let link = intake::options(&config.mqtt)?;
    let entrance = api::Entrance::of(config.http_listen, &config.http_door);
    let door = Listening::open(listener, &config.http_door)?;
    let server = Server::start(config, link, api::Access::Accounts(entrance), Machine::clock()).await?;
    set_up_link(&server.state, &door)?;
    let served = server.serve(door, stop_signal()?).await;
    if let Some(broker) = broker {
        broker.shutdown().await;
    }
    served
}

/// The broker that the configuration asks the server to run itself.
pub(super) async fn own_broker(config: &Config) -> Result<Option<broker::Running>> {
    let Some(listen) = config.mqtt.embedded else { return Ok(None) };
    let access = match intake::login(&config.mqtt)? {
        Some((user, password)) => Access::Password { user, password: broker::Password::new(password) },
        None => Access::Anyone,
    };
    let started = broker::start(broker::Options { listen, access }).await;
    let (address, running) = started.context("starting the broker of mqtt.embedded")?;
    tracing::info!(%address, "the embedded broker takes connections");
    Ok(Some(running))
}

/// A server whose parts are at work.
pub(super) struct Server {
    state: api::State,
    ledger: Ledger,
    access: api::Access,
    visitors: Option<(TcpListener, Public)>,
    link: link::Handle,
    intake: tokio::task::JoinHandle<()>,
    /// Office, retention, outlet and socket.
    others: [JoinHandle<()>; 4],
    corridor: pipeline::Running,
}

impl Server {
    /// Opens the ledger and the store, and puts every part to work; those with access may ask.
    pub(super) async fn start(
        config: Config,
        link: link::Options,
        access: api::Access,
        machine: Machine,
    ) -> Result<Self> {
        let ledger = Ledger::open(&config.data_dir)?;
        let started = Self::at_work(config, link, access, ledger.clone(), machine).await;
        if let Err(why) = &started {
            let list = why.downcast_ref::<desk::ListError>().is_some();
            let what = if list { Refusal::List } else { Refusal::Start };
            ledger.append(machine.now(), &Event::Refused { what })?;
        }
        started
    }

    async fn at_work(
        mut config: Config,
        link: link::Options,
        access: api::Access,
        ledger: Ledger,
        machine: Machine,
    ) -> Result<Self> {
        let tally = Tally::default();
        let store = Store::open(&config.data_dir, kind(&config)).await?;
        let socket = Socket::bind(&config.data_dir)?;
        let visitors = visitors(&config.public).await?;
        let vault = super::resumed::vault(&config)?;
        rules(&config.venues)?;
        config.venues.retain(|venue| stands(venue, &ledger));
        let (mut rooms, mut live) = (Vec::new(), BTreeMap::new());
        for venue in &config.venues {
            let earlier = super::resumed::earlier(venue, vault.as_ref(), &store, &ledger, machine).await?;
            rooms.push(room(venue, &store, earlier, told(venue, &mut live)).await?);
        }
        let (key, gate) = desk::open(&store, &KeyFile::new(config.opt_out_key_file.clone())).await?;
        let corridor = Corridor::new(gate, rooms, tally.clone());
        let walks = Arc::new(corridor.walks());
        ledger.append(machine.now(), &Event::Started)?;
        let (door, corridor) = pipeline::start(corridor, store.clone(), ledger.clone(), machine)?;
        enter_kept(&config.venues, &store, &door).await?;
        let venues = Arc::new(config.venues.clone());
        let (changes, entered) = mpsc::channel(CHANGES_MAX);
        let office = tokio::spawn(forward(entered, venues.clone(), store.clone(), door.clone()));
        let (messages, link) = link::listen(link, &Topic::FILTERS, tally.clone());
        tokio::spawn(renew(link.renewal(), corridor.rotations()));
        let directory = Directory::new(&config);
        let strangers = Strangers::default();
        let probes = directory.probes().clone();
        let intake =
            tokio::spawn(intake::run(messages, directory, strangers.clone(), door.deliveries, tally.clone()));
        let accounts = Accounts::open(venues.clone(), store.clone(), ledger.clone()).await?;
        let state = api::State {
            accounts,
            head_counts: HeadCounts::new(venues.clone(), store.clone(), changes),
            desk: Desk::new(key, store.clone(), door.fast.clone()),
            ledger: ledger.clone(),
            retention: config.retention,
            live: Arc::new(live),
            strangers: api::Strangers::told_by(move |venue| strangers.to_toml_of(venue)),
            walks,
            venues,
            store,
            tally,
            clock: machine,
        };
        let outlet = super::outlet::at_work(&state, &config, &link)?;
        let retention = tokio::spawn(retention(&state).run(state.live.clone()));
        let self_test = SelfTest::new(link.voice(), probes, state.desk.clone());
        let notices = Notices { state: state.clone(), public: config.public.clone(), self_test };
        let socket = tokio::spawn(socket.serve(clerk(&state, &config, door.fast, notices)));
        let others = [office, retention, outlet, socket];
        Ok(Self { state, access, visitors, ledger, link, intake, others, corridor })
    }

    /// Serves until it is told to stop, or cannot go on.
    pub(super) async fn serve(self, door: Listening, stop: impl Future<Output = ()>) -> Result<()> {
        let Self { state, access, visitors, ledger, link, mut intake, others, mut corridor } = self;
        let (store, clock) = (state.store.clone(), state.clock);
        let address = door.address()?;
        let venues = state.venues.len();
        let public = visitors.map(|(listener, public)| {
            Listening::Plainly(listener).serve(api::visitors(state.clone(), &public))
        });
        let http = door.serve(api::router(state, access));
        tracing::info!(venues, %address, "serving; the API is described at /api/openapi.json");
        let failure = tokio::select! {
            () = stop => None,
            why = corridor.failure() => Some(why),
            _ = &mut intake => Some("the intake ended".to_owned()),
        };
        // The link goes first: what it has not handed over stays with the broker.
        link.shutdown().await;
        http.abort();
        public.inspect(JoinHandle::abort);
        others.iter().for_each(JoinHandle::abort);
        intake.abort();
        corridor.stop().await;
        store.close().await;
        ledger.append(clock.now(), &Event::Stopped)?;
        match failure {
            Some(why) => bail!("the server cannot go on: {why}"),
            None => {
                tracing::info!(
                    "stopped; closed figures are in the data directory, open windows and keys are gone, but for what is in a vault"
                );
                Ok(())
            }
        }
    }
}

/// With a day's key go the buffers of the broker's client, which hold messages of that day.
async fn renew(link: link::Renewal, mut rotations: watch::Receiver<()>) {
    while rotations.changed().await.is_ok() {
        link.ask();
    }
}

/// The door for visitors' telephones, where the configuration has one.
async fn visitors(public: &Public) -> Result<Option<(TcpListener, Public)>> {
    let Some(address) = public.listen else { return Ok(None) };
    let listener = listening::at(address).await.with_context(|| {
        format!("listening on {address}: choose a free address in [public] listen, or remove it")
    })?;
    tracing::info!(%address, "visitors' pages are served here as well");
    Ok(Some((listener, public.clone())))
}

/// Whether a venue may be counted: one that was destroyed is left out until somebody asks for it again.
fn stands(venue: &Venue, ledger: &Ledger) -> bool {
    let destroyed = ledger.facts(&venue.id).destroyed;
    if let Some(at) = destroyed {
        tracing::warn!(
            venue = %venue.id,
            at = venue.calendar.rfc3339(at),
            "this venue was destroyed and is left out; remove it from the configuration, or count there anew with `passant serve --again`"
        );
    }
    destroyed.is_none()
}

/// Writes down that a destroyed venue is to be counted again.
fn count_anew(config: &Config, again: &str, clock: Machine) -> Result<()> {
    let venue = config.venues.iter().find(|venue| venue.id.as_str() == again);
    let venue = venue.with_context(|| format!("--again {again}: no such venue is configured"))?;
    let ledger = Ledger::open(&config.data_dir)?;
    if ledger.facts(&venue.id).destroyed.is_some() {
        ledger.append(clock.now(), &Event::CountedAnew { venue: venue.id.clone() })?;
    }
    Ok(())
}

/// Whoever answers at the socket.
fn clerk(state: &api::State, config: &Config, fast_lane: mpsc::Sender<Delivery>, notices: Notices) -> Clerk {
    Clerk {
        venues: state.venues.clone(),
        store: state.store.clone(),
        ledger: state.ledger.clone(),
        desk: state.desk.clone(),
        head_counts: state.head_counts.clone(),
        accounts: state.accounts.clone(),
        mqtt: config.mqtt.clone(),
        clock: state.clock,
        vault_dir: config.vault_dir.clone(),
        fast_lane: Some(fast_lane),
        notices: Some(notices),
    }
}

fn retention(state: &api::State) -> Retention {
    Retention {
        venues: state.venues.clone(),
        keep: state.retention,
        store: state.store.clone(),
        ledger: state.ledger.clone(),
        tally: state.tally.clone(),
        clock: state.clock,
        desk: state.desk.clone(),
        accounts: state.accounts.clone(),
    }
}

/// A data directory is a replay's or a real one; the configuration does not mix them.
pub(super) fn kind(config: &Config) -> Kind {
    let replay = config.venues.iter().any(|venue| venue.clock == ClockKind::Sightings);
    if replay { Kind::Replay } else { Kind::Real }
}

/// Where a venue's live figures are told, and where those who listen find them.
fn told(venue: &Venue, live: &mut Live) -> watch::Sender<Option<Arc<crate::release::Live>>> {
    let (sender, receiver) = watch::channel(None);
    live.insert(venue.id.clone(), receiver);
    sender
}

async fn room(
    venue: &Venue,
    store: &Store,
    earlier: Earlier,
    live: watch::Sender<Option<Arc<crate::release::Live>>>,
) -> Result<Room> {
    let thresholds = venue.made_under()?;
    Ok(Room {
        thresholds: store.thresholds_version(&venue.id, &thresholds).await?,
        calibration: kept(venue, store).await?,
        earlier,
        venue: Arc::new(venue.clone()),
        live,
    })
}

/// The newest calibration, with the counts it rests on as far as their v is published.
async fn kept(venue: &Venue, store: &Store) -> Result<Option<Kept>> {
    let Some(row) = store.newest_calibration(&venue.id).await? else { return Ok(None) };
    let mut counts = Vec::new();
    for HeadCountRow { id, count, .. } in store.head_counts(&venue.id).await? {
        if count.to > row.made_at {
            continue;
        }
        let zone = venue.zones.iter().position(|zone| zone.id == count.zone);
        let v = store.root_mean(&venue.id, &count.zone, count.from, count.to).await?;
        if let Some((zone, v)) = zone.zip(v) {
            let count =
                Count { row: id, zone: zone as u16, from: count.from, to: count.to, people: count.people };
            counts.push((count, v));
        }
    }
    Ok(Some(Kept { summary: summary(&row), counts }))
}

fn summary(row: &CalibrationRow) -> Summary {
    Summary {
        calibration: Calibration {
            version: row.version,
            counts: row.counts,
            scale: f64::from(row.scale_milli) / 1000.0,
            power: f64::from(row.power_milli) / 1000.0,
            knee: row.knee_centi.map(|knee| f64::from(knee) / 100.0),
            kappa: f64::from(row.kappa_permille) / 1000.0,
        },
        people_sum: row.people_sum as f64,
        root_sum: row.root_sum_centi as f64 / 100.0,
    }
}

fn head_count(place: usize, venue: &Venue, row: &HeadCountRow) -> Option<HeadCount> {
    let zone = venue.zones.iter().position(|zone| zone.id == row.count.zone)?;
    Some(HeadCount {
        venue: place as u16,
        zone: zone as u16,
        row: row.id,
        from: row.count.from,
        to: row.count.to,
        people: Some(row.count.people),
        root_mean_centi: None,
    })
}

/// Sends in the head counts that are kept and that no calibration rests on yet.
async fn enter_kept(venues: &[Venue], store: &Store, door: &Door) -> Result<()> {
    for (place, venue) in venues.iter().enumerate() {
        let made_at = store.newest_calibration(&venue.id).await?.map(|row| row.made_at);
        for row in store.head_counts(&venue.id).await? {
            // What the kept calibration rests on is in it already.
            if made_at.is_none_or(|made_at| row.count.to > made_at)
                && let Some(count) = head_count(place, venue, &row)
            {
                enter(store, venue, count, door).await?;
            }
        }
    }
    Ok(())
}

/// Hands head counts from the office to the corridor's fast lane.
async fn forward(mut changes: mpsc::Receiver<Change>, venues: Arc<Vec<Venue>>, store: Store, door: Door) {
    while let Some(Change { venue: place, zone, row, from, to, people }) = changes.recv().await {
        let Some(venue) = venues.get(usize::from(place)) else { continue };
        let count = HeadCount { venue: place, zone, row, from, to, people, root_mean_centi: None };
        if let Err(error) = enter(&store, venue, count, &door).await {
            tracing::error!(%error, "a head count could not be handed on; it may act after the next start");
        }
    }
}

/// Sends a head count in, with the v of its window where that is published already.
async fn enter(store: &Store, venue: &Venue, count: HeadCount, door: &Door) -> Result<()> {
    let zone = &venue.zones[usize::from(count.zone)].id;
    let known = match count.people {
        Some(_) => store.root_mean(&venue.id, zone, count.from, count.to).await?,
        None => None,
    };
    let root_mean_centi = known.map(|v| (v * 100.0).round() as u32);
    let arrival = Arrival::HeadCount(HeadCount { root_mean_centi, ..count });
    door.fast.send(Delivery { arrival, ack: Ack::none() }).await.ok().context("the corridor has ended")
}

/// Comes when the program is asked to stop.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_start_that_is_refused_is_a_line_of_the_ledger() {
        let temp = tempfile::tempdir().unwrap();
        let key = temp.path().join("key/key");
        let text = crate::config::EXAMPLE
            .replace("/var/lib/passant\"", &format!("{}\"", temp.path().join("data").display()))
            .replace("/var/lib/passant-opt-out/key", &key.display().to_string());
        let config = Config::parse(&text, std::iter::empty()).unwrap();
        let _held = hold(&config.data_dir).unwrap();
        let store = Store::open(&config.data_dir, Kind::Real).await.unwrap();
        desk::open(&store, &KeyFile::new(key.clone())).await.unwrap();
        store.close().await;
        // A list whose key is lost stops the counting.
        std::fs::remove_file(key).unwrap();
        let link = || intake::options(&config.mqtt).unwrap();
        assert!(
            Server::start(config.clone(), link(), api::Access::ThisMachine, Machine::clock()).await.is_err()
        );
        let ledger = std::fs::read_to_string(config.data_dir.join("ledger.jsonl")).unwrap();
        assert!(
            ledger.contains("\"event\":\"refused\",\"what\":\"list\"") && !ledger.contains("started"),
            "{ledger}"
        );
    }
}

//! Commands that change something. They go to the running server over a socket in the data directory; with no server they
//! take the directory's lock and do the same work themselves.

pub mod destroy;
pub mod head_count;
pub mod optout;
pub mod poster;
pub mod sensor;
pub(super) mod socket;
pub(super) mod staff;
pub mod token;
pub mod user;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use passant_wire::Id;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::guarded::hold;
use super::resumed::objections;
use super::serve::kind;
use crate::clock::{EpochMs, Machine};
use crate::config::{Config, Mqtt, Venue};
use crate::desk::{self, Desk, Strength};
use crate::ledger::{Event, Ledger, Refusal};
use crate::office::{Accounts, Asked, Change, HeadCounts};
use crate::optout::KeyFile;
use crate::sighting::Delivery;
use crate::store::{HeadCountRow, Store};

/// Head counts told to nobody while no server runs, at most; the next start reads them from the store.
const CHANGES_MAX: usize = 16;

/// What is asked for. It has no `Debug`: an address or a receipt may be in it.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    OptOutAdd {
        device: String,
    },
    OptOutWithdraw {
        receipt: String,
    },
    OptOutCount,
    OptOutMerge {
        from: PathBuf,
    },
    HeadCountAdd {
        venue: String,
        zone: String,
        from_ms: i64,
        to_ms: i64,
        people: u32,
    },
    HeadCountList {
        venue: String,
    },
    HeadCountRemove {
        venue: String,
        number: i64,
    },
    /// Something about accounts or API tokens.
    Staff(staff::Request),
    Destroy {
        venue: String,
    },
    /// Whether the way of an objection works.
    SelfTest,
    Poster {
        venue: String,
        lang: String,
    },
    /// Something else was refused, and the ledger should know.
    Refused {
        what: Refused,
    },
}

/// What a command refused.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refused {
    Broker,
    Poster,
}

impl From<Refused> for Refusal {
    fn from(what: Refused) -> Self {
        match what {
            Refused::Broker => Self::Broker,
            Refused::Poster => Self::Poster,
        }
    }
}

/// What became of it.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Done(Value),
    Failed(String),
}

/// Whoever carries requests out. Clones work on the same things.
#[derive(Clone)]
pub(super) struct Clerk {
    pub(super) venues: Arc<Vec<Venue>>,
    pub(super) store: Store,
    pub(super) ledger: Ledger,
    pub(super) desk: Desk,
    pub(super) head_counts: HeadCounts,
    pub(super) accounts: Accounts,
    pub(super) mqtt: Mqtt,
    pub(super) clock: Machine,
    /// The vault's directory, where one is configured.
    pub(super) vault_dir: Option<PathBuf>,
    /// The corridor's fast lane, where a server runs.
    pub(super) fast_lane: Option<mpsc::Sender<Delivery>>,
    /// What tries the way of an objection out and prints notices, where a server runs.
    pub(super) notices: Option<poster::Notices>,
}

impl Clerk {
    async fn answer(&self, request: Request) -> Answer {
        match self.carry_out(request).await {
            Ok(value) => Answer::Done(value),
            Err(error) => Answer::Failed(format!("{error:#}")),
        }
    }

    async fn carry_out(&self, request: Request) -> Result<Value> {
        match request {
            Request::OptOutAdd { device } => {
                let receipt = self.desk.object(&device).await?;
                let long = receipt.strength == Strength::Long;
                Ok(json!({ "receipt": receipt.code, "bits": if long { 28 } else { 20 } }))
            }
            Request::OptOutWithdraw { receipt } => {
                ensure!(
                    self.desk.withdraw(&receipt).await?,
                    "withdrawing: there is no objection of this receipt"
                );
                Ok(json!({ "withdrawn": true }))
            }
            Request::OptOutCount => {
                let counted = self.desk.counted().await?;
                Ok(json!({
                    "rows_about": counted.rows_about,
                    "decoys_min": counted.decoys_min,
                    "decoys_max": counted.decoys_max,
                }))
            }
            Request::OptOutMerge { from } => Ok(json!({ "merged": self.desk.merge(&from).await? })),
            Request::HeadCountAdd { venue, zone, from_ms, to_ms, people } => {
                let asked = Asked { zone: &zone, from: EpochMs(from_ms), to: EpochMs(to_ms), people };
                let row = self.head_counts.add(&venue, asked, self.clock.now()).await?;
                Ok(self.head_count(&venue, &row))
            }
            Request::HeadCountList { venue } => {
                let rows = self.head_counts.list(&venue).await?;
                Ok(rows.iter().map(|row| self.head_count(&venue, row)).collect())
            }
            Request::HeadCountRemove { venue, number } => {
                let row = self.head_counts.remove(&venue, number).await?;
                Ok(self.head_count(&venue, &row))
            }
            Request::Staff(request) => staff::carry_out(&self.accounts, request, self.clock.now()).await,
            Request::Destroy { venue } => {
                let venue = Id::parse(&venue).context("destroying: that is no id of a venue")?;
                Ok(serde_json::to_value(destroy::destroy(self, &venue).await?)?)
            }
            Request::SelfTest => Ok(json!({ "venues": self.notices()?.try_out_all().await? })),
            Request::Poster { venue, lang } => {
                Ok(serde_json::to_value(self.notices()?.print(&venue, &lang).await?)?)
            }
            Request::Refused { what } => {
                self.write_down(Event::Refused { what: what.into() }).await?;
                Ok(json!({}))
            }
        }
    }

    fn notices(&self) -> Result<&poster::Notices> {
        self.notices.as_ref().context("no server runs here")
    }

    async fn write_down(&self, event: Event) -> Result<crate::ledger::Head> {
        let (ledger, at) = (self.ledger.clone(), self.clock.now());
        Ok(tokio::task::spawn_blocking(move || ledger.append(at, &event)).await??)
    }

    fn head_count(&self, venue: &str, row: &HeadCountRow) -> Value {
        let calendar =
            self.venues.iter().find(|known| known.id.as_str() == venue).map(|known| known.calendar);
        let time = |at| calendar.map(|calendar| calendar.rfc3339(at));
        json!({
            "id": row.id,
            "zone": row.count.zone.as_str(),
            "from": time(row.count.from),
            "to": time(row.count.to),
            "people": row.count.people,
        })
    }
}

/// Has a request carried out: by the server, if one runs, or here.
pub(super) async fn ask(config: &Path, request: Request) -> Result<Value> {
    let config = Config::load(config, std::env::vars())?;
    ask_of(&config, request).await
}

pub(super) async fn ask_of(config: &Config, request: Request) -> Result<Value> {
    let answer = match socket::ask(&config.data_dir, &request).await? {
        Some(answer) => answer,
        None => {
            let _held = hold(&config.data_dir)?;
            let clerk = alone(config).await?;
            let answer = clerk.answer(request).await;
            clerk.store.close().await;
            answer
        }
    };
    read(answer)
}

/// Has a request carried out by the server; `None` where none runs.
pub(super) async fn ask_server(config: &Config, request: &Request) -> Result<Option<Value>> {
    socket::ask(&config.data_dir, request).await?.map(read).transpose()
}

fn read(answer: Answer) -> Result<Value> {
    match answer {
        Answer::Done(value) => Ok(value),
        Answer::Failed(why) => bail!("{why}"),
    }
}

/// Has a refusal written down, by the server, if one runs, or here.
///
/// # Errors
/// When the ledger cannot be written.
pub(super) async fn write_down_refusal(config: &Config, what: Refused) -> Result<()> {
    if ask_server(config, &Request::Refused { what }).await?.is_none() {
        let _held = hold(&config.data_dir)?;
        let ledger = Ledger::open(&config.data_dir)?;
        ledger.append(Machine::clock().now(), &Event::Refused { what: what.into() })?;
    }
    Ok(())
}

/// A clerk while no server runs; whoever calls holds the directory.
async fn alone(config: &Config) -> Result<Clerk> {
    let ledger = Ledger::open(&config.data_dir)?;
    let store = Store::open(&config.data_dir, kind(config)).await?;
    let (key, gate) = desk::open(&store, &KeyFile::new(config.opt_out_key_file.clone())).await?;
    let venues = Arc::new(config.venues.clone());
    let (changes, mut nobody) = mpsc::channel::<Change>(CHANGES_MAX);
    tokio::spawn(async move { while nobody.recv().await.is_some() {} });
    let clock = Machine::clock();
    let desk = match objections(config, gate, &store, &ledger, clock).await? {
        Some(lane) => Desk::new(key, store.clone(), lane),
        None => Desk::without_server(key, store.clone()),
    };
    Ok(Clerk {
        head_counts: HeadCounts::new(venues.clone(), store.clone(), changes),
        accounts: Accounts::open(venues.clone(), store.clone(), ledger.clone()).await?,
        desk,
        venues,
        store,
        ledger,
        mqtt: config.mqtt.clone(),
        clock,
        vault_dir: config.vault_dir.clone(),
        fast_lane: None,
        notices: None,
    })
}

/// Reads one line from standard input: what must not stand in a list of processes.
fn line_of_input(what: &str) -> Result<String> {
    use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
    /// The longest line that is read, bytes.
    const LINE_BYTES_MAX: u64 = 1_024;
    let input = std::io::stdin();
    if input.is_terminal() {
        let mut asking = std::io::stderr().lock();
        let _ = write!(asking, "{what}: ");
        let _ = asking.flush();
    }
    let mut line = String::new();
    input.lock().take(LINE_BYTES_MAX).read_line(&mut line).context("reading standard input")?;
    ensure!(!line.trim().is_empty(), "{what} is expected on standard input");
    Ok(line.trim().to_owned())
}

/// The same for a password: where somebody types it, it is not shown.
fn secret_of_input(what: &str) -> Result<String> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let input = std::io::stdin();
    // What is no terminal shows nothing.
    let Ok(shown) = tcgetattr(&input) else { return line_of_input(what) };
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Flush, &hidden).context("hiding what is typed")?;
    let line = line_of_input(what);
    tcsetattr(&input, OptionalActions::Flush, &shown).context("showing again what is typed")?;
    line
}

#[cfg(test)]
mod tests;

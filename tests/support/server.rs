//! A real `passant serve` as a process of its own, gone when it is dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use passant::optout::KeyFile;
use passant::store::{Kind, Store};
use serde_json::Value;

#[path = "question.rs"]
pub(crate) mod question;

/// Looks, 20 ms apart, until something is so; together three minutes, for half a year is replayed in one.
const LOOKS_MAX: u32 = 9_000;

pub(crate) struct Server {
    directory: tempfile::TempDir,
    http: u16,
    process: Child,
}

impl Server {
    /// Starts a server with the venues of a configuration, a broker's port, and every log line of every crate.
    pub(crate) fn start(venues: &str, k: u32, broker: u16) -> Self {
        Self::start_with(venues, k, &format!("url = \"mqtt://127.0.0.1:{broker}\""))
    }

    /// The same, with a line that says where the broker is.
    pub(crate) fn start_with(venues: &str, k: u32, broker: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let http = super::mosquitto::free_port();
        let text = format!(
            "data_dir = {:?}\n[mqtt]\n{broker}\n[http]\nlisten = \"127.0.0.1:{http}\"\n[privacy]\nk = {k}\n{venues}",
            directory.path().join("data")
        );
        std::fs::write(directory.path().join("passant.toml"), text).expect("the configuration is written");
        let kind = if venues.contains("\"sightings\"") { Kind::Replay } else { Kind::Real };
        begin_without_decoys(&directory.path().join("data"), kind);
        let process = spawn(directory.path());
        let server = Self { directory, http, process };
        server.until_ready();
        server
    }

    /// Starts it again after a stop, with what it has kept.
    pub(crate) fn start_again(&mut self) {
        self.process = spawn(self.directory.path());
        self.until_ready();
    }

    /// Asks for a page: its status and its text.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", self.http))
    }

    /// Sends JSON.
    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, String) {
        let (port, len) = (self.http, body.len());
        self.ask(&format!(
            "POST {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len}\r\n\r\n{body}"
        ))
    }

    /// A page's JSON.
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, text) = self.get(path);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The sum of a counter over the series whose labels contain a text.
    pub(crate) fn counter(&self, name: &str, label: &str) -> u64 {
        let text = self.get("/metrics").1;
        let of_name = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        of_name.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, so: impl Fn(&Self) -> bool) {
        for _ in 0..LOOKS_MAX {
            if so(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it did not come about that {what}; the server's log ends:\n{}", self.log_end());
    }

    /// Where the API is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// Everything the server writes, its log among it.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Tells it to stop and waits until it has.
    pub(crate) fn stop(&mut self) {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status().expect("kill runs");
        assert!(asked.success());
        assert!(self.process.wait().expect("it ends").success(), "{}", self.log_end());
    }

    fn until_ready(&self) {
        self.until("the server is ready", |server| server.get("/readyz").0 == 200);
    }

    fn ask(&self, question: &str) -> (u16, String) {
        let (status, _, body) = question::ask(self.http, question);
        (status, body)
    }

    fn log_end(&self) -> String {
        let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        let from = log.len().saturating_sub(2_000);
        log.get(from..).unwrap_or_default().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(directory: &Path) -> Child {
    let file = |name| std::fs::File::create(directory.join(name)).expect("a file");
    let (said, log) = (file("said"), file("log"));
    Command::new(PathBuf::from(env!("CARGO_BIN_EXE_passant")))
        .args(["serve", "--config"])
        .arg(directory.join("passant.toml"))
        .env("PASSANT_LOG", "trace")
        .stdout(said)
        .stderr(log)
        .spawn()
        .expect("the server starts")
}

/// Begins the list of objections as no server does: without decoys, which would drop one device in a hundred by chance
/// where a test counts every one.
fn begin_without_decoys(data: &Path, kind: Kind) {
    let file = KeyFile::new(data.join("opt-out-key/key"));
    let key = file.draft().expect("a key");
    file.settle().expect("the key is in its place");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(data, kind).await.expect("a store");
        store.begin_objections(&key.check_value(), &[]).await.expect("a list");
        store.close().await;
    });
}

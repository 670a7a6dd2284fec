//! A real `passant demo` as a process of its own, gone when it is dropped.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

#[path = "question.rs"]
mod question;

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// Looks until something is so; together five minutes. A machine that builds beside it is slow.
const LOOKS_MAX: u32 = 1_500;
/// Looks until it has stopped, as it promises: five seconds.
const STOP_LOOKS_MAX: u32 = 25;

/// Where a demo listens.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) ip: Ipv4Addr,
    pub(crate) http: u16,
    pub(crate) mqtt: u16,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) struct Demo {
    ports: Ports,
    process: Child,
    directory: PathBuf,
    /// Headers of every question.
    pub(crate) shown: String,
}

impl Ports {
    /// Free ones, on an address of this machine.
    pub(crate) fn free(ip: Ipv4Addr) -> Self {
        let free = || {
            let listener = std::net::TcpListener::bind((ip, 0)).expect("a socket");
            listener.local_addr().expect("an address").port()
        };
        Self { ip, http: free(), mqtt: free() }
    }
}

/// How a demo is started that keeps its data and its words, with every line of its log, below a directory.
pub(crate) fn command(directory: &Path, ports: Ports, days: u32) -> Command {
    let words = |name| std::fs::File::options().create(true).append(true).open(directory.join(name));
    let mut command = Command::new(env!("CARGO_BIN_EXE_passant"));
    command
        .arg("demo")
        .args(["--http", &format!("{}:{}", ports.ip, ports.http)])
        .args(["--mqtt", &format!("{}:{}", ports.ip, ports.mqtt)])
        .args(["--days", &days.to_string()])
        .arg("--data")
        .arg(directory.join("data"))
        .env("PASSANT_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(words("said").expect("a file"))
        .stderr(words("log").expect("a file"));
    command
}

impl Demo {
    /// Starts one and waits until it answers.
    pub(crate) fn start(directory: &Path, ports: Ports, days: u32) -> Self {
        let process = command(directory, ports, days).spawn().expect("the demo starts");
        let mut demo = Self { ports, process, directory: directory.to_owned(), shown: String::new() };
        demo.until("it is ready", |demo| demo.ask("GET", "/readyz").status == 200);
        demo
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Answer {
        let (port, shown) = (self.ports.http, &self.shown);
        let question = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{shown}\r\n");
        let (status, head, body) = question::ask(port, &question);
        Answer { status, head, body }
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.ask("GET", path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.directory.join("said")).expect("its words")
    }

    /// Waits until something is so.
    pub(crate) fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        for _ in 0..LOOKS_MAX {
            if so(self) {
                return;
            }
            let ended = self.process.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "it ended before {what}: {}", self.said());
            std::thread::sleep(LOOK);
        }
        panic!("it did not come about that {what}; it said:\n{}", self.said());
    }

    /// Interrupts it as Ctrl-C does, and waits as long as it may take.
    pub(crate) fn interrupt(mut self) -> ExitStatus {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
        for _ in 0..STOP_LOOKS_MAX {
            if let Some(ended) = self.process.try_wait().expect("it can be asked") {
                return ended;
            }
            std::thread::sleep(LOOK);
        }
        panic!("it has not stopped within five seconds; it said:\n{}", self.said());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

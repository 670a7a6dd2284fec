//! Nobody else on the machine gets at the memory of a running program: not by reading it, and not by crashing it.
//!
//! Root can read whatever it likes, so the program and the reader are both another user here, the same one, where the test
//! is run by root; and whoever runs it, otherwise.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[path = "support/question.rs"]
mod question;

/// Nobody, on every system that has one.
const NOBODY: u32 = 65_534;
/// The number of the signal that makes a program crash.
const ABORT: i32 = 6;
/// Looks, 20 ms apart, until something is so; together a minute.
const LOOKS_MAX: u32 = 3_000;

/// A program of somebody without rights, gone when it is dropped.
struct Somebodys(Child);

/// A place where the program lies and may write.
struct Place {
    directory: tempfile::TempDir,
    http: u16,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        // The folder that it was built in may be closed to others.
        std::fs::copy(env!("CARGO_BIN_EXE_passant"), directory.path().join("passant")).expect("it is there");
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let http = listener.local_addr().expect("its number").port();
        let text = format!(
            "data_dir = {:?}\n[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\n[http]\nlisten = \"127.0.0.1:{http}\"\n[[venue]]\nid = \"mall\"\n\
             timezone = \"Europe/Paris\"\n[[venue.zone]]\nid = \"hall\"\n[[venue.sensor]]\nid = \"s1\"\nzone = \"hall\"\n",
            directory.path().join("data")
        );
        std::fs::write(directory.path().join("passant.toml"), text).expect("the configuration is written");
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("it may be entered");
        if is_root() {
            chown(directory.path(), Some(NOBODY), Some(NOBODY)).expect("it is given away");
        }
        Self { directory, http }
    }

    /// A shell's line, run by somebody without rights where an image of memory would be as large as it likes.
    fn runs(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -S -c $(ulimit -H -c); {line}")]);
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn serves(&self) -> Somebodys {
        let server =
            Somebodys(self.runs("exec ./passant serve --config passant.toml").spawn().expect("it starts"));
        let question = format!("GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", self.http);
        until("the server answers", || question::ask(self.http, &question).0 == 200);
        server
    }

    /// Whether another program of the same user can read a file of a process.
    fn is_open(&self, of: &Somebodys, file: &str) -> bool {
        let path = format!("/proc/{}/{file}", of.0.id());
        self.runs(&format!("exec dd if={path} bs=1 count=0")).status().expect("it ends").success()
    }
}

impl Somebodys {
    /// A line of `/proc/…/limits` or `/proc/…/status`, which everybody may read.
    fn says(&self, file: &str, name: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("such a line");
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Crashes it; whether the system says that it wrote an image of its memory.
    fn leaves_an_image(mut self) -> bool {
        let crash = format!("kill -{ABORT} {}", self.0.id());
        assert!(Command::new("sh").args(["-c", &crash]).status().expect("it ends").success());
        let ended = self.0.wait().expect("it ends");
        assert_eq!(ended.signal(), Some(ABORT));
        ended.core_dumped()
    }
}

impl Drop for Somebodys {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it did not come about that {what}");
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory reads");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn nobody_reads_the_memory_of_a_running_server() {
    let place = Place::new();
    let server = place.serves();
    // What the kernel asks before it lets anybody read is what it asks before it lets a debugger in.
    for file in ["mem", "maps", "environ", "auxv"] {
        assert!(!place.is_open(&server, file), "{file}");
    }
    assert!(server.says("status", "VmLck:") != "0 kB", "keys are locked in memory");
    // The same user's other programs are open to the same reader: it is the program that closes itself.
    let other = Somebodys(place.runs("exec sleep 60").spawn().expect("it starts"));
    until("the other runs", || place.is_open(&other, "maps"));
    assert!(place.is_open(&other, "environ"));
}

#[test]
fn a_crash_leaves_no_image_of_memory() {
    let place = Place::new();
    let server = place.serves();
    assert_eq!(server.says("limits", "Max core file size"), "0 0 bytes");
    assert!(!server.leaves_an_image());
    let left = names(place.directory.path());
    assert!(left.iter().all(|name| !name.contains("core")), "{left:?}");
}

#[test]
fn a_command_that_reads_an_address_closes_itself_first() {
    let place = Place::new();
    let mut desk = place.runs("exec ./passant optout add --config passant.toml");
    let desk = Somebodys(desk.stdin(Stdio::piped()).spawn().expect("it starts"));
    until("it waits for an address", || desk.says("limits", "Max core file size") == "0 0 bytes");
    for file in ["mem", "maps", "environ"] {
        assert!(!place.is_open(&desk, file), "{file}");
    }
}

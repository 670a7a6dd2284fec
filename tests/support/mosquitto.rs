//! A real Mosquitto on a free loopback port, from the configuration that ships, gone when it is dropped.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The configuration that ships.
const CONF: &str = include_str!("../../src/broker/mosquitto.conf");

/// Tries, 10 ms apart, until the broker listens.
const TRIES_MAX: u32 = 1_000;

pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    directory: tempfile::TempDir,
    process: Child,
}

impl Mosquitto {
    /// Starts one from the shipped configuration.
    pub(crate) fn start() -> Self {
        Self::start_with(|conf, _| conf)
    }

    /// Starts one from the shipped configuration with some change to it; the change is handed a directory for files.
    pub(crate) fn start_with(change: impl FnOnce(String, &Path) -> String) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let listener = "listener 1883 127.0.0.1";
        assert!(CONF.contains(listener));
        let conf = change(CONF.replace(listener, &format!("listener {port} 127.0.0.1")), directory.path());
        // Started by root it would become a user who cannot read the test's files, nor write what it must not write.
        std::fs::write(directory.path().join("mosquitto.conf"), conf + "\nuser root\n")
            .expect("the broker's configuration is written");
        let process = spawn(directory.path(), port);
        Self { port, directory, process }
    }

    /// Starts one with a list of rights and some users instead of an open door. The password of each is `secret`, and lies in
    /// the file `password` of its directory.
    pub(crate) fn with_access_list(acl: &str, users: &[&str]) -> Self {
        Self::start_with(|conf, directory| {
            let here = directory.display();
            std::fs::write(directory.join("acl"), acl).expect("a list of rights");
            std::fs::write(directory.join("passwords"), "").expect("a file of passwords");
            std::fs::write(directory.join("password"), "secret\n").expect("a password");
            for user in users {
                let args = ["-b", "passwords", user, "secret"];
                let made = Command::new("mosquitto_passwd").args(args).current_dir(directory).status();
                assert!(made.expect("it runs").success());
            }
            let doors = format!("allow_anonymous false\npassword_file {here}/passwords\nacl_file {here}/acl");
            conf.replacen("allow_anonymous true", &doors, 1)
        })
    }

    /// Kills it without a farewell.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("the broker can be killed");
        self.process.wait().expect("the broker ends");
    }

    /// Starts it again on the same port after a kill.
    pub(crate) fn start_again(&mut self) {
        self.process = spawn(self.directory.path(), self.port);
    }

    /// Publishes with QoS 1 through the loopback listener, and returns when the broker has acknowledged. `more` are
    /// further arguments for `mosquitto_pub`.
    pub(crate) fn publish(&self, topic: &str, payload: &[u8], more: &[&str]) {
        let port = self.port.to_string();
        let args = ["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-s"];
        assert!(publish(args.iter().chain(more), payload), "publishing on {topic}");
    }

    /// What stands in the broker's directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `mosquitto_pub` with the payload on its standard input; false when it reports a failure.
pub(crate) fn publish<'a>(args: impl Iterator<Item = &'a &'a str>, payload: &[u8]) -> bool {
    let mut publisher = Command::new("mosquitto_pub")
        .args(args)
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts; is it installed?");
    publisher.stdin.take().expect("it has an input").write_all(payload).expect("it reads its input");
    publisher.wait().expect("it ends").success()
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("its number").port()
}

fn spawn(directory: &Path, port: u16) -> Child {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut process = Command::new("mosquitto")
        .args(["-c", "mosquitto.conf"])
        .current_dir(directory)
        // Some systems keep servers off a user's path.
        .env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"))
        .stdin(Stdio::null())
        .spawn()
        .expect("its state can be asked");
    for _ in 0..TRIES_MAX {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return process;
        }
        assert!(
            process.try_wait().expect("its state can be asked").is_none(),
            "mosquitto refused its configuration"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = process.kill();
    panic!("mosquitto does not listen");
}

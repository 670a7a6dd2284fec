//! Accounts at a real server: the link that its start prints, a sign-in, commands with and without it, and what is left of
//! all that in its files.

#[path = "support/server.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod server;
#[path = "support/venue.rs"]
mod venue;

/// A port that nobody listens at just now; `server` asks for it under this name.
mod mosquitto {
    pub(crate) fn free_port() -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    }
}

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use server::{Server, question};
use venue::venue;

const PASSWORD: &str = "correct horse battery";

/// Runs a command beside the server; what it reads comes on its input.
fn passant(server: &Server, args: &[&str], input: &str) -> Output {
    let config = server.directory().join("passant.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_passant"));
    command.args(args).arg("--config").arg(config);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("an input").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Whether any file of the server's directory holds a word.
fn stands(dir: &Path, word: &str) -> bool {
    std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path()).any(|path| {
        // What it said was for whoever started it.
        if path.ends_with("said") {
            return false;
        }
        if path.is_dir() {
            return stands(&path, word);
        }
        // A socket is no file to read.
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(word.len()).any(|part| part == word.as_bytes())
    })
}

/// The link that the server printed when it started.
fn set_up_link(server: &Server) -> Option<String> {
    let said = std::fs::read_to_string(server.directory().join("said")).expect("what it has said");
    said.lines().find(|line| line.contains("/setup/")).map(|line| line.trim().to_owned())
}

/// Asks a server with one more line in the head.
fn get_as(server: &Server, path: &str, line: &str) -> (u16, String, String) {
    let port = port(server);
    question::ask(port, &format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{line}\r\n\r\n"))
}

fn send_form(server: &Server, path: &str, form: &str) -> (u16, String, String) {
    let (port, len) = (port(server), form.len());
    question::ask(
        port,
        &format!(
            "POST {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len}\r\n\r\n{form}"
        ),
    )
}

fn port(server: &Server) -> u16 {
    server.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

fn secret_of(link: &str) -> String {
    link.trim().rsplit('/').next().expect("a secret").to_owned()
}

#[test]
fn the_first_start_prints_a_link_that_makes_one_account_and_no_file_holds_it() {
    let broker = format!("embedded = \"127.0.0.1:{}\"", mosquitto::free_port());
    let mut server = Server::start_with(venue!("mall"), 5, &broker);
    let link = set_up_link(&server).expect("there is no account yet");
    assert!(link.contains(&format!("{}/setup/", server.url())), "{link}");
    let secret = secret_of(&link);
    assert_eq!(server.get("/api/v1/venues").0, 200, "on this machine nobody need sign in yet");

    let form = format!("name=anna&password={}", PASSWORD.replace(' ', "+"));
    let place = format!("/setup/{secret}");
    assert_eq!(server.get(&place).0, 200);
    let (status, head, _) = send_form(&server, &place, &form);
    assert_eq!(status, 303, "{head}");
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    let session = cookie.split(';').next().expect("a value").to_owned();
    assert_eq!(send_form(&server, &place, &form).0, 403, "the link works once");
    assert_eq!(server.get("/api/v1/venues").0, 401);
    let known = |server: &Server| get_as(server, "/api/v1/venues", &format!("Cookie: {session}")).0;
    assert_eq!(known(&server), 200);

    // Commands go to the running server, and without one to its directory.
    said(&passant(
        &server,
        &["user", "add", "bert", "--role", "viewer", "--venue", "mall"],
        "correct horse battery\n",
    ));
    let short = passant(&server, &["user", "add", "carl", "--role", "viewer"], "short\n");
    assert!(String::from_utf8_lossy(&short.stderr).contains("at least 12 characters"));
    let token = said(&passant(&server, &["token", "add", "Grafana", "--role", "viewer"], ""));
    let bearer = format!("Authorization: Bearer {}", token.trim());
    assert_eq!(get_as(&server, "/api/v1/venues", &bearer).0, 200);
    let listed = said(&passant(&server, &["token", "list"], ""));
    assert!(listed.contains("Grafana  viewer in every venue") && !listed.contains(token.trim()), "{listed}");
    let last = passant(&server, &["user", "remove", "anna"], "");
    assert!(String::from_utf8_lossy(&last.stderr).contains("make another one first"));

    // Each start begins a log of its own.
    assert!(!stands(server.directory(), &secret), "the log holds the link");
    server.stop();
    let listed = said(&passant(&server, &["user", "list"], ""));
    assert_eq!(listed, "anna  admin in every venue\nbert  viewer in mall\n");
    said(&passant(&server, &["token", "remove", "1"], ""));
    said(&passant(&server, &["user", "remove", "bert"], ""));
    server.start_again();
    assert!(set_up_link(&server).is_none(), "there is an account");
    assert_eq!(known(&server), 200, "a session outlives a restart");
    assert_eq!(get_as(&server, "/api/v1/venues", &bearer).0, 401, "the token is revoked");

    assert!(stands(server.directory(), "anna"), "the search finds what is kept");
    let session = session.rsplit('=').next().expect("a value").to_owned();
    for word in [&secret, &session, token.trim(), PASSWORD, "correct+horse"] {
        assert!(!stands(server.directory(), word), "a file, or the log, holds a secret");
    }
}

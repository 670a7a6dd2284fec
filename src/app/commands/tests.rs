use std::os::unix::fs::MetadataExt as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;
use crate::ledger;

/// Lines of the ledger about accounts and tokens, of every command together.
const STAFF_LINES: u64 = 3;
const ADDRESS: &str = "A4:C1:38:11:22:33";

/// The example, in a directory of the test's own; nobody listens at its broker.
fn config(dir: &Path) -> Config {
    let text = crate::config::EXAMPLE
        .replace("/var/lib/passant\"", &format!("{}\"", dir.join("data").display()))
        .replace("/var/lib/passant-opt-out/key", &dir.join("key/key").display().to_string())
        .replace("127.0.0.1:1883", "127.0.0.1:1");
    Config::parse(&text, std::iter::empty()).unwrap()
}

fn count() -> Request {
    Request::HeadCountAdd {
        venue: "mall".to_owned(),
        zone: "food-court".to_owned(),
        from_ms: 1_764_018_000_000,
        to_ms: 1_764_018_300_000,
        people: 17,
    }
}

async fn every_command(config: &Config) {
    let receipt = ask_of(config, Request::OptOutAdd { device: ADDRESS.to_owned() }).await.unwrap();
    assert_eq!(receipt["bits"], 20);
    let counted = ask_of(config, Request::OptOutCount).await.unwrap();
    assert_eq!(counted["rows_about"].as_u64().unwrap() % 1_000, 0);
    let receipt = receipt["receipt"].as_str().unwrap().to_owned();
    let withdraw = || Request::OptOutWithdraw { receipt: receipt.clone() };
    assert_eq!(ask_of(config, withdraw()).await.unwrap()["withdrawn"], true);
    let again = ask_of(config, withdraw()).await.unwrap_err().to_string();
    assert!(again.contains("no objection of this receipt") && !again.contains(&receipt), "{again}");
    let wrong = ask_of(config, Request::OptOutAdd { device: "A4:C1:38:11:22:3x".to_owned() }).await;
    assert!(!wrong.unwrap_err().to_string().contains("A4:C1"), "an address is never repeated");

    every_command_about_the_staff(config).await;
    let row = ask_of(config, count()).await.unwrap();
    assert_eq!((&row["zone"], &row["people"]), (&json!("food-court"), &json!(17)));
    assert_eq!(row["from"], "2025-11-24T22:00:00+01:00");
    let list = || Request::HeadCountList { venue: "mall".to_owned() };
    assert_eq!(ask_of(config, list()).await.unwrap().as_array().unwrap().len(), 1);
    assert!(ask_of(config, count()).await.unwrap_err().to_string().contains("overlaps"));
    let number = row["id"].as_i64().unwrap();
    ask_of(config, Request::HeadCountRemove { venue: "mall".to_owned(), number }).await.unwrap();
    assert_eq!(ask_of(config, list()).await.unwrap(), json!([]));
}

async fn every_command_about_the_staff(config: &Config) {
    let staff = async |request: Value| {
        let request = serde_json::from_value(request).expect("it reads");
        ask_of(config, Request::Staff(request)).await
    };
    let grants = json!({ "role": "admin" });
    let add =
        json!({ "staff": "user_add", "name": "Anna", "password": "correct horse battery", "grants": grants });
    let anna = staff(add.clone()).await.unwrap();
    assert_eq!((&anna["name"], &anna["roles"][0]["venue"]), (&json!("anna"), &json!("*")));
    let taken = staff(add).await.unwrap_err().to_string();
    assert!(taken.contains("choose another name") && !taken.contains("horse"), "{taken}");
    let viewer = json!({ "role": "viewer", "venues": ["mall"] });
    let made = staff(json!({ "staff": "token_add", "label": "Grafana", "grants": viewer })).await.unwrap();
    assert!(made["token"].as_str().unwrap().starts_with("passant_"));
    let listed = staff(json!({ "staff": "token_list" })).await.unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["token"]), (1, &Value::Null));
    let nowhere = json!({ "role": "viewer", "venues": ["moon"] });
    let wrong = staff(json!({ "staff": "token_add", "label": "x", "grants": nowhere })).await.unwrap_err();
    assert!(wrong.to_string().contains("not configured"), "{wrong}");
    staff(json!({ "staff": "token_remove", "number": made["id"] })).await.unwrap();
    let unknown = staff(json!({ "staff": "user_remove", "name": "carl" })).await.unwrap_err();
    assert!(unknown.to_string().contains("no account of this name"), "{unknown}");
    assert_eq!(staff(json!({ "staff": "user_list" })).await.unwrap()[0]["name"], "anna");
}

#[tokio::test]
async fn without_a_server_commands_take_the_lock_and_do_the_work() {
    let temp = tempfile::tempdir().unwrap();
    let config = config(temp.path());
    every_command(&config).await;
    write_down_refusal(&config, Refused::Broker).await.unwrap();
    assert_eq!(ledger::verify(&config.data_dir).unwrap().lines, STAFF_LINES + 1);
    let held = hold(&config.data_dir).unwrap();
    let error = ask_of(&config, Request::OptOutCount).await.unwrap_err().to_string();
    assert!(error.contains("in use by another passant"), "{error}");
    drop(held);
}

/// A clerk behind a socket, as a server has one.
async fn served(config: &Config) -> (super::super::guarded::Held, Clerk, tokio::task::JoinHandle<()>) {
    let held = hold(&config.data_dir).unwrap();
    let clerk = alone(config).await.unwrap();
    let socket = socket::Socket::bind(&config.data_dir).unwrap();
    let serving = tokio::spawn(socket.serve(clerk.clone()));
    (held, clerk, serving)
}

#[tokio::test]
async fn with_a_server_the_same_commands_go_through_the_socket() {
    let temp = tempfile::tempdir().unwrap();
    let config = config(temp.path());
    let (_held, clerk, serving) = served(&config).await;
    // The lock is taken: whatever is done is done by the server.
    every_command(&config).await;
    write_down_refusal(&config, Refused::Poster).await.unwrap();
    assert_eq!(clerk.ledger.head().number, STAFF_LINES + 1);
    let path = config.data_dir.join(socket::FILE_NAME);
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    serving.abort();
    let _ = serving.await;
    assert!(!path.exists(), "its file goes with it");
}

#[tokio::test]
async fn what_does_not_read_is_told_so_once_and_a_line_without_end_is_not_waited_for() {
    let temp = tempfile::tempdir().unwrap();
    let config = config(temp.path());
    let (_held, _clerk, serving) = served(&config).await;
    let endless = vec![b'x'; 64 * 1_024];
    for words in [b"{\"do\":\"nothing\"}\n".as_slice(), b"\xff\xfe\n", b"{}\n{}\n", &endless] {
        let mut stream = UnixStream::connect(config.data_dir.join(socket::FILE_NAME)).await.unwrap();
        let _ = stream.write_all(words).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("does not read") && answer.lines().count() == 1, "{answer}");
    }
    ask_of(&config, Request::OptOutCount).await.unwrap();
    serving.abort();
}

#[tokio::test]
async fn a_destroyed_venue_is_certified_and_stays_out_until_it_is_asked_for_again() {
    let temp = tempfile::tempdir().unwrap();
    let config = config(temp.path());
    ask_of(&config, count()).await.unwrap();
    let destroy = |venue: &str| Request::Destroy { venue: venue.to_owned() };
    let unknown = ask_of(&config, destroy("mal")).await.unwrap_err().to_string();
    assert!(unknown.contains("no such venue"), "{unknown}");
    let certificate = ask_of(&config, destroy("mall")).await.unwrap();
    assert_eq!(certificate["rows_erased"]["head_count"], 1);
    assert_eq!((&certificate["rows_left"], &certificate["database_log_cut"]), (&json!(0), &json!(true)));
    // Nobody listens at the broker, so it says that this is not done.
    assert_eq!(certificate["complete"], false);
    assert!(certificate["broker_error"].as_str().unwrap().contains("cannot be reached"), "{certificate}");
    assert_eq!(certificate["not_reached"].as_array().unwrap().len(), 8);
    let verified = ledger::verify(&config.data_dir).unwrap();
    assert_eq!(certificate["ledger_head"], json!(verified.head.hex()));
    // To do it again changes nothing, and is told.
    let again = ask_of(&config, destroy("mall")).await.unwrap();
    assert_eq!(again["rows_erased"]["head_count"], 0);
    let known = Ledger::open(&config.data_dir).unwrap().facts(&config.venues[0].id);
    assert!(known.destroyed.is_some());
}

/// A venue that never closes, with a vault in memory, and a visit open in it.
fn with_a_vault(dir: &Path, vault: &Path) -> Config {
    let text = format!(
        "data_dir = {:?}\n[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\n[vault]\ndir = {vault:?}\n[[venue]]\nid = \"mall\"\n\
         timezone = \"UTC\"\n[[venue.zone]]\nid = \"foyer\"\n[[venue.sensor]]\nid = \"f1\"\nzone = \"foyer\"\n",
        dir.join("data")
    );
    Config::parse(&text, std::iter::empty()).unwrap()
}

/// A server hears an address and crashes.
async fn heard_and_crashed(config: &Config) {
    let (store, ledger) = (Store::open(&config.data_dir, kind(config)).await, Ledger::open(&config.data_dir));
    let (store, ledger) = (store.unwrap(), ledger.unwrap());
    let (_, gate) = desk::open(&store, &KeyFile::new(config.opt_out_key_file.clone())).await.unwrap();
    let venue = &config.venues[0];
    let vault = crate::app::resumed::vault(config).unwrap();
    let clock = Machine::clock();
    let earlier = crate::app::resumed::earlier(venue, vault.as_ref(), &store, &ledger, clock).await.unwrap();
    let (venue, live) = (Arc::new(venue.clone()), tokio::sync::watch::channel(None).0);
    let room = crate::pipeline::Room { venue, thresholds: 1, calibration: None, earlier, live };
    let mut corridor = crate::pipeline::Corridor::new(gate, vec![room], crate::telemetry::Tally::default());
    let payload = format!(r#"{{"s":[{{"id":"{ADDRESS}","rssi":-50}}]}}"#).into_bytes();
    let topic = "passant/v1/mall/f1/sightings";
    let arrival =
        crate::intake::take_in(&crate::intake::Directory::new(config), topic, &payload, false, None);
    let now = crate::pipeline::Reading::take(clock);
    corridor.take(arrival.unwrap_or_else(|_| panic!("it is refused")), now, &mut Vec::new()).unwrap();
    corridor.journal(now, [].iter());
    store.close().await;
}

fn in_memory() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::Builder::new().prefix("vault-test-").tempdir_in("/dev/shm").unwrap();
    let vault = dir.path().join("vault");
    (dir, vault)
}

#[tokio::test]
async fn an_objection_while_no_server_runs_forgets_what_lies_in_the_vault() {
    let (temp, (_memory, vault)) = (tempfile::tempdir().unwrap(), in_memory());
    let config = with_a_vault(temp.path(), &vault);
    let held = hold(&config.data_dir).unwrap();
    heard_and_crashed(&config).await;
    drop(held);
    let size = || vault.join("mall.vault").metadata().unwrap().len();
    let before = size();
    ask_of(&config, Request::OptOutAdd { device: "A4:C1:38:11:22:34".to_owned() }).await.unwrap();
    assert_eq!(size(), before, "an address that was not heard changes nothing");
    ask_of(&config, Request::OptOutAdd { device: ADDRESS.to_owned() }).await.unwrap();
    assert!(size() < before, "the reading that waited is still in it");
}

#[tokio::test]
async fn a_destroyed_venue_leaves_nothing_in_the_vault() {
    let (temp, (_memory, vault)) = (tempfile::tempdir().unwrap(), in_memory());
    let config = with_a_vault(temp.path(), &vault);
    let held = hold(&config.data_dir).unwrap();
    heard_and_crashed(&config).await;
    drop(held);
    assert_eq!(std::fs::read_dir(&vault).unwrap().count(), 2);
    let certificate = ask_of(&config, Request::Destroy { venue: "mall".to_owned() }).await.unwrap();
    assert_eq!(certificate["vault_files_left"], 0);
    assert_eq!(std::fs::read_dir(&vault).unwrap().count(), 0);
}

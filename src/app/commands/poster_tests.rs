use super::*;
use crate::app::guarded::{Held, hold};
use crate::app::self_test::tests::refusing_broker;
use crate::app::serve::{Server, own_broker};
use crate::broker;
use crate::clock::Machine;
use crate::intake;

/// A directory of its own for a server, and where its broker is.
fn config(dir: &std::path::Path, broker: &str) -> Config {
    let text = crate::config::EXAMPLE
        .replace("/var/lib/passant\"", &format!("{}\"", dir.join("data").display()))
        .replace("/var/lib/passant-opt-out/key", &dir.join("key/key").display().to_string())
        .replace("127.0.0.1:8081", "127.0.0.1:0")
        .replace("url = \"mqtt://127.0.0.1:1883\"", broker);
    Config::parse(&text, std::iter::empty()).unwrap()
}

/// A whole server but for its pages.
async fn served(config: &Config) -> (Held, Option<broker::Running>, Server) {
    let held = hold(&config.data_dir).unwrap();
    let broker = own_broker(config).await.unwrap();
    let link = intake::options(&config.mqtt).unwrap();
    let server = Server::start(config.clone(), link, api::Access::ThisMachine, Machine::clock()).await;
    (held, broker, server.unwrap())
}

fn ledger(config: &Config) -> String {
    std::fs::read_to_string(config.data_dir.join("ledger.jsonl")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_prints_when_an_objection_has_worked() {
    let temp = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let config = config(temp.path(), &format!("embedded = \"127.0.0.1:{port}\""));
    let (_held, _broker, _server) = served(&config).await;
    let printed = printed(&config, "mall", "fr").await.unwrap();
    assert_eq!((printed.venue.as_str(), printed.lang.as_str()), ("mall", "fr"));
    assert!(printed.html.contains("Ne pas compter mon téléphone"));
    let tried = ask_server(&config, &Request::SelfTest).await.unwrap().unwrap();
    assert_eq!(tried["venues"], 1);
    assert!(!ledger(&config).contains("refused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_test_fails_no_notice_is_printed_and_the_ledger_says_so() {
    let temp = tempfile::tempdir().unwrap();
    let broker = format!("url = \"mqtt://127.0.0.1:{}\"", refusing_broker().await);
    let config = config(temp.path(), &broker);
    let file = temp.path().join("passant.toml");
    let out = temp.path().join("poster.html");
    let (_held, _broker, _server) = served(&config).await;
    let why = printed(&config, "mall", "en").await.err().unwrap().to_string();
    assert!(why.contains("topic write passant/v1/+/passant-probe/sightings"), "{why}");
    let text =
        crate::config::EXAMPLE.replace("/var/lib/passant\"", &format!("{}\"", config.data_dir.display()));
    std::fs::write(&file, text).unwrap();
    let options = Options {
        configured: Configured { config: file },
        venue: "mall".to_owned(),
        lang: "en".to_owned(),
        out: Some(out.clone()),
    };
    assert!(run(&options).await.is_err());
    assert!(!out.exists() && ledger(&config).contains("\"what\":\"poster\""), "{}", ledger(&config));
}

#[tokio::test]
async fn where_no_server_runs_no_notice_is_printed() {
    let temp = tempfile::tempdir().unwrap();
    let config = config(temp.path(), "url = \"mqtt://127.0.0.1:1\"");
    let why = printed(&config, "mall", "en").await.err().unwrap().to_string();
    assert!(why.contains("start `passant serve`"), "{why}");
}

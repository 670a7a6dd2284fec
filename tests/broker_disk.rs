//! A broker is a disk too. The library that is embedded keeps files unless it is told otherwise, in a folder beside the
//! program: a test of its own, because it moves the whole process into an empty folder.

#[path = "support/speaker.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod speaker;

use passant::broker;
use speaker::{Hello, Speaker, Version};

#[tokio::test]
async fn the_embedded_broker_writes_nothing_down() {
    let folder = tempfile::tempdir().expect("a folder");
    std::env::set_current_dir(folder.path()).expect("it is there");
    let options = broker::Options { listen: ([127, 0, 0, 1], 0).into(), ..broker::Options::default() };
    let (address, running) = broker::start(options).await.expect("it starts");
    let connect = |hello| async move { Speaker::connect(address.port(), hello).await.expect("it is let in") };

    // Every kind of thing that it may hold: a kept status, a session, messages in flight, messages that wait.
    let server = Hello::lasting(Version::V5, "server");
    let mut listener = connect(server).await;
    listener.subscribe("passant/v1/#", 1).await;
    let mut sensor = connect(Hello::new(Version::V5, "sensor")).await;
    sensor.publish("passant/v1/mall/north-1/status", b"{\"online\":true}", 1, true).await;
    for number in 0..100 {
        sensor.publish("passant/v1/mall/north-1/sightings", &[number], 1, false).await;
    }
    listener.next().await;
    drop(listener);
    for number in 100..200 {
        sensor.publish("passant/v1/mall/north-1/sightings", &[number], 1, false).await;
    }
    assert!(connect(server).await.session_present);
    running.shutdown().await;

    let written: Vec<_> = std::fs::read_dir(folder.path()).expect("it is there").collect();
    assert!(written.is_empty(), "{written:?}");
    std::env::set_current_dir("/").expect("it is there");
}

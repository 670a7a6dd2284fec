//! A hundred who look on at once, over real sockets: one of them asleep, and a server that dies and is started again.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::api::stage::Stage;
use crate::api::{Peer, bounded};

const ONLOOKERS: usize = 100;
/// Half-minutes that everybody awake is to see, each of them.
const SEEN: u32 = 10;
/// Changes that go by while somebody sleeps: several times what may be kept for them.
const SLEPT_THROUGH: u32 = 10_000;
/// The most that is kept for one who does not read, by this program and the system beneath it, bytes.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// Nothing here waits this long but for a fault.
const HANG: Duration = Duration::from_secs(60);

/// A server at a real address, in a runtime of its own, so that it can die as a process does.
struct Door {
    runtime: Runtime,
    stage: Stage,
    address: SocketAddr,
}

impl Door {
    fn open(at: SocketAddr) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (stage, address) = runtime.block_on(async {
            let stage = Stage::set().await;
            let listener = bounded(TcpListener::bind(at).await.unwrap()).unwrap();
            let address = listener.local_addr().unwrap();
            let service = stage.router.clone().into_make_service_with_connect_info::<Peer>();
            tokio::spawn(axum::serve(listener, service).into_future());
            (stage, address)
        });
        Self { runtime, stage, address }
    }

    /// A half-minute has closed with so many people.
    fn show(&self, people: u32) {
        self.stage.show("2026-11-20T10:00:00+01:00", people);
    }

    /// Dies with every connection, and says nothing.
    fn die(self) -> SocketAddr {
        let Self { runtime, stage, address } = self;
        {
            let _inside = runtime.enter();
            drop(stage);
        }
        runtime.shutdown_timeout(HANG);
        address
    }
}

/// Somebody who looks on, and comes back as a browser does.
struct Onlooker {
    address: SocketAddr,
    line: BufReader<TcpStream>,
    came: u32,
    /// Bytes of events that were read.
    read: usize,
}

impl Onlooker {
    fn come(address: SocketAddr) -> Self {
        Self { address, line: line(address), came: 1, read: 0 }
    }

    /// Reads until this many people are told, and comes anew where the line has ended.
    fn until(&mut self, people: u32) {
        loop {
            match self.next() {
                Some(told) if told == people => return,
                Some(_) => {}
                None => {
                    self.came += 1;
                    assert!(self.came < 4, "the line ends again and again");
                    self.line = line(self.address);
                }
            }
        }
    }

    /// The next event's people; `None` where the line has ended.
    fn next(&mut self) -> Option<u32> {
        loop {
            let mut text = String::new();
            match self.line.read_line(&mut text) {
                Ok(0) => return None,
                Ok(len) => self.read += len,
                Err(error) => {
                    let waited = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                    assert!(!waited, "somebody is kept waiting");
                    return None;
                }
            }
            // A server that dies may leave half an event.
            let data = text.strip_prefix("data: ").filter(|_| text.ends_with('\n'));
            if let Some(data) = data {
                let answer: serde_json::Value = serde_json::from_str(data).unwrap();
                // Before the first half-minute has closed there is no number.
                let value = answer["occupancy"]["value"].as_u64().unwrap_or(0);
                return Some(u32::try_from(value).unwrap());
            }
        }
    }
}

/// A line over which the stream has begun.
fn line(address: SocketAddr) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    let question = "GET /api/v1/venues/mall/live/stream HTTP/1.0\r\nHost: localhost\r\n\r\n";
    stream.write_all(question.as_bytes()).unwrap();
    let mut line = BufReader::new(stream);
    let mut status = String::new();
    line.read_line(&mut status).unwrap();
    assert!(status.starts_with("HTTP/1.0 200"), "{status}");
    line
}

#[test]
fn a_hundred_look_on_while_one_sleeps_and_each_comes_back_when_the_server_does() {
    let door = Door::open(([127, 0, 0, 1], 0).into());
    door.show(100);
    let mut sleeper = Onlooker::come(door.address);
    let mut awake: Vec<_> = (1..ONLOOKERS).map(|_| Onlooker::come(door.address)).collect();
    for nth in 0..SEEN {
        door.show(200 + nth);
        awake.iter_mut().for_each(|onlooker| onlooker.until(200 + nth));
    }
    // And there is room for more.
    drop(Onlooker::come(door.address));

    let again = Door::open(door.die());
    for people in [300, 305] {
        again.show(people);
        for onlooker in awake.iter_mut().chain([&mut sleeper]) {
            onlooker.until(people);
            assert_eq!(onlooker.came, 2, "they come back once, by themselves");
        }
    }
    again.die();
}

#[test]
fn little_is_kept_for_one_who_sleeps_and_they_wake_to_the_newest() {
    let door = Door::open(([127, 0, 0, 1], 0).into());
    let (mut sleeper, mut brisk) = (Onlooker::come(door.address), Onlooker::come(door.address));
    for nth in 0..SLEPT_THROUGH {
        door.show(1_000 + nth);
        brisk.until(1_000 + nth);
    }
    assert!(brisk.read > 3 * KEPT_BYTES_MAX, "{} bytes are too few to tell", brisk.read);
    sleeper.until(1_000 + SLEPT_THROUGH - 1);
    assert_eq!(sleeper.came, 1, "the line has held");
    assert!(sleeper.read < KEPT_BYTES_MAX, "{} bytes were kept of {}", sleeper.read, brisk.read);
    door.die();
}

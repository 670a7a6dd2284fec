//! How long an objection takes whose address is not on the list, and one whose address is. That both do the same is
//! asserted by tests; this prints what a stopwatch says: `cargo bench --bench opt_out`.

use std::time::{Duration, Instant};

use passant::desk::{self, Desk};
use passant::optout::KeyFile;
use passant::sighting::Delivery;
use passant::store::{Kind, Store};
use tokio::sync::mpsc;

/// Addresses, each of which objects twice.
const ADDRESSES: u16 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path(), Kind::Real).await.expect("a store");
    let key_file = KeyFile::new(directory.path().join("opt-out-key/key"));
    let (key, _) = desk::open(&store, &key_file).await.expect("a list with its decoys");
    let (lane, mut arriving) = mpsc::channel::<Delivery>(8);
    // What the corridor does takes the same time for every mark: it is left out.
    tokio::spawn(async move { while arriving.recv().await.is_some() {} });
    let desk = Desk::new(key, store, lane);

    let (mut absent, mut present) = (Vec::new(), Vec::new());
    for n in 0..ADDRESSES {
        // One after the other, so that whatever slows the machine slows both.
        let address = format!("a4:c1:38:11:{:02x}:{:02x}", n >> 8, n & 0xff);
        absent.push(timed(&desk, &address).await);
        present.push(timed(&desk, &address).await);
    }
    print("not on the list", absent);
    print("on the list", present);
}

#[expect(clippy::disallowed_methods, reason = "a bench holds a stopwatch")]
async fn timed(desk: &Desk, address: &str) -> Duration {
    let started = Instant::now();
    desk.object(address).await.expect("it is taken");
    started.elapsed()
}

#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
    println!("{what:>16}: median {} µs, 10 % under {} µs, 90 % under {} µs", at(50), at(10), at(90));
}

//! What the journal of 50,000 open visits weighs, and what it costs to keep it and to take it out again:
//! `cargo bench --bench vault`.

use passant_wire::DeviceId;
use restart::{House, START, heard};

#[path = "../support/restart.rs"]
mod restart;

const VENUE: &str = "data_dir = \"unused\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n\
    [[venue]]\nid = \"mall\"\ntimezone = \"UTC\"\n\
    [[venue.zone]]\nid = \"foyer\"\n[[venue.sensor]]\nid = \"f1\"\nzone = \"foyer\"\n\
    [[venue.zone]]\nid = \"hall\"\n[[venue.sensor]]\nid = \"h1\"\nzone = \"hall\"\n";
/// Devices that stay, and as many that pass.
const DEVICES: u32 = 50_000;
/// Sightings of a message.
const BATCH: usize = 4_000;
/// How often the same state is kept.
const TIMES: usize = 10;

#[expect(clippy::print_stdout, reason = "a measurement is read")]
fn main() {
    let memory = tempfile::tempdir_in("/dev/shm").expect("a directory in memory");
    let dir = memory.path().join("vault");
    let mut house = House::new(VENUE, Some(&dir));
    house.start(START, None);
    let device = |kind: u8, who: u32| {
        let [a, b, c, d] = who.to_be_bytes();
        DeviceId::from_octets([kind, 0, a, b, c, d]).expect("an address")
    };
    for at in (0..120).step_by(10).map(|second| START + second * 1_000) {
        for sensor in ["f1", "h1"] {
            let both = |who| [heard(device(4, who), at, -50), heard(device(2, who), at, -50)];
            let mut sightings = (0..DEVICES).flat_map(both).peekable();
            while sightings.peek().is_some() {
                let message = house.message(at, sensor, sightings.by_ref().take(BATCH).collect());
                house.deliver(at, &message);
            }
        }
    }
    let at = START + 131_000;
    house.tick(at);
    let mut took: Vec<f64> = (0..TIMES).map(|_| millis(|| house.journal(at))).collect();
    took.sort_by(f64::total_cmp);
    let bytes = dir.join("mall.vault").metadata().expect("a state").len();
    println!("{bytes} bytes; {:.1} ms in the middle, {:.1} ms at most", took[TIMES / 2], took[TIMES - 1]);
    house.crash();
    println!("taken out and kept again in {:.1} ms", millis(|| house.start(at + 1_000, Some(at))));
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn millis(work: impl FnOnce()) -> f64 {
    let begun = std::time::Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1_000.0
}

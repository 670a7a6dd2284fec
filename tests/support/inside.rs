//! A server in a process of its own that can be asked for its memory, which it reads from inside: nobody else may. The
//! process is this same test program, started again for the part of the server; what it runs is `passant serve`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Where the server's process finds its configuration, and whom it obeys.
const CONFIG: &str = "LIQUIDATOR_CONFIG";
const SOCKET: &str = "LIQUIDATOR_SOCKET";
/// Memory is read in pieces of this size.
const PIECE_BYTES: usize = 1 << 20;
/// Ends a list of regions.
const END: u64 = u64::MAX;
/// Looks, 20 ms apart, until the server's process has come; together a minute.
const LOOKS_MAX: u32 = 3_000;

/// What the server's process is asked to do besides serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// To hand over its memory.
    Memory,
    /// To write a line of log.
    Log,
    /// To log an error with this text.
    Fail,
    /// To keep this, as a key that nobody wipes.
    Keep,
    /// To keep the room where this was, as a buffer that is cleared and used again.
    Clear,
}

const ASKS: [Ask; 5] = [Ask::Memory, Ask::Log, Ask::Fail, Ask::Keep, Ask::Clear];

/// A piece of memory that can be written to, or that no file stands behind.
pub(crate) struct Region {
    pub(crate) name: String,
    pub(crate) start: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The server's process, gone when it is dropped.
pub(crate) struct Inside {
    process: Child,
    stream: UnixStream,
}

impl Inside {
    /// Starts the named test of this program as the server of a configuration, its log in a file beside that.
    pub(crate) fn start(test: &str, config: &Path) -> Self {
        let directory = config.parent().expect("a directory");
        let socket = directory.join("inside.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        listener.set_nonblocking(true).expect("it can be asked");
        let log = File::create(directory.join("log")).expect("a log");
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(CONFIG, config)
            .env(SOCKET, &socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("it starts");
        for _ in 0..LOOKS_MAX {
            if let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(false).expect("it can wait");
                return Self { process, stream };
            }
            assert!(process.try_wait().expect("it can be asked").is_none(), "it ended at once");
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = process.kill();
        panic!("it did not come");
    }

    /// Has something done, and waits until it is.
    pub(crate) fn ask(&mut self, ask: Ask, what: &[u8]) {
        self.send(ask, what);
        self.number();
    }

    fn send(&mut self, ask: Ask, what: &[u8]) {
        let place = ASKS.iter().position(|known| *known == ask).expect("it is listed");
        self.stream.write_all(&[place as u8]).expect("it listens");
        self.stream.write_all(&(what.len() as u32).to_le_bytes()).expect("it listens");
        self.stream.write_all(what).expect("it listens");
    }

    /// All of its memory that is its own.
    pub(crate) fn memory(&mut self) -> Vec<Region> {
        self.send(Ask::Memory, &[]);
        let mut regions = Vec::new();
        loop {
            let start = self.number();
            if start == END {
                return regions;
            }
            let name = String::from_utf8_lossy(&self.bytes()).into_owned();
            regions.push(Region { name, start, bytes: self.bytes() });
        }
    }

    fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.stream.read_exact(&mut bytes).expect("it answers");
        u64::from_le_bytes(bytes)
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; self.number() as usize];
        self.stream.read_exact(&mut bytes).expect("it answers");
        bytes
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server's side: the whole program, and a thread that obeys. Comes back at once where nobody asked for a server.
pub(crate) fn serve() {
    let (Some(config), Some(socket)) = (std::env::var_os(CONFIG), std::env::var_os(SOCKET)) else { return };
    // Opened before the program closes itself to everybody without rights over all processes, itself included.
    let own = ["maps", "mem"].map(|name| File::open(format!("/proc/self/{name}")).expect("it is ours"));
    // Every line of every crate, those among them that the program's own log never prints.
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr);
    lines.with_max_level(tracing::Level::TRACE).init();
    let stream = UnixStream::connect(socket).expect("whoever started this listens");
    std::thread::spawn(move || obey(stream, own));
    let words: [OsString; 4] = ["passant".into(), "serve".into(), "--config".into(), config];
    let ended = passant::app::run(words);
    panic!("the server ended: {ended:?}");
}

fn obey(mut stream: UnixStream, mut own: [File; 2]) {
    loop {
        let (mut ask, mut len) = ([0; 1], [0; 4]);
        if stream.read_exact(&mut ask).is_err() {
            return;
        }
        stream.read_exact(&mut len).expect("a length");
        let mut what = vec![0; u32::from_le_bytes(len) as usize];
        stream.read_exact(&mut what).expect("as long as it says");
        match ASKS[usize::from(ask[0])] {
            Ask::Memory => {
                hand_over(&mut stream, &mut own);
                continue;
            }
            Ask::Log => tracing::info!("heard {}", String::from_utf8_lossy(&what)),
            Ask::Fail => {
                let error = std::io::Error::other(String::from_utf8_lossy(&what).into_owned());
                tracing::error!(%error, "it could not be counted");
            }
            Ask::Keep => std::mem::forget(what),
            Ask::Clear => {
                static ROOM: Mutex<Vec<u8>> = Mutex::new(Vec::new());
                let mut room = ROOM.lock().unwrap_or_else(PoisonError::into_inner);
                room.extend(what);
                room.clear();
            }
        }
        // Said afterwards: whoever asked looks at once for what came of it.
        stream.write_all(&0_u64.to_le_bytes()).expect("whoever asked listens");
    }
}

fn hand_over(stream: &mut UnixStream, [maps, memory]: &mut [File; 2]) {
    let mut list = String::new();
    maps.seek(SeekFrom::Start(0)).expect("it can be read again");
    maps.read_to_string(&mut list).expect("a list of regions");
    let mut piece = vec![0; PIECE_BYTES];
    for line in list.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().expect("a range"), words.next().expect("rights"));
        let name = words.nth(3).unwrap_or("anonymous");
        // What is read only and has a file behind it is that file; the kernel's own pages cannot be read.
        if !rights.starts_with('r')
            || (name.starts_with('/') && !rights.contains('w'))
            || name.starts_with("[v")
        {
            continue;
        }
        let (start, end) = range.split_once('-').expect("two ends");
        let [start, end] = [start, end].map(|end| u64::from_str_radix(end, 16).expect("hex"));
        stream.write_all(&start.to_le_bytes()).expect("whoever asked listens");
        stream.write_all(&(name.len() as u64).to_le_bytes()).expect("whoever asked listens");
        stream.write_all(name.as_bytes()).expect("whoever asked listens");
        stream.write_all(&(end - start).to_le_bytes()).expect("whoever asked listens");
        memory.seek(SeekFrom::Start(start)).expect("it is there");
        let mut left = (end - start) as usize;
        while left > 0 {
            let len = PIECE_BYTES.min(left);
            let read = match memory.read(&mut piece[..len]) {
                Ok(read @ 1..) => read,
                // It has been given back in the meantime.
                _ => {
                    piece[..len].fill(0);
                    len
                }
            };
            stream.write_all(&piece[..read]).expect("whoever asked listens");
            left -= read;
        }
    }
    stream.write_all(&END.to_le_bytes()).expect("whoever asked listens");
}

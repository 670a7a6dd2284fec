//! The way to the running server: a socket in the data directory, one JSON request a line, one JSON answer a line.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Answer, Clerk, Request};

/// The socket's name in the data directory.
pub(in crate::app) const FILE_NAME: &str = "passant.sock";
/// It is bound under this name, and gets its own when only its owner can use it.
const DRAFT_NAME: &str = "passant.tmp";
/// The longest path of a socket, bytes, without its end.
const PATH_BYTES_MAX: usize = 107;
/// The longest request, bytes.
const REQUEST_BYTES_MAX: u64 = 16 * 1_024;
/// The longest answer, bytes: a venue's head counts.
const ANSWER_BYTES_MAX: u64 = 4 * 1_024 * 1_024;
/// Connections served at once; more wait.
const CONNECTIONS_MAX: usize = 8;
/// A request has to come within this.
const REQUEST_WAIT: Duration = Duration::from_secs(10);
/// An answer has to come within this: to erase a venue takes the longest.
const ANSWER_WAIT: Duration = Duration::from_secs(600);
/// After a failure to accept, as when the process has no file left to open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The socket of a running server; its file goes when it is dropped.
pub(in crate::app) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes the socket of a data directory, in place of one that a crash has left. Whoever calls holds the directory.
    pub(in crate::app) fn bind(dir: &Path) -> Result<Self> {
        let (path, draft) = (dir.join(FILE_NAME), dir.join(DRAFT_NAME));
        let bytes = path.as_os_str().len();
        ensure!(
            bytes <= PATH_BYTES_MAX,
            "making the command socket {}: its path has {bytes} bytes and a socket's may have {PATH_BYTES_MAX}; choose a data_dir with a shorter path",
            path.display()
        );
        let what = || format!("making the command socket {}", path.display());
        match std::fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(what),
            _ => {}
        }
        let listener = UnixListener::bind(&draft).with_context(what)?;
        std::fs::set_permissions(&draft, Permissions::from_mode(0o600)).with_context(what)?;
        std::fs::rename(&draft, &path).with_context(what)?;
        Ok(Self { listener, path })
    }

    /// Carries out what is asked for, for as long as the program runs.
    pub(in crate::app) async fn serve(self, clerk: Clerk) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) if is_ours(&stream) => {
                    let clerk = clerk.clone();
                    tokio::spawn(async move {
                        let _place = place;
                        converse(stream, clerk).await;
                    });
                }
                Ok(_) => {
                    tracing::warn!("another user's process came to the command socket and was sent away")
                }
                Err(error) => {
                    tracing::warn!(%error, "the command socket could not take a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the other end is a process of this user's, or of root's.
fn is_ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| may_ask(peer.uid(), geteuid().as_raw()))
}

fn may_ask(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

/// Answers one line after another until the other end has no more. What does not read is answered, and ends it.
async fn converse(stream: UnixStream, clerk: Clerk) {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = Vec::new();
        let limited = (&mut reading).take(REQUEST_BYTES_MAX);
        let Ok(Ok(1..)) = timeout(REQUEST_WAIT, read_line(limited, &mut line)).await else { return };
        let request = line.strip_suffix(b"\n").and_then(|line| serde_json::from_slice::<Request>(line).ok());
        let reads = request.is_some();
        let answer = match request {
            Some(request) => clerk.answer(request).await,
            None => Answer::Failed(
                "the request does not read; is this passant of the server's version?".to_owned(),
            ),
        };
        let Ok(mut text) = serde_json::to_vec(&answer) else { return };
        text.push(b'\n');
        let written = timeout(REQUEST_WAIT, writing.write_all(&text)).await;
        if !reads || !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}

async fn read_line(mut from: impl tokio::io::AsyncBufRead + Unpin, line: &mut Vec<u8>) -> io::Result<usize> {
    from.read_until(b'\n', line).await
}

/// Asks the running server of a data directory; `None` when none runs.
pub(super) async fn ask(dir: &Path, request: &Request) -> Result<Option<Answer>> {
    let path = dir.join(FILE_NAME);
    let mut stream = match UnixStream::connect(&path).await {
        Ok(stream) => stream,
        // Nobody listens: none has run here, or one has crashed.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        // So long a path has no server's socket.
        Err(_) if path.as_os_str().len() > PATH_BYTES_MAX => return Ok(None),
        Err(error) => {
            let what = || format!("asking the running server through {}", path.display());
            return Err(error).with_context(what);
        }
    };
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.write_all(&text).await.context("asking the running server")?;
    let mut line = Vec::new();
    let limited = BufReader::new(stream).take(ANSWER_BYTES_MAX);
    let read = timeout(ANSWER_WAIT, read_line(limited, &mut line)).await;
    read.context("the running server has not answered; ask it again")?
        .context("asking the running server")?;
    ensure!(line.ends_with(b"\n"), "the running server ended before it answered; ask again");
    Ok(Some(serde_json::from_slice(&line).context("the running server's answer does not read")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_own_user_and_root_may_ask() {
        assert!(may_ask(1000, 1000) && may_ask(0, 1000) && may_ask(0, 0));
        assert!(!may_ask(1001, 1000) && !may_ask(1000, 0));
    }

    #[tokio::test]
    async fn a_socket_left_by_a_crash_is_replaced_and_one_too_long_says_so() {
        let temp = tempfile::tempdir().unwrap();
        let left = Socket::bind(temp.path()).unwrap();
        // A crash removes nothing.
        std::mem::forget(left);
        let socket = Socket::bind(temp.path()).unwrap();
        let mode = std::fs::metadata(&socket.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let path = socket.path.clone();
        drop(socket);
        assert!(!path.exists());
        let Err(error) = Socket::bind(&temp.path().join("x".repeat(100))) else { panic!("it was bound") };
        assert!(error.to_string().contains("shorter path"), "{error}");
    }
}

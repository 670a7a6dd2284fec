//! One question to a server over HTTP, and all of its answer.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Asks a port of this machine, in the words of HTTP/1.0, which ends the connection after the answer. Gives its status (0 when there
/// was none), its head and its body.
pub(crate) fn ask(port: u16, question: &str) -> (u16, String, String) {
    let answer = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.write_all(question.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    let answer = answer.unwrap_or_default();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, head.to_owned(), body.to_owned())
}

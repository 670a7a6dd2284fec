//! Just enough HTTP to ask a server on this machine for a page.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest answer that is read, bytes.
pub const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The longest one question may take, seconds.
pub const ANSWER_SECS_MAX: u64 = 10;

/// The longest API token, bytes.
pub const TOKEN_BYTES_MAX: usize = 256;

/// A server's address, on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiUrl(SocketAddr);

/// An API token. Its `Debug` does not tell it.
#[derive(Clone)]
pub struct Token(String);

/// A server, and the token that it wants, if it wants one.
#[derive(Clone, Debug)]
pub struct Client {
    url: ApiUrl,
    token: Option<Token>,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The code, or 0 for no HTTP at all.
    pub status: u16,
    /// What it says.
    pub body: String,
}

/// Why a page could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a URL this program asks.
    #[error(
        "the api's address is not of the form http://127.0.0.1:8080; only plain http on loopback is spoken"
    )]
    Url,
    /// No connection, or it broke.
    #[error("asking the server for {path}: {error}; check --api and that it runs")]
    Io {
        /// The page.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// It took over [`ANSWER_SECS_MAX`].
    #[error("the server did not answer for {path} within {ANSWER_SECS_MAX} s")]
    Slow {
        /// The page.
        path: String,
    },
    /// An answer, but not the page.
    #[error(
        "the server answers {status} for {path}; check that --api names a passant server, and --token, where it can be \
         given, a file with an API token that may ask this"
    )]
    Status {
        /// The page.
        path: String,
        /// The code, or 0 for no HTTP at all.
        status: u16,
    },
    /// The token's file.
    #[error("reading the API token from {}: {source}", path.display())]
    TokenFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no token in it.
    #[error(
        "{} holds no API token; it is one line of 1 to {TOKEN_BYTES_MAX} visible characters, as the server printed it",
        path.display()
    )]
    NoToken {
        /// Which.
        path: PathBuf,
    },
}

impl Token {
    /// Reads a token from a file that holds nothing else.
    ///
    /// # Errors
    /// When the file does not read, or holds no token.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::TokenFile { path: path.into(), source })?;
        let word = text.trim();
        // Whatever else stands in it would end the request's line and begin another.
        let is_word =
            (1..=TOKEN_BYTES_MAX).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic());
        if is_word { Ok(Self(word.to_owned())) } else { Err(Error::NoToken { path: path.into() }) }
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl std::str::FromStr for ApiUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix("http://").ok_or(Error::Url)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest).replace("localhost:", "127.0.0.1:");
        let address: SocketAddr = rest.parse().map_err(|_| Error::Url)?;
        if address.ip().is_loopback() { Ok(Self(address)) } else { Err(Error::Url) }
    }
}

impl ApiUrl {
    /// Asks for a page.
    ///
    /// # Errors
    /// When the server is not there, is slow, or answers anything but 200.
    pub async fn get(self, path: &str) -> Result<String, Error> {
        Client::new(self, None).get(path).await
    }
}

impl Client {
    /// Asks a server, with a token if one is needed.
    #[must_use]
    pub fn new(url: ApiUrl, token: Option<Token>) -> Self {
        Self { url, token }
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// When the server is not there, is slow, or answers anything but 200.
    pub async fn get(&self, path: &str) -> Result<String, Error> {
        let Answer { status, body } = self.send("GET", path, "").await?;
        if status == 200 { Ok(body) } else { Err(Error::Status { path: path.into(), status }) }
    }

    /// Sends JSON, and gives back whatever is answered.
    ///
    /// # Errors
    /// When the server is not there or is slow.
    pub async fn post(&self, path: &str, json: &str) -> Result<Answer, Error> {
        self.send("POST", path, json).await
    }

    async fn send(&self, method: &str, path: &str, json: &str) -> Result<Answer, Error> {
        let limit = Duration::from_secs(ANSWER_SECS_MAX);
        let answer = tokio::time::timeout(limit, self.exchange(method, path, json)).await;
        let answer = answer.map_err(|_| Error::Slow { path: path.into() })?;
        let bytes = answer.map_err(|error| Error::Io { path: path.into(), error })?;
        let (status, body) = parse(&bytes).unwrap_or((0, ""));
        Ok(Answer { status, body: body.into() })
    }

    /// Asks as HTTP/1.0, so that the answer ends with the connection and never comes in chunks.
    async fn exchange(&self, method: &str, path: &str, json: &str) -> std::io::Result<Vec<u8>> {
        let address = self.url.0;
        let mut stream = TcpStream::connect(address).await?;
        let mut question = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n");
        if let Some(Token(token)) = &self.token {
            question += &format!("Authorization: Bearer {token}\r\n");
        }
        if !json.is_empty() {
            question += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", json.len());
        }
        stream.write_all(format!("{question}\r\n{json}").as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

fn parse(answer: &[u8]) -> Option<(u16, &str)> {
    let (head, body) = std::str::from_utf8(answer).ok()?.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_asked() {
        for text in ["http://127.0.0.1:8080", "http://localhost:8080/", "http://[::1]:8080"] {
            assert!(text.parse::<ApiUrl>().is_ok(), "{text}");
        }
        for text in ["https://127.0.0.1:8080", "http://192.0.2.1:8080", "127.0.0.1:8080", "http://127.0.0.1"]
        {
            assert!(text.parse::<ApiUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\na: b\r\n\r\nhello"), Some((200, "hello")));
        assert_eq!(parse(b"HTTP/1.0 404 Not Found\r\n\r\n"), Some((404, "")));
        assert_eq!(parse(b"SSH-2.0\r\n\r\n"), None);
    }

    #[tokio::test]
    async fn a_page_is_had_and_a_refusal_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api: ApiUrl = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            for answer in ["HTTP/1.0 200 OK\r\n\r\npage", "HTTP/1.0 401 Unauthorized\r\n\r\n"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = [0; 1024];
                let len = stream.read(&mut asked).await.unwrap();
                assert!(asked[..len].starts_with(b"GET /metrics HTTP/1.0\r\n"));
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        assert_eq!(api.get("/metrics").await.unwrap(), "page");
        assert!(matches!(api.get("/metrics").await, Err(Error::Status { status: 401, .. })));
    }

    #[tokio::test]
    async fn a_token_goes_along_and_json_is_sent_whole() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api: ApiUrl = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc123\n").unwrap();
        let token = Token::read(file.path()).unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 1024];
            let len = stream.read(&mut bytes).await.unwrap();
            stream.write_all(b"HTTP/1.0 201 Created\r\n\r\n{}").await.unwrap();
            String::from_utf8(bytes[..len].to_vec()).unwrap()
        });
        let answer = Client::new(api, Some(token)).post("/counts", r#"{"people":17}"#).await.unwrap();
        assert_eq!(answer, Answer { status: 201, body: "{}".into() });
        let heard = heard.await.unwrap();
        assert!(heard.starts_with("POST /counts HTTP/1.0\r\n"), "{heard}");
        assert!(heard.contains("\r\nAuthorization: Bearer abc123\r\n"), "{heard}");
        assert!(heard.ends_with("Content-Length: 13\r\n\r\n{\"people\":17}"), "{heard}");
        // A second line would be a second header.
        for text in ["", "\n", "two words", "a\r\nx: y"] {
            std::fs::write(file.path(), text).unwrap();
            assert!(matches!(Token::read(file.path()), Err(Error::NoToken { .. })), "{text:?}");
        }
    }
}

//! A client that speaks MQTT 3.1.1 or 5 byte by byte, so that a test says exactly what is on the wire: which message is
//! acknowledged, how a connection ends, and packets that no library would send.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A hang ends the test; nothing waits this long otherwise.
pub(crate) const HANG: Duration = Duration::from_secs(60);

const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBACK: u8 = 9;
const PONG: u8 = 13;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V311,
    V5,
}

pub(crate) const VERSIONS: [Version; 2] = [Version::V5, Version::V311];

/// How a client introduces itself.
#[derive(Clone, Copy)]
pub(crate) struct Hello<'a> {
    pub(crate) version: Version,
    pub(crate) client_id: &'a str,
    /// Forgets an earlier session, and in 3.1.1 this one at its end.
    pub(crate) clean: bool,
    /// Seconds the session outlives the connection; MQTT 5.
    pub(crate) life_secs: u32,
    /// Messages it takes without having acknowledged them; MQTT 5.
    pub(crate) receive_max: u16,
    /// A status to keep when the connection is lost: topic and payload.
    pub(crate) will: Option<(&'a str, &'a str)>,
    pub(crate) credentials: Option<(&'a str, &'a str)>,
}

pub(crate) struct Speaker {
    stream: BufReader<TcpStream>,
    version: Version,
    waiting: VecDeque<Message>,
    last_id: u16,
    /// An earlier session goes on.
    pub(crate) session_present: bool,
    /// The whole answer to the hello.
    pub(crate) answer: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retained: bool,
    pub(crate) again: bool,
    pub(crate) id: u16,
}

impl<'a> Hello<'a> {
    /// A client without a past or a future.
    pub(crate) fn new(version: Version, client_id: &'a str) -> Self {
        Self {
            version,
            client_id,
            clean: true,
            life_secs: 0,
            receive_max: u16::MAX,
            will: None,
            credentials: None,
        }
    }

    /// A client whose session outlives its connection, and goes on from an earlier one.
    pub(crate) fn lasting(version: Version, client_id: &'a str) -> Self {
        Self { clean: false, life_secs: 120, ..Self::new(version, client_id) }
    }

    fn packet(&self) -> Vec<u8> {
        let v5 = self.version == Version::V5;
        let will_flags = if self.will.is_some() { 0b0010_1100 } else { 0 };
        let credential_flags = if self.credentials.is_some() { 0b1100_0000 } else { 0 };
        let mut body = text("MQTT");
        body.push(if v5 { 5 } else { 4 });
        body.push(will_flags | credential_flags | u8::from(self.clean) << 1);
        body.extend([0, 60]);
        if v5 {
            body.extend([8, 0x11]);
            body.extend(self.life_secs.to_be_bytes());
            body.push(0x21);
            body.extend(self.receive_max.to_be_bytes());
        }
        body.extend(text(self.client_id));
        if let Some((topic, payload)) = self.will {
            body.extend(v5.then_some(0));
            body.extend(text(topic));
            body.extend(text(payload));
        }
        if let Some((user, password)) = self.credentials {
            body.extend(text(user));
            body.extend(text(password));
        }
        packet(0x10, &body)
    }
}

impl Speaker {
    /// Connects; a refusal is its code, or 0 when the broker only hangs up.
    pub(crate) async fn connect(port: u16, hello: Hello<'_>) -> Result<Self, u8> {
        let stream = soon(TcpStream::connect(("127.0.0.1", port))).await.expect("the broker listens");
        stream.set_nodelay(true).expect("it works");
        let stream = BufReader::new(stream);
        let (version, waiting, answer) = (hello.version, VecDeque::new(), Vec::new());
        let mut speaker = Self { stream, version, waiting, last_id: 0, session_present: false, answer };
        speaker.send(&hello.packet()).await;
        let (kind, _, answer) = speaker.read().await.ok_or(0_u8)?;
        assert_eq!(kind, CONNACK);
        if answer[1] != 0 {
            return Err(answer[1]);
        }
        speaker.session_present = answer[0] & 1 == 1;
        speaker.answer = answer;
        Ok(speaker)
    }

    /// Subscribes, and returns the broker's code: the quality granted, or a refusal from 128 on.
    pub(crate) async fn subscribe(&mut self, filter: &str, qos: u8) -> u8 {
        let mut body = self.next_id().to_be_bytes().to_vec();
        body.extend((self.version == Version::V5).then_some(0));
        body.extend(text(filter));
        body.push(qos);
        self.send(&packet(0x82, &body)).await;
        let answer = self.until(SUBACK).await;
        *answer.last().expect("a code")
    }

    /// Publishes, and with QoS 1 returns the broker's code once it has acknowledged.
    pub(crate) async fn publish(&mut self, topic: &str, payload: &[u8], qos: u8, retain: bool) -> u8 {
        self.say(topic, payload, qos, retain).await;
        if qos == 0 {
            return 0;
        }
        self.until(PUBACK).await.get(2).copied().unwrap_or(0)
    }

    /// Publishes without waiting for anything.
    pub(crate) async fn say(&mut self, topic: &str, payload: &[u8], qos: u8, retain: bool) {
        let mut body = text(topic);
        if qos > 0 {
            body.extend(self.next_id().to_be_bytes());
        }
        body.extend((self.version == Version::V5).then_some(0));
        body.extend(payload);
        self.send(&packet(0x30 | qos << 1 | u8::from(retain), &body)).await;
    }

    /// The next message, without acknowledging it.
    pub(crate) async fn next(&mut self) -> Message {
        while self.waiting.is_empty() {
            let (kind, flags, body) = self.read().await.expect("the connection lives");
            self.take(kind, flags, &body);
        }
        self.waiting.pop_front().expect("a message")
    }

    /// The next message, acknowledged.
    pub(crate) async fn take_next(&mut self) -> Message {
        let message = self.next().await;
        if message.qos > 0 {
            self.acknowledge(message.id).await;
        }
        message
    }

    pub(crate) async fn acknowledge(&mut self, id: u16) {
        self.send(&packet(0x40, &id.to_be_bytes())).await;
    }

    /// Messages that have arrived by the time the broker answers a ping.
    pub(crate) async fn arrived(&mut self) -> Vec<Message> {
        self.send(&[0xc0, 0]).await;
        self.until(PONG).await;
        self.waiting.drain(..).collect()
    }

    /// Says farewell, and waits until the broker has hung up.
    pub(crate) async fn leave(mut self) {
        self.send(&[0xe0, 0]).await;
        self.wait_for_the_end().await;
    }

    /// Reads until the broker hangs up.
    pub(crate) async fn wait_for_the_end(&mut self) {
        while self.read().await.is_some() {}
    }

    /// Sends bytes, whatever they are. A broker may have hung up already.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = soon(self.stream.get_mut().write_all(bytes)).await;
    }

    async fn until(&mut self, wanted: u8) -> Vec<u8> {
        loop {
            let (kind, flags, body) = self.read().await.expect("the connection lives");
            if kind == wanted {
                return body;
            }
            self.take(kind, flags, &body);
        }
    }

    fn take(&mut self, kind: u8, flags: u8, body: &[u8]) {
        assert_eq!(kind, PUBLISH, "nothing else comes unasked");
        let topic_len = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let (topic, mut rest) = body[2..].split_at(topic_len);
        let (qos, mut id) = (flags >> 1 & 3, 0);
        if qos > 0 {
            id = u16::from_be_bytes([rest[0], rest[1]]);
            rest = &rest[2..];
        }
        if self.version == Version::V5 {
            assert!(rest[0] < 128, "no property here is that long");
            rest = &rest[1 + usize::from(rest[0])..];
        }
        self.waiting.push_back(Message {
            topic: String::from_utf8(topic.to_vec()).expect("a topic"),
            payload: rest.to_vec(),
            qos,
            retained: flags & 1 == 1,
            again: flags & 8 == 8,
            id,
        });
    }

    /// A packet's kind, flags and body; none when the broker has hung up.
    async fn read(&mut self) -> Option<(u8, u8, Vec<u8>)> {
        let first = soon(self.stream.read_u8()).await.ok()?;
        let mut len = 0;
        for shift in [0, 7, 14, 21] {
            let byte = soon(self.stream.read_u8()).await.ok()?;
            len |= usize::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        let mut body = vec![0; len];
        soon(self.stream.read_exact(&mut body)).await.ok()?;
        Some((first >> 4, first & 15, body))
    }

    fn next_id(&mut self) -> u16 {
        self.last_id += 1;
        self.last_id
    }
}

/// Waits with a guard against a hang.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, future).await.expect("it takes too long")
}

fn text(text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).expect("a short text");
    [&len.to_be_bytes(), text.as_bytes()].concat()
}

/// A packet from its first byte and its body.
pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let (mut packet, mut len) = (vec![first], body.len());
    while len > 127 {
        packet.push(u8::try_from(len & 127).expect("seven bits") | 128);
        len >>= 7;
    }
    packet.push(u8::try_from(len).expect("seven bits"));
    packet.extend(body);
    packet
}

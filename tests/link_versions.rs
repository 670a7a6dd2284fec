//! The link against brokers that refuse: a version, a subscription, or any answer at all.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use std::time::Duration;

use passant::link::{self, Handle, Message, Options, Protocol};
use passant::telemetry::Tally;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A hang ends the test; nothing waits this long otherwise.
const HANG: Duration = Duration::from_secs(60);
/// Packet types in the upper half of an MQTT packet's first byte.
const CONNECT: u8 = 1;
const PUBACK: u8 = 4;
const SUBSCRIBE: u8 = 8;
const PING: u8 = 12;
const DISCONNECT: u8 = 14;
const ACCEPTED_V311: &[u8] = &[0x20, 2, 0, 0];
const ACCEPTED_V5: &[u8] = &[0x20, 3, 0, 0, 0];
/// Topic `t`, packet id 9, payload `x`, QoS 1.
const PUBLISH_V311: &[u8] = &[0x32, 6, 0, 1, b't', 0, 9, b'x'];

/// What the broker heard: a packet's type and body.
type Heard = UnboundedReceiver<(u8, Vec<u8>)>;

/// A broker that answers each packet as the function says, which is given the number of the connection, the packet's type
/// and its body; no answer hangs up.
async fn broker(
    answer: impl Fn(usize, u8, &[u8]) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (u16, Heard) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (says, heard) = unbounded_channel();
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((mut socket, _)) = listener.accept().await else { return };
            let _ = serve(&mut socket, &says, |kind, body| answer(number, kind, body)).await;
        }
    });
    (port, heard)
}

async fn serve(
    socket: &mut TcpStream,
    says: &UnboundedSender<(u8, Vec<u8>)>,
    answer: impl Fn(u8, &[u8]) -> Option<Vec<u8>>,
) -> std::io::Result<()> {
    loop {
        let kind = socket.read_u8().await? >> 4;
        // Nothing the link says here is longer than one length byte can tell.
        let mut body = vec![0; usize::from(socket.read_u8().await?)];
        socket.read_exact(&mut body).await?;
        let reply = answer(kind, &body);
        let _ = says.send((kind, body));
        match reply {
            Some(reply) => socket.write_all(&reply).await?,
            None => return Ok(()),
        }
    }
}

/// The version that a CONNECT asks for.
fn version(connect: &[u8]) -> u8 {
    connect[6]
}

fn listen(port: u16) -> (Receiver<Message>, Handle, Tally) {
    let (host, client_id) = ("127.0.0.1".to_owned(), "passant-ingest".to_owned());
    let options = Options {
        host,
        port,
        tls: None,
        client_id,
        credentials: None,
        protocol: Protocol::Auto,
        session_secs: 120,
    };
    let tally = Tally::default();
    let (messages, handle) = link::listen(options, &["t"], tally.clone());
    (messages, handle, tally)
}

async fn next<T>(future: impl Future<Output = Option<T>>) -> T {
    tokio::time::timeout(HANG, future).await.expect("nothing arrived").expect("it ended")
}

/// What a good broker of 3.1.1 answers; after the subscription it delivers one message.
fn good_v311(kind: u8, body: &[u8]) -> Option<Vec<u8>> {
    Some(match kind {
        CONNECT => ACCEPTED_V311.to_vec(),
        SUBSCRIBE => [&[0x90, 3, body[0], body[1], 1], PUBLISH_V311].concat(),
        PING => vec![0xd0, 0],
        DISCONNECT => return None,
        _ => Vec::new(),
    })
}

#[tokio::test]
async fn a_broker_that_refuses_version_5_is_spoken_to_in_3_1_1() {
    let refusals: [&[u8]; 3] = [&[0x20, 3, 0, 0x84, 0], &[0x20, 2, 0, 1], &[]];
    for refusal in refusals {
        let (port, mut heard) = broker(move |_, kind, body| {
            if kind == CONNECT && version(body) == 5 {
                // Brokers of old say it in their own way and hang up, or only hang up.
                return (refusal.get(3) == Some(&0x84)).then(|| refusal.to_vec());
            }
            good_v311(kind, body)
        })
        .await;
        let (mut messages, _handle, tally) = listen(port);
        let message = next(messages.recv()).await;
        assert_eq!((message.topic.as_str(), &message.payload[..]), ("t", &b"x"[..]));
        assert!(tally.broker_is_connected());
        drop(message);
        while next(heard.recv()).await != (PUBACK, vec![0, 9]) {}
    }
}

#[tokio::test]
async fn a_refused_subscription_is_no_connection_and_is_asked_for_again() {
    let (port, _heard) = broker(|number, kind, body| match (number, kind) {
        (_, CONNECT) if version(body) == 5 => Some(ACCEPTED_V5.to_vec()),
        (0, SUBSCRIBE) => Some(vec![0x90, 4, body[0], body[1], 0, 0x87]),
        // The same publish in version 5 has an empty list of properties.
        (_, SUBSCRIBE) => {
            Some([&[0x90, 4, body[0], body[1], 0, 1][..], &[0x32, 7, 0, 1, b't', 0, 9, 0, b'x']].concat())
        }
        _ => Some(Vec::new()),
    })
    .await;
    let (mut messages, _handle, tally) = listen(port);
    assert_eq!(next(messages.recv()).await.payload, b"x"[..]);
    assert!(tally.encode().contains("passant_broker_connections_total 1\n"), "{}", tally.encode());
}

#[tokio::test]
async fn shutting_down_sends_the_last_acknowledgement_and_then_a_farewell() {
    let (port, mut heard) = broker(|_, kind, body| match kind {
        CONNECT if version(body) == 5 => Some(vec![0x20, 3, 0, 0x84, 0]),
        _ => good_v311(kind, body),
    })
    .await;
    let (mut messages, handle, _) = listen(port);
    drop(next(messages.recv()).await);
    handle.shutdown().await;
    let mut kinds = Vec::new();
    while kinds.last() != Some(&DISCONNECT) {
        kinds.push(next(heard.recv()).await.0);
    }
    assert_eq!(kinds[kinds.len() - 2..], [PUBACK, DISCONNECT]);
    assert!(messages.recv().await.is_none(), "the task stands on");
}

#[tokio::test]
#[ignore = "takes half a minute: the broker must be silent for two keep-alives"]
async fn a_silent_broker_is_given_up() {
    let (port, _heard) = broker(|number, kind, body| match (number, kind) {
        (0, PING) => Some(Vec::new()),
        (_, CONNECT) if version(body) == 5 => Some(ACCEPTED_V5.to_vec()),
        (0, SUBSCRIBE) => Some(vec![0x90, 4, body[0], body[1], 0, 1]),
        (_, SUBSCRIBE) => {
            Some([&[0x90, 4, body[0], body[1], 0, 1][..], &[0x32, 7, 0, 1, b't', 0, 9, 0, b'x']].concat())
        }
        _ => Some(Vec::new()),
    })
    .await;
    let (mut messages, _handle, _) = listen(port);
    assert_eq!(next(messages.recv()).await.payload, b"x"[..]);
}

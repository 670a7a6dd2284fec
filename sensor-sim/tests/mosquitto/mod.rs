//! A Mosquitto of one's own on a free loopback port, ears to hear with, and a line that can be cut.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use sensor_sim::publisher::BrokerUrl;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const WAIT: Duration = Duration::from_secs(20);
const QUIET: Duration = Duration::from_secs(2);
const START_TRIES_MAX: u32 = 100;

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) struct Broker {
    pub(crate) port: u16,
    child: Child,
    _dir: tempfile::TempDir,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
        let conf = dir.path().join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"
        );
        std::fs::write(&conf, text).unwrap();
        let mut command = Command::new(program());
        command.arg("-c").arg(&conf).stdout(Stdio::null()).stderr(Stdio::null());
        let broker = Self { port, child: command.spawn().unwrap(), _dir: dir };
        for _ in 0..START_TRIES_MAX {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return broker;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("mosquitto did not start");
    }

    pub(crate) fn url(&self) -> BrokerUrl {
        format!("mqtt://127.0.0.1:{}", self.port).parse().unwrap()
    }

    /// Subscribes to everything, and returns once the broker has confirmed it.
    pub(crate) async fn listen(&self, name: &str) -> Ears {
        let mut options = MqttOptions::new(format!("ears-{name}"), "127.0.0.1", self.port);
        options.set_max_packet_size(Some(1 << 20));
        let (client, mut events) = AsyncClient::new(options, 10);
        client.subscribe("passant/#", QoS::AtLeastOnce).await.unwrap();
        let (heard, ears) = mpsc::unbounded_channel();
        let (ready, listening) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let (_client, mut ready) = (client, Some(ready));
            while let Ok(event) = events.poll().await {
                match event {
                    Event::Incoming(Packet::SubAck(_)) => drop(ready.take().map(|ready| ready.send(()))),
                    Event::Incoming(Packet::Publish(message)) => {
                        let topic = String::from_utf8(message.topic.to_vec()).unwrap();
                        let payload = message.payload.to_vec();
                        if heard.send(Heard { topic, payload, retain: message.retain }).is_err() {
                            return;
                        }
                    }
                    _ => {}
                }
            }
        });
        tokio::time::timeout(WAIT, listening).await.unwrap().unwrap();
        Ears(ears)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&paths).chain([PathBuf::from("/usr/sbin")]);
    let mut programs = dirs.map(|dir| dir.join("mosquitto"));
    programs.find(|program| program.is_file()).expect("mosquitto is not installed")
}

pub(crate) struct Heard {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) retain: bool,
}

pub(crate) struct Ears(mpsc::UnboundedReceiver<Heard>);

impl Ears {
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        self.0.recv().await
    }

    /// Hears at least so many messages, and whatever else comes with them; what was retained from before is left out
    /// unless it is all there is.
    pub(crate) async fn until(mut self, messages: usize) -> Vec<Heard> {
        let mut heard = Vec::new();
        let begun = tokio::time::timeout(WAIT, async {
            while heard.iter().filter(|heard: &&Heard| messages == 1 || !heard.retain).count() < messages {
                heard.push(self.0.recv().await.unwrap());
            }
        });
        assert!(begun.await.is_ok(), "{} of {messages} messages heard", heard.len());
        heard.retain(|heard| messages == 1 || !heard.retain);
        heard
    }

    /// Hears until nothing has come for a while.
    pub(crate) async fn until_quiet(mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        while let Ok(Some(message)) = tokio::time::timeout(QUIET, self.0.recv()).await {
            heard.push(message);
        }
        heard
    }
}

/// Leads the first connection to the first port and so on, and cuts each but the last after so many bytes. One
/// connection at a time.
pub(crate) struct Proxy {
    port: u16,
    taken: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn start(ports: Vec<u16>, cut_after_bytes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, taken) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&taken);
        tokio::spawn(async move {
            let last = ports.len() - 1;
            for (i, port) in ports.into_iter().enumerate() {
                let (near, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                join(near, far, if i == last { usize::MAX } else { cut_after_bytes }).await;
            }
        });
        Self { port, taken }
    }

    pub(crate) fn url(&self) -> BrokerUrl {
        format!("mqtt://127.0.0.1:{}", self.port).parse().unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

async fn join(mut near: TcpStream, mut far: TcpStream, mut budget: usize) {
    let (mut there, mut back) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            len = near.read(&mut there) => match len {
                Ok(len @ 1..) if len <= budget => {
                    budget -= len;
                    if far.write_all(&there[..len]).await.is_err() { return }
                }
                _ => return,
            },
            len = far.read(&mut back) => match len {
                Ok(len @ 1..) => if near.write_all(&back[..len]).await.is_err() { return },
                _ => return,
            },
        }
    }
}

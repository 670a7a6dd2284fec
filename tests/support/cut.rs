//! A wire between the link and the broker that can be cut.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

pub(crate) struct Cut {
    pub(crate) port: u16,
    cut: Arc<Notify>,
}

impl Cut {
    /// Stands before a port of this machine and lets everything through.
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), cut: Arc::default() };
        let cut = wire.cut.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::select! {
                    () = cut.notified() => {}
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                }
            }
        });
        wire
    }

    /// Cuts the connection that stands.
    pub(crate) fn now(&self) {
        self.cut.notify_one();
    }
}

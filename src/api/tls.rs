//! The server's own TLS: rustls with ring, a certificate from files, and handshakes that hold nobody else up.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::TlsFiles;

/// Handshakes at once; more connections wait in the system's own queue.
const HANDSHAKES_MAX: usize = 64;
/// A handshake has to be over within this.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// After a failure to accept, as when the process has no file left to open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why no TLS can be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is no PEM, or not there.
    #[error("reading {key}: it must be a PEM file that this user can read")]
    File {
        /// The key of the configuration that names it.
        key: &'static str,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificate and the key do not fit, or the library refuses them.
    #[error("preparing TLS: http.tls_cert and http.tls_key must hold a certificate and its own key")]
    Refused(#[from] rustls::Error),
}

/// A listener whose connections have shaken hands.
pub struct Tls {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    accepting: JoinHandle<()>,
}

/// What TLS is spoken with.
///
/// # Errors
/// When the files are none, or do not fit each other.
pub fn speech(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let failed = |key| move |source| TlsError::File { key, source };
    let chain = CertificateDer::pem_file_iter(&files.cert).map_err(failed("http.tls_cert"))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(failed("http.tls_cert"))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(failed("http.tls_key"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl Tls {
    /// Speaks TLS with whoever comes to a listener.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn over(listener: TcpListener, speech: Arc<ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (shaken, ready) = mpsc::channel(HANDSHAKES_MAX);
        let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(speech), shaken));
        Ok(Self { address, ready, accepting })
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Each handshake is a task of its own, so that a slow one holds up only itself.
async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shaken: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(came) => came,
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (acceptor, shaken) = (acceptor.clone(), shaken.clone());
        tokio::spawn(async move {
            let _place = place;
            // Whoever speaks no TLS is let go without a word; a log of it would be written by strangers.
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_WAIT, acceptor.accept(stream)).await {
                let _ = shaken.send((stream, peer)).await;
            }
        });
    }
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The task that accepts has ended, which it does with the listener only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;

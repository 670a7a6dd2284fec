use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use super::*;
use crate::api::stage::Stage;
use crate::api::{Access, Entrance, Peer};
use crate::config::HttpDoor;

/// A certificate for localhost and its key, as files.
fn certificate(dir: &std::path::Path) -> (TlsFiles, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles { cert: dir.join("cert.pem"), key: dir.join("key.pem") };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (files, made.cert.der().clone())
}

/// A hang ends the test; nothing waits this long otherwise.
const HANG: Duration = Duration::from_secs(60);

/// Asks over TLS, trusting one certificate.
async fn ask(address: SocketAddr, trusted: &CertificateDer<'static>, request: &str) -> io::Result<String> {
    tokio::time::timeout(HANG, asked(address, trusted, request)).await.expect("an answer, or none")
}

async fn asked(address: SocketAddr, trusted: &CertificateDer<'static>, request: &str) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let line = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut line = TlsConnector::from(Arc::new(config)).connect(name, line).await?;
    line.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    // A server may close without a last word of TLS.
    let _ = line.read_to_string(&mut text).await;
    Ok(text)
}

#[tokio::test]
async fn pages_are_served_under_tls_and_a_session_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let (files, trusted) = certificate(dir.path());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = HttpDoor { tls: Some(files.clone()), trusted_proxies: Vec::new() };
    let entrance = Entrance::of("0.0.0.0:8443".parse().unwrap(), &door);
    let stage = Stage::set_with(Access::Accounts(entrance)).await;
    stage.account("anna", &[("*", crate::office::Role::Admin)]).await;
    let tls = Tls::over(listener, speech(&files).unwrap()).unwrap();
    let address = axum::serve::Listener::local_addr(&tls).unwrap();
    // Whoever says nothing, or no TLS, holds nobody up.
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    silent[0].write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let service = stage.router.clone().into_make_service_with_connect_info::<Peer>();
    let serving = tokio::spawn(axum::serve(tls, service).into_future());

    let healthy = ask(address, &trusted, "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(healthy.starts_with("HTTP/1.0 200") || healthy.starts_with("HTTP/1.1 200"), "{healthy}");
    let body = serde_json::json!({"name": "anna", "password": crate::api::stage::PASSWORD}).to_string();
    let len = body.len();
    let request = format!(
        "POST /api/v1/session HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len}\r\n\r\n{body}"
    );
    let entered = ask(address, &trusted, &request).await.unwrap();
    assert!(entered.contains("201 Created"), "{entered}");
    let cookie = entered.lines().find(|line| line.starts_with("set-cookie: ")).unwrap();
    assert!(cookie.contains("__Host-passant-session=") && cookie.contains("; Secure"), "{cookie}");

    let (_, other) = certificate(tempfile::tempdir().unwrap().path());
    assert!(ask(address, &other, "GET /healthz HTTP/1.0\r\n\r\n").await.is_err(), "another's certificate");
    serving.abort();
}

#[test]
fn what_is_no_certificate_says_which_key_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let (files, _) = certificate(dir.path());
    let missing = TlsFiles { cert: dir.path().join("none"), ..files.clone() };
    assert!(speech(&missing).unwrap_err().to_string().contains("http.tls_cert"));
    let swapped = TlsFiles { cert: files.cert.clone(), key: files.cert.clone() };
    assert!(speech(&swapped).unwrap_err().to_string().contains("http.tls_key"));
    let elsewhere = tempfile::tempdir().unwrap();
    let (others, _) = certificate(elsewhere.path());
    let crossed = TlsFiles { cert: files.cert, key: others.key };
    assert!(speech(&crossed).unwrap_err().to_string().contains("its own key"));
    assert!(speech(&others_of(&crossed)).is_err());
}

/// The same with a certificate file that holds none.
fn others_of(files: &TlsFiles) -> TlsFiles {
    TlsFiles { cert: files.key.clone(), key: files.key.clone() }
}

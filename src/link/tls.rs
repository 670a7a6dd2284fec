//! The TLS client: rustls with ring, and only the authorities that the configuration names.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Why no TLS client can be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not PEM.
    #[error("reading the authorities: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The text holds no certificate.
    #[error("reading the authorities: no certificate in it")]
    NoAuthority,
    /// A certificate cannot be an authority, or the TLS library refuses to work.
    #[error("preparing TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Makes a TLS client that trusts the authorities of a PEM text and nobody else.
///
/// # Errors
/// When the text is not PEM or holds no usable certificate.
pub fn tls(authorities_pem: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities_pem) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err(Error::NoAuthority);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_authorities_is_refused() {
        assert!(matches!(tls(b""), Err(Error::NoAuthority)));
        assert!(matches!(tls(b"no certificate here"), Err(Error::NoAuthority)));
        let cut = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(matches!(tls(cut), Err(Error::Pem(_) | Error::NoAuthority)));
        let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(tls(junk), Err(Error::Tls(_))));
    }
}

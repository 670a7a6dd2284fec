//! From the configuration to the link: the one place that reads the password and the authorities from their files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::{Mqtt, Protocol};
use crate::link::{self, Password};

/// The most bytes of a password file; whatever is longer is another file.
const PASSWORD_BYTES_MAX: usize = 4 * 1024;
/// The most bytes of the file with the authorities.
const AUTHORITIES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why the broker's options cannot be made from the configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("reading mqtt.{key} {}", path.display())]
    Read {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The password file holds no password.
    #[error("reading mqtt.password_file {}: {what}", path.display())]
    Password {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; never what it holds.
        what: &'static str,
    },
    /// The authorities cannot be used.
    #[error("using mqtt.ca_file {}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: link::Error,
    },
    /// The broker speaks TLS and no authority is named.
    #[error("mqtt.url asks for TLS and mqtt.ca_file names no authorities")]
    NoAuthorities,
}

/// How to reach the configured broker.
///
/// # Errors
/// When the password or the authorities cannot be read or used.
pub fn options(mqtt: &Mqtt) -> Result<link::Options, Error> {
    let tls = match (mqtt.tls, &mqtt.ca_file) {
        (false, _) => None,
        (true, None) => return Err(Error::NoAuthorities),
        (true, Some(path)) => {
            let pem = read("ca_file", path, AUTHORITIES_BYTES_MAX)?;
            let tls = link::tls(&pem).map_err(|source| Error::Authorities { path: path.clone(), source })?;
            Some(tls)
        }
    };
    let credentials = login(mqtt)?.map(|(user, password)| (user, Password::new(password)));
    Ok(link::Options {
        host: mqtt.host.clone(),
        port: mqtt.port,
        tls,
        client_id: mqtt.client_id.clone(),
        credentials,
        session_secs: passant_wire::LIFE_SECS,
        protocol: match mqtt.protocol {
            Protocol::Auto => link::Protocol::Auto,
            Protocol::V5 => link::Protocol::V5,
            Protocol::V311 => link::Protocol::V311,
        },
    })
}

/// The login of the server's own broker, for who starts it: the same that the server and its sensors come in with.
///
/// # Errors
/// When the password cannot be read.
pub fn login(mqtt: &Mqtt) -> Result<Option<(String, Zeroizing<String>)>, Error> {
    let Some(user) = &mqtt.username else { return Ok(None) };
    Ok(Some((user.clone(), secret(mqtt.password_file.as_deref())?)))
}

/// The first line of the file. A user without a file has an empty password, as brokers that look at certificates want.
fn secret(path: Option<&Path>) -> Result<Zeroizing<String>, Error> {
    let Some(path) = path else { return Ok(Zeroizing::new(String::new())) };
    let refuse = |what| Error::Password { path: path.into(), what };
    let bytes = read("password_file", path, PASSWORD_BYTES_MAX)?;
    let text = str::from_utf8(&bytes).map_err(|_| refuse("it is no UTF-8 text"))?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.contains(['\r', '\n']) {
        return Err(refuse("it must hold the password on one line and nothing else"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Reads a small file into memory that is wiped; the room is made beforehand so that no copy is left behind by growing.
fn read(key: &'static str, path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let fault = |source| Error::Read { key, path: path.into(), source };
    let file = File::open(path).map_err(fault)?;
    let len = file.metadata().map_err(fault)?.len();
    if len > bytes_max as u64 {
        return Err(fault(io::Error::other("it is too large to be what its key says")));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max.min(len as usize) + 1));
    file.take(bytes_max as u64).read_to_end(&mut bytes).map_err(fault)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mqtt(change: impl FnOnce(&mut Mqtt)) -> Mqtt {
        let mut mqtt = Mqtt {
            host: "broker.example".into(),
            port: 8883,
            tls: false,
            ca_file: None,
            client_id: "passant-ingest".into(),
            username: None,
            password_file: None,
            protocol: Protocol::V5,
            embedded: None,
        };
        change(&mut mqtt);
        mqtt
    }

    fn fault(mqtt: &Mqtt) -> String {
        options(mqtt).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_plain_broker_needs_no_file() {
        let options = options(&mqtt(|_| ())).ok().unwrap();
        assert_eq!((options.host.as_str(), options.port), ("broker.example", 8883));
        assert!(options.tls.is_none() && options.credentials.is_none());
        assert_eq!(options.protocol, link::Protocol::V5);
    }

    #[test]
    fn errors_name_the_file_and_never_the_password() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let with_password = mqtt(|m| {
            m.username = Some("passant".into());
            m.password_file = Some(path.clone());
        });
        assert!(fault(&with_password).contains("mqtt.password_file"), "{}", fault(&with_password));
        for wrong in ["", "\n", "hunter2\nhunter3\n", &"hunter2".repeat(1_000)] {
            std::fs::write(&path, wrong).unwrap();
            let fault = fault(&with_password);
            assert!(fault.contains("mqtt.password_file") && !fault.contains("hunter"), "{fault}");
        }
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(options(&with_password).ok().unwrap().credentials.unwrap().0, "passant");
    }

    #[test]
    fn tls_needs_authorities_that_are_some() {
        assert!(fault(&mqtt(|m| m.tls = true)).contains("mqtt.ca_file"));
        let file = tempfile::NamedTempFile::new().unwrap();
        let empty = mqtt(|m| {
            m.tls = true;
            m.ca_file = Some(file.path().into());
        });
        assert!(fault(&empty).contains("using mqtt.ca_file"), "{}", fault(&empty));
    }
}

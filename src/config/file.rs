//! The file's own shape, and the environment over it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{AlertsOut, ClockKind, Config, CrowdRadio, Error, EventKind, Protocol};

/// The prefix of environment variables that stand over the file.
const ENV_PREFIX: &str = "PASSANT__";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) data_dir: PathBuf,
    pub(super) mqtt: MqttFile,
    #[serde(default)]
    pub(super) http: HttpFile,
    #[serde(default)]
    pub(super) public: PublicFile,
    #[serde(default)]
    pub(super) privacy: PrivacyFile,
    #[serde(default)]
    pub(super) retention: RetentionFile,
    #[serde(default)]
    pub(super) opt_out: OptOutFile,
    #[serde(default)]
    pub(super) outlet: OutletFile,
    pub(super) vault: Option<VaultFile>,
    #[serde(default, rename = "venue")]
    pub(super) venues: Vec<VenueFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MqttFile {
    pub(super) url: Option<String>,
    pub(super) embedded: Option<SocketAddr>,
    pub(super) client_id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) protocol: Protocol,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpFile {
    #[serde(default = "own_page")]
    pub(super) listen: SocketAddr,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<IpAddr>,
}

/// Where pages and API listen unless it is said.
fn own_page() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

impl Default for HttpFile {
    fn default() -> Self {
        Self { listen: own_page(), tls_cert: None, tls_key: None, trusted_proxies: Vec::new() }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublicFile {
    pub(super) listen: Option<SocketAddr>,
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<IpAddr>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrivacyFile {
    pub(super) k: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetentionFile {
    pub(super) fine_days: Option<u32>,
    pub(super) coarse_months: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptOutFile {
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutletFile {
    #[serde(default)]
    pub(super) figures: Vec<String>,
    #[serde(default)]
    pub(super) alerts: AlertsOut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VaultFile {
    pub(super) dir: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VenueFile {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) controller: Option<String>,
    pub(super) contact: Option<String>,
    pub(super) purpose: Option<String>,
    pub(super) timezone: String,
    #[serde(default)]
    pub(super) clock: ClockKind,
    pub(super) day_starts_at: Option<String>,
    #[serde(default)]
    pub(super) hours: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) crowd_radio: CrowdRadio,
    #[serde(default)]
    pub(super) thresholds: ThresholdsFile,
    #[serde(default, rename = "zone")]
    pub(super) zones: Vec<ZoneFile>,
    #[serde(default, rename = "sensor")]
    pub(super) sensors: Vec<SensorFile>,
    #[serde(default, rename = "event")]
    pub(super) events: Vec<EventFile>,
    #[serde(default, rename = "alert")]
    pub(super) alerts: Vec<AlertFile>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThresholdsFile {
    pub(super) outside_floor_dbm: Option<i8>,
    pub(super) near_dbm: Option<i8>,
    pub(super) visitor_secs: Option<u32>,
    pub(super) engaged_secs: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoneFile {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) group: Option<String>,
    #[serde(default)]
    pub(super) entrance: bool,
    pub(super) near_dbm: Option<i8>,
    #[serde(default)]
    pub(super) polygon: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SensorFile {
    pub(super) id: String,
    pub(super) zone: String,
    #[serde(default)]
    pub(super) rssi_offset_db: i8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: EventKind,
    pub(super) from: String,
    pub(super) to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertFile {
    pub(super) name: String,
    pub(super) zone: Option<String>,
    pub(super) metric: Option<String>,
    pub(super) step: Option<String>,
    pub(super) when: String,
    pub(super) threshold: Option<u32>,
    pub(super) windows: Option<u32>,
}

impl Config {
    /// Reads and checks a configuration file, with `PASSANT__…` variables of this environment over it.
    ///
    /// # Errors
    /// When the file cannot be read, has a key nobody knows, or a value that is not acceptable.
    pub fn load(path: &Path, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::parse(&text, environment)
    }

    /// Checks a configuration given as text.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        let mut overrides: Vec<_> = environment.filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
        let file: File = if overrides.is_empty() {
            toml::from_str(text).map_err(|e| Error::Parse(Box::new(e)))?
        } else {
            overrides.sort();
            let mut table: toml::Table = toml::from_str(text).map_err(|e| Error::Parse(Box::new(e)))?;
            for (name, value) in overrides {
                override_with(&mut table, &name, &value)?;
            }
            table.try_into().map_err(|e| Error::Parse(Box::new(e)))?
        };
        super::validate::check(file)
    }
}

/// Sets `PASSANT__A__B=value` at `[a] b`. A value that reads as TOML is taken as such, anything else as text.
fn override_with(table: &mut toml::Table, name: &str, value: &str) -> Result<(), Error> {
    let wrong = |what| Error::Environment { name: name.to_owned(), what };
    let path: Vec<String> = name[ENV_PREFIX.len()..].split("__").map(str::to_lowercase).collect();
    let Some((key, parents)) = path.split_last().filter(|(key, _)| !key.is_empty()) else {
        return Err(wrong("names no key: write it as PASSANT__HTTP__LISTEN"));
    };
    let mut place = table;
    for parent in parents {
        let entry = place.entry(parent.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = entry.as_table_mut().ok_or_else(|| wrong("names a key inside something that is no table"))?;
    }
    let parsed = toml::from_str::<toml::Table>(&format!("v = {value}")).ok().and_then(|mut t| t.remove("v"));
    place.insert(key.clone(), parsed.unwrap_or_else(|| toml::Value::String(value.to_owned())));
    Ok(())
}

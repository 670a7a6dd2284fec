//! `passant sensor add`: a sensor more in the configuration's file, with the line that the broker's access list needs.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::app::{Configured, say};
use crate::config::Config;

/// What to do with a sensor.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add a sensor to the configuration's file, which keeps its comments and its order
    Add {
        #[command(flatten)]
        configured: Configured,
        #[command(flatten)]
        sensor: NewSensor,
    },
}

/// A sensor that is to be added.
#[derive(Debug, clap::Args)]
struct NewSensor {
    /// The venue's id
    #[arg(long)]
    venue: String,
    /// The sensor's id, as in its topics
    #[arg(long)]
    sensor: String,
    /// The id of the zone it hears
    #[arg(long)]
    zone: String,
    /// Added to every strength it reports, dB
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    rssi_offset_db: Option<i8>,
}

/// Adds it, and prints what the broker must be told.
///
/// # Errors
/// When the file cannot be read or written, or would not be acceptable with the sensor; it is then left as it was.
pub fn run(options: &Options) -> Result<()> {
    let Verb::Add { configured, sensor } = &options.verb;
    let path = &configured.config;
    let text =
        fs::read_to_string(path).with_context(|| format!("reading the configuration {}", path.display()))?;
    let with_it = added(&text, sensor, &std::env::vars().collect::<Vec<_>>())?;
    replace(path, &with_it).with_context(|| format!("writing the configuration {}", path.display()))?;
    let NewSensor { venue, sensor, zone, .. } = sensor;
    say(&format!("{sensor} of zone {zone} is in {}.", path.display()));
    say("The broker's access list needs these lines, and its password file that user:");
    say(&format!("\nuser {venue}.{sensor}\ntopic write passant/v1/{venue}/{sensor}/+\n"));
    say("A server that runs counts it from its next start.");
    Ok(())
}

/// The text of a configuration with a sensor more, checked as the server would check it.
fn added(text: &str, new: &NewSensor, environment: &[(String, String)]) -> Result<String> {
    let known = Config::parse(text, environment.iter().cloned())?;
    let ids: Vec<&str> = known.venues.iter().map(|venue| venue.id.as_str()).collect();
    let venue = known.venues.iter().find(|venue| venue.id.as_str() == new.venue);
    let venue = venue
        .with_context(|| format!("no venue {} is configured; there is {}", new.venue, ids.join(", ")))?;
    ensure!(
        !venue.sensors.iter().any(|sensor| sensor.id.as_str() == new.sensor),
        "{} has a sensor {} already; change its lines by hand, or choose another id",
        new.venue,
        new.sensor
    );
    let zones: Vec<&str> = venue.zones.iter().map(|zone| zone.id.as_str()).collect();
    ensure!(
        zones.contains(&new.zone.as_str()),
        "{} has no zone {}; there is {}",
        new.venue,
        new.zone,
        zones.join(", ")
    );
    let mut document: DocumentMut = text.parse()?;
    sensors_of(&mut document, &new.venue)?.push(table(new));
    let with_it = document.to_string();
    Config::parse(&with_it, environment.iter().cloned())?;
    Ok(with_it)
}

fn table(new: &NewSensor) -> Table {
    let mut table = Table::new();
    table.insert("id", value(&new.sensor));
    table.insert("zone", value(&new.zone));
    if let Some(db) = new.rssi_offset_db {
        table.insert("rssi_offset_db", value(i64::from(db)));
    }
    table
}

/// The blocks of a venue's sensors.
fn sensors_of<'a>(document: &'a mut DocumentMut, venue: &str) -> Result<&'a mut ArrayOfTables> {
    const BY_HAND: &str =
        "the file does not write venues and sensors as blocks; add the sensor to it by hand";
    let venues = document.get_mut("venue").and_then(Item::as_array_of_tables_mut).context(BY_HAND)?;
    let is_it = |table: &&mut Table| table.get("id").and_then(Item::as_str) == Some(venue);
    let table = venues.iter_mut().find(is_it).context(BY_HAND)?;
    let none = || Item::ArrayOfTables(ArrayOfTables::new());
    match table.entry("sensor").or_insert_with(none) {
        Item::ArrayOfTables(sensors) => Ok(sensors),
        _ => bail!(BY_HAND),
    }
}

/// Puts a text in the place of a file, whole or not at all; it stays whose it was.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path)?;
    let before = fs::metadata(&path)?;
    let draft = path.with_added_extension("draft");
    let mut file = File::create(&draft)?;
    file.set_permissions(before.permissions())?;
    fchown(&file, Some(before.uid()), Some(before.gid()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, &path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::EXAMPLE;

    fn new(venue: &str, sensor: &str, zone: &str) -> NewSensor {
        let owned = str::to_owned;
        let (venue, sensor, zone) = (owned(venue), owned(sensor), owned(zone));
        NewSensor { venue, sensor, zone, rssi_offset_db: Some(-3) }
    }

    fn refusal(sensor: &NewSensor) -> String {
        format!("{:#}", added(EXAMPLE, sensor, &[]).unwrap_err())
    }

    #[test]
    fn a_sensor_is_added_and_nothing_else_is_touched() {
        let text = added(EXAMPLE, &new("mall", "food-2", "food-court"), &[]).unwrap();
        let block = "\n[[venue.sensor]]\nid = \"food-2\"\nzone = \"food-court\"\nrssi_offset_db = -3\n";
        assert!(text.contains(block), "{text}");
        // Without it the file is as it was, every comment in its place.
        assert_eq!(text.replacen(block, "", 1), EXAMPLE);
        let venue = Config::parse(&text, std::iter::empty()).unwrap().venues.remove(0);
        let sensor = venue.sensors.last().unwrap();
        assert_eq!((sensor.id.as_str(), sensor.rssi_offset_db), ("food-2", -3));
    }

    #[test]
    fn what_cannot_be_added_is_refused_with_what_to_do() {
        for (sensor, words) in [
            (new("hall", "food-2", "food-court"), "no venue hall"),
            (new("mall", "north-1", "food-court"), "has a sensor north-1 already"),
            (new("mall", "food-2", "roof"), "has no zone roof; there is"),
            (new("mall", "food 2", "food-court"), "food 2"),
            (new("mall", passant_wire::PROBE_SENSOR, "food-court"), passant_wire::PROBE_SENSOR),
        ] {
            assert!(refusal(&sensor).contains(words), "{words}: {}", refusal(&sensor));
        }
    }

    #[test]
    fn the_file_keeps_its_rights_and_leaves_no_draft() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passant.toml");
        fs::write(&path, EXAMPLE).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

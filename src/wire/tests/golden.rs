//! The wire's golden files: whoever changes a byte of them changes what sensors in the field may say.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use passant_wire::{BINARY_CONTENT_TYPE, BootId, DeviceId, Heard, Kind, Report, Status, decode, encode};

struct Golden {
    name: &'static str,
    json: &'static str,
    hex: &'static str,
    report: fn() -> Report,
}

macro_rules! golden {
    ($name:literal, $report:expr) => {
        Golden {
            name: $name,
            json: include_str!(concat!("golden/", $name, ".json")),
            hex: include_str!(concat!("golden/", $name, ".hex")),
            report: $report,
        }
    };
}

const GOLDEN: [Golden; 4] = [
    golden!("sightings", sightings),
    golden!("every-kind", every_kind),
    golden!("bare", bare),
    golden!("empty", || Report { number: Some(1), ..Report::default() }),
];

fn sightings() -> Report {
    let heard = heard("a4c138112233", -67, Some(1_764_018_000_101), Kind::Wifi);
    message(4711, b"7f3a", vec![heard])
}

fn every_kind() -> Report {
    message(
        0,
        b"boot00000000000Z",
        vec![
            heard("a4c138112233", -67, Some(1_764_018_000_101), Kind::Wifi),
            heard("c0ffee000001", -127, Some(1_764_018_000_123), Kind::Ble),
            heard("0123456789ab", 20, Some(1_764_018_000_124), Kind::BlePublic),
            heard("7f0000000001", -1, Some(1_764_017_940_123), Kind::BleRandom),
            heard("020000000001", 1, Some(1_764_018_000_123), Kind::Assoc),
        ],
    )
}

fn bare() -> Report {
    let sightings =
        vec![heard("a4c138112233", -67, None, Kind::Wifi), heard("da0000000001", -90, None, Kind::BleRandom)];
    Report { sightings, ..Report::default() }
}

fn message(number: u64, boot: &[u8], sightings: Vec<Heard>) -> Report {
    let at = Some(1_764_018_000_123);
    Report { number: Some(number), boot: BootId::parse(boot), at, sightings, ..Report::default() }
}

fn heard(id: &str, rssi: i8, at: Option<i64>, kind: Kind) -> Heard {
    Heard { device: DeviceId::parse(id).unwrap(), kind, rssi, at }
}

#[track_caller]
fn assert_same(name: &str, got: &Report, want: &Report) {
    assert_eq!((got.number, got.boot, got.at), (want.number, want.boot, want.at), "{name}");
    assert_eq!(got.refused.total(), 0, "{name}");
    assert_eq!(got.sightings.len(), want.sightings.len(), "{name}");
    for (got, want) in got.sightings.iter().zip(&want.sightings) {
        assert_eq!(got.device.octets(), want.device.octets(), "{name}");
        assert_eq!((got.kind, got.rssi, got.at), (want.kind, want.rssi, want.at), "{name}");
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = hex.lines().flat_map(|line| line.split('#').next().unwrap_or("").split_whitespace());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn both_forms_decode_to_what_the_sensor_meant() {
    for Golden { name, json, hex, report } in GOLDEN {
        assert_same(name, &decode(json.as_bytes(), None).unwrap(), &report());
        assert_same(name, &decode(&bytes_of(hex), None).unwrap(), &report());
        assert_same(name, &decode(&bytes_of(hex), Some(BINARY_CONTENT_TYPE)).unwrap(), &report());
    }
}

#[test]
fn both_forms_are_written_byte_for_byte() {
    for Golden { name, json, hex, report } in GOLDEN {
        assert_eq!(String::from_utf8(encode::json(&report())).unwrap(), json.trim_end(), "{name}");
        assert_eq!(encode::binary(&report()), bytes_of(hex), "{name}");
    }
}

#[test]
fn the_writer_in_a_hurry_writes_the_same_bytes() {
    let report = every_kind();
    let mut writer = encode::BinaryWriter::begin(Vec::new(), 0, &report.boot.unwrap(), report.at.unwrap());
    for heard in &report.sightings {
        writer.push(heard.kind, heard.rssi, heard.at.unwrap(), *heard.device.octets());
    }
    let bytes = writer.finish();
    assert_eq!(bytes, encode::binary(&report));
    let head = bytes.len() - report.sightings.len() * encode::BinaryWriter::SIGHTING_BYTES;
    assert_eq!(head, encode::BinaryWriter::HEAD_BYTES_MAX, "the longest boot id makes the longest head");
}

#[test]
fn a_status_and_a_will_read_and_write_the_same() {
    let status = Status { online: true, at: Some(1_764_018_000_123), number: Some(4711) };
    let will = Status { online: false, at: None, number: None };
    for (text, want) in
        [(include_str!("golden/status.json"), status), (include_str!("golden/will.json"), will)]
    {
        assert_eq!(Status::decode(text.as_bytes()).unwrap(), want);
        assert_eq!(String::from_utf8(encode::status(&want)).unwrap(), text.trim_end());
    }
}

#[test]
fn a_gateways_habits_are_read_as_they_are_meant() {
    let text = br#"
        {"extra":{"deep":[1,{"x":null}]},"t":1764018000123.7,"s":[
         {"k":null,"id":"A4-C1-38-11-22-33","rssi":-67.4,"ssid":"home","t":null},
         {"id":"a4c1.3811.2234","rssi":-6.75e1,"t":1764018000000}]}"#;
    let report = decode(text, Some("application/json")).unwrap();
    assert_eq!(report.at, Some(1_764_018_000_123));
    let seen: Vec<_> =
        report.sightings.iter().map(|h| (h.device.octets()[5], h.rssi, h.kind, h.at)).collect();
    let first = (0x33, -67, Kind::Wifi, None);
    assert_eq!(seen, [first, (0x34, -68, Kind::Wifi, Some(1_764_018_000_000))]);
}

//! Whatever a sensor can mean survives being written and read, and whatever else arrives breaks nothing and is not
//! repeated.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use passant_wire::{BootId, DeviceId, Heard, Kind, Report, decode, encode};
use proptest::prelude::*;

const KINDS: [Kind; 5] = [Kind::Wifi, Kind::Ble, Kind::BlePublic, Kind::BleRandom, Kind::Assoc];
const OFFSET_MS_MAX: i64 = 1 << 31;

type Meant = (Kind, i8, i64, [u8; 6]);

fn meant() -> impl Strategy<Value = Meant> {
    let rssi = (-127i8..=20).prop_filter("0 means unknown", |&dbm| dbm != 0);
    (0..KINDS.len(), rssi, -OFFSET_MS_MAX..OFFSET_MS_MAX, any::<[u8; 6]>()).prop_map(
        |(kind, rssi, offset, mut octets)| {
            // Only what may be sent: no group bit, and not everybody's nor nobody's address.
            octets[0] &= 0xfe;
            octets[5] |= 1;
            (KINDS[kind], rssi, offset, octets)
        },
    )
}

fn report() -> impl Strategy<Value = Report> {
    let boot = proptest::option::of("[0-9A-Za-z]{1,16}");
    let at = proptest::option::of(OFFSET_MS_MAX..253_000_000_000_000i64);
    (proptest::option::of(any::<u64>()), boot, at, proptest::collection::vec(meant(), 0..40)).prop_map(
        |(number, boot, at, meant)| {
            let heard = |(kind, rssi, offset, octets)| Heard {
                device: DeviceId::from_octets(octets).unwrap(),
                kind,
                rssi,
                at: at.map(|ms| ms + offset),
            };
            let sightings = meant.into_iter().map(heard).collect();
            let boot = boot.and_then(|text| BootId::parse(text.as_bytes()));
            Report { number, boot, at, sightings, ..Report::default() }
        },
    )
}

type Said = (Kind, i8, Option<i64>, [u8; 6]);
type Plain = (Option<u64>, Option<BootId>, Option<i64>, Vec<Said>);

fn plain(report: &Report) -> Plain {
    let heard = report.sightings.iter().map(|h| (h.kind, h.rssi, h.at, *h.device.octets()));
    (report.number, report.boot, report.at, heard.collect())
}

/// Looks for four bytes in a row of an address, in the spelling of the message or of a byte dump.
fn tells(text: &str, octets: [u8; 6]) -> bool {
    let text = text.to_lowercase();
    octets.windows(4).any(|run| {
        let hex: Vec<String> = run.iter().map(|octet| format!("{octet:02x}")).collect();
        let decimal: Vec<String> = run.iter().map(u8::to_string).collect();
        text.contains(&hex.concat()) || text.contains(&hex.join(":")) || text.contains(&decimal.join(", "))
    })
}

proptest! {
    #[test]
    fn a_report_survives_both_forms(report in report()) {
        for bytes in [encode::json(&report), encode::binary(&report)] {
            let read = decode(&bytes, None).unwrap();
            prop_assert_eq!(plain(&read), plain(&report));
            prop_assert_eq!(read.refused.total(), 0);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), head in 0usize..6) {
        let heads: [&[u8]; 6] = [b"", b"{\"s\":[{", b"\xafPS", b"\xafPS\x01", b"\xafPS\x01\x07", b"\xafPS\x01\x00"];
        let _ = decode(&[heads[head], &bytes].concat(), None);
        let _ = passant_wire::Status::decode(&bytes);
    }

    #[test]
    fn a_message_damaged_on_its_way_tells_nobodys_address(
        report in report(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        for mut bytes in [encode::json(&report), encode::binary(&report)] {
            let place = place.index(bytes.len());
            bytes[place] = byte;
            if cut {
                bytes.truncate(place);
            }
            let said = match decode(&bytes, None) {
                Ok(read) => format!("{read:?} {read:#?}"),
                Err(error) => format!("{error} {error:?} {error:#?}"),
            };
            for heard in &report.sightings {
                prop_assert!(!tells(&said, *heard.device.octets()), "{}", said);
            }
        }
    }
}

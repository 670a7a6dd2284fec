//! Every broken message there is a word for, and the word it is counted under.

use passant_wire::{
    BINARY_CONTENT_TYPE, ItemRefusal, PAYLOAD_BYTES_MAX, Reason, SIGHTINGS_MAX, Status, decode,
};

const DEVICE: &str = "a4c138112233";

fn json(fields: &str) -> Vec<u8> {
    format!("{{{fields}}}").into_bytes()
}

fn batch(sightings: usize) -> Vec<u8> {
    json(&format!("\"s\":[{}]", vec!["{}"; sightings].join(",")))
}

fn padded(bytes_len: usize) -> Vec<u8> {
    let mut bytes = json("\"s\":[]");
    bytes.resize(bytes_len, b' ');
    bytes
}

/// A compact message with these flags, fields and count.
fn compact(flags: u8, fields: &[u8], count: u16, records: &[u8]) -> Vec<u8> {
    [b"\xafPS\x01", &[flags][..], fields, &count.to_le_bytes(), records].concat()
}

fn depth_bomb(open: &str) -> Vec<u8> {
    json(&format!("\"s\":[{}", open.repeat(20_000)))
}

fn broken_messages() -> Vec<(&'static str, Vec<u8>, Reason)> {
    let one = format!("{{\"id\":\"{DEVICE}\",\"rssi\":-67}}");
    let whole = json(&format!("\"s\":[{one}]"));
    let record: &[u8] = b"\x00\xbd\x00\x00\x00\x00\xa4\xc1\x38\x11\x22\x33";
    vec![
        ("a byte over 256 KiB", padded(PAYLOAD_BYTES_MAX + 1), Reason::TooLarge),
        ("4,097 sightings", batch(SIGHTINGS_MAX + 1), Reason::TooMany),
        ("as many braces as fit", batch(PAYLOAD_BYTES_MAX / 3 - 4), Reason::TooMany),
        ("nothing", Vec::new(), Reason::Json),
        ("blanks", b" \n".to_vec(), Reason::Json),
        ("words", b"hello".to_vec(), Reason::Json),
        ("cut short", whole[..whole.len() - 3].to_vec(), Reason::Json),
        ("a NUL at the end", [&whole[..], b"\0"].concat(), Reason::Json),
        ("a NUL in an id", json("\"s\":[{\"id\":\"a4c1\0\"}]"), Reason::Json),
        ("a byte order mark", [b"\xef\xbb\xbf", &whole[..]].concat(), Reason::Json),
        ("no UTF-8 in an id", [b"{\"s\":[{\"id\":\"", &[0xff, 0xfe][..], b"\"}]}"].concat(), Reason::Json),
        ("half a surrogate", json("\"s\":[{\"id\":\"\\ud800\"}]"), Reason::Json),
        ("two messages", [&whole[..], &whole[..]].concat(), Reason::Json),
        ("infinity", json("\"t\":1e999,\"s\":[]"), Reason::Json),
        ("infinite strength", json("\"s\":[{\"rssi\":-1e999}]"), Reason::Json),
        ("NaN", json("\"s\":[{\"rssi\":NaN}]"), Reason::Json),
        ("lists all the way down", depth_bomb("["), Reason::Shape),
        ("sightings all the way down", depth_bomb("{\"id\":"), Reason::Json),
        ("a list for a message", format!("[1,\"b\",2,[{one}]]").into_bytes(), Reason::Shape),
        ("broken lists all the way down", "[".repeat(100_000).into_bytes(), Reason::Json),
        ("a list for a sighting", json(&format!("\"s\":[[\"{DEVICE}\",-67]]")), Reason::Shape),
        ("a number for a sighting", json("\"s\":[5]"), Reason::Shape),
        ("no sightings", json("\"n\":1"), Reason::Shape),
        ("null for sightings", json("\"s\":null"), Reason::Shape),
        ("a number below zero", json("\"n\":-1,\"s\":[]"), Reason::Shape),
        ("a number with a fraction", json("\"n\":1.5,\"s\":[]"), Reason::Shape),
        ("a boot id with blanks", json("\"b\":\"a b\",\"s\":[]"), Reason::Shape),
        ("a boot id of 17 letters", json("\"b\":\"12345678901234567\",\"s\":[]"), Reason::Shape),
        ("a time before 1970", json("\"t\":-1,\"s\":[]"), Reason::Shape),
        ("a time after 9999", json("\"t\":253402300800000,\"s\":[]"), Reason::Shape),
        ("a time as text", json("\"t\":\"now\",\"s\":[]"), Reason::Shape),
        ("sightings twice", json("\"s\":[],\"s\":[]"), Reason::Shape),
        ("a number twice", json("\"n\":1,\"n\":1,\"s\":[]"), Reason::Shape),
        ("an id twice", json(&format!("\"s\":[{{\"id\":\"{DEVICE}\",\"id\":\"{DEVICE}\"}}]")), Reason::Shape),
        ("magic alone", b"\xafPS".to_vec(), Reason::Binary),
        ("version 2", b"\xafPS\x02\x00\x00\x00".to_vec(), Reason::Version),
        ("version 0", b"\xafPS\x00\x00\x00\x00".to_vec(), Reason::Version),
        ("a flag nobody knows", compact(8, b"", 0, b""), Reason::Binary),
        ("number cut short", b"\xafPS\x01\x01\x00\x00".to_vec(), Reason::Binary),
        ("an empty boot id", compact(2, b"\x00", 0, b""), Reason::Binary),
        ("a boot id longer than the message", compact(2, b"\xffab", 0, b""), Reason::Binary),
        ("a boot id of strange bytes", compact(2, b"\x02\xff\x00", 0, b""), Reason::Binary),
        ("a message time of i64::MIN", compact(4, &i64::MIN.to_le_bytes(), 0, b""), Reason::Binary),
        ("a message time of i64::MAX", compact(4, &i64::MAX.to_le_bytes(), 0, b""), Reason::Binary),
        ("one counted, none there", compact(0, b"", 1, b""), Reason::Binary),
        ("none counted, one there", compact(0, b"", 0, record), Reason::Binary),
        ("one byte too few", compact(0, b"", 1, &record[..11]), Reason::Binary),
        ("4,097 counted", compact(0, b"", 4097, &record.repeat(4097)), Reason::TooMany),
    ]
}

#[test]
fn a_broken_message_is_refused_whole_by_reason() {
    let table = broken_messages();
    for (name, payload, reason) in &table {
        let error = decode(payload, None).expect_err(name);
        assert_eq!(error.reason, *reason, "{name}");
        assert!(error.offset <= payload.len(), "{name}: {} of {}", error.offset, payload.len());
        let said = format!("{error} {error:?}");
        assert!(!said.contains(DEVICE) && !said.contains("id"), "{name}: {said}");
    }
    for reason in Reason::ALL {
        assert!(table.iter().any(|row| row.2 == reason), "no message of the table is {reason:?}");
    }
}

#[test]
fn limits_are_inclusive() {
    assert_eq!(decode(&padded(PAYLOAD_BYTES_MAX), None).unwrap().sightings.len(), 0);
    assert_eq!(decode(&batch(SIGHTINGS_MAX), None).unwrap().refused.of(ItemRefusal::Device), 4096);
}

#[test]
fn the_content_type_is_believed() {
    let error = decode(b"{\"s\":[]}", Some(BINARY_CONTENT_TYPE)).unwrap_err();
    assert_eq!(error.reason, Reason::Binary);
}

#[test]
fn a_bad_sighting_is_refused_alone_by_reason() {
    let table = [
        (r#"{"rssi":-67}"#, ItemRefusal::Device),
        (r#"{"id":181193933,"rssi":-67}"#, ItemRefusal::Device),
        (r#"{"id":null,"rssi":-67}"#, ItemRefusal::Device),
        (r#"{"id":"a4c1381122","rssi":-67}"#, ItemRefusal::Device),
        (r#"{"id":"ffffffffffff","rssi":-67}"#, ItemRefusal::Device),
        (r#"{"id":[[[["a4c138112233"]]]],"rssi":-67}"#, ItemRefusal::Device),
        (r#"{"id":"01c138112233","rssi":-67}"#, ItemRefusal::GroupAddress),
        (r#"{"id":"01c138112233","rssi":-67,"k":"assoc"}"#, ItemRefusal::GroupAddress),
        (r#"{"id":"a4c138112233"}"#, ItemRefusal::Rssi),
        (r#"{"id":"a4c138112233","rssi":0}"#, ItemRefusal::Rssi),
        (r#"{"id":"a4c138112233","rssi":-0.4}"#, ItemRefusal::Rssi),
        (r#"{"id":"a4c138112233","rssi":-128}"#, ItemRefusal::Rssi),
        (r#"{"id":"a4c138112233","rssi":1e300}"#, ItemRefusal::Rssi),
        (r#"{"id":"a4c138112233","rssi":"-67"}"#, ItemRefusal::Rssi),
        (r#"{"id":"a4c138112233","rssi":-67,"t":-1}"#, ItemRefusal::Time),
        (r#"{"id":"a4c138112233","rssi":-67,"t":"now"}"#, ItemRefusal::Time),
        (r#"{"id":"a4c138112233","rssi":-67,"t":1e300}"#, ItemRefusal::Time),
        (r#"{"id":"a4c138112233","rssi":-67,"k":"lora"}"#, ItemRefusal::Kind),
        (r#"{"id":"a4c138112233","rssi":-67,"k":1}"#, ItemRefusal::Kind),
    ];
    for (bad, reason) in table {
        let good = format!("{{\"id\":\"{DEVICE}\",\"rssi\":-67}}");
        let report = decode(format!("{{\"s\":[{good},{bad},{good}]}}").as_bytes(), None).expect(bad);
        assert_eq!(report.sightings.len(), 2, "{bad}");
        assert_eq!((report.refused.of(reason), report.refused.total()), (1, 1), "{bad}");
    }
    for reason in ItemRefusal::ALL {
        assert!(table.iter().any(|row| row.1 == reason), "no sighting of the table is {reason:?}");
    }
}

#[test]
fn a_bad_compact_sighting_is_refused_alone_by_reason() {
    let far = i32::MIN.to_le_bytes();
    let table = [
        ("nobody", [0u8, 0xbd], [0u8; 4], [0u8; 6], ItemRefusal::Device),
        ("a group", [0, 0xbd], [0; 4], [1, 0, 0, 0, 0, 1], ItemRefusal::GroupAddress),
        ("no strength", [0, 0], [0; 4], [2, 0, 0, 0, 0, 1], ItemRefusal::Rssi),
        ("-128 dBm", [0, 0x80], [0; 4], [2, 0, 0, 0, 0, 1], ItemRefusal::Rssi),
        ("before 1970", [0, 0xbd], far, [2, 0, 0, 0, 0, 1], ItemRefusal::Time),
        ("kind 5", [5, 0xbd], [0; 4], [2, 0, 0, 0, 0, 1], ItemRefusal::Kind),
    ];
    for (name, head, offset, octets, reason) in table {
        let record = [&head[..], &offset, &octets].concat();
        let report = decode(&compact(4, &1000i64.to_le_bytes(), 1, &record), None).expect(name);
        assert_eq!((report.refused.of(reason), report.refused.total()), (1, 1), "{name}");
    }
    let timed = [&[0, 0xbd][..], &1i32.to_le_bytes(), &[2, 0, 0, 0, 0, 1]].concat();
    let report = decode(&compact(0, b"", 1, &timed), None).unwrap();
    assert_eq!(report.refused.of(ItemRefusal::Time), 1, "an offset from no time");
}

#[test]
fn a_broken_status_is_refused_by_reason() {
    for (text, reason) in [
        ("", Reason::Json),
        ("{\"online\":tru", Reason::Json),
        ("[true]", Reason::Shape),
        ("{}", Reason::Shape),
        ("{\"online\":1}", Reason::Shape),
        ("{\"online\":true,\"n\":-1}", Reason::Shape),
        ("{\"online\":true,\"t\":-1}", Reason::Shape),
        ("{\"online\":true,\"online\":true}", Reason::Shape),
    ] {
        assert_eq!(Status::decode(text.as_bytes()).unwrap_err().reason, reason, "{text}");
    }
    assert_eq!(Status::decode(&padded(PAYLOAD_BYTES_MAX + 1)).unwrap_err().reason, Reason::TooLarge);
}

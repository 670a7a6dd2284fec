//! The shipped broker configuration says the same as the program.

use passant::broker;
use passant::config::{Config, EXAMPLE};
use passant::link;

const CONF: &str = include_str!("../src/broker/mosquitto.conf");
const ACL: &str = include_str!("../src/broker/mosquitto.acl");

fn setting(name: &str) -> usize {
    let lines = CONF.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let values: Vec<_> = lines.collect();
    assert_eq!(values.len(), 1, "{name}");
    values[0].parse().unwrap_or_else(|_| panic!("{name}"))
}

#[test]
fn the_limits_fit_together() {
    assert_eq!(setting("max_inflight_messages"), usize::from(link::RECEIVE_MAX));
    // A payload a little too large reaches the server and is counted; a packet that the server asked for is no cause to
    // cut a sensor's connection.
    assert!(setting("message_size_limit") > passant_wire::PAYLOAD_BYTES_MAX);
    assert!(setting("message_size_limit") < link::PACKET_BYTES_MAX as usize);
    assert!(setting("max_packet_size") > link::PACKET_BYTES_MAX as usize);
    assert!(setting("max_packet_size") < link::PACKET_BYTES_MAX_V311);
    assert!(setting("memory_limit") > setting("max_queued_bytes"));
}

#[test]
fn the_embedded_broker_takes_no_more_than_mosquitto() {
    assert_eq!(broker::PACKET_BYTES_MAX, setting("message_size_limit"));
    const { assert!(broker::PACKET_BYTES_MAX < link::PACKET_BYTES_MAX as usize) };
    const { assert!(broker::INFLIGHT_LEN_MAX <= link::RECEIVE_MAX) };
    assert!(broker::QUEUE_BYTES_MAX <= setting("max_queued_bytes"));
    assert!(broker::LISTENER_BYTES_MAX <= setting("memory_limit"));
}

#[test]
fn nothing_is_kept_on_a_disk_and_only_this_machine_is_let_in() {
    let settings: Vec<_> = CONF.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert!(settings.contains(&"persistence false"));
    assert!(!settings.iter().any(|line| line.starts_with("log_dest") && *line != "log_dest stderr"));
    assert!(!settings.iter().any(|line| ["log_type debug", "log_type all"].contains(line)));
    let listeners: Vec<_> = settings.iter().filter(|line| line.starts_with("listener")).collect();
    assert_eq!(listeners, [&"listener 1883 127.0.0.1"]);
}

/// The lines of a user of the list.
fn lines_of(user: &str) -> Vec<&'static str> {
    let own = ACL.split(&format!("user {user}\n")).nth(1).and_then(|rest| rest.split("\nuser ").next());
    own.unwrap_or_default().lines().filter(|line| line.starts_with("topic ")).collect()
}

#[test]
fn the_server_tells_figures_and_alerts_and_a_display_hears_nothing_else() {
    for topic in ["figures", "zones/+/figures", "alerts/+"] {
        let line = format!("topic readwrite passant/v1/+/{topic}");
        assert!(lines_of("passant").contains(&line.as_str()), "{line}");
    }
    let heard =
        ["figures", "zones/+/figures", "alerts/+"].map(|topic| format!("topic read passant/v1/+/{topic}"));
    assert_eq!(lines_of("display"), heard);
}

#[test]
fn the_server_may_try_the_way_of_an_objection_out() {
    let line = format!("topic write passant/v1/+/{}/sightings", passant_wire::PROBE_SENSOR);
    assert!(lines_of("passant").contains(&line.as_str()), "{line}");
}

#[test]
fn every_sensor_of_the_example_has_its_line() {
    let config = Config::parse(EXAMPLE, std::iter::empty()).unwrap();
    for venue in &config.venues {
        for sensor in &venue.sensors {
            let (venue, sensor) = (&venue.id, &sensor.id);
            let lines = format!("user {venue}.{sensor}\ntopic write passant/v1/{venue}/{sensor}/+\n");
            assert!(ACL.contains(&lines), "{lines}");
        }
    }
}

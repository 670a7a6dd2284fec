//! A connection in MQTT 5.

use std::time::Duration;

use rumqttc::NetworkOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, PubAckReason, Publish, SubscribeReasonCode};
use rumqttc::v5::{self, AsyncClient, EventLoop, MqttOptions};

use super::fault::Fault;
use super::session::{CONNECT_SECS, Event, REQUESTS_LEN_MAX, keep_alive, transport};
use super::{Message, Options, PACKET_BYTES_MAX, RECEIVE_MAX};

/// We publish next to nothing; without this the library lays out 65,535 places for it.
const OUTGOING_INFLIGHT_MAX: u16 = 16;

pub(super) struct Session {
    client: AsyncClient,
    connection: EventLoop,
    /// After our farewell a message is left with the broker: it gets no guard, whose drop would acknowledge it.
    leaving: bool,
}

/// Acknowledges when it is dropped, if its connection still stands.
struct Guard {
    client: AsyncClient,
    packet_id: u16,
}

impl Session {
    pub(super) fn open(options: &Options, clean: bool) -> Self {
        let mut mqtt = MqttOptions::new(options.client_id.clone(), options.host.clone(), options.port);
        mqtt.set_transport(transport(options))
            .set_keep_alive(keep_alive())
            .set_clean_start(clean || options.session_secs == 0)
            .set_session_expiry_interval(Some(options.session_secs))
            .set_receive_maximum(Some(RECEIVE_MAX))
            .set_max_packet_size(Some(PACKET_BYTES_MAX))
            .set_outgoing_inflight_upper_limit(OUTGOING_INFLIGHT_MAX)
            .set_connection_timeout(CONNECT_SECS)
            .set_manual_acks(true);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        mqtt.set_network_options(network);
        if let Some((user, password)) = &options.credentials {
            mqtt.set_credentials(user, password.reveal());
        }
        let (client, connection) = AsyncClient::new(mqtt, REQUESTS_LEN_MAX);
        Self { client, connection, leaving: false }
    }

    pub(super) async fn next(&mut self) -> Result<Event, Fault> {
        Ok(match self.connection.poll().await? {
            v5::Event::Incoming(Packet::Publish(publish)) if !self.leaving => {
                Event::Message(self.message(publish))
            }
            v5::Event::Incoming(Packet::ConnAck(_)) => {
                // A broker may answer that it wants no pings at all, which the library would take for pings without end.
                if self.connection.options.keep_alive().is_zero() {
                    self.connection.options.set_keep_alive(keep_alive());
                }
                Event::Connected
            }
            v5::Event::Incoming(Packet::SubAck(answer)) => Event::Subscribed {
                granted: answer.return_codes.iter().all(|c| matches!(c, SubscribeReasonCode::Success(_))),
            },
            v5::Event::Incoming(Packet::PubAck(answer)) => Event::Answered {
                granted: matches!(answer.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers),
            },
            _ => Event::Other,
        })
    }

    pub(super) fn client(&self) -> AsyncClient {
        self.client.clone()
    }

    /// The time between pings: ours, or what the broker asked for instead.
    pub(super) fn keep_alive(&self) -> Duration {
        self.connection.options.keep_alive()
    }

    pub(super) fn subscribe(&self, filters: &[String]) -> Result<(), Fault> {
        let filters = filters.iter().map(|filter| Filter::new(filter, QoS::AtLeastOnce));
        self.client.try_subscribe_many(filters).map_err(|_| Fault::Closed)
    }

    pub(super) fn clear(&self, topic: &str) -> Result<(), Fault> {
        self.client.try_publish(topic, QoS::AtLeastOnce, true, Vec::new()).map_err(|_| Fault::Closed)
    }

    pub(super) fn say_farewell(&mut self) -> Result<(), Fault> {
        self.leaving = true;
        self.client.try_disconnect().map_err(|_| Fault::Closed)
    }

    fn message(&self, publish: Publish) -> Message {
        let guard = (publish.qos != QoS::AtMostOnce).then(|| {
            Box::new(Guard { client: self.client.clone(), packet_id: publish.pkid }) as Box<dyn Send>
        });
        Message {
            // A topic that is no UTF-8 ends up as one that nobody listens for.
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload,
            retained: publish.retain,
            content_type: publish.properties.and_then(|properties| properties.content_type),
            guard,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let acknowledged = Publish { qos: QoS::AtLeastOnce, pkid: self.packet_id, ..Publish::default() };
        // It fails only when the connection is gone; the broker then delivers the message again.
        let _ = self.client.try_ack(&acknowledged);
    }
}

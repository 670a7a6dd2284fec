//! A connection in MQTT 3.1.1: no content type, no receive maximum, no expiry of the session but the broker's own.

use rumqttc::{
    AsyncClient, EventLoop, MqttOptions, NetworkOptions, Packet, Publish, QoS, SubscribeFilter,
    SubscribeReasonCode,
};

use super::fault::Fault;
use super::session::{CONNECT_SECS, Event, REQUESTS_LEN_MAX, keep_alive, transport};
use super::{Message, Options, PACKET_BYTES_MAX_V311};

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
            .set_clean_session(clean || options.session_secs == 0)
            .set_max_packet_size(PACKET_BYTES_MAX_V311, PACKET_BYTES_MAX_V311)
            .set_manual_acks(true);
        if let Some((user, password)) = &options.credentials {
            mqtt.set_credentials(user, password.reveal());
        }
        let (client, mut connection) = AsyncClient::new(mqtt, REQUESTS_LEN_MAX);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(CONNECT_SECS);
        connection.set_network_options(network);
        Self { client, connection, leaving: false }
    }

    pub(super) async fn next(&mut self) -> Result<Event, Fault> {
        Ok(match self.connection.poll().await? {
            rumqttc::Event::Incoming(Packet::Publish(publish)) if !self.leaving => {
                Event::Message(self.message(publish))
            }
            rumqttc::Event::Incoming(Packet::ConnAck(_)) => Event::Connected,
            rumqttc::Event::Incoming(Packet::SubAck(answer)) => Event::Subscribed {
                granted: answer.return_codes.iter().all(|c| matches!(c, SubscribeReasonCode::Success(_))),
            },
            rumqttc::Event::Incoming(Packet::PubAck(_)) => Event::Answered { granted: true },
            _ => Event::Other,
        })
    }

    pub(super) fn client(&self) -> AsyncClient {
        self.client.clone()
    }

    pub(super) fn subscribe(&self, filters: &[String]) -> Result<(), Fault> {
        let filters = filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
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
            topic: publish.topic,
            payload: publish.payload,
            retained: publish.retain,
            content_type: None,
            guard,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut acknowledged = Publish::new("", QoS::AtLeastOnce, Vec::new());
        acknowledged.pkid = self.packet_id;
        // It fails only when the connection is gone; the broker then delivers the message again.
        let _ = self.client.try_ack(&acknowledged);
    }
}

//! Why a connection ended, in words that hold nothing a broker or an antenna wrote.

use rumqttc::v5::StateError as State5;
use rumqttc::v5::mqttbytes::Error as Bytes5;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode as Code5, DisconnectReasonCode};
use rumqttc::{ConnectReturnCode as Code4, StateError as State4};

#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("it cannot be reached: {0}")]
    Unreachable(std::io::Error),
    #[error("{0}")]
    Tls(rumqttc::TlsError),
    #[error("it does not answer as an MQTT broker does")]
    NoAnswer,
    #[error("it does not speak this version of MQTT")]
    Version,
    #[error("it refuses the connection: {0}")]
    Refused(String),
    #[error("it refuses the subscription; its access list must let this user read")]
    Subscription,
    #[error("it closed the connection")]
    Closed,
    #[error("another client connected under the same client id; two servers need two ids")]
    TakenOver,
    #[error("it has gone silent")]
    Silent,
    #[error("it sent a packet that is broken or over the limit")]
    BadPacket,
    #[error("nobody here took a message for too long")]
    Stalled,
}

impl Fault {
    /// The broker may be one of 3.1.1 only that hangs up, or answers in a way MQTT 5 cannot read.
    pub(super) fn may_be_the_version(&self) -> bool {
        matches!(self, Self::NoAnswer | Self::Closed | Self::BadPacket | Self::Silent)
    }
}

impl From<rumqttc::v5::ConnectionError> for Fault {
    fn from(error: rumqttc::v5::ConnectionError) -> Self {
        use rumqttc::v5::ConnectionError as E;
        match error {
            E::Io(e) => Self::Unreachable(e),
            E::Tls(e) => Self::Tls(e),
            E::ConnectionRefused(Code5::UnsupportedProtocolVersion | Code5::RefusedProtocolVersion) => {
                Self::Version
            }
            E::ConnectionRefused(code) => Self::Refused(format!("{code:?}")),
            E::Timeout(_) | E::NotConnAck(_) => Self::NoAnswer,
            E::MqttState(state) => state.into(),
            E::RequestsDone => Self::Closed,
        }
    }
}

impl From<State5> for Fault {
    fn from(error: State5) -> Self {
        match error {
            State5::ServerDisconnect { reason_code: DisconnectReasonCode::SessionTakenOver, .. } => {
                Self::TakenOver
            }
            State5::ServerDisconnect { .. } | State5::ConnectionAborted | State5::Io(_) => Self::Closed,
            State5::Deserialization(Bytes5::Io(_)) => Self::Closed,
            State5::AwaitPingResp => Self::Silent,
            State5::ConnFail { reason } => Self::Refused(format!("{reason:?}")),
            _ => Self::BadPacket,
        }
    }
}

impl From<rumqttc::ConnectionError> for Fault {
    fn from(error: rumqttc::ConnectionError) -> Self {
        use rumqttc::ConnectionError as E;
        match error {
            E::Io(e) => Self::Unreachable(e),
            E::Tls(e) => Self::Tls(e),
            E::ConnectionRefused(Code4::RefusedProtocolVersion) => Self::Version,
            E::ConnectionRefused(code) => Self::Refused(format!("{code:?}")),
            E::NetworkTimeout | E::NotConnAck(_) => Self::NoAnswer,
            E::FlushTimeout => Self::Silent,
            E::MqttState(state) => state.into(),
            E::RequestsDone => Self::Closed,
        }
    }
}

impl From<State4> for Fault {
    fn from(error: State4) -> Self {
        match error {
            State4::ConnectionAborted | State4::Io(_) => Self::Closed,
            State4::Deserialization(rumqttc::mqttbytes::Error::Io(_)) => Self::Closed,
            State4::AwaitPingResp => Self::Silent,
            _ => Self::BadPacket,
        }
    }
}

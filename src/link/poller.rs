//! The task that polls: it connects, subscribes, hands over, and begins again when the broker is lost.

use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::fault::Fault;
use super::session::{CONNECT_SECS, Event, Session, Version};
use super::voice::Line;
use super::{Message, Options, Protocol, RECEIVE_MAX};
use crate::clock::{Machine, SteadyMs};
use crate::telemetry::Tally;

/// The first wait before another attempt, in ms; it doubles up to [`BACK_OFF_MAX_MS`].
const BACK_OFF_MS: u64 = 250;
/// The longest wait before another attempt, in ms.
const BACK_OFF_MAX_MS: u64 = 5_000;
/// A connection that lasted this long in ms was a good one: the next wait is short again.
const GOOD_CONNECTION_MS: i64 = 5_000;
/// Seconds for the broker to accept the connection and the subscription.
const ESTABLISH_SECS: u64 = 2 * CONNECT_SECS;
/// Seconds that a message may wait for room before the connection is given up; the broker then delivers it again.
const STALL_SECS: u64 = 5;
/// Seconds for a clean farewell.
const FAREWELL_SECS: u64 = 1;
/// Connections in a row that may break on what the broker sent before its session is thrown away.
const POISONED_MAX: u32 = 2;

struct Poller {
    options: Options,
    filters: Vec<String>,
    tally: Tally,
    messages: mpsc::Sender<Message>,
    asked: Asked,
    /// Where the connection is told that stands, for whoever speaks over it.
    line: watch::Sender<Option<Line>>,
    wait_ms: u64,
    poisoned: u32,
    speech: Speech,
    /// The kinds of failure of this outage that were logged.
    logged: Vec<Discriminant<Fault>>,
    /// The broker accepted this connection; the subscription may still be on its way.
    connected: bool,
    /// Since when the subscription stands.
    up_since: Option<SteadyMs>,
}

/// What may be asked of a link.
pub(super) struct Asked {
    pub(super) stop: oneshot::Receiver<()>,
    pub(super) renew: Arc<Notify>,
}

/// Which version of MQTT to try next.
#[derive(Debug)]
struct Speech {
    protocol: Protocol,
    next: Version,
    v5_worked: bool,
    v5_refused: bool,
}

enum End {
    /// We were told to stop.
    Stopped,
    /// Nobody takes the messages any more. Those that waited were dropped with their guards, so nothing may be sent now:
    /// it would acknowledge what nobody took in.
    Abandoned,
    /// We were told to go on with a new client.
    Renewed,
    Broken(Fault),
}

/// Runs the link until it is told to stop or nobody takes its messages any more.
pub(super) async fn run(
    options: Options,
    filters: Vec<String>,
    tally: Tally,
    messages: mpsc::Sender<Message>,
    asked: Asked,
    line: watch::Sender<Option<Line>>,
) {
    let speech = Speech::new(options.protocol);
    let mut poller = Poller {
        options,
        filters,
        tally,
        messages,
        asked,
        line,
        wait_ms: BACK_OFF_MS,
        poisoned: 0,
        speech,
        logged: Vec::new(),
        connected: false,
        up_since: None,
    };
    loop {
        let clean = poller.poisoned >= POISONED_MAX;
        let mut session = Session::open(&poller.options, poller.speech.next, clean);
        match poller.converse(&mut session).await {
            End::Stopped => {
                poller.tally.broker(false);
                poller.hang_up();
                if poller.connected {
                    farewell(session).await;
                }
                return;
            }
            End::Abandoned => return poller.tally.broker(false),
            End::Renewed => {
                // The session stays with the broker, and the next client goes on in it.
                if poller.connected {
                    farewell(session).await;
                }
                poller.connected = false;
                continue;
            }
            End::Broken(fault) => {
                // The client goes before the wait: its socket would hold the broker's session.
                drop(session);
                poller.lost(&fault, clean);
            }
        }
        if !poller.rest().await {
            return;
        }
    }
}

impl Poller {
    async fn converse(&mut self, session: &mut Session) -> End {
        match timeout(Duration::from_secs(ESTABLISH_SECS), self.establish(session)).await {
            Ok(Ok(())) => self.found(session),
            Ok(Err(end)) => return end,
            Err(_) => return End::Broken(Fault::NoAnswer),
        }
        loop {
            if let Err(end) = self.step(session).await {
                return end;
            }
        }
    }

    async fn establish(&mut self, session: &mut Session) -> Result<(), End> {
        // A resumed session delivers before it answers the subscription, so messages are taken here too.
        while !matches!(self.step(session).await?, Event::Subscribed { .. }) {}
        Ok(())
    }

    /// Waits for one event and sees to it; a message is handed over and comes back as [`Event::Other`].
    async fn step(&mut self, session: &mut Session) -> Result<Event, End> {
        let polled = tokio::select! {
            biased;
            _ = &mut self.asked.stop => return Err(End::Stopped),
            () = self.messages.closed() => return Err(End::Abandoned),
            () = self.asked.renew.notified() => return Err(End::Renewed),
            polled = timeout(session.silence_max(), session.next()) => polled,
        };
        match polled.unwrap_or(Err(Fault::Silent)).map_err(End::Broken)? {
            Event::Message(message) => {
                self.tally.message();
                self.hand_over(message).await?;
                Ok(Event::Other)
            }
            Event::Connected => {
                self.connected = true;
                self.speech.connected();
                session.subscribe(&self.filters).map_err(End::Broken)?;
                Ok(Event::Connected)
            }
            Event::Answered { granted } => {
                self.line.borrow().as_ref().inspect(|line| line.answered(granted));
                Ok(Event::Other)
            }
            Event::Subscribed { granted: false } => Err(End::Broken(Fault::Subscription)),
            event => Ok(event),
        }
    }

    async fn hand_over(&mut self, message: Message) -> Result<(), End> {
        if message.guard.is_none() && self.messages.capacity() <= usize::from(RECEIVE_MAX) {
            self.tally.stranger_refused("overflow");
            return Ok(());
        }
        let message = match self.messages.try_send(message) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(End::Abandoned),
            Err(TrySendError::Full(message)) => message,
        };
        tokio::select! {
            biased;
            _ = &mut self.asked.stop => Err(End::Abandoned),
            sent = timeout(Duration::from_secs(STALL_SECS), self.messages.send(message)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(End::Abandoned),
                Err(_) => Err(End::Broken(Fault::Stalled)),
            },
        }
    }

    fn found(&mut self, session: &Session) {
        self.tally.broker(true);
        self.line.send_replace(Some(Line::new(session.mouth())));
        self.up_since = Some(Machine::clock().steady());
        let version = self.speech.next;
        if self.logged.is_empty() {
            tracing::info!(?version, "listening to the broker");
        } else {
            tracing::info!(?version, "the broker is back");
        }
        self.logged.clear();
    }

    fn lost(&mut self, fault: &Fault, was_clean: bool) {
        self.tally.broker(false);
        self.hang_up();
        self.connected = false;
        let lasted = self.up_since.take().map_or(0, |since| Machine::clock().steady().0 - since.0);
        if lasted >= GOOD_CONNECTION_MS {
            self.wait_ms = BACK_OFF_MS;
            self.poisoned = 0;
        }
        self.poisoned = match fault {
            Fault::BadPacket if !was_clean => self.poisoned + 1,
            _ => 0,
        };
        if !self.logged.contains(&discriminant(fault)) {
            self.logged.push(discriminant(fault));
            tracing::warn!("the broker is lost and tried again: {fault}");
        }
        self.speech.broken(fault);
    }

    /// Whoever speaks over the connection, or waits for an answer on it, hears that it is gone.
    fn hang_up(&self) {
        if let Some(line) = self.line.send_replace(None) {
            line.hear_no_more();
        }
    }

    /// Waits before the next attempt, somewhere between half the back-off and all of it; false when told to stop.
    async fn rest(&mut self) -> bool {
        let wait_ms = self.wait_ms as f64 * (0.5 + crate::chance::share() / 2.0);
        self.wait_ms = (self.wait_ms * 2).min(BACK_OFF_MAX_MS);
        tokio::select! {
            biased;
            _ = &mut self.asked.stop => false,
            () = self.messages.closed() => false,
            () = sleep(Duration::from_millis(wait_ms as u64)) => true,
        }
    }
}

async fn farewell(mut session: Session) {
    let polite = async {
        if session.say_farewell().is_err() {
            return;
        }
        // The broker hangs up when it has read the farewell. Hanging up first, with something of its unread, would reset
        // the connection and could take the last acknowledgements with it.
        while session.next().await.is_ok() {}
    };
    // If it fails the broker hears it from the socket.
    let _ = timeout(Duration::from_secs(FAREWELL_SECS), polite).await;
}

impl Speech {
    fn new(protocol: Protocol) -> Self {
        let next = if protocol == Protocol::V311 { Version::V311 } else { Version::V5 };
        Self { protocol, next, v5_worked: false, v5_refused: false }
    }

    fn connected(&mut self) {
        self.v5_worked |= self.next == Version::V5;
    }

    fn broken(&mut self, fault: &Fault) {
        if self.protocol != Protocol::Auto {
            return;
        }
        self.v5_refused |= self.next == Version::V5 && matches!(fault, Fault::Version);
        let guess = self.next == Version::V5 && !self.v5_worked && fault.may_be_the_version();
        self.next = if self.v5_refused || guess { Version::V311 } else { Version::V5 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(protocol: Protocol, faults: &[Fault]) -> Version {
        let mut speech = Speech::new(protocol);
        faults.iter().for_each(|fault| speech.broken(fault));
        speech.next
    }

    #[test]
    fn a_refused_version_is_not_asked_for_again() {
        assert_eq!(after(Protocol::Auto, &[Fault::Version, Fault::Closed]), Version::V311);
        assert_eq!(after(Protocol::V5, &[Fault::Version]), Version::V5);
        assert_eq!(after(Protocol::V311, &[Fault::Version]), Version::V311);
    }

    #[test]
    fn a_guess_lasts_one_connection() {
        assert_eq!(after(Protocol::Auto, &[Fault::Closed]), Version::V311);
        assert_eq!(after(Protocol::Auto, &[Fault::Closed, Fault::Closed]), Version::V5);
        assert_eq!(after(Protocol::Auto, &[Fault::Refused("NotAuthorized".into())]), Version::V5);
    }

    #[test]
    fn a_version_that_worked_is_kept() {
        let mut speech = Speech::new(Protocol::Auto);
        speech.connected();
        speech.broken(&Fault::Closed);
        assert_eq!(speech.next, Version::V5);
    }
}

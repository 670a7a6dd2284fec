//! A word to the broker over the link's own connection: the same user, the same broker, the same list of rights.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::session::{Keep, Mouth};

/// Publishes over the link's connection. Clones share it, and one speaks at a time: whoever else would waits for their turn.
#[derive(Clone)]
pub struct Voice {
    line: watch::Receiver<Option<Line>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The connection that stands, for whoever speaks over it.
#[derive(Clone)]
pub(super) struct Line {
    mouth: Mouth,
    /// Whoever waits for the broker's answer to the one message on its way.
    waiting: Arc<Mutex<Option<oneshot::Sender<bool>>>>,
}

/// Why something was not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsaid {
    /// No connection stands, or the broker does not answer.
    #[error("the broker cannot be reached")]
    Lost,
    /// The connection ended before the broker answered: some brokers hang up over what they do not allow, and their last
    /// word may be lost with the connection.
    #[error("the broker hung up before it answered")]
    HungUp,
    /// The broker's list of rights does not let this user publish on the topic. MQTT 3.1.1 has no word for it.
    #[error("the broker does not let this user publish on the topic")]
    Forbidden,
    /// Others speak, and no turn came in time.
    #[error("other messages are on their way; try again")]
    Busy,
}

impl Voice {
    pub(super) fn new(line: watch::Receiver<Option<Line>>) -> Self {
        Self { line, turn: Arc::default() }
    }

    /// Publishes a message, not to be kept, and waits until the broker has answered for it: so long at most for its turn, as
    /// long again for a connection, and as long again for the answer.
    ///
    /// # Errors
    /// When no connection stands, or the broker refuses the message or does not answer.
    pub async fn say(&self, topic: &str, payload: Vec<u8>, wait: Duration) -> Result<(), Unsaid> {
        self.speak(topic, payload, Keep::Nothing, wait).await
    }

    /// The same with a message that the broker keeps until the next one on its topic.
    ///
    /// # Errors
    /// As [`Voice::say`].
    pub async fn say_to_keep(&self, topic: &str, payload: Vec<u8>, wait: Duration) -> Result<(), Unsaid> {
        self.speak(topic, payload, Keep::Newest, wait).await
    }

    /// Whether a connection stands.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.line.borrow().is_some()
    }

    /// Whether another connection stands than the last time that this was asked or waited for.
    pub fn is_new(&mut self) -> bool {
        self.line.has_changed().unwrap_or(false) && self.line.borrow_and_update().is_some()
    }

    /// Waits until another connection stands than the last time; false when there will be none any more.
    pub async fn connected_anew(&mut self) -> bool {
        while self.line.changed().await.is_ok() {
            if self.line.borrow_and_update().is_some() {
                return true;
            }
        }
        false
    }

    async fn speak(&self, topic: &str, payload: Vec<u8>, keep: Keep, wait: Duration) -> Result<(), Unsaid> {
        let _turn = timeout(wait, self.turn.lock()).await.map_err(|_| Unsaid::Busy)?;
        let mut line = self.line.clone();
        let standing = timeout(wait, line.wait_for(Option::is_some)).await;
        let line = standing.ok().and_then(Result::ok).and_then(|line| line.clone()).ok_or(Unsaid::Lost)?;
        let answer = line.begin(topic, payload, keep)?;
        let answered = timeout(wait, answer).await;
        line.hear_no_more();
        match answered {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Unsaid::Forbidden),
            Ok(Err(_)) => Err(Unsaid::HungUp),
            Err(_) => Err(Unsaid::Lost),
        }
    }
}

impl Line {
    pub(super) fn new(mouth: Mouth) -> Self {
        Self { mouth, waiting: Arc::default() }
    }

    fn begin(&self, topic: &str, payload: Vec<u8>, keep: Keep) -> Result<oneshot::Receiver<bool>, Unsaid> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_some() {
            return Err(Unsaid::Busy);
        }
        self.mouth.publish(topic, payload, keep).map_err(|_| Unsaid::Lost)?;
        let (answered, answer) = oneshot::channel();
        *waiting = Some(answered);
        Ok(answer)
    }

    /// The broker answered for the message on its way.
    pub(super) fn answered(&self, granted: bool) {
        if let Some(waiting) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever waited may have gone.
            let _ = waiting.send(granted);
        }
    }

    /// Nobody waits any more, since the wait or the connection is over.
    pub(super) fn hear_no_more(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

//! What a broker retains of a destroyed venue is cleared, and read back.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::timeout;

use super::session::{CONNECT_SECS, Event, Session, Version};
use super::{Options, Protocol};

/// Retained messages come at once after a subscription: after this long without one there are no more.
const QUIET: Duration = Duration::from_secs(1);
/// The longest that they are waited for all the same.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// Topics that one errand clears, at most.
const TOPICS_MAX: usize = 10_000;
/// Topics cleared between two looks at the connection; each is one packet on its way.
const AT_ONCE: usize = 16;

/// What became of retained messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// Topics that held one, and that were cleared.
    pub topics: usize,
    /// Topics that still held one when they were read back.
    pub left: usize,
}

/// Why they could not be cleared.
#[derive(Debug, thiserror::Error)]
#[error("clearing what the broker retains: {0}")]
pub struct ClearError(String);

/// Clears every retained message under a topic filter, and reads back what is left.
///
/// # Errors
/// When the broker cannot be reached, or does not let this user read.
pub async fn clear_retained(mut options: Options, filter: &str) -> Result<Cleared, ClearError> {
    options.client_id.push_str("-destroy");
    options.session_secs = 0;
    let mut version = if options.protocol == Protocol::V311 { Version::V311 } else { Version::V5 };
    let found = match errand(&options, version, filter, true).await {
        // A broker of 3.1.1 only may just hang up.
        Err(_) if options.protocol == Protocol::Auto => {
            version = Version::V311;
            errand(&options, version, filter, true).await?
        }
        found => found?,
    };
    let left = errand(&options, version, filter, false).await?;
    Ok(Cleared { topics: found, left })
}

/// Connects, finds the topics that hold a retained message, and clears them if asked to. Gives how many there were.
async fn errand(options: &Options, version: Version, filter: &str, clear: bool) -> Result<usize, ClearError> {
    let mut session = Session::open(options, version, true);
    let establish = timeout(Duration::from_secs(2 * CONNECT_SECS), establish(&mut session, filter));
    let mut topics = establish.await.map_err(|_| ClearError("it does not answer".to_owned()))??;
    let _ = timeout(WAIT_MAX, gather(&mut session, &mut topics)).await;
    let found: Vec<String> = topics.iter().cloned().collect();
    if clear {
        for some in found.chunks(AT_ONCE) {
            for topic in some {
                session.clear(topic).map_err(|fault| ClearError(fault.to_string()))?;
            }
            // The empty messages come back to us, as they do to everybody: what is quiet again has gone out.
            let _ = timeout(WAIT_MAX, gather(&mut session, &mut topics)).await;
        }
    }
    let _ = session.say_farewell();
    let _ = timeout(QUIET, async { while session.next().await.is_ok() {} }).await;
    Ok(found.len())
}

/// Subscribes; retained messages may come before the answer.
async fn establish(session: &mut Session, filter: &str) -> Result<BTreeSet<String>, ClearError> {
    let mut topics = BTreeSet::new();
    loop {
        match session.next().await.map_err(|fault| ClearError(fault.to_string()))? {
            Event::Connected => {
                let asked = session.subscribe(&[filter.to_owned()]);
                asked.map_err(|fault| ClearError(fault.to_string()))?;
            }
            Event::Subscribed { granted: true } => return Ok(topics),
            Event::Subscribed { granted: false } => {
                return Err(ClearError("it does not let this user read the venue's topics".to_owned()));
            }
            Event::Message(message) if message.retained && !message.payload.is_empty() => {
                topics.insert(message.topic);
            }
            Event::Message(_) | Event::Answered { .. } | Event::Other => {}
        }
    }
}

/// Takes retained messages until none has come for a while; live ones go by unread.
async fn gather(session: &mut Session, topics: &mut BTreeSet<String>) {
    loop {
        let retained = async {
            loop {
                match session.next().await {
                    Ok(Event::Message(message)) if message.retained && !message.payload.is_empty() => {
                        return Some(message.topic);
                    }
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        };
        match timeout(QUIET, retained).await {
            Ok(Some(topic)) if topics.len() < TOPICS_MAX => drop(topics.insert(topic)),
            _ => return,
        }
    }
}

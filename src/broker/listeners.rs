//! Who listens: only so many, because each may make the broker hold messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::LISTENERS_MAX;

#[derive(Clone)]
pub(super) struct Listeners {
    /// By client id.
    all: Arc<Mutex<HashMap<String, Listener>>>,
    /// How long a session outlives its client.
    life: Duration,
}

struct Listener {
    /// While one connection takes a session over from another there are two.
    connections: u32,
    /// The end of its session, when it has gone away.
    end: Option<AbortHandle>,
}

impl Listeners {
    pub(super) fn new(life: Duration) -> Self {
        Self { all: Arc::default(), life }
    }

    /// Takes a listener in; false when there are enough of them.
    pub(super) fn admit(&self, client_id: &str) -> bool {
        let mut all = self.lock();
        let is_known = all.contains_key(client_id);
        if !is_known && all.len() < LISTENERS_MAX {
            all.insert(client_id.to_owned(), Listener { connections: 1, end: None });
            return true;
        }
        is_known
    }

    /// A client has connected: if it listened before, its session goes on.
    pub(super) fn came(&self, client_id: &str) {
        if let Some(listener) = self.lock().get_mut(client_id) {
            listener.connections += 1;
            listener.keep();
        }
    }

    /// A client has gone: its place is free once its session has surely ended.
    pub(super) fn left(&self, client_id: &str) {
        let mut all = self.lock();
        let Some(listener) = all.get_mut(client_id) else { return };
        listener.connections = listener.connections.saturating_sub(1);
        if listener.connections > 0 {
            return;
        }
        listener.keep();
        let (listeners, client_id) = (self.clone(), client_id.to_owned());
        let end = tokio::spawn(async move {
            tokio::time::sleep(listeners.life).await;
            let mut all = listeners.lock();
            // It may have come back while this waited for the lock.
            if all.get(&client_id).is_some_and(|listener| listener.connections == 0) {
                all.remove(&client_id);
            }
        });
        listener.end = Some(end.abort_handle());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Listener>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// Its session does not end now.
    fn keep(&mut self) {
        if let Some(end) = self.end.take() {
            end.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(life: Duration) -> Listeners {
        let listeners = Listeners::new(life);
        assert!((0..LISTENERS_MAX).all(|number| listeners.admit(&number.to_string())));
        assert!(listeners.admit("0"), "who listens already may listen to more");
        assert!(!listeners.admit("one more"));
        listeners
    }

    #[tokio::test]
    async fn a_place_is_kept_while_its_session_lives() {
        let listeners = full(Duration::from_secs(3_600));
        listeners.left("0");
        tokio::task::yield_now().await;
        assert!(!listeners.admit("one more"));
    }

    #[tokio::test]
    async fn a_place_is_free_when_its_session_has_ended() {
        let listeners = full(Duration::ZERO);
        // Taken over: a second connection comes before the first has gone.
        listeners.came("1");
        listeners.left("1");
        listeners.left("0");
        // Gone and back before its end.
        listeners.left("2");
        listeners.came("2");
        while !listeners.admit("one more") {
            tokio::task::yield_now().await;
        }
        assert!(!listeners.admit("another"));
    }
}

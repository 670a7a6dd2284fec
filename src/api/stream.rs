//! Occupancy now, as a stream of server-sent events: one at once, then one a change.

use std::sync::Arc;
use std::time::Duration;

use axum::extract;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{IntervalStream, WatchStream};

use super::caller::Still;
use super::live::{LiveAnswer, nothing_yet};
use super::{Problem, State};

/// The most streams that are open at once.
pub(super) const STREAMS_MAX: usize = 256;
/// A stream ends after this many seconds at most: its client comes back by itself, and is looked at anew.
const STREAM_SECS_MAX: u64 = 3_600;
/// Seconds between the comments that keep a quiet stream open.
const KEEP_ALIVE_SECS: u64 = 15;

/// What the system may keep of an answer for a client that does not read, bytes. Linux doubles it, and without it goes up to
/// four megabytes. What it bounds besides is how fast a far client gets an export: two megabytes a second over 100 ms.
const UNREAD_BYTES_MAX: usize = 128 * 1024;

/// Bounds what the system keeps for each client of a listener: its connections have it from there.
///
/// # Errors
/// When the system refuses.
pub fn bounded(listener: TcpListener) -> std::io::Result<TcpListener> {
    rustix::net::sockopt::set_socket_send_buffer_size(&listener, UNREAD_BYTES_MAX)?;
    Ok(listener)
}

/// How many streams may still open.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS_MAX)))
    }
}

/// Occupancy now and at every change, as server-sent events whose data is the answer of `/live`.
///
/// A client that reads slowly skips to the newest; none is kept waiting for it. The stream ends after an hour, and whenever
/// somebody may do less than before: a client comes back, and goes on if it still may.
#[utoipa::path(
    get, operation_id = "live_stream",
    path = "/api/v1/venues/{venue}/live/stream",
    params(("venue" = String, Path, description = "The venue's id")),
    responses(
        (status = 200, description = "A stream of events, each with the answer of `/live` as its data", body = String, content_type = "text/event-stream"),
        (status = 404, description = "No such venue, or nothing of this number in it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn stream(
    extract::State(state): extract::State<State>,
    extract::State(places): extract::State<Places>,
    extract::Extension(Still(still)): extract::Extension<Still>,
    extract::Path(venue): extract::Path<String>,
) -> Result<Response, Problem> {
    let venue = state.venue(&venue)?.clone();
    let watch = state.live.get(&venue.id).cloned().ok_or_else(|| {
        Problem::unavailable("this venue is not being counted just now; try again in a moment")
    })?;
    let place = places.0.try_acquire_owned().map_err(|_| {
        Problem::unavailable(format!(
            "{STREAMS_MAX} streams are open, which is the most; close one, or ask for /live from time to time"
        ))
    })?;
    let clock = state.clock;
    let ended = WatchStream::from_changes(still).map(|()| None);
    let hour = IntervalStream::new(tokio::time::interval(Duration::from_secs(STREAM_SECS_MAX)));
    let events = WatchStream::new(watch).map(move |live| {
        // The place is given back when the stream is dropped, which it is as soon as its client has gone.
        let _held = &place;
        let answer = match live {
            Some(live) => LiveAnswer::new(&venue, &live),
            None => LiveAnswer::new(&venue, &nothing_yet(&venue, clock.now())),
        };
        Some(Event::default().json_data(answer))
    });
    // The first tick of the hour comes at once.
    let over = ended.merge(hour.skip(1).map(|_| None));
    let events = events.chain(tokio_stream::once(None)).merge(over).map_while(|event| event);
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(KEEP_ALIVE_SECS));
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod onlookers;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::stage::Stage;

    const PATH: &str = "/api/v1/venues/mall/live/stream";

    fn value(event: &str) -> serde_json::Value {
        let data = event.strip_prefix("data: ").unwrap().trim_end();
        serde_json::from_str::<serde_json::Value>(data).unwrap()["occupancy"]["value"].clone()
    }

    #[tokio::test]
    async fn the_newest_comes_at_once_and_then_every_change() {
        let stage = Stage::set().await;
        stage.show("2026-11-20T10:00:00+01:00", 100);
        let response = stage.send("GET", PATH, &[("host", "localhost")], "").await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut events = response.into_body().into_data_stream();
        let mut next = async || String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert_eq!(value(&next().await), 100);
        stage.show("2026-11-20T10:00:30+01:00", 105);
        assert_eq!(value(&next().await), 105);
        // Nobody read while these two came: only the newest is told.
        stage.show("2026-11-20T10:01:00+01:00", 110);
        stage.show("2026-11-20T10:01:30+01:00", 115);
        assert_eq!(value(&next().await), 115);
        drop(stage);
        assert!(events.next().await.is_none());
    }

    #[tokio::test]
    async fn streams_are_limited_and_a_gone_client_gives_its_place_back() {
        let stage = Stage::set().await;
        let mut open = Vec::new();
        for _ in 0..STREAMS_MAX {
            open.push(stage.send("GET", PATH, &[("host", "localhost")], "").await);
        }
        let refused = stage.get(PATH).await;
        assert_eq!(refused.status.as_u16(), 503);
        refused.is_problem("256 streams are open");
        open.pop();
        assert_eq!(stage.send("GET", PATH, &[("host", "localhost")], "").await.status().as_u16(), 200);
    }
}

#![doc = include_str!("README.md")]

mod accounts;
mod alerts;
mod asked;
mod caller;
mod cookie;
mod cross_visits;
mod door_counts;
mod dwell;
mod export;
mod figures;
mod flows;
mod guard;
mod head_counts;
mod limit;
mod live;
mod machines;
mod objections;
mod pages;
mod problem;
mod ranking;
mod rate;
mod report;
mod rules;
#[cfg(test)]
mod rules_tests;
mod sensors;
mod session;
mod sheets;
mod shopper;
mod sign_in;
#[cfg(test)]
mod stage;
mod strangers;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod tokens;
mod tries;
mod typical;
mod venues;
#[cfg(test)]
mod visitors_tests;
mod walk;
mod way;

pub use problem::Problem;
pub use shopper::poster::{NotPrinted, Poster};
pub use strangers::Strangers;
pub use stream::bounded;
pub use tls::{Tls, TlsError, speech};
pub use token::{Access, Token};
pub use way::{Entrance, Peer};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use passant_wire::Id;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::limit::Limit;
use self::rate::Steady;
use self::tries::Tries;
use crate::clock::Machine;
use crate::config::{Public, Retention, Venue};
use crate::desk::Desk;
use crate::ledger::Ledger;
use crate::office::{Accounts, HeadCounts};
use crate::release::Live;
use crate::store::Store;
use crate::telemetry::Tally;
use crate::walk::Board;

/// The most bytes a request's body may have.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest a request may take until its answer begins, seconds.
pub const REQUEST_SECS_MAX: u64 = 30;

/// Pages load and ask nothing but their own server, send their forms nowhere else, and stand in nobody's frame. Their icon is
/// in them.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The newest judged occupancy of each venue, by its id; `None` until the first half-minute has closed.
pub type LiveFigures = Arc<BTreeMap<Id, watch::Receiver<Option<Arc<Live>>>>>;

/// What the API answers from.
#[derive(Clone, Debug)]
pub struct State {
    /// The configured venues.
    pub venues: Arc<Vec<Venue>>,
    /// The judged figures.
    pub store: Store,
    /// The head counts.
    pub head_counts: HeadCounts,
    /// Who may come in.
    pub accounts: Accounts,
    /// Where a visitor says no.
    pub desk: Desk,
    /// What was made, wiped and purged, and when.
    pub ledger: Ledger,
    /// How long figures are kept.
    pub retention: Retention,
    /// The newest judged occupancy.
    pub live: LiveFigures,
    /// Who publishes and is not configured.
    pub strangers: Strangers,
    /// Where devices that are nobody's are carried.
    pub walks: Arc<BTreeMap<Id, Board>>,
    /// The program's counters.
    pub tally: Tally,
    /// The machine's clock.
    pub clock: Machine,
}

/// What handlers draw from: the state, and how many streams may still open.
#[derive(Clone)]
struct Served {
    state: State,
    streams: stream::Places,
    tries: Tries,
    exports: export::Places,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Passant",
    description = "Judged figures of the people in a venue. Times are RFC 3339 with the venue's offset. Figures about \
                   fewer than k people are held back. Errors are problem details (RFC 9457). On a loopback address, and until \
                   there is an account, nobody need sign in, and a request whose Host is not a name of the server's own \
                   machine is answered with 403, whatever its path. Otherwise a request without a session's cookie or an \
                   API token (`Authorization: Bearer …`) is answered with 401; one whose role in the venue is too low \
                   with 403, and one without any role there with 404, as if there were no such venue."
))]
struct Document;

/// The API of a server, for those who may ask.
pub fn router(state: State, access: Access) -> axum::Router {
    let entrance = match &access {
        Access::Accounts(entrance) => entrance.clone(),
        _ => Entrance::behind(&[]),
    };
    let (router, document) = resources().merge(for_visitors()).split_for_parts();
    // Serialising a value that holds nothing but text and numbers does not fail.
    let document: Arc<str> = document.to_pretty_json().unwrap_or_default().into();
    let document = move || async move {
        ([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response()
    };
    let no_store = HeaderValue::from_static("no-store");
    let router = router
        .route("/api/openapi.json", get(document))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, no_store))
        .merge(pages::routes())
        .merge(report::routes())
        .merge(shopper::routes())
        .merge(sign_in::routes());
    behind_the_guard(router, state, access, entrance)
}

/// What visitors' telephones may ask for, and nothing else.
pub fn visitors(state: State, public: &Public) -> axum::Router {
    let entrance = Entrance::behind(&public.trusted_proxies);
    let host = public.url.as_deref().and_then(|url| url.split_once("://"));
    let access = Access::Visitors(host.map(|(_, host)| host.into()));
    let (router, _) = for_visitors().split_for_parts();
    behind_the_guard(router.merge(pages::icon()).merge(shopper::routes()), state, access, entrance)
}

/// What stands between every request and what answers it.
fn behind_the_guard(
    router: axum::Router<Served>,
    state: State,
    access: Access,
    entrance: Entrance,
) -> axum::Router {
    let clock = state.clock;
    let (limit, tries) = (Limit::new(Steady(clock)), Tries::new(Steady(clock)));
    let must_be_unheard = matches!(access, Access::Accounts(_));
    let asking = (access.clone(), state.clone());
    let served =
        Served { state, streams: stream::Places::default(), tries, exports: export::Places::default() };
    let always = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let router = router
        .with_state(served)
        // The last layer is the first that a request meets.
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(from_fn_with_state(Duration::from_secs(REQUEST_SECS_MAX), in_time))
        .layer(from_fn_with_state(limit, limit::held))
        .layer(from_fn_with_state(asking, caller::allowed))
        .layer(from_fn_with_state(access, guard::meant_for_this_machine));
    let router = match must_be_unheard {
        true => router.layer(from_fn_with_state(entrance, way::unheard)),
        false => router.layer(from_fn_with_state(entrance, way::noted)),
    };
    router
        .layer(from_fn(problem::dress))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(from_fn_with_state(clock, log))
        .layer(from_fn(and_no_more))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(always(header::REFERRER_POLICY, "no-referrer"))
        .layer(always(header::CACHE_CONTROL, "no-store"))
        // Streams of events are left as they are: an event must not wait for a block to fill.
        .layer(CompressionLayer::new())
}

fn resources() -> OpenApiRouter<Served> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(venues::list))
        .routes(routes!(venues::one))
        .routes(routes!(live::now))
        .routes(routes!(stream::stream))
        .routes(routes!(figures::series))
        .routes(routes!(alerts::list))
        .routes(routes!(export::table))
        .routes(routes!(flows::matrix))
        .routes(routes!(flows::total))
        .routes(routes!(cross_visits::matrix))
        .routes(routes!(cross_visits::mean))
        .routes(routes!(dwell::bands))
        .routes(routes!(ranking::ranking))
        .routes(routes!(typical::typical))
        .routes(routes!(sensors::list))
        .routes(routes!(strangers::list))
        .routes(routes!(walk::now))
        .routes(routes!(head_counts::list, head_counts::add))
        .routes(routes!(head_counts::remove))
        .routes(routes!(door_counts::list, door_counts::add))
        .routes(routes!(door_counts::remove))
        .routes(routes!(session::myself, session::sign_in, session::change_password, session::sign_out))
        .routes(routes!(accounts::list, accounts::add))
        .routes(routes!(accounts::change, accounts::remove))
        .routes(routes!(tokens::list, tokens::add))
        .routes(routes!(tokens::remove))
        .routes(routes!(machines::readyz))
        .routes(routes!(machines::metrics))
}

/// What an operator and a visitor may both ask for.
fn for_visitors() -> OpenApiRouter<Served> {
    OpenApiRouter::new()
        .routes(routes!(objections::add))
        .routes(routes!(objections::standing, objections::withdraw))
        .routes(routes!(machines::healthz))
}

impl State {
    /// The venue of an id.
    fn venue(&self, id: &str) -> Result<&Venue, Problem> {
        self.venues
            .iter()
            .find(|venue| venue.id.as_str() == id && !self.store.is_shut(&venue.id))
            .ok_or_else(Problem::no_venue)
    }

    /// The newest judged occupancy of a venue.
    fn newest(&self, venue: &Venue) -> Option<Arc<Live>> {
        self.live.get(&venue.id).and_then(|live| live.borrow().clone())
    }
}

impl FromRef<Served> for State {
    fn from_ref(served: &Served) -> Self {
        served.state.clone()
    }
}

impl FromRef<Served> for stream::Places {
    fn from_ref(served: &Served) -> Self {
        served.streams.clone()
    }
}

impl FromRef<Served> for Tries {
    fn from_ref(served: &Served) -> Self {
        served.tries.clone()
    }
}

impl FromRef<Served> for export::Places {
    fn from_ref(served: &Served) -> Self {
        served.exports.clone()
    }
}

/// Breaks off a request whose answer does not begin in time.
async fn in_time(
    axum::extract::State(longest): axum::extract::State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(longest, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("the answer took too long; ask for less, or try again in a moment")
            .into_response(),
    }
}

/// Ends the connection after a request that may hold an address: the room that it was read into would be kept as long as
/// the browser keeps its end open, into the next day.
async fn and_no_more(request: Request, next: Next) -> Response {
    let may_hold_one = !matches!(*request.method(), Method::GET | Method::HEAD)
        || ["/opt-out", "/api/v1/opt-outs"].iter().any(|path| request.uri().path().starts_with(path));
    let mut response = next.run(request).await;
    if may_hold_one {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Logs what a request was for, never its URI: the matched route holds no value of the client's.
async fn log(
    axum::extract::State(clock): axum::extract::State<Machine>,
    request: Request,
    next: Next,
) -> Response {
    let started = clock.steady();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    // A method may be any word of the client's, so only those that HTTP names are written.
    let method = guard::named(&method);
    let latency_ms = clock.steady().0 - started.0;
    tracing::debug!(route, method, status = response.status().as_u16(), latency_ms, "answered");
    response
}

//! What one must be to ask for what: one row a route and method. What has no row is refused to everybody.

use axum::http::{HeaderValue, Method};
use passant_wire::Id;

use super::caller::Caller;
use crate::office::Role;

/// What one must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anybody. A shopper who says no has no account, and machines ask whether the server lives.
    Nothing,
    /// Anybody who is known, whatever they may do.
    Known,
    /// This role, or a higher one, in one venue at least.
    Somewhere(Role),
    /// This role, or a higher one, in the venue that the path names.
    There(Role),
    /// This role, or a higher one, in every venue.
    Everywhere(Role),
}

use Needs::{Everywhere, Known, Nothing, Somewhere, There};
use Role::{Admin, Operator, Viewer};

/// Every route. A route that ends in a star is all that lies right below it.
pub(super) const RULES: &[(&str, &str, Needs)] = &[
    ("GET", "/healthz", Nothing),
    ("GET", "/readyz", Nothing),
    ("GET", "/opt-out", Nothing),
    ("POST", "/opt-out", Nothing),
    ("GET", "/opt-out/receipt/{code}", Nothing),
    ("POST", "/opt-out/receipt/{code}", Nothing),
    ("GET", "/privacy/{venue}", Nothing),
    ("POST", "/api/v1/opt-outs", Nothing),
    ("GET", "/api/v1/opt-outs/{receipt}", Nothing),
    ("DELETE", "/api/v1/opt-outs/{receipt}", Nothing),
    ("GET", "/assets/shopper.css", Nothing),
    ("GET", "/assets/icon.svg", Nothing),
    ("GET", "/login", Nothing),
    ("POST", "/login", Nothing),
    ("POST", "/logout", Nothing),
    ("GET", "/setup/{key}", Nothing),
    ("POST", "/setup/{key}", Nothing),
    ("POST", "/api/v1/session", Nothing),
    ("GET", "/api/v1/session", Known),
    ("PATCH", "/api/v1/session", Known),
    ("DELETE", "/api/v1/session", Known),
    ("GET", "/", Known),
    ("GET", "/venues", Known),
    ("GET", "/assets/*", Known),
    ("GET", "/api/openapi.json", Known),
    ("GET", "/api/v1/venues", Known),
    ("GET", "/venues/{venue}", There(Viewer)),
    ("GET", "/venues/{venue}/{page}", There(Viewer)),
    ("GET", "/venues/{venue}/report", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/live", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/live/stream", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/figures", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/flows", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/flows/total", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/cross-visits", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/cross-visits/mean", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/dwell", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/ranking", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/typical", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/alerts", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/export/{table}", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/sensors", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/strangers", There(Viewer)),
    ("GET", "/api/v1/venues/{venue}/walk", There(Operator)),
    ("GET", "/api/v1/venues/{venue}/head-counts", There(Viewer)),
    ("POST", "/api/v1/venues/{venue}/head-counts", There(Operator)),
    ("DELETE", "/api/v1/venues/{venue}/head-counts/{id}", There(Operator)),
    ("GET", "/api/v1/venues/{venue}/door-counts", There(Viewer)),
    ("POST", "/api/v1/venues/{venue}/door-counts", There(Operator)),
    ("DELETE", "/api/v1/venues/{venue}/door-counts/{door}", There(Operator)),
    ("GET", "/metrics", Everywhere(Viewer)),
    ("GET", "/api/v1/accounts", Somewhere(Admin)),
    ("POST", "/api/v1/accounts", Somewhere(Admin)),
    ("PATCH", "/api/v1/accounts/{id}", Somewhere(Admin)),
    ("DELETE", "/api/v1/accounts/{id}", Somewhere(Admin)),
    ("GET", "/api/v1/tokens", Somewhere(Admin)),
    ("POST", "/api/v1/tokens", Somewhere(Admin)),
    ("DELETE", "/api/v1/tokens/{id}", Somewhere(Admin)),
];

/// What the table says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// Whoever fits this may ask.
    Whoever(Needs),
    /// The route takes other methods only: these; and whoever fits this may know it.
    Otherwise(Needs, HeaderValue),
    /// The route has no row.
    Nowhere,
}

/// How a caller stands to what is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Fits,
    /// They may ask for less in this place.
    Below,
    /// They have no business there: to them there is no such venue.
    Stranger,
}

/// Looks a route up. A HEAD is a GET whose body nobody wants.
pub(super) fn of(method: &Method, route: &str) -> Ruling {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let is_route = |named: &str| match named.strip_suffix('*') {
        None => named == route,
        Some(above) => route.strip_prefix(above).is_some_and(|below| !below.contains('/')),
    };
    // A route of its own comes before a star.
    let rows = || RULES.iter().filter(|(_, named, _)| is_route(named));
    if let Some((_, _, needs)) = rows().find(|(named, _, _)| *named == method.as_str()) {
        return Ruling::Whoever(*needs);
    }
    let methods: Vec<&str> =
        rows().map(|(named, _, _)| if *named == "GET" { "GET,HEAD" } else { *named }).collect();
    let least = if rows().any(|(_, _, needs)| *needs == Nothing) { Nothing } else { Known };
    match HeaderValue::from_str(&methods.join(",")) {
        Ok(allow) if !methods.is_empty() => Ruling::Otherwise(least, allow),
        _ => Ruling::Nowhere,
    }
}

impl Needs {
    /// How somebody stands to this, in the venue that the path names.
    pub(super) fn standing(self, caller: &Caller, venue: Option<&str>) -> Standing {
        let roles = &caller.roles;
        let enough =
            |has: Option<Role>, least| if has >= Some(least) { Standing::Fits } else { Standing::Below };
        match self {
            Nothing | Known => Standing::Fits,
            Somewhere(least) => enough(roles.highest(), least),
            Everywhere(least) => enough(roles.everywhere_role(), least),
            There(least) => match venue.and_then(Id::parse).and_then(|venue| roles.at(&venue)) {
                None => Standing::Stranger,
                has => enough(has, least),
            },
        }
    }
}

//! How the API says no: problem details (RFC 9457), always with what to do about it.
//!
//! A detail never repeats what the client sent, and never what the database said.

use std::any::Any;

use axum::extract::Request;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::desk;
use crate::office;
use crate::store;

/// The content type of every error.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";
/// Seconds after which a client that was refused for want of room should ask again.
const RETRY_AFTER_SECS: u64 = 2;

/// What went wrong, and what to do about it.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind of problem it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong and what to do.
    detail: String,
    /// After how many seconds to ask again, for the header that says so.
    #[serde(skip)]
    retry_after_secs: Option<u64>,
}

impl Problem {
    /// A problem of a status.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            retry_after_secs: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_SECS),
        }
    }

    /// A problem of which no more is known than its status.
    pub(super) fn of(status: StatusCode) -> Self {
        Self::new(status, what_to_do(status))
    }

    /// A body that was refused, with an example of what to send. What was sent is not repeated.
    pub(super) fn of_body(rejection: &JsonRejection, example: &str) -> Self {
        match rejection.status() {
            status @ StatusCode::PAYLOAD_TOO_LARGE => Self::of(status),
            status @ StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(status, example),
            _ => Self::bad_request(format!("the body does not read; {example}")),
        }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A fault of the server's.
    pub(super) fn fault() -> Self {
        Self::of(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The venue is none, or none for whoever asks: the same is said.
    pub(super) fn no_venue() -> Self {
        Self::not_found("no such venue; GET /api/v1/venues lists those there are")
    }

    /// Something was asked too often; another may come after some seconds.
    pub(super) fn too_often(detail: impl Into<String>, secs: u64) -> Self {
        Self { retry_after_secs: Some(secs), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// After how many seconds to ask again.
    pub(super) fn retry_after_secs(&self) -> Option<u64> {
        self.retry_after_secs
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_secs = self.retry_after_secs;
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if let Some(secs) = retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

impl From<desk::Error> for Problem {
    fn from(error: desk::Error) -> Self {
        match error {
            desk::Error::NotAnAddress(wrong) => Self::bad_request(wrong.to_string()),
            desk::Error::Store(error) => error.into(),
            error => {
                tracing::error!(%error, "the desk could not do what was asked");
                Self::unavailable(error.to_string())
            }
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the store did not answer");
        Self::unavailable(
            "the database did not answer; try again in a moment, and see the server's log if it stays so",
        )
    }
}

impl From<office::Error> for Problem {
    fn from(error: office::Error) -> Self {
        use office::Error;
        let status = match error {
            Error::Store(error) => return error.into(),
            Error::Venue | Error::Unknown | Error::NoAccount | Error::NoToken | Error::NoDoor => {
                StatusCode::NOT_FOUND
            }
            Error::Overlap(_)
            | Error::Full
            | Error::Taken
            | Error::LastAdmin
            | Error::Crowded
            | Error::DoorDiffers(_)
            | Error::DoorsFull
            | Error::DoorHoursFull => StatusCode::CONFLICT,
            Error::Untold | Error::Busy | Error::BrokenOff => StatusCode::SERVICE_UNAVAILABLE,
            Error::Beyond | Error::SetUpOver => StatusCode::FORBIDDEN,
            Error::Zone(_)
            | Error::Backwards
            | Error::Edge { .. }
            | Error::Long { .. }
            | Error::People
            | Error::Door
            | Error::DoorHours
            | Error::DoorEdge { .. }
            | Error::DoorPeople
            | Error::DoorAhead
            | Error::Name
            | Error::Label
            | Error::Place
            | Error::PasswordShort
            | Error::PasswordLong
            | Error::PasswordEasy => StatusCode::BAD_REQUEST,
            Error::Hashing | Error::NoChance(_) | Error::Ledger(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the office could not do what was asked"
                );
                return Self::unavailable(
                    "the server could not do this just now; try again, and see its log if it stays so",
                );
            }
        };
        Self::new(status, error.to_string())
    }
}

/// Turns errors that were not made here (an unknown route, a wrong method, a body over the limit) into problems.
pub(super) async fn dress(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    // A page for people says what is wrong itself; the framework's own errors are plain text.
    let content_type = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if !is_error || content_type == CONTENT_TYPE.as_bytes() || content_type.starts_with(b"text/html") {
        return response;
    }
    let mut dressed = Problem::of(status).into_response();
    if let Some(allowed) = response.headers().get(header::ALLOW) {
        dressed.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    dressed
}

/// The answer of a handler that panicked. The panic's words may hold anything, so they are neither sent nor logged.
pub(super) fn panicked(_words: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler of the API panicked");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "a fault of the server's; try again, and report it if it comes back",
    )
    .into_response()
}

fn what_to_do(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "nothing is here; /api/openapi.json lists every path",
        StatusCode::METHOD_NOT_ALLOWED => {
            "this path does not take this method; the Allow header lists those it takes"
        }
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large; at most 64 KiB are taken",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "send the body as application/json",
        status if status.is_client_error() => {
            "the request does not read; /api/openapi.json says what this path takes"
        }
        _ => "a fault of the server's; try again in a moment",
    }
}

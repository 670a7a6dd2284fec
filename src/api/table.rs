//! JSON or CSV, as the client asks.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Problem;

/// What the client would rather read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// JSON, unless it says otherwise.
    Json,
    /// Comma-separated values with a header line.
    Csv,
}

/// An answer that is also a table.
pub(super) trait Table: serde::Serialize {
    /// The header line.
    const COLUMNS: &'static [&'static str];

    /// The lines, each as long as the header; what is null in JSON is empty.
    fn rows(&self) -> Vec<Vec<String>>;
}

/// Answers in the format that was asked for.
pub(super) fn answer<T: Table>(format: Format, body: &T) -> Response {
    let vary = [(header::VARY, "Accept")];
    match format {
        Format::Json => (vary, axum::Json(body)).into_response(),
        Format::Csv => match write(body) {
            Ok(text) => (vary, [(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response(),
            Err(_) => {
                tracing::error!("an answer could not be written as CSV");
                let detail = "the table could not be written; ask for application/json";
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
            }
        },
    }
}

/// A number, or nothing.
pub(super) fn cell<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

impl Format {
    /// The best of what an Accept header lists; of equals the first.
    fn of(accept: &str) -> Self {
        let mut best = (Self::Json, 0.0);
        for part in accept.split(',') {
            let mut words = part.split(';').map(str::trim);
            let format = match words.next().unwrap_or_default() {
                "text/csv" => Self::Csv,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let weight = words.find_map(|word| word.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
            match weight {
                Ok(weight) if weight > best.1 => best = (format, weight),
                _ => {}
            }
        }
        best.0
    }
}

impl<S: Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        Ok(accept.map_or(Self::Json, Self::of))
    }
}

fn write<T: Table>(body: &T) -> Result<Vec<u8>, csv::Error> {
    let header = T::COLUMNS.iter().map(|column| (*column).to_owned()).collect();
    lines(std::iter::once(header).chain(body.rows()))
}

/// Rows as comma-separated values, a line each.
pub(super) fn lines(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses() {
        for (accept, format) in [
            ("text/csv", Format::Csv),
            ("text/csv, application/json", Format::Csv),
            ("application/json, text/csv", Format::Json),
            ("application/json;q=0.5, text/csv; q=0.9", Format::Csv),
            ("text/csv;q=0, */*", Format::Json),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Json),
            ("text/csv;q=lots", Format::Json),
            ("", Format::Json),
        ] {
            assert_eq!(Format::of(accept), format, "{accept}");
        }
    }
}

//! What a browser keeps for the server. No script can read it, and no other site's form sends it.

use axum::http::{HeaderMap, HeaderValue, header};

use super::way::Wire;

/// A cookie, by its name on a wire that is sealed and on one that is not. The prefix has browsers refuse it from anybody
/// but this host itself, under TLS.
pub(super) struct Cookie {
    sealed: &'static str,
    open: &'static str,
    /// How long a browser keeps it, seconds; without it until the browser is closed.
    keep_secs: Option<i64>,
}

/// The secret of a session.
pub(super) const SESSION: Cookie = Cookie {
    sealed: "__Host-passant-session",
    open: "passant-session",
    keep_secs: Some(crate::office::SESSION_SECS),
};
/// What a form that was given here says again when it is sent.
pub(super) const FORM: Cookie =
    Cookie { sealed: "__Host-passant-form", open: "passant-form", keep_secs: None };

impl Cookie {
    fn name(&self, wire: Wire) -> &'static str {
        if wire == Wire::Sealed { self.sealed } else { self.open }
    }

    /// What a browser has kept.
    pub(super) fn of<'a>(&self, headers: &'a HeaderMap, wire: Wire) -> Option<&'a str> {
        values(headers, self.name(wire)).next()
    }

    /// Has a browser keep something; its letters and digits are a header's as they are.
    pub(super) fn keep(&self, wire: Wire, secret: &str) -> Option<HeaderValue> {
        let age = self.keep_secs.map(|secs| format!("; Max-Age={secs}")).unwrap_or_default();
        self.write(wire, secret, &age)
    }

    /// Has a browser forget it.
    pub(super) fn forget(&self, wire: Wire) -> Option<HeaderValue> {
        self.write(wire, "", "; Max-Age=0")
    }

    fn write(&self, wire: Wire, value: &str, age: &str) -> Option<HeaderValue> {
        let name = self.name(wire);
        let secure = if wire == Wire::Sealed { "; Secure" } else { "" };
        // Lax, so that a link to a page of the dashboard opens it: nothing is changed by following a link.
        let mut header =
            HeaderValue::from_str(&format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/{secure}{age}"))
                .ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// Every value that a browser sends under a name.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(said, _)| *said == name).map(|(_, value)| value)
}

//! The pages: what is looked at, from inside the program.
//!
//! Their sources are in `dashboards/`. The modules of a page are given as one script, so that a cold cache costs one
//! request instead of one a module; `Module` says what such a module may look like.

use std::sync::LazyLock;

use axum::Router;
use axum::extract;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{Problem, Served, State};

/// A file that is given as it is here.
pub(super) struct Asset {
    path: &'static str,
    content_type: &'static str,
    text: String,
    tag: HeaderValue,
}

/// A source of the script: `import` and `export` stand at the start of a line, each import on one line of its own.
struct Module {
    name: &'static str,
    text: &'static str,
}

macro_rules! source {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards/", $name))
    };
}
pub(super) use source;

macro_rules! modules {
    ($($name:literal),+ $(,)?) => { &[$(Module { name: $name, text: source!($name) }),+] };
}

/// What the page is made of, each module after those that it imports.
const MODULES: &[Module] = modules![
    "words.js",
    "server.js",
    "markup.js",
    "states.js",
    "geometry.js",
    "plan.js",
    "curve.js",
    "sensors.js",
    "now.js",
    "page.js",
];
/// The one script that stays apart: large, and of another's making.
const UPLOT: &str = "/assets/uplot.js";
/// The icon of every page.
pub(super) const ICON: &str = "/assets/icon.svg";
/// A browser may keep what it has, and asks each time whether it is still the same.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

static PAGE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("/", "text/html; charset=utf-8", source!("page.html").to_owned()));

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let style =
        concat!(source!("vendor/uplot/uPlot.min.css"), "\n", source!("palette.css"), source!("page.css"));
    let uplot = concat!(source!("vendor/uplot/uPlot.iife.min.js"), "\nexport default uPlot;\n");
    vec![
        Asset::new("/assets/page.css", "text/css; charset=utf-8", style.to_owned()),
        Asset::new("/assets/page.js", SCRIPT, joined(MODULES)),
        Asset::new(UPLOT, SCRIPT, uplot.to_owned()),
        Asset::new(ICON, "image/svg+xml", source!("icon.svg").to_owned()),
    ]
});

/// The routes of the pages and of what they are made of.
pub(super) fn routes() -> Router<Served> {
    let mut router = Router::new().route("/", get(first)).route("/venues/{venue}", get(of_venue));
    for asset in ASSETS.iter() {
        router = router.route(asset.path, get(async |headers: HeaderMap| asset.answer(&headers)));
    }
    router
}

/// The icon alone.
pub(super) fn icon() -> Router<Served> {
    let icon = ASSETS.iter().filter(|asset| asset.path == ICON);
    icon.fold(Router::new(), |router, asset| {
        router.route(ICON, get(async |headers: HeaderMap| asset.answer(&headers)))
    })
}

async fn first(headers: HeaderMap) -> Response {
    PAGE.answer(&headers)
}

async fn of_venue(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    state.venue(&venue)?;
    Ok(PAGE.answer(&headers))
}

impl Asset {
    pub(super) fn new(path: &'static str, content_type: &'static str, text: String) -> Self {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        // Weak: the same text goes out compressed and as it is.
        let tag = HeaderValue::from_str(&format!("W/\"{}\"", &hash[..16]));
        Self { path, content_type, text, tag: tag.unwrap_or(HeaderValue::from_static("W/\"0\"")) }
    }

    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let kept = [(header::ETAG, self.tag.clone()), (header::CACHE_CONTROL, ASK_AGAIN)];
        if self.is_known(headers) {
            return (StatusCode::NOT_MODIFIED, kept).into_response();
        }
        (kept, [(header::CONTENT_TYPE, self.content_type)], self.text.clone()).into_response()
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
        tags.flat_map(|tags| tags.split(',')).any(|tag| tag.trim().as_bytes() == self.tag.as_bytes())
    }
}

/// One script out of modules. Names are unique among them (a test looks), so nothing has to be renamed.
fn joined(modules: &[Module]) -> String {
    let mut script = format!("import uPlot from \"{UPLOT}\";\n");
    for module in modules {
        script.push_str(&format!("// {}\n", module.name));
        for line in module.text.lines().filter(|line| !line.starts_with("import ")) {
            script.push_str(line.strip_prefix("export ").unwrap_or(line));
            script.push('\n');
        }
    }
    script
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;

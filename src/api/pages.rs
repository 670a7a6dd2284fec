//! The pages: what is looked at, from inside the program.
//!
//! Their sources are in `dashboards/`. Every page has the same shell, a main part of its own, and its modules as one script,
//! so that a cold cache costs one request instead of one a module; `Module` says what such a module may look like.

use std::sync::LazyLock;

use axum::Router;
use axum::extract;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::caller::{Caller, Who};
use super::{Problem, Served, State};

/// A file that is given as it is here.
pub(super) struct Asset {
    path: String,
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

/// A page of a venue.
struct Page {
    /// Its word in the address.
    name: &'static str,
    /// What stands inside the shell.
    main: &'static str,
    /// Its script, each module after those that it imports.
    modules: &'static [Module],
}

macro_rules! page {
    ($name:literal, $main:literal, $($module:literal),+ $(,)?) => {
        Page { name: $name, main: source!($main), modules: modules![
            "languages/en.js", "languages/fr.js", "words.js", "server.js", "markup.js", "days.js", "shell.js",
            $($module),+
        ] }
    };
}

/// Every page of a venue; the first is the one at `/` and `/venues/{venue}`.
const PAGES: &[Page] = &[
    page![
        "now",
        "now/now.html",
        "states.js",
        "flags.js",
        "chart.js",
        "rove.js",
        "sensor_care.js",
        "alerts.js",
        "csv.js",
        "now/geometry.js",
        "now/plan.js",
        "named_days.js",
        "now/curve.js",
        "now/sensors.js",
        "now/number.js",
        "now/alerts.js",
        "now/page.js",
    ],
    page![
        "traffic",
        "traffic/traffic.html",
        "states.js",
        "flags.js",
        "chart.js",
        "chance.js",
        "series.js",
        "csv.js",
        "controls.js",
        "period.js",
        "named_days.js",
        "series_view.js",
        "heat.js",
        "ranking.js",
        "totals.js",
        "traffic/contrast.js",
        "traffic/groups.js",
        "traffic/changes.js",
        "traffic/occasions.js",
        "traffic/page.js",
    ],
    page![
        "dwell",
        "dwell/dwell.html",
        "states.js",
        "flags.js",
        "chart.js",
        "chance.js",
        "series.js",
        "csv.js",
        "controls.js",
        "period.js",
        "named_days.js",
        "series_view.js",
        "heat.js",
        "ranking.js",
        "totals.js",
        "dwell/bands.js",
        "dwell/page.js",
    ],
    page![
        "flows",
        "flows/flows.html",
        "states.js",
        "flags.js",
        "csv.js",
        "controls.js",
        "period.js",
        "ranking.js",
        "rove.js",
        "flows/sankey.js",
        "flows/matrix.js",
        "flows/page.js",
    ],
    page![
        "sensors",
        "sensors/sensors.html",
        "flags.js",
        "csv.js",
        "sensor_care.js",
        "sensors/walk.js",
        "sensors/page.js"
    ],
    page![
        "calibration",
        "calibration/calibration.html",
        "states.js",
        "flags.js",
        "chart.js",
        "chance.js",
        "series.js",
        "csv.js",
        "controls.js",
        "named_days.js",
        "series_view.js",
        "calibration/learnt.js",
        "calibration/tally.js",
        "calibration/balance.js",
        "calibration/doors.js",
        "calibration/page.js",
    ],
    page![
        "privacy",
        "privacy/privacy.html",
        "chance.js",
        "series.js",
        "csv.js",
        "period.js",
        "privacy/page.js"
    ],
    page![
        "settings",
        "settings/settings.html",
        "states.js",
        "alerts.js",
        "settings/grants.js",
        "settings/keys.js",
        "settings/password.js",
        "settings/rules.js",
        "settings/page.js",
    ],
];
/// The page of all venues side by side, at `/venues`.
const ALL_VENUES: Page = page![
    "venues",
    "venues/venues.html",
    "states.js",
    "flags.js",
    "chance.js",
    "series.js",
    "csv.js",
    "controls.js",
    "sensor_care.js",
    "totals.js",
    "venues/turns.js",
    "venues/standing.js",
    "venues/cells.js",
    "venues/page.js",
];
/// The one script that stays apart: large, and of another's making.
const UPLOT: &str = "/assets/uplot.js";
/// What is said of a page that there is not.
const NO_PAGE: &str =
    "no such page; there are now, traffic, dwell, flows, sensors, calibration, privacy and settings";
/// The icon of every page.
pub(super) const ICON: &str = "/assets/icon.svg";
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// A browser may keep what it has, and asks each time whether it is still the same.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The outlines, in the order of the pages.
static OUTLINES: LazyLock<Vec<Outline>> = LazyLock::new(|| PAGES.iter().map(Outline::of).collect());

/// A page's outline: whoever is signed in finds the way out on it, without a question more.
struct Outline {
    signed_in: Asset,
    others: Asset,
}

/// The outline of the page of all venues.
static ALL_OUTLINE: LazyLock<Outline> = LazyLock::new(|| Outline::of(&ALL_VENUES));

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let style = concat!(
        source!("vendor/uplot/uPlot.min.css"),
        "\n",
        source!("palette.css"),
        source!("shell.css"),
        source!("now/now.css"),
        source!("report.css")
    );
    let uplot = concat!(source!("vendor/uplot/uPlot.iife.min.js"), "\nexport default uPlot;\n");
    let mut assets = vec![
        Asset::new("/assets/page.css", "text/css; charset=utf-8", style.to_owned()),
        Asset::new(UPLOT, SCRIPT, uplot.to_owned()),
        Asset::new(ICON, "image/svg+xml", source!("icon.svg").to_owned()),
    ];
    assets.extend(every_page().map(|page| Asset::new(page.path(), SCRIPT, joined(page.modules))));
    assets
});

/// The pages of a venue, and that of all of them.
fn every_page() -> impl Iterator<Item = &'static Page> {
    PAGES.iter().chain([&ALL_VENUES])
}

/// The routes of the pages and of what they are made of.
pub(super) fn routes() -> Router<Served> {
    let mut router = Router::new()
        .route("/", get(first))
        .route("/venues", get(all_venues))
        .route("/venues/{venue}", get(of_venue))
        .route("/venues/{venue}/{page}", get(page_of_venue));
    for asset in ASSETS.iter() {
        router = router.route(&asset.path, get(async |headers: HeaderMap| asset.answer(&headers)));
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

async fn first(caller: Option<extract::Extension<Caller>>, headers: HeaderMap) -> Response {
    OUTLINES[0].answer(caller, &headers)
}

async fn all_venues(caller: Option<extract::Extension<Caller>>, headers: HeaderMap) -> Response {
    ALL_OUTLINE.answer(caller, &headers)
}

async fn of_venue(
    extract::State(state): extract::State<State>,
    extract::Path(venue): extract::Path<String>,
    caller: Option<extract::Extension<Caller>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    state.venue(&venue)?;
    Ok(OUTLINES[0].answer(caller, &headers))
}

async fn page_of_venue(
    extract::State(state): extract::State<State>,
    extract::Path((venue, page)): extract::Path<(String, String)>,
    caller: Option<extract::Extension<Caller>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    state.venue(&venue)?;
    let known = PAGES.iter().zip(OUTLINES.iter()).find(|(known, _)| known.name == page);
    let (_, outline) = known.ok_or_else(|| Problem::not_found(NO_PAGE))?;
    Ok(outline.answer(caller, &headers))
}

impl Outline {
    fn of(page: &Page) -> Self {
        Self { signed_in: page.outline(" data-signed-in"), others: page.outline("") }
    }

    fn answer(&self, caller: Option<extract::Extension<Caller>>, headers: &HeaderMap) -> Response {
        match caller.map(|extract::Extension(caller)| caller.who) {
            Some(Who::Account { .. }) => self.signed_in.answer(headers),
            _ => self.others.answer(headers),
        }
    }
}

impl Page {
    fn path(&self) -> String {
        format!("/assets/{}.js", self.name)
    }

    fn draws_curves(&self) -> bool {
        self.modules.iter().any(|module| module.text.contains(UPLOT))
    }

    /// The shell around the page's own part, with what its body says of the reader.
    fn outline(&self, reader: &str) -> Asset {
        let preload = format!("<link rel=\"modulepreload\" href=\"{UPLOT}\">\n");
        let text = source!("shell.html")
            .replace("{preload}\n", if self.draws_curves() { &preload } else { "" })
            .replace("{icon}", &icon_in_place())
            .replace("{page}", self.name)
            .replace("{signed-in}", reader)
            .replace("{main}\n", self.main);
        Asset::new(String::new(), "text/html; charset=utf-8", text)
    }
}

/// The icon as an address that holds it, so that nobody asks for it.
fn icon_in_place() -> String {
    let drawing = source!("icon.svg").trim_end().replace('"', "'").replace('#', "%23");
    format!("data:image/svg+xml,{}", drawing.replace('<', "%3C").replace('>', "%3E"))
}

impl Asset {
    pub(super) fn new(path: impl Into<String>, content_type: &'static str, text: String) -> Self {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        // Weak: the same text goes out compressed and as it is.
        let tag = HeaderValue::from_str(&format!("W/\"{}\"", &hash[..16]));
        Self {
            path: path.into(),
            content_type,
            text,
            tag: tag.unwrap_or(HeaderValue::from_static("W/\"0\"")),
        }
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
    let foreign = format!("import uPlot from \"{UPLOT}\";\n");
    let needs_it = modules.iter().any(|module| module.text.contains(&foreign));
    let mut script = if needs_it { foreign } else { String::new() };
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

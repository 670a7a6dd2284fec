use std::collections::BTreeSet;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::api::stage::Stage;

/// The most that a first view may transfer without its answers of the API, bytes.
const FIRST_VIEW_BYTES_MAX: usize = 76_000;
/// Folders under `dashboards/` that the pages are not made of.
const ELSEWHERE: &[&str] = &["vendor", "report", "shopper", "sign-in", "grafana", "screenshots"];

/// Every page with where it is.
fn every_place() -> impl Iterator<Item = (&'static Page, String)> {
    let of_venue = PAGES.iter().map(|page| (page, format!("/venues/mall/{}", page.name)));
    of_venue.chain([(&ALL_VENUES, "/venues".to_owned())])
}

async fn gzipped(stage: &Stage, path: &str) -> usize {
    let response = stage.send("GET", path, &[("host", "localhost"), ("accept-encoding", "gzip")], "").await;
    assert_eq!(response.headers()["content-encoding"], "gzip", "{path}");
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().len()
}

/// What follows each of some marks up to a quote.
fn quoted<'a>(text: &'a str, marks: &[&str]) -> Vec<&'a str> {
    let after = |mark: &&str| text.split(*mark).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    marks.iter().flat_map(|mark| -> Vec<&str> { after(mark) }).collect()
}

/// The names that a module declares at its top.
fn declared(module: &Module) -> Vec<&str> {
    let name = |line: &'static str| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        let rest =
            ["function ", "const ", "let ", "class "].iter().find_map(|word| line.strip_prefix(word))?;
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    };
    module.text.lines().filter_map(name).collect()
}

/// Every text file of the pages that is ours, by its path under `dashboards/`: what others made, and what shoppers see, is
/// looked at elsewhere.
fn ours() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    let mut folders = vec![folder.clone()];
    let mut files = Vec::new();
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&folder).unwrap().display().to_string();
            if path.is_dir() && !ELSEWHERE.contains(&name.as_str()) {
                folders.push(path);
            } else if ["html", "js", "css", "svg"].iter().any(|kind| name.ends_with(&format!(".{kind}"))) {
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

/// Where a module's import leads, from `dashboards/` on.
fn resolved(module: &str, import: &str) -> String {
    let mut folders: Vec<&str> = module.split('/').collect();
    folders.pop();
    for step in import.split('/') {
        match step {
            "." => {}
            ".." => assert!(folders.pop().is_some(), "{module}: {import} leads outside"),
            name => folders.push(name),
        }
    }
    folders.join("/")
}

/// What a language has words for: the names before a colon, without what stands in quotes.
fn keys(language: &str) -> Vec<String> {
    let unquoted = |text: &str, quote: char| text.split(quote).step_by(2).collect::<Vec<_>>().join(" ");
    let text = unquoted(&unquoted(language, '"'), '`');
    let words = text.split_whitespace().filter_map(|word| word.strip_suffix(':'));
    let names = words.filter(|word| word.chars().all(|c| c.is_alphanumeric() || c == '_'));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_asset_is_served_as_what_it_is() {
    let stage = Stage::set().await;
    for (path, content_type, words) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/venues/mall", "text/html; charset=utf-8", "<!doctype html>"),
        ("/assets/page.css", "text/css; charset=utf-8", ".uplot"),
        ("/venues/mall/now", "text/html; charset=utf-8", "/assets/now.js"),
        ("/venues/mall/traffic", "text/html; charset=utf-8", "/assets/traffic.js"),
        ("/venues/mall/settings", "text/html; charset=utf-8", "/assets/settings.js"),
        ("/venues", "text/html; charset=utf-8", "/assets/venues.js"),
        ("/assets/now.js", "text/javascript; charset=utf-8", "import uPlot from \"/assets/uplot.js\";"),
        ("/assets/sensors.js", "text/javascript; charset=utf-8", "openStillPage"),
        ("/assets/uplot.js", "text/javascript; charset=utf-8", "export default uPlot;"),
        ("/assets/icon.svg", "image/svg+xml", "<svg"),
    ] {
        let answer = stage.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, content_type), "{path}");
        assert!(answer.text.contains(words), "{path}");
        assert_eq!(answer.header("content-security-policy"), crate::api::POLICY, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert!(answer.header("vary").contains("accept-encoding"), "{path}");
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let stage = Stage::set().await;
    for path in ["/", "/assets/now.js"] {
        let first = stage.get(path).await;
        let tag = first.header("etag");
        assert!(tag.starts_with("W/\""), "{tag}");
        let tags = format!("W/\"another\", {tag}");
        for (known, status) in [(tag, 304), (&tags, 304), ("W/\"another\"", 200)] {
            let headers = [("host", "localhost"), ("if-none-match", known)];
            let again = stage.ask("GET", path, &headers, "").await;
            assert_eq!(again.status.as_u16(), status, "{path} {known}");
            assert_eq!(again.header("etag"), tag);
            assert_eq!(again.header("cache-control"), "no-cache");
            assert_eq!(again.text.is_empty(), status == 304);
        }
    }
    assert_ne!(stage.get("/").await.header("etag"), stage.get("/assets/now.js").await.header("etag"));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_and_not_kept() {
    let stage = Stage::set().await;
    for (path, words) in [
        ("/venues/nowhere", "no such venue"),
        ("/assets/nothing.js", "nothing is here"),
        ("/venues/mall/nothing", "no such page; there are now, traffic"),
        ("/venues/nowhere/traffic", "no such venue"),
        ("/venues/mall/traffic/more", "nothing is here"),
        ("/assets/../Cargo.toml", "nothing is here"),
    ] {
        let answer = stage.get(path).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        answer.is_problem(words);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    let rebound = stage.ask("GET", "/", &[("host", "evil.example")], "").await;
    assert_eq!(rebound.status.as_u16(), 403);
}

#[tokio::test]
async fn a_page_asks_for_nothing_that_is_not_here() {
    let stage = Stage::set().await;
    for (page, place) in every_place() {
        let outline = stage.get(&place).await.text;
        let script = stage.get(&page.path()).await.text;
        assert!(!outline.contains('{'), "{}: {outline}", page.name);
        let mut asked: BTreeSet<&str> = quoted(&outline, &["src=\"", "href=\""]).into_iter().collect();
        asked.extend(quoted(&script, &["from \""]));
        asked.retain(|path| !path.starts_with('#') && !path.starts_with("data:image/svg+xml,%3Csvg"));
        assert_eq!(asked.len(), if page.draws_curves() { 3 } else { 2 }, "{}: {asked:?}", page.name);
        for path in asked {
            assert_eq!(stage.get(path).await.status.as_u16(), 200, "{path}");
        }
    }
}

#[tokio::test]
async fn a_first_view_is_small_as_served() {
    let stage = Stage::set().await;
    for (page, place) in every_place() {
        let mut sum = gzipped(&stage, &place).await;
        for path in [&page.path(), "/assets/page.css", UPLOT] {
            sum += gzipped(&stage, path).await;
        }
        assert!(sum < FIRST_VIEW_BYTES_MAX, "{}: {sum} bytes", page.name);
    }
    // What is sent is about as small as it gets: nobody has turned the compression down.
    let mut best = GzEncoder::new(Vec::new(), Compression::best());
    std::io::Write::write_all(&mut best, joined(PAGES[0].modules).as_bytes()).unwrap();
    let best = best.finish().unwrap().len();
    assert!(gzipped(&stage, "/assets/now.js").await < best * 11 / 10);
}

#[tokio::test]
async fn a_stream_is_not_compressed() {
    let stage = Stage::set().await;
    let headers = [("host", "localhost"), ("accept-encoding", "gzip")];
    let stream = stage.send("GET", "/api/v1/venues/mall/live/stream", &headers, "").await;
    assert!(!stream.headers().contains_key("content-encoding"));
    gzipped(&stage, "/api/openapi.json").await;
}

#[test]
fn a_script_is_its_modules_and_no_name_is_taken_twice() {
    for page in every_page() {
        let mut names = BTreeSet::from(["uPlot"]);
        for module in page.modules {
            for name in declared(module) {
                assert!(names.insert(name), "{}: {name} of {} is taken; rename one", page.name, module.name);
            }
        }
        let script = joined(page.modules);
        let imports = script.lines().filter(|line| line.starts_with("import ")).count();
        assert_eq!(imports, usize::from(page.draws_curves()), "{}", page.name);
        assert!(!script.lines().any(|line| line.starts_with("export ")));
    }
}

#[test]
fn a_module_imports_what_an_earlier_one_exports() {
    for page in every_page() {
        for (place, module) in page.modules.iter().enumerate() {
            for line in module.text.lines().filter(|line| line.trim_start().starts_with("import")) {
                if line != format!("import uPlot from \"{UPLOT}\";") {
                    is_exported(page, place, line);
                }
            }
        }
    }
}

/// Asserts that an import line names what an earlier module of the page exports.
fn is_exported(page: &Page, place: usize, line: &str) {
    let module = &page.modules[place];
    let rest = line.strip_prefix("import { ").and_then(|rest| rest.strip_suffix("\";"));
    let (names, from) = rest
        .and_then(|rest| rest.split_once(" } from \""))
        .unwrap_or_else(|| panic!("{}: `{line}` is not an import of names on one line", module.name));
    let from = resolved(module.name, from);
    let earlier = page.modules[..place].iter().find(|other| other.name == from);
    let earlier =
        earlier.unwrap_or_else(|| panic!("{}: {from} does not come before {}", page.name, module.name));
    for name in names.split(", ") {
        let exported = earlier.text.lines().any(|line| {
            line.strip_prefix("export ").is_some_and(|rest| {
                rest.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
            })
        });
        assert!(exported, "{}: {from} exports no {name}", module.name);
    }
}

#[test]
fn a_module_is_used_by_the_pages_that_carry_it() {
    for page in every_page() {
        let last = page.modules.last().unwrap().name;
        for module in page.modules.iter().filter(|module| module.name != last) {
            let file = module.name.rsplit('/').next().unwrap();
            let used = page.modules.iter().any(|other| other.text.contains(&format!("/{file}\";")));
            assert!(used, "{} carries {} for nothing", page.name, module.name);
        }
    }
}

#[test]
fn every_word_of_an_outline_is_in_every_language() {
    let languages = [source!("languages/en.js"), source!("languages/fr.js")];
    let outlines = every_page().map(|page| page.main).chain([source!("shell.html")]);
    for key in outlines.flat_map(|outline| quoted(outline, &["data-word=\"", "data-label=\""])) {
        for language in languages {
            let found = keys(language).iter().any(|known| known == key);
            assert!(found, "{} has no {key}", &language[..20]);
        }
    }
}

#[test]
fn every_language_has_the_same_words() {
    let [english, french] = [source!("languages/en.js"), source!("languages/fr.js")].map(keys);
    assert!(english.len() > 300, "{}", english.len());
    assert_eq!(english, french);
}

#[test]
fn every_source_is_in_the_program() {
    let modules = every_page().flat_map(|page| page.modules).map(|module| module.name.to_owned());
    let outlines = every_page().map(|page| format!("{0}/{0}.html", page.name));
    let others = ["shell.html", "palette.css", "shell.css", "now/now.css", "report.css", "icon.svg"];
    let known: BTreeSet<String> =
        modules.chain(outlines).chain(others.into_iter().map(str::to_owned)).collect();
    for (name, _) in ours() {
        assert!(known.contains(&name), "{name} is never served");
    }
}

#[test]
fn nothing_is_inline_and_nothing_is_foreign() {
    let files = ours();
    assert!(files.len() > 40, "the pages were not found");
    for (path, text) in files {
        let foreign = text.replace("http://www.w3.org/2000/svg", "");
        for words in ["http:", "https:", "//cdn", "\"//", "'//", "@import"] {
            assert!(!foreign.contains(words), "{path} has {words}");
        }
        let lower = text.to_lowercase();
        for words in [
            "<style",
            " style=",
            "javascript:",
            "innerhtml",
            "eval(",
            "new function",
            "document.write",
            "\"data:",
            "(data:",
        ] {
            assert!(!lower.contains(words), "{path} has {words}");
        }
        if path.ends_with(".html") {
            assert!(!lower.contains(" on") || !lower.split(" on").skip(1).any(is_handler), "{path}");
            assert!(lower.split("<script").skip(1).all(|tag| tag.contains("></script>")), "{path}");
        }
    }
}

/// Whether the text behind ` on` makes it an inline handler, like `click=`.
fn is_handler(rest: &str) -> bool {
    rest.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_alphabetic()))
}

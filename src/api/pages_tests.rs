use std::collections::BTreeSet;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::api::stage::Stage;

/// The most that a first view may transfer without its answers of the API, bytes.
const FIRST_VIEW_BYTES_MAX: usize = 60_000;

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

/// Every text file under `dashboards/` that is ours.
fn ours() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let told = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|e| ["html", "js", "css", "svg"].iter().any(|known| e == *known))
    };
    files.filter(told).map(|p| (p.display().to_string(), std::fs::read_to_string(&p).unwrap())).collect()
}

#[tokio::test]
async fn every_asset_is_served_as_what_it_is() {
    let stage = Stage::set().await;
    for (path, content_type, words) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/venues/mall", "text/html; charset=utf-8", "<!doctype html>"),
        ("/assets/page.css", "text/css; charset=utf-8", ".uplot"),
        ("/assets/page.js", "text/javascript; charset=utf-8", "import uPlot from \"/assets/uplot.js\";"),
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
    for path in ["/", "/assets/page.js"] {
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
    assert_ne!(stage.get("/").await.header("etag"), stage.get("/assets/page.js").await.header("etag"));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_and_not_kept() {
    let stage = Stage::set().await;
    for (path, words) in [
        ("/venues/nowhere", "no such venue"),
        ("/assets/nothing.js", "nothing is here"),
        ("/venues/mall/flows", "nothing is here"),
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
async fn the_page_asks_for_nothing_that_is_not_here() {
    let stage = Stage::set().await;
    let page = stage.get("/").await.text;
    let script = stage.get("/assets/page.js").await.text;
    let mut asked: BTreeSet<&str> = quoted(&page, &["src=\"", "href=\""]).into_iter().collect();
    asked.extend(quoted(&script, &["from \""]));
    asked.retain(|path| !path.starts_with('#'));
    assert_eq!(asked.len(), 4, "{asked:?}");
    for path in asked {
        assert_eq!(stage.get(path).await.status.as_u16(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_first_view_is_small_as_served() {
    let stage = Stage::set().await;
    let mut sum = gzipped(&stage, "/").await;
    for asset in ASSETS.iter() {
        sum += gzipped(&stage, asset.path).await;
    }
    assert!(sum < FIRST_VIEW_BYTES_MAX, "{sum} bytes");
    // What is sent is about as small as it gets: nobody has turned the compression down.
    let mut best = GzEncoder::new(Vec::new(), Compression::best());
    std::io::Write::write_all(&mut best, joined(MODULES).as_bytes()).unwrap();
    let best = best.finish().unwrap().len();
    assert!(gzipped(&stage, "/assets/page.js").await < best * 11 / 10);
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
fn the_script_is_its_modules_and_no_name_is_taken_twice() {
    let mut names = BTreeSet::from(["uPlot"]);
    for module in MODULES {
        for name in declared(module) {
            assert!(names.insert(name), "{name} of {} is taken; rename one", module.name);
        }
    }
    let script = joined(MODULES);
    assert_eq!(script.lines().filter(|line| line.starts_with("import ")).count(), 1);
    assert!(!script.lines().any(|line| line.starts_with("export ")));
}

#[test]
fn a_module_imports_what_an_earlier_one_exports() {
    for (place, module) in MODULES.iter().enumerate() {
        for line in module.text.lines().filter(|line| line.trim_start().starts_with("import")) {
            if line == format!("import uPlot from \"{UPLOT}\";") {
                continue;
            }
            let rest = line.strip_prefix("import { ").and_then(|rest| rest.strip_suffix("\";"));
            let (names, from) = rest
                .and_then(|rest| rest.split_once(" } from \"./"))
                .unwrap_or_else(|| panic!("{}: `{line}` is not an import of names on one line", module.name));
            let earlier = MODULES[..place].iter().find(|other| other.name == from);
            let earlier = earlier.unwrap_or_else(|| panic!("{}: {from} does not come earlier", module.name));
            for name in names.split(", ") {
                let exported = earlier.text.lines().any(|line| {
                    line.strip_prefix("export ").is_some_and(|rest| {
                        rest.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
                    })
                });
                assert!(exported, "{}: {from} exports no {name}", module.name);
            }
        }
    }
}

#[test]
fn every_word_of_the_outline_is_among_the_words() {
    let words = MODULES[0].text;
    for key in quoted(source!("page.html"), &["data-word=\"", "data-label=\""]) {
        assert!(words.contains(&format!("\n  {key}: ")), "words.js has no {key}");
    }
}

#[test]
fn every_source_is_in_the_program() {
    let modules = MODULES.iter().map(|module| module.name);
    let known: BTreeSet<&str> = modules.chain(["page.html", "palette.css", "page.css", "icon.svg"]).collect();
    for (path, _) in ours() {
        let name = path.rsplit('/').next().unwrap();
        assert!(known.contains(name), "{name} is never served");
    }
}

#[test]
fn nothing_is_inline_and_nothing_is_foreign() {
    let files = ours();
    assert!(files.len() > 10, "the pages were not found");
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

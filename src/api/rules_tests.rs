//! The table of rules, held against the router: every route has a row, and every role gets what its row says.

use std::collections::BTreeSet;

use axum::http::Method;

use super::rules::{Needs, RULES, Ruling, of};
use super::stage::Stage;
use crate::office::Role;

const HOST: (&str, &str) = ("host", "mall.example");
const FORWARDED: [(&str, &str); 2] = [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")];
/// Where the sources of routes lie.
const SOURCES: [&str; 4] = ["src/api", "src/api/report", "src/api/shopper", "src/api/sign_in"];

/// Every route of the program with its methods, as the sources have them: what is documented, and what a page adds.
fn every_route() -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    let document: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            routes.insert((method.to_uppercase(), path.clone()));
        }
    }
    for folder in SOURCES {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            let is_source =
                file.extension().is_some_and(|end| end == "rs") && !file.to_string_lossy().contains("tests");
            let text = if is_source { std::fs::read_to_string(&file).unwrap() } else { String::new() };
            let live = text.split("\nmod tests {").next().unwrap_or_default();
            for route in live.split(".route(\"").skip(1) {
                let (path, verbs) = route.split_once('"').unwrap();
                let verbs = verbs.lines().next().unwrap();
                for (verb, method) in [("get(", "GET"), ("post(", "POST")] {
                    if verbs.contains(verb) {
                        routes.insert((method.to_owned(), path.to_owned()));
                    }
                }
            }
        }
    }
    for asset in ["page.css", "now.js", "settings.js", "uplot.js", "icon.svg", "shopper.css"] {
        routes.insert(("GET".to_owned(), format!("/assets/{asset}")));
    }
    routes
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let routes = every_route();
    assert!(routes.len() > 35, "the test no longer finds the routes: {routes:?}");
    for (method, path) in &routes {
        let method: Method = method.parse().unwrap();
        assert!(
            matches!(of(&method, path), Ruling::Whoever(_)),
            "{method} {path} has no row: say in src/api/rules.rs what one must be to ask for it"
        );
    }
    for (method, path, _) in RULES {
        let stands = |(m, p): &(String, String)| {
            m == method && path.strip_suffix('*').map_or(p == path, |above| p.starts_with(above))
        };
        assert!(routes.iter().any(stands), "{method} {path} is ruled and is no route");
    }
    assert_eq!(of(&Method::GET, "/api/v1/devices"), Ruling::Nowhere);
    assert_eq!(of(&Method::GET, "/assets/a/b"), Ruling::Nowhere);
    assert_eq!(of(&Method::HEAD, "/metrics"), of(&Method::GET, "/metrics"));
}

/// Who asks, as a name, the roles, and what comes of a need in the venue `mall`: 0 when it may, else the status.
fn refusal(who: &str, needs: Needs) -> u16 {
    let (here, everywhere, highest) = match who {
        "nobody" => return if needs == Needs::Nothing { 0 } else { 401 },
        "none" => (None, None, None),
        "viewer here" => (Some(Role::Viewer), None, Some(Role::Viewer)),
        "operator here" => (Some(Role::Operator), None, Some(Role::Operator)),
        "admin here" => (Some(Role::Admin), None, Some(Role::Admin)),
        "viewer" => (Some(Role::Viewer), Some(Role::Viewer), Some(Role::Viewer)),
        "operator" => (Some(Role::Operator), Some(Role::Operator), Some(Role::Operator)),
        _ => (Some(Role::Admin), Some(Role::Admin), Some(Role::Admin)),
    };
    let enough = |has: Option<Role>, least: Role| if has >= Some(least) { 0 } else { 403 };
    match needs {
        Needs::Nothing | Needs::Known => 0,
        Needs::Somewhere(least) => enough(highest, least),
        Needs::Everywhere(least) => enough(everywhere, least),
        Needs::There(_) if here.is_none() => 404,
        Needs::There(least) => enough(here, least),
    }
}

#[tokio::test]
async fn every_role_gets_of_every_route_what_the_table_says() {
    let stage = Stage::set_at("0.0.0.0:8080", &["127.0.0.1"]).await;
    let mut askers = vec![("nobody", String::new())];
    for (who, grants) in [
        ("admin", vec![("*", Role::Admin)]),
        ("none", vec![]),
        ("viewer here", vec![("mall", Role::Viewer)]),
        ("operator here", vec![("mall", Role::Operator)]),
        ("admin here", vec![("mall", Role::Admin)]),
        ("viewer", vec![("*", Role::Viewer)]),
        ("operator", vec![("*", Role::Operator)]),
    ] {
        let (_, cookie) = stage.account(&who.replace(' ', "-"), &grants).await;
        askers.push((who, format!("__Host-{cookie}")));
    }
    let mut asked = 0;
    for (method, path) in every_route() {
        let Ruling::Whoever(needs) = of(&method.parse().unwrap(), &path) else { panic!("{path}") };
        // Nobody signs out here, for all of them go on.
        if (method.as_str(), path.as_str()) == ("DELETE", "/api/v1/session") {
            continue;
        }
        let uri = path.replace("{venue}", "mall").replace("{id}", "999").replace("{key}", "0");
        let uri = uri.replace("{page}", "settings").replace("{table}", "dim_zone");
        for (who, cookie) in &askers {
            let mut headers = vec![HOST, ("content-type", "application/json"), ("cookie", cookie.as_str())];
            headers.extend(FORWARDED);
            let status = stage.send(&method, &uri, &headers, "{}").await.status().as_u16();
            let expected = refusal(who, needs);
            // What a handler answers is its own matter; of the refusals it may answer only that there is no such thing.
            let is_handled =
                matches!(status, 404) && uri.contains("999") || !matches!(status, 401 | 403 | 404);
            let is_own_page = needs == Needs::Nothing;
            match expected {
                0 => assert!(is_handled || is_own_page, "{who} asks {method} {path}: {status}"),
                expected => assert_eq!(status, expected, "{who} asks {method} {path}"),
            }
            asked += 1;
        }
    }
    assert!(asked > 250, "{asked}");
    // In another venue than one's own there is nothing, whether or not there is such a venue.
    let stranger = format!("__Host-{}", stage.account("museum", &[]).await.1);
    let headers = [HOST, ("cookie", stranger.as_str()), FORWARDED[0], FORWARDED[1]];
    let there = stage.ask("GET", "/api/v1/venues/mall/live", &headers, "").await;
    let nowhere = stage.ask("GET", "/api/v1/venues/moon/live", &headers, "").await;
    assert_eq!((there.status, &there.text), (nowhere.status, &nowhere.text));
    let none = stage.ask("GET", "/api/v1/venues", &headers, "").await;
    assert_eq!(none.json()["venues"], serde_json::json!([]));
}

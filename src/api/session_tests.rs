//! Signing in and out as programs and pages do it, and what ends a session.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::json;
use tokio_stream::StreamExt as _;

use crate::api::stage::{Answer, PASSWORD, Stage};
use crate::office::Role;

const PATH: &str = "/api/v1/session";
const HOST: (&str, &str) = ("host", "localhost");
const JSON: (&str, &str) = ("content-type", "application/json");
const STREAM: &str = "/api/v1/venues/mall/live/stream";
const ACCOUNTS: &str = "/api/v1/accounts";

async fn closed() -> (Stage, i64, String) {
    let stage = Stage::set_at("127.0.0.1:8080", &[]).await;
    let (id, cookie) = stage.account("anna", &[("*", Role::Admin)]).await;
    (stage, id, cookie)
}

async fn sign_in(stage: &Stage, name: &str, password: &str) -> Answer {
    let body = json!({ "name": name, "password": password }).to_string();
    stage.ask("POST", PATH, &[HOST, JSON], &body).await
}

/// All of an answer that its reader gets.
fn whole(answer: &Answer) -> String {
    let mut headers: Vec<_> =
        answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort();
    format!("{}\n{}\n{}", answer.status, headers.join("\n"), answer.text)
}

#[tokio::test]
async fn on_this_machine_everybody_is_an_operator_until_there_is_an_account() {
    let stage = Stage::set_at("127.0.0.1:8080", &[]).await;
    let who = stage.get(PATH).await.json();
    assert_eq!((&who["kind"], &who["name"]), (&json!("anybody"), &json!(null)));
    assert_eq!(who["venues"], json!([{"venue": "mall", "role": "operator"}]));
    assert_eq!(stage.get("/api/v1/venues").await.status, StatusCode::OK);
    stage.get(ACCOUNTS).await.is_problem("set-up link");
    let (_, cookie) = stage.account("anna", &[("*", Role::Admin)]).await;
    stage.get("/api/v1/venues").await.is_problem("sign in first");
    let page = stage.ask("GET", "/venues/mall", &[HOST, ("accept", "text/html")], "").await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/login"));
    assert_eq!(stage.ask("GET", ACCOUNTS, &[HOST, ("cookie", &cookie)], "").await.status, StatusCode::OK);
    // A page elsewhere whose name was pointed at this machine finds nobody home.
    let rebound = stage.ask("GET", "/login", &[("host", "rebound.example")], "").await;
    rebound.is_problem("127.0.0.1");
}

#[tokio::test]
async fn beyond_this_machine_and_behind_a_proxy_nobody_comes_in_without_an_account() {
    let sealed = [HOST, ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")];
    for (listen, proxies) in [("0.0.0.0:8080", vec!["127.0.0.1"]), ("127.0.0.1:8080", vec!["127.0.0.1"])] {
        let stage = Stage::set_at(listen, &proxies).await;
        for headers in [&sealed[..], &sealed[..1]] {
            stage.ask("GET", "/api/v1/venues", headers, "").await.is_problem("sign in first");
            let page = stage.ask("GET", "/login?lang=en", headers, "").await;
            assert!(page.text.contains("There is no account yet") && !page.text.contains("<form"));
        }
        assert_eq!(stage.ask("GET", "/opt-out", &sealed, "").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn only_the_named_proxy_is_believed_and_nothing_is_taken_in_clear() {
    let stage = Stage::set_at("0.0.0.0:8080", &["10.0.0.2"]).await;
    let (_, cookie) = stage.account("anna", &[("*", Role::Admin)]).await;
    let sealed = format!("__Host-{cookie}");
    let said =
        |proto| [HOST, ("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", proto), ("cookie", &*sealed)];
    for (peer, proto, status) in [
        ("10.0.0.2:5000", "https", 200),
        ("10.0.0.2:5000", "http", 403),
        ("10.0.0.3:5000", "https", 403),
        ("192.0.2.7:5000", "https", 403),
        ("127.0.0.1:5000", "https", 401),
    ] {
        let answer = stage.send_from(peer, "GET", "/api/v1/venues", &said(proto), "").await;
        assert_eq!(answer.status().as_u16(), status, "{peer} {proto}");
    }
    // A cookie that came in clear is none of a sealed session's.
    let open = [HOST, ("cookie", cookie.as_str()), ("x-forwarded-proto", "https")];
    let answer = stage.send_from("10.0.0.2:5000", "GET", "/api/v1/venues", &open, "").await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_answer_is_the_same_whether_or_not_the_name_exists() {
    let (stage, ..) = closed().await;
    let wrong = sign_in(&stage, "anna", "wrong horse battery").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    wrong.is_problem("no account has this name and this password");
    for name in ["nobody", "", "not a name!", &"x".repeat(200)] {
        let nobody = sign_in(&stage, name, "wrong horse battery").await;
        assert_eq!(whole(&nobody), whole(&wrong), "{name}");
    }
    assert_eq!(whole(&sign_in(&stage, "anna", &"x".repeat(1_000)).await), whole(&wrong));
}

#[tokio::test]
async fn a_cookie_is_for_this_server_alone_and_its_session_ends_with_the_sign_out() {
    let (stage, ..) = closed().await;
    let entered = sign_in(&stage, "Anna", PASSWORD).await;
    assert_eq!(entered.status, StatusCode::CREATED, "{}", entered.text);
    assert_eq!(entered.json()["roles"], json!([{"venue": "*", "role": "admin"}]));
    let cookie = entered.header("set-cookie");
    for word in ["passant-session=", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=604800"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    let kept = cookie.split(';').next().unwrap().to_owned();
    assert!(kept.len() > "passant-session=".len() + 32, "at least 128 bits");
    let known = [HOST, ("cookie", kept.as_str())];
    assert_eq!(stage.ask("GET", PATH, &known, "").await.json()["name"], "anna");
    let left = stage.ask("DELETE", PATH, &known, "").await;
    assert_eq!(left.status, StatusCode::NO_CONTENT);
    assert!(
        left.header("set-cookie").contains("passant-session=; ")
            && left.header("set-cookie").contains("Max-Age=0")
    );
    assert_eq!(stage.ask("GET", PATH, &known, "").await.status, StatusCode::UNAUTHORIZED);

    let behind = Stage::set_at("127.0.0.1:8080", &["127.0.0.1"]).await;
    behind.account("anna", &[("*", Role::Admin)]).await;
    let body = json!({ "name": "anna", "password": PASSWORD }).to_string();
    let sealed = [HOST, JSON, ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")];
    let entered = behind.ask("POST", PATH, &sealed, &body).await;
    let cookie = entered.header("set-cookie");
    assert!(cookie.starts_with("__Host-passant-session=") && cookie.contains("; Secure"), "{cookie}");
}

#[tokio::test]
async fn whoever_tries_too_often_waits_whether_or_not_it_is_right() {
    let (stage, ..) = closed().await;
    let mut answers = Vec::new();
    for _ in 0..11 {
        answers.push(sign_in(&stage, "anna", "wrong horse battery").await.status.as_u16());
    }
    assert_eq!((answers[9], answers[10]), (401, 429));
    let right = sign_in(&stage, "anna", PASSWORD).await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS);
    right.is_problem("try again in");
    assert!(right.header("retry-after").parse::<u64>().unwrap() <= 30);
}

#[tokio::test]
async fn a_page_of_another_origin_signs_nobody_in_or_out_and_makes_no_account() {
    let (stage, _, cookie) = closed().await;
    let body = json!({ "name": "anna", "password": PASSWORD }).to_string();
    let account = json!({ "name": "mallory", "password": PASSWORD, "roles": [] }).to_string();
    for origin in ["https://evil.example", "null", "http://localhost:1"] {
        let headers = [HOST, JSON, ("origin", origin), ("cookie", cookie.as_str())];
        for (method, path, body) in [
            ("POST", PATH, &*body),
            ("DELETE", PATH, ""),
            ("PATCH", PATH, "{}"),
            ("POST", ACCOUNTS, &*account),
            ("POST", "/api/v1/tokens", "{}"),
        ] {
            let answer = stage.ask(method, path, &headers, body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} {origin}");
            answer.is_problem("another origin");
        }
    }
    let own = [HOST, JSON, ("origin", "http://localhost"), ("cookie", cookie.as_str())];
    assert_eq!(stage.ask("POST", ACCOUNTS, &own, &account).await.status, StatusCode::CREATED);
}

async fn next(
    stream: &mut (impl tokio_stream::Stream<Item = Result<axum::body::Bytes, axum::Error>> + Unpin),
) -> bool {
    let next = tokio::time::timeout(Duration::from_secs(30), stream.next()).await;
    next.expect("a stream that has ended says so").is_some()
}

async fn open(stage: &Stage, cookie: &str) -> Response<Body> {
    stage.send("GET", STREAM, &[HOST, ("cookie", cookie)], "").await
}

#[tokio::test]
async fn whoever_is_removed_or_changed_is_out_at_once_and_so_is_a_stream_that_is_open() {
    let (stage, _, admin) = closed().await;
    let admin = [HOST, JSON, ("cookie", admin.as_str())];
    for change in ["role", "removal"] {
        let (id, cookie) = stage.account("vera", &[("mall", Role::Viewer)]).await;
        let place = format!("{ACCOUNTS}/{id}");
        let mut stream = open(&stage, &cookie).await.into_body().into_data_stream();
        assert!(next(&mut stream).await);
        let done = match change {
            "role" => {
                let roles = json!({ "roles": [{ "venue": "mall", "role": "operator" }] }).to_string();
                stage.ask("PATCH", &place, &admin, &roles).await
            }
            _ => stage.ask("DELETE", &place, &admin, "").await,
        };
        assert!(done.status.is_success(), "{}", done.text);
        assert!(!next(&mut stream).await, "{change}: the stream goes on");
        assert_eq!(open(&stage, &cookie).await.status(), StatusCode::UNAUTHORIZED, "{change}");
        stage.ask("DELETE", &place, &admin, "").await;
    }
}

async fn change_password(stage: &Stage, cookie: &str, known: &str, wanted: &str) -> Answer {
    let body = json!({ "password": known, "new_password": wanted }).to_string();
    stage.ask("PATCH", PATH, &[HOST, JSON, ("cookie", cookie)], &body).await
}

#[tokio::test]
async fn whoever_changes_their_password_goes_on_and_every_other_session_of_theirs_ends() {
    const ANOTHER: &str = "another horse battery";
    let (stage, _, admin) = closed().await;
    let (_, here) = stage.account("vera", &[("mall", Role::Viewer)]).await;
    let entered = sign_in(&stage, "vera", PASSWORD).await;
    let there = entered.header("set-cookie").split(';').next().unwrap();
    let mut stream = open(&stage, there).await.into_body().into_data_stream();
    assert!(next(&mut stream).await);

    let known = async |cookie: &str| stage.ask("GET", PATH, &[HOST, ("cookie", cookie)], "").await.status;
    for (old, new, status, words) in [
        ("wrong horse battery", ANOTHER, 403, "nothing was changed"),
        (PASSWORD, "short", 400, "at least 12 characters"),
        (PASSWORD, "veraveravera", 400, "guessed at once"),
    ] {
        let refused = change_password(&stage, &here, old, new).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.text);
        refused.is_problem(words);
        assert!(!refused.text.contains(old) && !refused.text.contains(new));
        assert_eq!(known(there).await, StatusCode::OK, "a refusal ends nothing");
    }

    let changed = change_password(&stage, &here, PASSWORD, ANOTHER).await;
    assert_eq!((changed.status, &changed.json()["name"]), (StatusCode::OK, &json!("vera")));
    let fresh = changed.header("set-cookie").split(';').next().unwrap();
    assert!(!next(&mut stream).await, "a stream of another session goes on");
    for (cookie, status) in [(fresh, 200), (&*here, 401), (there, 401), (&*admin, 200)] {
        assert_eq!(known(cookie).await.as_u16(), status);
    }
    assert_eq!(sign_in(&stage, "vera", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&stage, "vera", ANOTHER).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn whoever_finds_a_page_open_guesses_its_password_no_faster_than_at_the_door() {
    let (stage, _, admin) = closed().await;
    let mut answers = Vec::new();
    for _ in 0..11 {
        answers.push(change_password(&stage, &admin, "wrong horse battery", PASSWORD).await.status.as_u16());
    }
    assert_eq!((answers[9], answers[10]), (403, 429));
    assert_eq!(sign_in(&stage, "anna", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    // A program with a token has none to change, and neither has whoever needs no account.
    let open = Stage::set_at("127.0.0.1:8080", &[]).await;
    change_password(&open, "", PASSWORD, PASSWORD).await.is_problem("only an account has a password");
}

#[tokio::test]
async fn an_api_token_is_shown_once_and_may_what_its_roles_say_until_it_is_revoked() {
    let (stage, _, admin) = closed().await;
    let admin = [HOST, JSON, ("cookie", admin.as_str())];
    let entry = json!({ "label": "Grafana", "roles": [{ "venue": "mall", "role": "viewer" }] }).to_string();
    let made = stage.ask("POST", "/api/v1/tokens", &admin, &entry).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("passant_") && text.len() > 40);
    let listed = stage.ask("GET", "/api/v1/tokens", &admin, "").await;
    assert!(listed.text.contains("Grafana") && !listed.text.contains(text), "{}", listed.text);
    let bearer = format!("Bearer {text}");
    let program = [HOST, JSON, ("authorization", bearer.as_str())];
    assert_eq!(stage.ask("GET", PATH, &program, "").await.json()["kind"], "token");
    assert_eq!(stage.ask("GET", "/api/v1/venues/mall/live", &program, "").await.status, StatusCode::OK);
    for (method, path) in
        [("POST", "/api/v1/venues/mall/head-counts"), ("GET", "/api/v1/tokens"), ("GET", "/metrics")]
    {
        stage.ask(method, path, &program, "{}").await.is_problem("this API token may not do this");
    }
    let place = format!("/api/v1/tokens/{}", made["id"]);
    assert_eq!(stage.ask("DELETE", &place, &admin, "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(stage.ask("GET", PATH, &program, "").await.status, StatusCode::UNAUTHORIZED);
    // Whoever shows a token that is none is not taken for whoever else they may be.
    let both = [HOST, program[2], admin[2]];
    assert_eq!(stage.ask("GET", PATH, &both, "").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_no_account_says_what_to_do() {
    let (stage, id, admin) = closed().await;
    let admin = [HOST, JSON, ("cookie", admin.as_str())];
    let entry = |name: &str, password: &str, venue: &str| {
        json!({ "name": name, "password": password, "roles": [{ "venue": venue, "role": "viewer" }] })
            .to_string()
    };
    for (body, status, words) in [
        (entry("a b", PASSWORD, "*"), 400, "a name has 1 to 64"),
        (entry("bert", "short", "*"), 400, "at least 12 characters"),
        (entry("bert", PASSWORD, "moon"), 400, "not configured"),
        (entry("bert", PASSWORD, "a/b"), 400, "each role names a venue"),
        (entry("ANNA", PASSWORD, "*"), 409, "choose another name"),
        ("{}".to_owned(), 400, "send JSON like"),
    ] {
        let answer = stage.ask("POST", ACCOUNTS, &admin, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
        answer.is_problem(words);
        assert!(!answer.text.contains(PASSWORD));
    }
    let last = stage.ask("DELETE", &format!("{ACCOUNTS}/{id}"), &admin, "").await;
    assert_eq!(last.status, StatusCode::CONFLICT);
    last.is_problem("make another one first");
    let unknown = stage.ask("DELETE", &format!("{ACCOUNTS}/999"), &admin, "").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    stage.ask("PATCH", &format!("{ACCOUNTS}/{id}"), &admin, "{}").await.is_problem("or both");
    let listed = stage.ask("GET", ACCOUNTS, &admin, "").await.json();
    assert_eq!(listed["accounts"].as_array().unwrap().len(), 1);
}

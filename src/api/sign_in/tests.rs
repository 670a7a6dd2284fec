use axum::http::StatusCode;

use crate::api::shopper::words::languages;
use crate::api::stage::{Answer, PASSWORD, Stage};
use crate::office::Role;

const HOST: (&str, &str) = ("host", "localhost:8080");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Asks for the form, and gives its cookie and what it must say again.
async fn form(stage: &Stage) -> (String, String) {
    let page = stage.ask("GET", "/login?lang=en", &[HOST], "").await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let again = page.text.split("name=\"again\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(cookie, format!("passant-form={again}"));
    (cookie, again.to_owned())
}

async fn post(stage: &Stage, path: &str, cookie: &str, body: &str) -> Answer {
    stage.ask("POST", path, &[HOST, FORM, ("cookie", cookie)], body).await
}

fn typed(again: &str, name: &str, password: &str) -> String {
    format!("again={again}&name={name}&password={}", password.replace(' ', "+"))
}

#[tokio::test]
async fn the_form_signs_in_and_out_and_says_the_same_of_a_name_that_is_none() {
    let stage = Stage::set_at("127.0.0.1:8080", &[]).await;
    stage.account("anna", &[("*", Role::Admin)]).await;
    let (cookie, again) = form(&stage).await;
    let wrong = post(&stage, "/login?lang=en", &cookie, &typed(&again, "anna", "wrong horse battery")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text.contains("role=\"alert\"") && !wrong.text.contains("wrong+horse"));
    let nobody = post(&stage, "/login?lang=en", &cookie, &typed(&again, "carl", "wrong horse battery")).await;
    assert_eq!((nobody.status, nobody.text.replace("carl", "anna")), (wrong.status, wrong.text.clone()));
    let hostile = post(&stage, "/login", &cookie, &typed(&again, "%22%3E%3Cb%3E", "x")).await;
    assert!(!hostile.text.contains("<b>"), "what was typed is written as text");
    let entered = post(&stage, "/login", &cookie, &typed(&again, "Anna", PASSWORD)).await;
    assert_eq!((entered.status, entered.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(entered.header("connection"), "close");
    let session = entered.header("set-cookie").split(';').next().unwrap().to_owned();
    let both = format!("{session}; {cookie}");
    let page = stage.ask("GET", "/", &[HOST, ("cookie", &both)], "").await;
    assert_eq!(page.status, StatusCode::OK);
    let known = stage.ask("GET", "/login?lang=en", &[HOST, ("cookie", &both)], "").await;
    assert!(known.text.contains("<strong>anna</strong>") && known.text.contains("/logout"));
    assert_eq!(post(&stage, "/logout", &both, "again=0").await.status, StatusCode::FORBIDDEN);
    let left = post(&stage, "/logout", &both, &format!("again={again}")).await;
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    let gone = stage.ask("GET", "/", &[HOST, ("cookie", &both), ("accept", "text/html")], "").await;
    assert_eq!(gone.header("location"), "/login");
}

#[tokio::test]
async fn a_form_that_was_not_given_here_signs_nobody_in() {
    let stage = Stage::set_at("127.0.0.1:8080", &[]).await;
    stage.account("anna", &[("*", Role::Admin)]).await;
    let (cookie, again) = form(&stage).await;
    for (cookie, again) in [("", ""), ("", &*again), (&*cookie, ""), ("passant-form=", ""), (&*cookie, "00")]
    {
        let answer = post(&stage, "/login", cookie, &typed(again, "anna", PASSWORD)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{cookie} {again}");
        assert!(!answer.header("set-cookie").contains("session"));
    }
    let elsewhere = [HOST, FORM, ("cookie", &*cookie), ("origin", "https://evil.example")];
    let answer = stage.ask("POST", "/login", &elsewhere, &typed(&again, "anna", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_set_up_page_makes_the_first_account_once() {
    let stage = Stage::set_at("127.0.0.1:8080", &[]).await;
    let state = stage.state();
    let key = state.accounts.draw_set_up(state.clock.now()).unwrap().unwrap();
    let place = format!("/setup/{}?lang=en", *key);
    let page = stage.ask("GET", &place, &[HOST], "").await;
    assert!(page.status == StatusCode::OK && page.text.contains("new-password"), "{}", page.text);
    assert!(page.text.contains(&format!("/setup/{}?lang=fr", *key)), "the link holds in another language");
    let short = post(&stage, &place, "", &typed("", "anna", "short")).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text.contains("at least 12 characters") && short.text.contains("value=\"anna\""));
    let other = post(&stage, "/setup/0?lang=en", "", &typed("", "mallory", PASSWORD)).await;
    assert!(other.status == StatusCode::FORBIDDEN && other.text.contains("does not work any more"));
    let made = post(&stage, &place, "", &typed("", "Anna", PASSWORD)).await;
    assert_eq!((made.status, made.header("location")), (StatusCode::SEE_OTHER, "/"));
    let session = made.header("set-cookie").split(';').next().unwrap().to_owned();
    let who = stage.ask("GET", "/api/v1/session", &[HOST, ("cookie", &session)], "").await;
    assert_eq!(who.json()["roles"], serde_json::json!([{"venue": "*", "role": "admin"}]));
    let again = post(&stage, &place, "", &typed("", "mallory", PASSWORD)).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(stage.ask("GET", &place, &[HOST], "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_pages_have_no_script_and_nothing_foreign_in_every_language() {
    let stage = Stage::set_at("127.0.0.1:8080", &[]).await;
    let state = stage.state();
    let key = state.accounts.draw_set_up(state.clock.now()).unwrap().unwrap();
    let mut texts = Vec::new();
    for language in languages() {
        let code = &language.code;
        for path in [format!("/login?lang={code}"), format!("/setup/{}?lang={code}", *key)] {
            texts.push((code, stage.ask("GET", &path, &[HOST], "").await.text));
        }
    }
    stage.account("anna", &[("*", Role::Admin)]).await;
    for language in languages() {
        let code = &language.code;
        texts.push((code, stage.ask("GET", &format!("/login?lang={code}"), &[HOST], "").await.text));
    }
    for (code, text) in texts {
        assert!(text.contains(&format!("<html lang=\"{code}\"")) && !text.contains("<script"), "{text}");
        assert!(!text.contains("http://") && !text.contains("https://"), "nothing of a third party");
    }
}

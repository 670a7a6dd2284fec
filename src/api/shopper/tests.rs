use crate::api::stage::{Answer, Stage};

const HOST: (&str, &str) = ("host", "localhost:8080");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn typed(stage: &Stage, address: &str) -> Answer {
    let body = format!("device={}", address.replace(':', "%3A").replace(' ', "+"));
    stage.ask("POST", "/opt-out", &[HOST, FORM, ("accept-language", "fr")], &body).await
}

async fn page(stage: &Stage, path: &str) -> Answer {
    stage.ask("GET", path, &[HOST, ("accept", "text/html")], "").await
}

#[tokio::test]
async fn an_objection_from_the_form_to_the_withdrawal() {
    let stage = Stage::set().await;
    let address = stage.free_address();
    let given = typed(&stage, &address.replace(':', " ")).await;
    assert_eq!(given.status.as_u16(), 303, "{}", given.text);
    assert!(!stage.passes(&address));
    assert_eq!(given.header("connection"), "close", "what was typed is not kept while a browser waits");
    let place = given.header("location").to_owned();
    assert!(place.starts_with("/opt-out/receipt/") && place.ends_with("?lang=fr"), "{place}");
    let receipt = page(&stage, &place).await;
    assert_eq!(receipt.status.as_u16(), 200);
    assert_eq!(
        (receipt.header("cache-control"), receipt.header("referrer-policy")),
        ("no-store", "no-referrer")
    );
    let code = place.strip_prefix("/opt-out/receipt/").unwrap().strip_suffix("?lang=fr").unwrap();
    assert!(receipt.text.contains(code) && receipt.text.contains("lang=\"fr\""));
    assert!(receipt.text.contains(&format!("localhost:8080/opt-out/receipt/{code}")));
    let withdrawn = stage.ask("POST", &place, &[HOST, FORM], "").await;
    assert_eq!((withdrawn.status.as_u16(), withdrawn.header("location")), (303, place.as_str()));
    assert!(stage.passes(&address));
    let gone = page(&stage, &place).await;
    assert_eq!(gone.status.as_u16(), 404);
    assert!(gone.text.contains("<h1>") && gone.text.contains("class=\"button\""));
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_said_beside_the_field() {
    let stage = Stage::set().await;
    let wrong = typed(&stage, "A4:C1:38:11:22").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("connection")), (422, "close"));
    let field = "value=\"A4:C1:38:11:22\" aria-describedby=\"hint wrong\" aria-invalid=\"true\" autofocus>";
    assert!(wrong.text.contains("role=\"alert\"") && wrong.text.contains(field), "{}", wrong.text);
    let hostile = typed(&stage, "\"><b>").await;
    assert!(!hostile.text.contains("<b>"), "what was typed is written as text");
    let nothing = stage.ask("POST", "/opt-out", &[HOST, FORM], "").await;
    assert_eq!(nothing.status.as_u16(), 422);
}

#[tokio::test]
async fn the_form_has_one_field_and_no_script_in_every_language() {
    let stage = Stage::set().await;
    for language in super::words::languages() {
        let form = page(&stage, &format!("/opt-out?lang={}", language.code)).await;
        assert_eq!(form.status.as_u16(), 200);
        assert_eq!((form.text.matches("<input").count(), form.text.matches("<script").count()), (1, 0));
        assert!(form.text.contains(&format!("<html lang=\"{}\"", language.code)));
        assert!(
            !form.text.contains("http://") && !form.text.contains("https://"),
            "nothing of a third party"
        );
    }
}

#[tokio::test]
async fn the_privacy_page_tells_the_facts_in_words_and_as_json() {
    let stage = Stage::set().await;
    let facts = stage.get("/privacy/mall").await.json();
    assert_eq!(
        (&facts["k"], &facts["fine_days"], &facts["coarse_months"]),
        (&10.into(), &90.into(), &25.into())
    );
    assert_eq!(facts["objections_about"].as_u64().unwrap() % 1_000, 0);
    for (language, words) in [("en", "keeps nobody's trace"), ("fr", "ne garde la trace de personne")] {
        let page = page(&stage, &format!("/privacy/mall?lang={language}")).await;
        assert!(page.text.replace("&#39;", "'").contains(words), "{}", page.text);
        assert!(page.text.contains("Galerie du Passage SAS") && !page.text.contains('{'), "{}", page.text);
    }
    assert_eq!(page(&stage, "/privacy/nowhere").await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_page_elsewhere_cannot_object_or_withdraw_for_its_visitor() {
    let stage = Stage::set().await;
    // These pages tell no referrer, so a browser tells no origin of them, but that they are our own.
    for (site, status) in [("same-origin", 303), ("same-site", 403), ("cross-site", 403), ("none", 403)] {
        let headers = [HOST, FORM, ("origin", "null"), ("sec-fetch-site", site)];
        let answer = stage.ask("POST", "/opt-out", &headers, "device=A4C138112233").await;
        assert_eq!(answer.status.as_u16(), status, "{site}");
    }
    let elsewhere = [HOST, FORM, ("origin", "https://evil.example")];
    let answer = stage.ask("POST", "/opt-out", &elsewhere, "device=A4C138112233").await;
    assert_eq!(answer.status.as_u16(), 403);
}

//! Objections, for programs: the same desk as the form's.

use axum::Json;
use axum::extract;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Problem, State};
use crate::desk::Strength;

/// What a body must be, for those whose body is not.
const BODY: &str = "send JSON like {\"device\":\"AA:BB:CC:DD:EE:FF\"}";
/// What is said of a receipt that no objection has.
const UNKNOWN: &str = "no objection has this receipt: it was withdrawn, or the code is not complete";

/// A device whose owner objects.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Objection {
    /// Its address in any usual spelling.
    device: String,
}

/// What is given for an objection.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Given {
    /// The only link to the objection; nobody can ask for it again.
    receipt: String,
    /// `short`: the mark hides among decoys; `long`: the short list is full, and the mark says more.
    strength: &'static str,
}

/// An objection that is in force.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct InForce {
    /// Always true: a receipt of none is a 404.
    in_force: bool,
    /// `short` or `long`, as when it was given.
    strength: &'static str,
}

/// Puts an objection in force in the whole installation. The answer is the same whether or not the address was there.
#[utoipa::path(
    post, operation_id = "add_opt_out",
    path = "/api/v1/opt-outs",
    request_body = Objection,
    responses(
        (status = 201, description = "The receipt; the objection is in force", body = Given),
        (status = 400, description = "It is no address; the detail says what is wrong with it", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Asked for by a page of another origin", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is over 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    extract::State(state): extract::State<State>,
    body: Result<Json<Objection>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(objection) = body.map_err(|rejection| Problem::of_body(&rejection, BODY))?;
    let receipt = state.desk.object(&objection.device).await?;
    let place = format!("/api/v1/opt-outs/{}", receipt.code);
    let given = Given { strength: word(receipt.strength), receipt: receipt.code };
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(given)).into_response())
}

/// Whether the objection of a receipt is in force.
#[utoipa::path(
    get, operation_id = "opt_out",
    path = "/api/v1/opt-outs/{receipt}",
    params(("receipt" = String, Path, description = "The receipt's code")),
    responses(
        (status = 200, description = "It is in force", body = InForce),
        (status = 404, description = "No objection has this receipt", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn standing(
    extract::State(state): extract::State<State>,
    extract::Path(receipt): extract::Path<String>,
) -> Result<Json<InForce>, Problem> {
    let standing = state.desk.standing(&receipt).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Ok(Json(InForce { in_force: true, strength: word(standing.strength) }))
}

/// Withdraws the objection of a receipt.
#[utoipa::path(
    delete, operation_id = "withdraw_opt_out",
    path = "/api/v1/opt-outs/{receipt}",
    params(("receipt" = String, Path, description = "The receipt's code")),
    responses(
        (status = 204, description = "It is withdrawn"),
        (status = 403, description = "Asked for by a page of another origin", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No objection has this receipt", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not just now; the detail says why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn withdraw(
    extract::State(state): extract::State<State>,
    extract::Path(receipt): extract::Path<String>,
) -> Result<StatusCode, Problem> {
    match state.desk.withdraw(&receipt).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found(UNKNOWN)),
    }
}

fn word(strength: Strength) -> &'static str {
    match strength {
        Strength::Short => "short",
        Strength::Long => "long",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::stage::Stage;

    const PATH: &str = "/api/v1/opt-outs";

    #[tokio::test]
    async fn an_objection_has_a_receipt_that_tells_and_withdraws_it() {
        let stage = Stage::set().await;
        let address = stage.free_address();
        let given = stage.post(PATH, &json!({ "device": address }).to_string()).await;
        assert_eq!(given.status.as_u16(), 201, "{}", given.text);
        assert_eq!(given.header("cache-control"), "no-store");
        assert_eq!(given.header("referrer-policy"), "no-referrer");
        assert!(!stage.passes(&address));
        let place = format!("{PATH}/{}", given.json()["receipt"].as_str().unwrap());
        assert_eq!(given.header("location"), place);
        assert_eq!(stage.get(&place).await.json(), json!({"in_force": true, "strength": "short"}));
        assert_eq!(stage.delete(&place).await.status.as_u16(), 204);
        assert!(stage.passes(&address));
        for gone in
            [stage.get(&place).await, stage.delete(&place).await, stage.get(&format!("{PATH}/x")).await]
        {
            assert_eq!(gone.status.as_u16(), 404);
            gone.is_problem("no objection has this receipt");
        }
    }

    #[tokio::test]
    async fn the_answer_is_the_same_whether_or_not_the_address_was_there() {
        let stage = Stage::set().await;
        let body = json!({ "device": stage.free_address() }).to_string();
        let (first, second) = (stage.post(PATH, &body).await, stage.post(PATH, &body).await);
        let without_code = |answer: &crate::api::stage::Answer| {
            let code = answer.json()["receipt"].as_str().unwrap().to_owned();
            let mut headers: Vec<_> = answer
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            headers.sort();
            (headers.join("\n").replace(&code, "CODE"), answer.text.replace(&code, "CODE"), answer.status)
        };
        assert_ne!(first.text, second.text, "each has a receipt of its own");
        assert_eq!(without_code(&first), without_code(&second));
    }

    #[tokio::test]
    async fn what_is_no_address_is_said_and_not_repeated() {
        let stage = Stage::set().await;
        let canary = "a4c13811223Z";
        let wrong = stage.post(PATH, &json!({ "device": canary }).to_string()).await;
        assert_eq!(wrong.status.as_u16(), 400);
        wrong.is_problem("0 to 9 and A to F");
        assert!(!wrong.text.contains(canary));
        for body in ["{", "{\"device\":7}", "{\"device\":\"a4:c1:38:11:22:33\",\"name\":\"me\"}"] {
            stage.post(PATH, body).await.is_problem("send JSON like");
        }
    }
}

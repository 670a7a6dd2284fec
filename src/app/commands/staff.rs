//! What `passant user` and `passant token` ask for. Whoever may use the socket administers everything.

use anyhow::{Context as _, Result};
use passant_wire::Id;
use serde_json::{Value, json};

use crate::clock::EpochMs;
use crate::office::{Account, Accounts, ApiToken, NewAccount, Place, Role, Roles};

/// What is asked for. It has no `Debug`: a password may be in it.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(tag = "staff", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::app) enum Request {
    UserAdd { name: String, password: String, grants: Grants },
    UserList,
    UserRemove { name: String },
    TokenAdd { label: String, grants: Grants },
    TokenList,
    TokenRemove { number: i64 },
}

/// One role in some venues, or in every one.
#[derive(Clone, Debug, clap::Args, serde::Serialize, serde::Deserialize)]
pub(in crate::app) struct Grants {
    /// What may be done: viewer (reads), operator (also head counts), admin (also accounts and tokens)
    #[arg(long, value_parser = ["viewer", "operator", "admin"])]
    role: String,
    /// In which venue; may be repeated. Without it in every venue
    #[arg(long = "venue", value_name = "ID")]
    #[serde(default)]
    venues: Vec<String>,
}

impl Grants {
    fn roles(&self) -> Result<Roles> {
        let role = Role::parse(&self.role).context("a role is viewer, operator or admin")?;
        if self.venues.is_empty() {
            return Ok(Roles::everywhere(role));
        }
        let place = |id: &String| Some((Place::Venue(Id::parse(id)?), role));
        let grants: Option<Vec<_>> = self.venues.iter().map(place).collect();
        grants.and_then(Roles::of).context("--venue takes the id of a configured venue, each once")
    }
}

/// Carries a request out.
pub(in crate::app) async fn carry_out(accounts: &Accounts, request: Request, now: EpochMs) -> Result<Value> {
    let by = Roles::everywhere(Role::Admin);
    Ok(match request {
        Request::UserAdd { name, password, grants } => {
            let wanted = NewAccount { name: &name, password: &password, roles: &grants.roles()? };
            user(&accounts.add(&by, wanted, now).await?)
        }
        Request::UserList => accounts.list(&by).await?.iter().map(user).collect(),
        Request::UserRemove { name } => {
            let known = accounts.list(&by).await?.into_iter().find(|account| account.name == name);
            let known = known.context("there is no account of this name; `passant user list` has all")?;
            user(&accounts.remove(&by, known.id, now).await?)
        }
        Request::TokenAdd { label, grants } => {
            let made = accounts.add_token(&by, &label, &grants.roles()?, now).await?;
            let mut value = token(&made.token);
            value["token"] = made.secret.as_str().into();
            value
        }
        Request::TokenList => accounts.tokens(&by).await?.iter().map(token).collect(),
        Request::TokenRemove { number } => token(&accounts.remove_token(&by, number, now).await?),
    })
}

/// The roles of an account or a token, for a line of a list.
pub(super) fn roles_in_words(value: &Value) -> String {
    let grants = value["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    let word = |grant: &Value| {
        let [venue, role] = ["venue", "role"].map(|key| grant[key].as_str().unwrap_or_default());
        format!("{role} in {}", if venue == "*" { "every venue" } else { venue })
    };
    grants.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn user(account: &Account) -> Value {
    let made_at = account.made_at.rfc3339();
    json!({ "id": account.id, "name": account.name, "roles": roles(&account.roles), "made_at": made_at })
}

fn token(token: &ApiToken) -> Value {
    let made_at = token.made_at.rfc3339();
    json!({ "id": token.id, "label": token.label, "roles": roles(&token.roles), "made_at": made_at })
}

fn roles(roles: &Roles) -> Value {
    roles.iter().map(|(place, role)| json!({ "venue": place.to_string(), "role": role.as_str() })).collect()
}

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::config::{Config, EXAMPLE};
use crate::ledger;
use crate::office::{OwnPassword, SESSION_IDLE_SECS, SESSION_SECS};
use crate::store::Kind as StoreKind;

const NOW: EpochMs = EpochMs(1_764_018_000_123);
const PASSWORD: &str = "correct horse battery";

async fn office(dir: &Path) -> Accounts {
    let venues = Config::parse(EXAMPLE, std::iter::empty()).unwrap().venues;
    let store = Store::open(dir, StoreKind::Real).await.unwrap();
    Accounts::cheap(Arc::new(venues), store, Ledger::open(dir).unwrap()).await
}

fn everything() -> Roles {
    Roles::everywhere(Role::Admin)
}

fn mall(role: Role) -> Roles {
    Roles::of([(Place::parse("mall").unwrap(), role)]).unwrap()
}

fn carl(roles: &Roles) -> NewAccount<'_> {
    NewAccount { name: "carl", password: PASSWORD, roles }
}

async fn add(office: &Accounts, name: &str, roles: &Roles) -> Account {
    office.add(&everything(), NewAccount { name, password: PASSWORD, roles }, NOW).await.unwrap()
}

#[tokio::test]
async fn a_set_up_link_makes_one_account_and_no_second() {
    let temp = tempfile::tempdir().unwrap();
    let office = office(temp.path()).await;
    let old = office.draw_set_up(NOW).unwrap().unwrap();
    let link = office.draw_set_up(NOW).unwrap().unwrap();
    assert!(!office.set_up_fits(&old, NOW), "a newer one stands in its place");
    assert!(office.set_up_fits(&link, NOW) && office.set_up_fits(&link, NOW.plus_secs(SET_UP_SECS - 1)));
    assert!(!office.set_up_fits(&link, NOW.plus_secs(SET_UP_SECS)) && !office.set_up_fits("", NOW));
    for (said, name, password) in
        [("nothing", "anna", PASSWORD), (&link, "", PASSWORD), (&link, "anna", "short")]
    {
        assert!(office.set_up(said, name, password, NOW).await.is_err());
    }
    let late = office.set_up(&link, "anna", PASSWORD, NOW.plus_secs(SET_UP_SECS)).await;
    assert!(matches!(late, Err(Error::SetUpOver)));
    assert!(!office.any());
    // Of two who come at once, one is the first.
    let (one, other) = tokio::join!(
        office.set_up(&link, "anna", PASSWORD, NOW),
        office.set_up(&link, "bert", PASSWORD, NOW)
    );
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1);
    assert!(office.any() && !office.set_up_fits(&link, NOW));
    assert!(office.draw_set_up(NOW).unwrap().is_none());
    assert!(matches!(office.set_up(&link, "carl", PASSWORD, NOW).await, Err(Error::SetUpOver)));
    assert_eq!(office.list(&everything()).await.unwrap()[0].roles, everything());
}

#[tokio::test]
async fn a_session_ends_unused_by_age_by_sign_out_and_with_its_account() {
    let temp = tempfile::tempdir().unwrap();
    let office = office(temp.path()).await;
    let anna = add(&office, " Anna ", &everything()).await;
    assert_eq!(anna.name, "anna");
    let begin = async |at| office.sign_in("ANNA", PASSWORD, at).await.unwrap().unwrap().secret;
    let is_on = async |secret: &str, at| office.of_session(secret, at).await.unwrap().is_some();
    let hours = |hours: i64| NOW.plus_secs(hours * 3_600);

    let idle = begin(NOW).await;
    assert!(is_on(&idle, NOW.plus_secs(SESSION_IDLE_SECS - 1)).await);
    let idle = begin(NOW).await;
    assert!(!is_on(&idle, NOW.plus_secs(SESSION_IDLE_SECS)).await);
    let busy = begin(NOW).await;
    for hour in (0..SESSION_SECS / 3_600).step_by(11) {
        assert!(is_on(&busy, hours(hour)).await, "{hour}");
    }
    assert!(!is_on(&busy, NOW.plus_secs(SESSION_SECS)).await);
    let left = begin(NOW).await;
    office.sign_out(&left).await.unwrap();
    assert!(!is_on(&left, NOW).await && !is_on("", NOW).await);
    assert!(!is_on(&begin(hours(2)).await, NOW).await, "a clock that was set back lengthens no session");

    add(&office, "bert", &everything()).await;
    let (kept, mut told) = (begin(NOW).await, office.ended());
    let change = AccountChange { roles: Some(&mall(Role::Viewer)), ..AccountChange::default() };
    office.change(&everything(), anna.id, change, NOW).await.unwrap();
    assert!(!is_on(&kept, NOW).await && told.has_changed().unwrap());
    told.mark_unchanged();
    let kept = begin(NOW).await;
    let change = AccountChange { password: Some("another horse battery"), roles: None };
    let changed = office.change(&everything(), anna.id, change, NOW).await.unwrap();
    assert_eq!(changed.roles, mall(Role::Viewer));
    assert!(!is_on(&kept, NOW).await && told.has_changed().unwrap());
    assert!(office.sign_in("anna", PASSWORD, NOW).await.unwrap().is_none());
    let kept = office.sign_in("anna", "another horse battery", NOW).await.unwrap().unwrap().secret;
    office.remove(&everything(), anna.id, NOW).await.unwrap();
    assert!(!is_on(&kept, NOW).await);
}

#[tokio::test]
async fn of_two_who_change_one_password_at_once_one_does() {
    let temp = tempfile::tempdir().unwrap();
    let office = office(temp.path()).await;
    let anna = add(&office, "anna", &everything()).await;
    let to = |wanted| OwnPassword { known: PASSWORD, wanted };
    let (one, other) = tokio::join!(
        office.change_own_password(anna.id, to("another horse battery"), NOW),
        office.change_own_password(anna.id, to("a third horse battery"), NOW)
    );
    let begun = [one.unwrap(), other.unwrap()];
    assert_eq!(begun.iter().flatten().count(), 1, "the second had an old password by then");
    let session = begun.into_iter().flatten().next().unwrap();
    assert_eq!(office.of_session(&session.secret, NOW).await.unwrap(), Some(anna.clone()));
    assert!(matches!(office.change_own_password(999, to(PASSWORD), NOW).await, Err(Error::NoAccount)));
}

#[tokio::test]
async fn the_same_work_is_done_whether_or_not_the_name_exists() {
    let temp = tempfile::tempdir().unwrap();
    let office = office(temp.path()).await;
    add(&office, "anna", &everything()).await;
    let tries = &office.passwords.tries;
    for name in ["anna", "nobody", "", "no name, by its letters", &"x".repeat(300)] {
        let before = tries.load(Relaxed);
        assert!(office.sign_in(name, "wrong horse battery", NOW).await.unwrap().is_none());
        assert_eq!(tries.load(Relaxed), before + 1, "{name}");
    }
}

#[tokio::test]
async fn no_file_holds_a_password_a_session_or_a_token() {
    let temp = tempfile::tempdir().unwrap();
    let office = office(temp.path()).await;
    let link = office.draw_set_up(NOW).unwrap().unwrap();
    let session = office.set_up_and_sign_in(&link, "anna", PASSWORD, NOW).await.unwrap().secret;
    let token = office.add_token(&everything(), "Grafana", &mall(Role::Viewer), NOW).await.unwrap();
    assert_eq!(office.of_token(&token.secret).await.unwrap(), Some(token.token.clone()));
    let texts =
        || std::fs::read_dir(temp.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let holds = |word: &[u8]| texts().any(|text: Vec<u8>| text.windows(word.len()).any(|part| part == word));
    assert!(holds(b"anna") && holds(b"Grafana"), "what is kept is found");
    for secret in [PASSWORD, &link, &session, &token.secret] {
        let bare = secret.trim_start_matches("passant_");
        // A part would do harm enough, and so would the bytes that the digits stand for.
        let pairs = bare.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let bytes: Result<Vec<u8>, _> = pairs.map(|pair| u8::from_str_radix(pair, 16)).collect();
        let parts = [&bare.as_bytes()[..16], &bare.as_bytes()[bare.len() - 16..]];
        assert!(!parts.into_iter().chain(bytes.as_deref().ok()).any(holds), "a secret rests");
    }
    office.remove_token(&everything(), token.token.id, NOW).await.unwrap();
    assert_eq!(office.of_token(&token.secret).await.unwrap(), None);
    let ledger = std::fs::read_to_string(temp.path().join(ledger::FILE_NAME)).unwrap();
    for word in ["account_added", "token_added", "token_removed"] {
        assert!(ledger.contains(word), "{ledger}");
    }
    assert!(!ledger.contains("anna") && !ledger.contains("Grafana"), "{ledger}");
}

#[tokio::test]
async fn nobody_gives_away_what_they_do_not_have_and_an_administrator_stays() {
    let temp = tempfile::tempdir().unwrap();
    let office = office(temp.path()).await;
    let anna = add(&office, "anna", &everything()).await;
    let viewer = add(&office, "vera", &mall(Role::Viewer)).await;
    let of_mall = mall(Role::Admin);
    for roles in [everything(), Roles::everywhere(Role::Viewer), Roles::default()] {
        assert!(matches!(office.add(&of_mall, carl(&roles), NOW).await, Err(Error::Beyond)));
        assert!(matches!(office.add_token(&of_mall, "x", &roles, NOW).await, Err(Error::Beyond)));
        let change = AccountChange { roles: Some(&roles), ..AccountChange::default() };
        assert!(matches!(office.change(&of_mall, viewer.id, change, NOW).await, Err(Error::Beyond)));
    }
    let elsewhere = Roles::of([(Place::parse("moon").unwrap(), Role::Viewer)]).unwrap();
    assert!(matches!(office.add(&everything(), carl(&elsewhere), NOW).await, Err(Error::Place)));
    assert_eq!(office.list(&of_mall).await.unwrap(), std::slice::from_ref(&viewer));
    let change = AccountChange { password: Some("another horse battery"), roles: None };
    assert!(matches!(office.change(&of_mall, anna.id, change, NOW).await, Err(Error::NoAccount)));
    assert!(matches!(office.remove(&of_mall, anna.id, NOW).await, Err(Error::NoAccount)));
    assert!(matches!(office.remove(&everything(), anna.id, NOW).await, Err(Error::LastAdmin)));
    let change = AccountChange { roles: Some(&of_mall), ..AccountChange::default() };
    assert!(matches!(office.change(&everything(), anna.id, change, NOW).await, Err(Error::LastAdmin)));
    assert!(office.add(&everything(), carl(&of_mall), NOW).await.is_ok());
    assert!(matches!(office.add(&everything(), carl(&of_mall), NOW).await, Err(Error::Taken)));
    office.remove(&of_mall, viewer.id, NOW).await.unwrap();
}

#[tokio::test]
async fn sessions_that_have_ended_are_deleted_and_an_account_keeps_twenty() {
    let temp = tempfile::tempdir().unwrap();
    let office = office(temp.path()).await;
    add(&office, "anna", &everything()).await;
    let mut begun = Vec::new();
    for second in 0..25 {
        let at = NOW.plus_secs(second);
        begun.push(office.sign_in("anna", PASSWORD, at).await.unwrap().unwrap().secret);
    }
    let at = NOW.plus_secs(25);
    for (number, secret) in begun.iter().enumerate() {
        assert_eq!(office.of_session(secret, at).await.unwrap().is_some(), number >= 5, "{number}");
    }
    assert_eq!(office.forget_ended(at).await.unwrap(), 0);
    assert_eq!(office.forget_ended(at.plus_secs(SESSION_IDLE_SECS)).await.unwrap(), 20);
}

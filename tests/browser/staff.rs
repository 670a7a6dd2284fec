//! The staff with accounts: a password changed by its owner, and who is out by that; and roles by venue, given and changed.

use super::axe::Axe;
use super::driver::{Browser, Scripts};
use super::mall::Mall;
use super::operator::{DESK, open};
use super::pages::{at_home, looked_at, set_up_place};

const OLD: &str = "correct horse battery";
const NEW: &str = "another horse battery";

/// Fills the form that is open in, and sends it.
fn enter(browser: &mut Browser, password: &str) {
    enter_as(browser, "anna", password);
}

fn enter_as(browser: &mut Browser, name: &str, password: &str) {
    browser.run("document.querySelector('#name').value = ''");
    browser.write("#name", name);
    browser.write("#password", password);
    browser.click("form button");
}

/// Says the old and a new password on Settings.
fn change(browser: &mut Browser, old: &str, new: &str) {
    browser.run(
        "for (const field of document.querySelectorAll('#password-form [type=password]')) field.value = ''",
    );
    browser.write("#password-form [name=password]", old);
    browser.write("#password-form [name=new_password]", new);
    browser.click("#password-form button");
}

#[test]
#[ignore = "needs Chromium and axe-core"]
fn a_password_is_changed_by_its_owner_and_every_other_page_of_theirs_is_shown_the_door() {
    let axe = Axe::found();
    let mall = Mall::open();
    let mut here = Browser::open(Scripts::Run);
    here.look_as(DESK);
    open(&mut here, &mall, "settings");
    let way_out = "return document.querySelector('#sign-out button') !== null";
    assert_eq!(here.run(way_out), false, "nobody is signed in");
    here.go(&mall.url(&set_up_place(&mall)));
    enter(&mut here, OLD);
    at_home(&mut here);
    assert_eq!(here.run(way_out), true);
    let mut there = Browser::open(Scripts::Run);
    there.look_as(DESK);
    there.go(&mall.url("/login"));
    enter(&mut there, OLD);
    at_home(&mut there);

    open(&mut here, &mall, "settings");
    change(&mut here, "wrong horse battery", NEW);
    here.until(
        "it is refused",
        "return document.querySelector('#password-said').textContent.startsWith('That is not your password')",
    );
    let wrong = looked_at(&mut here, &axe, "a refused password");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert_eq!(there.run("return document.querySelector('#link').dataset.state"), "live");
    change(&mut here, OLD, NEW);
    here.until(
        "it is changed",
        "return document.querySelector('#password-said').textContent.startsWith('Your password is changed')",
    );
    there.until("the other page is shown the door", "return location.pathname === '/login'");
    enter(&mut there, OLD);
    assert_ne!(there.text("#wrong"), "");

    open(&mut here, &mall, "settings");
    assert!(here.text("#me").contains("Signed in as anna."));
    here.click("#sign-out button");
    here.until("one is out", "return location.pathname === '/login'");
    enter(&mut here, NEW);
    at_home(&mut here);
}

/// Chooses a role and where it holds in a line of roles, from 1 on.
fn grant(browser: &mut Browser, group: &str, line: usize, role: &str, venue: &str) {
    for (of, value) in [("role", role), ("venue", venue)] {
        browser.run(&format!(
            "const list = document.querySelectorAll('#{group} select[data-of={of}]')[{line} - 1];
             list.value = '{value}';
             list.dispatchEvent(new Event('change', {{ bubbles: true }}))"
        ));
    }
}

/// The status that a page of this browser gets for a path.
fn status(browser: &mut Browser, path: &str) -> serde_json::Value {
    browser.run(&format!("return fetch('{path}').then((answer) => answer.status)"))
}

/// Waits until something on the page says this.
fn until_it_says(browser: &mut Browser, selector: &str, words: &str) {
    browser.until(
        &format!("{selector} says {words}"),
        &format!("return document.querySelector('{selector}').textContent.includes('{words}')"),
    );
}

#[test]
#[ignore = "needs Chromium and axe-core"]
fn roles_by_venue_are_given_changed_and_take_effect_and_ones_own_are_not_lost_by_accident() {
    let axe = Axe::found();
    let mall = Mall::among(1);
    let mut admin = Browser::open(Scripts::Run);
    admin.look_as(DESK);
    admin.go(&mall.url(&set_up_place(&mall)));
    enter(&mut admin, OLD);
    at_home(&mut admin);

    // Berta reads the mall, and sees to the other venue.
    open(&mut admin, &mall, "settings");
    admin.write("#accounts-form [name=name]", "berta");
    admin.write("#accounts-form [name=password]", OLD);
    admin.click("#accounts-grants > button");
    grant(&mut admin, "accounts-grants", 1, "viewer", "mall");
    grant(&mut admin, "accounts-grants", 2, "admin", "mall");
    admin.click("#accounts-form button[type=submit]");
    until_it_says(&mut admin, "#accounts-said", "no venue twice");
    grant(&mut admin, "accounts-grants", 2, "operator", "halle-0");
    admin.click("#accounts-form button[type=submit]");
    until_it_says(&mut admin, "#accounts-body", "Viewer: Galerie du Passage");
    assert!(admin.text("#accounts-body").contains("Operator: Halle 0"), "{}", admin.text("#accounts-body"));
    let mut berta = Browser::open(Scripts::Run);
    berta.look_as(DESK);
    berta.go(&mall.url("/login"));
    enter_as(&mut berta, "berta", OLD);
    berta.until("she is in", "return location.pathname !== '/login'");
    open(&mut berta, &mall, "settings");
    let asked = ["/api/v1/venues/mall/walk", "/api/v1/venues/halle-0/walk", "/api/v1/venues/halle-0"];
    let answers = |browser: &mut Browser| asked.map(|path| status(browser, path));
    assert_eq!(answers(&mut berta), [403, 200, 200]);
    assert_eq!(berta.run("return document.querySelector('#accounts').hidden"), true);

    // From now on she sees to the mall, and to nothing else.
    admin.click("[aria-label='Change roles: berta']");
    let focused = "return document.activeElement.matches('#roles-grants [data-of=role]')";
    assert_eq!(admin.run(focused), true, "the keyboard is where the work is");
    let wrong = looked_at(&mut admin, &axe, "the roles of an account");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    admin.look_as(DESK);
    admin.click("#roles-grants [aria-label='Remove: Role 1']");
    grant(&mut admin, "roles-grants", 1, "operator", "mall");
    admin.click("#roles-form [type=submit]");
    until_it_says(&mut admin, "#accounts-said", "The roles of berta are changed");
    assert!(admin.text("#accounts-body").contains("Operator: Galerie du Passage"));
    assert!(!admin.text("#accounts-body").contains("Halle 0"));
    assert_eq!(admin.run("return document.activeElement.ariaLabel"), "Change roles: berta");
    berta.go(&mall.url("/venues/mall/settings"));
    berta.until("she is shown the door", "return location.pathname === '/login'");
    enter_as(&mut berta, "berta", OLD);
    berta.until("she is in again", "return location.pathname !== '/login'");
    open(&mut berta, &mall, "settings");
    assert_eq!(answers(&mut berta), [200, 404, 404]);

    // The last admin is asked once more, and then told what stands against it.
    admin.click("[aria-label='Change roles: anna']");
    grant(&mut admin, "roles-grants", 1, "viewer", "*");
    admin.click("#roles-form [type=submit]");
    until_it_says(&mut admin, "#roles-wrong", "This is your own account");
    admin.click("#roles-form [type=submit]");
    until_it_says(&mut admin, "#roles-wrong", "this is the last administrator of every venue");
    admin.click("#roles-form [data-word=rolesCancel]");
    assert_eq!(admin.run("return document.querySelector('#roles-form').hidden"), true);
    assert_eq!(admin.run("return document.activeElement.ariaLabel"), "Change roles: anna");
    assert_eq!(status(&mut admin, "/api/v1/accounts"), 200);
}

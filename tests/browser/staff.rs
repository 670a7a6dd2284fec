//! The staff with accounts: a password changed by its owner, and who is out by that.

use super::axe::Axe;
use super::driver::{Browser, Scripts};
use super::mall::Mall;
use super::operator::{DESK, open};
use super::pages::{at_home, looked_at, set_up_place};

const OLD: &str = "correct horse battery";
const NEW: &str = "another horse battery";

/// Fills the form that is open in, and sends it.
fn enter(browser: &mut Browser, password: &str) {
    browser.run("document.querySelector('#name').value = ''");
    browser.write("#name", "anna");
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

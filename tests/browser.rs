//! What people see, in a real Chromium: an objection from the form to the withdrawal, and the pages as they are looked at,
//! read aloud, and walked through with a keyboard.
//!
//! Debian has what is needed in the packages chromium and chromium-driver.

#[path = "browser/air.rs"]
mod air;
#[path = "browser/alerts.rs"]
mod alerts;
#[path = "browser/axe.rs"]
mod axe;
#[path = "browser/chance.rs"]
mod chance;
#[path = "browser/doors.rs"]
mod doors;
#[path = "browser/driver.rs"]
mod driver;
#[path = "browser/mall.rs"]
mod mall;
#[path = "support/mosquitto.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod mosquitto;
#[path = "browser/operator.rs"]
mod operator;
#[path = "browser/opt_out.rs"]
mod opt_out;
#[path = "browser/pages.rs"]
mod pages;
#[path = "browser/paint.rs"]
mod paint;
#[path = "browser/paper.rs"]
mod paper;
#[path = "browser/past.rs"]
mod past;
#[path = "browser/questions.rs"]
mod questions;
#[path = "support/server.rs"]
mod server;
#[path = "browser/staff.rs"]
mod staff;
#[path = "support/venue.rs"]
mod venue;
#[path = "browser/venues.rs"]
mod venues;
#[path = "support/year.rs"]
#[expect(dead_code, reason = "benches use the rest of it")]
mod year;

//! Passant counts the people in a venue from the radio signals their phones send anyway, and keeps nobody's trace.
//!
//! A sighting comes in at the ground and walks up, and on each floor it loses something: first its envelope, then, at
//! the gate, perhaps everything, then its name, then its self, then its singleness, and last its smallness. The floors
//! are the privacy policy; a test holds who may import whom. From the ground up:
//!
//! 1. [`clock`], [`chance`], [`memory`], [`sealing`], [`telemetry`], [`ledger`], [`link`], [`broker`], and the crate
//!    `passant_wire`
//! 2. [`sighting`], [`config`], [`calibration`]
//! 3. [`intake`], [`optout`]
//! 4. [`pseudonym`]: the raw device ends here
//! 5. [`visit`], [`crowd`], [`roster`]
//! 6. [`aggregate`], [`walk`]
//! 7. [`release`], [`vault`]
//! 8. [`store`]
//! 9. [`pipeline`], [`office`]
//! 10. [`api`], [`outlet`]
//! 11. [`app`]
//!
//! Walks through the house are told in `src/README.md`.

pub mod aggregate;
pub mod api;
pub mod app;
pub mod broker;
pub mod calibration;
pub mod chance;
pub mod clock;
pub mod config;
pub mod crowd;
pub mod desk;
pub mod intake;
pub mod ledger;
pub mod link;
pub mod memory;
pub mod office;
pub mod optout;
pub mod outlet;
pub mod pipeline;
pub mod pseudonym;
pub mod release;
pub mod roster;
pub mod sealing;
pub mod sighting;
pub mod store;
pub mod telemetry;
pub mod vault;
pub mod visit;
pub mod walk;

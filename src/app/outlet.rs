//! The outlet at work in a server.

use anyhow::Result;
use tokio::task::JoinHandle;

use crate::api;
use crate::config::Config;
use crate::link;
use crate::outlet::{Outlet, Parts};

/// Opens the outlet and puts it to work on a task of its own.
///
/// # Errors
/// When a rule of the configuration makes no sense.
pub(super) fn at_work(state: &api::State, config: &Config, link: &link::Handle) -> Result<JoinHandle<()>> {
    let outlet = Outlet::open(Parts {
        venues: state.venues.clone(),
        outlet: config.outlet.clone(),
        store: state.store.clone(),
        live: state.live.clone(),
        voice: link.voice(),
        tally: state.tally.clone(),
    })?;
    Ok(tokio::spawn(outlet.run()))
}

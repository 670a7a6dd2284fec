//! What the room asks of the broker library it wraps, so that the library can be exchanged.

use std::net::SocketAddr;

use super::{Access, Error};

pub(super) trait Engine: Sized {
    /// Binds and returns once connections are taken. What is forbidden to anyone is decided before.
    async fn start(listen: SocketAddr, access: Access) -> Result<Self, Error>;

    /// Where it really listens.
    fn address(&self) -> SocketAddr;

    /// Stops, with a farewell to every client. Dropping it stops as well, without one.
    async fn shutdown(self);
}

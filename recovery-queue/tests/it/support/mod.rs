//! What several test modules share.

pub(crate) mod backends;
#[cfg(feature = "postgres")]
pub(crate) mod proxy;
#[cfg(feature = "postgres")]
pub(crate) mod server;

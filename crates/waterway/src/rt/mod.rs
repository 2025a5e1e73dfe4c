//! The runtime: what runs goroutines. Knows nothing of channels, locks or sockets.

pub(crate) mod arena;
pub(crate) mod park;
pub(crate) mod record;
pub(crate) mod thread;

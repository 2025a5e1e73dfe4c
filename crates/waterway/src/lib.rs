//! Go's concurrency for Rust.

mod defer;
mod primitives;
mod rt;
mod wait;

pub use waterway_macros::{main, test};

/// What the macros of this crate expand to. Not for users: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::defer::Deferred;
}

//! Go's concurrency for Rust: goroutines, channels, `select`, and a runtime that says when a program deadlocks.

pub mod chan;
mod defer;
mod goroutine;
mod primitives;
mod rt;
pub mod sync;
pub mod time;
mod wait;
pub mod watch;

pub use chan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, WeakSender, chan,
};
pub use goroutine::{
    Builder, JoinHandle, LocalJoinHandle, Scope, ScopedJoinHandle, blocking, go, go_local,
    max_procs, num_goroutines, scope, yield_now,
};
pub use rt::config::{Config, ConfigError, DeadlockPolicy, Guard, SigquitPolicy};
pub use waterway_macros::{main, test};

/// The runtime's way to the layers above it.
pub(crate) const HOOKS: rt::Hooks = watch::HOOKS;

/// What the macros of this crate expand to. Not for users: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::defer::Deferred;
    pub use crate::goroutine::{run_main, run_test};
}

//! Go's concurrency for Rust: goroutines, channels, `select`, and a runtime that says when a program deadlocks.
//!
//! Plain blocking code: a call that waits parks its goroutine, and the worker runs others.
//!
//! ```
//! use waterway::{chan, go};
//!
//! let (tx, rx) = chan(0);
//! for i in 0..3 {
//!     let tx = tx.clone();
//!     go(move || tx.send(i * i).unwrap());
//! }
//! drop(tx); // the channel closes with its last sender
//! assert_eq!(rx.iter().sum::<i32>(), 5);
//! ```
//!
//! # Goroutines
//!
//! [`go`] starts one; [`JoinHandle::join`] waits for its result. [`scope`] starts goroutines that borrow, [`go_local`] those
//! that hold what is not [`Send`], [`Builder`] those with a name, a stack of their own size or a thread to themselves.
//! A goroutine starts on any worker and never changes thread after that. There is nothing to set up: the runtime starts
//! with its first use, and `main` is a plain thread unless it carries [`#[waterway::main]`](main). When `main` returns, the
//! process ends.
//!
//! Code that computes for long, or blocks in the kernel, holds its worker and whatever lives there: use [`blocking`],
//! [`Builder::dedicated`] or [`yield_now`]. The runtime names who does not.
//!
//! # Channels and select
//!
//! [`chan()`] makes a channel with owned ends: the last drop of either closes it. Goroutines, threads and async tasks may
//! share one. [`select!`] waits for the first of several operations:
//!
//! ```
//! use std::time::Duration;
//! use waterway::{chan, select, time::after};
//!
//! let (_tx, rx) = chan::<i32>(0);
//! let timeout = after(Duration::from_millis(1));
//! let heard = select! {
//!     recv(rx) -> value => value.is_ok(),
//!     recv(timeout) -> _ => false,
//! };
//! assert!(!heard);
//! ```
//!
//! A channel without room makes its senders wait. Other policies refuse or shed, and count what becomes of each value; a
//! [`flow::Gate`] admits work before a goroutine exists for it; a [`flow::Monitor`] says which end of which channel is slower, and by
//! how much: [when writers are faster than readers](guide::flow).
//!
//! # Contexts
//!
//! A [`Context`] says when work is to end: when its guard is dropped, or a deadline passes. `ctx.recv(&rx)`, `ctx.lock(&mutex)`,
//! `ctx.sleep(duration)` and their kin give up then, and [`Context::done`] is an arm for [`select!`]. See [`context`].
//!
//! # Locks, values, tasks
//!
//! [`sync`] has what Go's `sync` has, for goroutines, threads and async tasks alike. [`local!`] declares values that each
//! goroutine has its own of. [`block_on`] runs a future in a goroutine; channels, locks and handles have calls for tasks, and with
//! the feature `futures` a receiver is a stream and a sender a sink.
//!
//! # When it goes wrong
//!
//! If every goroutine and thread waits for another, the process prints `fatal error: all goroutines are asleep - deadlock!`
//! with who waits where, and ends with status 2 ([`DeadlockPolicy`]). SIGQUIT prints every goroutine, [`watch::snapshot()`] gives
//! everything as data, and with the feature `serve` it is all served over HTTP (`watch::serve`). With the feature `tracing` it is told
//! to the program's subscriber (`guide::events`, a page that is there with that feature only). A panic ends its goroutine only.
//!
//! # Coming from elsewhere
//!
//! [For Go programmers](guide::for_go_programmers); [for tokio users](guide::for_tokio_users), and whoever has async tasks in the same
//! process: channels, locks and handles serve both, [`block_on`] runs a future in a goroutine.
//!
//! What is sound and what is not, with the two patterns that no stackful runtime can allow: `SOUNDNESS.md` in the
//! repository.

pub mod chan;
pub mod context;
mod defer;
pub mod flow;
#[cfg(feature = "futures")]
mod futures;
mod goroutine;
pub mod group;
pub mod guide;
mod primitives;
mod rt;
mod select;
pub mod sync;
pub mod time;
mod wait;
pub mod watch;

pub use chan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, WeakSender, chan,
};
pub use context::{CancelCauseGuard, CancelGuard, Context, ContextError};
#[cfg(feature = "futures")]
pub use futures::{RecvStream, SendSink};
pub use goroutine::{
    AccessError, Builder, Current, JoinHandle, LocalJoinHandle, LocalKey, Scope, ScopedJoinHandle,
    block_on, blocking, current, go, go_local, max_procs, num_goroutines, scope, yield_now,
};
pub use rt::config::{Config, ConfigError, DeadlockPolicy, Guard, SigquitPolicy};
pub use select::{
    ReadyTimeoutError, Select, SelectTimeoutError, SelectedOperation, TryReadyError, TrySelectError,
};
pub use waterway_macros::{main, test};

/// The runtime's way to the layers above it.
pub(crate) const HOOKS: rt::Hooks = watch::HOOKS;

/// What the macros of this crate expand to. Not for users: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::defer::Deferred;
    pub use crate::goroutine::{run_main, run_test};
    pub use crate::select::{Otherwise, RecvArm, SendArm, choose};
    pub use crate::watch::leaks::{GRACE as LEAK_GRACE, assert_no_leaks};
}

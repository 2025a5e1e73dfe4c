//! Shuttle models of blocking and waking: the library's own `wait`, `chan`, `select` and `sync`, word for word, between plain
//! threads that shuttle schedules at every atomic access.
//!
//! Their `primitives` are shuttle's here, and the runtime below them is replaced by [`rt`]: waiters are threads, for a model
//! cannot see a stack switch. What that leaves out, goroutines and the queues of workers, is modelled apart or tested on
//! real threads. Shuttle takes every access as sequentially consistent: memory orders are loom's matter.
//!
//! ```text
//! cargo test -p waterway-models --test blocking [NAME]        WATERWAY_MODEL_RUNS=100000 for more schedules
//! ```
//!
//! A failure prints the command that runs its schedule again.

// The library's modules are here whole, of which the models use a part.
#![allow(dead_code, unused_imports, missing_docs, clippy::large_enum_variant)]

#[macro_use]
mod local;
mod models;
mod primitives;
#[path = "rt/mod.rs"]
mod rt;
#[path = "../schedules.rs"]
mod schedules;

#[path = "../../crates/waterway/src/goroutine/block_on.rs"]
mod block_on;
#[path = "../../crates/waterway/src/chan/mod.rs"]
pub mod chan;
#[path = "../../crates/waterway/src/select/mod.rs"]
mod select;
#[path = "../../crates/waterway/src/sync/mod.rs"]
pub mod sync;
#[path = "../../crates/waterway/src/time/mod.rs"]
pub mod time;
#[path = "../../crates/waterway/src/wait/mod.rs"]
mod wait;

pub use chan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, WeakSender,
};
pub use select::{
    ReadyTimeoutError, Select, SelectTimeoutError, SelectedOperation, TryReadyError, TrySelectError,
};

/// Goroutines are threads here.
mod goroutine {
    pub(crate) fn go<F: FnOnce() + Send + 'static>(f: F) {
        drop(shuttle::thread::spawn(f));
    }

    pub(crate) struct Builder;

    impl Builder {
        pub(crate) fn new() -> Builder {
            Builder
        }

        pub(crate) fn go_at<F: FnOnce() + Send + 'static>(
            self,
            _site: &'static std::panic::Location<'static>,
            f: F,
        ) -> shuttle::thread::JoinHandle<()> {
            shuttle::thread::spawn(f)
        }
    }
}

/// What the macros of the library expand to.
pub mod __private {
    pub use crate::select::{Otherwise, RecvArm, SendArm, choose};
}

fn main() {
    schedules::main("blocking", &models::all());
}

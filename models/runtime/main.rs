//! Shuttle models of the runtime: the library's own workers, scheduler, sysmon, tokens, timers and pool, word for word, on threads
//! that shuttle schedules at every atomic access.
//!
//! Below them everything is replaced (`rt`): goroutines are steps of a program, since a model cannot see a stack switch; the
//! queues of unstarted goroutines are a locked list; futexes, the bell and the clock are shuttle's threads and steps. Whoever
//! sleeps with a time-out wakes when chance wants it. Shuttle takes every access as sequentially consistent: memory orders are for
//! the loom models of `orders`.
//!
//! ```text
//! cargo test -p waterway-models --test runtime [NAME]        WATERWAY_MODEL_RUNS=100000 for more schedules
//! ```
//!
//! A failure prints the command that runs its schedule again.

// The library's modules are here whole, of which the models use a part.
#![allow(dead_code, unused_imports, missing_docs, private_interfaces)]

// What the library takes from these, it finds here.
extern crate self as crossbeam_deque;
extern crate self as waterway_stack;

#[macro_use]
#[path = "../blocking/local.rs"]
mod local;
mod deque;
mod primitives;
#[path = "rt/mod.rs"]
mod rt;
#[path = "../schedules.rs"]
mod schedules;

pub use deque::{Injector, Steal};
pub use rt::stacks::{Stack, StackError};

/// Goroutines have no stacks here.
pub fn ensure_altstack() {}

/// As above.
pub fn load_names() {}

static HOOKS: rt::Hooks = rt::models::HOOKS;

fn main() {
    schedules::main("runtime", &rt::models::all());
}

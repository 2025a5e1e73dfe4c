//! Loom models of how workers sleep and are woken: the library's own source, under every schedule with a few preemptions, and
//! every outcome that the memory orders allow.
//!
//! A goroutine here is a link in an inbox, and a worker what others bring it. What else workers do, with turns, timers and
//! spares, is for the shuttle models of `runtime`.
//!
//! ```text
//! cargo test -p waterway-models --test orders [NAME]        WATERWAY_MODEL_PREEMPTIONS=4 for more schedules
//! ```
//!
//! A failure prints the name of the model. The same command runs it again: schedules are tried in one order.

// The library's modules are here whole, of which the models use a part.
#![allow(dead_code, missing_docs, private_interfaces)]

mod primitives;
#[path = "rt/mod.rs"]
mod rt;
#[path = "../value.rs"]
mod value;

fn main() {
    rt::models::main();
}

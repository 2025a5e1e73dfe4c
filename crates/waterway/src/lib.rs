//! Go's concurrency for Rust.

mod primitives;
mod rt;
mod wait;

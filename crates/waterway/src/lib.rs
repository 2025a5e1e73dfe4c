//! Go's concurrency for Rust.

pub mod chan;
mod primitives;
mod rt;
mod wait;

pub use chan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, WeakSender, chan,
};

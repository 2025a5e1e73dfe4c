//! Locks and the like, for goroutines and threads alike: who waits is parked, and its worker runs others.

mod mutex;
mod wait_group;

pub use mutex::{Mutex, MutexGuard};
pub use wait_group::WaitGroup;

//! Locks and the like, for goroutines and threads alike: who waits is parked, and its worker runs others.

mod barrier;
mod condvar;
mod lazy_core;
mod mutex;
mod once;
mod pool;
mod rw_lock;
mod semaphore;
mod wait_group;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{LazyLock, Once, OnceLock};
pub use pool::{Pool, Pooled};
pub use rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Permit, Semaphore};
pub use wait_group::WaitGroup;

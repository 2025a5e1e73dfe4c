//! Locks and the like, for goroutines and threads alike: who waits is parked, and its worker runs others.

mod barrier;
mod condvar;
mod lazy_core;
mod mutex;
mod mutex_async;
mod once;
mod pool;
mod rw_lock;
mod rw_lock_async;
mod semaphore;
mod wait_group;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use mutex_async::{AsyncMutexGuard, LockFuture};
pub use once::{LazyLock, Once, OnceLock};
pub use pool::{Pool, Pooled};
pub use rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use rw_lock_async::{AsyncRwLockReadGuard, AsyncRwLockWriteGuard, ReadFuture, WriteFuture};
pub use semaphore::{AcquireFuture, Permit, Semaphore};
pub use wait_group::{WaitFuture, WaitGroup, WaitToken};

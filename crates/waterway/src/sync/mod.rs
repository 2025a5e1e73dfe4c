//! Locks and the like, for goroutines, threads and async tasks alike: a goroutine that waits is parked, and its worker runs
//! others.
//!
//! | | goroutines and threads | async tasks |
//! | --- | --- | --- |
//! | [`Mutex`] | `lock`, `lock_timeout`, `try_lock` | `lock_async`, `try_lock` |
//! | [`RwLock`] | `read`, `write`, `*_timeout`, `try_*` | `read_async`, `write_async`, `try_*` |
//! | [`Semaphore`] | `acquire`, `acquire_timeout`, `try_acquire` | `acquire_async`, `try_acquire` |
//! | [`WaitGroup`] | `wait`, `wait_timeout` | `wait_async` |
//! | [`Condvar`] | `wait`, `wait_while`, `wait_timeout`, `wait_timeout_while` | `wait_async`, `wait_while_async` |
//! | [`Barrier`] | `wait` | `wait_async` |
//! | [`Once`] | `call_once` | `call_once_async` |
//! | [`OnceLock`] | `get_or_init`, `set`, `get` | `get_or_init_async`, `set_async`, `get` |
//! | [`LazyLock`] | `force`, or its value | `force_async` |
//! | [`Pool`] | never waits | never waits |
//!
//! There is no poisoning: a panic while a lock is held unlocks it, and the next holder finds the data as it was left. Guards
//! of goroutines and threads stay on their thread; those of tasks may go to another. A deadlock's report says who holds a
//! lock, and where it was taken.

mod barrier;
mod condvar;
mod condvar_async;
mod lazy_core;
mod lazy_lock;
mod mutex;
mod mutex_async;
mod once;
mod once_async;
mod pool;
mod raw_mutex;
mod raw_rw_lock;
mod reminder;
mod rw_lock;
mod rw_lock_async;
mod semaphore;
mod semaphore_async;
mod soon;
mod wait_group;
mod wait_group_async;

pub use barrier::{Barrier, BarrierFuture, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use condvar_async::CondvarFuture;
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub use mutex_async::{AsyncMutexGuard, LockFuture};
pub use once::{Once, OnceLock};
pub use once_async::{CallFuture, ForceFuture, InitFuture, SetFuture};
pub use pool::{Pool, Pooled};
pub use rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use rw_lock_async::{AsyncRwLockReadGuard, AsyncRwLockWriteGuard, ReadFuture, WriteFuture};
pub use semaphore::{Permit, Semaphore};
pub use semaphore_async::AcquireFuture;
pub use wait_group::{WaitGroup, WaitToken};
pub use wait_group_async::WaitFuture;

//! Things that are kept for use again.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

use crate::primitives::Lock;
use crate::rt::worker;

/// Idle items are kept in this many places, so that workers seldom meet.
const SHARDS: usize = 16;

/// Keeps what is dear to make, such as buffers, for use again. Never blocks.
///
/// What a user leaves in an item is there for the next one: clear it on taking. At most `max_idle` items are kept.
///
/// ```
/// use waterway::sync::Pool;
/// static BUFFERS: Pool<Vec<u8>> = Pool::new(Vec::new);
/// let mut buffer = BUFFERS.take();
/// buffer.clear();
/// buffer.extend_from_slice(b"hello");
/// // Dropped, it goes back.
/// ```
///
/// Go: `sync.Pool`, which a garbage collection empties; here `max_idle` is the limit.
pub struct Pool<T, F = fn() -> T> {
    make: F,
    max_idle: usize,
    shards: [Lock<Vec<T>>; SHARDS],
}

impl<T, F: Fn() -> T> Pool<T, F> {
    /// A pool whose items are made by `make` when none is idle. It keeps at most 256.
    ///
    /// ```
    /// let pool = waterway::sync::Pool::new(|| vec![0; 1024]);
    /// assert_eq!(pool.take().len(), 1024);
    /// ```
    ///
    /// Go: `sync.Pool` with `New` set.
    pub const fn new(make: F) -> Pool<T, F> {
        Pool {
            make,
            max_idle: 256,
            shards: [const { Lock::new(Vec::new()) }; SHARDS],
        }
    }

    /// The pool, keeping at most about `n` idle items: as many for each of 16 parts, rounded up.
    ///
    /// ```
    /// let pool = waterway::sync::Pool::new(String::new).max_idle(32);
    /// # drop(pool.take());
    /// ```
    pub const fn max_idle(mut self, n: usize) -> Pool<T, F> {
        self.max_idle = n;
        self
    }

    /// An idle item, or a new one.
    ///
    /// ```
    /// let pool = waterway::sync::Pool::new(String::new);
    /// pool.take().push_str("left here");
    /// assert_eq!(*pool.take(), "left here");
    /// ```
    ///
    /// Go: `Pool.Get`.
    pub fn take(&self) -> Pooled<'_, T, F> {
        let own = self.own();
        let idle = (0..SHARDS).find_map(|i| self.shards[(own + i) % SHARDS].lock().pop());
        Pooled {
            item: ManuallyDrop::new(idle.unwrap_or_else(&self.make)),
            pool: self,
        }
    }

    /// How many items are idle now.
    ///
    /// ```
    /// let pool = waterway::sync::Pool::new(String::new);
    /// drop(pool.take());
    /// assert_eq!(pool.idle(), 1);
    /// ```
    pub fn idle(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}

impl<T, F> Pool<T, F> {
    fn own(&self) -> usize {
        worker::this().map_or(0, |worker| worker.index) % SHARDS
    }

    fn give(&self, item: T) {
        let surplus = {
            let mut shard = self.shards[self.own()].lock();
            if shard.len() < self.max_idle.div_ceil(SHARDS) {
                shard.push(item);
                None
            } else {
                Some(item)
            }
        };
        // Its drop is user code: not under the lock.
        drop(surplus);
    }
}

impl<T, F> fmt::Debug for Pool<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

/// An item of a [`Pool`]; dropped, it goes back.
///
/// ```
/// use waterway::sync::Pool;
/// let pool = Pool::new(Vec::<u8>::new);
/// let mut buffer = pool.take();
/// buffer.push(1);
/// drop(buffer); // back into the pool, as it is
/// assert_eq!(pool.idle(), 1);
/// ```
///
/// Go: its drop is `Pool.Put`.
pub struct Pooled<'a, T, F = fn() -> T> {
    item: ManuallyDrop<T>,
    pool: &'a Pool<T, F>,
}

impl<T, F> Pooled<'_, T, F> {
    /// Takes the item for good.
    ///
    /// ```
    /// let pool = waterway::sync::Pool::new(String::new);
    /// let own: String = pool.take().detach();
    /// assert_eq!(pool.idle(), 0);
    /// # drop(own);
    /// ```
    pub fn detach(self) -> T {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped, so the item is taken once.
        unsafe { ManuallyDrop::take(&mut this.item) }
    }
}

impl<T, F> Drop for Pooled<'_, T, F> {
    fn drop(&mut self) {
        // SAFETY: dropped once, and not used again.
        self.pool
            .give(unsafe { ManuallyDrop::take(&mut self.item) });
    }
}

impl<T, F> Deref for Pooled<'_, T, F> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T, F> DerefMut for Pooled<'_, T, F> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T: fmt::Debug, F> fmt::Debug for Pooled<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

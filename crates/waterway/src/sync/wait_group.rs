//! Waiting for many.

use std::fmt;
use std::panic::Location;

use crate::goroutine::go;
use crate::primitives::{AtomicU64, Lock, Ordering};
use crate::rt::core_box::{CoreHeader, CoreKind, CoreRef};
use crate::wait::{
    Claimed, Node, WaitKey, WaitQueue, WaitReason, Waiter, Wake, checkpoint, unwind,
};

/// Somebody waits. The rest of the word is the count.
const WAITED: u64 = 1 << 63;

struct State {
    word: AtomicU64,
    waiters: Lock<WaitQueue>,
}

/// Counts work that is under way; [`wait`](WaitGroup::wait) returns when none is left. Clones share the count.
///
/// ```
/// use waterway::sync::WaitGroup;
/// let group = WaitGroup::new();
/// for _ in 0..3 {
///     group.add(1);
///     let group = group.clone();
///     waterway::go(move || group.done());
/// }
/// group.wait();
/// ```
///
/// Go: `sync.WaitGroup`.
#[derive(Clone)]
pub struct WaitGroup {
    core: CoreRef<State>,
}

impl WaitGroup {
    /// A group with nothing under way.
    #[track_caller]
    pub fn new() -> WaitGroup {
        let header = CoreHeader::new(CoreKind::WaitGroup, Location::caller());
        let state = State {
            word: AtomicU64::new(0),
            waiters: Lock::new(WaitQueue::new()),
        };
        WaitGroup {
            core: CoreRef::new(header, state),
        }
    }

    /// Adds `n` to the count; below zero it takes away, and wakes who waits if nothing is left. Never blocks.
    ///
    /// # Panics
    ///
    /// If the count would be negative.
    ///
    /// Go: `WaitGroup.Add`.
    #[track_caller]
    pub fn add(&self, n: isize) {
        let word = &self.core.value.word;
        let mut now = word.load(Ordering::Relaxed);
        let left = loop {
            let count = (now & !WAITED) as i64;
            let left = count.checked_add(n as i64).filter(|left| *left >= 0);
            let Some(left) = left else {
                panic!(
                    "negative WaitGroup counter: {n} was added to {count}. The group was made at {}; each done() needs an \
                     add(1) before it",
                    self.core.header.site()
                );
            };
            let next = left as u64 | if left == 0 { 0 } else { now & WAITED };
            match word.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break left,
                Err(other) => now = other,
            }
        };
        if left == 0 && now & WAITED != 0 {
            self.wake_all();
        }
    }

    /// Takes one away from the count. Never blocks.
    ///
    /// # Panics
    ///
    /// If the count is zero.
    ///
    /// Go: `WaitGroup.Done`.
    #[track_caller]
    pub fn done(&self) {
        self.add(-1);
    }

    /// Parks the caller until the count is zero.
    ///
    /// # Blocking
    ///
    /// Parks unless the count is zero.
    ///
    /// Go: `WaitGroup.Wait`.
    #[track_caller]
    pub fn wait(&self) {
        checkpoint();
        let State { word, waiters } = &self.core.value;
        if word.load(Ordering::Acquire) & !WAITED == 0 {
            return;
        }
        let waiter = Waiter::current();
        let node = Node::new(&waiter, 1, std::ptr::null_mut());
        {
            let mut waiters = waiters.lock();
            let mut now = word.load(Ordering::Acquire);
            loop {
                if now & !WAITED == 0 {
                    return;
                }
                match word.compare_exchange_weak(
                    now,
                    now | WAITED,
                    Ordering::AcqRel,
                    Ordering::Acquire,
                ) {
                    Ok(_) => break,
                    Err(other) => now = other,
                }
            }
            // SAFETY: the node stays until it was popped, or removed below.
            unsafe { waiters.push_back(&node) };
        }
        let key = WaitKey {
            reason: WaitReason::WaitGroup,
            object: self.core.address(),
            site: Location::caller(),
        };
        if waiter.park(&key, None) == Wake::Reaped {
            waiters.lock().remove(&node);
            unwind(&key);
        }
    }

    /// Starts a goroutine that the group waits for. A panic in it ends only it, and counts as done.
    ///
    /// ```
    /// let group = waterway::sync::WaitGroup::new();
    /// group.go(|| println!("working"));
    /// group.wait();
    /// ```
    ///
    /// Go: `WaitGroup.Go`.
    #[track_caller]
    pub fn go<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        /// Done at the end, be it a panic.
        struct Done(WaitGroup);
        impl Drop for Done {
            fn drop(&mut self) {
                self.0.done();
            }
        }
        self.add(1);
        let done = Done(self.clone());
        go(move || {
            let _done = done;
            f();
        });
    }

    /// The count is zero: wakes all who waited for that. Those who come later set `WAITED` again, under the same lock.
    #[cold]
    fn wake_all(&self) {
        let mut woken = Vec::new();
        let mut waiters = self.core.value.waiters.lock();
        while let Some((_, claimed)) = waiters.pop_claim() {
            woken.push(claimed);
        }
        drop(waiters);
        woken.into_iter().for_each(Claimed::wake);
    }
}

impl Default for WaitGroup {
    #[track_caller]
    fn default() -> Self {
        WaitGroup::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.core.value.word.load(Ordering::Relaxed) & !WAITED;
        f.debug_struct("WaitGroup").field("count", &count).finish()
    }
}

//! A mutual exclusion lock.
//!
//! # The lock word
//!
//! | bits | meaning |
//! | --- | --- |
//! | 0 | `WAITERS`: the queue may not be empty. Changed under the queue's lock only |
//! | 1.. | who holds the lock: a goroutine's number or a thread's id; 0 if nobody |
//!
//! Uncontended, `lock` and `unlock` are one compare-and-swap each. An unlocker with waiters wakes the first, who tries
//! again among newcomers; if it has waited for a millisecond the lock is handed to it instead, so nobody starves (Go's
//! rule).
//!
//! # Invariants
//!
//! - I1: the data is touched only by who the word names.
//! - I2: the core, once made, stays until the mutex is dropped.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::ptr::NonNull;

use crate::primitives::{AtomicPtr, AtomicUsize, Lock, Ordering};
use crate::rt::core_box::{CoreBox, CoreHeader, CoreKind};
use crate::rt::park::{clock, whoami};
use crate::wait::{Node, WaitKey, WaitQueue, WaitReason, Waiter, Wake, checkpoint, unwind};

const WAITERS: usize = 1;
/// Who has waited for so long, in nanoseconds, is handed the lock.
const STARVING: u64 = 1_000_000;

struct Core {
    queue: Lock<WaitQueue>,
    /// Where the holder locked.
    held_at: AtomicPtr<Location<'static>>,
}

/// A waiter's side of the queue: its node's slot points here.
struct Turn {
    who: usize,
    since: u64,
    /// Set under the queue's lock by who hands the lock over.
    handed: Cell<bool>,
}

/// A lock for data that goroutines and threads share.
///
/// There is no poisoning: a panic while it is held unlocks it, and the next holder finds the data as it was left.
///
/// ```
/// use waterway::sync::Mutex;
/// static COUNT: Mutex<u32> = Mutex::new(0);
/// waterway::scope(|s| {
///     for _ in 0..10 {
///         s.go(|| *COUNT.lock() += 1);
///     }
/// });
/// assert_eq!(*COUNT.lock(), 10);
/// ```
///
/// Go: `sync.Mutex`.
pub struct Mutex<T: ?Sized> {
    /// Made by the first `lock`, so that `new` can be `const`.
    core: AtomicPtr<CoreBox<Core>>,
    made_at: &'static Location<'static>,
    data: UnsafeCell<T>,
}

// SAFETY: the lock lets one goroutine or thread at a time reach the data (I1).
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A lock around `value`, free.
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            core: AtomicPtr::new(std::ptr::null_mut()),
            made_at: Location::caller(),
            data: UnsafeCell::new(value),
        }
    }

    /// The value, without a lock: nobody else can hold it.
    pub fn into_inner(self) -> T {
        let mut this = std::mem::ManuallyDrop::new(self);
        if let Some(core) = NonNull::new(*this.core.get_mut()) {
            // SAFETY: the mutex is ours alone; it is not dropped again.
            unsafe { CoreBox::free(core) };
        }
        // SAFETY: `this` is not dropped, so the value is moved out once.
        unsafe { std::ptr::read(this.data.get()) }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the lock is free and takes it.
    ///
    /// A goroutine that locks a mutex it holds already waits for ever; the runtime reports that as a deadlock if nothing
    /// else can go on.
    ///
    /// # Blocking
    ///
    /// Parks the caller while somebody else holds the lock.
    ///
    /// Go: `Mutex.Lock`.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        checkpoint();
        let site = Location::caller();
        let core = self.core();
        let who = whoami() << 1;
        let word = &core.header.senders;
        if word
            .compare_exchange(0, who, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            lock_slow(core, who, site);
        }
        self.locked(core, site)
    }

    /// Takes the lock if it is free. Never blocks.
    ///
    /// Go: `Mutex.TryLock`.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let core = self.core();
        take_free(&core.header.senders, whoami() << 1)
            .then(|| self.locked(core, Location::caller()))
    }

    /// The value, without a lock: nobody else can hold it.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    #[inline]
    fn locked<'a>(
        &'a self,
        core: &'a CoreBox<Core>,
        site: &'static Location<'static>,
    ) -> MutexGuard<'a, T> {
        core.value
            .held_at
            .store(std::ptr::from_ref(site).cast_mut(), Ordering::Relaxed);
        // The guard's own word: the core's address, and one line further.
        let word = std::ptr::from_ref(core)
            .cast::<u8>()
            .wrapping_add(64)
            .cast();
        MutexGuard {
            lock: self,
            word,
            here: PhantomData,
        }
    }

    #[inline]
    fn core(&self) -> &CoreBox<Core> {
        let mut core = self.core.load(Ordering::Acquire);
        if core.is_null() {
            core = self.make_core();
        }
        // SAFETY: I2.
        unsafe { &*core }
    }

    #[cold]
    fn make_core(&self) -> *mut CoreBox<Core> {
        let state = Core {
            queue: Lock::new(WaitQueue::new()),
            held_at: AtomicPtr::new(std::ptr::null_mut()),
        };
        let new = CoreBox::make(CoreHeader::new(CoreKind::Mutex, self.made_at), state);
        let null = std::ptr::null_mut();
        match self
            .core
            .compare_exchange(null, new.as_ptr(), Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => new.as_ptr(),
            Err(other) => {
                // SAFETY: it was never shown to anyone.
                unsafe { CoreBox::free(new) };
                other
            }
        }
    }
}

impl<T: ?Sized> Drop for Mutex<T> {
    fn drop(&mut self) {
        if let Some(core) = NonNull::new(*self.core.get_mut()) {
            // SAFETY: the mutex is not borrowed, so nobody holds it or waits for it.
            unsafe { CoreBox::free(core) };
        }
    }
}

/// Takes the lock if nobody holds it, leaving the waiters' bit as it is.
#[inline]
fn take_free(word: &AtomicUsize, who: usize) -> bool {
    let mut now = word.load(Ordering::Relaxed);
    while now & !WAITERS == 0 {
        match word.compare_exchange_weak(now, who | now, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(other) => now = other,
        }
    }
    false
}

#[cold]
fn lock_slow(core: &CoreBox<Core>, who: usize, site: &'static Location<'static>) {
    let word = &core.header.senders;
    let since = clock();
    let mut again = false;
    loop {
        if take_free(word, who) {
            return;
        }
        let turn = Turn {
            who,
            since,
            handed: Cell::new(false),
        };
        let waiter = Waiter::current();
        let node = Node::new(&waiter, 1, (&raw const turn).cast_mut().cast());
        {
            let mut queue = core.value.queue.lock();
            word.fetch_or(WAITERS, Ordering::Relaxed);
            if take_free(word, who) {
                if queue.is_empty() {
                    word.fetch_and(!WAITERS, Ordering::Relaxed);
                }
                return;
            }
            // SAFETY: the node stays until it was popped, or removed below.
            unsafe {
                if again {
                    queue.push_front(&node)
                } else {
                    queue.push_back(&node)
                }
            };
        }
        let key = WaitKey {
            reason: WaitReason::Mutex,
            object: std::ptr::from_ref(core) as usize,
            site,
        };
        if waiter.park(&key, None) == Wake::Reaped {
            give_up(core, &node);
            unwind(&key);
        }
        if turn.handed.get() {
            return;
        }
        again = true;
    }
}

/// Takes a waiter that was not served out of the queue.
#[cold]
fn give_up(core: &CoreBox<Core>, node: &Node) {
    let mut queue = core.value.queue.lock();
    queue.remove(node);
    if queue.is_empty() {
        core.header.senders.fetch_and(!WAITERS, Ordering::Relaxed);
    }
}

#[cold]
fn unlock_slow(core: &CoreBox<Core>) {
    let woken = {
        let mut queue = core.value.queue.lock();
        let woken = queue.pop_claim();
        let mut next = if queue.is_empty() { 0 } else { WAITERS };
        if let Some((node, _)) = &woken {
            // SAFETY: a claimed waiter's node and slot stay until it is woken, below.
            let turn = unsafe { &*node.as_ref().slot().cast::<Turn>() };
            if clock() - turn.since > STARVING {
                turn.handed.set(true);
                next |= turn.who;
            }
        }
        // Only the holder clears the holder's bits, and the waiters' bit changes under this lock.
        core.header.senders.store(next, Ordering::Release);
        woken
    };
    if let Some((_, claimed)) = woken {
        claimed.wake();
    }
}

/// The right to the data of a [`Mutex`]; dropping it unlocks. It stays on its thread.
#[must_use = "the mutex is unlocked again at once if the guard is not kept"]
pub struct MutexGuard<'a, T: ?Sized> {
    lock: &'a Mutex<T>,
    /// The word by which a scan of memory finds who holds the lock.
    word: *const (),
    here: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives shared access to the data.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let core = self.lock.core();
        let word = &core.header.senders;
        // SAFETY: the guard's own field; no stale word may look like a held lock.
        unsafe { std::ptr::write_volatile(&raw mut self.word, std::ptr::null()) };
        let now = word.load(Ordering::Relaxed);
        if now & WAITERS != 0
            || word
                .compare_exchange(now, 0, Ordering::Release, Ordering::Relaxed)
                .is_err()
        {
            unlock_slow(core);
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: I1: the guard is the right to the data.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: I1, and the guard is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(data) => out.field("data", &&*data),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}

//! A lock for many readers or one writer.
//!
//! # The lock word
//!
//! | bits | meaning |
//! | --- | --- |
//! | 0 | `WAITERS`: the queue may not be empty. Changed under the queue's lock only. New readers and writers queue up |
//! | 1 | `WRITER`: a writer holds the lock |
//! | 2.. | how many readers hold it |
//!
//! Without waiters, each way is one compare-and-swap. Who lets go last and finds waiters hands the lock over, in their order:
//! to one writer, or to all readers up to the next writer. So neither side starves.
//!
//! # Invariants
//!
//! - I1: the data is written only under `WRITER`, and read only by a counted reader or under `WRITER`.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::lazy_core::{LazyCore, address, guard_word};
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::rt::core_box::CoreBox;
use crate::rt::header::CoreKind;
use crate::wait::{Claimed, Wait, WaitKey, WaitQueue, WaitReason, checkpoint};

const WAITERS: usize = 1;
const WRITER: usize = 2;
const READER: usize = 4;

/// What a caller wants: how the word changes when it gets it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Want(usize);

const READ: Want = Want(READER);
const WRITE: Want = Want(WRITER);

impl Want {
    /// True if a word lets it in, whoever waits.
    fn fits(self, word: usize) -> bool {
        match self {
            WRITE => word & !WAITERS == 0,
            _ => word & WRITER == 0,
        }
    }
}

/// The line of those who wait.
type Line = Lock<WaitQueue>;

/// A lock for data that is read by many and written by one at a time.
///
/// There is no poisoning: a panic while it is held unlocks it. A waiting writer stops new readers, so a goroutine that
/// reads and reads again, while another waits to write, waits for ever; the runtime reports that as a deadlock if nothing
/// else can go on.
///
/// ```
/// use waterway::sync::RwLock;
/// static NAMES: RwLock<Vec<String>> = RwLock::new(Vec::new());
/// NAMES.write().push("Ada".into());
/// assert_eq!(NAMES.read().len(), 1);
/// ```
///
/// Go: `sync.RWMutex`.
pub struct RwLock<T: ?Sized> {
    core: LazyCore<Line>,
    data: UnsafeCell<T>,
}

// SAFETY: readers share the data, writers have it to themselves, on any thread (I1).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A lock around `value`, free.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            core: LazyCore::new(CoreKind::RwLock),
            data: UnsafeCell::new(value),
        }
    }

    /// The value, without a lock: nobody else can hold it.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer holds the lock or waits for it, and takes it for reading.
    ///
    /// # Blocking
    ///
    /// Parks the caller while a writer holds the lock, or waits.
    ///
    /// Go: `RWMutex.RLock`.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard {
            held: self.take(READ, WaitReason::RwLockRead, Location::caller()),
            lock: self,
        }
    }

    /// Waits until nobody holds the lock, and takes it for writing.
    ///
    /// # Blocking
    ///
    /// Parks the caller while others hold the lock.
    ///
    /// Go: `RWMutex.Lock`.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard {
            held: self.take(WRITE, WaitReason::RwLockWrite, Location::caller()),
            lock: self,
        }
    }

    /// Takes the lock for reading if that can be at once. Never blocks.
    ///
    /// Go: `RWMutex.TryRLock`.
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let held = self.try_take(READ)?;
        Some(RwLockReadGuard { held, lock: self })
    }

    /// Takes the lock for writing if that can be at once. Never blocks.
    ///
    /// Go: `RWMutex.TryLock`.
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let held = self.try_take(WRITE)?;
        Some(RwLockWriteGuard { held, lock: self })
    }

    /// The value, without a lock: nobody else can hold it.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    fn try_take(&self, want: Want) -> Option<Held<'_>> {
        let core = self.core.get();
        enter(&core.header.senders, want).then(|| Held::new(core, want))
    }

    fn take(&self, want: Want, reason: WaitReason, site: &'static Location<'static>) -> Held<'_> {
        checkpoint();
        let core = self.core.get();
        if !enter(&core.header.senders, want) {
            take_slow(core, want, reason, site);
        }
        Held::new(core, want)
    }
}

/// Takes the lock if nobody stands in the way, nor waits.
#[inline]
fn enter(word: &AtomicUsize, want: Want) -> bool {
    let mut now = word.load(Ordering::Relaxed);
    while now & WAITERS == 0 && want.fits(now) {
        match word.compare_exchange_weak(now, now + want.0, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(other) => now = other,
        }
    }
    false
}

#[cold]
fn take_slow(
    core: &CoreBox<Line>,
    want: Want,
    reason: WaitReason,
    site: &'static Location<'static>,
) {
    let line = core.value.lock();
    let word = &core.header.senders;
    let before = word.fetch_or(WAITERS, Ordering::Acquire);
    if line.is_empty() && want.fits(before) {
        // With the bit up nobody enters but under this lock, and who leaves makes room only.
        word.fetch_add(want.0, Ordering::Acquire);
        return settle(&line, word);
    }
    let key = WaitKey {
        reason,
        object: address(core),
        site,
    };
    Wait::new(key, &want).park(&core.value, line, |line| serve(line, word));
}

/// Hands the lock to those at the front who fit beside those who hold it. Under the line's lock.
fn serve(line: &mut WaitQueue, word: &AtomicUsize) -> Vec<Claimed> {
    let mut served = Vec::new();
    loop {
        let now = word.load(Ordering::Relaxed);
        let (mut want, mut stop) = (READ, false);
        let first = line.pop_claim_where(|node| {
            // SAFETY: the slot of a waiter in this queue is its `Want`, which it keeps until it has left.
            want = unsafe { *node.slot().cast::<Want>() };
            stop |= !want.fits(now);
            !stop
        });
        let Some((_, claimed)) = first else { break };
        word.fetch_add(want.0, Ordering::Acquire);
        served.push(claimed);
    }
    settle(line, word);
    served
}

/// Takes the waiters' bit back if nobody waits. Under the line's lock.
fn settle(line: &WaitQueue, word: &AtomicUsize) {
    if line.is_empty() {
        word.fetch_and(!WAITERS, Ordering::Relaxed);
    }
}

/// The lock, held in one way or the other.
struct Held<'a> {
    core: &'a CoreBox<Line>,
    want: Want,
    /// The word by which a scan of memory finds who holds the lock.
    word: *const (),
    here: PhantomData<*const ()>,
}

impl<'a> Held<'a> {
    fn new(core: &'a CoreBox<Line>, want: Want) -> Held<'a> {
        Held {
            core,
            want,
            word: guard_word(core),
            here: PhantomData,
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // SAFETY: its own field; no stale word may look like a held lock.
        unsafe { std::ptr::write_volatile(&raw mut self.word, std::ptr::null()) };
        let before = self
            .core
            .header
            .senders
            .fetch_sub(self.want.0, Ordering::Release);
        if before & WAITERS != 0 && before - self.want.0 == WAITERS {
            let served = serve(&mut self.core.value.lock(), &self.core.header.senders);
            served.into_iter().for_each(Claimed::wake);
        }
    }
}

/// The right to read the data of an [`RwLock`]; dropping it unlocks. It stays on its thread.
#[must_use = "the lock is free again at once if the guard is not kept"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    held: Held<'a>,
}

/// The right to write the data of an [`RwLock`]; dropping it unlocks. It stays on its thread.
#[must_use = "the lock is free again at once if the guard is not kept"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    held: Held<'a>,
}

// SAFETY: a shared guard gives shared access to the data.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        debug_assert!(self.held.want == READ);
        // SAFETY: I1: counted as a reader.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: I1: the writer.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        debug_assert!(self.held.want == WRITE);
        // SAFETY: I1: the writer, and its guard is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Some(data) => out.field("data", &&*data),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}

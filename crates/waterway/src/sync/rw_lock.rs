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
//! to one writer, or to all readers up to the next writer. So neither side starves. An async task is told instead, and
//! keeps its place until it has the lock or gives up: nobody who would be in its way passes it meanwhile.
//!
//! # Invariants
//!
//! - I1: the data is written only under `WRITER`, and read only by a counted reader or under `WRITER`.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::time::{Duration, Instant};

use super::lazy_core::{LazyCore, address, guard_word};
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::rt::core_box::{CoreBox, CoreKind, HeldAt};
use crate::wait::{
    Claimed, Stand, Turn, Wait, WaitKey, WaitQueue, WaitReason, WaitsAt, checkpoint,
};

const WAITERS: usize = 1;
const WRITER: usize = 2;
const READER: usize = 4;

/// What a caller wants: how the word changes when it gets it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Want(usize);

pub(super) const READ: Want = Want(READER);
pub(super) const WRITE: Want = Want(WRITER);

impl Want {
    /// True if a word lets it in, whoever waits.
    fn fits(self, word: usize) -> bool {
        match self {
            WRITE => word & !WAITERS == 0,
            _ => word & WRITER == 0,
        }
    }
}

#[derive(Default)]
#[repr(C)]
pub(super) struct Core {
    /// Of the writer.
    held_at: HeldAt,
    /// Those who wait.
    line: Lock<WaitQueue>,
}

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
    core: LazyCore<Core>,
    data: UnsafeCell<T>,
}

// SAFETY: readers share the data, writers have it to themselves, on any thread (I1).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A lock around `value`, free.
    ///
    /// ```
    /// static NAMES: waterway::sync::RwLock<Vec<&str>> = waterway::sync::RwLock::new(Vec::new());
    /// assert!(NAMES.read().is_empty());
    /// ```
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            core: LazyCore::new(CoreKind::RwLock),
            data: UnsafeCell::new(value),
        }
    }

    /// The value, without a lock: nobody else can hold it.
    ///
    /// ```
    /// assert_eq!(waterway::sync::RwLock::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer holds the lock or waits for it, and takes it for reading.
    ///
    /// ```
    /// let lock = waterway::sync::RwLock::new(1);
    /// let (one, other) = (lock.read(), lock.read());
    /// assert_eq!(*one + *other, 2);
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while a writer holds the lock, or waits.
    ///
    /// Go: `RWMutex.RLock`.
    #[track_caller]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        let held = self.take(READ, None, WaitReason::RwLockRead, Location::caller());
        RwLockReadGuard::new(self, held.expect(SERVED))
    }

    /// Waits until nobody holds the lock, and takes it for writing.
    ///
    /// ```
    /// let lock = waterway::sync::RwLock::new(1);
    /// *lock.write() += 1;
    /// assert_eq!(*lock.read(), 2);
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while others hold the lock.
    ///
    /// Go: `RWMutex.Lock`.
    #[track_caller]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        let held = self.take(WRITE, None, WaitReason::RwLockWrite, Location::caller());
        RwLockWriteGuard::new(self, held.expect(SERVED))
    }

    /// As [`read`](Self::read), for at most `timeout`; `None` if the time is over.
    ///
    /// ```
    /// use std::time::Duration;
    /// let lock = waterway::sync::RwLock::new(1);
    /// let writer = lock.write();
    /// assert!(lock.read_timeout(Duration::from_millis(1)).is_none());
    /// drop(writer);
    /// assert_eq!(*lock.read_timeout(Duration::from_millis(1)).unwrap(), 1);
    /// ```
    ///
    /// # Blocking
    ///
    /// As `read`, until the time is over.
    ///
    /// Go: none.
    #[track_caller]
    pub fn read_timeout(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, T>> {
        // Longer than a clock can count is for ever.
        let deadline = Instant::now().checked_add(timeout);
        let held = self.take(READ, deadline, WaitReason::RwLockRead, Location::caller())?;
        Some(RwLockReadGuard::new(self, held))
    }

    /// As [`write`](Self::write), for at most `timeout`; `None` if the time is over. Readers who waited behind it go on
    /// then.
    ///
    /// ```
    /// use std::time::Duration;
    /// let lock = waterway::sync::RwLock::new(1);
    /// let reader = lock.read();
    /// assert!(lock.write_timeout(Duration::from_millis(1)).is_none());
    /// drop(reader);
    /// *lock.write_timeout(Duration::from_millis(1)).unwrap() = 2;
    /// ```
    ///
    /// # Blocking
    ///
    /// As `write`, until the time is over.
    ///
    /// Go: none.
    #[track_caller]
    pub fn write_timeout(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, T>> {
        let deadline = Instant::now().checked_add(timeout);
        let held = self.take(WRITE, deadline, WaitReason::RwLockWrite, Location::caller())?;
        Some(RwLockWriteGuard::new(self, held))
    }

    /// Takes the lock for reading if that can be at once. Never blocks.
    ///
    /// ```
    /// let lock = waterway::sync::RwLock::new(1);
    /// let writer = lock.write();
    /// assert!(lock.try_read().is_none());
    /// # drop(writer);
    /// ```
    ///
    /// Go: `RWMutex.TryRLock`.
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let core = self.core();
        enter(&core.header.senders, READ).then(|| RwLockReadGuard::new(self, Held::new(core, READ)))
    }

    /// Takes the lock for writing if that can be at once. Never blocks.
    ///
    /// ```
    /// let lock = waterway::sync::RwLock::new(1);
    /// let reader = lock.read();
    /// assert!(lock.try_write().is_none());
    /// # drop(reader);
    /// ```
    ///
    /// Go: `RWMutex.TryLock`.
    #[track_caller]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let core = self.core();
        enter(&core.header.senders, WRITE).then(|| {
            core.value.held_at.set(Location::caller());
            RwLockWriteGuard::new(self, Held::new(core, WRITE))
        })
    }

    /// The value, without a lock: nobody else can hold it.
    ///
    /// ```
    /// let mut lock = waterway::sync::RwLock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    pub(super) fn core(&self) -> &CoreBox<Core> {
        self.core.get()
    }

    fn take(
        &self,
        want: Want,
        deadline: Option<Instant>,
        reason: WaitReason,
        site: &'static Location<'static>,
    ) -> Option<Held<'_>> {
        checkpoint();
        let core = self.core();
        let key = WaitKey {
            reason,
            object: address(core),
            site,
        };
        let taken = enter(&core.header.senders, want) || take_slow(core, want, deadline, key);
        taken.then(|| Held::taken(core, want, site))
    }
}

const SERVED: &str = "without a deadline it waits until it is served";

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

/// True once the caller has the lock; false if the deadline passed first.
#[cold]
fn take_slow(core: &CoreBox<Core>, want: Want, deadline: Option<Instant>, key: WaitKey) -> bool {
    let word = &core.header.senders;
    let line = core.value.line.lock();
    let before = word.fetch_or(WAITERS, Ordering::Acquire);
    if line.is_empty() && want.fits(before) {
        // With the bit up nobody enters but under this lock, and who leaves makes room only.
        word.fetch_add(want.0, Ordering::Acquire);
        settle(&line, word);
        return true;
    }
    let wait = Wait::new(key, &want).until(deadline);
    wait.park(&core.value.line, line, |line| serve(line, word))
}

/// Hands the lock to those at the front who fit beside those who hold it, and tells the tasks among them. Under the line's
/// lock.
fn serve(line: &mut WaitQueue, word: &AtomicUsize) -> Vec<Claimed> {
    let mut served = Vec::new();
    loop {
        let now = word.load(Ordering::Relaxed);
        let (mut want, mut reader_ahead) = (READ, false);
        let first = line.pop_claim_by(|node| {
            // SAFETY: the slot of a waiter in this queue is its `Want`, which it keeps until it has left.
            want = unsafe { *node.slot().cast::<Want>() };
            if !want.fits(now) || want == WRITE && reader_ahead {
                return Turn::Stop;
            }
            if !node.waiter().is_task() {
                return Turn::Now;
            }
            served.extend(node.tell());
            reader_ahead = true;
            match want {
                WRITE => Turn::Stop,
                _ => Turn::Pass,
            }
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

/// A task that waits for the lock.
pub(super) struct RwLockTask<'a> {
    pub(super) core: &'a CoreBox<Core>,
    pub(super) want: Want,
}

impl RwLockTask<'_> {
    /// Takes the lock if nobody stands in the way, nor waits.
    pub(super) fn try_take(&self) -> bool {
        enter(&self.core.header.senders, self.want)
    }
}

impl WaitsAt for RwLockTask<'_> {
    type State = WaitQueue;
    type Slot = Want;

    fn lock(&self) -> &Lock<WaitQueue> {
        &self.core.value.line
    }

    fn slot(&self) -> Want {
        self.want
    }

    fn take(&self, line: &mut WaitQueue, stand: &Stand<'_>, others: &mut Vec<Claimed>) -> bool {
        let word = &self.core.header.senders;
        let before = word.fetch_or(WAITERS, Ordering::Acquire);
        // Told, it has nobody before it but readers like itself (`serve`).
        let taken = (stand.told() || stand.is_next(line.front())) && self.want.fits(before);
        if taken {
            stand.leave(line);
            word.fetch_add(self.want.0, Ordering::Acquire);
            *others = serve(line, word);
        }
        taken
    }

    fn left(&self, line: &mut WaitQueue, _told: bool) -> Vec<Claimed> {
        serve(line, &self.core.header.senders)
    }
}

/// The lock, held in one way or the other.
pub(super) struct Held<'a> {
    core: &'a CoreBox<Core>,
    want: Want,
    /// The word by which a scan of memory finds who holds the lock.
    word: *const (),
    here: PhantomData<*const ()>,
}

impl<'a> Held<'a> {
    /// The lock that was just taken at `site`.
    pub(super) fn taken(
        core: &'a CoreBox<Core>,
        want: Want,
        site: &'static Location<'static>,
    ) -> Held<'a> {
        if want == WRITE {
            core.value.held_at.set(site);
        }
        Held::new(core, want)
    }

    fn new(core: &'a CoreBox<Core>, want: Want) -> Held<'a> {
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
            let served = serve(&mut self.core.value.line.lock(), &self.core.header.senders);
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

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    pub(super) fn new(lock: &'a RwLock<T>, held: Held<'a>) -> Self {
        RwLockReadGuard { lock, held }
    }
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

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    pub(super) fn new(lock: &'a RwLock<T>, held: Held<'a>) -> Self {
        RwLockWriteGuard { lock, held }
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

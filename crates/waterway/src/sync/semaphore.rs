//! Permits that are handed out in the order in which they were asked for.
//!
//! A goroutine or thread that waits is handed its permits. An async task is told instead, and keeps its place, before which
//! nobody is served, until it has taken them or gives up.

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::primitives::{Lock, Ordering};
use crate::rt::core_box::CoreRef;
use crate::rt::header::CoreKind;
use crate::wait::{
    Claimed, Limit, Node, Permits, Turn, Wait, WaitKey, WaitQueue, WaitReason, Waited, checkpoint,
};

pub(super) struct State {
    pub(super) held: usize,
    /// Those that there are. More may be held, after the number was lowered (`set_total`).
    total: usize,
    pub(super) queue: WaitQueue,
}

/// How many permits the waiter of a node wants.
fn wanted(node: &Node) -> usize {
    // SAFETY: the slot of a waiter in a semaphore's queue is its `usize`, which it keeps until it has left.
    unsafe { *node.slot().cast::<usize>() }
}

impl State {
    pub(super) fn free(&self) -> usize {
        self.total.saturating_sub(self.held)
    }

    /// The first that can be served, sooner or later. Who wants more than there are keeps nobody waiting.
    pub(super) fn next(&self) -> Option<&Node> {
        self.queue.find(|node| wanted(node) <= self.total)
    }

    /// Takes `n` permits, unless others wait for theirs.
    fn take(&mut self, n: usize) -> bool {
        let can = self.free() >= n && self.next().is_none();
        if can {
            self.held += n;
        }
        can
    }

    /// Serves those who wait, in their order, as far as the permits go.
    fn serve(&mut self) -> Vec<Claimed> {
        let mut served = Vec::new();
        loop {
            let (free, total) = (self.free(), self.total);
            let mut n = 0;
            let first = self.queue.pop_claim_by(|node| {
                n = wanted(node);
                if n > total {
                    return Turn::Pass;
                }
                if n > free {
                    return Turn::Stop;
                }
                if node.waiter().is_task() {
                    served.extend(node.tell());
                    return Turn::Stop;
                }
                Turn::Now
            });
            let Some((_, claimed)) = first else {
                return served;
            };
            self.held += n;
            served.push(claimed);
        }
    }
}

impl Waited for State {
    fn queue(&mut self) -> &mut WaitQueue {
        &mut self.queue
    }
}

/// A number of permits, of which each caller takes some and gives them back. Clones share them.
///
/// Who asks first is served first: a caller that wants many permits is not overtaken by those that want few.
///
/// ```
/// use waterway::sync::Semaphore;
/// // At most two downloads at a time.
/// let slots = Semaphore::new(2);
/// waterway::scope(|s| {
///     for _ in 0..5 {
///         let permit = slots.acquire(1);
///         s.go(move || drop(permit));
///     }
/// });
/// assert_eq!(slots.available(), 2);
/// ```
///
/// Go: `semaphore.Weighted` of `golang.org/x/sync`.
#[derive(Clone)]
pub struct Semaphore {
    core: CoreRef<Lock<State>>,
}

impl Semaphore {
    /// A semaphore with `permits` permits, all free.
    ///
    /// ```
    /// let slots = waterway::sync::Semaphore::new(2);
    /// assert_eq!(slots.available(), 2);
    /// ```
    ///
    /// Go: `semaphore.NewWeighted`.
    #[track_caller]
    pub fn new(permits: usize) -> Semaphore {
        Semaphore::of_kind(CoreKind::Semaphore, permits)
    }

    /// The places of a gate.
    #[track_caller]
    pub(crate) fn of_gate(places: usize) -> Semaphore {
        Semaphore::of_kind(CoreKind::Gate, places)
    }

    #[track_caller]
    fn of_kind(kind: CoreKind, permits: usize) -> Semaphore {
        let state = State {
            held: 0,
            total: permits,
            queue: WaitQueue::new(),
        };
        let semaphore = Semaphore {
            core: CoreRef::new(kind, Lock::new(state)),
        };
        semaphore.show(&semaphore.core.value.lock());
        semaphore
    }

    /// Takes `n` permits; the guard gives them back.
    ///
    /// ```
    /// let slots = waterway::sync::Semaphore::new(3);
    /// let two = slots.acquire(2);
    /// assert_eq!((two.count(), slots.available()), (2, 1));
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller until they are free and everybody who asked before has been served. Who wants more than there are,
    /// free and held, waits until [`add_permits`](Self::add_permits) has made it so many, and keeps nobody else waiting.
    ///
    /// Go: `Weighted.Acquire`.
    #[track_caller]
    pub fn acquire(&self, n: usize) -> Permit {
        match self.acquire_within(n, Limit::NONE, Location::caller()) {
            Some(permit) => permit,
            None => unreachable!("without a limit it waits until it is served"),
        }
    }

    /// As [`acquire`](Self::acquire), for at most `timeout`; `None` if the time is over.
    ///
    /// ```
    /// use std::time::Duration;
    /// let slots = waterway::sync::Semaphore::new(1);
    /// assert!(slots.acquire_timeout(2, Duration::from_millis(1)).is_none());
    /// ```
    ///
    /// # Blocking
    ///
    /// As `acquire`, until the time is over.
    ///
    /// Go: `Weighted.Acquire` with a context that ends.
    #[track_caller]
    pub fn acquire_timeout(&self, n: usize, timeout: Duration) -> Option<Permit> {
        let limit = Limit::at(Instant::now().checked_add(timeout));
        self.acquire_within(n, limit, Location::caller())
    }

    /// The number of the object, as dumps have it.
    pub(crate) fn id(&self) -> usize {
        self.core.header.id()
    }

    pub(super) fn state(&self) -> &Lock<State> {
        &self.core.value
    }

    /// Serves those who wait, and shows in the header, where dumps see it, what is left. Under the lock.
    pub(super) fn serve(&self, state: &mut State) -> Vec<Claimed> {
        let served = state.serve();
        self.show(state);
        served
    }

    fn show(&self, state: &State) {
        let header = &self.core.header;
        header.senders.store(state.free(), Ordering::Relaxed);
        header.receivers.store(state.total, Ordering::Relaxed);
    }

    /// Takes `n` permits, unless others wait for theirs. Under the lock.
    fn take(&self, state: &mut State, n: usize) -> bool {
        let taken = state.take(n);
        self.show(state);
        taken
    }

    /// As `acquire`; `None` if the limit came first.
    pub(crate) fn acquire_within(
        &self,
        n: usize,
        limit: Limit<'_>,
        site: &'static Location<'static>,
    ) -> Option<Permit> {
        checkpoint();
        let mut state = self.state().lock();
        let served = self.take(&mut state, n) || {
            let asked = Permits::of(self.core.address(), n);
            let key = WaitKey {
                reason: WaitReason::Semaphore,
                object: asked.address(),
                site,
            };
            let wait = Wait::new(key, &n).within(limit);
            wait.park(self.state(), state, |state| self.serve(state))
        };
        served.then(|| self.permit(n))
    }

    /// Takes `n` permits if they are free and nobody waits. Never blocks.
    ///
    /// ```
    /// let slots = waterway::sync::Semaphore::new(1);
    /// let permit = slots.try_acquire(1).unwrap();
    /// assert!(slots.try_acquire(1).is_none());
    /// # drop(permit);
    /// ```
    ///
    /// Go: `Weighted.TryAcquire`.
    pub fn try_acquire(&self, n: usize) -> Option<Permit> {
        let taken = self.take(&mut self.state().lock(), n);
        taken.then(|| self.permit(n))
    }

    /// Adds permits: the semaphore has `n` more from now on. Never blocks.
    ///
    /// ```
    /// let slots = waterway::sync::Semaphore::new(0);
    /// slots.add_permits(2);
    /// assert_eq!(slots.available(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// If there would be more than `usize::MAX`.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        let served = {
            let mut state = self.state().lock();
            match state.total.checked_add(n) {
                Some(total) => state.total = total,
                None => {
                    let total = state.total;
                    drop(state);
                    panic!("too many permits: {n} were added to {total}");
                }
            }
            self.serve(&mut state)
        };
        served.into_iter().for_each(Claimed::wake);
    }

    /// How many permits there are, held ones included.
    pub(crate) fn total(&self) -> usize {
        self.state().lock().total
    }

    /// Makes it `total` permits, held ones included. Those that are held and too many stay with their holders.
    pub(crate) fn set_total(&self, total: usize) {
        let served = {
            let mut state = self.state().lock();
            state.total = total;
            self.serve(&mut state)
        };
        served.into_iter().for_each(Claimed::wake);
    }

    /// Ends a permit: its `n` are free again, or gone.
    fn end(&self, n: usize, gone: bool) {
        let served = {
            let mut state = self.state().lock();
            state.held -= n;
            if gone {
                state.total -= n;
            }
            self.serve(&mut state)
        };
        served.into_iter().for_each(Claimed::wake);
    }

    /// How many permits are free now. Never blocks.
    ///
    /// ```
    /// assert_eq!(waterway::sync::Semaphore::new(2).available(), 2);
    /// ```
    pub fn available(&self) -> usize {
        self.state().lock().free()
    }

    /// Permits that were taken.
    pub(super) fn permit(&self, n: usize) -> Permit {
        Permit {
            semaphore: self.clone(),
            n,
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .finish()
    }
}

/// Permits of a [`Semaphore`]; dropping it gives them back. It may be moved to another goroutine.
///
/// ```
/// let slots = waterway::sync::Semaphore::new(2);
/// let permit = slots.acquire(2);
/// waterway::go(move || drop(permit)).join().unwrap();
/// assert_eq!(slots.available(), 2);
/// ```
///
/// Go: its drop is `Weighted.Release`.
#[must_use = "the permits are given back at once if the guard is not kept"]
pub struct Permit {
    semaphore: Semaphore,
    n: usize,
}

impl Permit {
    /// How many permits these are.
    ///
    /// ```
    /// assert_eq!(waterway::sync::Semaphore::new(2).acquire(2).count(), 2);
    /// ```
    pub fn count(&self) -> usize {
        self.n
    }

    /// Takes the permits out of the semaphore for good: it has that many fewer.
    ///
    /// ```
    /// let slots = waterway::sync::Semaphore::new(2);
    /// slots.acquire(1).forget();
    /// assert_eq!(slots.available(), 1);
    /// ```
    pub fn forget(mut self) {
        self.semaphore.end(std::mem::take(&mut self.n), true);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.n > 0 {
            self.semaphore.end(self.n, false);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("count", &self.n).finish()
    }
}

//! Admission: so many at a time, and no goroutine for the others.
//!
//! A gate is a semaphore whose number of permits follows a [`Limit`], and which counts.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::limit::{Fixed, Limit};
use super::place::{EnterFuture, Place, Waiting};
use crate::goroutine::JoinHandle;
use crate::primitives::{AtomicU64, AtomicUsize, Lock, Ordering};
use crate::sync::Semaphore;
use crate::wait::Limit as WaitLimit;

/// Every gate that lives, and some that do not any more.
static GATES: Lock<Vec<Weak<Shared>>> = Lock::new(Vec::new());
/// Gates that are gone are taken out when there are so many entries, and then twice as many as are left.
static PRUNE_AT: AtomicUsize = AtomicUsize::new(16);

/// The gates that live.
pub(super) fn all() -> Vec<Gate> {
    let gates = GATES.lock().clone();
    let alive = gates.iter().filter_map(Weak::upgrade);
    alive.map(|shared| Gate { shared }).collect()
}

fn register(shared: &Arc<Shared>) {
    let mut gates = GATES.lock();
    if gates.len() >= PRUNE_AT.load(Ordering::Relaxed) {
        gates.retain(|gate| gate.strong_count() > 0);
        PRUNE_AT.store((gates.len() * 2).max(16), Ordering::Relaxed);
    }
    gates.push(Arc::downgrade(shared));
}

pub(super) struct Shared {
    /// The number of the gate.
    id: u64,
    name: Option<Box<str>>,
    site: &'static Location<'static>,
    pub(super) limit: Box<dyn Limit>,
    pub(super) permits: Semaphore,
    pub(super) live: AtomicUsize,
    pub(super) most: AtomicUsize,
    pub(super) waiting: AtomicUsize,
    pub(super) admitted: AtomicU64,
    refused: AtomicU64,
    pub(super) gave_up: AtomicU64,
}

impl Shared {
    /// Brings the permits in line with a limit that moves.
    pub(super) fn adapt(&self) {
        if !self.limit.is_adaptive() {
            return;
        }
        // Of two callers the later may have asked first: who sets the number asks again.
        loop {
            let total = self.limit.limit();
            if self.permits.total() == total {
                return;
            }
            self.permits.set_total(total);
        }
    }
}

/// Lets so many goroutines, or callers, in at a time. Clones share it.
///
/// Where work arrives faster than it is done, a goroutine for each piece of it is memory that grows. A gate is asked
/// first: [`try_go`](Gate::try_go) starts the goroutine, or hands the closure back at once.
///
/// Who waits is let in in the order of asking.
///
/// ```
/// use waterway::{chan, flow::Gate};
///
/// let gate = Gate::new(2);
/// let (release, released) = chan::<()>(0);
/// let mut refused = 0;
/// for _ in 0..10 {
///     let released = released.clone();
///     // Two goroutines start; eight closures come back.
///     if gate.try_go(move || released.recv()).is_err() {
///         refused += 1;
///     }
/// }
/// assert_eq!((refused, gate.statistics().live), (8, 2));
/// # drop(release);
/// ```
///
/// Go: a buffered channel as a semaphore, or `errgroup.Group` with `SetLimit` and `TryGo`.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

impl Gate {
    /// A gate that lets `places` in at a time.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(1);
    /// assert_eq!(gate.statistics().limit, 1);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are no places.
    ///
    /// Go: `errgroup.Group.SetLimit`.
    #[track_caller]
    pub fn new(places: usize) -> Gate {
        assert!(
            places > 0,
            "a gate with 0 places lets nobody in: give it 1 or more, or a `flow::Limit` that moves"
        );
        Gate::builder().limit(Fixed(places)).make()
    }

    /// Starts to make a gate with a name, or with a limit of another kind. One place if nothing else is said.
    ///
    /// ```
    /// use waterway::flow::{Fixed, Gate};
    /// let gate = Gate::builder().name("orders").limit(Fixed(64)).make();
    /// assert_eq!(gate.name(), Some("orders"));
    /// ```
    pub fn builder() -> GateBuilder {
        GateBuilder {
            name: None,
            limit: Box::new(Fixed(1)),
        }
    }

    /// Starts `f` in a goroutine of its own if there is a place, which it has until it ends.
    ///
    /// # Errors
    ///
    /// The closure comes back if there is none, or others wait for one. Nothing was started.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(1);
    /// let inside = gate.enter();
    /// let refused = gate.try_go(|| 7).unwrap_err();
    /// drop(inside);
    /// let again = gate.try_go(refused.into_inner()).unwrap();
    /// assert_eq!(again.join().unwrap(), 7);
    /// ```
    ///
    /// Go: `errgroup.Group.TryGo`.
    #[track_caller]
    pub fn try_go<F, T>(&self, f: F) -> Result<JoinHandle<T>, Refused<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.try_enter() {
            Some(place) => Ok(place.go(f)),
            None => Err(Refused(f)),
        }
    }

    /// Waits for a place, then starts `f` in a goroutine of its own, which has the place until it ends.
    ///
    /// # Blocking
    ///
    /// As [`enter`](Self::enter).
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(2);
    /// let sums: Vec<_> = (0..10).map(|n| gate.go(move || n * n)).collect();
    /// assert_eq!(sums.into_iter().map(|sum| sum.join().unwrap()).sum::<i32>(), 285);
    /// assert!(gate.statistics().most_live <= 2);
    /// ```
    ///
    /// Go: `errgroup.Group.Go` with a limit.
    #[track_caller]
    pub fn go<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.enter().go(f)
    }

    /// As [`go`](Self::go), but waits no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// The closure comes back if there was no place in time.
    ///
    /// # Blocking
    ///
    /// As `go`, until the time is over.
    ///
    /// ```
    /// use std::time::Duration;
    /// let gate = waterway::flow::Gate::new(1);
    /// let _inside = gate.enter();
    /// assert!(gate.go_timeout(|| 7, Duration::from_millis(1)).is_err());
    /// ```
    ///
    /// Go: none.
    #[track_caller]
    pub fn go_timeout<F, T>(&self, f: F, timeout: Duration) -> Result<JoinHandle<T>, Refused<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.enter_timeout(timeout) {
            Some(place) => Ok(place.go(f)),
            None => Err(Refused(f)),
        }
    }

    /// Waits for a place. It is left when the guard is dropped.
    ///
    /// # Blocking
    ///
    /// Parks the caller until there is a place and everybody who asked before has been let in.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(1);
    /// let place = gate.enter();
    /// assert!(gate.try_enter().is_none());
    /// drop(place);
    /// assert!(gate.try_enter().is_some());
    /// ```
    ///
    /// Go: `Weighted.Acquire` of `golang.org/x/sync/semaphore`.
    #[track_caller]
    pub fn enter(&self) -> Place {
        match self.enter_within(WaitLimit::NONE, Location::caller()) {
            Some(place) => place,
            None => unreachable!("without a limit it waits until it is let in"),
        }
    }

    /// As [`enter`](Self::enter), for at most `timeout`; `None` if the time is over.
    ///
    /// # Blocking
    ///
    /// As `enter`, until the time is over.
    ///
    /// ```
    /// use std::time::Duration;
    /// let gate = waterway::flow::Gate::new(1);
    /// let _inside = gate.enter();
    /// assert!(gate.enter_timeout(Duration::from_millis(1)).is_none());
    /// ```
    ///
    /// Go: `Weighted.Acquire` with a context that ends.
    #[track_caller]
    pub fn enter_timeout(&self, timeout: Duration) -> Option<Place> {
        let limit = WaitLimit::at(Instant::now().checked_add(timeout));
        self.enter_within(limit, Location::caller())
    }

    /// Takes a place if there is one and nobody waits.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(1);
    /// let place = gate.try_enter().unwrap();
    /// assert!(gate.try_enter().is_none());
    /// # drop(place);
    /// ```
    ///
    /// Go: `Weighted.TryAcquire`.
    pub fn try_enter(&self) -> Option<Place> {
        let place = self.try_take();
        if place.is_none() {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    /// Waits for a place in an async task. Dropping the future gives its turn up.
    ///
    /// # Blocking
    ///
    /// Never; the future is pending instead.
    ///
    /// ```
    /// use waterway::{block_on, flow::Gate};
    /// let gate = Gate::new(1);
    /// let place = block_on(gate.enter_async());
    /// assert_eq!(place.go(|| 7).join().unwrap(), 7);
    /// ```
    ///
    /// Go: none; Go has no tasks.
    pub fn enter_async(&self) -> EnterFuture<'_> {
        EnterFuture::new(self)
    }

    /// What was let in, refused, and is inside now.
    ///
    /// # Blocking
    ///
    /// Never.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(1);
    /// let _inside = gate.enter();
    /// assert!(gate.try_enter().is_none());
    /// let now = gate.statistics();
    /// assert_eq!((now.admitted, now.refused, now.live), (1, 1, 1));
    /// ```
    pub fn statistics(&self) -> GateStatistics {
        let shared = &*self.shared;
        shared.adapt();
        GateStatistics {
            limit: shared.permits.total(),
            live: shared.live.load(Ordering::Relaxed),
            most_live: shared.most.load(Ordering::Relaxed),
            waiting: shared.waiting.load(Ordering::Relaxed),
            admitted: shared.admitted.load(Ordering::Relaxed),
            refused: shared.refused.load(Ordering::Relaxed),
            gave_up: shared.gave_up.load(Ordering::Relaxed),
        }
    }

    /// The gate's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.shared.name.as_deref()
    }

    /// Where the gate was made.
    pub fn location(&self) -> &'static Location<'static> {
        self.shared.site
    }

    pub(super) fn id(&self) -> u64 {
        self.shared.id
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn try_take(&self) -> Option<Place> {
        self.shared.adapt();
        let permit = self.shared.permits.try_acquire(1)?;
        Some(Place::taken(self, permit))
    }

    /// As `enter`; `None` if the limit came first.
    pub(crate) fn enter_within(
        &self,
        limit: WaitLimit<'_>,
        site: &'static Location<'static>,
    ) -> Option<Place> {
        if let Some(place) = self.try_take() {
            return Some(place);
        }
        let mut waiting = Waiting::new(&self.shared);
        let permit = self.shared.permits.acquire_within(1, limit, site)?;
        waiting.got_in = true;
        drop(waiting);
        Some(Place::taken(self, permit))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Gate");
        if let Some(name) = self.name() {
            out.field("name", &name);
        }
        out.field("live", &self.shared.live.load(Ordering::Relaxed));
        out.field("limit", &self.shared.permits.total());
        out.finish_non_exhaustive()
    }
}

/// The properties of a gate to be: see [`Gate::builder`].
#[must_use = "a builder makes nothing before `make`"]
pub struct GateBuilder {
    name: Option<String>,
    limit: Box<dyn Limit>,
}

impl GateBuilder {
    /// The name that reports and metrics call the gate by.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How many are let in at a time.
    pub fn limit(mut self, limit: impl Limit) -> Self {
        self.limit = Box::new(limit);
        self
    }

    /// Makes the gate.
    #[track_caller]
    pub fn make(self) -> Gate {
        let total = self.limit.limit();
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let shared = Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name: self.name.map(String::into_boxed_str),
            site: Location::caller(),
            permits: Semaphore::new(total),
            limit: self.limit,
            live: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            admitted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            gave_up: AtomicU64::new(0),
        };
        let shared = Arc::new(shared);
        register(&shared);
        Gate { shared }
    }
}

impl fmt::Debug for GateBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateBuilder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Counts of a [`Gate`], each as of its own moment: exact while nobody comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateStatistics {
    /// How many may be inside.
    pub limit: usize,
    /// How many are inside.
    pub live: usize,
    /// The most that were ever inside at once.
    pub most_live: usize,
    /// How many wait to be let in.
    pub waiting: usize,
    /// How many were ever let in.
    pub admitted: u64,
    /// How many calls that do not wait were turned away.
    pub refused: u64,
    /// How many waited and left before they were let in: a time was over, a context ended, a future was dropped.
    pub gave_up: u64,
}

/// The gate was full: nothing was started, and the closure comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused<F>(pub F);

impl<F> Refused<F> {
    /// The closure that was not started.
    pub fn into_inner(self) -> F {
        self.0
    }
}

impl<F> fmt::Debug for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refused(..)")
    }
}

impl<F> fmt::Display for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the gate is full")
    }
}

impl<F> std::error::Error for Refused<F> {}

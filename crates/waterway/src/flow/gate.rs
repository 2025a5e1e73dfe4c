//! Admission: so many at a time, and no goroutine for the others.
//!
//! A gate is a semaphore whose number of permits follows a [`Limit`], and which counts.

mod builder;
mod refused;
mod shared;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::limit::Fixed;
use super::place::{EnterFuture, Place, Waiting};
use crate::goroutine::JoinHandle;
use crate::primitives::Ordering;
use crate::wait::Limit as WaitLimit;

pub use builder::GateBuilder;
pub use refused::Refused;
pub use shared::GateStatistics;
pub(super) use shared::{Shared, all};

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
        GateBuilder::new()
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
            #[cfg(feature = "tracing")]
            self.shared.tell("refused");
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
        self.shared.statistics()
    }

    /// The gate's name, if it was given one.
    ///
    /// ```
    /// use waterway::flow::Gate;
    /// assert_eq!(Gate::builder().name("disk").make().name(), Some("disk"));
    /// assert_eq!(Gate::new(1).name(), None);
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.shared.name.as_deref()
    }

    /// Where the gate was made.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(1);
    /// assert_eq!(gate.location().line(), line!() - 1);
    /// ```
    pub fn location(&self) -> &'static Location<'static> {
        self.shared.site
    }

    pub(super) fn id(&self) -> u64 {
        self.shared.id()
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

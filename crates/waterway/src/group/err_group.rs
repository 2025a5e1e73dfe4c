//! Groups that fail as a whole.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;

use super::member::{Outcome, Shared};
use super::spawner::Spawner;
use crate::context::{CancelGuard, Context};
use crate::primitives::{AtomicUsize, Lock, Ordering};
use crate::sync::{Semaphore, WaitGroup};

/// Goroutines that do parts of one task. The first that fails is what [`wait`](Self::wait) tells; with a context, it also ends
/// the others' work.
///
/// ```
/// use std::time::Duration;
/// use waterway::{Context, group::ErrGroup};
///
/// let (group, ctx) = ErrGroup::with_context(&Context::background());
/// for n in 0..3 {
///     let ctx = ctx.clone();
///     group.go(move || match n {
///         1 => Err("the second has failed"),
///         // The others hear of it.
///         _ => ctx.sleep(Duration::from_secs(3600)).or(Ok(())),
///     });
/// }
/// assert_eq!(group.wait(), Err("the second has failed"));
/// ```
///
/// Go: `errgroup.Group` of `golang.org/x/sync`.
#[must_use = "nobody learns of errors and panics of the group without `wait`"]
pub struct ErrGroup<E> {
    spawner: Spawner<E>,
}

impl<E: Send + 'static> ErrGroup<E> {
    /// A group without a context: all of its goroutines run to their ends.
    ///
    /// ```
    /// let group = waterway::group::ErrGroup::new();
    /// group.go(|| "7".parse::<i32>().map(drop));
    /// group.go(|| "seven".parse::<i32>().map(drop));
    /// assert!(group.wait().is_err());
    /// ```
    ///
    /// Go: the zero `errgroup.Group`.
    #[track_caller]
    pub fn new() -> ErrGroup<E> {
        ErrGroup::make(None)
    }

    /// A group, and a context below `parent` for its goroutines. It is cancelled by the first error or panic, and at the
    /// latest when [`wait`](Self::wait) returns.
    ///
    /// ```
    /// use waterway::{Context, group::ErrGroup};
    /// let (group, ctx) = ErrGroup::<()>::with_context(&Context::background());
    /// group.go(|| Err(()));
    /// assert!(ctx.done().recv().is_err(), "closed by the error");
    /// assert!(group.wait().is_err());
    /// ```
    ///
    /// Go: `errgroup.WithContext`, but that the error is not the context's cause: `wait` gives it.
    #[track_caller]
    pub fn with_context(parent: &Context) -> (ErrGroup<E>, Context) {
        let (context, guard) = parent.with_cancel();
        (ErrGroup::make(Some(guard)), context)
    }

    #[track_caller]
    fn make(guard: Option<CancelGuard>) -> ErrGroup<E> {
        let shared = Shared {
            members: WaitGroup::new(),
            active: AtomicUsize::new(0),
            limit: Lock::new(None),
            guard,
            outcome: Lock::new(Outcome {
                error: None,
                panic: None,
            }),
        };
        ErrGroup {
            spawner: Spawner {
                shared: Arc::new(shared),
            },
        }
    }

    /// At most so many goroutines of the group run at a time; `None`: any number.
    ///
    /// ```
    /// let group = waterway::group::ErrGroup::<()>::new();
    /// group.set_limit(Some(2));
    /// for _ in 0..10 {
    ///     group.go(|| Ok(())); // waits while two run
    /// }
    /// group.wait().unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// If goroutines of the group run.
    ///
    /// Go: `Group.SetLimit`, with a negative number for `None`.
    #[track_caller]
    pub fn set_limit(&self, limit: Option<usize>) {
        let active = self.spawner.shared.active.load(Ordering::SeqCst);
        assert!(
            active == 0,
            "the limit of a group was changed while {active} of its goroutines run: set it before the first"
        );
        let limit = limit.map(Semaphore::new);
        *self.spawner.shared.limit.lock() = limit;
    }

    /// Starts a goroutine of the group.
    ///
    /// ```
    /// let group = waterway::group::ErrGroup::new();
    /// let (tx, rx) = waterway::chan(1);
    /// group.go(move || tx.send("done"));
    /// group.wait().unwrap();
    /// assert_eq!(rx.recv(), Ok("done"));
    /// ```
    ///
    /// # Blocking
    ///
    /// Parks the caller while as many run as the [limit](Self::set_limit) allows.
    ///
    /// Go: `Group.Go`.
    #[track_caller]
    pub fn go(&self, f: impl FnOnce() -> Result<(), E> + Send + 'static) {
        self.spawner.go(f);
    }

    /// Starts a goroutine of the group, unless as many run as the [limit](Self::set_limit) allows. Never blocks.
    ///
    /// # Errors
    ///
    /// The function comes back if it was not started.
    ///
    /// ```
    /// let group = waterway::group::ErrGroup::<()>::new();
    /// group.set_limit(Some(0));
    /// assert!(group.try_go(|| Ok(())).is_err());
    /// group.wait().unwrap();
    /// ```
    ///
    /// Go: `Group.TryGo`.
    #[track_caller]
    pub fn try_go<F>(&self, f: F) -> Result<(), F>
    where
        F: FnOnce() -> Result<(), E> + Send + 'static,
    {
        self.spawner.try_go(f)
    }

    /// What starts goroutines of the group from elsewhere: from its own goroutines, too. What is started after
    /// [`wait`](Self::wait) has returned is not waited for.
    ///
    /// ```
    /// let group = waterway::group::ErrGroup::<String>::new();
    /// let spawner = group.spawner();
    /// group.go(move || {
    ///     spawner.go(|| Err("from below".into()));
    ///     Ok(())
    /// });
    /// assert_eq!(group.wait(), Err("from below".into()));
    /// ```
    ///
    /// Go: a pointer to the group.
    pub fn spawner(&self) -> Spawner<E> {
        self.spawner.clone()
    }

    /// Waits until all goroutines of the group have finished.
    ///
    /// ```
    /// let group = waterway::group::ErrGroup::new();
    /// group.go(|| Ok(()));
    /// group.go(|| Err("disk full"));
    /// assert_eq!(group.wait(), Err("disk full"));
    /// ```
    ///
    /// # Errors
    ///
    /// The first error that one of them gave.
    ///
    /// # Panics
    ///
    /// With the payload of the first panic, if one of them panicked.
    ///
    /// # Blocking
    ///
    /// Parks the caller while one of them runs.
    ///
    /// Go: `Group.Wait`.
    #[track_caller]
    pub fn wait(self) -> Result<(), E> {
        let shared = &self.spawner.shared;
        shared.members.wait();
        shared.cancel();
        let (panic, error) = {
            let mut outcome = shared.outcome.lock();
            (outcome.panic.take(), outcome.error.take())
        };
        match panic {
            Some(payload) => resume_unwind(payload),
            None => error.map_or(Ok(()), Err),
        }
    }
}

impl<E: Send + 'static> Default for ErrGroup<E> {
    #[track_caller]
    fn default() -> Self {
        ErrGroup::new()
    }
}

impl<E> fmt::Debug for ErrGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrGroup")
            .field(
                "active",
                &self.spawner.shared.active.load(Ordering::Relaxed),
            )
            .finish()
    }
}

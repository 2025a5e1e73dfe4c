//! Contexts: when work is to end, told to everybody who does a part of it; and values that go with the work.
//!
//! A [`Context`] is made from another one, beginning with [`Context::background`], which never ends. One made by
//! [`with_cancel`](Context::with_cancel), [`with_timeout`](Context::with_timeout) or
//! [`with_deadline`](Context::with_deadline) comes with a [`CancelGuard`], and ends when that is used or dropped, when the
//! time is over, or when the context that it was made from ends. Work hears of it through
//! [`done`](Context::done), an arm for [`select!`](crate::select!), or by calls that the context limits:
//!
//! ```
//! use std::time::Duration;
//! use waterway::{Context, ContextError, chan, go};
//!
//! fn work(ctx: &Context, jobs: &waterway::Receiver<u32>) -> u32 {
//!     let mut sum = 0;
//!     while let Ok(job) = ctx.recv(jobs) {
//!         sum += job;
//!     }
//!     sum
//! }
//!
//! let (ctx, guard) = Context::background().with_timeout(Duration::from_secs(60));
//! let (tx, jobs) = chan(0);
//! let worker = go({
//!     let ctx = ctx.clone();
//!     move || work(&ctx, &jobs)
//! });
//! ctx.send(&tx, 1).unwrap();
//! ctx.send(&tx, 2).unwrap();
//! guard.cancel();
//! assert_eq!(worker.join().unwrap(), 3);
//! assert_eq!(ctx.err(), Some(ContextError::Canceled));
//! ```
//!
//! # Calls that a context limits
//!
//! `send`, `recv`, `sleep`, `lock`, `read`, `write`, `acquire`, `wait`, `wait_while` and `join` of [`Context`] do what
//! the methods of the same name do, and give up when the context ends. They fail at once, and do nothing, if it has ended
//! already (`wait_while` looks at its condition first); in Go's select the one or the other may happen. Nothing is lost: a
//! value that was not sent comes back, one that was not received stays where it is, and who gives up while he is being
//! served has been served.
//!
//! In a [`select!`](crate::select!), `recv(ctx.done())` is an arm like any other. Without such a form are the end of a
//! [`scope`](crate::scope()) and [`blocking`](crate::blocking()), which have lent what lies on the caller's stack, a
//! [`Barrier`](crate::sync::Barrier), whose round nobody can leave without breaking it for the others, a
//! [`Once`](crate::sync::Once), and the handles of scoped and local goroutines.

mod after_func;
mod error;
mod guard;
mod tree;
mod values;
mod wait;

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use after_func::AfterFunc;
pub use error::{ContextError, RecvContextError, SendContextError};
pub use guard::{CancelCauseGuard, CancelGuard};

use crate::chan::{Receiver, never};
use tree::{Cause, Node};
use values::Values;

/// When work is to end, and values that go with it. Clones share both.
///
/// ```
/// use waterway::Context;
/// let (ctx, guard) = Context::background().with_value("a value").with_cancel();
/// assert!(ctx.err().is_none());
/// guard.cancel();
/// assert!(ctx.err().is_some());
/// ```
///
/// See [the module](self) for how contexts are used.
///
/// Go: `context.Context`. It is a type here, not an interface.
#[derive(Clone, Default)]
pub struct Context {
    values: Values,
    /// Where its end comes from; `None` if it never ends.
    node: Option<Arc<Node>>,
}

impl Context {
    /// A context that never ends and has no values: the root of all others.
    ///
    /// ```
    /// let ctx = waterway::Context::background();
    /// assert_eq!(ctx.err(), None);
    /// ```
    ///
    /// Go: `context.Background`, `context.TODO`.
    pub fn background() -> Context {
        Context::default()
    }

    /// A context that ends with this one, and when the guard cancels it or is dropped. Never blocks.
    ///
    /// ```
    /// use waterway::{Context, ContextError, select};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// let below = ctx.with_value("some value");
    /// drop(guard);
    /// select! { recv(below.done()) -> _ => {} }
    /// assert_eq!(below.err(), Some(ContextError::Canceled));
    /// ```
    ///
    /// Go: `context.WithCancel`.
    #[track_caller]
    pub fn with_cancel(&self) -> (Context, CancelGuard) {
        let (context, node) = self.below(None);
        (context, CancelGuard::new(node))
    }

    /// As [`with_cancel`](Self::with_cancel), with a guard that takes a [cause](Self::cause).
    ///
    /// ```
    /// use waterway::Context;
    /// let (ctx, guard) = Context::background().with_cancel_cause();
    /// guard.cancel("no more disk");
    /// assert_eq!(ctx.cause().unwrap().to_string(), "no more disk");
    /// ```
    ///
    /// Go: `context.WithCancelCause`.
    #[track_caller]
    pub fn with_cancel_cause(&self) -> (Context, CancelCauseGuard) {
        let (context, node) = self.below(None);
        (context, CancelCauseGuard::new(node))
    }

    /// As [`with_cancel`](Self::with_cancel); the context ends after `timeout`, too, whether or not anybody waits for that.
    ///
    /// # Panics
    ///
    /// If the runtime cannot start its threads.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, ContextError};
    /// let (ctx, _guard) = Context::background().with_timeout(Duration::from_millis(1));
    /// assert!(ctx.done().recv().is_err(), "closed when the time is over");
    /// assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded));
    /// ```
    ///
    /// Go: `context.WithTimeout`.
    #[track_caller]
    pub fn with_timeout(&self, timeout: Duration) -> (Context, CancelGuard) {
        self.until(crate::time::deadline(timeout), None)
    }

    /// As [`with_timeout`](Self::with_timeout), with the [cause](Self::cause) that the context has if the time is over.
    ///
    /// # Panics
    ///
    /// As `with_timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::Context;
    /// let (ctx, _guard) = Context::background().with_timeout_cause(Duration::ZERO, "too late");
    /// assert_eq!(ctx.cause().unwrap().to_string(), "too late");
    /// ```
    ///
    /// Go: `context.WithTimeoutCause`.
    #[track_caller]
    pub fn with_timeout_cause(
        &self,
        timeout: Duration,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> (Context, CancelGuard) {
        self.until(crate::time::deadline(timeout), Some(cause.into().into()))
    }

    /// As [`with_timeout`](Self::with_timeout); the context ends at `deadline`, or at this context's own if that is earlier.
    ///
    /// # Panics
    ///
    /// As `with_timeout`.
    ///
    /// ```
    /// use std::time::Instant;
    /// use waterway::{Context, ContextError};
    /// let (ctx, _guard) = Context::background().with_deadline(Instant::now());
    /// assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded));
    /// ```
    ///
    /// Go: `context.WithDeadline`.
    #[track_caller]
    pub fn with_deadline(&self, deadline: Instant) -> (Context, CancelGuard) {
        self.until(deadline, None)
    }

    /// As [`with_deadline`](Self::with_deadline), with the [cause](Self::cause) that the context has if `deadline` passes.
    ///
    /// # Panics
    ///
    /// As `with_timeout`.
    ///
    /// ```
    /// use std::time::Instant;
    /// use waterway::Context;
    /// let (ctx, _guard) = Context::background().with_deadline_cause(Instant::now(), "too late");
    /// assert_eq!(ctx.cause().unwrap().to_string(), "too late");
    /// ```
    ///
    /// Go: `context.WithDeadlineCause`.
    #[track_caller]
    pub fn with_deadline_cause(
        &self,
        deadline: Instant,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> (Context, CancelGuard) {
        self.until(deadline, Some(cause.into().into()))
    }

    /// A context that ends as this one does, and has one value more. A value is found by its type: give it one of its own,
    /// which also says who may read it.
    ///
    /// ```
    /// use waterway::Context;
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct RequestId(u64);
    ///
    /// let ctx = Context::background().with_value(RequestId(7));
    /// assert_eq!(ctx.value(), Some(&RequestId(7)));
    /// assert_eq!(ctx.value::<u64>(), None);
    /// ```
    ///
    /// Go: `context.WithValue`, where the type is the key.
    pub fn with_value<T: Any + Send + Sync>(&self, value: T) -> Context {
        Context {
            values: self.values.with(value),
            node: self.node.clone(),
        }
    }

    /// The value of type `T` that was added last. Takes as long as there are values.
    ///
    /// ```
    /// use waterway::Context;
    /// let ctx = Context::background().with_value("below").with_value(1).with_value("above");
    /// assert_eq!(ctx.value(), Some(&"above"));
    /// assert_eq!(ctx.value(), Some(&1));
    /// ```
    ///
    /// Go: `Context.Value`.
    pub fn value<T: Any>(&self) -> Option<&T> {
        self.values.get()
    }

    /// A context with the values of this one that does not end with it: it never ends, and has no deadline.
    ///
    /// ```
    /// use waterway::Context;
    /// let (ctx, guard) = Context::background().with_value("value").with_cancel();
    /// let rest = ctx.without_cancel();
    /// guard.cancel();
    /// assert!(rest.err().is_none());
    /// assert_eq!(rest.value(), Some(&"value"));
    /// ```
    ///
    /// Go: `context.WithoutCancel`.
    pub fn without_cancel(&self) -> Context {
        Context {
            values: self.values.clone(),
            node: None,
        }
    }

    /// A channel that is closed when the context has ended; nothing is ever sent there. Made for an arm of
    /// [`select!`](crate::select!). All calls give ends of one channel, so nobody should [close](Receiver::close) it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterway::{Context, select, time::after};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// waterway::go(move || guard.cancel());
    /// select! {
    ///     recv(ctx.done()) -> _ => assert!(ctx.err().is_some()),
    ///     recv(after(Duration::from_secs(60))) -> _ => unreachable!(),
    /// }
    /// ```
    ///
    /// Go: `Context.Done`.
    #[track_caller]
    pub fn done(&self) -> Receiver<()> {
        match &self.node {
            Some(node) => node.done(),
            None => never(),
        }
    }

    /// How the context ended; `None` as long as it has not. Never blocks.
    ///
    /// ```
    /// use waterway::{Context, ContextError};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// assert_eq!(ctx.err(), None);
    /// drop(guard);
    /// assert_eq!(ctx.err(), Some(ContextError::Canceled));
    /// ```
    ///
    /// Go: `Context.Err`.
    pub fn err(&self) -> Option<ContextError> {
        self.node.as_ref()?.error()
    }

    /// Why the context ended: what was given to the guard that cancelled it, or with the deadline that passed; where nothing
    /// was given, what [`err`](Self::err) says. `None` as long as it has not ended. It is that of the context that ended
    /// first, of this one and those above it.
    ///
    /// ```
    /// use waterway::{Context, ContextError};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// assert!(ctx.cause().is_none());
    /// drop(guard);
    /// let cause = ctx.cause().unwrap();
    /// assert_eq!(cause.downcast_ref(), Some(&ContextError::Canceled));
    /// ```
    ///
    /// Go: `context.Cause`.
    pub fn cause(&self) -> Option<Arc<dyn Error + Send + Sync>> {
        let ended = self.node.as_ref()?.ended()?;
        Some(ended.cause.unwrap_or_else(|| Arc::new(ended.error)))
    }

    /// When the context ends at the latest; `None` if it has no deadline.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use waterway::Context;
    /// let soon = Instant::now() + Duration::from_secs(1);
    /// let (ctx, _guard) = Context::background().with_deadline(soon);
    /// let (below, _guard) = ctx.with_timeout(Duration::from_secs(60));
    /// assert_eq!(below.deadline(), Some(soon));
    /// ```
    ///
    /// Go: `Context.Deadline`.
    pub fn deadline(&self) -> Option<Instant> {
        self.node.as_ref()?.deadline
    }

    /// A context of its own end, below this one.
    #[track_caller]
    fn below(&self, deadline: Option<Instant>) -> (Context, Arc<Node>) {
        let node = Node::below(self.node.as_ref(), deadline, Location::caller());
        let context = Context {
            values: self.values.clone(),
            node: Some(node.clone()),
        };
        (context, node)
    }

    #[track_caller]
    fn until(&self, deadline: Instant, cause: Option<Cause>) -> (Context, CancelGuard) {
        // An earlier one above comes first, and needs no timer here.
        let above = self.deadline().filter(|above| *above < deadline);
        let (context, node) = self.below(Some(above.unwrap_or(deadline)));
        // It is there first, so that nothing is left if no timer can be set.
        let guard = CancelGuard::new(node);
        if above.is_none() {
            guard.arm(deadline, cause);
        }
        (context, guard)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("err", &self.err())
            .field("deadline", &self.deadline())
            .field("values", &self.values.len())
            .field(
                "dependents",
                &self.node.as_ref().map_or(0, |node| node.dependents()),
            )
            .finish()
    }
}

// What ends a context is done outside of its locks, so no panic leaves one half changed.
impl UnwindSafe for Context {}
impl RefUnwindSafe for Context {}
impl UnwindSafe for CancelGuard {}
impl RefUnwindSafe for CancelGuard {}
impl UnwindSafe for AfterFunc {}
impl RefUnwindSafe for AfterFunc {}

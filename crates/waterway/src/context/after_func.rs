//! Functions that run when a context has ended.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Weak};

use super::Context;
use super::tree::{Call, Node};
use crate::primitives::{AtomicBool, Ordering};
use crate::rt::sched::runtime;

impl Context {
    /// Calls `f` in a goroutine of its own when the context has ended; at once if it has. Never blocks.
    ///
    /// The call comes whether or not the handle is kept; only [`stop`](AfterFunc::stop) prevents it. For a context that
    /// never ends, `f` is never called, and dropped.
    ///
    /// # Panics
    ///
    /// If the runtime cannot start its threads. A panic of `f` ends its goroutine.
    ///
    /// ```
    /// use waterway::{Context, chan};
    ///
    /// let (ctx, guard) = Context::background().with_cancel();
    /// let (tx, rx) = chan(1);
    /// ctx.after_func(move || tx.send("cleaned up").unwrap());
    /// guard.cancel();
    /// assert_eq!(rx.recv(), Ok("cleaned up"));
    /// ```
    ///
    /// Go: `context.AfterFunc`.
    #[track_caller]
    pub fn after_func(&self, f: impl FnOnce() + Send + 'static) -> AfterFunc {
        // A cancel may come where nothing may fail: what can, fails here.
        runtime();
        let call = Call {
            function: Box::new(f),
            site: Location::caller(),
        };
        let pending = AtomicBool::new(true);
        let place = self.node.as_ref().and_then(|node| {
            let place = node.after(call);
            pending.store(place.is_some(), Ordering::Relaxed);
            Some((Arc::downgrade(node), place?))
        });
        AfterFunc { place, pending }
    }
}

/// A function that is to run when a context has ended: see [`Context::after_func`]. Dropping the handle changes nothing.
///
/// ```
/// let (context, guard) = waterway::Context::background().with_cancel();
/// let (tx, rx) = waterway::chan(1);
/// let _call = context.after_func(move || tx.send("ended").unwrap());
/// guard.cancel();
/// assert_eq!(rx.recv(), Ok("ended"));
/// ```
///
/// Go: the `stop` function that `context.AfterFunc` returns.
pub struct AfterFunc {
    /// Where it waits; nowhere if its context never ends.
    place: Option<(Weak<Node>, u64)>,
    /// It has neither been started nor stopped, as far as the handle knows.
    pending: AtomicBool,
}

impl AfterFunc {
    /// Keeps the function from running, and drops it. True if that was in time; false if its goroutine has been started
    /// already, of which this does not await the end, or if it was stopped before. Never blocks.
    ///
    /// ```
    /// use waterway::Context;
    /// let (ctx, guard) = Context::background().with_cancel();
    /// let call = ctx.after_func(|| unreachable!());
    /// assert!(call.stop());
    /// guard.cancel();
    /// assert!(!call.stop());
    /// ```
    ///
    /// Go: the call of `stop`.
    pub fn stop(&self) -> bool {
        let pending = self.pending.swap(false, Ordering::AcqRel);
        match &self.place {
            Some((node, place)) => {
                pending && node.upgrade().is_some_and(|node| node.remove(*place))
            }
            None => pending,
        }
    }
}

impl fmt::Debug for AfterFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AfterFunc").finish_non_exhaustive()
    }
}

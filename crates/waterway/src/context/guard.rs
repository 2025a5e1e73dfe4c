//! Who may cancel a context.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::error::ContextError;
use super::tree::{Cause, Ended, Node};

/// The right to cancel a context; dropping it cancels. It may be shared and moved to anywhere.
///
/// Keep it for as long as the context is to live: `let (ctx, _) = …` cancels at once, `let (ctx, _guard) = …` at the end of
/// the block.
///
/// ```
/// use waterway::Context;
/// let ctx = {
///     let (ctx, _guard) = Context::background().with_cancel();
///     assert!(ctx.err().is_none());
///     ctx
/// };
/// assert!(ctx.err().is_some());
/// ```
///
/// Go: `context.CancelFunc`.
#[must_use = "the context is cancelled at once if the guard is not kept"]
pub struct CancelGuard {
    node: Arc<Node>,
}

impl CancelGuard {
    pub(super) fn new(node: Arc<Node>) -> CancelGuard {
        CancelGuard { node }
    }

    /// See [`Node::arm`].
    #[track_caller]
    pub(super) fn arm(&self, deadline: Instant, cause: Option<Cause>) {
        self.node.arm(deadline, cause);
    }

    /// Cancels the context and those below it, unless they have ended before. When this returns, all of them have ended.
    /// Never blocks.
    ///
    /// ```
    /// use waterway::{Context, ContextError};
    /// let (ctx, guard) = Context::background().with_cancel();
    /// guard.cancel();
    /// assert_eq!(ctx.err(), Some(ContextError::Canceled));
    /// ```
    ///
    /// Go: the call of a `context.CancelFunc`.
    pub fn cancel(&self) {
        self.node.end(Ended::CANCELED);
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for CancelGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelGuard")
            .field("err", &self.node.error())
            .finish()
    }
}

/// As [`CancelGuard`], for a context that is cancelled with a cause. Dropping it cancels without one.
///
/// ```
/// let (context, guard) = waterway::Context::background().with_cancel_cause();
/// guard.cancel("the disk is full");
/// assert_eq!(context.cause().unwrap().to_string(), "the disk is full");
/// ```
///
/// Go: `context.CancelCauseFunc`.
#[must_use = "the context is cancelled at once if the guard is not kept"]
#[derive(Debug)]
pub struct CancelCauseGuard {
    guard: CancelGuard,
}

impl CancelCauseGuard {
    pub(super) fn new(node: Arc<Node>) -> CancelCauseGuard {
        CancelCauseGuard {
            guard: CancelGuard::new(node),
        }
    }

    /// Cancels the context and those below it because of `cause`, unless it has ended before. Never blocks. See
    /// [`CancelGuard::cancel`].
    ///
    /// ```
    /// use waterway::Context;
    /// let (ctx, guard) = Context::background().with_cancel_cause();
    /// guard.cancel("the client has gone");
    /// assert_eq!(ctx.err().unwrap().to_string(), "context canceled");
    /// assert_eq!(ctx.cause().unwrap().to_string(), "the client has gone");
    /// ```
    ///
    /// Go: the call of a `context.CancelCauseFunc`.
    pub fn cancel(&self, cause: impl Into<Box<dyn Error + Send + Sync>>) {
        self.guard.node.end(Ended {
            error: ContextError::Canceled,
            cause: Some(cause.into().into()),
        });
    }
}

//! What comes back from a gate that is full.

use std::fmt;

/// The gate was full: nothing was started, and the closure comes back.
///
/// ```
/// use waterway::flow::{Gate, Refused};
/// let gate = Gate::new(1);
/// let _inside = gate.enter();
/// match gate.try_go(|| 6 * 7) {
///     Err(Refused(f)) => assert_eq!(f(), 42, "by the caller, then"),
///     Ok(_) => unreachable!(),
/// }
/// ```
///
/// Go: the `false` of `errgroup.Group.TryGo`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused<F>(pub F);

impl<F> Refused<F> {
    /// The closure that was not started.
    ///
    /// ```
    /// let gate = waterway::flow::Gate::new(1);
    /// let _inside = gate.enter();
    /// let f = gate.try_go(|| 6 * 7).unwrap_err().into_inner();
    /// assert_eq!(f(), 42);
    /// ```
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

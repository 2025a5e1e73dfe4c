//! What comes back from a gate that is full.

use std::fmt;

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

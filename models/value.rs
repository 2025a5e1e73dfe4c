//! What goes through channels in models of loom.

use loom::cell::UnsafeCell;

/// A value whose reader must have seen its writer.
pub(crate) struct Value(Box<UnsafeCell<usize>>);

impl Value {
    pub(crate) fn new(n: usize) -> Value {
        let cell = Box::new(UnsafeCell::new(0));
        // SAFETY: nobody else has it.
        cell.with_mut(|at| unsafe { *at = n });
        Value(cell)
    }

    pub(crate) fn get(&self) -> usize {
        // SAFETY: loom checks that the write was before.
        self.0.with(|at| unsafe { *at })
    }
}

// SAFETY: it goes from hand to hand.
unsafe impl Send for Value {}

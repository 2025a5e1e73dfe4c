//! Stacks of the default size that a worker keeps for its next goroutines, so that most starts and ends need no lock.

use waterway_stack::{Stack, StackError};

use super::stacks::Stacks;

/// A worker keeps no more than this many.
const MOST: usize = 256;
/// The same, over a long sleep.
const COOL: usize = 16;
/// It fetches so many at first, and twice as many each time, up to the last: who starts a crowd needs many, others few.
const FIRST_BATCH: usize = 2;
const LAST_BATCH: usize = 64;

/// See the module.
pub(super) struct Warm {
    /// The one last used is last.
    stacks: Vec<Stack>,
    batch: usize,
}

impl Default for Warm {
    fn default() -> Warm {
        Warm {
            stacks: Vec::new(),
            batch: FIRST_BATCH,
        }
    }
}

impl Warm {
    #[inline]
    pub(super) fn take(&mut self, from: &Stacks) -> Result<Stack, StackError> {
        match self.stacks.pop() {
            Some(stack) => Ok(stack),
            None => self.fetch(from),
        }
    }

    #[cold]
    fn fetch(&mut self, from: &Stacks) -> Result<Stack, StackError> {
        from.take_some(self.batch, &mut self.stacks)?;
        self.batch = (self.batch * 2).min(LAST_BATCH);
        Ok(self.stacks.pop().expect("one, or an error"))
    }

    #[inline]
    pub(super) fn give(&mut self, stack: Stack, to: &Stacks) {
        if self.stacks.len() == MOST {
            // Those that were used last stay.
            to.give_all(self.stacks.drain(..MOST / 2));
        }
        self.stacks.push(stack);
    }

    /// Before a long sleep: keeps few of the stacks that a spike has left here, others may use the memory.
    pub(super) fn cool_down(&mut self, to: &Stacks) {
        self.batch = FIRST_BATCH;
        let surplus = self.stacks.len().saturating_sub(COOL);
        if surplus > 0 {
            to.give_all(self.stacks.drain(..surplus));
        }
    }
}

//! The buffer of an unbounded channel.

use std::collections::VecDeque;
use std::mem::offset_of;

/// The values of an unbounded channel. Its length is a word of its own, for dumps.
pub(super) struct Backlog<T> {
    pub(super) len: usize,
    values: VecDeque<T>,
}

impl<T> Backlog<T> {
    /// How far into it its length is.
    pub(super) const LEN_AT: usize = offset_of!(Backlog<T>, len);

    pub(super) fn new() -> Backlog<T> {
        Backlog {
            len: 0,
            values: VecDeque::new(),
        }
    }

    #[inline]
    pub(super) fn push_back(&mut self, value: T) {
        self.values.push_back(value);
        self.len = self.values.len();
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<T> {
        let value = self.values.pop_front();
        self.len = self.values.len();
        value
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn take(&mut self) -> VecDeque<T> {
        self.len = 0;
        std::mem::take(&mut self.values)
    }
}

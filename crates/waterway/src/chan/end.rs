//! What both ends of a channel have.

macro_rules! either_end {
    ($end:ident) => {
        impl<T> $end<T> {
            /// How many values are buffered. Slots that a `select` has reserved count.
            ///
            /// Go: `len(ch)`.
            ///
            /// # Blocking
            ///
            /// Never.
            pub fn len(&self) -> usize {
                self.core().len()
            }

            /// How many values the channel holds; `None` if there is no limit.
            ///
            /// Go: `cap(ch)`.
            pub fn capacity(&self) -> Option<usize> {
                self.core().capacity()
            }

            /// True if nothing is buffered; always so for an unbuffered channel.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// True if there is no room; always so for an unbuffered channel.
            ///
            /// Go: `len(ch) == cap(ch)`.
            pub fn is_full(&self) -> bool {
                self.capacity()
                    .is_some_and(|capacity| self.len() == capacity)
            }

            /// True once the channel is closed from either side, be it by the last drop.
            pub fn is_closed(&self) -> bool {
                self.core().is_closed()
            }

            /// What went through the channel so far, and what was shed and refused.
            ///
            /// Go: has no counterpart.
            ///
            /// # Blocking
            ///
            /// Never. Takes the channel's lock, for as long as it takes to count who waits.
            pub fn statistics(&self) -> Statistics {
                self.core().statistics()
            }

            /// What the channel does when it is full.
            pub fn overflow(&self) -> Overflow {
                self.core()
                    .policy()
                    .map_or(Overflow::Block, |policy| policy.overflow())
            }

            /// Changes what the channel does when it is full. Senders that wait go on by the new policy.
            ///
            /// Go: has no counterpart.
            ///
            /// # Panics
            ///
            /// If the policy makes no sense for a channel of this capacity, as [`Builder::make`](super::Builder::make) does.
            ///
            /// # Blocking
            ///
            /// Never.
            #[track_caller]
            pub fn set_overflow(&self, overflow: Overflow) {
                self.core().set_overflow(overflow);
            }

            /// True if both are ends of one channel.
            pub fn same_channel(&self, other: &$end<T>) -> bool {
                std::ptr::eq(self.core(), other.core())
            }
        }

        impl<T> std::panic::UnwindSafe for $end<T> {}
        impl<T> std::panic::RefUnwindSafe for $end<T> {}

        impl<T> Clone for $end<T> {
            fn clone(&self) -> Self {
                $end::counted(self.0.another())
            }
        }

        impl<T> fmt::Debug for $end<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

pub(super) use either_end;

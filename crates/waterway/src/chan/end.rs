//! What both ends of a channel have.

macro_rules! either_end {
    ($end:ident) => {
        impl<T> $end<T> {
            /// How many values are buffered. Slots that a `select` has reserved count.
            ///
            /// ```
            /// let (tx, rx) = waterway::chan(3);
            /// tx.send(1).unwrap();
            /// assert_eq!((tx.len(), rx.len()), (1, 1));
            /// ```
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
            /// ```
            /// let (tx, rx) = waterway::chan::<u8>(3);
            /// assert_eq!((tx.capacity(), rx.capacity()), (Some(3), Some(3)));
            /// let (tx, _rx) = waterway::chan::unbounded::<u8>();
            /// assert_eq!(tx.capacity(), None);
            /// ```
            ///
            /// Go: `cap(ch)`.
            pub fn capacity(&self) -> Option<usize> {
                self.core().capacity()
            }

            /// True if nothing is buffered; always so for an unbuffered channel.
            ///
            /// ```
            /// let (tx, rx) = waterway::chan(1);
            /// assert!(tx.is_empty() && rx.is_empty());
            /// tx.send(1).unwrap();
            /// assert!(!tx.is_empty() && !rx.is_empty());
            /// ```
            ///
            /// Go: `len(ch) == 0`.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// True if there is no room; always so for an unbuffered channel.
            ///
            /// ```
            /// let (tx, rx) = waterway::chan(1);
            /// assert!(!tx.is_full() && !rx.is_full());
            /// tx.send(1).unwrap();
            /// assert!(tx.is_full() && rx.is_full());
            /// ```
            ///
            /// Go: `len(ch) == cap(ch)`.
            pub fn is_full(&self) -> bool {
                self.capacity()
                    .is_some_and(|capacity| self.len() == capacity)
            }

            /// True once the channel is closed from either side, be it by the last drop.
            ///
            /// ```
            /// let (tx, rx) = waterway::chan(1);
            /// tx.send("left in it").unwrap();
            /// tx.close();
            /// assert!(tx.is_closed() && rx.is_closed());
            /// assert_eq!(rx.recv(), Ok("left in it"));
            /// ```
            ///
            /// Go: none, but to receive: `value, ok := <-ch`.
            pub fn is_closed(&self) -> bool {
                self.core().is_closed()
            }

            /// What went through the channel so far, and what was shed and refused.
            ///
            /// ```
            /// let (tx, rx) = waterway::chan(2);
            /// tx.send(1).unwrap();
            /// tx.send(2).unwrap();
            /// rx.recv().unwrap();
            /// let seen = rx.statistics();
            /// assert_eq!((seen.sent, seen.received, seen.in_queue), (2, 1, 1));
            /// assert_eq!(seen, tx.statistics());
            /// ```
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
            ///
            /// ```
            /// use waterway::{chan, flow::Overflow};
            /// let (tx, rx) = chan::builder::<u8>().capacity(1).overflow(Overflow::Reject).make();
            /// assert_eq!((tx.overflow(), rx.overflow()), (Overflow::Reject, Overflow::Reject));
            /// let (_tx, rx) = chan::<u8>(1);
            /// assert_eq!(rx.overflow(), Overflow::Block);
            /// ```
            ///
            /// Go: has no counterpart: senders wait.
            pub fn overflow(&self) -> Overflow {
                self.core()
                    .policy()
                    .map_or(Overflow::Block, |policy| policy.overflow())
            }

            /// Changes what the channel does when it is full. Senders that wait go on by the new policy.
            ///
            /// ```
            /// use waterway::{chan, flow::Overflow};
            /// let (tx, rx) = chan(1);
            /// tx.send("old").unwrap();
            /// rx.set_overflow(Overflow::DropOldest);
            /// tx.send("new").unwrap();
            /// assert_eq!(rx.recv(), Ok("new"));
            /// ```
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
                #[cfg(feature = "tracing")]
                super::told::policy(self.core(), overflow);
            }

            /// True if both are ends of one channel.
            ///
            /// ```
            /// let ((tx, rx), (other_tx, other_rx)) = (waterway::chan::<u8>(0), waterway::chan::<u8>(0));
            /// assert!(tx.same_channel(&tx.clone()) && rx.same_channel(&rx.clone()));
            /// assert!(!tx.same_channel(&other_tx) && !rx.same_channel(&other_rx));
            /// ```
            ///
            /// Go: `a == b` of two channels.
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

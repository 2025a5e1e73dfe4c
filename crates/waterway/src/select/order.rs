//! In which order arms are tried, and in which order channels are locked.

use std::cell::Cell;
use std::pin::Pin;

use super::few::Few;
use crate::chan::{Port, Queues};
use crate::primitives::LockGuard;

const SHORT: usize = 8;

/// The order in which arms are tried.
pub(super) struct Order {
    short: [usize; SHORT],
    long: Vec<usize>,
    len: usize,
}

impl Order {
    /// As they stand, or shuffled.
    #[inline]
    pub(super) fn new(arms: usize, biased: bool) -> Order {
        let mut order = Order {
            short: std::array::from_fn(|arm| arm),
            long: Vec::new(),
            len: arms,
        };
        if arms > SHORT {
            order.long = (0..arms).collect();
        }
        if !biased {
            let arms = order.arms_mut();
            for at in (1..arms.len()).rev() {
                arms.swap(at, below(at + 1));
            }
        }
        order
    }

    fn arms_mut(&mut self) -> &mut [usize] {
        match self.len {
            0..=SHORT => &mut self.short[..self.len],
            _ => &mut self.long,
        }
    }

    #[inline]
    pub(super) fn arms(&self) -> &[usize] {
        match self.len {
            0..=SHORT => &self.short[..self.len],
            _ => &self.long,
        }
    }
}

/// A number below `bound`, evenly spread for small bounds.
fn below(bound: usize) -> usize {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }
    let mut x = STATE.get();
    if x == 0 {
        // Another start for each thread.
        x = std::ptr::from_ref(&x) as u64 | 1;
    }
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    STATE.set(x);
    // Of the high bits, which are the better ones.
    ((x >> 32) as usize * bound) >> 32
}

/// The locks of all channels of a select, each taken once, in the order of their addresses.
pub(super) struct Locks<'a>(Few<(usize, LockGuard<'a, Queues>)>);

impl<'a> Locks<'a> {
    pub(super) fn of(ports: &[Pin<&'a dyn Port>]) -> Locks<'a> {
        let mut locks = Few::new();
        let mut last = 0;
        // The next higher address each time: quadratic, but selects are short and this needs no memory.
        loop {
            let next = ports.iter().filter(|port| port.object() > last);
            let Some(port) = next.min_by_key(|port| port.object()) else {
                return Locks(locks);
            };
            last = port.object();
            locks.push((last, port.get_ref().queues().lock()));
        }
    }

    /// The queues of the channel of `port`.
    pub(super) fn queues(&mut self, port: Pin<&dyn Port>) -> &mut Queues {
        let object = port.object();
        let at = self.0.iter().position(|(address, _)| *address == object);
        &mut self.0.get_mut(at.expect("every channel is locked")).1
    }
}

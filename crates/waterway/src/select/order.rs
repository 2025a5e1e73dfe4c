//! In which order arms are tried, and in which order channels are locked.

use std::cell::Cell;
use std::ops::Range;
use std::pin::Pin;

use super::few::Few;
use crate::chan::{Port, Queues};
use crate::rt::own_lock::OwnGuard;

const SHORT: usize = 8;

/// One number for each arm. It needs no memory of its own while there are few arms.
pub(super) struct Each {
    short: [usize; SHORT],
    long: Vec<usize>,
    len: usize,
}

impl Each {
    /// Each arm's own number, in order.
    #[inline]
    fn own(arms: usize) -> Each {
        Each {
            short: std::array::from_fn(|arm| arm),
            long: match arms {
                0..=SHORT => Vec::new(),
                _ => (0..arms).collect(),
            },
            len: arms,
        }
    }

    #[inline]
    fn all_mut(&mut self) -> &mut [usize] {
        match self.len {
            0..=SHORT => &mut self.short[..self.len],
            _ => &mut self.long,
        }
    }

    #[inline]
    fn all(&self) -> &[usize] {
        match self.len {
            0..=SHORT => &self.short[..self.len],
            _ => &self.long,
        }
    }
}

/// The order in which arms are tried: as they stand, or by the dice, which are cast arm by arm, since the first one tried is
/// often the last.
#[derive(Clone)]
pub(super) enum Order {
    Biased(Range<usize>),
    /// The arms that are left, a byte each, and how many.
    Short(u64, usize),
    Long(Vec<usize>),
}

impl Order {
    #[inline]
    pub(super) fn new(arms: usize, biased: bool) -> Order {
        match arms {
            _ if biased => Order::Biased(0..arms),
            0..=SHORT => Order::Short(u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7]), arms),
            _ => Order::Long((0..arms).collect()),
        }
    }
}

impl Order {
    /// Leaves out the arms of which `keep` is not true, if more than one is left to the dice.
    #[inline]
    pub(super) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let (arms, left) = match self {
            Order::Biased(_) => return,
            Order::Short(arms, left) => (arms, left),
            Order::Long(arms) => return arms.retain(|&arm| keep(arm)),
        };
        if *left < 2 {
            return;
        }
        let all = std::mem::take(arms).to_le_bytes();
        let all = &all[..std::mem::take(left)];
        for &arm in all.iter().filter(|&&arm| keep(arm.into())) {
            *arms |= u64::from(arm) << (8 * *left);
            *left += 1;
        }
    }
}

impl Iterator for Order {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        match self {
            Order::Biased(arms) => arms.next(),
            Order::Short(arms, left) => {
                let bits = match *left {
                    0 => return None,
                    1 => 0,
                    more => below(more) * 8,
                };
                *left -= 1;
                let (drawn, before) = (*arms >> bits, *arms & ((1 << bits) - 1));
                *arms = before | drawn >> 8 << bits;
                Some((drawn & 0xff) as usize)
            }
            Order::Long(arms) if arms.is_empty() => None,
            Order::Long(arms) => Some(arms.swap_remove(below(arms.len()))),
        }
    }
}

/// A number below `bound`, evenly spread for small bounds.
pub(super) fn below(bound: usize) -> usize {
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
pub(super) struct Locks<'a> {
    guards: Few<OwnGuard<'a, Queues>>,
    /// Which of them is that of each arm.
    of: Each,
}

impl<'a> Locks<'a> {
    pub(super) fn of(ports: &[Pin<&'a dyn Port>]) -> Locks<'a> {
        let (mut at, mut sorted) = (Each::own(ports.len()), Each::own(ports.len()));
        for (arm, object) in at.all_mut().iter_mut().enumerate() {
            *object = ports[arm].object();
        }
        match sorted.all_mut() {
            [first, second] => {
                if at.all()[*first] > at.all()[*second] {
                    std::mem::swap(first, second);
                }
            }
            more => more.sort_unstable_by_key(|&arm| at.all()[arm]),
        }
        let mut locks = Locks {
            guards: Few::new(),
            of: Each::own(ports.len()),
        };
        let (mut last, mut taken) = (0, 0);
        for &arm in sorted.all() {
            if at.all()[arm] != last {
                last = at.all()[arm];
                locks.guards.push(ports[arm].get_ref().lock());
                taken += 1;
            }
            locks.of.all_mut()[arm] = taken - 1;
        }
        locks
    }

    /// The queues of the channel of an arm.
    #[inline]
    pub(super) fn queues(&mut self, arm: usize) -> &mut Queues {
        self.guards.get_mut(self.of.all()[arm])
    }
}

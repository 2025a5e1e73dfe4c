//! Stacks by size: one pool for the default size, others as they are asked for.

use waterway_stack::{COLOURS, GuardMode, PoolConfig, Stack, StackError, StackPool};

use super::arena::fetch;
use super::config::{Config, Guard};
use crate::primitives::{AtomicUsize, Lock, Ordering};

/// Some lines of so many stacks are in the nearest cache at a time, beside other things.
pub(crate) const AT_HAND: usize = 64;
/// How far apart stacks of the default size lie whose tops have the same colour.
static ALIKE: AtomicUsize = AtomicUsize::new(0);

/// Has the processor fetch the line that lies where `at` does, on a stack further up and on one further down. Stacks of goroutines that
/// were started one after the other, and wait for the same, lie at regular distances: who goes from one to the next by links mostly comes
/// there soon, and cannot ask for it sooner, as each link has to come before it is known where the next one is. A wrong guess costs
/// little: what was looked at before is still in the cache.
#[inline]
pub(crate) fn fetch_alike(at: usize) {
    let distance = ALIKE.load(Ordering::Relaxed);
    fetch(at.wrapping_add(distance), 1);
    fetch(at.wrapping_sub(distance), 1);
}

pub(super) struct Stacks {
    default: &'static StackPool,
    default_size: usize,
    guard: GuardMode,
    others: Lock<Vec<(usize, &'static StackPool)>>,
}

impl Stacks {
    pub(super) fn new(config: &Config) -> Stacks {
        let guard = match config.guard {
            Guard::Auto => GuardMode::Auto,
            Guard::Mprotect => GuardMode::Mprotect,
        };
        ALIKE.store(config.stack_size * COLOURS, Ordering::Relaxed);
        Stacks {
            default: leak(config.stack_size, guard),
            default_size: config.stack_size,
            guard,
            others: Lock::new(Vec::new()),
        }
    }

    /// A stack of `size` bytes of address space; 0 for the default.
    pub(super) fn take(&self, size: usize) -> Result<Stack, StackError> {
        self.pool(size).take()
    }

    /// Appends some stacks of the default size, at least one: see [`StackPool::take_some`].
    pub(super) fn take_some(&self, most: usize, to: &mut Vec<Stack>) -> Result<(), StackError> {
        self.default.take_some(most, to)
    }

    pub(super) fn give(&self, stack: Stack) {
        self.pool(stack.size()).give(stack);
    }

    /// Takes stacks of the default size back.
    pub(super) fn give_all(&self, stacks: impl IntoIterator<Item = Stack>) {
        self.default.give_all(stacks);
    }

    pub(super) fn is_default(&self, stack: &Stack) -> bool {
        stack.size() == self.default_size
    }

    fn pool(&self, size: usize) -> &'static StackPool {
        if size == 0 || size == self.default_size {
            return self.default;
        }
        let mut others = self.others.lock();
        if let Some((_, pool)) = others.iter().find(|(s, _)| *s == size) {
            return pool;
        }
        let pool = leak(size, self.guard);
        others.push((size, pool));
        pool
    }

    /// Gives memory of idle stacks back to the system, all but the last few.
    pub(super) fn trim(&self, keep: usize) {
        self.default.trim(keep);
        for (_, pool) in self.others.lock().iter() {
            pool.trim(0);
        }
    }

    /// Calls `f` with each range of addresses that stacks are cut from.
    pub(super) fn for_each_slab(&self, mut f: impl FnMut(std::ops::Range<usize>)) {
        self.default.for_each_slab(&mut f);
        for (_, pool) in self.others.lock().iter() {
            pool.for_each_slab(&mut f);
        }
    }

    /// Stacks that nobody uses and that still may hold memory.
    pub(super) fn idle(&self) -> usize {
        self.default.idle()
            + self
                .others
                .lock()
                .iter()
                .map(|(_, pool)| pool.idle())
                .sum::<usize>()
    }
}

/// Pools live as long as the process: the fault handler looks into them.
fn leak(size: usize, guard_mode: GuardMode) -> &'static StackPool {
    Box::leak(Box::new(StackPool::new(PoolConfig { size, guard_mode })))
}

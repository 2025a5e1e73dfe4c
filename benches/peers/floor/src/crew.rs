//! Functions on stacks of their own that hand one thread on to each other. Switch, stacks and guards are Waterway's
//! (`waterway-stack`); there is no scheduler, no queue, no record: each says itself who goes on.
//!
//! # Invariants
//!
//! - I1: of a crew one member runs, and all others were left. Member 0 is the thread, or whatever else calls.
//! - I2: members, their stacks and what they own are never freed, and never leave their thread.

#![allow(unsafe_code)] // the switch

use std::cell::OnceCell;

use waterway_stack::{Fiber, GuardMode, PoolConfig, Stack, StackPool};

/// As Waterway's own, by default.
const STACK: usize = 256 << 10;
/// Stacks that one call to the kernel guards.
const AT_ONCE: usize = 64;
/// How far ahead to fetch stacks is best: 4 to 16 are alike.
pub const AHEAD: usize = 8;

/// Stacks, taken as a worker takes them.
pub struct Stacks {
    pool: StackPool,
    taken: Vec<Stack>,
}

impl Stacks {
    pub fn new() -> Stacks {
        let config = PoolConfig {
            size: STACK,
            guard_mode: GuardMode::Auto,
        };
        Stacks {
            pool: StackPool::new(config),
            taken: Vec::with_capacity(AT_ONCE),
        }
    }

    pub fn take(&mut self) -> Stack {
        if self.taken.is_empty() {
            let taken = self.pool.take_some(AT_ONCE, &mut self.taken);
            taken.expect("the system has memory for stacks");
        }
        self.taken.pop().expect("at least one")
    }
}

/// Members on stacks of their own. `&'static` keeps it on its thread: `OnceCell` is not `Sync`.
pub struct Crew {
    members: &'static [OnceCell<Fiber>],
    count: usize,
    ahead: usize,
    stacks: Stacks,
}

impl Crew {
    /// For so many members at most, beside the thread. Who hands on has the stack fetched that lies so many members further than the
    /// next one, if `ahead` is not 0: mostly that one's turn comes soon.
    pub fn new(most: usize, ahead: usize) -> Crew {
        let members: Vec<_> = (0..=most).map(|_| OnceCell::new()).collect();
        let members = members.leak();
        let _ = members[0].set(Fiber::of_thread());
        Crew {
            members,
            count: 0,
            ahead,
            stacks: Stacks::new(),
        }
    }

    /// The next member, counted from 1, who has been on its stack when this returns. Each time it is handed the thread it
    /// calls `body`, which says who goes on: another member, or 0, the caller of [`run`](Self::run).
    pub fn add(&mut self, mut body: impl FnMut() -> usize + 'static) -> usize {
        let (me, members, ahead) = (self.count + 1, self.members, self.ahead);
        self.count = me;
        let stack = self.stacks.take();
        let run = move || -> *const Fiber {
            let mine = members[me].get().expect("set below");
            let mut next = 0;
            loop {
                assert!(next != me, "it runs");
                let next_one = members[next].get().expect("a member");
                // SAFETY: I1: this one runs, and that is another, so it was left; on this thread (I2).
                unsafe { mine.switch(next_one) };
                next = body();
                if ahead > 0
                    && let Some(later) = members.get(next + ahead).and_then(OnceCell::get)
                {
                    later.fetch();
                }
            }
        };
        // SAFETY: a stack is above a guard, and this one is never given back (I2). `run` never ends, and borrows nothing.
        let fiber = unsafe { Fiber::new(stack.top(), stack.bottom(), run) };
        let _ = members[me].set(fiber);
        let (thread, new) = (&members[0], &members[me]);
        let (thread, new) = (thread.get().expect("set"), new.get().expect("set"));
        // SAFETY: I1: `&mut self` is with the caller, so member 0 runs. The new one has not been entered.
        unsafe { thread.enter(new) };
        me
    }

    /// Hands the thread to a member. Returns when one of them hands it back.
    #[inline]
    pub fn run(&mut self, first: usize) {
        assert!(first != 0, "it runs");
        let thread = self.members[0].get().expect("set");
        let first = self.members[first].get().expect("a member");
        // SAFETY: I1: `&mut self` is with the caller, so member 0 runs; on the thread of all (I2).
        unsafe { thread.switch(first) };
    }
}

/// Calls `f` on that stack, and comes back when it has ended.
#[inline]
pub fn call_on(stack: &mut Stack, f: impl FnOnce()) {
    let here = Fiber::of_thread();
    let back: *const Fiber = &raw const here;
    let run = move || {
        f();
        back
    };
    // SAFETY: the stack is above a guard, and ours until this returns, which is after `f` has ended: so what that borrows lives,
    // and `here`, which was left by then.
    let fiber = unsafe { Fiber::new(stack.top(), stack.bottom(), run) };
    // SAFETY: `here` stands for what runs; `fiber` is new.
    unsafe { here.enter(&fiber) };
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn members_go_on_as_they_say() {
        let seen = Rc::new(Cell::new(0));
        let mut crew = Crew::new(3, 1);
        for (me, next) in [(1, 3), (2, 0), (3, 2)] {
            let seen = seen.clone();
            let body = move || {
                seen.set(seen.get() * 10 + me);
                next
            };
            assert_eq!(crew.add(body), me);
        }
        crew.run(1);
        assert_eq!(seen.get(), 132);
        crew.run(3);
        assert_eq!(seen.get(), 13232);
    }

    #[test]
    fn a_call_on_a_stack_borrows_and_comes_back() {
        let mut stack = Stacks::new().take();
        let mut calls = Vec::new();
        for i in 0..3 {
            call_on(&mut stack, || calls.push(i));
        }
        assert_eq!(calls, [0, 1, 2]);
    }
}

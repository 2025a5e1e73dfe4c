//! What ends a wait that nobody serves: a point of time, and the end of what its caller works for.
//!
//! # Protocol
//!
//! The waiter stands in its primitive's queue already when it enters the queue of the [`Ending`], so from then on both may
//! claim it, and one does. An ending that has come before the waiter could enter is noticed under the same lock: then the
//! caller claims its waiter itself ([`Waiter::forgo`]) and does not park. If that fails, somebody has served it, and his
//! wake is on its way. Whatever happens the waiter is in no queue of the ending when `park` returns.

use std::panic::Location;
use std::time::Instant;

use super::queue::{Node, WaitQueue};
use crate::primitives::Lock;
use crate::rt::core_box::CoreRef;
use crate::rt::header::CoreKind;
use crate::rt::park::{CANCELLED, Claimed, Waiter, Wake};
use crate::rt::record::WaitKey;

/// Something that comes once, and ends every wait that it limits.
#[derive(Default)]
pub(crate) struct Ending(Lock<State>);

#[derive(Default)]
struct State {
    ended: bool,
    queue: WaitQueue,
}

impl Ending {
    /// An ending that is to come. `site` is where what will end was made.
    pub(crate) fn new(site: &'static Location<'static>) -> CoreRef<Ending> {
        CoreRef::made_at(CoreKind::Context, site, Ending::default())
    }

    /// It has come: everybody who waits is claimed, and whoever comes later does not wait.
    pub(crate) fn end(&self) -> Vec<Claimed> {
        let mut state = self.0.lock();
        state.ended = true;
        state.queue.pop_all()
    }
}

/// How long a call may wait.
#[derive(Clone, Copy)]
pub(crate) struct Limit<'a> {
    deadline: Option<Instant>,
    ending: Option<&'a CoreRef<Ending>>,
}

impl<'a> Limit<'a> {
    /// For ever.
    pub(crate) const NONE: Limit<'static> = Limit {
        deadline: None,
        ending: None,
    };

    /// Until `deadline`, if there is one.
    pub(crate) const fn at(deadline: Option<Instant>) -> Limit<'a> {
        Limit {
            deadline,
            ending: None,
        }
    }

    /// Until `ending` comes, if there is one.
    pub(crate) fn end_of(ending: Option<&'a CoreRef<Ending>>) -> Limit<'a> {
        Limit {
            deadline: None,
            ending,
        }
    }

    /// The same, and until `deadline`.
    pub(crate) fn and_at(self, deadline: Instant) -> Limit<'a> {
        Limit {
            deadline: Some(deadline),
            ..self
        }
    }

    /// True if only who serves the waiter ends its wait.
    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.deadline.is_none() && self.ending.is_none()
    }

    /// [`Waiter::park`], until the limit: then it is `TimedOut` or `Cancelled`, and the waiter must leave its queues.
    #[inline]
    pub(crate) fn park(&self, waiter: &Waiter, key: &WaitKey) -> Wake {
        match self.ending {
            None => waiter.park(key, self.deadline),
            Some(ending) => park_until_ended(ending, waiter, key, self.deadline),
        }
    }
}

#[cold]
fn park_until_ended(
    ending: &CoreRef<Ending>,
    waiter: &Waiter,
    key: &WaitKey,
    deadline: Option<Instant>,
) -> Wake {
    let node = Node::new(waiter, CANCELLED, std::ptr::null_mut());
    let mut state = ending.value.0.lock();
    if !state.ended {
        // SAFETY: the node stays until it was popped, or removed below; nothing unwinds before (`park` I5).
        unsafe { state.queue.push_back(&node) };
    } else if waiter.forgo() {
        return Wake::Cancelled;
    }
    drop(state);
    waiter.note_ending(ending.address());
    let woken = waiter.park(key, deadline);
    waiter.note_ending(0);
    if woken != Wake::Cancelled {
        ending.value.0.lock().queue.remove(&node);
    }
    woken
}

//! A queue of waiters: an intrusive list of nodes that live on the waiters' own stacks (or, for async tasks, in a box
//! of the future's).
//!
//! # Invariants
//!
//! - I1: a node in the queue is alive, and so is its waiter: whoever pushed it removes it, or has seen it popped,
//!   before its memory goes (`park` I3, I5).
//! - I2: links are read and written only by the holder of the lock that guards the queue.
//! - I3: a node is in at most one queue.
//! - I4: a node that was popped with a claim is alive until the claim's `wake` if its waiter is blocked (`park` I2),
//!   and until the queue's lock is released if it is a task's (`park` I4).

use std::cell::Cell;
use std::ptr::NonNull;

use crate::rt::park::{Claimed, Waiter, Won};
use crate::rt::stacks::fetch_alike;

/// A place in one queue.
pub(crate) struct Node {
    prev: Cell<Option<NonNull<Node>>>,
    next: Cell<Option<NonNull<Node>>>,
    queued: Cell<bool>,
    waiter: NonNull<Waiter>,
    token: usize,
    slot: *mut (),
}

impl Node {
    /// A node for `waiter`, not in any queue. `token` (not 0) is what `park` returns if the waiter is claimed through
    /// this node. `slot` is the primitive's own: where a value is put or taken, or null.
    pub(crate) fn new(waiter: &Waiter, token: usize, slot: *mut ()) -> Node {
        debug_assert_ne!(token, 0);
        Node {
            prev: Cell::new(None),
            next: Cell::new(None),
            queued: Cell::new(false),
            waiter: NonNull::from(waiter),
            token,
            slot,
        }
    }

    pub(crate) fn slot(&self) -> *mut () {
        self.slot
    }

    /// True while it stands in a queue. For who holds the queue's lock.
    pub(crate) fn is_queued(&self) -> bool {
        self.queued.get()
    }

    /// Notifies a task, which keeps its place. `None` if it has been, and has not been polled since.
    pub(crate) fn tell(&self) -> Option<Claimed> {
        debug_assert!(self.waiter().is_task());
        self.waiter().claim(self.token)
    }

    pub(crate) fn waiter(&self) -> &Waiter {
        // SAFETY: I1, I4: nodes are looked at while they are queued, or just popped, and by their owners.
        unsafe { self.waiter.as_ref() }
    }
}

/// What becomes of a node that is looked at, front to back.
pub(crate) enum Turn {
    /// It is taken out.
    Now,
    /// It stays, and the next is looked at.
    Pass,
    /// It stays, and so do those behind it.
    Stop,
}

/// A first-in, first-out queue of [`Node`]s. Guarded by the lock of the primitive that owns it.
#[derive(Default)]
pub(crate) struct WaitQueue {
    head: Option<NonNull<Node>>,
    tail: Option<NonNull<Node>>,
}

// SAFETY: the queue owns nothing; nodes are touched only under the owning primitive's lock (I2), from any thread.
unsafe impl Send for WaitQueue {}

impl WaitQueue {
    pub(crate) const fn new() -> WaitQueue {
        WaitQueue {
            head: None,
            tail: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// The node that has waited longest.
    pub(crate) fn front(&self) -> Option<&Node> {
        // SAFETY: I1, and nobody takes it out while the queue is borrowed.
        self.head.map(|head| unsafe { head.as_ref() })
    }

    /// The first node that `f` accepts.
    pub(crate) fn find(&self, mut f: impl FnMut(&Node) -> bool) -> Option<&Node> {
        let mut cursor = self.front();
        while let Some(node) = cursor
            && !f(node)
        {
            // SAFETY: as in `front`.
            cursor = node.next.get().map(|next| unsafe { next.as_ref() });
        }
        cursor
    }

    /// Adds a node at the back.
    ///
    /// # Safety
    ///
    /// The node stays at its address until it has been removed or popped (I1), and is in no queue (I3).
    pub(crate) unsafe fn push_back(&mut self, node: &Node) {
        debug_assert!(!node.queued.get());
        let this = NonNull::from(node);
        node.prev.set(self.tail);
        node.next.set(None);
        node.queued.set(true);
        match self.tail {
            // SAFETY: I1.
            Some(tail) => unsafe { tail.as_ref() }.next.set(Some(this)),
            None => self.head = Some(this),
        }
        self.tail = Some(this);
    }

    /// Adds a node at the front: for one that had its turn, and lost what it was woken for to another.
    ///
    /// # Safety
    ///
    /// As [`push_back`](Self::push_back).
    pub(crate) unsafe fn push_front(&mut self, node: &Node) {
        debug_assert!(!node.queued.get());
        let this = NonNull::from(node);
        node.prev.set(None);
        node.next.set(self.head);
        node.queued.set(true);
        match self.head {
            // SAFETY: I1.
            Some(head) => unsafe { head.as_ref() }.prev.set(Some(this)),
            None => self.tail = Some(this),
        }
        self.head = Some(this);
    }

    /// Takes a node out, if it is in. The node must be of this queue, among those [`Leaving`], or in none. True if it was in.
    pub(crate) fn remove(&mut self, node: &Node) -> bool {
        if !node.queued.replace(false) {
            return false;
        }
        let (prev, next) = (node.prev.take(), node.next.take());
        match prev {
            // SAFETY: I1.
            Some(prev) => unsafe { prev.as_ref() }.next.set(next),
            None => self.head = next,
        }
        match next {
            // SAFETY: I1.
            Some(next) => unsafe { next.as_ref() }.prev.set(prev),
            None => self.tail = prev,
        }
        true
    }

    /// Takes out nodes from the front until one's waiter can be claimed. Nodes whose waiter has been claimed elsewhere
    /// are dropped from the queue on the way: their owners are about to remove them anyway.
    ///
    /// How long the node stays valid: I4.
    pub(crate) fn pop_claim(&mut self) -> Option<(NonNull<Node>, Claimed)> {
        self.pop_claim_where(|_| true)
    }

    /// Takes out everybody, and gives whoever can be claimed, front to back.
    ///
    /// Nodes lie on as many stacks, mostly in no cache, and each must come before it is known where the next one is. So it goes from both
    /// ends at once: then two are on their way at a time.
    pub(crate) fn pop_all(&mut self) -> Vec<Claimed> {
        // SAFETY: I1, I2: in the queue, so alive, and the caller holds the lock.
        let take_out = |at| unsafe { take_out(at) };
        let (mut all, mut behind) = (Vec::new(), Vec::new());
        let mut ends = self.head.take().zip(self.tail.take());
        while let Some((first, last)) = ends {
            let (_, next, claimed) = take_out(first);
            all.extend(claimed);
            if first == last {
                break;
            }
            let (prev, _, claimed) = take_out(last);
            behind.extend(claimed);
            ends = next.filter(|&next| next != last).zip(prev);
        }
        all.extend(behind.into_iter().rev());
        all
    }

    /// As [`pop_claim`](Self::pop_claim), of the first node only, if it is a blocked waiter's: `None` if it is a task's, not accepted, or
    /// claimed elsewhere.
    #[inline]
    pub(crate) fn win_front(
        &mut self,
        accept: impl FnOnce(&Node) -> bool,
    ) -> Option<(NonNull<Node>, Won)> {
        let at = self.head?;
        // SAFETY: I1, I2.
        let node = unsafe { at.as_ref() };
        if !accept(node) {
            return None;
        }
        let won = node.waiter().win(node.token)?;
        self.head = node.next.take();
        match self.head {
            // SAFETY: I1.
            Some(next) => unsafe { next.as_ref() }.prev.set(None),
            None => self.tail = None,
        }
        node.queued.set(false);
        Some((at, won))
    }

    /// As [`pop_claim`](Self::pop_claim), of the first node that `accept` accepts; others stay.
    pub(crate) fn pop_claim_where(
        &mut self,
        mut accept: impl FnMut(&Node) -> bool,
    ) -> Option<(NonNull<Node>, Claimed)> {
        self.pop_claim_by(|node| match accept(node) {
            true => Turn::Now,
            false => Turn::Pass,
        })
    }

    /// As [`pop_claim`](Self::pop_claim), of the first node whose turn it is, says `turn`.
    pub(crate) fn pop_claim_by(
        &mut self,
        mut turn: impl FnMut(&Node) -> Turn,
    ) -> Option<(NonNull<Node>, Claimed)> {
        let mut cursor = self.head;
        while let Some(at) = cursor {
            // SAFETY: I1, I2: in the queue, so alive, and the caller holds the lock.
            let node = unsafe { at.as_ref() };
            cursor = node.next.get();
            match turn(node) {
                Turn::Now => {}
                Turn::Pass => continue,
                Turn::Stop => break,
            }
            // The owner of a claimed waiter removes its nodes under this lock, so the node is alive here whoever
            // wins.
            self.remove(node);
            if let Some(claimed) = node.waiter().claim(node.token) {
                return Some((at, claimed));
            }
        }
        None
    }

    /// True if `f` is so for one of the nodes.
    pub(crate) fn any(&self, f: impl Fn(&Node) -> bool) -> bool {
        let mut any = false;
        self.for_each(|node| any |= f(node));
        any
    }

    /// How many nodes there are.
    pub(crate) fn count(&self) -> usize {
        let mut count = 0;
        self.for_each(|_| count += 1);
        count
    }

    /// Calls `f` on each node, front to back.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&Node)) {
        let mut cursor = self.head;
        while let Some(at) = cursor {
            // SAFETY: I1, I2.
            let node = unsafe { at.as_ref() };
            cursor = node.next.get();
            f(node);
        }
    }
}

/// Those who stood in queues that were given up: nobody is found there any more, and all are to go on. They are claimed some at a time, so
/// that the first ones run while others still stand here.
///
/// # Invariants
///
/// - L1: from `enter` until nobody is left it stays at its address, and `claim_some` is called under the lock of the queues.
/// - L2: who stands here has neighbours on both sides. So [`WaitQueue::remove`] takes it out, whichever queue it is called on.
pub(crate) struct Leaving {
    /// Both nobody's.
    front: Node,
    back: Node,
}

impl Leaving {
    pub(crate) fn new() -> Leaving {
        let nobody = || Node {
            prev: Cell::new(None),
            next: Cell::new(None),
            queued: Cell::new(false),
            waiter: NonNull::dangling(),
            token: 0,
            slot: std::ptr::null_mut(),
        };
        Leaving {
            front: nobody(),
            back: nobody(),
        }
    }

    /// Takes everybody out of `queue`, and in here, behind those who are here.
    ///
    /// # Safety
    ///
    /// L1.
    pub(crate) unsafe fn enter(&self, queue: &mut WaitQueue) {
        let Some((first, last)) = queue.head.take().zip(queue.tail.take()) else {
            return;
        };
        let before = self.back.prev.get().unwrap_or(NonNull::from(&self.front));
        // SAFETY: I1; L1.
        unsafe {
            link(before, first);
            link(last, NonNull::from(&self.back));
        }
    }

    /// Takes out up to `most`, and hands whoever can be claimed to `f`, in the order in which they waited. True if others are left.
    pub(crate) fn claim_some(&self, most: usize, mut f: impl FnMut(Claimed)) -> bool {
        let back = NonNull::from(&self.back);
        let mut at = self.front.next.get().unwrap_or(back);
        for _ in 0..most {
            if at == back {
                break;
            }
            // SAFETY: I1, I2: it stands here, so it is alive, and the caller holds the lock.
            let (_, next, claimed) = unsafe { take_out(at) };
            claimed.into_iter().for_each(|claimed| {
                claimed.fetch();
                f(claimed);
            });
            at = next.expect("L2");
        }
        // SAFETY: I1; L1.
        unsafe { link(NonNull::from(&self.front), at) };
        at != back
    }
}

/// Makes them neighbours.
///
/// # Safety
///
/// Both are alive, and the caller holds the lock (I2).
unsafe fn link(before: NonNull<Node>, after: NonNull<Node>) {
    // SAFETY: by the caller.
    unsafe {
        before.as_ref().next.set(Some(after));
        after.as_ref().prev.set(Some(before));
    }
}

/// Takes out one of very many, all of whom are taken out: its neighbours are not told. Gives these, and the claim, if nobody has it.
///
/// # Safety
///
/// It stands in a queue, and the caller holds the lock (I2).
#[inline]
unsafe fn take_out(
    at: NonNull<Node>,
) -> (
    Option<NonNull<Node>>,
    Option<NonNull<Node>>,
    Option<Claimed>,
) {
    // SAFETY: I1.
    let node = unsafe { at.as_ref() };
    let waiter = node.waiter.as_ptr() as usize;
    fetch_alike(at.as_ptr() as usize);
    fetch_alike(waiter);
    fetch_alike(waiter + size_of::<Waiter>() - 1);
    node.queued.set(false);
    let (prev, next) = (node.prev.take(), node.next.take());
    (prev, next, node.waiter().claim(node.token))
}

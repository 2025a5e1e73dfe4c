//! Contexts that can end, and the tree that they form.
//!
//! # Protocol
//!
//! A node ends once, under its own lock: from then on it has an error, takes no more dependents, and has given up those that
//! it had. Whoever has ended it so ends those below in the same way, from a list, however deep they stand (`mark`). Only then,
//! and outside of all locks, comes what others notice: waiters are woken, done channels closed, timers stopped, functions
//! started. So
//!
//! - the error is there before anybody can see the end in any other way;
//! - whoever comes second waits for the first to be through with the list, no longer: when `end` returns, all below have
//!   ended. Waits go down the tree, so nobody waits in a circle;
//! - whoever sees the error finds the done channel closed: if that is still to be done, he does it himself (`close_done`).
//!
//! *Who holds whom.* A node knows the one above and those below weakly. It is held by its contexts and by its guard, and a
//! guard that goes ends it: a node that has not ended has a guard, or one that was forgotten and holds it for ever. So
//! whatever is below a node hears of its end, and nothing is kept by a tree that nobody can reach.
//!
//! *Locks.* A node's lock is taken inside that of the node above it, when it is added there, and else alone. No user code
//! runs inside.

use std::collections::BTreeMap;
use std::collections::btree_map::IntoValues;
use std::error::Error;
use std::panic::Location;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::error::ContextError;
use crate::chan::{Receiver, Sender, chan};
use crate::goroutine::Builder;
use crate::primitives::{AtomicU8, Lock, Ordering, Spin};
use crate::rt::core_box::CoreRef;
use crate::time::{AfterFunc, after_func};
use crate::wait::{Claimed, Ending};

/// In a node's `error`: its done channel is closed, if it has one.
const TOLD: u8 = 4;
/// In a node's `error`: all below it have ended, too.
const SPREAD: u8 = 8;

/// Why a context ended, in the program's own words.
pub(super) type Cause = Arc<dyn Error + Send + Sync>;

/// How a context ended.
#[derive(Clone)]
pub(super) struct Ended {
    pub(super) error: ContextError,
    pub(super) cause: Option<Cause>,
}

impl Ended {
    /// It was cancelled, without further words.
    pub(super) const CANCELED: Ended = Ended {
        error: ContextError::Canceled,
        cause: None,
    };
}

/// A function that runs, in a goroutine of its own, when a context has ended.
pub(super) struct Call {
    pub(super) function: Box<dyn FnOnce() + Send>,
    pub(super) site: &'static Location<'static>,
}

impl Call {
    fn start(self) {
        Builder::go_later(self.site, self.function);
    }
}

/// What hears of a node's end.
enum Dependent {
    Node(Weak<Node>),
    Call(Call),
}

/// A context that can end.
pub(super) struct Node {
    /// Ends the waits that are limited by this.
    pub(super) ending: CoreRef<Ending>,
    /// The error's number, `TOLD` and `SPREAD`; 0 before the end.
    error: AtomicU8,
    pub(super) deadline: Option<Instant>,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    ended: Option<Ended>,
    /// Those below, in the order in which they came.
    dependents: BTreeMap<u64, Dependent>,
    next: u64,
    /// The node above, and the place there.
    parent: Option<(Weak<Node>, u64)>,
    timer: Option<AfterFunc>,
    /// What the end closes. Made when somebody asks for it.
    done: Option<(Sender<()>, Receiver<()>)>,
}

impl State {
    fn add(&mut self, dependent: Dependent) -> u64 {
        self.next += 1;
        self.dependents.insert(self.next, dependent);
        self.next
    }
}

impl Node {
    /// A node that ends with `parent`, and not after `deadline`, which must be [armed](Self::arm).
    pub(super) fn below(
        parent: Option<&Arc<Node>>,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Arc<Node> {
        let node = Arc::new(Node {
            ending: Ending::new(site),
            error: AtomicU8::new(0),
            deadline,
            state: Lock::default(),
        });
        if let Some(ended) = parent.and_then(|parent| parent.adopt(&node)) {
            node.end(ended);
        }
        node
    }

    /// Adds a node that nobody else knows yet. If this one has ended, how.
    fn adopt(self: &Arc<Node>, child: &Arc<Node>) -> Option<Ended> {
        let mut state = self.state.lock();
        if let Some(ended) = &state.ended {
            return Some(ended.clone());
        }
        let place = state.add(Dependent::Node(Arc::downgrade(child)));
        child.state.lock().parent = Some((Arc::downgrade(self), place));
        None
    }

    /// Has the node end at `deadline`, if it has not then, with `cause`.
    #[track_caller]
    pub(super) fn arm(self: &Arc<Node>, deadline: Instant, cause: Option<Cause>) {
        let ended = Ended {
            error: ContextError::DeadlineExceeded,
            cause,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return self.end(ended);
        }
        let node = Arc::downgrade(self);
        let timer = after_func(left, move || {
            if let Some(node) = node.upgrade() {
                node.end(ended.clone());
            }
        });
        let mut state = self.state.lock();
        if state.ended.is_none() {
            state.timer = Some(timer);
            return;
        }
        drop(state);
        timer.stop();
    }

    /// How it ended, but for the cause.
    #[inline]
    pub(super) fn error(&self) -> Option<ContextError> {
        let number = self.error.load(Ordering::Acquire);
        if number != 0 && number & TOLD == 0 {
            self.close_done();
        }
        ContextError::from_number(number & !(TOLD | SPREAD))
    }

    /// Closes the done channel, after the end: that may be done by several at a time.
    #[cold]
    fn close_done(&self) {
        let open = self
            .state
            .lock()
            .done
            .as_ref()
            .map(|(open, _)| open.clone());
        if let Some(open) = open {
            open.close();
        }
        self.error.fetch_or(TOLD, Ordering::Release);
    }

    /// How it ended.
    pub(super) fn ended(&self) -> Option<Ended> {
        self.state.lock().ended.clone()
    }

    /// A channel that is closed by the end.
    #[track_caller]
    pub(super) fn done(&self) -> Receiver<()> {
        let (done, ended) = {
            let mut state = self.state.lock();
            // Not in a closure: the channel is made at the caller's line.
            if state.done.is_none() {
                let (done, heard) = chan(0);
                heard.show_as_done(self.ending.header.id());
                state.done = Some((done, heard));
            }
            let (_, done) = state.done.as_ref().expect("it was just made");
            (done.clone(), state.ended.is_some())
        };
        if ended {
            self.close_done();
        }
        done
    }

    /// Has a function called after the end. The place of the call, or nothing if it has been started: the end has come.
    pub(super) fn after(&self, call: Call) -> Option<u64> {
        let mut state = self.state.lock();
        if state.ended.is_none() {
            return Some(state.add(Dependent::Call(call)));
        }
        drop(state);
        call.start();
        None
    }

    /// Takes a dependent out: true if it was there. It is dropped outside of the lock.
    pub(super) fn remove(&self, place: u64) -> bool {
        let dependent = self.state.lock().dependents.remove(&place);
        dependent.is_some()
    }

    /// How many dependents the node has.
    pub(super) fn dependents(&self) -> usize {
        self.state.lock().dependents.len()
    }

    /// Ends this node and all below it. When this returns all of them have ended, whoever has done it.
    pub(super) fn end(&self, ended: Ended) {
        let Some(mut parting) = self.mark(&ended) else {
            self.await_spread();
            return self.close_done();
        };
        // The places of those below go with their parents' lists.
        let place = parting.parent.take();
        let mut concerned = Concerned::default();
        let mut levels = vec![concerned.by(parting)];
        while let Some(level) = levels.last_mut() {
            match level.next() {
                None => _ = levels.pop(),
                Some(Dependent::Call(call)) => concerned.calls.push(call),
                Some(Dependent::Node(node)) => {
                    let Some(node) = node.upgrade() else { continue };
                    match node.mark(&ended) {
                        Some(parting) => levels.push(concerned.by(parting)),
                        None => node.await_spread(),
                    }
                    concerned.nodes.push(node);
                }
            }
        }
        // All are at an end before the first is told: who is told is user code, and may end any of them.
        self.error.fetch_or(SPREAD, Ordering::Release);
        for node in &concerned.nodes {
            node.error.fetch_or(SPREAD, Ordering::Release);
        }
        self.tell();
        concerned.nodes.iter().for_each(|node| node.tell());
        if let Some((parent, place)) = place
            && let Some(parent) = parent.upgrade()
        {
            parent.remove(place);
        }
        concerned.let_know();
    }

    /// Ends this node for itself, and gives who else is concerned; nothing if it had ended before. Runs no user code.
    fn mark(&self, ended: &Ended) -> Option<Parting> {
        let mut state = self.state.lock();
        if state.ended.is_some() {
            return None;
        }
        state.ended = Some(ended.clone());
        self.error.store(ended.error.number(), Ordering::Release);
        Some(Parting {
            parent: state.parent.take(),
            timer: state.timer.take(),
            dependents: std::mem::take(&mut state.dependents),
        })
    }

    /// Wakes who waits, and closes the done channel. By several at a time, if they come to it.
    fn tell(&self) {
        self.ending.value.end().into_iter().for_each(Claimed::wake);
        self.close_done();
    }

    /// Waits until whoever ends this node has ended all below it, too. Until then he runs no user code, so it is soon, and he
    /// does not wait for the caller.
    fn await_spread(&self) {
        let mut spin = Spin::new();
        while self.error.load(Ordering::Acquire) & SPREAD == 0 {
            spin.once();
        }
    }
}

/// What a node leaves behind when it ends.
struct Parting {
    parent: Option<(Weak<Node>, u64)>,
    timer: Option<AfterFunc>,
    dependents: BTreeMap<u64, Dependent>,
}

/// Whoever is concerned by the end of a tree, but for its top.
#[derive(Default)]
struct Concerned {
    nodes: Vec<Arc<Node>>,
    timers: Vec<AfterFunc>,
    calls: Vec<Call>,
}

impl Concerned {
    /// Keeps what a node has left behind. Its dependents are next.
    fn by(&mut self, parting: Parting) -> IntoValues<u64, Dependent> {
        self.timers.extend(parting.timer);
        parting.dependents.into_values()
    }

    /// Stops the timers and starts the functions. What all these had is dropped last: it is the user's, and may panic.
    fn let_know(self) {
        for timer in &self.timers {
            timer.stop();
        }
        self.calls.into_iter().for_each(Call::start);
    }
}

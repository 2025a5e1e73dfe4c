//! Choosing an arm, and waiting until one can be chosen.
//!
//! # Protocol
//!
//! 0. A caller that does not wait looks at all arms twice, without locks (`none_can_go`): most selects with a default end here.
//! 1. Each arm is tried once, in the order of the dice. A look mostly tells: the arm is idle, or receives a value that stands in a
//!    ring or that the first sender has with it. Else it is tried under its channel's lock. The first that can go commits. If it
//!    comes to one that can go through somebody who has it wait, the caller goes on with 2 (and passes over that one if it does not wait).
//! 2. If none can, a caller that waits stands in the queues of all arms, one lock at a time, in each only if nothing can be done
//!    there (`chan/stand.rs`), and parks. If it comes to an arm where something may be, it claims its own waiter, leaves the
//!    queues, and goes on with 3. If somebody else has that claim already, it parks, as if all had been done.
//! 3. All channels are locked, in the order of their addresses, and each arm is tried until one can go, or none
//!    could at one moment. If the caller does not wait, that is all. Else a node of the one waiter is put into each queue;
//!    all locks are released; the caller parks.
//! 4. Whoever comes later to one of the channels claims the waiter, which succeeds once; the others find it claimed. The
//!    caller takes its other nodes out, and goes on with the arm whose node was claimed.
//!
//! *None could go at one moment*, as Go judges a default, not one after the other at several. The locks hold everything
//! still but the rings. An arm on a ring that is found wanting was so ever since a look at its `turn`, if that has not moved
//! meanwhile; so no arm could go between the last look and the first attempt. With the caller announced, every move of a
//! ring's other side waits for the lock soon, so this ends.
//!
//! *The looks without locks.* What an arm's readiness hangs on is counted: whoever enters or leaves a queue of an unbuffered
//! channel changes `waits` under the lock, and a value that comes into a ring moves `tail`. An arm that was idle with the same
//! mark twice was idle in between; the looks at all arms have one moment in common, after the last first look. Counts are
//! published with the change that they count, so whoever has seen a consequence of a change sees the count.
//!
//! *Exactly one arm.* In 1 and 3 the caller's waiter stands in no queue, or in queues that it has locked, so nobody claims
//! it while it commits; in 2 it commits to nothing; after 2 and 3 only claims commit it, and one succeeds. *No self-rendezvous*: in 1
//! and 3, while arms are tried, no node of this select is in any queue; in 2 an arm whose other side is an arm of the same select is
//! one where something may be. *No lost wake-up*: in 2, what comes to an arm later than its look, which is under the lock and,
//! of a ring, announced, finds the node; in 3, between the last attempt and the nodes' arrival all channels
//! are locked, and rings have the caller announced, see `chan/ops.rs`. *No deadlock*: locks are taken in one order, and
//! every other operation takes one channel's lock only. *Two selects that face each other*: where they meet, the one that comes second
//! finds the other's node, in 2 as something that may be, and in 3 it claims it, with all its own channels locked; it needs no
//! claim of its own waiter there, so nothing is rolled back.
//!
//! Models (`models/`): `select_..` and `selects_that_face_each_other` in `blocking`.
//!
//! A wake may bring nothing: the channel was closed, a peer gave back what it had reserved, or an async task waits to
//! receive. Then all starts again at 3. If another arm wins there, the word is passed on to the next that waits in that
//! channel.

use std::panic::Location;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::few::Few;
use super::order::{Locks, Order, below};
use crate::chan::{Caller, Looked, Port, Tried, WakeList};
use crate::wait::{Arms, Node, WaitKey, WaitReason, Waiter, Wake, checkpoint, unwind};

/// So many arms are looked at without their locks.
const FEW: usize = 8;

/// How long a select may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    None,
    Until(Option<Instant>),
}

impl Patience {
    pub(crate) fn lasting(timeout: Duration) -> Patience {
        Patience::Until(Instant::now().checked_add(timeout))
    }
}

pub(super) type Ports<'p, 'a> = &'p [Pin<&'a dyn Port>];

/// Commits to one arm, and returns its index; `None` if none could be chosen in time.
pub(crate) fn run(
    ports: Ports<'_, '_>,
    biased: bool,
    patience: Patience,
    site: &'static Location<'static>,
) -> Option<usize> {
    let waits = matches!(patience, Patience::Until(_));
    if waits {
        checkpoint();
    }
    if !waits && none_can_go(ports) {
        return None;
    }
    let chosen = try_each(ports, biased, waits);
    let chosen = chosen.or_else(|| match patience {
        Patience::None => try_at_one_moment(ports, biased),
        Patience::Until(deadline) => wait(ports, biased, deadline, site),
    });
    if let Some(arm) = chosen {
        ports[arm].hold();
    }
    chosen
}

/// The arms, for dumps.
pub(super) fn arms(ports: Ports<'_, '_>) -> Arms {
    Arms::of(ports.iter().map(|port| (port.object(), port.is_send())))
}

/// What a caller waits for that waits for all arms, which stay where they are.
pub(super) fn key(arms: &Arms, ports: Ports<'_, '_>, site: &'static Location<'static>) -> WaitKey {
    WaitKey {
        reason: match ports.is_empty() {
            true => WaitReason::SelectEmpty,
            false => WaitReason::Select,
        },
        object: arms.address(),
        site,
    }
}

/// Two looks without locks, with the same marks: then no arm could go at the moment between them. False says nothing.
fn none_can_go(ports: Ports<'_, '_>) -> bool {
    let mut marks = [0; FEW];
    if ports.len() > FEW {
        return false;
    }
    for (mark, port) in marks.iter_mut().zip(ports) {
        match port.idle() {
            Some(idle) => *mark = idle,
            None => return false,
        }
    }
    // One arm has its moment anyway.
    ports.len() == 1
        || marks
            .iter()
            .zip(ports)
            .all(|(mark, port)| port.idle() == Some(*mark))
}

/// Each arm in its turn. An arm through which only a caller who waits can go ends this for a caller who does: `wait` tries it in
/// its turn.
fn try_each(ports: Ports<'_, '_>, biased: bool, waits: bool) -> Option<usize> {
    let mut dice = Order::new(ports.len(), biased);
    let mut first = true;
    while let Some(arm) = dice.next() {
        match ports[arm].look() {
            Looked::Taken => return Some(arm),
            Looked::Idle => {}
            Looked::Unclear => match try_locked(ports[arm], waits) {
                Tried::Ready => return Some(arm),
                Tried::Later if waits => return None,
                Tried::Later | Tried::NotReady => {}
            },
        }
        // If one cannot go, mostly few can: the others are not worth the dice.
        if std::mem::take(&mut first) {
            dice.retain(|arm| ports[arm].idle().is_none());
        }
    }
    None
}

fn try_locked(port: Pin<&dyn Port>, waits: bool) -> Tried {
    let caller = match waits {
        true => Caller::Returns,
        false => Caller::Hastes,
    };
    let mut wakes = WakeList::new();
    let mut queues = port.get_ref().lock();
    let tried = port.attempt(&mut queues, caller, &mut wakes);
    port.refresh(&queues);
    tried
}

#[inline(never)]
fn wait(
    ports: Ports<'_, '_>,
    biased: bool,
    deadline: Option<Instant>,
    site: &'static Location<'static>,
) -> Option<usize> {
    let arms = arms(ports);
    let key = key(&arms, ports, site);
    let mut one_by_one = true;
    // The arm through which the last wake came, if it brought nothing.
    let mut told: Option<usize> = None;
    loop {
        let waiter = Waiter::current();
        let mut nodes = Few::new();
        for (arm, port) in ports.iter().enumerate() {
            nodes.push(Node::new(&waiter, arm + 1, port.slot()));
        }
        if !one_by_one {
            let entered = enter(ports, biased, &waiter, &nodes);
            if !matches!(entered, Entered::Queues)
                && let Some(told) = told
                && !matches!(entered, Entered::Committed(arm) if arm == told)
            {
                ports[told].pass_on();
            }
            if let Entered::Committed(arm) = entered {
                return Some(arm);
            }
        } else if !stand(ports, biased, &nodes) && waiter.forgo() {
            leave(ports, &nodes, None);
            one_by_one = false;
            continue;
        }
        let woken = waiter.park(&key, deadline);
        let arm = match woken {
            Wake::Ready(token) => Some(token - 1),
            _ => None,
        };
        leave(ports, &nodes, arm);
        let arm = match woken {
            Wake::Ready(token) => token - 1,
            Wake::TimedOut | Wake::Cancelled => return None,
            Wake::Reaped => unwind(&key),
        };
        if ports[arm].arrived() {
            return Some(arm);
        }
        one_by_one = false;
        told = Some(arm);
    }
}

/// Stands in all queues, under one lock at a time. False if an arm may be able to go: then the rest is left out.
fn stand(ports: Ports<'_, '_>, biased: bool, nodes: &Few<Node>) -> bool {
    // In an order by the dice, so that of several arms of one channel each may be found first.
    let first = match biased {
        true => 0,
        false => below(ports.len()),
    };
    let arms = (first..ports.len()).chain(0..first);
    // SAFETY: the nodes stay where they are until `leave` has taken them out.
    arms.into_iter()
        .all(|arm| unsafe { ports[arm].stand(nodes.get(arm)) })
}

enum Entered {
    Committed(usize),
    /// No node is queued: one arm's peer has our waiter already.
    Bound,
    /// No arm can go.
    Queues,
}

/// For a caller that does not wait: an arm, unless none could go at one moment.
fn try_at_one_moment(ports: Ports<'_, '_>, biased: bool) -> Option<usize> {
    if ports.len() < 2 {
        return None;
    }
    let mut wakes = WakeList::new();
    let mut locks = Locks::of(ports);
    let tried = try_all(ports, biased, &mut locks, None, &mut wakes);
    for (arm, port) in ports.iter().enumerate() {
        port.refresh(locks.queues(arm));
    }
    match tried {
        Entered::Committed(arm) => Some(arm),
        _ => None,
    }
}

/// Tries the arms until one can go, or none could at one moment. All channels are locked.
fn try_all(
    ports: Ports<'_, '_>,
    biased: bool,
    locks: &mut Locks<'_>,
    waiter: Option<&Waiter>,
    wakes: &mut WakeList,
) -> Entered {
    for port in ports {
        port.announce();
    }
    let turns = || {
        ports.iter().fold(0usize, |all, port| {
            all.rotate_left(9)
                .wrapping_mul(31)
                .wrapping_add(port.turn())
        })
    };
    let mut before = turns();
    loop {
        for arm in Order::new(ports.len(), biased) {
            let port = ports[arm];
            let caller = waiter.map_or(Caller::Hastes, |waiter| Caller::Binds(waiter, arm + 1));
            match port.attempt(locks.queues(arm), caller, wakes) {
                Tried::Ready => return Entered::Committed(arm),
                Tried::Later if waiter.is_some() => return Entered::Bound,
                Tried::NotReady | Tried::Later => {}
            }
        }
        let after = turns();
        if after == before {
            return Entered::Queues;
        }
        before = after;
    }
}

/// Tries each arm, and stands in all queues if none can go.
fn enter(ports: Ports<'_, '_>, biased: bool, waiter: &Waiter, nodes: &Few<Node>) -> Entered {
    let mut wakes = WakeList::new();
    let mut locks = Locks::of(ports);
    let entered = try_all(ports, biased, &mut locks, Some(waiter), &mut wakes);
    if let Entered::Queues = entered {
        // In the order of the dice, so that of several arms of one channel each may be found first.
        for arm in Order::new(ports.len(), biased) {
            let queues = locks.queues(arm);
            // SAFETY: the nodes stay where they are until `leave` has taken them out.
            unsafe { ports[arm].enter(queues, nodes.get(arm), &mut wakes) };
        }
    }
    for (arm, port) in ports.iter().enumerate() {
        port.refresh(locks.queues(arm));
    }
    entered
}

/// Takes what is left of the nodes out of the queues. Who claimed the waiter has taken the node of that arm out already.
fn leave(ports: Ports<'_, '_>, nodes: &Few<Node>, claimed: Option<usize>) {
    for (arm, port) in ports.iter().enumerate() {
        if claimed != Some(arm) {
            port.leave(nodes.get(arm));
        }
    }
}

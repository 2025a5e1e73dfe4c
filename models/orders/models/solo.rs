//! Rings that are solo, and end to be: whoever has the channel's lock moves them by plain stores, and then everybody by exchanges.
//!
//! Senders and receivers here do what those of the library do at their first attempt, without those who wait.

use std::sync::Arc;

use loom::thread::JoinHandle;

use super::Model;
use crate::rt::door::{Door, SOLO};
use crate::rt::membarrier::{WORTH, enter, join, spawn};
use crate::rt::ring::{Claim, Pop, Ring};
use crate::rt::uneven::prepare;
use crate::rt::worker::become_worker;
use crate::value::Value;

pub(super) const MODELS: &[Model] = &[
    ("solo_ends_beside_a_send", 2, || ends(true)),
    ("solo_ends_beside_a_receive", 2, || ends(false)),
    ("solo_ends_as_threads_come", 2, threads_come),
    ("solo_ends_at_the_close", 2, closes),
    (
        "solo_ends_at_the_close_beside_a_receive",
        3,
        closes_and_receives,
    ),
    ("solo_ends_at_its_owners_close", 2, owner_closes),
    ("solo_one_sees_the_other", 2, || one_sees(true)),
    ("solo_one_sees_the_other_that_is_none", 2, || {
        one_sees(false)
    }),
];

/// Two workers, and who is none.
const ONE: usize = 4;
const OTHER: usize = 8;
const NONE: usize = 0;

/// In `flags`.
const CLOSED: usize = 4;

struct Channel {
    door: Door<()>,
    ring: Ring<Value>,
}

// SAFETY: values of the ring go from hand to hand, and loom checks that whoever reads one has seen its writer.
unsafe impl Sync for Channel {}
// SAFETY: as above.
unsafe impl Send for Channel {}

impl Channel {
    fn new(capacity: usize) -> Arc<Channel> {
        Arc::new(Channel {
            door: Door::new(SOLO, ()),
            ring: Ring::new(capacity),
        })
    }

    /// One that the calling thread has made its own, as `mark`.
    fn of(mark: usize, capacity: usize) -> Arc<Channel> {
        let channel = Channel::new(capacity);
        become_worker(mark);
        for _ in 0..=WORTH {
            drop(channel.door.lock());
        }
        channel
    }

    /// False if there is no room, or it is closed.
    fn send(&self, n: usize) -> bool {
        let value = self.door.put_own(&self.ring, Value::new(n));
        let Err(value) = value else { return true };
        let value = match self.door.flags() & SOLO {
            0 => Err(value),
            _ => self.door.put_solo(&self.ring, value),
        };
        let Err(value) = value else { return true };
        if self.door.flags() & SOLO != 0 {
            return false;
        }
        match self.ring.claim() {
            Claim::At(ticket) => self.ring.fill(ticket, value),
            Claim::Full | Claim::Closed => return false,
        }
        true
    }

    fn recv(&self) -> Option<usize> {
        let value = self.door.get_own(&self.ring);
        let value = value.or_else(|| match self.door.flags() & SOLO {
            0 => None,
            _ => self.door.get_solo(&self.ring),
        });
        if value.is_some() || self.door.flags() & SOLO != 0 {
            return value.map(|value| value.get());
        }
        match self.ring.pop() {
            Pop::Value(value) => Some(value.get()),
            Pop::Empty | Pop::Closed => None,
        }
    }

    /// And receives what was sent before.
    fn close(&self) -> Vec<usize> {
        let guard = self.door.lock();
        self.door.change(CLOSED, SOLO);
        self.ring.close();
        drop(guard);
        let mut got = Vec::new();
        loop {
            match self.ring.pop() {
                Pop::Value(value) => got.push(value.get()),
                Pop::Empty => unreachable!("nothing is reserved"),
                Pop::Closed => return got,
            }
        }
    }

    fn drain(&self) -> Vec<usize> {
        std::iter::from_fn(|| self.recv()).collect()
    }
}

/// A thread that is `mark` and does something with the channel.
fn does<R: 'static>(
    channel: &Arc<Channel>,
    mark: usize,
    f: impl FnOnce(&Channel) -> R + 'static,
) -> JoinHandle<R> {
    let channel = channel.clone();
    spawn(move || {
        become_worker(mark);
        f(&channel)
    })
}

/// The owner sends, and receives, as another does the one or the other: each value comes once, and in its sender's order.
fn ends(sends: bool) {
    enter();
    prepare();
    let channel = Channel::of(ONE, 2);
    assert!(channel.send(1));
    let mut got = Vec::new();
    if sends {
        let other = does(&channel, OTHER, |channel| channel.send(3));
        let sent = channel.send(2);
        got.extend(channel.recv());
        let others = join(other);
        assert!(sent || others, "there was room for one");
        got.extend(channel.drain());
        assert_eq!(got.contains(&2), sent);
        assert_eq!(got.contains(&3), others);
        assert_eq!(got.len(), 1 + usize::from(sent) + usize::from(others));
        assert_eq!(got[0], 1);
    } else {
        let other = does(&channel, OTHER, Channel::recv);
        let sent = channel.send(2);
        got.extend(channel.recv());
        let others = join(other);
        assert!(sent && others.is_some(), "one was there all the time");
        assert!(got.is_empty() || others.is_some());
        got.extend(others);
        got.extend(channel.drain());
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
    }
    assert_eq!(channel.door.flags(), 0);
}

/// A ring that nobody owns, and threads that are no workers.
fn threads_come() {
    enter();
    prepare();
    let channel = Channel::new(2);
    become_worker(NONE);
    assert!(channel.send(1));
    let other = does(&channel, NONE, |channel| [channel.recv(), channel.recv()]);
    assert!(channel.send(2));
    let third = channel.send(3);
    let mut got: Vec<_> = join(other).into_iter().flatten().collect();
    got.extend(channel.drain());
    assert_eq!(got, if third { vec![1, 2, 3] } else { vec![1, 2] });
    assert_eq!(channel.door.flags(), 0);
}

/// Another closes it as the owner sends: what is sent stands in it by then, what is not comes back.
fn closes() {
    enter();
    prepare();
    let channel = Channel::of(ONE, 2);
    let other = does(&channel, OTHER, Channel::close);
    let sent = [channel.send(1), channel.send(2)];
    let got = join(other);
    assert!(!channel.send(3), "it is closed");
    let expected = [1, 2].into_iter().filter(|n| sent[n - 1]);
    assert_eq!(got, expected.collect::<Vec<_>>());
}

/// Its owner, which has left the lock quick, closes it as another receives: nothing is sent from then on.
fn owner_closes() {
    enter();
    prepare();
    let channel = Channel::of(ONE, 2);
    assert!(channel.send(1));
    let other = does(&channel, OTHER, Channel::recv);
    let mut got = channel.close();
    assert!(!channel.send(2), "it is closed");
    got.extend(join(other));
    assert_eq!(got, [1]);
}

/// Another closes it, and receives what is left, as the first receives: each value comes once.
fn closes_and_receives() {
    enter();
    prepare();
    let channel = Channel::new(2);
    become_worker(ONE);
    assert!(channel.send(1));
    let other = does(&channel, OTHER, Channel::close);
    let mut got: Vec<_> = channel.recv().into_iter().collect();
    got.extend(join(other));
    assert_eq!(got, [1]);
}

/// Each sends into the ring that it owns, and then looks into the other's: not both find it empty. Or one of them is no worker, and
/// sends into one that nobody owns.
fn one_sees(owned: bool) {
    enter();
    prepare();
    let mine = Channel::of(ONE, 1);
    let others = match owned {
        true => Channel::of(OTHER, 1),
        false => Channel::new(1),
    };
    let other = {
        let mine = mine.clone();
        does(&others, if owned { OTHER } else { NONE }, move |own| {
            assert!(own.send(1));
            mine.door.is_bare(&mine.ring).is_some()
        })
    };
    become_worker(ONE);
    assert!(mine.send(1));
    let bare = others.door.is_bare(&others.ring).is_some();
    assert!(!(join(other) && bare), "one sees the other");
}

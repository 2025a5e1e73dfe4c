//! Loom models of the ring, and of the headers that dumps read: the library's own source, under every schedule with a few preemptions, and every outcome that the
//! memory orders allow. Each value is a cell of loom's, so that a value read without its writer having been seen is an error.
//!
//! Sequentially consistent accesses are weakened to acquire and release here, see `primitives`: what the ring says of itself must
//! hold without their one order. What rests on it (a sender and a receiver that announce themselves and then look) is for the
//! shuttle models of `blocking`.
//!
//! ```text
//! cargo test -p waterway-models --test ring
//! ```

#![allow(dead_code, missing_docs, clippy::arc_with_non_send_sync)]

#[path = "../../crates/waterway/src/rt/header.rs"]
mod header;
mod primitives;
#[path = "../../crates/waterway/src/chan/ring/mod.rs"]
mod ring;
#[path = "../value.rs"]
mod value;

use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use header::{CoreHeader, CoreKind};
use loom::thread;
use ring::{Claim, Pop, Ring};
use value::Value;

type Shared = Arc<Ring<Value>>;

/// Nothing is kept of values that move.
fn stays(_: usize, _: usize) {}

/// A ring that threads of the model share.
fn ring(capacity: usize) -> Shared {
    primitives::prepare(capacity + 2);
    Arc::new(Ring::new(capacity))
}

/// Sends without waiting; false if it is full or closed. The quick way and the long one meet in each model: odd values try
/// the quick one first.
fn send(ring: &Ring<Value>, n: usize) -> bool {
    let mut value = Value::new(n);
    if n % 2 == 1 {
        match ring.push_once(value) {
            Ok(()) => return true,
            Err(back) => value = back,
        }
    }
    match ring.claim() {
        Claim::At(ticket) => {
            ring.fill(ticket, value);
            true
        }
        Claim::Full | Claim::Closed => false,
    }
}

/// Receives without waiting, by the long way.
fn receive(ring: &Ring<Value>) -> Option<usize> {
    match ring.pop() {
        Pop::Value(value) => Some(value.get()),
        Pop::Empty | Pop::Closed => None,
    }
}

/// The same, by the quick way first.
fn receive_quickly(ring: &Ring<Value>) -> Option<usize> {
    match ring.pop_once() {
        Some(value) => Some(value.get()),
        None => receive(ring),
    }
}

/// All that is left.
fn drain(ring: &Ring<Value>) -> Vec<usize> {
    std::iter::from_fn(|| receive(ring)).collect()
}

/// Says which model it was that panicked.
struct Name(&'static str);

impl Drop for Name {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let name = self.0;
            println!(
                "model {name} ... FAILED. Again: cargo test -p waterway-models --test ring {name}"
            );
        }
    }
}

fn model(name: &'static str, preemptions: usize, f: fn()) {
    let _name = Name(name);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    let schedules = Arc::new(AtomicUsize::new(0));
    let count = schedules.clone();
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        f();
    });
    let schedules = schedules.load(Ordering::Relaxed);
    assert!(
        schedules > 1,
        "{name}: a model of one schedule says nothing"
    );
    println!("model {name} ... ok ({schedules} schedules, {preemptions} preemptions)");
}

/// One sends, the other receives, through a ring of one: in order, each once.
fn one_to_one() {
    let ring = ring(1);
    let tx = ring.clone();
    let sender = thread::spawn(move || [send(&tx, 1), send(&tx, 2)]);
    let mut got: Vec<usize> = (0..2).filter_map(|_| receive_quickly(&ring)).collect();
    let sent = sender.join().unwrap();
    got.extend(drain(&ring));
    let expected: Vec<usize> = [1, 2].into_iter().filter(|n| sent[n - 1]).collect();
    assert_eq!(got, expected);
}

/// Two send at once, into a ring of two: nothing is lost or doubled.
fn two_senders() {
    let ring = ring(2);
    let tx = ring.clone();
    let other = thread::spawn(move || assert!(send(&tx, 1)));
    assert!(send(&ring, 2));
    other.join().unwrap();
    let mut got = drain(&ring);
    got.sort_unstable();
    assert_eq!(got, [1, 2]);
}

/// Two receive at once: each value goes to one of them.
fn two_receivers() {
    let ring = ring(2);
    assert!(send(&ring, 1) && send(&ring, 2));
    let rx = ring.clone();
    let other = thread::spawn(move || receive_quickly(&rx));
    let mut got = vec![receive(&ring), other.join().unwrap()];
    got.sort_unstable();
    assert_eq!(got, [Some(1), Some(2)]);
}

/// The slot is used again, in the next lap, by somebody else.
fn next_lap() {
    let ring = ring(1);
    assert!(send(&ring, 1));
    let tx = ring.clone();
    let sender = thread::spawn(move || send(&tx, 2));
    let first = receive_quickly(&ring);
    let sent = sender.join().unwrap();
    assert_eq!(first, Some(1));
    assert_eq!(drain(&ring), Vec::from_iter(sent.then_some(2)));
}

/// A close meets a send: it came in and can be received, or it is told.
fn close_meets_send() {
    let ring = ring(1);
    let tx = ring.clone();
    let sender = thread::spawn(move || send(&tx, 1));
    ring.close();
    let sent = sender.join().unwrap();
    assert_eq!(drain(&ring), Vec::from_iter(sent.then_some(1)));
    assert!(!send(&ring, 2));
}

/// As `chan/shed.rs` sends into a ring that is full: the oldest value is taken out, as often as it takes. What is evicted.
fn force(ring: &Ring<Value>, n: usize) -> Result<Vec<usize>, Vec<usize>> {
    let mut evicted = Vec::new();
    loop {
        match ring.claim() {
            Claim::At(ticket) => {
                ring.fill(ticket, Value::new(n));
                return Ok(evicted);
            }
            Claim::Closed => return Err(evicted),
            Claim::Full => evicted.extend(ring.pop_place().map(|(value, _)| value.get())),
        }
    }
}

/// A value is evicted or received, once, and the new one comes in.
fn evicted_beside_a_receive() {
    let ring = ring(1);
    assert!(send(&ring, 1));
    let tx = ring.clone();
    let sender = thread::spawn(move || force(&tx, 2).expect("it is open"));
    let mut got = Vec::from_iter(receive_quickly(&ring));
    got.extend(sender.join().unwrap());
    assert_eq!(ring.counts().0, 2);
    got.extend(drain(&ring));
    got.sort_unstable();
    assert_eq!(got, [1, 2]);
    assert_eq!(ring.counts(), (2, 2, 0));
}

/// Another sender takes the room that was made, and a close comes between.
fn evicted_beside_a_send_and_a_close() {
    let ring = ring(1);
    assert!(send(&ring, 1));
    let (tx, other) = (ring.clone(), ring.clone());
    let forcing = thread::spawn(move || force(&tx, 2));
    let sending = thread::spawn(move || send(&other, 3));
    ring.close();
    let forced = forcing.join().unwrap();
    let mut expected = vec![1];
    expected.extend(forced.is_ok().then_some(2));
    expected.extend(sending.join().unwrap().then_some(3));
    let mut got = forced.unwrap_or_else(|evicted| evicted);
    got.extend(drain(&ring));
    got.sort_unstable();
    assert_eq!(got, expected);
}

/// The newest value is taken from the other end while somebody sends, and then the others: each once, and these in order.
fn newest_beside_sends() {
    let ring = ring(3);
    assert!(send(&ring, 1) && send(&ring, 2));
    let tx = ring.clone();
    let sender = thread::spawn(move || [send(&tx, 3), send(&tx, 4)]);
    // SAFETY: only this thread receives, and nothing is reserved.
    let newest = unsafe { ring.pop_newest(&stays) }
        .expect("two are there")
        .0
        .get();
    let sent = sender.join().unwrap();
    let mut got = drain(&ring);
    assert!(got.is_sorted());
    got.push(newest);
    got.sort_unstable();
    let expected = [1, 2, 3, 4].into_iter().filter(|n| *n < 3 || sent[n - 3]);
    assert_eq!(got, Vec::from_iter(expected));
    assert_ne!(newest, 1);
    assert!((5..8).all(|n| send(&ring, n)), "all slots are room");
    assert_eq!(drain(&ring), [5, 6, 7]);
}

/// The same while the ring is closed.
fn newest_beside_close() {
    let ring = ring(2);
    assert!(send(&ring, 1) && send(&ring, 2));
    let tx = ring.clone();
    let closer = thread::spawn(move || tx.close());
    // SAFETY: as above.
    let newest = unsafe { ring.pop_newest(&stays) }
        .expect("two are there")
        .0
        .get();
    closer.join().unwrap();
    assert_eq!((newest, drain(&ring)), (2, vec![1]));
    assert!(!send(&ring, 3));
    assert!(matches!(ring.pop(), Pop::Closed));
}

/// A reserved slot is filled while others send and receive around it: the order stays.
fn reserved() {
    let ring = ring(2);
    let ticket = reserve(&ring);
    let tx = ring.clone();
    let other = thread::spawn(move || {
        assert!(tx.complete(ticket, Value::new(1), &stays).is_ok());
    });
    assert!(send(&ring, 2));
    let mut got = Vec::from_iter(receive(&ring));
    other.join().unwrap();
    got.extend(drain(&ring));
    assert_eq!(got, [1, 2]);
}

/// A reserved slot is given back while another is claimed behind it: what was sent there comes out.
fn given_back() {
    let ring = ring(2);
    let ticket = reserve(&ring);
    let tx = ring.clone();
    let other = thread::spawn(move || tx.void(ticket, &stays));
    assert!(send(&ring, 2));
    let mut got = Vec::from_iter(receive(&ring));
    other.join().unwrap();
    got.extend(drain(&ring));
    assert_eq!(got, [2]);
    assert!(
        send(&ring, 3) && send(&ring, 4),
        "both slots are free again"
    );
}

/// A claimed slot that is reserved.
fn reserve(ring: &Ring<Value>) -> ring::Ticket {
    let Claim::At(ticket) = ring.claim() else {
        unreachable!("there is room")
    };
    ring.reserve(&ticket);
    ticket
}

/// Behind a reserved slot that is given back stands a value, and another is sent meanwhile, or received: the order stays,
/// and all slots are room again.
fn given_back_in_the_middle(receives: bool) {
    let ring = ring(3);
    assert!(send(&ring, 1));
    let ticket = reserve(&ring);
    assert!(send(&ring, 2));
    let other = ring.clone();
    let giver = thread::spawn(move || other.void(ticket, &stays));
    let mut got = Vec::new();
    let mut sent = false;
    if receives {
        got.extend(receive(&ring));
        got.extend(receive(&ring));
    } else {
        sent = send(&ring, 3);
    }
    giver.join().unwrap();
    if !receives && !sent {
        assert!(send(&ring, 3), "the slot is room");
    }
    got.extend(drain(&ring));
    assert_eq!(got, if receives { vec![1, 2] } else { vec![1, 2, 3] });
    assert!((4..7).all(|n| send(&ring, n)), "all slots are room");
    assert_eq!(drain(&ring), [4, 5, 6]);
}

/// Of two reserved slots one behind the other the first is given back, and the second is filled or given back, at once.
fn two_reserved(fills: bool) {
    let ring = ring(3);
    assert!(send(&ring, 1));
    let (first, second) = (reserve(&ring), reserve(&ring));
    let other = ring.clone();
    let giver = thread::spawn(move || other.void(first, &stays));
    if fills {
        assert!(ring.complete(second, Value::new(2), &stays).is_ok());
    } else {
        ring.void(second, &stays);
    }
    let mut got = Vec::from_iter(receive(&ring));
    giver.join().unwrap();
    got.extend(drain(&ring));
    assert_eq!(got, if fills { vec![1, 2] } else { vec![1] });
    assert!((4..7).all(|n| send(&ring, n)), "all slots are room");
    assert_eq!(drain(&ring), [4, 5, 6]);
}

/// The receivers clear the ring while a slot in its middle is given back: what was in it is dropped.
fn given_back_while_cleared() {
    let ring = ring(3);
    assert!(send(&ring, 1));
    let ticket = reserve(&ring);
    assert!(send(&ring, 2));
    let other = ring.clone();
    let giver = thread::spawn(move || other.void(ticket, &stays));
    ring.close();
    ring.clear();
    giver.join().unwrap();
    assert_eq!(drain(&ring), []);
    assert!(matches!(ring.pop(), Pop::Closed));
}

/// The receivers clear the ring while a reserved slot is filled: the value is dropped there, or comes back.
fn revoked() {
    let ring = ring(1);
    let ticket = reserve(&ring);
    let tx = ring.clone();
    let other = thread::spawn(move || tx.complete(ticket, Value::new(1), &stays).is_ok());
    ring.close();
    ring.clear();
    let filled = other.join().unwrap();
    let left = drain(&ring);
    assert!(left.is_empty() || filled && left == [1]);
}

/// A block is made anew for another object while a dump reads its header: it sees one of them whole, or nothing.
fn header_made_anew() {
    struct Block(*mut CoreHeader);
    // SAFETY: headers are read and written from anywhere.
    unsafe impl Send for Block {}
    impl Block {
        fn write(&self, kind: CoreKind, n: usize) {
            // SAFETY: a block that is this model's alone, and zeroed.
            unsafe {
                CoreHeader::write(NonNull::new_unchecked(self.0), kind, Location::caller());
                (*self.0).senders.store(n, primitives::Ordering::Relaxed);
            }
        }
    }
    primitives::prepare(5);
    // SAFETY: all zeroes are atoms.
    let at: *mut CoreHeader = Box::into_raw(Box::new(unsafe { std::mem::zeroed() }));
    Block(at).write(CoreKind::Mutex, 2);
    let again = Block(at);
    let writer = thread::spawn(move || {
        let again = again;
        again.write(CoreKind::WaitGroup, 6);
    });
    // SAFETY: it has been an object's.
    let seen = unsafe { CoreHeader::read(at) };
    if let Some(seen) = seen {
        // A count of 0 is one that is not noted yet.
        let counts = match seen.kind {
            CoreKind::Mutex => [2, 2],
            _ => [0, 6],
        };
        assert!(counts.contains(&seen.senders), "{seen:?}");
    }
    writer.join().unwrap();
    // SAFETY: as above.
    let seen = unsafe { CoreHeader::read(at) };
    assert!(seen.is_some_and(|seen| seen.kind == CoreKind::WaitGroup && seen.senders == 6));
}

/// A value is put behind the one that is there before that one is taken: nobody who looks finds the ring empty.
fn never_bare() {
    let ring = ring(2);
    assert!(send(&ring, 1));
    let mover = {
        let ring = ring.clone();
        thread::spawn(move || {
            assert!(send(&ring, 2));
            assert_eq!(receive(&ring), Some(1));
        })
    };
    assert_eq!(ring.is_bare(), None);
    mover.join().expect("it does not panic");
    assert_eq!(drain(&ring), [2]);
}

fn main() {
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let models: [(&'static str, usize, fn()); 19] = [
        ("one_to_one", 3, one_to_one),
        ("two_senders", 3, two_senders),
        ("two_receivers", 3, two_receivers),
        ("next_lap", 3, next_lap),
        ("close_meets_send", 3, close_meets_send),
        ("evicted_beside_a_receive", 3, evicted_beside_a_receive),
        (
            "evicted_beside_a_send_and_a_close",
            2,
            evicted_beside_a_send_and_a_close,
        ),
        ("newest_beside_sends", 2, newest_beside_sends),
        ("newest_beside_close", 3, newest_beside_close),
        ("reserved", 3, reserved),
        ("given_back", 3, given_back),
        ("given_back_in_the_middle_of_receives", 3, || {
            given_back_in_the_middle(true)
        }),
        ("given_back_in_the_middle_of_sends", 3, || {
            given_back_in_the_middle(false)
        }),
        ("two_reserved_and_one_is_filled", 3, || two_reserved(true)),
        ("two_reserved_are_given_back", 3, || two_reserved(false)),
        ("given_back_while_cleared", 3, given_back_while_cleared),
        ("revoked", 3, revoked),
        ("never_bare", 3, never_bare),
        ("header_made_anew", 3, header_made_anew),
    ];
    if let Ok(child) = std::env::var(waterway_models::CHILD) {
        let known = models.into_iter().find(|(name, ..)| *name == child);
        let (name, preemptions, f) = known.expect("a model of that name");
        return model(name, preemptions, f);
    }
    waterway_models::run(
        models.iter().map(|(name, ..)| *name),
        |name| only.as_deref().is_none_or(|only| name.contains(only)),
        |name| {
            waterway_models::child(name)
                .status()
                .is_ok_and(|s| s.success())
        },
    );
}

//! Selects: one arm fires, and what it promises happens.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicUsize, Ordering};

use super::{Goroutine, Model, Stage, Thread};
use crate::chan::chan;
use crate::{Select, select};

pub(super) const MODELS: &[Model] = &[
    ("select_receives_from_two", receives_from_two),
    ("selects_that_face_each_other", face_each_other),
    ("select_sends_into_rings", sends_into_rings),
    ("select_gives_back_what_it_reserved", gives_back),
    ("select_leaves_no_hole_in_a_ring", no_hole),
    ("select_ready_hears_of_every_value", ready),
    ("select_is_not_bound_by_who_looks", looked_at),
    ("select_is_met_by_who_looks_and_tries", looked_at_and_tried),
    ("select_default_beside_a_close", || default_of_one_moment(0)),
    ("select_default_beside_a_value", || default_of_one_moment(1)),
];

/// Everything sent into either channel is received by one of two selectors.
fn receives_from_two() {
    let mut stage = Stage::new();
    let (a, from_a) = chan(0);
    let (b, from_b) = chan(1);
    for (tx, kind) in [(a.clone(), Goroutine), (b.clone(), Thread)] {
        stage.actor(kind, move || tx.send(1).unwrap());
    }
    let sum = Arc::new(AtomicUsize::new(0));
    for kind in [Goroutine, Thread] {
        let (from_a, from_b, sum) = (from_a.clone(), from_b.clone(), sum.clone());
        stage.actor(kind, move || {
            let got = select! {
                recv(from_a) -> v => v,
                recv(from_b) -> v => v,
            };
            sum.fetch_add(got.unwrap(), Ordering::SeqCst);
        });
    }
    stage.end();
    assert_eq!(sum.load(Ordering::SeqCst), 2);
    drop((a, b));
}

/// Two selects that send and receive on the same two channels: they meet, crosswise, once each way or not at all.
fn face_each_other() {
    let mut stage = Stage::new();
    let (to_b, from_a) = chan::<u32>(0);
    let (to_a, from_b) = chan::<u32>(0);
    let met = Arc::new(AtomicUsize::new(0));
    for (tx, rx, kind) in [
        (to_b.clone(), from_b.clone(), Goroutine),
        (to_a.clone(), from_a.clone(), Thread),
    ] {
        let met = met.clone();
        stage.actor(kind, move || {
            let sent = select! {
                send(tx, 7) -> sent => { sent.unwrap(); 1 },
                recv(rx) -> got => { assert_eq!(got, Ok(7)); 16 },
            };
            met.fetch_add(sent, Ordering::SeqCst);
        });
    }
    stage.end();
    assert_eq!(
        met.load(Ordering::SeqCst),
        17,
        "one sends, the other receives"
    );
}

fn sends_into_rings() {
    let mut stage = Stage::new();
    let (a, from_a) = chan(1);
    let (b, from_b) = chan(1);
    for kind in [Goroutine, Thread] {
        let (a, b) = (a.clone(), b.clone());
        stage.actor(kind, move || {
            for _ in 0..2 {
                select! {
                    send(a, 1) -> sent => sent.unwrap(),
                    send(b, 1) -> sent => sent.unwrap(),
                }
            }
        });
    }
    drop((a, b));
    let sum = Arc::new(AtomicUsize::new(0));
    for rx in [from_a, from_b] {
        let sum = sum.clone();
        stage.actor(Goroutine, move || {
            for value in &rx {
                sum.fetch_add(value, Ordering::SeqCst);
            }
        });
    }
    stage.end();
    assert_eq!(sum.load(Ordering::SeqCst), 4);
}

/// A select that was chosen to send, and whose message panics: what it had reserved is there for others.
fn gives_back() {
    let mut stage = Stage::new();
    let (tx, rx) = chan(1);
    let other = tx.clone();
    stage.actor(Goroutine, move || {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            select! { send(tx, fail()) -> sent => sent.unwrap() }
        }));
        assert!(panic.is_err());
    });
    stage.actor(Goroutine, move || {
        other.send(1).unwrap();
        other.send(2).unwrap();
    });
    stage.actor(Thread, move || {
        assert_eq!(rx.iter().collect::<Vec<u32>>(), [1, 2]);
    });
    stage.end();
}

fn fail() -> u32 {
    std::panic::resume_unwind(Box::new(()))
}

/// As many sends as there is room for, some of which reserve a slot and give it back while they wait for their message: none
/// of them waits for a receiver.
fn no_hole() {
    let mut stage = Stage::new();
    let (tx, rx) = chan(4);
    tx.send(0).unwrap();
    let mut messages = Vec::new();
    for kind in [Goroutine, Thread] {
        let (message, to_send) = chan(0);
        let tx = tx.clone();
        messages.push(message);
        stage.actor(kind, move || {
            select! { send(tx, to_send.recv().unwrap()) -> sent => sent.unwrap() }
        });
    }
    stage.actor(Goroutine, move || {
        for (message, n) in messages.into_iter().zip(1..) {
            message.send(n).unwrap();
        }
    });
    stage.actor(Goroutine, move || tx.send(3).unwrap());
    stage.end();
    let mut got: Vec<u32> = rx.iter().collect();
    assert_eq!(got[0], 0);
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2, 3]);
}

/// `ready` returns when there is something, and never sleeps over it.
fn ready() {
    let mut stage = Stage::new();
    let (a, from_a) = chan(0);
    let (b, from_b) = chan(1);
    for (tx, value, kind) in [(a.clone(), 1, Goroutine), (b.clone(), 2, Thread)] {
        stage.actor(kind, move || tx.send(value).unwrap());
    }
    stage.actor(Goroutine, move || {
        let mut got = 0;
        while got < 3 {
            let mut set = Select::new();
            set.recv(&from_a);
            set.recv(&from_b);
            let rx = if set.ready() == 0 { &from_a } else { &from_b };
            got += rx.try_recv().unwrap_or(0);
            // A sender that another one served may still stand there.
            shuttle::thread::yield_now();
        }
    });
    stage.end();
    drop((a, b));
}

/// Somebody looks whether there is something to receive, and goes: a select that waits to send there still takes what comes
/// through its other arm.
fn looked_at() {
    let mut stage = Stage::new();
    let (tx, rx) = chan(0);
    let (stop, stopped) = chan(0);
    stage.actor(Goroutine, move || {
        let got = select! {
            send(tx, 1) -> _ => unreachable!("nobody receives"),
            recv(stopped) -> v => v,
        };
        assert_eq!(got, Ok(2));
    });
    for kind in [Goroutine, Thread] {
        let looks = rx.clone();
        stage.actor(kind, move || {
            let mut set = Select::new();
            set.recv(&looks);
            // It may be here first, or when the select has gone and closed the channel.
            assert_eq!(set.ready(), 0);
        });
    }
    stage.actor(Thread, move || stop.send(2).unwrap());
    stage.end();
    drop(rx);
}

/// Who looks, tries, and comes back if that was in vain, receives from selects that send.
fn looked_at_and_tried() {
    let mut stage = Stage::new();
    let (a, from_a) = chan(0);
    let (b, from_b) = chan(0);
    for kind in [Goroutine, Thread] {
        let (a, b) = (a.clone(), b.clone());
        stage.actor(kind, move || {
            select! {
                send(a, 1) -> sent => sent.unwrap(),
                send(b, 1) -> sent => sent.unwrap(),
            }
        });
    }
    stage.actor(Goroutine, move || {
        let mut got = 0;
        while got < 2 {
            let mut set = Select::new();
            set.recv(&from_a);
            set.recv(&from_b);
            let rx = if set.ready() == 0 { &from_a } else { &from_b };
            got += rx.try_recv().unwrap_or(0);
        }
    });
    stage.end();
    drop((a, b));
}

/// At every moment one of the two arms can go, though neither for long: the default is not taken. The second arm becomes
/// ready, by a close or by a value, before the first one's value is taken away.
fn default_of_one_moment(cap: usize) {
    let mut stage = Stage::new();
    let (a, from_a) = chan(1);
    let (b, from_b) = chan(cap);
    a.try_send(1).unwrap();
    let (also_b, also_from_a) = (b.clone(), from_a.clone());
    stage.actor(Thread, move || {
        // Whoever selected may have gone by then.
        match cap {
            0 => also_b.close(),
            _ => _ = also_b.try_send(2),
        }
        let _ = also_from_a.try_recv();
    });
    stage.actor(Goroutine, move || {
        select! {
            recv(from_b) -> got => assert_eq!(got.is_ok(), cap == 1),
            recv(from_a) -> got => assert_eq!(got, Ok(1)),
            default => panic!("one of the arms could go"),
        }
    });
    stage.end();
    drop((a, b));
}

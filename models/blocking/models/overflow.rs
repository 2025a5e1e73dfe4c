//! Channels that shed: each value has one fate, and nobody waits in vain.

use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::Mutex;

use super::{Goroutine, Model, Stage, Thread};
use crate::chan::{Builder, Overflow, Shed, builder};
use crate::{Receiver, Sender};

pub(super) const MODELS: &[Model] = &[
    ("evict_beside_receives", || evict(Overflow::DropOldest, 1)),
    ("evict_beside_receives_of_two", || {
        evict(Overflow::DropOldest, 2)
    }),
    ("evict_superseded", || evict(Overflow::KeepLatest, 1)),
    ("evict_none_but_the_newest", || {
        evict(Overflow::DropNewest, 1)
    }),
    ("evict_beside_close", close),
    ("evict_beside_select", select),
    ("evict_by_force_beside_those_who_wait", force),
    ("evict_by_force_beside_a_reserved_place", || {
        reserved(Overflow::Block, false)
    }),
    ("evict_by_force_beside_a_reserved_place_and_close", || {
        reserved(Overflow::Block, true)
    }),
    ("evict_oldest_beside_a_reserved_place", || {
        reserved(Overflow::DropOldest, false)
    }),
    ("evict_oldest_beside_a_reserved_place_and_close", || {
        reserved(Overflow::DropOldest, true)
    }),
    ("evict_by_a_policy_that_comes", policy_comes),
    ("evict_late_ones", || late(false)),
    ("evict_late_ones_newest_first", || late(true)),
    ("evict_newest_beside_a_place_given_back", given_back),
];

/// Each value is late that did not come just now.
const ALWAYS_LATE: Overflow = Overflow::CoDel {
    target: Duration::from_nanos(1),
    interval: Duration::from_nanos(1),
};

/// What became of values, in any order; and how many `on_shed` had.
#[derive(Clone, Default)]
struct Fates(Arc<Mutex<Vec<u32>>>, Arc<Mutex<u64>>);

impl Fates {
    fn note(&self, value: u32) {
        self.0.lock().unwrap().push(value);
    }

    fn channel(&self, capacity: usize, overflow: Overflow) -> (Sender<u32>, Receiver<u32>) {
        self.builder(capacity, overflow).make()
    }

    fn builder(&self, capacity: usize, overflow: Overflow) -> Builder<u32> {
        let fates = self.clone();
        let on_shed = move |shed: Shed<u32>| {
            *fates.1.lock().unwrap() += 1;
            fates.note(shed.value);
        };
        let builder = builder().capacity(capacity).overflow(overflow);
        builder.on_shed(on_shed)
    }

    #[track_caller]
    fn are(&self, expected: impl IntoIterator<Item = u32>) {
        let mut all = self.0.lock().unwrap().clone();
        all.sort_unstable();
        assert_eq!(all, Vec::from_iter(expected));
    }
}

/// At the end: as many were shed as were told.
#[track_caller]
fn tally(rx: &Receiver<u32>, fates: &Fates) {
    balance(rx);
    let now = rx.statistics();
    assert_eq!(now.by_cause().shed(), *fates.1.lock().unwrap(), "{now:?}");
}

#[track_caller]
fn balance(rx: &Receiver<u32>) {
    let now = rx.statistics();
    assert_eq!(
        now.sent,
        now.received + now.in_queue + now.shed + now.returned,
        "{now:?}"
    );
}

fn receive(stage: &mut Stage, rx: Receiver<u32>, fates: &Fates) {
    let fates = fates.clone();
    stage.actor(Goroutine, move || rx.iter().for_each(|v| fates.note(v)));
}

/// One goroutine for each value, which sends it, and must.
fn send_each(stage: &mut Stage, tx: &Sender<u32>, values: impl IntoIterator<Item = u32>) {
    for value in values {
        let tx = tx.clone();
        stage.actor(Goroutine, move || tx.send(value).unwrap());
    }
}

/// What is left in a channel that nobody else uses any more.
fn drain(rx: &Receiver<u32>, fates: &Fates) {
    while let Ok(value) = rx.try_recv() {
        fates.note(value);
    }
}

fn evict(overflow: Overflow, capacity: usize) {
    let mut stage = Stage::new();
    let fates = Fates::default();
    let (tx, rx) = fates.channel(capacity, overflow);
    for (sender, kind) in [(0, Goroutine), (1, Thread)] {
        let tx = tx.clone();
        stage.actor(kind, move || {
            for i in 0..2 {
                tx.send(sender * 10 + i).unwrap();
            }
        });
    }
    drop(tx);
    receive(&mut stage, rx.clone(), &fates);
    let looks = rx.clone();
    stage.actor(Thread, move || balance(&looks));
    stage.end();
    fates.are([0, 1, 10, 11]);
    tally(&rx, &fates);
}

fn close() {
    let mut stage = Stage::new();
    let fates = Fates::default();
    let (tx, rx) = fates.channel(1, Overflow::DropOldest);
    for value in [1, 2] {
        let (tx, fates) = (tx.clone(), fates.clone());
        stage.actor(Goroutine, move || {
            if let Err(back) = tx.send(value) {
                fates.note(back.into_inner());
            }
        });
    }
    let from = rx.clone();
    stage.actor(Thread, move || from.close());
    stage.end();
    balance(&rx);
    let now = rx.statistics();
    assert_eq!(now.in_queue, 0);
    let told = fates.0.lock().unwrap().len() as u64;
    assert_eq!(
        told + now.closed,
        2,
        "each came back, was shed, or was dropped by the close"
    );
}

/// The place that would be evicted is one that a select has reserved.
fn select() {
    let mut stage = Stage::new();
    let fates = Fates::default();
    let (tx, rx) = fates.channel(1, Overflow::DropOldest);
    let selects = tx.clone();
    stage.actor(Goroutine, move || {
        crate::select! {
            send(selects, { shuttle::thread::yield_now(); 1 }) -> sent => sent.unwrap(),
        }
    });
    stage.actor(Thread, move || tx.send(2).unwrap());
    receive(&mut stage, rx.clone(), &fates);
    stage.end();
    fates.are([1, 2]);
    balance(&rx);
}

fn force() {
    let mut stage = Stage::new();
    let fates = Fates::default();
    let (tx, rx) = fates.channel(1, Overflow::Block);
    send_each(&mut stage, &tx, [1, 2]);
    let back = fates.clone();
    stage.actor(Thread, move || {
        if let Some(evicted) = tx.force_send(3).unwrap() {
            back.note(evicted);
        }
    });
    receive(&mut stage, rx.clone(), &fates);
    stage.end();
    fates.are([1, 2, 3]);
    tally(&rx, &fates);
}

/// Of two places one is reserved by a select. Who evicts takes the value out of the other one, and somebody who goes the quick way
/// may take that: then the reserved place stands first, nothing more can be evicted, and what was evicted is not forgotten.
fn reserved(overflow: Overflow, closes: bool) {
    let mut stage = Stage::new();
    let fates = Fates::default();
    let (tx, rx) = fates.channel(2, overflow);
    tx.send(1).unwrap();
    let (selects, back) = (tx.clone(), fates.clone());
    stage.actor(Goroutine, move || {
        crate::select! {
            send(selects, { (0..6).for_each(|_| shuttle::thread::yield_now()); 2 }) -> sent => if let Err(value) = sent {
                back.note(value.into_inner());
            },
            default => back.note(2),
        }
    });
    let (tries, back) = (tx.clone(), fates.clone());
    stage.actor(Thread, move || {
        if (0..4).all(|_| tries.try_send(3).is_err()) {
            back.note(3);
        }
    });
    let back = fates.clone();
    stage.actor(Goroutine, move || {
        let returned = match overflow {
            Overflow::Block => tx.force_send(4).unwrap_or_else(|e| Some(e.into_inner())),
            _ => tx.send(4).err().map(|e| e.into_inner()),
        };
        returned.into_iter().for_each(|value| back.note(value));
    });
    if closes {
        let from = rx.clone();
        stage.actor(Thread, move || from.close());
    }
    stage.end();
    balance(&rx);
    let dropped = rx.statistics().closed;
    drain(&rx, &fates);
    if !closes {
        return fates.are(1..5);
    }
    let told = fates.0.lock().unwrap().len() as u64;
    assert_eq!(told + dropped, 4, "each has one fate");
}

fn policy_comes() {
    let mut stage = Stage::new();
    let fates = Fates::default();
    let (tx, rx) = fates.channel(1, Overflow::Block);
    send_each(&mut stage, &tx, [1, 2]);
    let selects = tx.clone();
    stage.actor(Goroutine, move || {
        crate::select! { send(selects, 3) -> sent => sent.unwrap() }
    });
    stage.actor(Thread, move || tx.set_overflow(Overflow::DropNewest));
    // Nobody receives before all have sent.
    stage.end();
    drain(&rx, &fates);
    fates.are([1, 2, 3]);
    tally(&rx, &fates);
}

/// `lifo`: the newest value first, and the place behind the others may be one that a select has reserved.
fn late(lifo: bool) {
    let mut stage = Stage::new();
    let fates = Fates::default();
    let (say, word) = builder().make();
    let (tx, rx) = fates.builder(3, ALWAYS_LATE).adaptive_lifo(lifo).make();
    send_each(&mut stage, &tx, [1, 2, 3]);
    // Who parks gives the reserved place back, and sends later.
    stage.actor(Thread, move || say.send(()).unwrap());
    let selects = tx.clone();
    stage.actor(Goroutine, move || {
        crate::select! {
            send(selects, { word.recv().unwrap(); 4 }) -> sent => sent.unwrap(),
        }
    });
    let changes = tx.clone();
    stage.actor(Thread, move || {
        changes.set_overflow(Overflow::Block);
        changes.set_overflow(ALWAYS_LATE);
    });
    drop(tx);
    receive(&mut stage, rx.clone(), &fates);
    let (selects, to) = (rx.clone(), fates.clone());
    stage.actor(Thread, move || {
        crate::select! { recv(selects) -> value => _ = value.map(|v| to.note(v)) }
    });
    stage.end();
    fates.are([1, 2, 3, 4]);
    tally(&rx, &fates);
}

/// The first place is reserved and given back, so that the values behind it move up, while the newest of them is taken.
fn given_back() {
    let mut stage = Stage::new();
    let fates = Fates::default();
    let (tx, rx) = fates.builder(4, ALWAYS_LATE).adaptive_lifo(true).make();
    let (say, word) = builder().make();
    stage.actor(Goroutine, move || {
        let behind = || {
            (1..4).for_each(|value| tx.try_send(value).unwrap());
            word.recv().unwrap();
            4
        };
        crate::select! { send(tx, behind()) -> sent => sent.unwrap() }
    });
    stage.actor(Thread, move || say.send(()).unwrap());
    let (looks, to) = (rx.clone(), fates.clone());
    stage.actor(Thread, move || {
        for _ in 0..6 {
            looks
                .try_recv()
                .into_iter()
                .for_each(|value| to.note(value));
        }
    });
    stage.end();
    drain(&rx, &fates);
    fates.are([1, 2, 3, 4]);
    tally(&rx, &fates);
}

//! What stands between the producer and the server, in each design.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use waterway::flow::{Gate, Overflow};
use waterway::sync::WaitGroup;
use waterway::{Receiver, Sender, chan, go};

use super::Item;
use crate::overload::wire::Shed;

/// The capacity of the large buffer.
pub const LARGE: usize = 100_000;
/// The capacity of the buffers whose channels shed.
pub const BUFFER: usize = 1_000;

/// How an item gets to the server.
pub trait Way: Send + Sync {
    /// An item comes in. Never waits.
    fn offer(&self, item: Item);
    /// Where the server takes items.
    fn receiver(&self) -> &Receiver<Item>;
    /// How many items wait.
    fn waiting(&self) -> u64;
    /// How many were given up.
    fn shed(&self) -> Shed {
        Shed::default()
    }
    /// How many came back at once, for there was no room.
    fn refused(&self) -> u64 {
        0
    }
    /// No more come, and nobody waits any longer: how many items came back to who sent them.
    fn close(&self) -> u64;
}

/// A goroutine for each item, which sends it, as Go programs do. With a buffer, what comes while it is full is
/// dropped.
pub fn per_item(capacity: usize) -> Box<dyn Way> {
    let (tx, rx) = chan(capacity);
    Box::new(PerItem {
        tx,
        rx,
        full: AtomicU64::new(0),
        senders: Senders::default(),
    })
}

struct PerItem {
    tx: Sender<Item>,
    rx: Receiver<Item>,
    full: AtomicU64,
    senders: Senders,
}

impl Way for PerItem {
    fn offer(&self, item: Item) {
        if self.tx.capacity() != Some(0) && self.tx.is_full() {
            self.full.fetch_add(1, Relaxed);
            return;
        }
        go(self.senders.sender(&self.tx, item));
    }

    fn receiver(&self) -> &Receiver<Item> {
        &self.rx
    }

    fn waiting(&self) -> u64 {
        self.rx.len() as u64 + self.senders.sending()
    }

    fn shed(&self) -> Shed {
        Shed {
            full: self.full.load(Relaxed),
            ..Shed::default()
        }
    }

    fn close(&self) -> u64 {
        self.tx.close();
        self.senders.end()
    }
}

/// A goroutine for each item that the gate admits; the others are refused before there is one.
pub fn gated(places: usize) -> Box<dyn Way> {
    let (tx, rx) = chan(0);
    Box::new(Gated {
        tx,
        rx,
        gate: Gate::new(places),
        senders: Senders::default(),
    })
}

struct Gated {
    tx: Sender<Item>,
    rx: Receiver<Item>,
    gate: Gate,
    senders: Senders,
}

impl Way for Gated {
    fn offer(&self, item: Item) {
        if let Some(place) = self.gate.try_enter() {
            place.go(self.senders.sender(&self.tx, item));
        }
    }

    fn receiver(&self) -> &Receiver<Item> {
        &self.rx
    }

    fn waiting(&self) -> u64 {
        self.senders.sending()
    }

    fn refused(&self) -> u64 {
        self.gate.statistics().refused
    }

    fn close(&self) -> u64 {
        self.tx.close();
        self.senders.end()
    }
}

/// A buffer whose channel decides what is shed; the producer itself sends, without a goroutine.
pub fn policed(capacity: usize, overflow: Overflow) -> Box<dyn Way> {
    let (tx, rx) = chan::builder().capacity(capacity).overflow(overflow).make();
    Box::new(Policed {
        tx,
        rx,
        full: AtomicU64::new(0),
    })
}

struct Policed {
    tx: Sender<Item>,
    rx: Receiver<Item>,
    /// What came back from a full channel whose policy is to wait for room.
    full: AtomicU64,
}

impl Way for Policed {
    fn offer(&self, item: Item) {
        let back = self.tx.try_send(item).is_err();
        // `Reject` counts for itself.
        if back && self.tx.overflow() != Overflow::Reject {
            self.full.fetch_add(1, Relaxed);
        }
    }

    fn receiver(&self) -> &Receiver<Item> {
        &self.rx
    }

    fn waiting(&self) -> u64 {
        self.rx.len() as u64
    }

    fn shed(&self) -> Shed {
        let by = self.tx.statistics().by_cause();
        Shed {
            late: by.late,
            ..Shed::default()
        }
    }

    fn refused(&self) -> u64 {
        self.tx.statistics().by_cause().refused + self.full.load(Relaxed)
    }

    fn close(&self) -> u64 {
        self.tx.close();
        0 // nobody waits in a send
    }
}

/// Goroutines that each send one item.
#[derive(Default)]
struct Senders {
    group: WaitGroup,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    sending: AtomicU64,
    returned: AtomicU64,
}

impl Senders {
    /// What a goroutine does for one item.
    fn sender(&self, tx: &Sender<Item>, item: Item) -> impl FnOnce() + Send + use<> {
        self.counts.sending.fetch_add(1, Relaxed);
        let (tx, counts, token) = (tx.clone(), Arc::clone(&self.counts), self.group.token());
        move || {
            let back = tx.send(item).is_err();
            counts.returned.fetch_add(u64::from(back), Relaxed);
            counts.sending.fetch_sub(1, Relaxed);
            drop(token);
        }
    }

    fn sending(&self) -> u64 {
        self.counts.sending.load(Relaxed)
    }

    /// Waits until all have ended; how many got their item back.
    fn end(&self) -> u64 {
        self.group.wait();
        self.counts.returned.load(Relaxed)
    }
}

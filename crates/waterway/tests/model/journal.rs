//! What the actors of a program did, and when: each operation between two ticks of one clock.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::channel::Act;
use crate::ends::End;

/// What about an operation decides whom it may meet on an unbuffered channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// A goroutine or thread that may wait, an async task that may, or neither.
    pub waits: Waits,
    /// A select makes its value when it has met a receiver.
    pub select: bool,
    /// It waits until an arm may go, and does nothing.
    pub looks: bool,
    /// Between choosing and sending, it lets others run.
    pub late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    Blocked,
    Pending,
    Never,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub manner: Manner,
    pub arms: Vec<(usize, Act)>,
    pub begin: u64,
    /// `None` while it goes on.
    pub end: Option<(u64, End)>,
}

impl Call {
    pub fn overlaps(&self, other: &Call) -> bool {
        let end = |call: &Call| call.end.map_or(u64::MAX, |(at, _)| at);
        self.begin < end(other) && other.begin < end(self)
    }
}

pub struct Journal {
    clock: AtomicU64,
    /// By actor.
    calls: Vec<Mutex<Vec<Call>>>,
}

impl Journal {
    pub fn new(actors: usize) -> Journal {
        Journal {
            clock: AtomicU64::new(0),
            calls: (0..actors).map(|_| Mutex::default()).collect(),
        }
    }

    pub fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    pub fn begin(&self, actor: usize, manner: Manner, arms: Vec<(usize, Act)>) {
        let mut calls = self.calls[actor].lock().unwrap();
        calls.push(Call {
            manner,
            arms,
            begin: self.tick(),
            end: None,
        });
    }

    pub fn end(&self, actor: usize, end: End) {
        let at = self.tick();
        let mut calls = self.calls[actor].lock().unwrap();
        calls.last_mut().expect("a call was begun").end = Some((at, end));
    }

    /// All calls so far, in the order of their beginnings.
    pub fn calls(&self) -> Vec<Call> {
        let each = self.calls.iter().map(|calls| calls.lock().unwrap().clone());
        let mut all: Vec<Call> = each.flatten().collect();
        all.sort_by_key(|call| call.begin);
        all
    }
}

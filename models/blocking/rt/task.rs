//! A thread that plays a goroutine: it is suspended and resumed as the library's scheduler does, and checks that each
//! suspension is ended by one wake.

use std::panic::Location;
use std::ptr::NonNull;

use super::record::Record;
use super::worker::Worker;
use crate::primitives::{AtomicU8, Ordering};

pub(crate) struct Identity {
    pub(crate) id: u64,
    pub(crate) main: bool,
}

pub(crate) struct Task {
    pub(crate) home: &'static Worker,
    pub(crate) record: Record,
    identity: Identity,
    woken: AtomicU8,
    thread: shuttle::thread::Thread,
}

impl Task {
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn fetch_line(_: NonNull<Task>) {}

    pub(super) fn fetch_descriptor(_: NonNull<Task>) {}

    pub(super) fn fetch_rest(&self) {}

    pub(super) fn new(id: u64, main: bool, home: &'static Worker) -> Task {
        Task {
            home,
            record: Record::new(),
            identity: Identity { id, main },
            woken: AtomicU8::new(0),
            thread: shuttle::thread::current(),
        }
    }

    /// # Safety
    ///
    /// As in the library.
    pub(super) unsafe fn suspend(&self) {
        while self.woken.load(Ordering::SeqCst) == 0 {
            shuttle::thread::park();
        }
        while self.home.held.load(Ordering::SeqCst) {
            shuttle::thread::yield_now();
        }
        assert_eq!(
            self.woken.swap(0, Ordering::SeqCst),
            1,
            "one wake for each suspension"
        );
    }

    /// Woken by now, it goes on itself.
    pub(super) fn depart(&self) -> Option<Departure> {
        match self.woken.swap(0, Ordering::SeqCst) {
            0 => Some(Departure(NonNull::from(self))),
            _ => None,
        }
    }

    pub(super) fn ready(&self) {
        assert_eq!(
            self.woken.fetch_add(1, Ordering::SeqCst),
            0,
            "one wake for each suspension"
        );
        self.thread.unpark();
    }
}

/// A switch that is to be made.
pub(crate) struct Departure(NonNull<Task>);

impl Departure {
    /// # Safety
    ///
    /// As in the library.
    pub(crate) unsafe fn go(self) {
        // SAFETY: tasks of models live for ever.
        unsafe { self.0.as_ref().suspend() };
    }
}

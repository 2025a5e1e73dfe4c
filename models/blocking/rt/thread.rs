//! Parkers of plain threads. A deadline passes whenever the scheduler likes.

use std::cell::Cell;
use std::time::Instant;

use super::record::{Record, WaitKey};
use crate::primitives::{AtomicU32, Ordering};

pub(crate) struct ThreadParker {
    word: AtomicU32,
    tid: u32,
    record: Record,
    thread: shuttle::thread::Thread,
}

thread_local! {
    static PARKER: Cell<Option<&'static ThreadParker>> = const { Cell::new(None) };
}

impl ThreadParker {
    pub(crate) fn current() -> &'static ThreadParker {
        if let Some(parker) = PARKER.get() {
            return parker;
        }
        let thread = shuttle::thread::current();
        let parker = Box::leak(Box::new(ThreadParker {
            word: AtomicU32::new(0),
            tid: usize::from(shuttle::current::me()) as u32 + 1,
            record: Record::new(),
            thread,
        }));
        PARKER.set(Some(parker));
        parker
    }

    pub(crate) fn tid(&self) -> u32 {
        self.tid
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn begin(&self, key: &WaitKey, timed: bool) {
        self.record.begin(key, timed, 0);
    }

    pub(super) fn end(&self) {
        self.record.end();
    }

    pub(super) fn sleep(&self, deadline: Option<Instant>) -> bool {
        while self.word.swap(0, Ordering::SeqCst) == 0 {
            if deadline.is_none() {
                shuttle::thread::park();
            } else if shuttle::rand::Rng::r#gen::<bool>(&mut shuttle::rand::thread_rng()) {
                return self.word.swap(0, Ordering::SeqCst) == 1;
            } else {
                shuttle::thread::yield_now();
            }
        }
        true
    }

    pub(super) fn unpark(&self) {
        assert_eq!(
            self.word.swap(1, Ordering::SeqCst),
            0,
            "one wake for each claim"
        );
        self.thread.unpark();
    }
}

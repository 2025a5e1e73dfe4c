//! The thread that looks for cycles. Sysmon calls it and goes on: memory may be looked through for long, and time slices end meanwhile.

use crate::primitives::{SleepingCondvar, SleepingGuard, SleepingMutex, start_thread};
use crate::rt::sched::Runtime;
use crate::rt::thread::mark_internal;

/// A thread that does one kind of work, when it is called.
pub(super) struct Prover {
    calls: SleepingMutex<Calls>,
    called: SleepingCondvar,
    work: fn(&'static Runtime),
}

struct Calls {
    /// The thread is there.
    started: bool,
    called: bool,
}

impl Prover {
    /// One that is started when it is first called.
    pub(super) const fn new(work: fn(&'static Runtime)) -> Prover {
        Prover {
            calls: SleepingMutex::new(Calls {
                started: false,
                called: false,
            }),
            called: SleepingCondvar::new(),
            work,
        }
    }

    /// Has the work done soon. Who calls while it is done has it done again.
    pub(super) fn call(&'static self, rt: &'static Runtime) {
        let mut calls = self.calls();
        if !calls.started {
            calls.started = start_thread("waterway-prover", move || self.serve(rt)).is_ok();
        }
        calls.called = calls.started;
        let alone = !calls.started;
        drop(calls);
        if alone {
            // No thread is to be had: better here than never.
            (self.work)(rt);
        } else {
            self.called.notify_one();
        }
    }

    fn serve(&self, rt: &'static Runtime) {
        mark_internal();
        loop {
            let waits = self.called.wait_while(self.calls(), |c| !c.called);
            waits.unwrap_or_else(|broken| broken.into_inner()).called = false;
            (self.work)(rt);
        }
    }

    fn calls(&self) -> SleepingGuard<'_, Calls> {
        self.calls
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::{AtomicUsize, Ordering};
    use crate::rt::sched::runtime;

    /// Closed until the test says.
    static DOOR: SleepingMutex<()> = SleepingMutex::new(());
    static DONE: AtomicUsize = AtomicUsize::new(0);

    fn work(_: &'static Runtime) {
        drop(DOOR.lock());
        DONE.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn who_calls_does_not_wait_for_the_work() {
        static PROVER: Prover = Prover::new(work);
        let closed = DOOR.lock();
        // Would not come back if the work were done here.
        PROVER.call(runtime());
        PROVER.call(runtime());
        assert_eq!(DONE.load(Ordering::SeqCst), 0);
        drop(closed);
        while DONE.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
    }
}

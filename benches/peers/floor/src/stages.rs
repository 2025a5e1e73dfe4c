//! Stages that compute, on a thread or two.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use race::{Clock, Run, STAGES, compute, micros, pipelines};

use crate::handover::wait_until;

/// A place for one item between two threads, on lines of the cache of its own; 0 while there is none.
#[derive(Default)]
#[repr(align(128))]
struct Place(AtomicU64);

impl Place {
    fn put(&self, item: u64) {
        wait_until(|| self.0.load(Ordering::Acquire) == 0);
        self.0.store(item, Ordering::Release);
    }

    fn take(&self) -> u64 {
        wait_until(|| self.0.load(Ordering::Acquire) != 0);
        let item = self.0.load(Ordering::Relaxed);
        self.0.store(0, Ordering::Release);
        item
    }
}

/// All stages on one thread, or the first half of them on one and the others on another.
pub fn pipeline(run: Run) {
    pipelines(run.n, |items, us| match run.workers {
        1 => (1..=items).for_each(|i| {
            stages(i as u64, STAGES, us);
        }),
        _ => in_halves(items, us),
    });
}

fn in_halves(items: usize, us: usize) {
    let between = Place::default();
    thread::scope(|scope| {
        // What `compute` gives is not 0: it begins with an odd number, and each step makes 0 of 0 only.
        scope.spawn(|| (1..=items).for_each(|i| between.put(stages(i as u64, STAGES / 2, us))));
        (0..items).for_each(|_| {
            stages(between.take(), STAGES / 2, us);
        });
    });
}

/// All that compute for 200 us are calls, a thread a worker with its share of them.
pub fn computes(run: Run) {
    let begin = Barrier::new(run.workers + 1);
    let span = thread::scope(|scope| {
        let crew: Vec<_> = (0..run.workers)
            .map(|w| {
                let begin = &begin;
                scope.spawn(move || {
                    begin.wait();
                    (w..run.n).step_by(run.workers).for_each(|i| {
                        compute(i as u64, micros(200));
                    });
                })
            })
            .collect();
        let clock = Clock::start();
        begin.wait();
        crew.into_iter().for_each(|w| w.join().expect("computes"));
        clock.stop()
    });
    span.ms("time");
    span.busy(run.workers);
}

/// An item goes through so many stages.
fn stages(item: u64, stages: usize, us: usize) -> u64 {
    (0..stages).fold(item, |item, _| compute(item, micros(us)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_item_at_a_time_in_order() {
        let place = Place::default();
        thread::scope(|scope| {
            scope.spawn(|| (1..=1000).for_each(|i| place.put(i)));
            (1..=1000).for_each(|i| assert_eq!(place.take(), i));
        });
        assert_eq!(place.0.into_inner(), 0);
    }

    #[test]
    fn what_was_computed_is_an_item() {
        assert!((0..100).all(|i| stages(i, 1, 0) != 0 && stages(i, STAGES, 1) != 0));
    }
}

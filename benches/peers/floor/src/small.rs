//! What is done on one stack after the other, and what needs none.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use race::{Clock, Run};
use waterway_stack::Stack;

use crate::crew::{Stacks, call_on};

const BATCH: usize = 1000;

/// Where a closure waits for its turn: a line of the cache.
#[repr(align(64))]
struct Waiting<F>(Option<F>);

/// A thousand closures into a cell each; then each onto a stack that is warm, and off it, and one is counted.
fn batches(n: usize, stack: &mut Stack) {
    let ended = Cell::new(0);
    let job = |i: usize| {
        let ended = &ended;
        move || ended.set(ended.get() + black_box(i).min(1))
    };
    let mut cells: Vec<_> = (0..BATCH).map(|_| Waiting(Some(job(1)))).collect();
    for _ in 0..n / BATCH {
        for (cell, i) in cells.iter_mut().zip(1..) {
            cell.0 = Some(job(i));
        }
        black_box(&mut cells);
        for cell in &mut cells {
            call_on(stack, cell.0.take().expect("filled above"));
        }
    }
    assert_eq!(ended.get(), n / BATCH * BATCH);
}

pub fn spawn_join(run: Run) {
    let mut stack = Stacks::new().take();
    run.timed(|n| batches(n, &mut stack));
}

pub fn spawn_burst(run: Run) {
    let mut stack = Stacks::new().take();
    for metric in ["first time", "second time"] {
        let clock = Clock::start();
        batches(run.n, &mut stack);
        clock.stop().per_op(metric, run.n);
    }
}

/// A number behind a word, which is taken by a compare-exchange and given back by `unlock`.
pub fn mutex(run: Run, unlock: impl Fn(&AtomicU32)) {
    let (word, number) = (AtomicU32::new(0), Cell::new(0_usize));
    run.timed(|n| {
        for _ in 0..n {
            let taken = word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed);
            assert!(taken.is_ok());
            black_box(&number).set(number.get() + 1);
            unlock(black_box(&word));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_closure_runs_once() {
        batches(3000, &mut Stacks::new().take());
    }
}

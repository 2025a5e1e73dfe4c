//! Very many stacks, and very many sleepers. Each worker is a thread with its share of them.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use race::{Clock, Lateness, Memory, Run, rounds_of, sizes, sleep_times};

use crate::crew::Crew;

/// A guard and a first page for each; and then each is switched onto once, found through the one before, whose stack says so. With
/// `ahead` they stand in an array as well, by which the stacks are fetched.
pub fn parked(run: Run, ahead: usize) {
    let before = Memory::now();
    let here = Barrier::new(run.workers + 1);
    let clock = Clock::start();
    thread::scope(|scope| {
        for _ in 0..run.workers {
            scope.spawn(|| {
                let most = run.n / run.workers;
                let mut crew = Crew::new(most, ahead);
                for me in 1..=most {
                    let next = if me == most { 0 } else { me + 1 };
                    crew.add(move || next);
                }
                here.wait(); // all are made
                here.wait(); // they are counted
                crew.run(1);
                here.wait();
            });
        }
        here.wait();
        clock.stop().per_op("time to make each", run.n);
        before.grown_each(run.n);
        let clock = Clock::start();
        here.wait();
        here.wait();
        clock.stop().per_op("time to wake and end each", run.n);
    });
}

/// Stacks as in `parked`, with one heap a worker, which sleeps to the next deadline, and for so long at least.
pub fn timers(run: Run, nap: Duration) {
    let clock = Clock::start();
    let late: Vec<Duration> = thread::scope(|scope| {
        let workers = 0..run.workers;
        let workers: Vec<_> = workers
            .map(|first| scope.spawn(move || sleepers(run, first, nap)))
            .collect();
        let late = workers.into_iter().map(|w| w.join().expect("no panic"));
        late.flatten().collect()
    });
    let late = Lateness::of(late);
    clock.stop().ms("time");
    late.tell();
}

/// The sleepers of one worker: what each was late by.
fn sleepers(run: Run, first: usize, nap: Duration) -> Vec<Duration> {
    let mine = (first..run.n).step_by(run.workers);
    let mut crew = Crew::new(mine.len(), 0);
    let mut heap = BinaryHeap::with_capacity(mine.len());
    let late = Rc::new(RefCell::new(Vec::with_capacity(mine.len())));
    for i in mine {
        let due = Instant::now() + sleep_times(i, run.n, Duration::from_secs(1));
        let late = late.clone();
        let member = crew.add(move || {
            late.borrow_mut().push(due.elapsed());
            0
        });
        heap.push(Reverse((due, member)));
        wake(&mut crew, &mut heap);
    }
    while let Some(next) = wake(&mut crew, &mut heap) {
        let time = next.saturating_duration_since(Instant::now());
        thread::park_timeout(time.max(nap));
    }
    late.take()
}

/// Switches onto all who are due. Who is next, if there is anybody.
fn wake(crew: &mut Crew, heap: &mut BinaryHeap<Reverse<(Instant, usize)>>) -> Option<Instant> {
    let now = Instant::now();
    while let Some(Reverse((due, member))) = heap.peek().copied() {
        if due > now {
            return Some(due);
        }
        heap.pop();
        crew.run(member);
    }
    None
}

/// One thread that sleeps to the next of all deadlines, and for so long at least, again and again: of ten sleepers, and of a
/// thousand.
pub fn sleeps(run: Run, nap: Duration) {
    for (size, metric) in sizes(run.n.min(1000)) {
        let rounds = rounds_of(2000, size);
        let span = Duration::from_millis(500) / rounds as u32;
        let time = |i: usize, round: usize| sleep_times(i + round, size, span);
        let clock = Clock::start();
        let mut now = Instant::now();
        let first = (0..size).map(|i| Reverse((now + time(i, 0), i, 0)));
        let mut heap: BinaryHeap<_> = first.collect();
        while let Some(Reverse((due, i, round))) = heap.pop() {
            while now < due {
                thread::park_timeout((due - now).max(nap));
                now = Instant::now();
            }
            if round + 1 < rounds {
                heap.push(Reverse((now + time(i, round + 1), i, round + 1)));
            }
        }
        clock.stop().cpu_per_op(&metric, size * rounds);
    }
}

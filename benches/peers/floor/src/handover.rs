//! Values from one stack to the next, and between two cores.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use race::{Clock, Run, prime};

use crate::crew::{AHEAD, Crew};

/// So many stacks, one after the other, all with the same code: the place that one returns to is the one that the next has left,
/// as the processor foretells it. Each turn puts a value where the next one takes it.
pub fn values(members: usize, turns: usize) {
    let places: Rc<[Cell<usize>]> = (0..members).map(|_| Cell::new(0)).collect();
    let (last, taken) = (turns - 1, places.clone());
    circle(members, turns, move |me, next| {
        let value = places[me].get();
        places[next].set(value + 1);
    });
    let at = (last + 1) % members;
    assert_eq!(taken[at].get(), turns, "each turn added one");
}

/// So many stacks, one after the other, and nothing more.
pub fn bare(members: usize, turns: usize) {
    circle(members, turns, |_, _| ());
}

/// `work` is told whose turn it is, and whose is next.
fn circle(members: usize, turns: usize, work: impl Fn(usize, usize) + Clone + 'static) {
    let left = Rc::new(Cell::new(turns));
    let mut crew = Crew::new(members, AHEAD);
    for me in 0..members {
        let (left, work, next) = (left.clone(), work.clone(), (me + 1) % members);
        crew.add(move || {
            work(me, next);
            left.set(left.get() - 1);
            match left.get() {
                0 => 0,
                _ => next + 1,
            }
        });
    }
    crew.run(1);
    assert_eq!(left.get(), 0);
}

/// Stacks in turn, on each worker's thread its share of them.
pub fn bare_on_all(run: Run, members: usize) {
    run.timed(|n| {
        thread::scope(|scope| {
            for _ in 0..run.workers {
                scope.spawn(|| bare((members / run.workers).max(2), n / run.workers));
            }
        });
    });
}

/// Two threads that never sleep, each of which waits for the other to write into a line of the cache.
pub fn two_cores(run: Run) {
    let cores = thread::available_parallelism().map_or(1, |n| n.get());
    assert!(run.workers > 1 && cores > 1, "this takes two cores");
    #[repr(align(128))]
    struct Line(AtomicUsize);
    let wait = |line: &Line, value| {
        let mut looks = 0_u32;
        while line.0.load(Ordering::Acquire) != value {
            looks += 1;
            match looks % 1024 {
                0 => thread::yield_now(), // the other may have lost its core
                _ => std::hint::spin_loop(),
            }
        }
    };
    run.timed(|n| {
        let (ping, pong) = (Line(AtomicUsize::new(0)), Line(AtomicUsize::new(0)));
        thread::scope(|scope| {
            scope.spawn(|| {
                for i in 1..=n {
                    wait(&ping, i);
                    pong.0.store(i, Ordering::Release);
                }
            });
            for i in 1..=n {
                ping.0.store(i, Ordering::Release);
                wait(&pong, i);
            }
        });
    });
}

/// The numbers one by one through a stack for each prime, each of which hands on what it does not divide.
pub fn sieve(run: Run) {
    let clock = Clock::start();
    let places: Rc<[Cell<u32>]> = (0..run.n + 2).map(|_| Cell::new(0)).collect();
    let primes = Rc::new(Cell::new(0));
    let mut crew = Crew::new(run.n, AHEAD);
    let (mut number, mut last) = (1, 0);
    while primes.get() < run.n {
        number += 1;
        places[1].set(number);
        let filters = primes.get();
        if filters > 0 {
            crew.run(1);
        }
        // The place behind the last filter.
        if places[filters + 1].replace(0) == number {
            last = number;
            primes.set(filters + 1);
            let (places, primes, me) = (places.clone(), primes.clone(), filters + 1);
            crew.add(move || {
                let i = places[me].get();
                if i % last == 0 {
                    return 0;
                }
                places[me + 1].set(i);
                if primes.get() == me { 0 } else { me + 1 }
            });
        }
    }
    clock.stop().ms("time");
    assert_eq!(last, prime(run.n));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_round() {
        values(3, 10);
        values(2, 7);
        bare(2, 5);
    }

    #[test]
    fn the_sieve_finds_the_primes() {
        sieve(Run { n: 60, workers: 1 });
    }
}

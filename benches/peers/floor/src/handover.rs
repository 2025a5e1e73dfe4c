//! Values from one stack to the next, and between two cores.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use race::{Clock, Run, prime};

use crate::crew::{AHEAD, Crew};

/// Stacks in a circle, all with the same code: the place that one returns to is the one that the next has left, as the processor
/// foretells it.
pub struct Circle {
    crew: Crew,
    left: Rc<Cell<usize>>,
}

impl Circle {
    /// `work` is told whose turn it is, and whose is next.
    fn new(members: usize, work: impl Fn(usize, usize) + Clone + 'static) -> Circle {
        let left = Rc::new(Cell::new(0));
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
        Circle { crew, left }
    }

    /// Each turn puts a value where the next one takes it.
    pub fn of_values(members: usize) -> Circle {
        let places: Rc<[Cell<usize>]> = (0..members).map(|_| Cell::new(0)).collect();
        Circle::new(members, move |me, next| {
            let value = places[me].get();
            places[next].set(value + 1);
        })
    }

    /// Nothing is done in a turn.
    pub fn bare(members: usize) -> Circle {
        Circle::new(members, |_, _| ())
    }

    /// So many turns, at least one.
    pub fn turns(&mut self, turns: usize) {
        self.left.set(turns);
        self.crew.run(1);
        assert_eq!(self.left.get(), 0);
    }
}

/// So many turns for each operation.
pub fn values(run: Run, members: usize, turns: usize) {
    let mut circle = Circle::of_values(members);
    run.timed(|n| circle.turns(turns * n));
}

pub fn bare(run: Run, members: usize) {
    let mut circle = Circle::bare(members);
    run.timed(|n| circle.turns(n));
}

/// On each worker's thread its share of the stacks.
pub fn bare_on_all(run: Run, members: usize) {
    let here = Barrier::new(run.workers + 1);
    let share = run.n / run.workers;
    thread::scope(|scope| {
        for _ in 0..run.workers {
            scope.spawn(|| {
                let mut circle = Circle::bare((members / run.workers).max(2));
                circle.turns(share / 10 + 1);
                here.wait();
                circle.turns(share);
                here.wait();
            });
        }
        // All are warm when the last one comes.
        here.wait();
        let clock = Clock::start();
        here.wait();
        clock.stop().per_op("time", run.n);
    });
}

/// One asks and one answers, by code of their own: so each switch returns to where the processor does not expect it.
pub fn two_codes(run: Run) {
    let [left, question, answer] = [(); 3].map(|()| Rc::new(Cell::new(0)));
    let mut crew = Crew::new(2, 0);
    let (asked, answered) = (question.clone(), answer.clone());
    crew.add({
        let left = left.clone();
        move || {
            asked.set(answered.get() + 1);
            left.set(left.get() - 1);
            if left.get() == 0 { 0 } else { 2 }
        }
    });
    crew.add(move || {
        answer.set(question.get());
        1
    });
    run.timed(|n| {
        left.set(n);
        crew.run(1);
    });
}

/// Looks until it is so. Never sleeps.
pub fn wait_until(is_so: impl Fn() -> bool) {
    let mut looks = 0_u32;
    while !is_so() {
        looks += 1;
        match looks % 1024 {
            0 => thread::yield_now(), // the other may have lost its core
            _ => std::hint::spin_loop(),
        }
    }
}

/// Two threads that never sleep, each of which waits for the other to write into a line of the cache.
pub fn two_cores(run: Run) {
    let cores = thread::available_parallelism().map_or(1, |n| n.get());
    if run.workers.min(cores) < 2 {
        eprintln!("it takes two cores, and {} was asked for", run.workers);
        std::process::exit(2);
    }
    #[repr(align(128))]
    struct Line(AtomicUsize);
    let wait = |line: &Line, value| wait_until(|| line.0.load(Ordering::Acquire) == value);
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
    fn a_circle_takes_its_turns_and_may_go_on() {
        let turns = Rc::new(Cell::new(0));
        let seen = turns.clone();
        let mut circle = Circle::new(3, move |me, next| {
            assert_eq!((me + 1) % 3, next);
            seen.set(seen.get() + 1);
        });
        circle.turns(10);
        circle.turns(1);
        assert_eq!(turns.get(), 11);
    }

    #[test]
    fn the_sieve_finds_the_primes() {
        sieve(Run { n: 60, workers: 1 });
    }
}

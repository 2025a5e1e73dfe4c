//! A mutex that eight want all the time: how long each waits, and what share each gets.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use waterway::sync::Mutex;
use waterway::{max_procs, scope, time, yield_now};

use crate::children;

const MEMBERS: usize = 8;
const SECONDS: &str = "WATERWAY_TEST_FAIR_SECONDS";
/// Nobody may wait longer, beside what the kernel lets a thread wait for a CPU.
const LONGEST: Duration = Duration::from_millis(10);

/// What one member saw.
#[derive(Clone, Copy, Default)]
struct Seen {
    turns: u64,
    longest: Duration,
}

/// Some work that the compiler can not leave out, about a nanosecond a step.
fn work(steps: u64) {
    let mut x = black_box(steps);
    for _ in 0..steps {
        x = black_box(x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 1);
    }
}

/// Locks, works, unlocks, works, until told to stop. It gives way by itself every millisecond, outside of the lock: what is
/// measured is the wait for the lock, not for the CPU when a time slice ends.
fn member(lock: &Mutex<u64>, steps: u64, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut slice = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let begin = Instant::now();
        if begin - slice > Duration::from_millis(1) {
            yield_now();
            slice = Instant::now();
            continue;
        }
        let mut count = lock.lock();
        let waited = begin.elapsed();
        *count += 1;
        work(steps);
        drop(count);
        work(steps);
        seen.longest = seen.longest.max(waited);
        seen.turns += 1;
        if waited > Duration::from_millis(1) {
            slice = Instant::now();
        }
    }
    seen
}

/// How late at most a thread is that sleeps for a millisecond, again and again: what the kernel does to threads here.
fn lateness(stop: &AtomicBool) -> Duration {
    let mut worst = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        let (begin, nap) = (Instant::now(), Duration::from_millis(1));
        std::thread::sleep(nap);
        worst = worst.max(begin.elapsed() - nap);
    }
    worst
}

fn compete(steps: u64, length: Duration) {
    let (lock, stop) = (Mutex::new(0), Arc::new(AtomicBool::new(false)));
    let watched = stop.clone();
    let late = std::thread::spawn(move || lateness(&watched));
    let seen: Vec<Seen> = scope(|s| {
        let members: Vec<_> = (0..MEMBERS)
            .map(|_| s.go(|| member(&lock, steps, &stop)))
            .collect();
        time::sleep(length);
        stop.store(true, Ordering::Relaxed);
        members.into_iter().map(|m| m.join().unwrap()).collect()
    });
    let all: u64 = seen.iter().map(|s| s.turns).sum();
    assert_eq!(all, *lock.lock());
    let share = |s: &Seen| format!("{:.1}", 100.0 * s.turns as f64 / all as f64);
    let late = late.join().unwrap();
    let longest = |s: &Seen| format!("{:.1}", s.longest.as_secs_f64() * 1000.0);
    println!(
        "{} workers, {steps} steps inside and outside: {all} turns; shares in %: {}; longest waits in ms: {}; threads are late by {:.1}",
        max_procs(),
        seen.iter().map(share).collect::<Vec<_>>().join(" "),
        seen.iter().map(longest).collect::<Vec<_>>().join(" "),
        late.as_secs_f64() * 1000.0
    );
    let worst = seen.iter().map(|s| s.longest).max();
    let judged = std::env::var(SECONDS).is_ok();
    assert!(!judged || worst <= Some(LONGEST + late), "{worst:?}");
    assert!(seen.iter().all(|s| s.turns > 0), "somebody had no turn");
}

/// With short and with longer critical sections.
pub fn run() {
    let seconds = std::env::var(SECONDS).ok();
    let seconds = seconds.map_or(0.2, |s| {
        s.parse().expect("WATERWAY_TEST_FAIR_SECONDS: a number")
    });
    for steps in [10, 20_000] {
        compete(steps, Duration::from_secs_f64(seconds));
    }
}

/// Everybody has turns, whatever the machine does meanwhile.
#[test]
fn each_of_eight_has_turns() {
    for workers in ["1", "2", "8"] {
        children::run("fair", &[("WATERWAY_MAX_PROCS", workers)]);
    }
}

/// Prints who waited how long, and fails if anybody waited for 10 ms more than threads wait for a CPU. In release,
/// `WATERWAY_TEST_FAIR_SECONDS=60 cargo test --release -p waterway --test stress -- --ignored --nocapture fair_for_a_minute`.
#[test]
#[ignore = "long, and wants the machine for itself"]
fn fair_for_a_minute() {
    let seconds = std::env::var(SECONDS).unwrap_or_else(|_| "60".into());
    for workers in ["1", "2", "8"] {
        let env = [("WATERWAY_MAX_PROCS", workers), (SECONDS, &seconds)];
        print!("{}", children::output("fair", &env));
    }
}

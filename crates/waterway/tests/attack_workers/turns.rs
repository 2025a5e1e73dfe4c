//! Attacks on turns: of those who wait behind goroutines without end, behind a held worker, or in a line whose first cannot come.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waterway::sync::Mutex;
use waterway::time::sleep;
use waterway::{Builder, JoinHandle, chan, go, go_local, watch, yield_now};

use super::child::{SOON, run};
use super::{QUIET, compute, join_soon};

pub fn run_program(program: &str) {
    match program {
        "behind_one_who_never_rests" => behind_one_who_never_rests(),
        "from_outside_to_a_full_queue" => from_outside_to_a_full_queue(),
        "ten_in_order" => ten_in_order(),
        "before_those_without_end" => before_those_without_end(),
        "behind_locals_without_end" => behind_locals_without_end(),
        "caught_behind_one_who_gives_way" => caught_behind_one_who_gives_way(),
        "near_one_who_is_caught" => near_one_who_is_caught(),
        "partners_behind_a_held_worker" => partners_behind_a_held_worker(),
        "timer_beside_long_turns" => timer_beside_long_turns(),
        "first_in_line_behind_who_computes" => first_in_line_behind_a_held_worker(false),
        "first_in_line_behind_who_unlocked" => first_in_line_behind_a_held_worker(true),
        other => panic!("no program {other:?}"),
    }
}

/// Attack: ten goroutines without end, each of which starts its successor, so that the worker has always some that have not started.
/// Meanwhile another worker is held, before one that has not started either.
/// Outcome: that one is taken over.
pub fn who_waits_behind_a_held_worker_is_found_beside_busy_ones() {
    run(
        "behind_one_who_never_rests",
        &[("WATERWAY_MAX_PROCS", "2"), QUIET],
    )
    .code(0);
}

/// Turns that those had who go on for ever.
static TURNS: AtomicUsize = AtomicUsize::new(0);

/// Starts goroutines on the calling goroutine's worker without end, each by the one before.
pub fn relay() {
    TURNS.fetch_add(1, Ordering::Relaxed);
    go(relay);
}

/// The same, of goroutines that stay there.
fn local_relay() {
    TURNS.fetch_add(1, Ordering::Relaxed);
    go_local(local_relay);
}

/// Fails if others have very many turns before goroutines that `start` starts, which give their number. (Many they may have, if the
/// caller has no CPU just as it is about to start one.)
#[track_caller]
fn starts_soon(start: impl Fn() -> JoinHandle<usize>) {
    let wait = |_| {
        let before = turns();
        join_soon(start()) - before
    };
    let waits: Vec<usize> = (0..3).map(wait).collect();
    let few = waits.iter().sum::<usize>() < 20_000_000;
    assert!(few, "turns of others before each started: {waits:?}");
}

/// How many turns others had until now.
fn turns() -> usize {
    TURNS.load(Ordering::Relaxed)
}

/// The handle of a goroutine on the worker of that number.
fn on_worker(index: usize) -> JoinHandle<()> {
    loop {
        let name = || std::thread::current().name().map(String::from);
        let (tx, rx) = std::sync::mpsc::channel();
        let handle = Builder::new().spread().go(move || tx.send(name()).unwrap());
        if rx.recv().unwrap() == Some(format!("waterway-{index}")) {
            return handle;
        }
    }
}

fn behind_one_who_never_rests() {
    let busy = on_worker(0);
    (0..10).for_each(|_| drop(Builder::new().near(&busy).go(relay)));
    for _ in 0..8 {
        let held = Builder::new().near(&on_worker(1)).go(|| {
            let waits = go(|| ());
            let begin = Instant::now();
            while !waits.is_finished() && begin.elapsed() < SOON / 2 {
                black_box(());
            }
            waits.is_finished()
        });
        assert!(join_soon(held), "nobody took it over");
    }
}

/// Attack: the queue of the one worker is never empty, since each of its goroutines starts another. A thread starts one.
/// Outcome: it has its turn.
pub fn who_comes_from_outside_has_a_turn() {
    run(
        "from_outside_to_a_full_queue",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn from_outside_to_a_full_queue() {
    (0..10).for_each(|_| drop(go(relay)));
    std::thread::sleep(Duration::from_millis(5));
    starts_soon(|| go(turns));
}

/// Attack: goroutines that start ten others and wait for them. (If the worker has no CPU for long, a spare takes its part, and some are
/// started elsewhere: so this is tried often.)
/// Outcome: the last one started comes first, so that a tree of goroutines is gone through in depth, with few alive at once.
pub fn the_last_one_started_comes_first() {
    run("ten_in_order", &[("WATERWAY_MAX_PROCS", "1"), QUIET]).code(0);
}

fn ten_in_order() {
    let order = || {
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let ten = (0..10).map(|n| {
            let order = order.clone();
            go(move || order.lock().unwrap().push(n))
        });
        let ten: Vec<_> = ten.collect();
        ten.into_iter().for_each(|one| one.join().unwrap());
        Arc::into_inner(order).unwrap().into_inner().unwrap()
    };
    let mut all = (0..1000).map(|_| join_soon(go(order)));
    let expected: Vec<_> = (0..10).rev().collect();
    assert!(all.any(|order| order == expected));
}

/// Attack: a goroutine starts one, and then others that start their successors without end, and waits. What was started last comes first.
/// Outcome: the oldest has its turn, and so has the end of a crowd.
pub fn who_was_started_before_those_without_end_has_a_turn() {
    run(
        "before_those_without_end",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn before_those_without_end() {
    let before = |crowd: usize| {
        (0..crowd).for_each(|_| drop(go(|| ())));
        let first = go(turns);
        (0..10).for_each(|_| drop(go(relay)));
        first
    };
    join_soon(go(move || starts_soon(|| before(0))));
    join_soon(go(move || starts_soon(|| before(1000))));
}

/// Attack: a queue of new goroutines is never empty, by those that must stay where they are.
/// Outcome: the others have their turn.
pub fn who_may_go_elsewhere_has_a_turn_beside_those_who_must_stay() {
    run(
        "behind_locals_without_end",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn behind_locals_without_end() {
    go(|| (0..10).for_each(|_| drop(go_local(local_relay))));
    std::thread::sleep(Duration::from_millis(5));
    starts_soon(|| go(turns));
}

/// Attack: a goroutine of a site that was caught gives way again and again, on the one worker that is kept for such sites. The site
/// starts another.
/// Outcome: it starts too.
pub fn a_caught_site_starts_others_beside_one_who_gives_way() {
    run(
        "caught_behind_one_who_gives_way",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn caught_behind_one_who_gives_way() {
    let caught = |how: u8| {
        go(move || match how {
            0 => {
                let waits = go_local(|| ());
                compute(Duration::from_millis(150));
                waits.join().unwrap();
                0
            }
            1 => loop {
                TURNS.fetch_add(1, Ordering::Relaxed);
                yield_now();
            },
            _ => turns(),
        })
    };
    join_soon(caught(0));
    drop(caught(1));
    std::thread::sleep(Duration::from_millis(20));
    starts_soon(|| caught(2));
}

/// Attack: a goroutine is started near one of a caught site, which holds its worker. The others are never without work.
/// Outcome: it starts all the same.
pub fn who_waits_behind_a_held_worker_apart_is_found_beside_busy_ones() {
    run(
        "near_one_who_is_caught",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn near_one_who_is_caught() {
    let (tx, rx) = std::sync::mpsc::channel();
    let caught = |holds: bool| {
        let tx = tx.clone();
        go(move || {
            if holds {
                let waits = go_local(|| ());
                compute(Duration::from_millis(150));
                return waits.join().unwrap();
            }
            tx.send(()).unwrap();
            compute(Duration::from_secs(60));
        })
    };
    join_soon(caught(true));
    let holds = caught(false);
    rx.recv().unwrap();
    (0..2).for_each(|_| drop(go(relay)));
    join_soon(Builder::new().near(&holds).go(|| ()));
}

/// Attack: several goroutines that live on one worker are first in line at a mutex, others behind them. As it is unlocked, another has
/// that worker to itself; or it unlocks the mutex and then goes on. So the first is woken, or handed the mutex, and cannot come.
/// Outcome: those behind them have their turn.
pub fn a_line_goes_on_without_who_cannot_come() {
    for program in [
        "first_in_line_behind_who_computes",
        "first_in_line_behind_who_unlocked",
    ] {
        run(program, &[("WATERWAY_MAX_PROCS", "2"), QUIET]).code(0);
    }
}

fn first_in_line_behind_a_held_worker(by_who_unlocks: bool) {
    static LOCK: Mutex<u32> = Mutex::new(0);
    static COMPUTES: AtomicBool = AtomicBool::new(false);
    static OVER: AtomicBool = AtomicBool::new(false);
    let guard = (!by_who_unlocks).then(|| LOCK.lock());
    let (in_line, first_wait) = chan(0);
    let (go_on, told) = chan(0);
    let holder = go(move || {
        let guard = by_who_unlocks.then(|| LOCK.lock());
        let first = [0, 1, 2].map(|before| {
            let who = go_local(|| *LOCK.lock() += 1);
            while waiting_for_a_mutex() <= before {
                yield_now();
            }
            who
        });
        in_line.send(()).unwrap();
        told.recv().unwrap();
        drop(guard);
        COMPUTES.store(true, Ordering::SeqCst);
        while !OVER.load(Ordering::SeqCst) {
            black_box(());
        }
        assert!(first.iter().all(|who| !who.is_finished()));
        first.into_iter().for_each(|who| who.join().unwrap());
    });
    first_wait.recv().unwrap();
    let others = [3, 4].map(|before| {
        let who = std::thread::spawn(|| *LOCK.lock() += 1);
        while waiting_for_a_mutex() <= before {
            std::thread::sleep(Duration::from_micros(50));
        }
        who
    });
    go_on.send(()).unwrap();
    while !COMPUTES.load(Ordering::SeqCst) {
        std::hint::spin_loop();
    }
    drop(guard);
    let begin = Instant::now();
    while !others.iter().all(|who| who.is_finished()) {
        assert!(begin.elapsed() < SOON, "the line stands");
        std::thread::sleep(Duration::from_micros(50));
    }
    OVER.store(true, Ordering::SeqCst);
    join_soon(holder);
    assert_eq!(*LOCK.lock(), 5);
}

/// How many goroutines and threads wait for one.
fn waiting_for_a_mutex() -> usize {
    let mut dump = Vec::new();
    watch::dump(&mut dump).unwrap();
    let dump = String::from_utf8(dump).unwrap();
    dump.matches("[sync.Mutex.Lock").count()
}

/// Attack: many goroutines that compute for less than a time slice, and then give way. Another sleeps for a moment.
/// Outcome: it wakes long before all of them have had many turns.
pub fn timers_are_looked_at_beside_long_turns() {
    run(
        "timer_beside_long_turns",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn timer_beside_long_turns() {
    for _ in 0..4 {
        go(|| {
            loop {
                compute(Duration::from_millis(8));
                TURNS.fetch_add(1, Ordering::Relaxed);
                yield_now();
            }
        });
    }
    let sleeper = go(|| {
        let asleep = |_| {
            let before = turns();
            sleep(Duration::from_millis(1));
            turns() - before
        };
        // The first sleeps begin at any point of the round.
        (0..10).map(asleep).skip(2).min()
    });
    let least = join_soon(sleeper).unwrap();
    assert!(least < 15, "always asleep for {least} turns of 8 ms");
}

/// Attack: a goroutine holds the only worker there may be, behind four that it spawned, until another one stands in and has started the
/// first of them. Then it lets go, and has another turn before the others have started.
/// Outcome: they start where the first did, not where it is idle now: they may hand over to each other.
pub fn who_waits_behind_a_held_worker_is_taken_over_together() {
    run(
        "partners_behind_a_held_worker",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn partners_behind_a_held_worker() {
    let stay_together = |_: usize| {
        let [first, again] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let holder = go(move || {
            let all = [(); 4].map(|()| {
                let (first, again) = (first.clone(), again.clone());
                go(move || {
                    first.store(true, Ordering::Relaxed);
                    while !again.load(Ordering::Relaxed) {
                        yield_now();
                    }
                    std::thread::current().id()
                })
            });
            while !first.load(Ordering::Relaxed) {
                black_box(());
            }
            yield_now();
            again.store(true, Ordering::Relaxed);
            all
        });
        let mut threads = join_soon(holder).map(join_soon).into_iter();
        let first = threads.next();
        threads.all(|other| Some(other) == first)
    };
    // Not each time: whoever spawns them may have no CPU just then.
    assert!((0..3).any(stay_together));
}

//! Goroutines that come and go, the stacks that they leave to each other, and timers.

use std::hint::black_box;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use waterway::sync::WaitGroup;
use waterway::time::{Timer, after, sleep};
use waterway::{Builder, blocking, chan, go, yield_now};

use crate::{LONG, SHORT, repeat, within};

/// Spawns a goroutine that spawns `width` others, and so on. Some wait, some panic.
fn grow(id: usize, depth: usize, width: usize, born: &Arc<AtomicUsize>, group: &WaitGroup) {
    born.fetch_add(1, Ordering::Relaxed);
    let (mine, also) = (born.clone(), group.clone());
    group.add(1);
    let handle = go(move || {
        if depth > 0 {
            (0..width).for_each(|n| grow(id * width + n, depth - 1, width, &mine, &also));
        }
        match id % 5 {
            0 => yield_now(),
            1 => sleep(Duration::from_micros(id as u64 % 300)),
            _ => {}
        }
        also.done();
        if id % 6 == 3 {
            // Without the hook: nothing is printed.
            resume_unwind(Box::new(id));
        }
        id
    });
    if id.is_multiple_of(3) {
        let result = handle.join();
        let id_of = |panic: Box<dyn std::any::Any + Send>| *panic.downcast::<usize>().unwrap();
        assert_eq!(result.unwrap_or_else(id_of), id);
    }
}

fn storm(width: usize) -> usize {
    let born = Arc::new(AtomicUsize::new(0));
    let group = WaitGroup::new();
    let threads: Vec<_> = (0..4)
        .map(|seed| {
            let (born, group) = (born.clone(), group.clone());
            thread::spawn(move || grow(seed, 3, width, &born, &group))
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    group.wait();
    let wanted = 4 * (1 + width + width * width + width * width * width);
    assert_eq!(born.load(Ordering::Relaxed), wanted);
    wanted
}

#[test]
fn spawn_and_exit_storms() {
    within(LONG, || repeat(SHORT, |_| _ = storm(6)));
}

#[test]
#[ignore = "long: ten million goroutines"]
fn ten_million_goroutines_come_and_go() {
    within(30 * LONG, || {
        let mut count = 0;
        while count < 10_000_000 {
            count += storm(20);
        }
        println!("{count} goroutines");
    });
}

/// Fills its frames with the goroutine's number, lets others run, and looks whether all is still there.
#[inline(never)]
fn canary(id: u64, depth: u64) {
    let mut block = [0u64; 48];
    for (index, word) in block.iter_mut().enumerate() {
        *word = id << 16 | depth << 8 | index as u64;
    }
    black_box(&mut block);
    match depth {
        0 => give_way(id),
        _ => canary(id, depth - 1),
    }
    for (index, word) in black_box(&block).iter().enumerate() {
        assert_eq!(
            *word,
            id << 16 | depth << 8 | index as u64,
            "the stack of {id}"
        );
    }
}

fn give_way(id: u64) {
    match id % 16 {
        0 => sleep(Duration::from_micros(id % 500)),
        1 => assert_eq!(blocking(|| id + 1), id + 1),
        2 | 3 => {
            let (tx, rx) = chan(0);
            drop(go(move || {
                canary(id ^ 0xffff, 7);
                tx.send(id).unwrap();
            }));
            assert_eq!(rx.recv(), Ok(id));
        }
        4 => {
            after(Duration::from_micros(id % 300)).recv().unwrap();
        }
        _ => yield_now(),
    }
}

fn canaries(goroutines: u64) {
    let handles: Vec<_> = (0..goroutines)
        .map(|id| {
            // Two sizes of stacks, each with stacks of its own to pass on.
            let size = if id % 3 == 0 { 192 << 10 } else { 256 << 10 };
            Builder::new().stack_size(size).go(move || {
                for round in 0..3 {
                    canary(id * 3 + round, 5 + id % 20);
                }
            })
        })
        .collect();
    handles
        .into_iter()
        .for_each(|handle| handle.join().unwrap());
}

#[test]
fn stacks_are_passed_on_and_never_shared() {
    within(LONG, || repeat(SHORT, |_| canaries(500)));
}

/// Half of the timers are stopped. The others fire once, and not too early.
fn timers(count: u64) {
    let begin = Instant::now();
    let span = Duration::from_micros(count + 20_000);
    let timers: Vec<_> = (0..count)
        .map(|n| {
            let time = Duration::from_micros(n * 7919 % span.as_micros() as u64);
            (Instant::now() + time, Timer::new(time))
        })
        .collect();
    let (stopped, kept): (Vec<_>, Vec<_>) =
        (timers.into_iter().enumerate()).partition(|(n, _)| n % 2 == 0);
    let mut in_time = 0;
    for (_, (due, timer)) in &stopped {
        let sooner = Instant::now() < *due;
        let stops = timer.stop();
        assert!(stops || !sooner, "a timer that was not due had fired");
        in_time += usize::from(stops);
        assert!(timer.channel().is_empty());
    }
    for (_, (due, timer)) in &kept {
        let at = timer.channel().recv_timeout(LONG).unwrap();
        assert!(at >= *due && Instant::now() >= *due);
        assert!(!timer.stop());
    }
    for (_, (_, timer)) in stopped.iter().chain(&kept) {
        assert!(timer.channel().try_recv().unwrap_err().is_empty());
    }
    println!(
        "{count} timers in {:.1?}, {in_time} stopped before they fired",
        begin.elapsed()
    );
}

#[test]
fn half_of_the_timers_are_stopped() {
    within(LONG, || timers(50_000));
}

#[test]
#[ignore = "long: a million timers; run it with --release"]
fn half_of_a_million_timers_are_stopped() {
    within(10 * LONG, || timers(1_000_000));
}

/// Timers that are set anew again and again, about when they fire: nothing of an earlier setting is ever received.
fn set_anew(seed: u64) {
    let timer = Timer::new(Duration::ZERO);
    let mut fired = 0;
    for round in 0..400 {
        let time = Duration::from_micros((seed * 31 + round * 17) % 90);
        let set = Instant::now();
        timer.reset(time);
        match (seed + round) % 3 {
            0 => {
                let at = timer.channel().recv_timeout(LONG).unwrap();
                assert!(at >= set + time, "an earlier setting fired");
                fired += 1;
            }
            1 => _ = timer.channel().recv_timeout(time),
            _ => _ = blocking(|| set.elapsed()),
        }
        if round % 2 == 0 {
            timer.stop();
            assert!(timer.channel().try_recv().is_err(), "received after stop");
            yield_now();
            assert!(timer.channel().try_recv().is_err(), "received after stop");
        }
    }
    assert!(fired > 100);
}

#[test]
fn timers_that_are_set_anew_say_nothing_of_before() {
    within(LONG, || {
        repeat(SHORT, |_| {
            let goroutines: Vec<_> = (0..6).map(|seed| go(move || set_anew(seed))).collect();
            let threads: Vec<_> = (6..9)
                .map(|seed| thread::spawn(move || set_anew(seed)))
                .collect();
            goroutines
                .into_iter()
                .for_each(|handle| handle.join().unwrap());
            threads
                .into_iter()
                .for_each(|handle| handle.join().unwrap());
        });
    });
}

/// A timer that several use at once: however it is set and stopped meanwhile, when the last has stopped it, it is silent.
#[test]
fn a_timer_that_many_set_and_stop_ends_silent() {
    within(LONG, || {
        repeat(SHORT, |_| {
            let timer = Arc::new(Timer::new(Duration::ZERO));
            let users: Vec<_> = (0..4u64)
                .map(|user| {
                    let timer = timer.clone();
                    thread::spawn(move || {
                        for round in 0..300 {
                            match (user + round) % 4 {
                                0 => _ = timer.stop(),
                                1 => _ = timer.channel().try_recv(),
                                _ => _ = timer.reset(Duration::from_micros(round % 40)),
                            }
                        }
                    })
                })
                .collect();
            users.into_iter().for_each(|user| user.join().unwrap());
            timer.stop();
            let silent = timer.channel().recv_timeout(Duration::from_millis(2));
            assert!(silent.unwrap_err().is_timeout());
            timer.reset(Duration::from_micros(10));
            timer.channel().recv_timeout(LONG).unwrap();
        });
    });
}

#[test]
fn sleepers_wake_in_their_order() {
    within(LONG, || {
        repeat(SHORT, |_| {
            let (tx, rx) = chan(1000);
            for n in 0..1000u64 {
                let tx = tx.clone();
                drop(go(move || {
                    let time = Duration::from_micros(n * 7919 % 20_000);
                    let begin = Instant::now();
                    sleep(time);
                    tx.send(begin.elapsed() >= time).unwrap();
                }));
            }
            drop(tx);
            let all: Vec<bool> = rx.iter().collect();
            assert!(all.len() == 1000 && all.iter().all(|fits| *fits));
        });
    });
}

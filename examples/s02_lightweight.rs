//! S2: goroutines are far lighter than threads.
//!
//! A million goroutines (fewer where memory is short, or, before Linux 6.13, mappings) wait on one channel at the same time; then the channel is closed
//! and all of them end. Before them, measured the same way, a thousand threads of the operating system.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use waterway::sync::Barrier;
use waterway::{chan, go, num_goroutines, time};
use waterway_examples::{available_bytes, mappings, most_mappings, resident_bytes};

const WANTED: usize = 1_000_000;
const THREADS: usize = 1_000;

/// Parks a thousand threads, then a million goroutines, and measures both.
#[waterway::main]
pub fn main() {
    threads();
    let count = affordable();
    if count < WANTED {
        println!("# memory or mappings are short: fewer than a million goroutines");
    }
    let mappings_before = mappings();
    let (before, start) = (resident_bytes(), Instant::now());

    // tour:begin
    static WAITING: AtomicUsize = AtomicUsize::new(0);
    let (open, gate) = chan::<()>(0);
    for _ in 0..count {
        let gate = gate.clone();
        go(move || {
            WAITING.fetch_add(1, Ordering::Relaxed);
            gate.recv() // until the channel is closed
        });
    }
    while WAITING.load(Ordering::Relaxed) < count {
        time::sleep(Duration::from_millis(1));
    }
    // tour:end

    let (peak, spent) = (resident_bytes(), start.elapsed());
    println!("goroutines={count}");
    println!("bytes_each={}", peak.saturating_sub(before) / count);
    println!("us_each={:.2}", micros_each(spent, count));
    println!(
        "new_mappings={}",
        mappings().saturating_sub(mappings_before)
    );

    let (others, start) = (num_goroutines() - count, Instant::now());
    open.close();
    while num_goroutines() > others {
        time::sleep(Duration::from_millis(1));
    }
    println!("us_each_to_end={:.2}", micros_each(start.elapsed(), count));
    println!("memory_left_percent={}", settled(peak) * 100 / peak);
    println!("all goroutines ended");
}

/// As many goroutines as memory has room for (6 KiB each, 32 KiB where a debug build has larger frames and stacks), and as many as there
/// may be mappings for.
fn affordable() -> usize {
    let each = if cfg!(debug_assertions) { 32 } else { 6 } * 1024;
    let in_memory = available_bytes() / 4 * 3 / each;
    WANTED.min(in_memory).min(mappable())
}

/// Before Linux 6.13 each stack takes mappings of its own, of which a process may have so many. Told by a few that wait.
fn mappable() -> usize {
    const FEW: usize = 256;
    let before = mappings();
    let (all_wait, may_end) = (Barrier::new(FEW + 1), Barrier::new(FEW + 1));
    let taken = waterway::scope(|s| {
        for _ in 0..FEW {
            s.go(|| {
                all_wait.wait();
                may_end.wait();
            });
        }
        all_wait.wait();
        let taken = mappings().saturating_sub(before);
        may_end.wait();
        taken
    });
    match taken / FEW {
        0 => usize::MAX,
        each => most_mappings().saturating_sub(before) / 10 * 9 / each,
    }
}

/// Memory once the goroutines are gone: as soon as it is below a tenth of the peak, or after five seconds.
fn settled(peak: usize) -> usize {
    let start = Instant::now();
    while resident_bytes() > peak / 10 && start.elapsed() < Duration::from_secs(5) {
        time::sleep(Duration::from_millis(20));
    }
    resident_bytes()
}

/// The same with threads of the operating system. (Their stacks in the kernel, 16 KiB each, come on top.)
fn threads() {
    let all = Arc::new(std::sync::Barrier::new(THREADS + 1));
    let (before, start) = (resident_bytes(), Instant::now());
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let all = Arc::clone(&all);
            thread::spawn(move || {
                all.wait(); // all have started
                all.wait(); // all may end
            })
        })
        .collect();
    all.wait();
    let (spent, held) = (start.elapsed(), resident_bytes().saturating_sub(before));
    all.wait();
    for thread in threads {
        thread.join().expect("no panic");
    }
    println!("threads={THREADS}");
    println!("thread_bytes_each={}", held / THREADS);
    println!("thread_us_each={:.2}", micros_each(spent, THREADS));
}

fn micros_each(spent: Duration, count: usize) -> f64 {
    spent.as_secs_f64() * 1e6 / count as f64
}

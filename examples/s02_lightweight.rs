//! S2: goroutines are far lighter than threads. Parks a million of them on one channel (fewer where memory is short) and
//! says what each costs, beside OS threads measured the same way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waterway::sync::WaitGroup;
use waterway::{Receiver, chan};

/// Prints a line of figures for each kind, and one for what remains afterwards.
pub fn main() {
    let (threads, each) = (500, memory());
    let begin = Instant::now();
    let (gate, parked) = chan::<()>(0);
    let handles: Vec<_> = (0..threads)
        .map(|_| {
            let parked = parked.clone();
            std::thread::spawn(move || parked.recv())
        })
        .collect();
    let made = begin.elapsed();
    // Threads have not all touched their stacks yet: this flatters them.
    println!(
        "threads={threads} bytes_each={} ns_each={}",
        memory().saturating_sub(each) / threads,
        made.as_nanos() as usize / threads
    );
    drop(gate);
    handles.into_iter().for_each(|h| drop(h.join()));

    let wanted = 1_000_000;
    let (memory, mappings) = (available() / 2 / 5_000, mappings_allow());
    if memory.min(mappings) < wanted {
        println!("of {wanted}, {memory} fit into half of the free memory, {mappings} into the kernel's mappings");
    }
    park(wanted.min(memory).min(mappings));
}

fn park(count: usize) {
    let before = memory();
    let begin = Instant::now();
    // tour:begin
    let (gate, parked) = chan::<()>(0);
    let started = Arc::new(AtomicUsize::new(0));
    let group = WaitGroup::new();
    for _ in 0..count {
        let (parked, started): (Receiver<()>, _) = (parked.clone(), started.clone());
        group.go(move || {
            started.fetch_add(1, Ordering::Relaxed);
            let _ = parked.recv(); // until the gate is dropped
        });
    }
    // tour:end
    while started.load(Ordering::Relaxed) < count {
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = begin.elapsed();
    let peak = memory();
    println!(
        "goroutines={count} bytes_each={} ns_each={} mappings={}",
        (peak - before) / count,
        took.as_nanos() as usize / count,
        std::fs::read_to_string("/proc/self/maps").map_or(0, |m| m.lines().count())
    );
    drop(gate);
    group.wait();
    let begin = Instant::now();
    while memory() > peak / 10 && begin.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("peak={peak} after={} after_ms={}", memory(), begin.elapsed().as_millis());
}

/// Resident memory and page tables, in bytes.
fn memory() -> usize {
    field("/proc/self/status", "VmRSS:") + field("/proc/self/status", "VmPTE:")
}

/// Before Linux 6.13 the guard below each stack takes two mappings.
fn mappings_allow() -> usize {
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    let release = read("/proc/sys/kernel/osrelease");
    let mut version = release.split('.').map(|n| n.parse().unwrap_or(0));
    if (version.next(), version.next()) >= (Some(6), Some(13)) {
        return usize::MAX;
    }
    read("/proc/sys/vm/max_map_count").trim().parse().map_or(30_000, |n: usize| n / 2 - n / 16)
}

fn available() -> usize {
    field("/proc/meminfo", "MemAvailable:")
}

fn field(file: &str, name: &str) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0) * 1024
}

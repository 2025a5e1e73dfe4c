//! x
use std::sync::Arc;
use std::sync::atomic::*;
use std::time::*;
use waterway::sync::*;
use waterway::*;
fn mem() -> (usize, usize) {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    let f = |n: &str| {
        s.lines()
            .find(|l| l.starts_with(n))
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<usize>()
            .unwrap()
            * 1024
    };
    (f("VmRSS:"), f("VmPTE:"))
}
fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let b = mem();
    let gate = WaitGroup::new();
    gate.add(1);
    let c = Arc::new(AtomicUsize::new(0));
    let wg = WaitGroup::new();
    let t = Instant::now();
    for _ in 0..n {
        let (g, c) = (gate.clone(), c.clone());
        wg.go(move || {
            c.fetch_add(1, Ordering::Relaxed);
            g.wait();
        });
    }
    let t1 = t.elapsed();
    while c.load(Ordering::Relaxed) < n {
        std::thread::yield_now()
    }
    let t2 = t.elapsed();
    std::thread::sleep(Duration::from_millis(100));
    let p = mem();
    println!(
        "{n}: spawn {:?} all parked {:?}; bytes each {} (rss {} pte {}), maps {}",
        t1,
        t2,
        (p.0 + p.1 - b.0 - b.1) / n,
        (p.0 - b.0) / n,
        (p.1 - b.1) / n,
        std::fs::read_to_string("/proc/self/maps")
            .unwrap()
            .lines()
            .count()
    );
    let c0 = cpu();
    std::thread::sleep(Duration::from_secs(2));
    println!("idle cpu ticks in 2 s: {}", cpu() - c0);
    let t = Instant::now();
    gate.done();
    wg.wait();
    println!("woken and finished {:?}", t.elapsed());
    let t = Instant::now();
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        let q = mem();
        if (q.0 + q.1) * 10 < p.0 + p.1 {
            println!("after {:?}: {} of {}", t.elapsed(), q.0 + q.1, p.0 + p.1);
            break;
        }
    }
    let q = mem();
    println!("end {q:?}");
}
fn cpu() -> u64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit_once(')').unwrap().1.split_whitespace().collect();
    f[11].parse::<u64>().unwrap() + f[12].parse::<u64>().unwrap()
}

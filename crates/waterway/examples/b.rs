//! x
use std::time::*;
use waterway::sync::*;
use waterway::*;
fn main() {
    for _ in 0..3 {
        let t = Instant::now();
        go(|| {
            for _ in 0..300 {
                let wg = WaitGroup::new();
                wg.add(1000);
                for _ in 0..1000 {
                    let w = wg.clone();
                    drop(go(move || w.done()));
                }
                wg.wait();
            }
        })
        .join()
        .unwrap();
        println!("spawn_join batch: {} ns", t.elapsed().as_nanos() / 300_000);
        let t = Instant::now();
        go(|| {
            for _ in 0..1_000_000 {
                yield_now();
            }
        })
        .join()
        .unwrap();
        println!("yield: {} ns", t.elapsed().as_nanos() / 1_000_000);
        let t = Instant::now();
        go(|| {
            for _ in 0..100_000 {
                go(|| ()).join().unwrap();
            }
        })
        .join()
        .unwrap();
        println!(
            "go+join one at a time: {} ns",
            t.elapsed().as_nanos() / 100_000
        );
        let t = Instant::now();
        let m = Mutex::new(0);
        for _ in 0..10_000_000 {
            *m.lock() += 1;
        }
        println!(
            "mutex: {:.1} ns (thread)",
            t.elapsed().as_nanos() as f64 / 1e7
        );
        go(move || {
            let t = Instant::now();
            for _ in 0..10_000_000 {
                *m.lock() += 1;
            }
            println!(
                "mutex: {:.1} ns (goroutine)",
                t.elapsed().as_nanos() as f64 / 1e7
            );
        })
        .join()
        .unwrap();
    }
    let t = Instant::now();
    let wg = WaitGroup::new();
    let n = 1_000_000;
    wg.add(n);
    for _ in 0..n {
        let w = wg.clone();
        drop(go(move || w.done()));
    }
    wg.wait();
    println!("burst from main {} ns", t.elapsed().as_nanos() / n as u128);
    let (u0, t0) = cpu();
    std::thread::sleep(Duration::from_secs(1));
    let (u1, _) = cpu();
    println!("idle cpu {} ticks of 100 {}", u1 - u0, t0);
}
fn cpu() -> (u64, u64) {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (
        f[11].parse::<u64>().unwrap() + f[12].parse::<u64>().unwrap(),
        0,
    )
}

//! Programs about scheduling, for which Go sets `GOMAXPROCS`. Go: `runtime/proc_test.go`.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waterway::time::sleep;
use waterway::{Sender, chan, go, num_goroutines, select, yield_now};

pub const PROGRAMS: &[(&str, fn())] = &[
    ("parallelism", parallelism),
    ("parallelism_nested", parallelism_nested),
    ("preemption", preemption),
    ("async_preempt", async_preempt),
    ("ping_pong_hog", || {
        // For so many turns that each pair had its share, however little of a CPU there was in a second.
        ping_pong_hog(|time, hog, _| time > Duration::from_secs(1) && hog > 150 * HOG);
    }),
    ("ping_pong_beside_hogs", || {
        ping_pong_hog(|_, hog, light| hog > 10 * HOG && light > 10 * LIGHT);
    }),
    ("num_goroutine", num_goroutine),
    ("selects_memory", selects_memory),
];

fn wait_for(x: &AtomicUsize, value: usize) {
    while x.load(Ordering::Acquire) != value {
        spin_loop();
    }
}

/// Three times each takes its turn, and spins until it comes: all must run at once.
fn take_turns(x: &AtomicUsize, own: usize, of: usize) {
    for round in 0..3 {
        wait_for(x, of * round + own);
        x.store(of * round + own + 1, Ordering::Release);
    }
}

/// Go: TestGoroutineParallelism.
fn parallelism() {
    const P: usize = 3;
    for _ in 0..3 {
        let x = Arc::new(AtomicUsize::new(0));
        let all = [0, 1, 2].map(|own| {
            let x = x.clone();
            go(move || take_turns(&x, own, P))
        });
        all.into_iter().for_each(|g| g.join().unwrap());
    }
    println!("OK");
}

/// Go: TestGoroutineParallelism2, with load before: all have run at once, and parked.
fn parallelism_nested() {
    const P: usize = 4;
    for _ in 0..3 {
        let load = Arc::new(AtomicUsize::new(0));
        let all: Vec<_> = (0..P)
            .map(|_| {
                let load = load.clone();
                go(move || {
                    load.fetch_add(1, Ordering::AcqRel);
                    wait_for(&load, P);
                })
            })
            .collect();
        all.into_iter().for_each(|g| g.join().unwrap());
        let x = Arc::new(AtomicUsize::new(0));
        let (done, finished) = chan(0);
        for outer in 0..P / 2 {
            let (x, done) = (x.clone(), done.clone());
            go(move || {
                for inner in 0..2 {
                    let (x, done) = (x.clone(), done.clone());
                    go(move || {
                        take_turns(&x, outer * 2 + inner, P);
                        done.send(()).unwrap();
                    });
                }
            });
        }
        assert_eq!(finished.iter().take(P).count(), P);
    }
    println!("OK");
}

/// Go: TestPreemption. Two that wait for each other, and never give way.
fn preemption() {
    let x = Arc::new(AtomicUsize::new(0));
    let both = [0, 1].map(|own| {
        let x = x.clone();
        go(move || {
            for _ in 0..5 {
                wait_for(&x, own);
                x.store(1 - own, Ordering::Release);
            }
        })
    });
    both.into_iter().for_each(|g| g.join().unwrap());
    println!("OK");
}

/// Go: TestAsyncPreempt. Three that loop without end do not keep main, a plain thread, nor a new goroutine from going on.
fn async_preempt() {
    let begun = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let begun = begun.clone();
        go(move || {
            begun.fetch_add(1, Ordering::AcqRel);
            loop {
                black_box(());
            }
        });
    }
    while begun.load(Ordering::Acquire) < 3 {
        yield_now();
    }
    assert_eq!(go(|| 7).join().unwrap(), 7);
    println!("OK");
}

/// One of a pair that hand over to each other, and count meanwhile.
fn count_and_hand_over(
    limit: u64,
    counter: Arc<AtomicU64>,
    (tx, rx): (Sender<bool>, waterway::Receiver<bool>),
    done: waterway::Receiver<()>,
) {
    loop {
        select! {
            recv(done) -> _ => return,
            recv(rx) -> _ => {
                for _ in 0..limit {
                    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                }
                select! { send(tx, true) -> _ => {}, recv(done) -> _ => return }
            }
        }
    }
}

/// How far each of a pair counts between two hand-overs: the light ones a hundredth (Go: a thousandth), so that it is turns that are compared, not
/// what a hand-over costs in a build with checks.
const HOG: u64 = 1_000_000;
const LIGHT: u64 = HOG / 100;

/// Go: TestPingPongHog. Two that compute long between hand-overs and two that compute little share one processor, until
/// `enough` says so of the time since both have begun, and what they have counted. All have started before one computes: who starts
/// behind a long turn may do so on another worker, and those who live on several have a turn each as one of them passes on the right to
/// run.
fn ping_pong_hog(enough: impl Fn(Duration, u64, u64) -> bool) {
    let (done, stop) = chan::<()>(0);
    let started = Arc::new(AtomicUsize::new(0));
    let pairs = [HOG, LIGHT].map(|limit| {
        let ends = chan(0);
        let count = Arc::new(AtomicU64::new(0));
        for _ in 0..2 {
            let (ends, count, stop) = (ends.clone(), count.clone(), stop.clone());
            let started = started.clone();
            go(move || {
                started.fetch_add(1, Ordering::Release);
                count_and_hand_over(limit, count, ends, stop);
            });
        }
        (ends, count)
    });
    wait_for(&started, 4);
    pairs
        .iter()
        .for_each(|((tx, _), _)| tx.send(true).expect("two receive"));
    let count = |pair: usize| pairs[pair].1.load(Ordering::Relaxed);
    let mut begun = Instant::now();
    while !enough(begun.elapsed(), count(0), count(1)) {
        sleep(Duration::from_millis(50));
        if count(0) == 0 || count(1) == 0 {
            begun = Instant::now();
        }
    }
    done.close();
    println!("{} {}", count(0), count(1));
}

/// Go: TestNumGoroutine. Main alone, and as many as a dump shows.
#[waterway::main]
fn num_goroutine() {
    println!("{}", num_goroutines());
    let (tx, rx) = chan::<()>(0);
    let all: Vec<_> = (0..10)
        .map(|_| {
            let rx = rx.clone();
            go(move || rx.recv())
        })
        .collect();
    let mut dump = Vec::new();
    waterway::watch::dump(&mut dump).unwrap();
    let text = String::from_utf8(dump).unwrap();
    // Those that are alike stand together: "10 goroutines [chan receive, ...".
    let shown: usize = text
        .lines()
        .map(|line| match line.split_once(" goroutines [") {
            Some((crowd, _)) => crowd.parse().unwrap(),
            None => usize::from(line.starts_with("goroutine ")),
        })
        .sum();
    println!("{} {shown}", num_goroutines());
    drop(tx);
    assert!(all.into_iter().all(|g| g.join().unwrap().is_err()));
}

/// The peak of memory in use, in KiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Go: test/chan/select2.go. Prints by how much 30,000 selects raised the peak of memory, after as many before.
fn selects_memory() {
    const SELECTS: usize = 30_000;
    let (tx, rx) = chan(0);
    let (_dummy_tx, dummy) = chan::<u8>(0);
    let many = || {
        let (tx, rx, dummy) = (tx.clone(), rx.clone(), dummy.clone());
        let sender = go(move || (0..SELECTS).for_each(|_| tx.send(1).unwrap()));
        go(move || {
            for _ in 0..SELECTS {
                select! { recv(rx) -> v => assert_eq!(v, Ok(1)), recv(dummy) -> _ => unreachable!() }
            }
        })
        .join()
        .unwrap();
        sender.join().unwrap();
    };
    many();
    let before = peak();
    many();
    println!("{}", peak() - before);
}

//! Where goroutines go that hand over to each other: told by the threads that they live on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use waterway::{Config, Receiver, Sender, chan, go};

/// Passes on what is no multiple of the first that comes. Tells where it lives.
fn filter(rx: Receiver<u32>, tx: Sender<u32>, prime: u32, lives: &Mutex<Vec<ThreadId>>) {
    lives.lock().expect("no panic").push(thread::current().id());
    for n in rx.iter().filter(|n| n % prime != 0) {
        if tx.send(n).is_err() {
            break;
        }
    }
}

/// So many in a row on one worker are a stretch.
const STRETCH: usize = 16;

/// Two workers, whatever the machine has. (Another test may have been first.)
fn two_workers() {
    let _ = Config::new().max_procs(2).workers(2).install();
}

/// Grows a sieve of two workers, whatever the machine has, until `enough`, or by so many links. Gives where each lives.
fn grow(links: usize, enough: fn(&[ThreadId]) -> bool) -> Vec<ThreadId> {
    two_workers();
    let grown = go(move || {
        let (tx, mut rx) = chan(0);
        drop(go(move || {
            (2..).take_while(|n| tx.send(*n).is_ok()).count()
        }));
        let lives = Arc::new(Mutex::new(Vec::new()));
        for _ in 0..links {
            let prime = rx.recv().expect("numbers do not end");
            let (tx, filtered) = chan(0);
            let told = lives.clone();
            drop(go(move || filter(rx, tx, prime, &told)));
            rx = filtered;
            if enough(&lives.lock().expect("no panic")) {
                break;
            }
        }
        lives.lock().expect("no panic").clone()
    });
    grown.join().expect("no panic")
}

#[test]
fn the_links_of_a_chain_mostly_live_where_the_one_before_does() {
    const LINKS: usize = 300;
    // Of the first nothing is known, and one may be taken over by an idle worker before it has started: many are, where others have the
    // CPUs, and then nothing is said.
    let mut calm = Vec::new();
    for _ in 0..10 {
        let (begin, before) = (Instant::now(), delayed());
        let lives = grow(LINKS, |_| false);
        let crossings = lives.windows(2).filter(|w| w[0] != w[1]).count();
        if crossings <= LINKS / 3 {
            return;
        }
        if delayed().saturating_sub(before) < begin.elapsed() / 10 {
            calm.push(crossings);
        }
    }
    assert!(calm.len() < 3, "{calm:?}");
}

/// Starts a pipeline whose spawner takes what comes out. Gives where its source and stages and the spawner live, in this order.
fn pipeline(stages: usize) -> Vec<ThreadId> {
    two_workers();
    let spawned = go(move || {
        let lives = Arc::new(Mutex::new(vec![thread::current().id(); stages + 2]));
        let (first, mut rx) = chan(0);
        for n in 1..=stages {
            let (tx, next) = chan(0);
            let lives = lives.clone();
            drop(go(move || {
                lives.lock().expect("no panic")[n] = thread::current().id();
                rx.iter().all(|item: u32| tx.send(item).is_ok())
            }));
            rx = next;
        }
        let told = lives.clone();
        drop(go(move || {
            told.lock().expect("no panic")[0] = thread::current().id();
            first.send(1)
        }));
        assert_eq!(rx.iter().count(), 1);
        lives.lock().expect("no panic").clone()
    });
    spawned.join().expect("no panic")
}

#[test]
fn a_pipeline_is_cut_into_even_parts_one_with_its_spawner() {
    two_workers();
    // The environment may want others. Two at least live in each part.
    let parts = waterway::max_procs().min(3);
    // As above.
    let mut calm = Vec::new();
    for _ in 0..10 {
        let (begin, before) = (Instant::now(), delayed());
        let lives = pipeline(4);
        let (each, homes) = (lives.len() / parts, homes_of(&lives));
        if homes == parts && lives.chunks(each).all(|part| homes_of(part) == 1) {
            return;
        }
        if delayed().saturating_sub(before) < begin.elapsed() / 10 {
            calm.push(lives);
        }
    }
    assert!(calm.len() < 3, "{calm:?}");
}

#[test]
fn who_is_to_be_near_a_stage_lives_where_it_does() {
    two_workers();
    let together = || {
        let pair = go(|| {
            let (first, mut rx) = chan::<u32>(0);
            let mut stages = Vec::new();
            for _ in 0..4 {
                let (tx, next) = chan(0);
                let from = std::mem::replace(&mut rx, next);
                stages.push(go(move || {
                    let home = thread::current().id();
                    drop((from, tx));
                    home
                }));
            }
            drop(go(move || drop(first)));
            let near = waterway::Builder::new().near(&stages[2]);
            let near = near.go(|| thread::current().id());
            (near.join().ok(), stages.swap_remove(2).join().ok())
        });
        let (near, stage) = pair.join().expect("no panic");
        near == stage
    };
    // One that has not started may be taken over.
    assert!((0..20).filter(|_| together()).count() > 10);
}

/// How long threads of this process have waited for a CPU, together.
fn delayed() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("this process has threads");
    let delay = |task: std::io::Result<std::fs::DirEntry>| {
        // One that ends meanwhile counts no more.
        let times = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        times.split(' ').nth(1)?.parse().ok()
    };
    tasks.filter_map(delay).map(Duration::from_nanos).sum()
}

#[test]
#[ignore = "where others have the CPUs no worker goes on without a rest: by hand, with --release, on an idle machine"]
fn a_chain_that_fills_its_worker_goes_on_elsewhere() {
    let lives = grow(3_000, |lives| homes(lives) == 2);
    assert_eq!(homes(&lives), 2, "{lives:?}");
}

/// How many threads have a stretch of it.
fn homes(lives: &[ThreadId]) -> usize {
    let stretches = lives.chunk_by(|a, b| a == b);
    let long = stretches.filter(|stretch| stretch.len() >= STRETCH);
    homes_of(&long.map(|stretch| stretch[0]).collect::<Vec<_>>())
}

fn homes_of(lives: &[ThreadId]) -> usize {
    lives.iter().collect::<HashSet<_>>().len()
}

//! Attacks on goroutines that follow others on their stack.

use std::collections::HashMap;
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use waterway::chan::unbounded;
use waterway::time::sleep;
use waterway::watch::snapshot;
use waterway::{Builder, Sender, current, go, local};

use super::child::run;
use super::with_workers;

local! { static OWNER: Tells = Tells(current().id()); }

/// Tells who it belongs to, as it goes too.
struct Tells(Option<u64>);

static TOLD: AtomicUsize = AtomicUsize::new(0);

impl Drop for Tells {
    fn drop(&mut self) {
        assert_eq!(self.0, current().id(), "dropped by another");
        TOLD.fetch_add(1, Ordering::SeqCst);
    }
}

fn check(name: &str) {
    let me = current();
    assert_eq!(me.name(), Some(name));
    OWNER.with(|owner| assert_eq!(owner.0, me.id()));
}

/// One of a row in which each spawns the next and ends.
fn link(n: u64, ends: Sender<u64>) {
    check(&format!("link {n}"));
    if n.is_multiple_of(7) {
        // It stays for a while, and others begin elsewhere.
        sleep(Duration::from_micros(n % 50));
        check(&format!("link {n}"));
    }
    if n.is_multiple_of(11) {
        black_box(deep(200));
    }
    if n < 3_000 {
        let ends = ends.clone();
        let next = Builder::new()
            .name(format!("link {}", n + 1))
            .go(move || link(n + 1, ends));
        match n % 3 {
            0 => drop(next),
            1 => assert!(!next.is_finished() || next.join().is_ok()),
            _ => drop(Builder::new().name("beside").go(|| check("beside"))),
        }
    } else {
        ends.send(n).unwrap();
    }
    assert!(!n.is_multiple_of(5), "every fifth panics");
}

fn deep(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    match depth {
        0 => 0,
        _ => deep(depth - 1) + frame[7],
    }
}

pub fn followers() {
    std::panic::set_hook(Box::new(|_| ()));
    let over = Arc::new(AtomicBool::new(false));
    let looks = {
        let over = over.clone();
        thread::spawn(move || {
            let mut names: HashMap<u64, String> = HashMap::new();
            while !over.load(Ordering::SeqCst) {
                for goroutine in snapshot().goroutines {
                    let Some(name) = goroutine.name else { continue };
                    let before = names.entry(goroutine.id).or_insert_with(|| name.clone());
                    assert_eq!(*before, name, "of {}", goroutine.id);
                }
                thread::sleep(Duration::from_micros(200));
            }
        })
    };
    let (tx, rx) = unbounded();
    let root = tx.clone();
    drop(Builder::new().name("link 1").go(move || link(1, root)));
    assert_eq!(rx.recv(), Ok(3_000));
    over.store(true, Ordering::SeqCst);
    looks.join().unwrap();
    drop(tx);
    let mut looks = 0;
    while TOLD.load(Ordering::SeqCst) < 4_000 {
        thread::sleep(Duration::from_millis(1));
        looks += 1;
        assert!(looks < 10_000, "{}", TOLD.load(Ordering::SeqCst));
    }
    assert_eq!(TOLD.load(Ordering::SeqCst), 4_000);
}

/// Attack: goroutines that follow each other on one stack have names, values of their own, parks, panics and deep calls, while a thread
/// takes snapshots without end.
/// Outcome: none sees anything of the one before it, and no snapshot mixes two.
pub fn who_follows_another_has_nothing_of_it() {
    with_workers("followers");
}

#[allow(unconditional_recursion)]
fn dive(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    dive(black_box(depth + 1)) + frame[7]
}

pub fn dives_as_a_follower() {
    let all = Arc::new(Mutex::new(0));
    go(move || {
        drop(Builder::new().name("the last").go(|| dive(0)));
        for n in 0..10 {
            let all = all.clone();
            let work = move || *all.lock().unwrap() += n;
            drop(Builder::new().name(format!("before {n}")).go(work));
        }
    });
    thread::sleep(Duration::from_secs(20));
}

/// Attack: one that follows others overflows its stack.
/// Outcome: it is told by its own name, SIGABRT.
pub fn who_follows_another_overflows() {
    let outcome = run("dives_as_a_follower", &[("WATERWAY_MAX_PROCS", "1")]);
    outcome
        .says("the last, spawned at")
        .says("overflowed its stack")
        .says_not("before");
    assert_eq!(outcome.status.signal(), Some(libc::SIGABRT));
}

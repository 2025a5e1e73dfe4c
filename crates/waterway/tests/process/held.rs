//! Programs in which goroutines hold workers.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use waterway::time::sleep;
use waterway::{Builder, go, go_local, yield_now};

pub fn compute(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        black_box(());
    }
}

pub fn spin(time: Duration) {
    let begun = Arc::new(AtomicUsize::new(0));
    let handles: Vec<_> = (0..waterway::max_procs())
        .map(|_| {
            let begun = begun.clone();
            Builder::new().name("spinner").spread().go(move || {
                begun.fetch_add(1, Ordering::SeqCst);
                compute(time);
            })
        })
        .collect();
    while begun.load(Ordering::SeqCst) < handles.len() {
        std::thread::yield_now();
    }
    println!("ready");
    handles.into_iter().for_each(|h| h.join().unwrap());
}

/// One goroutine holds the only worker while another that gave way waits behind it.
pub fn hold(how: fn(Duration)) {
    let holder = Builder::new().name("holder").go(move || {
        let waits = go_local(yield_now);
        // It has started and given way when this goroutine runs again.
        yield_now();
        how(Duration::from_secs(60));
        waits.join().unwrap();
    });
    holder.join().unwrap();
}

/// A parked goroutine holds a std lock; a sibling that wants it puts the whole worker to sleep.
pub fn hold_by_std_lock() {
    let lock = Arc::new(Mutex::new(()));
    let parks = go(move || {
        let guard = lock.lock().unwrap();
        let other = lock.clone();
        drop(Builder::new().name("holder").go(move || drop(other.lock())));
        sleep(Duration::from_secs(60));
        drop(guard);
    });
    parks.join().unwrap();
}

/// While the only worker is held: a new goroutine starts, a timer of another fires, and a dedicated one is not concerned.
pub fn others_go_on() {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let holder = go(move || {
        while !stopped.load(Ordering::Relaxed) {
            black_box(());
        }
    });
    let sum = (0..10).map(|i| go(move || i).join().unwrap()).sum::<i32>();
    assert_eq!(sum, 45);
    go(|| sleep(Duration::from_millis(10))).join().unwrap();
    Builder::new().dedicated().go(|| ()).join().unwrap();
    assert!(!holder.is_finished());
    stop.store(true, Ordering::Relaxed);
    holder.join().unwrap();
}

/// A spare took the token of a worker that was held. However often its goroutine gives way to itself, the first worker gets
/// its turn again.
pub fn spare_shares_its_token() {
    let (begun, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (seen, end) = (begun.clone(), done.clone());
    let first = go(move || {
        while !seen.load(Ordering::Relaxed) {
            black_box(());
        }
        yield_now();
        end.store(true, Ordering::Relaxed);
    });
    go(move || {
        begun.store(true, Ordering::Relaxed);
        while !done.load(Ordering::Relaxed) {
            yield_now();
        }
    })
    .join()
    .unwrap();
    first.join().unwrap();
}

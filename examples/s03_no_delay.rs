//! S3: a blocked thread does not delay others.
//!
//! Three shows. Main spins, then one goroutine spins: each goes on spinning until a new goroutine has started and a timer
//! has fired elsewhere, so a runtime that let them wait would never end. What lives on the spinning goroutine's own thread
//! does wait, and the runtime names the offender. A `dedicated()` goroutine has a thread to itself: nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use waterway::{Builder, go, go_local, time, yield_now};

/// Spins in three places, and shows who goes on meanwhile.
#[waterway::main]
pub fn main() {
    // tour:begin
    let went_on = others("main spins");
    spin_until(&went_on);
    println!("main spins: no more");

    let spinner = go(|| {
        let neighbour = go_local(|| {
            yield_now();
            Instant::now()
        });
        yield_now(); // the neighbour, on this very thread, starts and gives way
        let went_on = others("a goroutine spins");
        spin_until(&went_on);
        println!("a goroutine spins: no more");
        (Instant::now(), neighbour.join())
    });
    let (end, neighbour) = spinner.join().expect("no panic");
    println!("neighbour_waited={}", neighbour.expect("no panic") >= end);

    let went_on = Arc::new(AtomicUsize::new(0));
    let alone = Builder::new().name("alone").dedicated().go({
        let went_on = Arc::clone(&went_on);
        move || spin_until(&went_on)
    });
    while !alone.is_finished() {
        time::sleep(Duration::from_millis(10)); // main itself ticks on
        went_on.fetch_add(1, Ordering::Relaxed);
    }
    println!("a dedicated goroutine spins: main ticks on");
    // tour:end
}

/// Starts a goroutine, and one that a timer has to wake; counts those that got on.
fn others(show: &'static str) -> Arc<AtomicUsize> {
    let went_on = Arc::new(AtomicUsize::new(0));
    let (starter, timer) = (Arc::clone(&went_on), Arc::clone(&went_on));
    go(move || {
        println!("{show}: a new goroutine starts");
        starter.fetch_add(1, Ordering::Relaxed);
    });
    go(move || {
        time::sleep(Duration::from_millis(100));
        println!("{show}: a timer fires");
        timer.fetch_add(1, Ordering::Relaxed);
    });
    went_on
}

/// Computes, without one call into the runtime, for 300 ms and until both others have got on.
fn spin_until(went_on: &AtomicUsize) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(300) || went_on.load(Ordering::Relaxed) < 2 {
        std::hint::spin_loop();
    }
}

//! S3: a blocked thread does not delay others. One goroutine spins; new goroutines start, and timers of others fire
//! meanwhile. What lives on the spinning goroutine's own thread waits, and the runtime says who it waits for. With a
//! dedicated spinner nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use waterway::time::{after, sleep};
use waterway::{Builder, go, go_local, yield_now};

/// Shows the three cases, a line each.
pub fn main() {
    // Main spins; a timer and a new goroutine do not wait for it (in Node, `setTimeout` would).
    let timer = after(Duration::from_millis(20));
    let handle = go(|| ());
    spin(Duration::from_millis(200), || false);
    println!("main_spins: started={} timer_fired={}", handle.is_finished(), !timer.is_empty());

    // tour:begin
    let neighbour = Arc::new(AtomicBool::new(false));
    let flag = neighbour.clone();
    let spinner = Builder::new().name("spinner").go(move || {
        let near = go_local(move || {
            yield_now();
            flag.store(true, Ordering::Relaxed);
        });
        yield_now(); // the neighbour starts, and gives way
        spin(Duration::from_secs(1), || false);
        near.join().unwrap();
    });
    let begin = Instant::now();
    go(|| sleep(Duration::from_millis(10))).join().unwrap();
    println!("goroutine_spins: others_went_on={}", !spinner.is_finished());
    println!("goroutine_spins: neighbour_waits={}", !neighbour.load(Ordering::Relaxed));
    // tour:end
    println!("goroutine_spins: others_took_ms={}", begin.elapsed().as_millis());
    spinner.join().unwrap();

    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let own = Builder::new()
        .name("own thread")
        .dedicated()
        .go(move || spin(Duration::from_secs(60), || stopped.load(Ordering::Relaxed)));
    (0..100).for_each(|_| go(|| sleep(Duration::from_millis(1))).join().unwrap());
    println!("dedicated_spins: nobody_waited={}", !own.is_finished());
    stop.store(true, Ordering::Relaxed);
    own.join().unwrap();
}

fn spin(time: Duration, stop: impl Fn() -> bool) {
    let begin = Instant::now();
    while begin.elapsed() < time && !stop() {
        std::hint::black_box(());
    }
}

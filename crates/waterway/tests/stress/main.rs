//! Much of everything at once, on real threads. Each test takes a second or two; the long versions are run with
//! `cargo test --release -p waterway --test stress -- --ignored --test-threads=1`.

mod children;
mod contention;
mod everything;
mod fair;
#[path = "../attack/limits.rs"]
mod limits;
mod lives;
mod locks;
mod owned;
mod programs;
mod traffic;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use limits::LONG;

/// Runs `f` on a plain thread. It hangs if that takes longer than `limit`.
#[track_caller]
fn within<T: Send + 'static>(limit: Duration, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = f();
        let _ = tell.send(());
        result
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = told.recv_timeout(limit) {
        let mut dump = Vec::new();
        waterway::watch::dump(&mut dump).unwrap();
        panic!("it hangs\n{}", String::from_utf8_lossy(&dump));
    }
    thread.join().unwrap()
}

/// Calls `round` again and again, for that long and once at least.
fn repeat(time: Duration, mut round: impl FnMut(usize)) {
    let begin = Instant::now();
    for number in 0.. {
        round(number);
        if begin.elapsed() > time {
            println!("{} rounds", number + 1);
            return;
        }
    }
}

const SHORT: Duration = Duration::from_secs(1);

//! What the attacks share.

// Each test binary uses some of it.
#![allow(dead_code)]

mod limits;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

pub use limits::LONG;

/// Runs `attack` on a thread of its own: a hang becomes a failure.
#[track_caller]
pub fn bounded<T: Send + 'static>(attack: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || {
        let _ = done.send(catch_unwind(AssertUnwindSafe(attack)));
    });
    match outcome.recv_timeout(LONG) {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => panic!("the attack hangs"),
    }
}

/// As [`bounded`], in a goroutine.
#[track_caller]
pub fn bounded_go<T: Send + 'static>(attack: impl FnOnce() -> T + Send + 'static) -> T {
    bounded(|| match waterway::go(attack).join() {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    })
}

/// Waits until `condition` holds.
#[track_caller]
pub fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LONG, "waited in vain");
        thread::sleep(Duration::from_micros(50));
    }
}

/// A waker that calls a function.
pub struct Call<F>(pub F);

impl<F: Fn() + Send + Sync> Wake for Call<F> {
    fn wake(self: Arc<Self>) {
        self.0();
    }
}

/// A waker that calls `f`.
pub fn calling(f: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Call(f)))
}

pub fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// A value that counts how many of it live.
#[derive(Debug)]
pub struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub fn new(live: &Arc<AtomicUsize>) -> Counted {
        live.fetch_add(1, Ordering::SeqCst);
        Counted(live.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

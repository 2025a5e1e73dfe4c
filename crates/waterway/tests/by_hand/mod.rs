//! Tasks that are polled by hand, and goroutines that must block.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use waterway::{Builder, yield_now};

/// Counts wakes.
#[derive(Default)]
pub struct Count(pub AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that is polled by hand.
pub struct Hand<F> {
    future: Option<F>,
    count: Arc<Count>,
}

impl<F: Future + Unpin> Hand<F> {
    pub fn new(future: F) -> Hand<F> {
        Hand {
            future: Some(future),
            count: Arc::default(),
        }
    }

    /// Its output, if it is ready.
    pub fn poll(&mut self) -> Option<F::Output> {
        let waker = Waker::from(self.count.clone());
        let future = self.future.as_mut().expect("it was not dropped");
        match Pin::new(future).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    pub fn pends(mut self) -> Hand<F> {
        assert!(self.poll().is_none(), "it should wait");
        self
    }

    pub fn wakes(&self) -> usize {
        self.count.0.load(Ordering::SeqCst)
    }

    pub fn cancel(&mut self) {
        self.future = None;
    }
}

/// Waits until it is `there`.
pub fn until(mut there: impl FnMut() -> bool) {
    while !there() {
        yield_now();
    }
}

/// What a dump says now.
pub fn dump() -> String {
    let mut text = Vec::new();
    waterway::watch::dump(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Starts a goroutine that must block, for `reason`, and waits until it does.
#[track_caller]
pub fn blocked<T: Send + 'static>(
    reason: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> waterway::JoinHandle<T> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("blocked {}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let handle = Builder::new().name(&name).go(f);
    until(|| dump().contains(&format!("{name:?} [{reason}, ")));
    handle
}

//! Timers: what was stopped or set anew is not heard of again, whoever fires.

use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::atomic::{AtomicUsize, Ordering};

use super::{Goroutine, Model, Stage, Thread};
use crate::time::{Ticker, Timer, after, sleep};

pub(super) const MODELS: &[Model] = &[
    ("timer_stopped_as_it_fires", stopped),
    ("timer_stopped_as_it_is_received", received),
    ("timer_set_anew_as_it_fires", set_anew),
    ("timer_set_anew_by_two", set_by_two),
    ("ticker_stopped", ticker),
    ("timer_without_a_receiver", dropped),
    ("sleepers_of_one_heap", sleepers),
];

/// Due whenever the clock likes.
const SOON: Duration = Duration::from_millis(1);
/// Never due.
const NEVER: Duration = Duration::from_secs(24 * 3600);

fn hear_nothing(timer: &Timer) {
    for _ in 0..3 {
        assert!(timer.channel().try_recv().is_err(), "it was stopped");
        shuttle::thread::yield_now();
    }
}

/// Nobody but the stopper receives: it was stopped in time, fired or not.
fn stopped() {
    let mut stage = Stage::new();
    let timer = Timer::new(SOON);
    stage.actor(Goroutine, move || {
        assert!(timer.stop());
        hear_nothing(&timer);
        assert!(!timer.stop());
    });
    stage.end_with_clock();
}

/// Another receives meanwhile: either it has, or the timer was stopped in time.
fn received() {
    let mut stage = Stage::new();
    let timer = Timer::new(SOON);
    let rx = timer.channel().clone();
    let got = Arc::new(AtomicUsize::new(0));
    let count = got.clone();
    stage.actor(Goroutine, move || {
        let heard = rx.recv_timeout(SOON).is_ok();
        count.fetch_add(heard.into(), Ordering::SeqCst);
    });
    let count = got.clone();
    stage.actor(Thread, move || {
        let stopped = timer.stop();
        count.fetch_add(stopped.into(), Ordering::SeqCst);
        hear_nothing(&timer);
    });
    stage.end_with_clock();
    assert_eq!(got.load(Ordering::SeqCst), 1);
}

/// Of several settings the last one is heard of, once.
fn set_anew() {
    let mut stage = Stage::new();
    let timer = Timer::new(SOON);
    stage.actor(Goroutine, move || {
        assert!(timer.reset(NEVER));
        hear_nothing(&timer);
        assert!(timer.reset(SOON), "it was set");
        timer.channel().recv().unwrap();
        hear_nothing(&timer);
        assert!(!timer.reset(SOON), "it had fired");
        assert!(timer.stop());
        hear_nothing(&timer);
    });
    stage.end_with_clock();
}

/// Two set it anew at once: it stands in the heap once, and is heard of once.
fn set_by_two() {
    let mut stage = Stage::new();
    let timer = Arc::new(Timer::new(NEVER));
    for kind in [Goroutine, Thread] {
        let timer = timer.clone();
        stage.actor(kind, move || {
            timer.reset(SOON);
        });
    }
    let other = timer.clone();
    stage.actor(Goroutine, move || {
        other.channel().recv().unwrap();
    });
    stage.end_with_clock();
    timer.stop();
    hear_nothing(&timer);
}

fn ticker() {
    let mut stage = Stage::new();
    let ticker = Ticker::new(SOON);
    stage.actor(Goroutine, move || {
        for _ in 0..2 {
            ticker.channel().recv().unwrap();
        }
        ticker.stop();
        assert!(ticker.channel().try_recv().is_err());
        ticker.reset(SOON);
        ticker.channel().recv().unwrap();
    });
    stage.end_with_clock();
}

/// The last receiver goes as the timer fires.
fn dropped() {
    let mut stage = Stage::new();
    let (rx, other) = (after(SOON), after(NEVER));
    stage.actor(Goroutine, move || drop(rx));
    stage.actor(Thread, move || drop(other));
    stage.end_with_clock();
}

/// Waits with deadlines leave the heap from anywhere in it.
fn sleepers() {
    let mut stage = Stage::new();
    let timer = Arc::new(Timer::new(NEVER));
    for (time, kind) in [(SOON, Goroutine), (SOON * 2, Goroutine)] {
        stage.actor(kind, move || sleep(time));
    }
    let sender = timer.clone();
    stage.actor(Goroutine, move || {
        // The deadline never comes, the value does.
        assert!(sender.channel().recv_timeout(NEVER).is_ok());
    });
    stage.actor(Thread, move || {
        timer.reset(SOON);
    });
    stage.end_with_clock();
}

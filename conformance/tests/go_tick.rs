//! Go's `time/tick_test.go`.

#![forbid(unsafe_code)]

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use waterway::sync::WaitGroup;
use waterway::time::{Ticker, Timer, after, sleep, tick};
use waterway::{Receiver, TryRecvError, chan, select};
use waterway_conformance::{LONG, blocked, bound, until};

const FAR: Duration = Duration::from_secs(10_000);
const NOW: Duration = Duration::from_nanos(1);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Go: TestTicker (tick_test.go). Ticks come in their period, in another one after `reset`, and end with `stop`. Judged by
/// the times of the ticks; a late machine misses some, but never gets one early.
#[waterway::test]
fn a_ticker_keeps_its_period() {
    let _bound = bound();
    let start = Instant::now();
    let ticker = Ticker::new(ms(5));
    let first: Vec<Instant> = ticker.channel().iter().take(5).collect();
    let changed = Instant::now();
    ticker.reset(ms(10));
    let second: Vec<Instant> = ticker.channel().iter().take(5).collect();
    ticker.stop();
    for (begin, period, ticks) in [(start, ms(5), first), (changed, ms(10), second)] {
        assert!(ticks[0] >= begin + period);
        assert!(
            ticks.windows(2).all(|pair| pair[1] - pair[0] >= period),
            "{ticks:?}"
        );
    }
    sleep(ms(25));
    assert_eq!(ticker.channel().try_recv(), Err(TryRecvError::Empty));
}

/// Go: TestTeardown (tick_test.go).
#[waterway::test]
fn tickers_come_and_go() {
    let _bound = bound();
    for _ in 0..3 {
        let ticker = Ticker::new(ms(5));
        ticker.channel().recv().unwrap();
        ticker.stop();
    }
}

/// Go: TestTick (tick_test.go). A period that is not positive never ticks.
#[waterway::test]
fn no_period_never_ticks() {
    let _bound = bound();
    let ticks = tick(Duration::ZERO);
    drop(blocked("chan receive (never)", move || ticks.recv()));
}

/// Go: TestNewTickerLtZeroDuration (tick_test.go). Zero, since there are no negative durations.
#[waterway::test]
fn a_ticker_without_period_panics() {
    let _bound = bound();
    let panic = catch_unwind(|| Ticker::new(Duration::ZERO)).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(
        text.starts_with("Ticker::new with a period of zero"),
        "{text}"
    );
}

/// Go: TestTickerResetLtZeroDuration (tick_test.go).
#[waterway::test]
fn a_reset_without_period_panics() {
    let _bound = bound();
    let ticker = Ticker::new(Duration::from_secs(1));
    let panic = catch_unwind(std::panic::AssertUnwindSafe(|| {
        ticker.reset(Duration::ZERO)
    }));
    let panic = panic.unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(
        text.starts_with("Ticker::reset with a period of zero"),
        "{text}"
    );
}

/// A timer or a ticker.
trait Clockwork {
    const TICKS_AGAIN: bool;
    fn far() -> Self;
    fn channel(&self) -> &Receiver<Instant>;
    fn stop(&self) -> Option<bool>;
    fn reset(&self, time: Duration) -> Option<bool>;
}

impl Clockwork for Timer {
    const TICKS_AGAIN: bool = false;
    fn far() -> Timer {
        Timer::new(FAR)
    }
    fn channel(&self) -> &Receiver<Instant> {
        self.channel()
    }
    fn stop(&self) -> Option<bool> {
        Some(self.stop())
    }
    fn reset(&self, time: Duration) -> Option<bool> {
        Some(self.reset(time))
    }
}

impl Clockwork for Ticker {
    const TICKS_AGAIN: bool = true;
    fn far() -> Ticker {
        Ticker::new(FAR)
    }
    fn channel(&self) -> &Receiver<Instant> {
        self.channel()
    }
    fn stop(&self) -> Option<bool> {
        self.stop();
        None
    }
    fn reset(&self, time: Duration) -> Option<bool> {
        self.reset(time);
        None
    }
}

#[track_caller]
fn silent(clock: &impl Clockwork) {
    assert_eq!(
        clock.channel().try_recv(),
        Err(TryRecvError::Empty),
        "extra tick"
    );
}

fn ticks(clock: &impl Clockwork) {
    clock.channel().recv_timeout(LONG).expect("missing tick");
}

/// What was set is not heard after a stop or a reset, be it in the heap, fired or never set.
fn nothing_stale<C: Clockwork>() {
    let clock = C::far();
    clock.stop();
    silent(&clock);
    clock.reset(FAR);
    silent(&clock);
    clock.reset(NOW);
    ticks(&clock);
    clock.reset(NOW);
    until(|| !clock.channel().is_empty());
    clock.reset(FAR);
    silent(&clock);
    clock.reset(NOW);
    until(|| !clock.channel().is_empty());
    assert_ne!(clock.stop(), Some(false), "it was pending");
    silent(&clock);
    clock.reset(Duration::from_secs(3600));
    silent(&clock);
    assert_ne!(clock.reset(NOW), Some(false), "it was pending");
    ticks(&clock);
    if C::TICKS_AGAIN {
        ticks(&clock);
    } else {
        silent(&clock);
    }
    assert_ne!(clock.reset(FAR), Some(true), "it was heard");
    silent(&clock);
}

/// One that is waited for can be moved away, moved near, and stopped.
fn moved_while_waited_for<C: Clockwork>() {
    let clock = C::far();
    let rx = clock.channel().clone();
    let waits = blocked("chan receive", move || rx.recv());
    clock.reset(2 * FAR);
    assert!(!waits.is_finished());
    clock.reset(NOW);
    waits.join().unwrap().unwrap();
    if C::TICKS_AGAIN {
        ticks(&clock);
    } else {
        silent(&clock);
    }
    clock.stop();
    silent(&clock);

    // Two selects wait: a timer ends one of them, a ticker at least one.
    clock.reset(FAR);
    let (stop, stopped) = chan::<()>(0);
    let selects = [(); 2].map(|()| {
        let (rx, stopped) = (clock.channel().clone(), stopped.clone());
        blocked("select", move || {
            select! { recv(rx) -> _ => 1, recv(stopped) -> _ => 0 }
        })
    });
    clock.reset(ms(1));
    until(|| selects.iter().any(|select| select.is_finished()));
    clock.stop();
    drop(stop);
    let heard: usize = selects
        .into_iter()
        .map(|select| select.join().unwrap())
        .sum();
    assert!(heard == 1 || (C::TICKS_AGAIN && heard == 2), "{heard}");

    // Who waits for a clock that was stopped waits on.
    clock.stop();
    silent(&clock);
    let (stop, stopped) = chan::<()>(0);
    let rx = clock.channel().clone();
    let select = blocked("select", move || {
        select! { recv(rx) -> _ => panic!("unexpected data"), recv(stopped) -> _ => {} }
    });
    drop(stop);
    select.join().unwrap();
}

/// Go: TestChan/Timer (tick_test.go). There the channel says 0 for its length and capacity, whatever it holds; here it is an
/// ordinary one of capacity 1.
#[waterway::test]
fn stop_and_reset_of_a_timer() {
    let _bound = bound();
    nothing_stale::<Timer>();
    moved_while_waited_for::<Timer>();
    let timer = Timer::new(NOW);
    until(|| timer.channel().len() == 1);
    assert_eq!(timer.channel().capacity(), Some(1));
}

/// Go: TestChan/Ticker (tick_test.go).
#[waterway::test]
fn stop_and_reset_of_a_ticker() {
    let _bound = bound();
    nothing_stale::<Ticker>();
    moved_while_waited_for::<Ticker>();
}

/// Go: TestAfterTimes, TestTickTimes (tick_test.go). A time that is received late is that of the firing, not of the receipt.
#[waterway::test]
fn the_time_is_that_of_the_firing() {
    let _bound = bound();
    for channel in [after(ms(10)), tick(ms(10))] {
        let start = Instant::now();
        sleep(ms(200));
        // It was made before `start`, so this is early enough for any machine.
        assert!(channel.recv().unwrap() < start + ms(100));
    }
}

/// Go: none; what TestTickerStopWithDirectInitialization and TestManualTicker allow, a ticker that was not made by
/// `NewTicker`, cannot be written. What stays: stopping twice, from several goroutines, is harmless.
#[waterway::test]
fn a_ticker_may_be_stopped_again() {
    let _bound = bound();
    let group = WaitGroup::new();
    let ticker = std::sync::Arc::new(Ticker::new(ms(1)));
    for _ in 0..4 {
        let ticker = ticker.clone();
        group.go(move || ticker.stop());
    }
    group.wait();
    ticker.stop();
    assert_eq!(ticker.channel().try_recv(), Err(TryRecvError::Empty));
}

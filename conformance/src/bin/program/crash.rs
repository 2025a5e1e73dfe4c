//! Programs that end badly, or must not. Go: `runtime/testdata/testprog`, `crash.go` and `deadlock.go`.

use std::fmt;
use std::hint::black_box;
use std::panic::catch_unwind;
use std::sync::LazyLock;
use std::time::Duration;

use waterway::sync::WaitGroup;
use waterway::time::{Ticker, Timer, after, sleep, tick};
use waterway::{Builder, chan, defer, go, select, yield_now};

pub const PROGRAMS: &[(&str, fn())] = &[
    ("simple_deadlock", || select! {}),
    ("simple_deadlock_main_goroutine", simple_deadlock),
    ("init_deadlock", init_deadlock),
    ("locked_deadlock", locked_deadlock),
    ("locked_deadlock2", locked_deadlock2),
    ("returned_main", returned_main),
    ("stack_overflow", || {
        go(|| overflow(1)).join().unwrap();
    }),
    ("panic_main_thread", || panic!("test")),
    ("panic_main_goroutine", panic_main_goroutine),
    ("panic_detached", panic_detached),
    ("panic_in_wait_group", panic_in_wait_group),
    ("recursive_panic", recursive_panic),
    ("recursive_panic3", recursive_panic3),
    ("recursive_panic4", recursive_panic4),
    ("panic_that_yields", || {
        go(|| panic!("{}", Yields)).join().unwrap_err();
    }),
    ("panic_that_prints", || {
        go(|| panic!("{}", Prints)).join().unwrap_err();
    }),
    ("panic_loop", || {
        go(|| panic!("{}", Panics)).join().unwrap_err();
    }),
    ("no_helpers", no_helpers),
    ("no_timers_left", no_timers_left),
];

#[waterway::main]
fn simple_deadlock() {
    select! {}
}

/// Rust runs nothing before `main`; the nearest is what a static computes at its first use.
fn init_deadlock() {
    static VALUE: LazyLock<()> = LazyLock::new(|| select! {});
    LazyLock::force(&VALUE);
}

/// A goroutine with a thread to itself stands for `runtime.LockOSThread`.
fn locked_deadlock() {
    let locked = Builder::new().dedicated().go(|| select! {});
    let _: Result<(), _> = locked.join();
}

fn locked_deadlock2() {
    drop(Builder::new().dedicated().go(|| select! {}));
    sleep(Duration::from_millis(1));
    select! {}
}

/// What `runtime.Goexit` leaves in Go, a process without main, cannot be here: when main ends, all ends.
fn returned_main() {
    drop(go(|| select! {}));
    println!("main returns");
}

#[allow(unconditional_recursion)]
fn overflow(depth: u8) -> u8 {
    let frame = black_box([depth; 4096]);
    overflow(black_box(depth.wrapping_add(1))).wrapping_add(frame[7])
}

#[waterway::main]
fn panic_main_goroutine() {
    panic!("test");
}

fn panic_detached() {
    let (tx, rx) = chan::<()>(0);
    drop(go(move || {
        let _tx = tx;
        panic!("test");
    }));
    rx.recv().unwrap_err();
    println!("main goes on");
}

fn panic_in_wait_group() {
    let group = WaitGroup::new();
    group.go(|| panic!("test"));
    group.wait();
    println!("wait returned");
}

/// A deferred function that recovers may panic anew; whoever is around it recovers from that.
fn recursive_panic() {
    let inner = || {
        let bad = catch_unwind(|| panic!("bad")).unwrap_err();
        panic!("wrap: {}", bad.downcast_ref::<&str>().unwrap());
    };
    go(move || {
        let wrapped = catch_unwind(inner).unwrap_err();
        println!("{}", wrapped.downcast_ref::<String>().unwrap());
    })
    .join()
    .unwrap();
    panic!("again");
}

/// A panic in a deferred function that recovers itself leaves the first one as it is.
fn recursive_panic3() {
    defer! { drop(catch_unwind(|| panic!("second panic"))) }
    panic!("first panic");
}

/// One that leaves a deferred function while the first one unwinds ends the process.
fn recursive_panic4() {
    let result = go(|| {
        defer! { panic!("second panic") }
        panic!("first panic");
    })
    .join();
    println!("{result:?}");
}

struct Yields;

impl fmt::Display for Yields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        yield_now();
        f.write_str("an error that yields")
    }
}

struct Prints;

impl fmt::Display for Prints {
    #[allow(clippy::print_in_format_impl)] // what a call to the kernel in there does is the question
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        println!("1");
        println!("2");
        f.write_str("3")
    }
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("double error")
    }
}

/// A dump shows the goroutines of the program and none that the runtime made for itself.
fn no_helpers() {
    let _timer = Timer::new(Duration::from_secs(3600));
    let _ticks = tick(Duration::from_secs(3600));
    go(|| waterway::blocking(|| ())).join().unwrap();
    loop {
        let mut dump = Vec::new();
        waterway::watch::dump(&mut dump).unwrap();
        // One that was joined may still be on its way out.
        if dump.is_empty() {
            return println!("nobody");
        }
        std::thread::yield_now();
    }
}

/// Timers that nobody can hear are gone: nothing is left that could wake anyone, which is a deadlock.
fn no_timers_left() {
    const HOUR: Duration = Duration::from_secs(3600);
    for _ in 0..1000 {
        drop((after(HOUR), tick(HOUR), Timer::new(HOUR), Ticker::new(HOUR)));
    }
    let (timer, ticker) = (Timer::new(HOUR), Ticker::new(HOUR));
    timer.stop();
    ticker.stop();
    select! { recv(timer.channel()) -> _ => {}, recv(ticker.channel()) -> _ => {} }
}

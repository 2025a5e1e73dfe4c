//! The twins of the programs in `go/`: what they print and how they end is compared with real Go.

use std::time::{Duration, Instant};

use waterway::chan::never;
use waterway::sync::{Mutex, WaitGroup};
use waterway::time::{Ticker, Timer, after, sleep};
use waterway::{Context, Receiver, chan, defer, go, select};
use waterway_conformance::power_series;

pub const PROGRAMS: &[(&str, fn())] = &[
    ("sieve", sieve),
    ("power_series", || print!("{}", power_series::lines())),
    ("fan_in", fan_in),
    ("closed_select", closed_select),
    ("ring", ring),
    ("timers", timers),
    ("defers", || [false, true].into_iter().for_each(defers)),
    ("mutex_sum", mutex_sum),
    ("contexts", contexts),
    ("deadlock", || select! {}),
    ("deadlock_send", deadlock_send),
    ("deadlock_mutex", deadlock_mutex),
    ("panic_main", || panic!("test")),
    ("panic_goroutine", panic_goroutine),
    ("send_on_closed", send_on_closed),
    ("close_closed", close_closed),
    ("negative_counter", negative_counter),
];

fn sieve() {
    let (tx, mut numbers) = chan(0);
    go(move || (2..).all(|n| tx.send(n).is_ok()));
    loop {
        let prime: usize = numbers.recv().unwrap();
        if prime > 2000 {
            return;
        }
        println!("{prime}");
        let (out, filtered) = chan(0);
        let unfiltered = std::mem::replace(&mut numbers, filtered);
        go(move || {
            let mut rest = unfiltered.iter().filter(|n| n % prime != 0);
            rest.all(|n| out.send(n).is_ok())
        });
    }
}

fn fan_in() {
    for capacity in [0, 1, 2, 7, 64] {
        for senders in 1..=5 {
            let (tx, values) = chan(capacity);
            for s in 0..senders {
                let tx = tx.clone();
                go(move || (0..100).for_each(|n| tx.send(s * 1000 + n).unwrap()));
            }
            drop(tx);
            let (mut count, mut sum) = (0, 0);
            for value in &values {
                (count, sum) = (count + 1, sum + value);
            }
            println!("{capacity} {senders} {count} {sum}");
        }
    }
}

fn closed_select() {
    for held in 0..=4 {
        let ((a_tx, mut a), (b_tx, mut b)) = (chan(4), chan(4));
        for n in 0..held {
            a_tx.send(n).unwrap();
            b_tx.send(10 * n).unwrap();
        }
        a_tx.close();
        b_tx.close();
        let (mut sum, mut ends) = (0, 0);
        while ends < 2 {
            let ended = |end: &mut Receiver<i32>| {
                *end = never();
                1
            };
            select! {
                recv(a) -> value => match value {
                    Ok(value) => sum += value,
                    Err(_) => ends += ended(&mut a),
                },
                recv(b) -> value => match value {
                    Ok(value) => sum += value,
                    Err(_) => ends += ended(&mut b),
                },
            }
        }
        select! {
            recv(a) -> _ => println!("from nothing"),
            default => println!("{held} {sum} {ends}"),
        }
    }
}

fn ring() {
    const SIZE: usize = 100;
    let (first, mut last) = chan(0);
    for n in 1..SIZE {
        let (to, next) = chan(0);
        let from = std::mem::replace(&mut last, next);
        go(move || from.iter().for_each(|token| to.send(token + n).unwrap()));
    }
    let mut token = 1;
    for round in 0..5 {
        first.send(token).unwrap();
        token = last.recv().unwrap() % 1009;
        println!("{round} {token}");
    }
    drop(first);
    println!("{}", last.recv().is_ok());
}

fn timers() {
    const HOUR: Duration = Duration::from_secs(3600);
    let heard = |timer: &Timer| select! { recv(timer.channel()) -> _ => true, default => false };
    let timer = Timer::new(HOUR);
    println!("set: {} {}", timer.stop(), heard(&timer));
    println!("stopped: {} {}", timer.stop(), heard(&timer));
    println!(
        "set again: {} {} {}",
        timer.reset(HOUR),
        timer.reset(HOUR),
        heard(&timer)
    );
    println!("set to now: {}", timer.reset(Duration::ZERO));
    timer.channel().recv().unwrap();
    println!("heard: {} {}", timer.stop(), heard(&timer));
    println!("set to now: {}", timer.reset(Duration::ZERO));
    sleep(Duration::from_millis(50));
    println!("fired, not heard: {} {}", timer.stop(), heard(&timer));
    timer.reset(Duration::ZERO);
    sleep(Duration::from_millis(50));
    println!("fired, not heard: {} {}", timer.reset(HOUR), heard(&timer));

    let ticker = Ticker::new(Duration::from_nanos(1));
    (0..5).for_each(|_| assert!(ticker.channel().recv().is_ok()));
    ticker.stop();
    select! {
        recv(ticker.channel()) -> _ => println!("extra tick"),
        default => println!("no tick"),
    }
    let begin = Instant::now();
    let late = after(Duration::from_millis(10));
    select! {
        recv(after(HOUR)) -> _ => println!("an hour"),
        recv(late) -> at => println!("10 ms: {}", at.unwrap() - begin >= Duration::from_millis(10)),
    }
}

fn defers(fails: bool) {
    let turns = go(move || {
        for n in 0..3 {
            defer! { println!("deferred {n}") }
            println!("turn {n}");
            if fails && n == 1 {
                panic!("in a turn");
            }
        }
        println!("end");
    });
    if turns.join().is_err() {
        println!("recovered");
    }
}

/// What a context says of itself, in Go's words.
fn say(what: &str, ctx: &Context) {
    let nil = || "<nil>".to_string();
    let error = ctx.err().map_or_else(nil, |error| error.to_string());
    let cause = ctx.cause().map_or_else(nil, |cause| cause.to_string());
    let done = select! {
        recv(ctx.done()) -> _ => "closed",
        default => "open",
    };
    println!("{what} {error} {cause} {done}");
}

fn contexts() {
    const HOUR: Duration = Duration::from_secs(3600);
    let root = Context::background();
    say("root", &root);
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let (top, end_top) = root.with_cancel_cause();
        let (middle, end_middle) = top.with_timeout_cause(HOUR, "late");
        let (bottom, end_bottom) = middle.with_value(1).with_cancel_cause();
        for which in order {
            match which {
                0 => end_top.cancel("top"),
                1 => end_middle.cancel(),
                _ => end_bottom.cancel("bottom"),
            }
            println!("ended {which}");
            say("top", &top);
            say("middle", &middle);
            say("bottom", &bottom);
        }
        let (born, _guard) = bottom.with_timeout(HOUR);
        say("born", &born);
        say("without", &bottom.without_cancel());
    }
    // There are no negative durations.
    for late in [Duration::ZERO, Duration::ZERO, Duration::from_millis(1)] {
        let (ctx, guard) = root.with_timeout_cause(late, "too late");
        let (below, _guard) = ctx.with_timeout(HOUR);
        assert!(below.done().recv().is_err());
        say("timed", &ctx);
        say("below", &below);
        let of = below.deadline();
        println!("deadline {} {}", of.is_some(), of == ctx.deadline());
        guard.cancel();
        say("timed, then cancelled", &ctx);
    }
    let (ctx, guard) = root.with_cancel();
    let calls = WaitGroup::new();
    let call = |ctx: &Context| {
        let calls = calls.clone();
        calls.add(1);
        ctx.after_func(move || calls.done())
    };
    let called = call(&ctx);
    let never = ctx.after_func(|| panic!("stopped"));
    println!("stop {} {}", never.stop(), never.stop());
    guard.cancel();
    calls.wait();
    println!("stop after the call {} {}", called.stop(), never.stop());
    let late = call(&ctx);
    calls.wait();
    println!("stop after the end {}", late.stop());
    let forever = root.after_func(|| panic!("never"));
    println!(
        "stop what never comes {} {}",
        forever.stop(),
        forever.stop()
    );
}

fn mutex_sum() {
    for workers in [1, 2, 4, 8, 16, 32] {
        let sum = std::sync::Arc::new(Mutex::new(0));
        let group = WaitGroup::new();
        for w in 0..workers {
            let sum = sum.clone();
            group.go(move || (0..200).for_each(|n| *sum.lock() += n * w));
        }
        group.wait();
        let total = *sum.lock();
        let (first, second) = (sum.try_lock(), sum.try_lock());
        println!("{workers} {total} {} {}", first.is_some(), second.is_some());
    }
}

fn deadlock_send() {
    let (tx, _values) = chan(2);
    for n in 0.. {
        println!("sending {n}");
        tx.send(n).unwrap();
    }
}

fn deadlock_mutex() {
    let mutex = Mutex::new(());
    let _first = mutex.lock();
    println!("locked");
    drop(mutex.lock());
}

fn panic_goroutine() {
    let (tx, done) = chan::<()>(0);
    go(move || {
        defer! { tx.close() }
        panic!("test");
    });
    done.recv().unwrap_err();
}

fn send_on_closed() {
    let (tx, _values) = chan(1);
    tx.close();
    println!("sending");
    tx.send(1).unwrap();
    println!("sent");
}

fn close_closed() {
    let (tx, _values) = chan::<i32>(0);
    tx.close();
    tx.close();
    println!("closed twice");
}

fn negative_counter() {
    let group = WaitGroup::new();
    group.add(1);
    group.done();
    println!("done");
    group.done();
}

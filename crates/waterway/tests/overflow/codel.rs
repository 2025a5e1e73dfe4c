//! What is late, and newest first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use waterway::flow::{Cause, Overflow, Shed};
use waterway::{chan, go, select};

use super::{balance, made};

#[waterway::test]
fn what_waited_too_long_is_shed_when_it_would_be_received() {
    let overflow = Overflow::CoDel {
        target: Duration::from_millis(1),
        interval: Duration::from_millis(2),
    };
    let (tx, rx, sheds) = made(100, overflow);
    for n in 0..10 {
        tx.send(n).unwrap();
    }
    waterway::time::sleep(Duration::from_millis(10));
    tx.send(10).unwrap();
    // All have waited for too long but the last, however slow this machine is; the last is never shed.
    assert_eq!(rx.recv(), Ok(10));
    let shed: Vec<_> = sheds.try_iter().collect();
    assert_eq!(
        shed.iter().map(|s| s.value).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
    assert!(
        shed.iter()
            .all(|s| s.cause == Cause::Late && s.sender.unwrap().file() == file!())
    );
    balance(&tx.statistics());
}

/// A channel with adaptive LIFO, whose queue stands for as long as the oldest value is older than the target: one hour, so that
/// only `set_overflow` makes it stand or calm, and time makes nobody late.
#[waterway::test]
fn while_the_queue_stands_the_newest_comes_first() {
    let tiny = Duration::from_nanos(1);
    let hour = Duration::from_secs(3600);
    let codel = |target, interval| Overflow::CoDel { target, interval };
    let (shed, sheds) = mpsc::channel();
    let shed = std::sync::Mutex::new(shed);
    let builder = chan::builder().capacity(8).overflow(codel(hour, hour));
    let (tx, rx) = builder
        .adaptive_lifo(true)
        .on_shed(move |one: Shed<u32>| shed.lock().unwrap().send((one.value, one.cause)).unwrap())
        .make();
    // Calm: in order.
    (0..4).for_each(|n| tx.send(n).unwrap());
    assert_eq!((rx.recv(), rx.recv()), (Ok(0), Ok(1)));
    // It stands, and all are late: the newest is received, by each kind of receiver, and the others go.
    tx.set_overflow(codel(tiny, tiny));
    tx.send(4).unwrap();
    waterway::time::sleep(Duration::from_millis(1));
    assert_eq!(rx.recv(), Ok(4));
    assert_eq!(
        sheds.try_iter().collect::<Vec<_>>(),
        [(2, Cause::Late), (3, Cause::Late)]
    );
    assert!(rx.is_empty());
    // It stands, and nobody is late: the target is what has passed, so twice the target has not, or the test has stood still.
    let mut orders = Vec::new();
    for target in (0..).map(|n| Duration::from_millis(50 << n)) {
        tx.set_overflow(codel(target, target));
        let before = Instant::now();
        (10..15).for_each(|n| tx.send(n).unwrap());
        waterway::time::sleep(target + target / 8);
        let got: Vec<u32> = vec![
            rx.recv().unwrap(),
            rx.try_recv().unwrap(),
            select! { recv(rx) -> value => value.unwrap() },
            rx.recv_timeout(hour).unwrap(),
        ];
        let last = rx.recv();
        if before.elapsed() < target * 2 {
            orders.push((got, last));
            break;
        }
        while rx.try_recv().is_ok() {}
        sheds.try_iter().for_each(drop);
        assert!(
            target < Duration::from_secs(10),
            "this machine stands still"
        );
    }
    assert_eq!(orders, [(vec![14, 13, 12, 11], Ok(10))]);
    assert!(sheds.try_iter().next().is_none());
    // Under another policy, and calm again: in order.
    for overflow in [Overflow::Block, Overflow::DropOldest, codel(hour, hour)] {
        tx.set_overflow(overflow);
        (20..28).for_each(|n| tx.send(n).unwrap());
        assert_eq!(rx.try_iter().collect::<Vec<_>>(), Vec::from_iter(20..28));
    }
    balance(&rx.statistics());
}

#[test]
fn adaptive_lifo_needs_codel() {
    let make = || chan::builder::<u8>().capacity(2).adaptive_lifo(true).make();
    let payload = catch_unwind(make).expect_err("there is no CoDel");
    let text = payload.downcast_ref::<String>().expect("a text");
    assert!(text.contains("give it `Overflow::codel()`"), "{text}");
}

/// What is in the channel when it comes under CoDel has no time of its own, whatever stood in its places before.
#[test]
fn values_that_were_there_before_codel_are_not_late() {
    let overflow = Overflow::CoDel {
        target: Duration::from_millis(50),
        interval: Duration::from_millis(60),
    };
    let (tx, rx, sheds) = made(4, overflow);
    for n in 0..4 {
        tx.send(n).unwrap();
    }
    tx.set_overflow(Overflow::Block);
    for n in 0..4 {
        assert_eq!(rx.recv(), Ok(n));
    }
    waterway::time::sleep(Duration::from_millis(110));
    tx.send(4).unwrap();
    tx.send(5).unwrap();
    tx.set_overflow(overflow);
    waterway::time::sleep(Duration::from_millis(61));
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(4), Ok(5)));
    assert!(sheds.try_recv().is_err());
}

/// Who sets the same policy again and again, as a program does that follows a setting, does not make the queue good by that.
#[waterway::test]
fn a_queue_that_stands_does_so_also_if_the_policy_is_set_again() {
    let overflow = Overflow::CoDel {
        target: Duration::from_millis(1),
        interval: Duration::from_millis(40),
    };
    let (tx, rx, sheds) = made(4, overflow);
    tx.send(1).unwrap();
    let before = Instant::now();
    while before.elapsed() < Duration::from_millis(80) {
        waterway::time::sleep(Duration::from_millis(1));
        tx.set_overflow(overflow);
    }
    tx.send(2).unwrap();
    assert_eq!(rx.recv(), Ok(2));
    assert_eq!(sheds.try_recv().expect("it was late").value, 1);
    balance(&rx.statistics());
}

/// A value waits, and is moved to a place that was given up before it: it has waited for as long as it has.
#[waterway::test]
fn a_value_that_is_moved_is_as_old_as_it_is() {
    let hold = Duration::from_millis(10);
    let overflow = Overflow::CoDel {
        target: hold,
        interval: hold,
    };
    let (tx, rx, sheds) = made(2, overflow);
    let line = line!() + 3;
    let gives_up = AssertUnwindSafe(|| {
        let arm = || -> i32 {
            tx.try_send(1).unwrap();
            waterway::time::sleep(hold * 3);
            std::panic::resume_unwind(Box::new("given up"))
        };
        select! { send(tx, arm()) -> sent => sent.unwrap() }
    });
    assert!(catch_unwind(gives_up).is_err());
    tx.send(2).unwrap();
    assert_eq!(rx.recv(), Ok(2));
    let shed = sheds.try_recv().expect("it was late");
    assert_eq!((shed.value, shed.cause), (1, Cause::Late));
    assert_eq!(shed.sender.map(|at| at.line()), Some(line));
    balance(&rx.statistics());
}

/// A value went to a receiver that waited for it, and another one is moved to its place: its time is not the former one's.
#[waterway::test]
fn a_value_that_is_moved_is_no_older_than_it_is() {
    let hold = Duration::from_millis(20);
    let overflow = Overflow::CoDel {
        target: hold,
        interval: hold,
    };
    let (tx, rx, sheds) = made(2, overflow);
    let from = rx.clone();
    let receiver = go(move || from.recv());
    while tx.statistics().waiting_receivers == 0 {
        waterway::yield_now();
    }
    // A select sends it through the first place.
    select! { send(tx, 0) -> sent => sent.unwrap() }
    assert_eq!(receiver.join().unwrap(), Ok(0));
    tx.send(1).unwrap();
    assert_eq!(rx.recv(), Ok(1));
    waterway::time::sleep(hold * 3);
    // The first place is reserved, the second is filled, and the first is given up.
    let before = Instant::now();
    let gives_up = AssertUnwindSafe(|| {
        let arm = || -> i32 {
            tx.try_send(2).unwrap();
            std::panic::resume_unwind(Box::new("given up"))
        };
        select! { send(tx, arm()) -> sent => sent.unwrap() }
    });
    assert!(catch_unwind(gives_up).is_err());
    tx.send(3).unwrap();
    let first = rx.recv();
    // Where this took longer it may be late by itself.
    if before.elapsed() < hold * 2 {
        assert_eq!((first, rx.try_recv()), (Ok(2), Ok(3)));
        assert!(sheds.try_recv().is_err());
    }
    balance(&rx.statistics());
}

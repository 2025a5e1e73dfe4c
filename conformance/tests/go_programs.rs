//! The programs of Go's `test/chan` that run and say nothing. `select3`, `select5`, `perm` and `powser1` have files of
//! their own.

#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::fmt::Debug;

use waterway::{Receiver, Sender, TryRecvError, chan, go, scope, select, yield_now};
use waterway_conformance::{LONG, blocked, bound};

/// Go: test/chan/doubleselect.go. No value is sent twice, by two arms of one select. 100,000 values in Go, 20,000 here.
#[waterway::test]
fn doubleselect() {
    const VALUES: usize = 20_000;
    let _bound = bound();
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..4).map(|_| chan::<usize>(0)).unzip();
    let (out, all) = chan(0);
    go(move || {
        for n in 0..VALUES {
            select! {
                send(txs[0], n) -> r => r.unwrap(),
                send(txs[1], n) -> r => r.unwrap(),
                send(txs[2], n) -> r => r.unwrap(),
                send(txs[3], n) -> r => r.unwrap(),
            }
        }
    });
    for rx in rxs {
        let out = out.clone();
        go(move || rx.iter().for_each(|n| out.send(n).unwrap()));
    }
    drop(out);
    let mut seen = HashSet::new();
    for n in &all {
        assert!(seen.insert(n), "{n} came twice");
    }
    assert_eq!(seen.len(), VALUES);
}

/// Go: test/chan/fifo.go, AsynchFifo.
#[waterway::test]
fn fifo_buffered() {
    let _bound = bound();
    let (tx, rx) = chan(10);
    (0..10).for_each(|n| tx.send(n).unwrap());
    (0..10).for_each(|n| assert_eq!(rx.recv(), Ok(n)));
}

/// Go: test/chan/fifo.go, SynchFifo. Receivers that start one after the other receive in that order.
#[waterway::test]
fn fifo_unbuffered() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    let (start, mut before) = chan(0);
    for n in 0..10 {
        let (after, next) = chan(0);
        let (rx, turn) = (rx.clone(), std::mem::replace(&mut before, next));
        go(move || {
            turn.recv().unwrap();
            assert_eq!(rx.recv(), Ok(n));
            after.send(()).unwrap();
        });
    }
    start.send(()).unwrap();
    (0..10).for_each(|n| tx.send(n).unwrap());
    before.recv().unwrap();
}

/// Go: test/chan/goroutines.go. A chain of 10,000 goroutines, torn down by one value.
#[waterway::test]
fn goroutines() {
    let _bound = bound();
    let (mut left, leftmost) = chan(0);
    for _ in 0..10_000 {
        let (next, right) = chan(0);
        let left = std::mem::replace(&mut left, next);
        go(move || left.send(right.recv().unwrap()).unwrap());
    }
    go(move || left.send(1).unwrap());
    assert_eq!(leftmost.recv(), Ok(1));
}

fn meets_one_who_waits<T: Debug + PartialEq + Clone + Send + 'static>(first: T, second: T) {
    for capacity in 0..2 {
        let (tx, rx) = chan::<T>(capacity);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        let other = rx.clone();
        let receiver = blocked("chan receive", move || other.recv());
        assert_eq!(tx.try_send(first.clone()), Ok(()));
        assert_eq!(receiver.join().unwrap(), Ok(first.clone()));
        let (other, value) = (tx.clone(), second.clone());
        let send = move || other.send(value);
        let sender = if capacity > 0 {
            let sender = go(send);
            while !rx.is_full() {
                yield_now();
            }
            sender
        } else {
            blocked("chan send", send)
        };
        assert_eq!(rx.try_recv(), Ok(second.clone()));
        assert_eq!(sender.join().unwrap(), Ok(()));
    }
}

/// Go: test/chan/nonblock.go. Non-blocking operations fail alone and succeed with one who waits, for values of several
/// sizes.
#[waterway::test]
fn nonblock() {
    let _bound = bound();
    meets_one_who_waits(123_i32, 234);
    meets_one_who_waits(123_456_i64, 234_567);
    meets_one_who_waits(true, true);
    meets_one_who_waits(String::from("hello"), String::from("hello again"));
}

/// Sends on each until neither can go, and says how often; `counter` counts the messages that were made.
fn send_until_full(a: Option<&Sender<u32>>, b: Option<&Sender<u32>>, counter: &mut u32) -> usize {
    let (full, _receiver) = chan(0);
    let (mut a, mut b) = (a.unwrap_or(&full), b.unwrap_or(&full));
    let mut sent = 0;
    let mut value = || {
        *counter += 1;
        1 << (*counter - 1)
    };
    loop {
        select! {
            send(a, value()) -> _ => a = &full,
            send(b, value()) -> _ => b = &full,
            default => return sent,
        }
        sent += 1;
    }
}

/// Go: test/chan/select.go. Go evaluates the messages of all arms, chosen or not (10 in this program); `select!` makes one
/// only for the arm that was chosen, as its documentation says: 3 here.
#[waterway::test]
fn select_sends_until_full() {
    let _bound = bound();
    let ((a, a_rx), (b, b_rx)) = (chan(1), chan(1));
    let mut counter = 0;
    assert_eq!(send_until_full(Some(&a), Some(&b), &mut counter), 2);
    assert_eq!(a_rx.recv().unwrap() | b_rx.recv().unwrap(), 3);
    assert_eq!(send_until_full(Some(&a), None, &mut counter), 1);
    assert_eq!(counter, 3);
}

/// Go: test/chan/select4.go. What an arm receives goes where that arm says, and nowhere else is looked at.
#[waterway::test]
fn select4() {
    struct Place {
        a: i32,
    }
    let _bound = bound();
    let mut place = Place { a: 0 };
    let (tx, rx) = chan(1);
    let (_tx1, rx1) = chan::<i32>(0);
    let nowhere = || -> &'static mut i32 { unreachable!("this arm is not chosen") };
    tx.send(42).unwrap();
    select! {
        recv(rx1) -> v => *nowhere() = v.unwrap(),
        recv(rx) -> v => place.a = v.unwrap(),
    }
    assert_eq!(place.a, 42);
}

/// Go: test/chan/select6.go (issue 2075). A select that ends elsewhere does not take the queue behind it along.
#[waterway::test]
fn select6() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2), (tx3, rx3)) = (chan(0), chan(0), chan(0));
    let rx = rx1.clone();
    let first = blocked("chan receive", move || rx.recv());
    let second = blocked("select", move || {
        select! { recv(rx1) -> _ => panic!("not yet"), recv(rx2) -> _ => tx3.send(true).unwrap() }
        rx1.recv()
    });
    tx2.send(true).unwrap();
    rx3.recv().unwrap();
    tx1.send(true).unwrap();
    tx1.send(true).unwrap();
    assert_eq!(
        (first.join().unwrap(), second.join().unwrap()),
        (Ok(true), Ok(true))
    );
}

/// Go: test/chan/select7.go. Every way to receive a value that is not wanted meets every way to send it.
#[waterway::test]
fn select7() {
    let _bound = bound();
    let receives: [fn(Receiver<i32>); 3] = [
        |rx| assert_eq!(rx.recv(), Ok(1)),
        |rx| select! { recv(rx) -> v => assert_eq!(v, Ok(1)) },
        |rx| {
            let (_tx, rx2) = chan::<i32>(0);
            select! { recv(rx) -> v => assert_eq!(v, Ok(1)), recv(rx2) -> _ => unreachable!() }
        },
    ];
    let sends: [fn(Sender<i32>); 3] = [
        |tx| tx.send(1).unwrap(),
        |tx| select! { send(tx, 1) -> r => r.unwrap() },
        |tx| {
            let (tx2, _rx) = chan::<i32>(0);
            select! { send(tx, 1) -> r => r.unwrap(), send(tx2, 1) -> _ => unreachable!() }
        },
    ];
    for receive in receives {
        for send in sends {
            let (tx, rx) = chan(0);
            let receiver = go(move || receive(rx));
            yield_now();
            send(tx);
            receiver.join().unwrap();
        }
    }
}

/// Go: test/chan/select8.go. `break` leaves a select. In Rust it leaves the loop around it, or a labelled block.
#[waterway::test]
#[allow(clippy::never_loop)] // leaving it is the point
fn select8() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    let sender = tx.clone();
    go(move || while sender.send(5).is_ok() {});
    let mut left = 0;
    loop {
        select! { recv(rx) -> _ => break }
    }
    'one: {
        select! { default => break 'one }
    }
    'two: {
        select! { recv(rx) -> _ => break 'two, default => break 'two }
    }
    while left < 3 {
        left += 1;
        select! {
            recv(rx) -> _ => continue,
            send(tx, 10) -> _ => unreachable!("nobody receives"),
            default => continue,
        }
    }
    assert_eq!(left, 3);
}

/// Go: test/chan/sendstmt.go, chanchan. The channel of an arm is itself received from a channel.
#[waterway::test]
fn the_channel_of_an_arm_is_an_expression() {
    let _bound = bound();
    let (channels_tx, channels) = chan(1);
    let (tx, rx) = chan(1);
    channels_tx.send(tx).unwrap();
    select! { send(channels.recv().unwrap(), 2) -> r => r.unwrap(), default => panic!("there is room") }
    assert_eq!(rx.recv(), Ok(2));
}

/// Go: test/chan/sendstmt.go, sendprec. The message is a whole expression.
#[waterway::test]
fn the_message_is_an_expression() {
    let _bound = bound();
    let (tx, rx) = chan(1);
    let (no, yes) = (rx.is_full(), !rx.is_full());
    select! { send(tx, no || yes) -> r => r.unwrap() }
    assert_eq!(rx.recv(), Ok(true));
}

/// Go: test/chan/zerosize.go. Channels of a type without size.
#[waterway::test]
fn zerosize() {
    let _bound = bound();
    for capacity in 0..2 {
        let (tx, rx) = chan::<[u8; 0]>(capacity);
        scope(|s| {
            s.go(|| tx.send([]).unwrap());
            assert_eq!(rx.recv_timeout(LONG), Ok([]));
        });
        let (tx, rx) = chan::<()>(capacity);
        scope(|s| {
            s.go(|| tx.send(()).unwrap());
            assert_eq!(rx.recv_timeout(LONG), Ok(()));
        });
    }
}

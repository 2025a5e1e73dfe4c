//! Go's `runtime/chan_test.go`, what concerns select.

#![forbid(unsafe_code)]

use waterway::chan::never;
use waterway::{Receiver, Sender, chan, go, scope, select, yield_now};
use waterway_conformance::{blocked, bound};

/// Go: TestNonblockSelectRace (chan_test.go). A select with a default judges all its channels at one moment: one of both
/// channels is ready at any time, so it never takes the default. 100,000 rounds in Go, 1,000 in short mode; 4,000 here.
#[waterway::test]
fn default_is_judged_at_one_moment() {
    let _bound = bound();
    for round in 0..4_000 {
        let ((tx1, rx1), (tx2, rx2)) = (chan(1), chan(1));
        tx1.send(1).unwrap();
        let (one, two) = (rx1.clone(), rx2.clone());
        let looks = go(move || {
            select! { recv(one) -> _ => true, recv(two) -> _ => true, default => false }
        });
        tx2.send(1).unwrap();
        select! { recv(rx1) -> _ => {}, default => {} }
        assert!(looks.join().unwrap(), "round {round}: no channel was ready");
    }
}

/// Go: TestNonblockSelectRace2 (chan_test.go). As above; the second channel becomes ready by being closed.
#[waterway::test]
fn default_is_judged_at_one_moment_beside_close() {
    let _bound = bound();
    for round in 0..4_000 {
        let ((tx1, rx1), (tx2, rx2)) = (chan(1), chan::<i32>(0));
        tx1.send(1).unwrap();
        let one = rx1.clone();
        let looks = go(move || {
            select! { recv(one) -> _ => true, recv(rx2) -> _ => true, default => false }
        });
        tx2.close();
        select! { recv(rx1) -> _ => {}, default => {} }
        assert!(looks.join().unwrap(), "round {round}: no channel was ready");
    }
}

/// Go: TestSelfSelect (chan_test.go). Two that send and receive on one channel in one select meet each other, not
/// themselves.
#[waterway::test]
fn a_select_does_not_meet_itself() {
    const ROUNDS: usize = 1000;
    let _bound = bound();
    for capacity in [0, 10] {
        let (tx, rx) = chan::<usize>(capacity);
        scope(|s| {
            for own in 0..2 {
                let (tx, rx) = (&tx, &rx);
                s.go(move || {
                    for round in 0..ROUNDS {
                        let got = if own == 0 || round % 2 == 0 {
                            select! { send(tx, own) -> _ => None, recv(rx) -> v => v.ok() }
                        } else {
                            select! { recv(rx) -> v => v.ok(), send(tx, own) -> _ => None }
                        };
                        assert!(capacity > 0 || got != Some(own), "received its own value");
                    }
                });
            }
        });
    }
}

/// Takes turns, each a select of the channels that are open, until each channel had `each` of them.
fn all_in_one_select(each: usize, turn: impl Fn(&[bool; 4]) -> usize) {
    let mut open = [true; 4];
    let mut counts = [0; 4];
    for _ in 0..4 * each {
        let arm = turn(&open);
        counts[arm] += 1;
        open[arm] = counts[arm] < each;
    }
    assert_eq!(counts, [each; 4]);
}

/// Go: TestSelectStress (chan_test.go). Plain sends and receives and selects over four channels, all at once. 100,000 values
/// a channel in Go, 10,000 in short mode; 3,000 here.
#[waterway::test]
fn selects_among_plain_operations() {
    const EACH: usize = 3_000;
    let _bound = bound();
    let ends = [chan(0), chan(0), chan(2), chan(3)];
    let (txs, rxs): (Vec<Sender<u8>>, Vec<Receiver<u8>>) = ends.into_iter().unzip();
    // A sender on which nothing ever can be sent: Go's nil channel, sending.
    let (stuck, _never_received) = chan::<u8>(0);
    scope(|s| {
        for (tx, rx) in txs.iter().zip(&rxs) {
            s.go(move || (0..EACH).for_each(|_| tx.send(0).unwrap()));
            s.go(move || (0..EACH).for_each(|_| assert_eq!(rx.recv(), Ok(0))));
        }
        s.go(|| {
            all_in_one_select(EACH, |open| {
                let end = |n: usize| if open[n] { &txs[n] } else { &stuck };
                select! {
                    send(end(3), 0) -> _ => 3,
                    send(end(2), 0) -> _ => 2,
                    send(end(0), 0) -> _ => 0,
                    send(end(1), 0) -> _ => 1,
                }
            });
        });
        s.go(|| {
            let never = never();
            all_in_one_select(EACH, |open| {
                let end = |n: usize| if open[n] { &rxs[n] } else { &never };
                select! {
                    recv(end(0)) -> _ => 0,
                    recv(end(1)) -> _ => 1,
                    recv(end(2)) -> _ => 2,
                    recv(end(3)) -> _ => 3,
                }
            });
        });
    });
    assert!(rxs.iter().all(|rx| rx.try_recv().is_err()));
}

/// Go: TestSelectFairness (chan_test.go). Of two that are always ready each gets its half, within 10 sigma.
#[waterway::test]
fn ready_arms_share_evenly() {
    const TRIALS: usize = 10_000;
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (chan(TRIALS + 1), chan(TRIALS + 1));
    for _ in 0..=TRIALS {
        tx1.send(1).unwrap();
        tx2.send(2).unwrap();
    }
    let ((_tx3, rx3), (_tx4, rx4)) = (chan(0), chan(0));
    let (out, values) = chan(0);
    let (done, stop) = chan::<()>(0);
    let selects = go(move || {
        loop {
            let value = select! {
                recv(rx3) -> v => v.unwrap(),
                recv(rx4) -> v => v.unwrap(),
                recv(rx1) -> v => v.unwrap(),
                recv(rx2) -> v => v.unwrap(),
            };
            select! { send(out, value) -> sent => sent.unwrap(), recv(stop) -> _ => return }
        }
    });
    let mut counts = [0usize; 3];
    for _ in 0..TRIALS {
        let value: usize = values.recv().unwrap();
        counts[value] += 1;
    }
    done.close();
    selects.join().unwrap();
    let sigma = (TRIALS as f64 * 0.25).sqrt();
    let off = (counts[1] as f64 - TRIALS as f64 / 2.0).abs();
    assert!(counts[0] == 0 && off <= 10.0 * sigma, "{counts:?}");
}

/// Go: TestPseudoRandomSend (chan_test.go). Which of two sends on one channel goes is left to chance.
#[waterway::test]
fn two_sends_on_one_channel_take_turns_by_chance() {
    const N: usize = 100;
    let _bound = bound();
    for capacity in [0, N] {
        let (tx, rx) = chan(capacity);
        let receiver = go(move || {
            let mut got = Vec::new();
            for _ in 0..N {
                yield_now();
                got.push(rx.recv().unwrap());
            }
            got
        });
        for _ in 0..N {
            select! { send(tx, 1) -> _ => {}, send(tx, 0) -> _ => {} }
        }
        let ones: usize = receiver.join().unwrap().into_iter().sum();
        assert!(
            (N / 10 + 1..N - N / 10).contains(&ones),
            "{ones} ones, capacity {capacity}"
        );
    }
}

/// Go: TestSelectDuplicateChannel (chan_test.go). One that stands twice in a queue leaves it whole when it goes.
#[waterway::test]
fn a_channel_may_be_in_a_select_twice() {
    let _bound = bound();
    let ((c_tx, c_rx), (d_tx, d_rx)) = (chan(0), chan(0));
    let twice = c_rx.clone();
    let first = blocked("select", move || {
        select! {
            recv(twice) -> _ => "c",
            recv(twice) -> _ => "c again",
            recv(d_rx) -> _ => "d",
        }
    });
    let second = blocked("chan receive", move || c_rx.recv());
    d_tx.send(7).unwrap();
    assert_eq!(first.join().unwrap(), "d");
    c_tx.send(8).unwrap();
    assert_eq!(second.join().unwrap(), Ok(8));
}

/// Go: TestSelectStackAdjust (chan_test.go). Slots of arms that were not chosen keep what they held; there pointers into a
/// stack that moved, here references into a stack that was deep for a while.
#[waterway::test]
fn arms_that_were_not_chosen_change_nothing() {
    let _bound = bound();
    #[inline(never)]
    fn deep(n: usize) -> usize {
        let frame = std::hint::black_box([n; 128]);
        if n == 0 {
            frame[0]
        } else {
            deep(n - 1) + frame[n]
        }
    }
    let ((_c_tx, c_rx), (d_tx, d_rx)) = (chan::<usize>(0), chan::<usize>(0));
    let select = |both: bool| {
        let (c, d) = (c_rx.clone(), d_rx.clone());
        let (c2, d2) = if both {
            (c.clone(), d.clone())
        } else {
            (never(), never())
        };
        blocked("select", move || {
            std::hint::black_box(deep(10));
            let mut value = 42;
            let mut slot = &mut value;
            let mut other = 0;
            select! {
                recv(c) -> v => { other = v.unwrap(); slot = &mut other }
                recv(c2) -> _ => {}
                recv(d) -> v => assert!(v.is_err()),
                recv(d2) -> v => assert!(v.is_err()),
            }
            assert_eq!(*slot, 42);
            *slot = 43;
            (value, other)
        })
    };
    let selects = [select(false), select(true)];
    d_tx.close();
    for select in selects {
        assert_eq!(select.join().unwrap(), (43, 0));
    }
}

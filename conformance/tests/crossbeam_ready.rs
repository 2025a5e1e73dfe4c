//! What crossbeam-channel's `ready.rs` checks: `Select::ready`, which tells of an operation without choosing it.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use waterway::chan::unbounded;
use waterway::{
    ReadyTimeoutError, Receiver, Select, Sender, TryReadyError, TryRecvError, TrySendError, chan,
    go, select,
};
use waterway_conformance::{Crew, LONG, blocked, bound, members};

const SHORT: Duration = Duration::from_millis(5);

/// The index of a receive that may go.
fn ready<T>(from: &[&Receiver<T>]) -> usize {
    let mut select = Select::new();
    for rx in from {
        select.recv(rx);
    }
    select.ready_timeout(LONG).expect("one is ready")
}

/// crossbeam: smoke1, smoke2 (ready).
#[waterway::test]
fn smoke() {
    let _bound = bound();
    let (txs, rxs): (Vec<Sender<usize>>, Vec<Receiver<usize>>) =
        (0..5).map(|_| unbounded()).unzip();
    let all: Vec<_> = rxs.iter().collect();
    for n in [0, 1, 4, 2] {
        txs[n].send(n * 10).unwrap();
        assert_eq!(ready(&all), n);
        assert_eq!(rxs[n].try_recv(), Ok(n * 10));
    }
}

/// crossbeam: disconnected (ready).
#[waterway::test]
fn disconnected() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded());
    drop(tx1);
    assert_eq!(ready(&[&rx1, &rx2]), 0);
    assert_eq!(rx1.try_recv(), Err(TryRecvError::Disconnected));
    tx2.send(5).unwrap();
    assert_eq!(rx2.recv(), Ok(5));
    let waits = blocked("select", move || (ready(&[&rx2]), rx2.try_recv()));
    drop(tx2);
    assert_eq!(waits.join().unwrap(), (0, Err(TryRecvError::Disconnected)));
}

/// crossbeam: default, default_when_disconnected (ready).
#[waterway::test]
fn default() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded::<i32>());
    let mut select = Select::new();
    let first = select.recv(&rx1);
    let second = select.recv(&rx2);
    assert_eq!(select.try_ready(), Err(TryReadyError));
    drop(tx1);
    assert_eq!(select.try_ready(), Ok(first));
    select.remove(first);
    assert_eq!(select.try_ready(), Err(TryReadyError));
    tx2.send(2).unwrap();
    assert_eq!(select.try_ready(), Ok(second));
    assert_eq!(rx2.try_recv(), Ok(2));
    assert_eq!(select.try_ready(), Err(TryReadyError));
    assert_eq!(Select::new().try_ready(), Err(TryReadyError));
    let (tx, rx) = chan(0);
    drop(rx);
    let mut select = Select::new();
    select.send(&tx);
    assert_eq!(
        (select.try_ready(), select.ready_timeout(LONG)),
        (Ok(0), Ok(0))
    );
    assert_eq!(tx.try_send(0), Err(TrySendError::Disconnected(0)));
}

/// crossbeam: timeout, default_only (ready).
#[waterway::test]
fn timeout() {
    let _bound = bound();
    let ((_tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded());
    let begin = Instant::now();
    assert_eq!(Select::new().ready_timeout(SHORT), Err(ReadyTimeoutError));
    let mut select = Select::new();
    select.recv(&rx1);
    let second = select.recv(&rx2);
    assert_eq!(select.ready_timeout(SHORT), Err(ReadyTimeoutError));
    assert!(begin.elapsed() >= 2 * SHORT);
    tx2.send(2).unwrap();
    assert_eq!(select.ready_timeout(LONG), Ok(second));
    assert_eq!(rx2.try_recv(), Ok(2));
}

/// crossbeam: unblocks (ready), cloning1, cloning2. One who waits is told by a sender that waits in turn; that clones come and
/// go tells nobody.
#[waterway::test]
fn unblocks() {
    let _bound = bound();
    let ((_tx1, rx1), (tx2, rx2)) = (chan::<i32>(0), chan(0));
    let other = rx2.clone();
    let waits = blocked("select", move || {
        let index = ready(&[&rx1, &rx2]);
        (index, rx2.try_recv())
    });
    drop((tx2.clone(), other));
    assert!(!waits.is_finished());
    tx2.send(2).unwrap();
    assert_eq!(waits.join().unwrap(), (1, Ok(2)));
}

/// crossbeam: both_ready (ready). Each of two is told of when it is due. Who is told tries, and comes back if that was for
/// nothing, as `Select::ready` documents; it does not come back again and again.
#[waterway::test]
fn both_ready() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (chan(0), chan(0));
    let waits = blocked("select", move || {
        let (mut received, mut sent, mut looks) = (false, false, 0);
        while !(received && sent) {
            let mut select = Select::new();
            select.recv(&rx1);
            select.send(&tx2);
            match select.ready() {
                0 => received |= rx1.try_recv() == Ok(1),
                1 => sent |= tx2.try_send(2) == Ok(()),
                _ => unreachable!(),
            }
            looks += 1;
            assert!(looks < 1000, "told {looks} times, and always for nothing");
        }
    });
    tx1.send(1).unwrap();
    assert_eq!(rx2.recv(), Ok(2));
    waits.join().unwrap();
}

/// crossbeam: what `zero.rs` of its source keeps to, without a test: who is ready has not chosen, and nobody has for him. A
/// select that waits to send here or receive there still takes what comes there.
#[waterway::test]
fn looking_commits_nobody() {
    let _bound = bound();
    let ((tx, rx), (other_tx, other)) = (chan(0), chan(0));
    let waits = blocked("select", move || {
        select! { send(tx, 1) -> _ => "sent", recv(other) -> _ => "received" }
    });
    let mut select = Select::new();
    select.recv(&rx);
    let _ = select.ready_timeout(SHORT);
    assert_eq!(other_tx.send_timeout(2, LONG), Ok(()));
    assert_eq!(waits.join().unwrap(), "received");
}

/// crossbeam: preflight1, preflight2, preflight3 (ready).
#[waterway::test]
fn preflight() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    tx.send(()).unwrap();
    drop(tx.clone());
    drop(tx);
    assert_eq!((ready(&[&rx]), rx.try_recv()), (0, Ok(())));
    assert_eq!(
        (ready(&[&rx]), rx.try_recv()),
        (0, Err(TryRecvError::Disconnected))
    );
}

/// crossbeam: duplicate_operations (ready).
#[waterway::test]
fn duplicate_operations() {
    let _bound = bound();
    let (tx, rx) = chan(1);
    let mut hit = [false; 4];
    while hit != [true; 4] {
        let mut select = Select::new();
        select.recv(&rx);
        select.recv(&rx);
        select.send(&tx);
        select.send(&tx);
        let index = select.ready();
        hit[index] = true;
        if index < 2 {
            rx.try_recv().unwrap();
        } else {
            tx.try_send(0).unwrap();
        }
    }
}

/// crossbeam: nesting (ready). It keeps nothing: others may use the channels before the one who was told.
#[waterway::test]
fn nesting() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    for n in 0..3 {
        let mut select = Select::new();
        select.send(&tx);
        assert_eq!(select.ready(), 0);
        tx.try_send(n).unwrap();
        assert_eq!((ready(&[&rx]), rx.try_recv()), (0, Ok(n)));
    }
}

/// crossbeam: send_recv_same_channel (ready). A set that could only meet itself waits.
#[waterway::test]
fn send_recv_same_channel() {
    let _bound = bound();
    let (tx, rx) = chan::<i32>(0);
    let mut select = Select::new();
    select.send(&tx);
    select.recv(&rx);
    assert_eq!(select.ready_timeout(SHORT), Err(ReadyTimeoutError));
}

/// crossbeam: stress_recv, stress_send, stress_mixed, stress_timeout_two_threads (ready). The one who is told tries, and comes
/// back if another was faster.
#[test]
fn stress() {
    const ROUNDS: usize = 500;
    let _bound = bound();
    for crew in Crew::ALL {
        for capacity in [0, 1, 3] {
            let ((tx1, rx1), (tx2, rx2), (tx3, rx3)) =
                (chan(capacity), unbounded(), chan(capacity));
            crew.run(members![
                || {
                    for n in 0..ROUNDS {
                        tx1.send(n).unwrap();
                        tx2.send(n).unwrap();
                        assert_eq!(rx3.recv(), Ok(n));
                    }
                },
                || {
                    for n in 0..ROUNDS {
                        let mut open = [true; 3];
                        while open != [false; 3] {
                            let (mut select, mut arms) = (Select::new(), Vec::new());
                            for arm in (0..3).filter(|arm| open[*arm]) {
                                match arm {
                                    0 => select.recv(&rx1),
                                    1 => select.recv(&rx2),
                                    _ => select.send(&tx3),
                                };
                                arms.push(arm);
                            }
                            let Ok(index) = select.ready_timeout(Duration::from_millis(1)) else {
                                continue;
                            };
                            open[arms[index]] = match arms[index] {
                                0 => rx1.try_recv() != Ok(n),
                                1 => rx2.try_recv() != Ok(n),
                                _ => tx3.try_send(n).is_err(),
                            };
                        }
                    }
                },
            ]);
        }
    }
}

/// crossbeam: channel_through_channel (ready).
#[waterway::test]
fn channel_through_channel() {
    struct Next(Receiver<Next>);
    let _bound = bound();
    for capacity in [1, 2, 3] {
        let (first, mut rx) = chan(capacity);
        let sender = go(move || {
            let mut tx: Sender<Next> = first;
            for _ in 0..300 {
                let (next, rx) = chan(capacity);
                let mut value = Next(rx);
                loop {
                    let mut select = Select::new();
                    select.send(&tx);
                    select.ready();
                    match tx.try_send(value) {
                        Ok(()) => break,
                        Err(error) => value = error.into_inner(),
                    }
                }
                tx = next;
            }
        });
        for _ in 0..300 {
            rx = loop {
                ready(&[&rx]);
                if let Ok(Next(next)) = rx.try_recv() {
                    break next;
                }
            };
        }
        sender.join().unwrap();
    }
}

/// crossbeam: fairness1, fairness2 (ready).
#[waterway::test]
fn fairness() {
    const TURNS: usize = 3_000;
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (chan(TURNS), unbounded());
    for _ in 0..TURNS {
        tx1.send(()).unwrap();
        tx2.send(()).unwrap();
    }
    let mut hits = [0; 2];
    for _ in 0..TURNS {
        let index = ready(&[&rx1, &rx2]);
        hits[index] += 1;
        [&rx1, &rx2][index].try_recv().unwrap();
    }
    assert!(hits.iter().all(|n| *n >= TURNS / 4), "{hits:?}");
}

//! What crossbeam-channel's `select.rs` checks: `Select`, a set of operations that is put together at run time.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use waterway::chan::unbounded;
use waterway::{
    Receiver, RecvError, Select, SelectTimeoutError, SendError, Sender, TryRecvError,
    TrySelectError, chan, go, scope,
};
use waterway_conformance::{LONG, blocked, bound, until};

const SHORT: Duration = Duration::from_millis(5);

/// Selects a receive of several.
fn receive<T>(from: &[&Receiver<T>]) -> (usize, Result<T, RecvError>) {
    let mut select = Select::new();
    for rx in from {
        select.recv(rx);
    }
    let chosen = select.select_timeout(LONG).expect("one is ready");
    let index = chosen.index();
    (index, chosen.recv(from[index]))
}

/// crossbeam: smoke1, smoke2.
#[waterway::test]
fn smoke() {
    let _bound = bound();
    let (txs, rxs): (Vec<Sender<usize>>, Vec<Receiver<usize>>) =
        (0..5).map(|_| unbounded()).unzip();
    let all: Vec<_> = rxs.iter().collect();
    for n in [0, 1, 4, 2] {
        txs[n].send(n * 10).unwrap();
        assert_eq!(receive(&all), (n, Ok(n * 10)));
    }
}

/// crossbeam: disconnected. The end of a channel is chosen as a value is, by one who waits too.
#[waterway::test]
fn disconnected() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded());
    drop(tx1);
    assert_eq!(receive(&[&rx1, &rx2]), (0, Err(RecvError)));
    tx2.send(5).unwrap();
    assert_eq!(rx2.recv(), Ok(5));
    let waits = blocked("select", move || receive(&[&rx2]));
    drop(tx2);
    assert_eq!(waits.join().unwrap(), (0, Err(RecvError)));
    let (tx, rx) = chan::<i32>(0);
    drop(rx);
    let mut select = Select::new();
    select.send(&tx);
    assert_eq!(select.select().send(&tx, 1), Err(SendError(1)));
}

/// crossbeam: default, default_when_disconnected.
#[waterway::test]
fn default() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded());
    let mut select = Select::new();
    let first = select.recv(&rx1);
    let second = select.recv(&rx2);
    assert_eq!(select.try_select().unwrap_err(), TrySelectError);
    drop(tx1);
    let chosen = select.try_select().unwrap();
    assert_eq!((chosen.index(), chosen.recv(&rx1)), (first, Err(RecvError)));
    select.remove(first);
    tx2.send(2).unwrap();
    let chosen = select.try_select().unwrap();
    assert_eq!((chosen.index(), chosen.recv(&rx2)), (second, Ok(2)));
    assert_eq!(select.try_select().unwrap_err(), TrySelectError);
    assert_eq!(Select::new().try_select().unwrap_err(), TrySelectError);
}

/// crossbeam: timeout, default_only.
#[waterway::test]
fn timeout() {
    let _bound = bound();
    let ((_tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded());
    let begin = Instant::now();
    assert_eq!(
        Select::new().select_timeout(SHORT).unwrap_err(),
        SelectTimeoutError
    );
    let mut select = Select::new();
    select.recv(&rx1);
    let second = select.recv(&rx2);
    assert_eq!(
        select.select_timeout(SHORT).unwrap_err(),
        SelectTimeoutError
    );
    assert!(begin.elapsed() >= 2 * SHORT);
    tx2.send(2).unwrap();
    let chosen = select.select_timeout(LONG).unwrap();
    assert_eq!((chosen.index(), chosen.recv(&rx2)), (second, Ok(2)));
}

/// crossbeam: unblocks, both_ready. One who waits to receive here or send there is met by either.
#[waterway::test]
fn unblocks() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (chan(0), chan(0));
    let waits = blocked("select", move || {
        let mut select = Select::new();
        let (receives, sends) = (select.recv(&rx1), select.send(&tx2));
        let mut done = Vec::new();
        for _ in 0..2 {
            let chosen = select.select();
            match chosen.index() {
                n if n == receives => done.push(chosen.recv(&rx1).unwrap()),
                n if n == sends => chosen.send(&tx2, 2).map(|()| done.push(0)).unwrap(),
                _ => unreachable!(),
            }
        }
        done
    });
    tx1.send(1).unwrap();
    assert_eq!(rx2.recv(), Ok(2));
    assert_eq!(waits.join().unwrap(), [1, 0]);
}

/// crossbeam: loop_try. Two that try, one to send and one to receive, and one that selects both: it meets one of them.
#[waterway::test]
fn loop_try() {
    let _bound = bound();
    for _ in 0..20 {
        let ((tx1, rx1), (tx2, rx2), (end, ended)) = (chan(0), chan(0), chan::<()>(0));
        let over = || ended.try_recv() == Err(TryRecvError::Disconnected);
        scope(|s| {
            s.go(|| {
                until(|| {
                    let mut select = Select::new();
                    select.send(&tx1);
                    let sent = select
                        .try_select()
                        .map(|chosen| chosen.send(&tx1, 1).unwrap());
                    sent.is_ok() || over()
                })
            });
            s.go(|| until(|| rx2.try_recv().inspect(|v| assert_eq!(*v, 2)).is_ok() || over()));
            s.go(|| {
                let mut select = Select::new();
                let receives = select.recv(&rx1);
                select.send(&tx2);
                let chosen = select.select_timeout(LONG).expect("both try");
                if chosen.index() == receives {
                    assert_eq!(chosen.recv(&rx1), Ok(1));
                } else {
                    chosen.send(&tx2, 2).unwrap();
                }
                end.close();
            });
        });
    }
}

/// crossbeam: cloning1, cloning2. That a clone of an end comes and goes wakes nobody.
#[waterway::test]
fn clones_come_and_go() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (unbounded::<i32>(), unbounded());
    let other = (rx1.clone(), rx2.clone());
    let waits = blocked("select", move || receive(&[&other.0, &other.1]));
    drop((tx1.clone(), rx1.clone()));
    assert!(!waits.is_finished());
    tx2.send(7).unwrap();
    assert_eq!(waits.join().unwrap(), (1, Ok(7)));
}

/// crossbeam: preflight1, preflight2, preflight3. What was there before the select.
#[waterway::test]
fn preflight() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    tx.send(()).unwrap();
    assert_eq!(receive(&[&rx]), (0, Ok(())));
    drop(tx.clone());
    tx.send(()).unwrap();
    drop(tx);
    assert_eq!(receive(&[&rx]), (0, Ok(())));
    assert_eq!(receive(&[&rx]), (0, Err(RecvError)));
}

/// crossbeam: duplicate_operations. Each of several arms of one channel is chosen some time.
#[waterway::test]
fn duplicate_operations() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    let mut hit = [false; 4];
    while hit != [true; 4] {
        let mut select = Select::new();
        select.recv(&rx);
        select.recv(&rx);
        select.send(&tx);
        select.send(&tx);
        let chosen = select.select();
        hit[chosen.index()] = true;
        if chosen.index() < 2 {
            chosen.recv(&rx).unwrap();
        } else {
            chosen.send(&tx, 0).unwrap();
        }
    }
}

/// crossbeam: nesting. A select inside of another, before that is finished.
#[waterway::test]
fn nesting() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (unbounded(), unbounded());
    let mut outer = Select::new();
    outer.send(&tx1);
    let sends = outer.select();
    let mut inner = Select::new();
    inner.send(&tx2);
    inner.select().send(&tx2, 2).unwrap();
    assert_eq!(receive(&[&rx2]), (0, Ok(2)));
    sends.send(&tx1, 1).unwrap();
    assert_eq!(receive(&[&rx1]), (0, Ok(1)));
}

/// crossbeam: send_recv_same_channel. A select that could only meet itself waits.
#[waterway::test]
fn send_recv_same_channel() {
    let _bound = bound();
    let (tx, rx) = chan::<i32>(0);
    let mut select = Select::new();
    select.send(&tx);
    select.recv(&rx);
    assert_eq!(
        select.select_timeout(SHORT).unwrap_err(),
        SelectTimeoutError
    );
    let (tx, rx) = unbounded::<i32>();
    let mut select = Select::new();
    let sends = select.send(&tx);
    select.recv(&rx);
    let chosen = select.select_timeout(LONG).unwrap();
    assert_eq!(chosen.index(), sends);
    chosen.send(&tx, 0).unwrap();
}

/// Sends `own` or receives somebody else's number, over one channel.
fn match_up(own: usize, tx: &Sender<usize>, rx: &Receiver<usize>) {
    let mut select = Select::new();
    let receives = select.recv(rx);
    select.send(tx);
    let chosen = select.select();
    if chosen.index() == receives {
        assert_ne!(chosen.recv(rx), Ok(own));
    } else {
        chosen.send(tx, own).unwrap();
    }
}

/// crossbeam: matching, and what of sync_and_clone and send_and_clone applies: a `Select` here is neither cloned nor shared.
/// An even number pairs up without a rest.
#[waterway::test]
fn matching() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    scope(|s| {
        for own in 0..44 {
            let (tx, rx) = (&tx, &rx);
            s.go(move || match_up(own, tx, rx));
        }
    });
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

/// crossbeam: matching_with_leftover. The one that is left over meets a plain send.
#[waterway::test]
fn matching_with_leftover() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    scope(|s| {
        for own in 0..43 {
            let (tx, rx) = (&tx, &rx);
            s.go(move || match_up(own, tx, rx));
        }
        tx.send(!0).unwrap();
    });
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

/// crossbeam: reuse. One set, many times.
#[waterway::test]
fn reuse() {
    const ROUNDS: usize = 1_000;
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2), (tx3, rx3)) = (chan(0), chan(0), chan(100));
    let other = go(move || {
        for n in 0..ROUNDS {
            tx1.send(n).unwrap();
            assert_eq!(rx2.recv(), Ok(n));
            rx3.recv().unwrap();
        }
    });
    let mut select = Select::new();
    let receives = select.recv(&rx1);
    let sends = select.send(&tx2);
    for n in 0..ROUNDS {
        for _ in 0..2 {
            let chosen = select.select();
            match chosen.index() {
                index if index == receives => assert_eq!(chosen.recv(&rx1), Ok(n)),
                index if index == sends => chosen.send(&tx2, n).unwrap(),
                _ => unreachable!(),
            }
        }
        tx3.send(()).unwrap();
    }
    other.join().unwrap();
}

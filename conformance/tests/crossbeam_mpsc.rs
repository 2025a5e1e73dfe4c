//! What crossbeam-channel's `mpsc.rs` checks: the suite of std's `mpsc`, of which its parts are listed in the README. Each
//! here runs on channels of every kind, by threads and by goroutines.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waterway::chan::unbounded;
use waterway::{
    RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError, chan, go, select,
};
use waterway_conformance::{Crew, LONG, Member, bound, flavours, members, until};

/// crossbeam: smoke, smoke_shared, drop_full, drop_full_shared (mpsc). What is left in a channel is dropped with it.
#[test]
fn values_go_with_the_channel() {
    let _bound = bound();
    let value = Arc::new(());
    for (name, tx, rx) in flavours() {
        if tx.capacity() == Some(0) {
            continue;
        }
        tx.send(value.clone()).unwrap();
        assert!(rx.recv().is_ok());
        tx.clone().send(value.clone()).unwrap();
        assert_eq!(Arc::strong_count(&value), 2, "{name}");
        drop((tx, rx));
        assert_eq!(Arc::strong_count(&value), 1, "{name}");
    }
}

/// crossbeam: smoke_threads, send_from_outside_runtime, recv_from_outside_runtime, no_runtime (mpsc): between threads and
/// goroutines in any combination.
#[test]
fn threads_and_goroutines_meet() {
    let _bound = bound();
    for crew in Crew::ALL {
        for (name, tx, rx) in flavours() {
            crew.run(members![|| tx.send(1).unwrap(), || assert_eq!(
                rx.recv(),
                Ok(1),
                "{crew:?} {name}"
            ),]);
            crew.run(members![
                || assert_eq!(rx.recv(), Ok(2), "{crew:?} {name}"),
                || tx.send(2).unwrap(),
            ]);
        }
    }
}

/// crossbeam: smoke_port_gone, smoke_shared_port_gone, smoke_shared_port_gone2, smoke_chan_gone, smoke_chan_gone_shared,
/// oneshot_single_thread_close_port_first, …_close_chan_first, …_send_port_close, …_recv_chan_close (mpsc).
#[test]
fn the_other_end_is_gone() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let second = tx.clone();
        drop(rx);
        assert_eq!(tx.send(Box::new(0)), Err(SendError(Box::new(0))), "{name}");
        drop(tx);
        assert_eq!(
            second.send(Box::new(1)),
            Err(SendError(Box::new(1))),
            "{name}"
        );
    }
    for (name, tx, rx) in flavours::<i32>() {
        let second = tx.clone();
        drop(tx);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}");
        drop(second);
        assert_eq!(rx.recv(), Err(RecvError), "{name}");
    }
}

/// crossbeam: port_gone_concurrent, port_gone_concurrent_shared, chan_gone_concurrent (mpsc). One end goes while the other is
/// in use.
#[test]
fn the_other_end_goes() {
    let _bound = bound();
    for crew in Crew::ALL {
        for (_, tx, rx) in flavours() {
            let second = tx.clone();
            crew.run(members![
                move || assert_eq!(rx.recv(), Ok(1)),
                move || while tx.send(1).is_ok() {},
                move || while second.send(1).is_ok() {},
            ]);
        }
        for (_, tx, rx) in flavours() {
            crew.run(members![
                move || (0..2).for_each(|n| tx.send(n).unwrap()),
                move || while rx.recv().is_ok() {},
            ]);
        }
    }
}

/// crossbeam: stress, stress_shared, shared_chan_stress, recv_a_lot (mpsc).
#[test]
fn stress() {
    const EACH: usize = 300;
    const SENDERS: usize = 8;
    let _bound = bound();
    for crew in Crew::ALL {
        for (name, tx, rx) in flavours() {
            let sender = |_| {
                let tx = tx.clone();
                Box::new(move || (0..EACH).for_each(|_| tx.send(1).unwrap())) as Member<'_>
            };
            let receiver = || {
                assert_eq!(
                    rx.iter().take(EACH * SENDERS).sum::<usize>(),
                    EACH * SENDERS
                );
                assert!(rx.try_recv().is_err(), "{crew:?} {name}");
            };
            crew.run(
                (0..SENDERS)
                    .map(sender)
                    .chain([Box::new(receiver) as Member<'_>]),
            );
        }
    }
}

/// crossbeam: oneshot_single_thread_send_then_recv, …_try_send_open, …_try_send_closed, …_try_recv_open, …_try_recv_closed,
/// …_try_recv_closed_with_data, …_peek_data, …_peek_close, …_peek_open, try_send1, try_send2, try_send3 (mpsc).
#[test]
fn one_thread_alone() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}");
        match tx.capacity() {
            Some(0) => assert_eq!(tx.try_send(10), Err(TrySendError::Full(10)), "{name}"),
            capacity => {
                assert_eq!(tx.try_send(10), Ok(()), "{name}");
                if capacity == Some(1) {
                    assert_eq!(tx.try_send(11), Err(TrySendError::Full(11)), "{name}");
                }
                assert_eq!((rx.len(), rx.recv()), (1, Ok(10)), "{name}");
                tx.send(12).unwrap();
                drop(tx);
                assert_eq!(rx.try_recv(), Ok(12), "{name}");
                assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected), "{name}");
            }
        }
    }
    for (name, tx, rx) in flavours() {
        drop(rx);
        assert_eq!(
            tx.try_send(10),
            Err(TrySendError::Disconnected(10)),
            "{name}"
        );
    }
}

/// crossbeam: oneshot_multi_task_recv_then_send, …_recv_then_close, oneshot_multi_thread_close_stress, …_send_close_stress,
/// …_recv_close_stress, …_send_recv_stress (mpsc). What two do with a channel of one value, at the same time.
#[test]
fn oneshots() {
    let _bound = bound();
    for round in 0..40 {
        let crew = Crew::ALL[round % 3];
        for (_, tx, rx) in flavours::<Box<i32>>() {
            crew.run(members![move || drop(rx), move || drop(tx)]);
        }
        for (_, tx, rx) in flavours() {
            crew.run(members![move || drop(rx), move || drop(
                tx.send(Box::new(1))
            )]);
        }
        for (_, tx, rx) in flavours::<Box<i32>>() {
            crew.run(members![
                move || assert_eq!(rx.recv(), Err(RecvError)),
                move || drop(tx)
            ]);
        }
        for (_, tx, rx) in flavours() {
            crew.run(members![
                move || assert_eq!(rx.recv(), Ok(Box::new(10))),
                move || tx.send(Box::new(10)).unwrap(),
            ]);
        }
    }
}

/// crossbeam: stream_send_recv_stress (mpsc). Each value is sent by one who then starts the next, and so it is received.
#[test]
fn a_stream_of_single_sends() {
    let _bound = bound();
    for (name, tx, rx) in flavours::<Box<usize>>() {
        fn send(tx: waterway::Sender<Box<usize>>, n: usize) {
            if n < 30 {
                tx.send(Box::new(n)).unwrap();
                go(move || send(tx, n + 1));
            }
        }
        go(move || send(tx, 0));
        assert!((0..30).all(|n| rx.recv() == Ok(Box::new(n))), "{name}");
        assert_eq!(rx.recv(), Err(RecvError), "{name}");
    }
}

/// crossbeam: oneshot_single_thread_recv_timeout, recv_timeout, recv_timeout_upgrade (mpsc).
#[test]
fn receives_with_a_timeout() {
    let _bound = bound();
    let time = Duration::from_millis(2);
    for (name, tx, rx) in flavours() {
        let start = Instant::now();
        assert_eq!(
            rx.recv_timeout(time),
            Err(RecvTimeoutError::Timeout),
            "{name}"
        );
        assert!(start.elapsed() >= time);
        let second = tx.clone();
        assert_eq!(
            rx.recv_timeout(time),
            Err(RecvTimeoutError::Timeout),
            "{name}"
        );
        let sender = go(move || second.send(7));
        assert_eq!(rx.recv_timeout(LONG), Ok(7), "{name}");
        sender.join().unwrap().unwrap();
    }
}

/// crossbeam: stress_recv_timeout_two_threads, stress_recv_timeout_shared, shared_recv_timeout (mpsc). Who gives up comes
/// again, and nothing is lost.
#[test]
fn receives_that_give_up() {
    const EACH: usize = 20;
    const SENDERS: usize = 5;
    let _bound = bound();
    for crew in Crew::ALL {
        for (name, tx, rx) in flavours() {
            let received = AtomicUsize::new(0);
            let sender = |s: usize| {
                let tx = tx.clone();
                let work = move || {
                    for n in 0..EACH {
                        if (n + s).is_multiple_of(4) {
                            waterway::time::sleep(Duration::from_micros(300));
                        }
                        tx.send(1).unwrap();
                    }
                };
                Box::new(work) as Member<'_>
            };
            let receiver = || {
                while received.load(Ordering::Relaxed) < EACH * SENDERS {
                    if let Ok(n) = rx.recv_timeout(Duration::from_micros(100)) {
                        received.fetch_add(n, Ordering::Relaxed);
                    }
                }
            };
            crew.run(
                (0..SENDERS)
                    .map(sender)
                    .chain([Box::new(receiver) as Member<'_>]),
            );
            assert_eq!(received.into_inner(), EACH * SENDERS, "{crew:?} {name}");
        }
    }
}

/// crossbeam: try_recv_states (mpsc). Nothing, something, the end: each is seen as it is, from outside.
#[test]
fn states_as_a_try_sees_them() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let ((go_on, next), (done, steps)) = (chan(0), chan(0));
        let other = go(move || {
            next.recv().unwrap();
            done.send(()).unwrap();
            tx.send(1).unwrap();
            next.recv().unwrap();
            drop(tx);
            done.send(()).unwrap();
        });
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}");
        go_on.send(()).unwrap();
        steps.recv().unwrap();
        until(|| rx.try_recv() == Ok(1));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}");
        go_on.send(()).unwrap();
        steps.recv().unwrap();
        assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected), "{name}");
        other.join().unwrap();
    }
}

/// crossbeam: destroy_upgraded_shared_port_when_sender_still_active, issue_32114, issue_15761, send1, send2, send3, send4
/// (mpsc). Senders that wait when the receiver goes, or gave their value just before it went.
#[test]
fn senders_that_wait_when_the_receiver_goes() {
    let _bound = bound();
    for crew in Crew::ALL {
        let (tx, rx) = chan(0);
        let second = tx.clone();
        crew.run(members![
            || assert_eq!(tx.send(1), Err(SendError(1))),
            || assert_eq!(second.send(2), Err(SendError(2))),
            move || drop(rx),
        ]);
        for _ in 0..50 {
            let ((tx, rx), (tx2, rx2)) = (chan(3), chan(3));
            crew.run(members![
                move || {
                    rx.recv().unwrap();
                    tx2.try_send(()).unwrap();
                },
                move || {
                    tx.try_send(()).unwrap();
                    rx2.recv().unwrap();
                },
            ]);
        }
    }
}

/// crossbeam: select_tests: smoke, smoke2, closed, unblocks, both_ready, preflight1 to 9, oneshot_data_waiting,
/// stream_data_waiting, shared_data_waiting, sync1, sync2, sync3, cloning, cloning2, cloning3 (mpsc), as far as
/// `crossbeam_select_macro.rs` does not have them.
#[test]
fn selects() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (chan(1), unbounded());
    tx1.send(1).unwrap();
    select! { recv(rx1) -> v => assert_eq!(v, Ok(1)), recv(rx2) -> _ => unreachable!() }
    tx2.send(Box::new(2)).unwrap();
    select! { recv(rx1) -> _ => unreachable!(), recv(rx2) -> v => assert_eq!(v, Ok(Box::new(2))) }
    // Both have something, until both are at their end.
    let sender = go(move || {
        for n in 0..50 {
            tx1.send(n).unwrap();
            tx2.send(Box::new(n)).unwrap();
        }
    });
    let (mut small, mut large) = (0, 0);
    while small < 50 || large < 50 {
        select! {
            recv(rx1) -> v => if let Ok(n) = v { assert_eq!(n, small); small += 1 },
            recv(rx2) -> v => if let Ok(n) = v { assert_eq!(*n, large); large += 1 },
        }
    }
    sender.join().unwrap();
    select! { recv(rx1) -> v => assert_eq!(v, Err(RecvError)), recv(rx2) -> v => assert_eq!(v, Err(RecvError)) }
}

/// crossbeam: select_tests: stress (mpsc). Two streams in one select, each in its order.
#[test]
fn a_select_over_two_streams() {
    const EACH: usize = 2_000;
    let _bound = bound();
    for crew in Crew::ALL {
        let ((tx1, rx1), (tx2, rx2), (tx3, rx3)) = (unbounded(), chan(3), chan(0));
        crew.run(members![
            move || {
                for n in 0..EACH {
                    if n % 2 == 0 { tx1.send(n).unwrap() } else { tx2.send(n).unwrap() }
                    tx3.send(()).unwrap();
                }
            },
            move || {
                for n in 0..EACH {
                    select! { recv(rx1) -> v => assert_eq!(v, Ok(n)), recv(rx2) -> v => assert_eq!(v, Ok(n)) }
                    rx3.recv().unwrap();
                }
            },
        ]);
    }
}

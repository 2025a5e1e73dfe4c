//! What crossbeam-channel's `select.rs` and `select_macro.rs` check under load, with `select!`, `select_biased!` and `Select`.

#![forbid(unsafe_code)]

use std::time::Duration;

use waterway::chan::unbounded;
use waterway::time::after;
use waterway::{Receiver, Select, Sender, chan, scope, select, select_biased};
use waterway_conformance::{Crew, bound, members, until};

const TURNS: usize = 4_000;

/// crossbeam: stress_recv (select, select_macro). Values of an unbuffered and an unbounded channel, each acknowledged.
#[test]
fn stress_recv() {
    const ROUNDS: usize = 1_000;
    let _bound = bound();
    for crew in Crew::ALL {
        let ((tx1, rx1), (tx2, rx2), (ack, acked)) = (unbounded(), chan(5), chan(100));
        crew.run(members![
            || {
                for n in 0..ROUNDS {
                    tx1.send(n).unwrap();
                    acked.recv().unwrap();
                    tx2.send(n).unwrap();
                    acked.recv().unwrap();
                }
            },
            || {
                for n in 0..ROUNDS {
                    for _ in 0..2 {
                        select! { recv(rx1) -> v => assert_eq!(v, Ok(n)), recv(rx2) -> v => assert_eq!(v, Ok(n)) }
                        ack.send(()).unwrap();
                    }
                }
            },
        ]);
    }
}

/// crossbeam: stress_send (select, select_macro).
#[test]
fn stress_send() {
    const ROUNDS: usize = 1_000;
    let _bound = bound();
    for crew in Crew::ALL {
        let ((tx1, rx1), (tx2, rx2), (ack, acked)) = (chan(0), chan(0), chan(100));
        crew.run(members![
            || {
                for n in 0..ROUNDS {
                    assert_eq!((rx1.recv(), rx2.recv()), (Ok(n), Ok(n)));
                    acked.recv().unwrap();
                }
            },
            || {
                for n in 0..ROUNDS {
                    for _ in 0..2 {
                        select! { send(tx1, n) -> r => r.unwrap(), send(tx2, n) -> r => r.unwrap() }
                    }
                    ack.send(()).unwrap();
                }
            },
        ]);
    }
}

/// crossbeam: stress_mixed (select, select_macro).
#[test]
fn stress_mixed() {
    const ROUNDS: usize = 1_000;
    let _bound = bound();
    for crew in Crew::ALL {
        let ((tx1, rx1), (tx2, rx2), (ack, acked)) = (chan(0), chan(0), chan(100));
        crew.run(members![
            || {
                for n in 0..ROUNDS {
                    tx1.send(n).unwrap();
                    assert_eq!(rx2.recv(), Ok(n));
                    acked.recv().unwrap();
                }
            },
            || {
                for n in 0..ROUNDS {
                    for _ in 0..2 {
                        select! { recv(rx1) -> v => assert_eq!(v, Ok(n)), send(tx2, n) -> r => r.unwrap() }
                    }
                    ack.send(()).unwrap();
                }
            },
        ]);
    }
}

/// crossbeam: stress_timeout_two_threads (select, select_macro). Both give up and come again.
#[test]
fn stress_timeout_two() {
    const ROUNDS: usize = 40;
    let _bound = bound();
    let short = Duration::from_micros(200);
    let late = |n: usize| {
        if n.is_multiple_of(3) {
            waterway::time::sleep(Duration::from_micros(700));
        }
    };
    for crew in Crew::ALL {
        let (tx, rx) = chan(2);
        crew.run(members![
            || {
                for n in 0..ROUNDS {
                    late(n);
                    let sent = || select! { send(tx, n) -> r => r.is_ok(), default(short) => false };
                    until(sent);
                }
            },
            || {
                for n in 0..ROUNDS {
                    late(n + 1);
                    let got = || select! { recv(rx) -> v => { assert_eq!(v, Ok(n)); true } default(short) => false };
                    until(got);
                }
            },
        ]);
    }
}

/// Two channels, of which one is ready at any time while `choose` looks for one.
fn one_is_always_ready(
    rounds: usize,
    unlimited: bool,
    choose: fn(&Receiver<i32>, &Receiver<i32>) -> bool,
) {
    let make = || if unlimited { unbounded() } else { chan(1) };
    let ((tx1, rx1), (tx2, rx2)) = (make(), make());
    let ((start, started), (end, ended)) = (chan(0), chan(0));
    Crew::Threads.run(members![
        || {
            for round in 0..rounds {
                start.send(()).unwrap();
                tx1.send(1).unwrap();
                assert!(
                    choose(&rx1, &rx2),
                    "round {round}: one of both was ready all the time"
                );
                end.send(()).unwrap();
                let _ = rx2.try_recv();
            }
        },
        || {
            for _ in 0..rounds {
                started.recv().unwrap();
                tx2.send(1).unwrap();
                let _ = rx1.try_recv();
                ended.recv().unwrap();
            }
        },
    ]);
}

/// crossbeam: linearizable_default (select_macro), linearizable_try (select). 100,000 rounds in crossbeam, 6,000 here.
#[test]
fn linearizable_default() {
    let _bound = bound();
    for unlimited in [false, true] {
        one_is_always_ready(6_000, unlimited, |rx1, rx2| {
            select! { recv(rx1) -> v => v.is_ok(), recv(rx2) -> v => v.is_ok(), default => false }
        });
        one_is_always_ready(6_000, unlimited, |rx1, rx2| {
            let ends = [rx1, rx2];
            let mut select = Select::new();
            for rx in ends {
                select.recv(rx);
            }
            let chosen = select.try_select();
            chosen.is_ok_and(|chosen| {
                let index = chosen.index();
                chosen.recv(ends[index]).is_ok()
            })
        });
    }
}

/// crossbeam: linearizable_timeout (select, select_macro). With a time-out of zero.
#[test]
fn linearizable_timeout() {
    let _bound = bound();
    for unlimited in [false, true] {
        one_is_always_ready(5_000, unlimited, |rx1, rx2| {
            select! { recv(rx1) -> v => v.is_ok(), recv(rx2) -> v => v.is_ok(), default(Duration::ZERO) => false }
        });
    }
}

/// crossbeam: fairness1, fairness_recv (select, select_macro). Timers that are due are arms like others; there a tick of period
/// zero is always ready, here it never is.
#[test]
fn fairness_recv() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2)) = (chan(TURNS), unbounded());
    for _ in 0..TURNS {
        tx1.send(()).unwrap();
        tx2.send(()).unwrap();
    }
    let due: Vec<_> = (0..TURNS).map(|_| after(Duration::ZERO)).collect();
    until(|| due.iter().all(|timer| !timer.is_empty()));
    let mut hits = [0; 3];
    for timer in &due {
        select! {
            recv(rx1) -> _ => hits[0] += 1,
            recv(rx2) -> _ => hits[1] += 1,
            recv(timer) -> _ => hits[2] += 1,
        }
    }
    assert!(hits.iter().all(|n| *n >= TURNS / 6), "{hits:?}");
}

/// crossbeam: fairness2 (select, select_macro). Sends to three kinds of channels, and receives from them.
#[test]
fn fairness_of_kinds() {
    let _bound = bound();
    let ((tx1, rx1), (tx2, rx2), (tx3, rx3)) = (unbounded(), chan(1), chan(0));
    scope(|s| {
        s.go(|| {
            let (hole, _receiver) = chan(0);
            for _ in 0..TURNS {
                let (tx1, tx2) = (if_empty(&tx1, &hole), if_empty(&tx2, &hole));
                select! {
                    send(tx1, ()) -> r => r.unwrap(),
                    send(tx2, ()) -> r => r.unwrap(),
                    send(tx3, ()) -> r => r.unwrap(),
                }
            }
        });
        let mut hits = [0; 3];
        for _ in 0..TURNS {
            select! {
                recv(rx1) -> _ => hits[0] += 1,
                recv(rx2) -> _ => hits[1] += 1,
                recv(rx3) -> _ => hits[2] += 1,
            }
        }
        assert!(hits.iter().all(|n| *n >= TURNS / 150), "{hits:?}");
    });
}

fn if_empty<'a>(tx: &'a Sender<()>, hole: &'a Sender<()>) -> &'a Sender<()> {
    if tx.is_empty() { tx } else { hole }
}

/// crossbeam: fairness_send (select_macro).
#[test]
fn fairness_send() {
    let _bound = bound();
    let ((tx1, _rx1), (tx2, _rx2)) = (chan(TURNS), unbounded());
    let mut hits = [0; 2];
    for _ in 0..TURNS {
        select! { send(tx1, ()) -> _ => hits[0] += 1, send(tx2, ()) -> _ => hits[1] += 1 }
    }
    assert!(hits.iter().all(|n| *n >= TURNS / 4), "{hits:?}");
}

/// crossbeam: unfairness, unfairness_timeout, unfairness_try (select_macro). `select_biased!` takes the first that is ready.
#[test]
fn unfairness() {
    let _bound = bound();
    type Turn = fn(&[Receiver<()>; 3]) -> usize;
    let kinds: [Turn; 3] = [
        |rx| select_biased! { recv(rx[0]) -> _ => 0, recv(rx[1]) -> _ => 1, recv(rx[2]) -> _ => 2 },
        |rx| {
            select_biased! {
                recv(rx[0]) -> _ => 0, recv(rx[1]) -> _ => 1, recv(rx[2]) -> _ => 2,
                default(Duration::from_secs(1)) => unreachable!(),
            }
        },
        |rx| {
            select_biased! {
                recv(rx[0]) -> _ => 0, recv(rx[1]) -> _ => 1, recv(rx[2]) -> _ => 2, default() => unreachable!(),
            }
        },
    ];
    for turn in kinds {
        let ends: [_; 3] = std::array::from_fn(|_| unbounded());
        for _ in 0..TURNS {
            ends[0].0.send(()).unwrap();
            ends[1].0.send(()).unwrap();
        }
        ends[2].0.send(()).unwrap();
        let receivers = ends.each_ref().map(|(_, rx)| rx.clone());
        let mut hits = [0; 3];
        (0..TURNS).for_each(|_| hits[turn(&receivers)] += 1);
        assert_eq!(hits, [TURNS, 0, 0]);
        (0..TURNS).for_each(|_| hits[turn(&receivers)] += 1);
        assert_eq!(hits, [TURNS, TURNS, 0]);
    }
}

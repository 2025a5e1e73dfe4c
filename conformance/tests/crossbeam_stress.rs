//! What crossbeam-channel's `zero.rs`, `array.rs` and `list.rs` check under load, on channels of every kind, by goroutines,
//! by threads, and by both together. Counts are some twentieth of crossbeam's.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use waterway::{Receiver, RecvError, Sender, chan, select};
use waterway_conformance::{Crew, Member, bound, flavours, members};

/// Calls `f` for every kind of channel and crew.
fn each<T>(f: impl Fn(Crew, &'static str, Sender<T>, Receiver<T>)) {
    for crew in Crew::ALL {
        for (name, tx, rx) in flavours() {
            f(crew, name, tx, rx);
        }
    }
}

/// crossbeam: spsc (zero, array, list).
#[test]
fn spsc() {
    const VALUES: usize = 4_000;
    let _bound = bound();
    each(|crew, name, tx, rx| {
        crew.run(members![
            move || {
                assert!((0..VALUES).all(|n| rx.recv() == Ok(n)), "{crew:?} {name}");
                assert_eq!(rx.recv(), Err(RecvError));
            },
            move || (0..VALUES).for_each(|n| tx.send(n).unwrap()),
        ]);
    });
}

/// crossbeam: mpmc (zero, array, list).
#[test]
fn mpmc() {
    const VALUES: usize = 700;
    const EACH: usize = 4;
    let _bound = bound();
    each(|crew, name, tx, rx| {
        let seen: Vec<_> = (0..VALUES).map(|_| AtomicUsize::new(0)).collect();
        let receive = || {
            for _ in 0..VALUES {
                let n: usize = rx.recv().unwrap();
                seen[n].fetch_add(1, Ordering::Relaxed);
            }
        };
        let send = || (0..VALUES).for_each(|n| tx.send(n).unwrap());
        let receivers = (0..EACH).map(|_| Box::new(receive) as Member<'_>);
        let senders = (0..EACH).map(|_| Box::new(send) as Member<'_>);
        crew.run(receivers.chain(senders));
        assert!(
            seen.iter().all(|n| n.load(Ordering::Relaxed) == EACH),
            "{crew:?} {name}"
        );
    });
}

/// crossbeam: stress_oneshot (zero, array, list).
#[test]
fn stress_oneshot() {
    let _bound = bound();
    for _ in 0..60 {
        each(|crew, name, tx, rx| {
            crew.run(members![
                || assert_eq!(rx.recv(), Ok(7), "{crew:?} {name}"),
                || tx.send(7).unwrap(),
            ]);
        });
    }
}

/// crossbeam: stress_iter (zero, array, list). Requests over one channel, answers over another, with both iterators.
#[test]
fn stress_iter() {
    const ANSWERS: usize = 2_000;
    let _bound = bound();
    for crew in Crew::ALL {
        for capacity in [0, 1, 3] {
            let ((request, requests), (answer, answers)) = (chan(capacity), chan(1));
            crew.run(members![
                move || {
                    let mut count = 0;
                    while count < ANSWERS {
                        count += answers.try_iter().sum::<usize>();
                        request.send(()).unwrap();
                    }
                },
                move || {
                    for () in requests.iter() {
                        if answer.send(1).is_err() {
                            break;
                        }
                    }
                },
            ]);
        }
    }
}

/// crossbeam: stress_timeout_two_threads (zero, array, list). Both wait for a time that the other does not keep; nothing is
/// lost, and nothing comes twice.
#[test]
fn stress_timeout_two() {
    const VALUES: usize = 30;
    let _bound = bound();
    each(|crew, name, tx, rx| {
        let late = |n: usize| {
            if n.is_multiple_of(3) {
                waterway::time::sleep(Duration::from_micros(700));
            }
        };
        let short = Duration::from_micros(200);
        crew.run(members![
            || {
                for n in 0..VALUES {
                    late(n);
                    let mut value = n;
                    while let Err(error) = tx.send_timeout(value, short) {
                        value = error.into_inner();
                    }
                }
            },
            || {
                for n in 0..VALUES {
                    late(n + 1);
                    let got =
                        std::iter::repeat_with(|| rx.recv_timeout(short)).find_map(Result::ok);
                    assert_eq!(got, Some(n), "{crew:?} {name}");
                }
            },
        ]);
    });
}

/// crossbeam: drops (zero, array, list). Every value is dropped once: when it was received, or with the channel.
#[test]
fn drops() {
    struct Counted<'a>(&'a AtomicUsize);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let _bound = bound();
    for round in 0..8 {
        let received = round * 37;
        for crew in Crew::ALL {
            let drops = AtomicUsize::new(0);
            for (name, tx, rx) in flavours() {
                let left = tx.capacity().map_or(20, |room| room.min(round * 3));
                drops.store(0, Ordering::Relaxed);
                crew.run(members![
                    || (0..received).for_each(|_| drop(rx.recv().unwrap())),
                    || (0..received).for_each(|_| assert!(tx.send(Counted(&drops)).is_ok())),
                ]);
                (0..left).for_each(|_| assert!(tx.send(Counted(&drops)).is_ok()));
                assert_eq!(drops.load(Ordering::Relaxed), received, "{crew:?} {name}");
                drop((tx, rx));
                assert_eq!(
                    drops.load(Ordering::Relaxed),
                    received + left,
                    "{crew:?} {name}"
                );
            }
        }
    }
}

/// crossbeam: linearizable (array, list). Who has sent finds something to receive.
#[test]
fn linearizable() {
    const ROUNDS: usize = 1_500;
    const MEMBERS: usize = 4;
    let _bound = bound();
    for crew in Crew::ALL {
        for (tx, rx) in [chan(MEMBERS), chan(100), waterway::chan::unbounded()] {
            let work = || {
                for _ in 0..ROUNDS {
                    tx.send(0).unwrap();
                    rx.try_recv().unwrap();
                }
            };
            crew.run((0..MEMBERS).map(|_| Box::new(work) as Member<'_>));
        }
    }
}

const TURNS: usize = 5_000;

/// crossbeam: fairness (array, list). Of two ready channels each is chosen for a quarter of the turns at least.
#[test]
fn fairness() {
    let _bound = bound();
    for unlimited in [false, true] {
        let make = || match unlimited {
            true => waterway::chan::unbounded(),
            false => chan(TURNS),
        };
        let ((tx1, rx1), (tx2, rx2)) = (make(), make());
        for _ in 0..TURNS {
            tx1.send(()).unwrap();
            tx2.send(()).unwrap();
        }
        let mut hits = [0; 2];
        for _ in 0..TURNS {
            select! { recv(rx1) -> _ => hits[0] += 1, recv(rx2) -> _ => hits[1] += 1 }
        }
        assert!(hits.iter().all(|n| *n >= TURNS / 4), "{hits:?}");
    }
}

/// crossbeam: fairness_duplicates (array, list). As above, with five arms of one channel.
#[test]
fn fairness_duplicates() {
    let _bound = bound();
    for (tx, rx) in [chan(TURNS), waterway::chan::unbounded()] {
        (0..TURNS).for_each(|_| tx.send(()).unwrap());
        let mut hits = [0; 5];
        for _ in 0..TURNS {
            select! {
                recv(rx) -> _ => hits[0] += 1,
                recv(rx) -> _ => hits[1] += 1,
                recv(rx) -> _ => hits[2] += 1,
                recv(rx) -> _ => hits[3] += 1,
                recv(rx) -> _ => hits[4] += 1,
            }
        }
        assert!(hits.iter().all(|n| *n >= TURNS / 10), "{hits:?}");
    }
}

/// crossbeam: fairness (zero). Two unbuffered channels, sent to by a select and received from by another.
#[test]
fn fairness_unbuffered() {
    let _bound = bound();
    for crew in Crew::ALL {
        let ((tx1, rx1), (tx2, rx2)) = (chan(0), chan(0));
        crew.run(members![
            || {
                for _ in 0..TURNS {
                    select! { send(tx1, ()) -> r => r.unwrap(), send(tx2, ()) -> r => r.unwrap() }
                }
            },
            || {
                let mut hits = [0; 2];
                for _ in 0..TURNS {
                    select! { recv(rx1) -> _ => hits[0] += 1, recv(rx2) -> _ => hits[1] += 1 }
                }
                assert!(hits.iter().all(|n| *n >= TURNS / 4), "{crew:?} {hits:?}");
            },
        ]);
    }
}

/// crossbeam: fairness_duplicates (zero). Five arms of one unbuffered channel on either side.
#[test]
fn fairness_duplicates_unbuffered() {
    let _bound = bound();
    for crew in Crew::ALL {
        let (tx, rx) = chan(0);
        crew.run(members![
            || {
                for _ in 0..TURNS {
                    select! {
                        send(tx, ()) -> r => r.unwrap(),
                        send(tx, ()) -> r => r.unwrap(),
                        send(tx, ()) -> r => r.unwrap(),
                        send(tx, ()) -> r => r.unwrap(),
                        send(tx, ()) -> r => r.unwrap(),
                    }
                }
            },
            || {
                let mut hits = [0; 5];
                for _ in 0..TURNS {
                    select! {
                        recv(rx) -> _ => hits[0] += 1,
                        recv(rx) -> _ => hits[1] += 1,
                        recv(rx) -> _ => hits[2] += 1,
                        recv(rx) -> _ => hits[3] += 1,
                        recv(rx) -> _ => hits[4] += 1,
                    }
                }
                assert!(hits.iter().all(|n| *n >= TURNS / 10), "{crew:?} {hits:?}");
            },
        ]);
    }
}

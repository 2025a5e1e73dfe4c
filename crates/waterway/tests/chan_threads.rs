//! Channels between plain threads.

mod attack;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use attack::until;
use waterway::chan::{never, unbounded};
use waterway::{Receiver, Sender, chan};

type Ends<T> = (Sender<T>, Receiver<T>);

fn flavors<T>() -> Vec<(&'static str, Ends<T>)> {
    vec![
        ("0", chan(0)),
        ("1", chan(1)),
        ("3", chan(3)),
        ("64", chan(64)),
        ("unbounded", unbounded()),
    ]
}

#[test]
fn every_value_arrives_once() {
    const SENDERS: usize = 4;
    const EACH: usize = 5_000;
    for (name, (tx, rx)) in flavors::<usize>() {
        let seen: Vec<usize> = thread::scope(|s| {
            for sender in 0..SENDERS {
                let tx = tx.clone();
                s.spawn(move || (0..EACH).for_each(|n| tx.send(sender * EACH + n).unwrap()));
            }
            drop(tx);
            let receivers: Vec<_> = (0..3)
                .map(|_| {
                    let rx = rx.clone();
                    s.spawn(move || rx.iter().collect::<Vec<_>>())
                })
                .collect();
            drop(rx);
            receivers
                .into_iter()
                .flat_map(|r| r.join().unwrap())
                .collect()
        });
        assert_eq!(seen.len(), SENDERS * EACH, "{name}");
        assert_eq!(
            seen.iter().collect::<HashSet<_>>().len(),
            SENDERS * EACH,
            "{name}"
        );
    }
}

#[test]
fn one_sender_is_received_in_order() {
    for (name, (tx, rx)) in flavors::<usize>() {
        thread::scope(|s| {
            s.spawn(move || (0..20_000).for_each(|n| tx.send(n).unwrap()));
            assert!(rx.iter().eq(0..20_000), "{name}");
        });
    }
}

#[test]
fn timed_and_untimed_together_lose_nothing() {
    for (name, (tx, rx)) in flavors::<usize>() {
        let sent = AtomicUsize::new(0);
        let got = thread::scope(|s| {
            for _ in 0..2 {
                let (tx, sent) = (tx.clone(), &sent);
                s.spawn(move || {
                    for n in 0..3_000 {
                        if tx.send_timeout(n, Duration::from_micros(20)).is_ok() {
                            sent.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            drop(tx);
            let receivers: Vec<_> = (0..2)
                .map(|_| {
                    let rx = rx.clone();
                    s.spawn(move || {
                        let mut got = 0;
                        loop {
                            match rx.recv_timeout(Duration::from_micros(15)) {
                                Ok(_) => got += 1,
                                Err(error) if error.is_timeout() => {}
                                Err(_) => return got,
                            }
                        }
                    })
                })
                .collect();
            drop(rx);
            receivers
                .into_iter()
                .map(|r| r.join().unwrap())
                .sum::<usize>()
        });
        assert_eq!(got, sent.into_inner(), "{name}");
    }
}

#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn values_are_dropped_once_whatever_happens() {
    for closes in [false, true] {
        for (name, (tx, rx)) in flavors::<Counted>() {
            let drops = Arc::new(AtomicUsize::new(0));
            let made = AtomicUsize::new(0);
            thread::scope(|s| {
                for _ in 0..3 {
                    let (tx, drops, made) = (tx.clone(), &drops, &made);
                    s.spawn(move || {
                        loop {
                            made.fetch_add(1, Ordering::Relaxed);
                            if tx.send(Counted(drops.clone())).is_err() {
                                return;
                            }
                        }
                    });
                }
                let rx = rx;
                for _ in 0..500 {
                    drop(rx.recv().unwrap());
                }
                if closes {
                    rx.close();
                    assert!(rx.recv().is_err(), "{name}");
                }
            });
            drop(tx);
            assert_eq!(
                drops.load(Ordering::Relaxed),
                made.into_inner(),
                "{name} {closes}"
            );
        }
    }
}

#[test]
fn closing_hands_waiting_senders_their_values_back() {
    for close_receiver in [false, true] {
        let (tx, rx) = chan::<String>(1);
        tx.send("buffered".into()).unwrap();
        thread::scope(|s| {
            let waiting = s.spawn(|| tx.send("waiting".into()));
            thread::sleep(Duration::from_millis(5));
            if close_receiver {
                rx.close()
            } else {
                tx.close()
            }
            let error = waiting.join().unwrap().unwrap_err();
            assert_eq!(error.into_inner(), "waiting");
        });
        let left = rx.recv().ok();
        assert_eq!(left.is_some(), !close_receiver);
        assert!(rx.recv().is_err());
        assert!(tx.is_closed() && rx.is_closed());
    }
}

#[test]
fn the_last_sender_ends_waiting_receivers() {
    for (name, (tx, rx)) in flavors::<u8>() {
        thread::scope(|s| {
            let waiting: Vec<_> = (0..3).map(|_| s.spawn(|| rx.recv())).collect();
            drop(tx);
            for receiver in waiting {
                assert!(receiver.join().unwrap().is_err(), "{name}");
            }
        });
    }
}

#[test]
fn close_races_with_senders_and_loses_nothing() {
    for _ in 0..300 {
        for (name, (tx, rx)) in flavors::<usize>() {
            let (sent, got) = thread::scope(|s| {
                let senders: Vec<_> = (0..2)
                    .map(|_| {
                        let tx = tx.clone();
                        s.spawn(move || (0..).take_while(|n| tx.send(*n).is_ok()).count())
                    })
                    .collect();
                let receiver = s.spawn(|| rx.iter().count());
                tx.close();
                let sent: usize = senders.into_iter().map(|t| t.join().unwrap()).sum();
                (sent, receiver.join().unwrap())
            });
            assert_eq!(sent, got, "{name}");
        }
    }
}

#[test]
fn waiting_senders_go_in_order() {
    for capacity in [0, 1, 2] {
        let (tx, rx) = chan::<usize>(capacity);
        (0..capacity).for_each(|n| tx.send(n).unwrap());
        thread::scope(|s| {
            for n in capacity..capacity + 5 {
                let (tx, turn) = (tx.clone(), Arc::new(AtomicUsize::new(0)));
                let told = turn.clone();
                s.spawn(move || {
                    told.store(rustix_tid(), Ordering::Release);
                    tx.send(n).unwrap();
                });
                until(|| asleep(turn.load(Ordering::Acquire)));
            }
            let got: Vec<_> = (0..capacity + 5).map(|_| rx.recv().unwrap()).collect();
            assert!(got.iter().copied().eq(0..capacity + 5), "{got:?}");
        });
    }
}

fn rustix_tid() -> usize {
    let link = std::fs::read_link("/proc/thread-self").unwrap();
    link.file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// True if the thread sleeps in the kernel.
fn asleep(tid: usize) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat"));
    tid != 0 && stat.is_ok_and(|stat| stat.rsplit(')').next().unwrap().starts_with(" S"))
}

#[test]
fn zero_sized_and_huge_values() {
    let (tx, rx) = chan::<()>(2);
    tx.send(()).unwrap();
    tx.send(()).unwrap();
    assert!(tx.try_send(()).unwrap_err().is_full());
    assert_eq!((rx.recv(), rx.recv()), (Ok(()), Ok(())));
    for (_, (tx, rx)) in flavors::<[u64; 4096]>() {
        thread::scope(|s| {
            s.spawn(move || (0..50).for_each(|n| tx.send([n; 4096]).unwrap()));
            for (n, value) in rx.iter().enumerate() {
                assert!(value.iter().all(|v| *v == n as u64));
            }
        });
    }
}

#[test]
fn impossible_capacities_panic_clearly() {
    for capacity in [usize::MAX, usize::MAX / 8, 1 << 58] {
        let payload = std::panic::catch_unwind(|| chan::<u64>(capacity)).unwrap_err();
        let text = payload.downcast_ref::<String>().unwrap();
        assert!(
            text.contains("capacity overflow") && text.contains(&capacity.to_string()),
            "{text}"
        );
    }
}

#[test]
fn a_value_may_use_its_own_channel_when_dropped() {
    struct Echo(Sender<Option<Echo>>, Arc<AtomicUsize>);
    impl Drop for Echo {
        fn drop(&mut self) {
            assert!(self.0.try_send(None).is_err());
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    let drops = Arc::new(AtomicUsize::new(0));
    for (_, (tx, rx)) in flavors::<Option<Echo>>() {
        let _ = tx.try_send(Some(Echo(tx.clone(), drops.clone())));
        drop(rx);
    }
    assert_eq!(drops.load(Ordering::Relaxed), 5);
}

#[test]
fn getters_and_identity() {
    let (tx, rx) = chan::<u8>(2);
    let (other, _other_rx) = chan::<u8>(2);
    assert!(tx.same_channel(&tx.clone()) && !tx.same_channel(&other));
    assert_eq!(
        (tx.len(), rx.capacity(), tx.is_full(), rx.is_empty()),
        (0, Some(2), false, true)
    );
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert_eq!((rx.len(), tx.is_full(), rx.is_empty()), (2, true, false));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(unbounded::<u8>().0.capacity(), None);
    let (tx, rx) = chan::<u8>(0);
    assert!(tx.is_full() && rx.is_empty() && tx.try_send(1).unwrap_err().is_full());
    assert!(
        never::<u8>()
            .recv_timeout(Duration::from_millis(1))
            .unwrap_err()
            .is_timeout()
    );
}

#[test]
fn try_operations_meet_those_who_wait() {
    let (tx, rx) = chan::<u8>(0);
    thread::scope(|s| {
        let receiver = s.spawn(|| rx.recv());
        until(|| tx.try_send(3).is_ok());
        assert_eq!(receiver.join().unwrap(), Ok(3));
        s.spawn(|| tx.send(4).unwrap());
        let got = std::cell::Cell::new(0);
        until(|| rx.try_recv().inspect(|v| got.set(*v)).is_ok());
        assert_eq!(got.get(), 4);
    });
}

#[test]
fn a_weak_sender_does_not_keep_the_channel_open() {
    let (tx, rx) = chan::<u8>(1);
    let weak = tx.downgrade();
    weak.upgrade().unwrap().send(1).unwrap();
    drop(tx);
    assert!(weak.clone().upgrade().is_none());
    assert_eq!(rx.recv(), Ok(1));
    drop(rx);
    drop(weak);
}

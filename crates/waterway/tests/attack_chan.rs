//! Attacks on channels: values that misbehave, capacities of every size, what is forgotten, what owns itself.

mod attack;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use attack::{Counted, bounded, bounded_go, calling, poll, until};
use waterway::chan::unbounded;
use waterway::{Builder, Receiver, RecvError, RecvTimeoutError, Sender, chan, go, select};

fn flavors<T>() -> Vec<(Sender<T>, Receiver<T>)> {
    vec![chan(0), chan(1), chan(2), chan(7), unbounded()]
}

/// Capacities that cannot be, and values without size. A panic with a reason, never a wrong size.
#[test]
fn capacities_of_every_size() {
    for capacity in [
        usize::MAX,
        usize::MAX / 2,
        usize::MAX / 8,
        1 << 60,
        (1 << 60) - 1,
        1 << 48,
    ] {
        assert!(catch_unwind(|| chan::<()>(capacity)).is_err(), "{capacity}");
        assert!(
            catch_unwind(|| chan::<[u64; 3]>(capacity)).is_err(),
            "{capacity}"
        );
    }
    // Large, and paid for by use only.
    let (tx, rx) = chan::<u64>(1 << 24);
    (0..100).for_each(|n| tx.try_send(n).unwrap());
    assert_eq!((rx.len(), rx.capacity()), (100, Some(1 << 24)));
    drop(tx);
    assert!(rx.iter().eq(0..100));

    for (tx, rx) in flavors::<()>().into_iter().skip(1) {
        for round in 0..20 {
            let room = tx.capacity().unwrap_or(1000);
            (0..room).for_each(|_| tx.try_send(()).unwrap());
            assert_eq!(rx.len(), room, "round {round}");
            assert_eq!(rx.try_iter().count(), room);
        }
    }
    #[repr(align(4096))]
    struct Page(u8);
    let (tx, rx) = chan::<Page>(3);
    (0..3).for_each(|n| tx.try_send(Page(n)).ok().unwrap());
    for n in 0..3 {
        let page = rx.try_recv().unwrap_or_else(|_| panic!("value {n}"));
        assert_eq!((page.0, &raw const page as usize % 4096), (n, 0));
    }
    let (tx, rx) = chan::<[u8; 1 << 16]>(2);
    // Builds that are not optimised keep some dozen copies on the way, the address sanitizer more.
    let large = Builder::new().stack_size(16 << 20);
    let sender = large.go(move || tx.send([7; 1 << 16]).is_ok());
    assert!(rx.recv().unwrap().iter().all(|b| *b == 7));
    assert!(sender.join().unwrap());
}

/// Every value is dropped once, whichever way its channel ends.
#[test]
fn no_value_is_lost_or_dropped_twice() {
    bounded(|| {
        let live = Arc::new(AtomicUsize::new(0));
        for round in 0..50 {
            for (tx, rx) in flavors::<Counted>() {
                thread::scope(|s| {
                    for kind in 0..4 {
                        let (tx, live) = (tx.clone(), &live);
                        s.spawn(move || {
                            for _ in 0..5 {
                                let value = Counted::new(live);
                                match kind {
                                    0 => drop(tx.send(value)),
                                    1 => drop(tx.send_timeout(value, Duration::from_micros(5))),
                                    2 => select! { send(tx, value) -> r => drop(r) },
                                    _ => {
                                        let mut send = tx.send_async(value);
                                        let _ = poll(&mut send, Waker::noop());
                                    }
                                }
                            }
                        });
                    }
                    let rx2 = rx.clone();
                    s.spawn(move || {
                        let _ = rx2.recv_timeout(Duration::from_micros(10));
                        let _ = poll(&mut rx2.recv_async(), Waker::noop());
                        select! { recv(rx2) -> v => drop(v), default => () }
                        if round % 2 == 0 {
                            rx2.close();
                        }
                    });
                    drop((tx, rx));
                });
                assert_eq!(live.load(Ordering::SeqCst), 0, "round {round}");
            }
        }
    });
}

/// A value whose drop panics, among others that are buffered: the others are dropped all the same, the memory is given back.
#[test]
fn a_buffered_value_panics_in_its_drop() {
    struct Bomb(Option<Counted>, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.take();
            if self.1 && !thread::panicking() {
                panic!("a value panics in its drop");
            }
        }
    }
    let live = Arc::new(AtomicUsize::new(0));
    for forgotten in [false, true] {
        for (tx, rx) in flavors::<Bomb>().into_iter().skip(3) {
            for n in 0..6 {
                let bomb = Bomb(Some(Counted::new(&live)), n == 2);
                tx.try_send(bomb).ok().unwrap();
            }
            let dropped = match forgotten {
                false => catch_unwind(AssertUnwindSafe(|| drop(rx))),
                true => catch_unwind(AssertUnwindSafe(|| rx.close())),
            };
            assert!(dropped.is_err(), "the panic is the dropper's");
            assert_eq!(live.load(Ordering::SeqCst), 0);
            assert!(tx.is_closed());
        }
    }
}

/// A value that uses the channel it is buffered in when it is dropped, in every way; also one that waits there.
#[test]
fn a_value_uses_its_own_channel_in_its_drop() {
    struct Nosy(Option<(Sender<Nosy>, Receiver<Nosy>)>);
    impl Drop for Nosy {
        fn drop(&mut self) {
            let Some((tx, rx)) = self.0.take() else {
                return;
            };
            assert!(tx.try_send(Nosy(None)).is_err(), "closed");
            assert!(tx.send(Nosy(None)).is_err());
            assert!(rx.recv_timeout(Duration::from_micros(1)).is_err());
            assert!(rx.recv().is_err());
            waterway::time::sleep(Duration::from_nanos(1));
            rx.close();
            tx.close();
        }
    }
    fn attack() {
        for (tx, rx) in flavors::<Nosy>().into_iter().skip(2) {
            for _ in 0..2 {
                tx.try_send(Nosy(Some((tx.clone(), rx.clone()))))
                    .ok()
                    .unwrap();
            }
            rx.close();
            assert!(rx.is_empty());
        }
    }
    bounded(attack);
    bounded_go(attack);
}

/// An end travels through its own channel, and is received, dropped with it, or left in it.
#[test]
fn an_end_sits_in_its_own_channel() {
    enum End {
        Tx(Sender<End>),
        Rx(#[allow(dead_code)] Receiver<End>),
    }
    bounded(|| {
        for (tx, rx) in flavors::<End>().into_iter().skip(1) {
            let probe = tx.downgrade();
            tx.try_send(End::Tx(tx.clone())).ok().unwrap();
            drop(tx);
            let Ok(End::Tx(tx)) = rx.recv() else {
                panic!("it was sent")
            };
            tx.try_send(End::Rx(rx.clone())).ok().unwrap();
            drop(rx);
            let Some(again) = probe.upgrade() else {
                panic!("a sender lives")
            };
            assert!(!again.is_closed(), "a receiver lives, in the buffer");
            again
                .try_send(End::Tx(tx))
                .map_err(|e| drop(e.into_inner()))
                .unwrap_or(());
            // Nobody can reach the receiver in there. As with `Arc`, what owns itself stays.
            drop(again);
        }
        for (tx, rx) in flavors::<End>().into_iter().skip(1) {
            let probe = tx.downgrade();
            tx.try_send(End::Tx(tx.clone())).ok().unwrap();
            drop(tx);
            drop(rx);
            assert!(
                probe.upgrade().is_none(),
                "the buffer went with the receiver"
            );
        }
    });
}

/// Futures are forgotten while they wait. Their places stay, their values can be fetched, and what they point to is there.
#[test]
fn waiting_futures_are_forgotten() {
    bounded(|| {
        let (tx, rx) = chan::<String>(0);
        for n in 0..3 {
            let mut send = tx.send_async(format!("{n}"));
            assert!(poll(&mut send, Waker::noop()).is_pending());
            std::mem::forget(send);
        }
        assert!(rx.try_iter().eq(["0", "1", "2"]));
        let mut recv = rx.recv_async();
        assert!(poll(&mut recv, Waker::noop()).is_pending());
        std::mem::forget(recv);
        // The forgotten one is told, and nobody else need be.
        let other = thread::spawn(move || rx.recv());
        tx.send("for the other".to_string()).unwrap();
        assert_eq!(other.join().unwrap().unwrap(), "for the other");
    });
}

/// A future is polled after it was ready, with another waker each time, on another thread each time, and dropped at every
/// stage.
#[test]
fn futures_are_polled_in_every_way() {
    bounded(|| {
        for (tx, rx) in flavors::<usize>() {
            let wakes: Vec<_> = (0..3).map(|_| Arc::new(AtomicUsize::new(0))).collect();
            let waker = |n: usize| {
                let wakes = wakes[n].clone();
                calling(move || _ = wakes.fetch_add(1, Ordering::SeqCst))
            };
            let mut recv = rx.recv_async();
            for n in 0..3 {
                let waker = waker(n);
                recv = thread::scope(|s| {
                    s.spawn(move || {
                        assert!(poll(&mut recv, &waker).is_pending());
                        recv
                    })
                    .join()
                    .unwrap()
                });
            }
            let mut send = tx.send_async(5);
            let sent = poll(&mut send, Waker::noop());
            let counts: Vec<_> = wakes.iter().map(|w| w.load(Ordering::SeqCst)).collect();
            assert_eq!(counts, [0, 0, 1], "the last waker, once");
            assert_eq!(poll(&mut recv, Waker::noop()), Poll::Ready(Ok(5)));
            if sent.is_pending() {
                assert_eq!(poll(&mut send, Waker::noop()), Poll::Ready(Ok(())));
            }
            assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut send, Waker::noop()))).is_err());
            // A receive goes on with the next value.
            assert!(poll(&mut recv, Waker::noop()).is_pending());
            tx.close();
            assert_eq!(poll(&mut recv, Waker::noop()), Poll::Ready(Err(RecvError)));
            let mut send = tx.send_async(6);
            let Poll::Ready(Err(back)) = poll(&mut send, Waker::noop()) else {
                panic!("closed")
            };
            assert_eq!(back.into_inner(), 6);
        }
    });
}

/// Told futures are dropped one after the other: the word reaches one that fetches the value.
#[test]
fn the_word_is_passed_on_by_futures_that_are_dropped() {
    bounded(|| {
        for (tx, rx) in flavors::<u32>() {
            let told = Arc::new(Mutex::new(Vec::new()));
            let mut waiting: Vec<_> = (0..5)
                .map(|n| {
                    let told = told.clone();
                    let waker = calling(move || told.lock().unwrap().push(n));
                    let mut recv = rx.recv_async();
                    assert!(poll(&mut recv, &waker).is_pending());
                    Some(recv)
                })
                .collect();
            let mut send = tx.send_async(1);
            let _ = poll(&mut send, Waker::noop());
            for n in 0..4 {
                assert_eq!(told.lock().unwrap().last(), Some(&n), "in their order");
                waiting[n as usize] = None;
            }
            assert_eq!(
                poll(waiting[4].as_mut().unwrap(), Waker::noop()),
                Poll::Ready(Ok(1))
            );
        }
    });
}

/// True if the goroutine of that name waits to receive.
fn waits(name: &str) -> bool {
    let mut dump = Vec::new();
    waterway::watch::dump(&mut dump).unwrap();
    let dump = String::from_utf8(dump).unwrap();
    let mut goroutines = dump.split("\n\n");
    goroutines.any(|g| g.contains(name) && g.contains("chan receive"))
}

/// Blocked receivers are served in the order in which they came, though others try in between.
#[test]
fn who_waits_first_is_served_first() {
    bounded(|| {
        for capacity in [0, 1, 4] {
            let (tx, rx) = chan::<usize>(capacity);
            let (order_tx, order) = unbounded::<(usize, usize)>();
            let waiting: Vec<_> = (0..8)
                .map(|n| {
                    let (rx, order) = (rx.clone(), order_tx.clone());
                    let name = format!("waits-{capacity}-{n}");
                    let receiver = waterway::Builder::new().name(&name).go(move || {
                        let value = rx.recv().unwrap();
                        order.send((n, value)).unwrap();
                    });
                    until(|| waits(&name));
                    receiver
                })
                .collect();
            (0..8).for_each(|n| tx.send(n).unwrap());
            waiting.into_iter().for_each(|w| w.join().unwrap());
            let mut order: Vec<_> = order.try_iter().collect();
            order.sort();
            assert!(
                order.into_iter().eq((0..8).map(|n| (n, n))),
                "capacity {capacity}"
            );
        }
    });
}

/// A close wakes its waiters some at a time. Those whose time is over meanwhile leave by themselves, and who was told finds nobody there.
#[test]
fn who_is_told_of_a_close_finds_nobody_there() {
    const LIMITS: std::ops::Range<u64> = 0..2000;
    for round in 0..20 {
        let (tx, rx) = chan::<u32>(0);
        let waiters: Vec<_> = LIMITS
            .map(|micros| {
                let (tx, rx) = (tx.clone(), rx.clone());
                go(move || {
                    let told = match micros % 2 {
                        0 => rx.recv() == Err(RecvError),
                        _ => {
                            let got = rx.recv_timeout(Duration::from_micros(micros));
                            got == Err(RecvTimeoutError::Disconnected)
                        }
                    };
                    assert!(told || micros % 2 == 1, "nobody sends");
                    if told {
                        assert!(tx.try_send(1).is_err() && tx.send(2).is_err());
                    }
                })
            })
            .collect();
        waterway::time::sleep(Duration::from_micros(LIMITS.end * (round % 4) / 4));
        tx.close();
        for waiter in waiters {
            waiter.join().unwrap();
        }
    }
}

/// Ends are dropped, closed and cloned from many threads while others send, receive and select.
#[test]
fn ends_go_from_everywhere() {
    bounded(|| {
        for round in 0..200 {
            let (tx, rx) = chan::<Box<usize>>(round % 3);
            let weak = tx.downgrade();
            thread::scope(|s| {
                for n in 0..3 {
                    let (tx, rx, weak) = (tx.clone(), rx.clone(), weak.clone());
                    s.spawn(move || {
                        let _ = tx.send_timeout(Box::new(n), Duration::from_micros(20));
                        drop(tx);
                        if let Some(tx) = weak.upgrade() {
                            let _ = tx.clone().try_send(Box::new(n));
                        }
                        let mut recv = rx.recv_async();
                        let _ = poll(&mut recv, Waker::noop());
                        select! { recv(rx.clone()) -> v => drop(v), default(Duration::from_micros(10)) => () }
                    });
                }
                drop((tx, rx));
            });
            assert!(weak.upgrade().is_none());
        }
    });
}

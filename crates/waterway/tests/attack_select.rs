//! Attacks on select: what is forgotten, what the message does, how many arms, who is told.

mod attack;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use attack::{Counted, LONG, bounded, bounded_go, poll, until};
use waterway::chan::unbounded;
use waterway::{Receiver, Select, Sender, chan, go, select};

/// A chosen send is forgotten, chosen once more, forgotten again, and then the set is dropped. What was reserved is given
/// back, and the thread's list of reservations holds nothing of the set.
#[test]
fn a_chosen_send_is_forgotten_twice() {
    bounded(|| {
        let (tx, rx) = chan::<u32>(2);
        for _ in 0..10 {
            let mut set = Box::new(Select::new());
            set.send(&tx);
            std::mem::forget(set.try_select().unwrap());
            std::mem::forget(set.try_select().unwrap());
            assert_eq!(rx.len(), 1, "one slot is reserved");
            drop(set);
            // A park gives back what the list names.
            assert!(rx.recv_timeout(Duration::from_micros(1)).is_err());
            assert_eq!(rx.len(), 0);
        }
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!((rx.recv(), rx.recv()), (Ok(1), Ok(2)));
    });
}

/// As above on an unbuffered channel: the peer that was reserved must be woken, not forgotten.
#[test]
fn a_chosen_peer_is_forgotten_twice() {
    bounded(|| {
        let (tx, rx) = chan::<u32>(0);
        let peers: Vec<_> = (0..2)
            .map(|_| {
                let rx = rx.clone();
                go(move || rx.recv())
            })
            .collect();
        let mut set = Select::new();
        set.send(&tx);
        for _ in 0..2 {
            std::mem::forget(set.select());
        }
        drop(set);
        tx.send(1).unwrap();
        tx.send(2).unwrap();
        let mut got: Vec<_> = peers.into_iter().map(|p| p.join().unwrap()).collect();
        got.sort_by_key(|v| v.unwrap());
        assert_eq!(got, [Ok(1), Ok(2)]);
    });
}

/// A chosen receive is forgotten, with its value, whose drop uses the channel. The value goes when the set is used again
/// or dropped, never under the channel's lock.
#[test]
fn a_chosen_receive_is_forgotten_with_its_value() {
    struct Nosy(Option<Receiver<Nosy>>);
    impl Drop for Nosy {
        fn drop(&mut self) {
            if let Some(rx) = self.0.take() {
                // Takes the lock.
                assert!(rx.len() < 3);
            }
        }
    }
    bounded(|| {
        let (tx, rx) = unbounded::<Nosy>();
        let nosy = || Nosy(Some(rx.clone()));
        tx.try_send(nosy()).ok().unwrap();
        tx.try_send(Nosy(None)).ok().unwrap();
        tx.try_send(nosy()).ok().unwrap();
        let mut set = Select::new();
        set.recv(&rx);
        std::mem::forget(set.try_select().unwrap());
        let chosen = set.try_select().unwrap();
        assert!(chosen.recv(&rx).is_ok());
        std::mem::forget(set.select_timeout(LONG));
        let waits = set.select_timeout(Duration::from_millis(1));
        assert!(waits.is_err(), "a value of an earlier choice is no choice");
        drop(waits);
        drop(set);
    });
}

/// A set with a reserved slot is forgotten, the channel goes, and what its values borrow goes too. No value is dropped
/// after that.
#[test]
fn a_forgotten_set_does_not_outlive_what_the_values_borrow() {
    struct Borrows<'a>(&'a AtomicUsize, &'a AtomicUsize);
    impl Drop for Borrows<'_> {
        fn drop(&mut self) {
            assert_eq!(
                self.0.load(Ordering::SeqCst),
                1234,
                "what it borrows is gone"
            );
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    bounded(|| {
        for weak in [false, true] {
            let drops = AtomicUsize::new(0);
            {
                let alive = Box::new(AtomicUsize::new(1234));
                {
                    let (tx, rx) = chan(3);
                    let _weak = weak.then(|| tx.downgrade());
                    let mut set = Select::new();
                    set.send(&tx);
                    std::mem::forget(set.try_select().unwrap());
                    std::mem::forget(set);
                    // Behind the reserved slot.
                    tx.try_send(Borrows(&alive, &drops)).ok().unwrap();
                    drop((tx, rx));
                    assert_eq!(
                        drops.load(Ordering::SeqCst),
                        1,
                        "dropped with the last receiver"
                    );
                }
                alive.store(0, Ordering::SeqCst);
            }
            waterway::time::sleep(Duration::from_micros(1));
            assert_eq!(drops.load(Ordering::SeqCst), 1);
        }
    });
}

/// Receivers close while a message is being made: the message comes back, and it is not buffered for ever.
#[test]
fn receivers_go_while_the_message_is_made() {
    bounded(|| {
        let live = Arc::new(AtomicUsize::new(0));
        let (tx, rx) = chan::<Counted>(2);
        let mut rx = Some(rx);
        let sent = select! {
            send(tx, {
                tx.try_send(Counted::new(&live)).unwrap();
                drop(rx.take());
                assert_eq!(live.load(Ordering::SeqCst), 0, "the value behind the reserved slot went");
                Counted::new(&live)
            }) -> sent => sent
        };
        assert!(sent.is_err());
        assert_eq!(live.load(Ordering::SeqCst), 1, "the message came back");
    });
}

/// What happens in a message that parks runs user code: a waker that panics, a drop that panics. None of it may unwind
/// through the place where the caller already stands in another queue.
#[test]
fn giving_back_a_reservation_runs_no_user_code_in_the_middle_of_a_wait() {
    struct Bomb(bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            if std::mem::take(&mut self.0) && !thread::panicking() {
                panic!("a value panics in its drop");
            }
        }
    }
    fn attack() {
        let (tx, rx) = chan::<Bomb>(2);
        let never = waterway::chan::never::<u32>();
        let task_rx = rx.clone();
        let mut recv = task_rx.recv_async();
        let (tx2, mut rx) = (tx.clone(), Some(rx));
        let waker = attack::calling(|| panic!("a waker panics"));
        let sent = catch_unwind(AssertUnwindSafe(|| {
            select! {
                send(tx, {
                    tx2.try_send(Bomb(true)).ok().unwrap();
                    assert!(poll(&mut recv, &waker).is_pending(), "a reserved slot is first");
                    drop(rx.take());
                    assert!(never.recv_timeout(Duration::from_micros(10)).is_err());
                    Bomb(false)
                }) -> sent => sent.is_ok()
            }
        }));
        assert!(matches!(sent, Ok(true)), "the wait ended as any other");
        let Poll::Ready(Ok(mut bomb)) = poll(&mut recv, Waker::noop()) else {
            panic!("the value is there")
        };
        assert!(std::mem::take(&mut bomb.0));
    }
    bounded(attack);
    bounded_go(attack);
}

fn no_message() -> usize {
    panic!("no message")
}

/// A slot is reserved behind a buffered value, and given back. The buffer has room for it again at once.
#[test]
fn a_slot_that_was_given_back_is_room_again() {
    bounded(|| {
        for capacity in 2..6 {
            let (tx, rx) = chan::<usize>(capacity);
            for round in 0..3 * capacity {
                tx.try_send(round).unwrap();
                let panics = catch_unwind(AssertUnwindSafe(|| {
                    select! { send(tx, no_message()) -> _ => () }
                }));
                assert!(panics.is_err());
                assert_eq!(rx.len(), 1, "capacity {capacity}, round {round}");
                for more in 1..capacity {
                    tx.try_send(round + more).expect("there is room");
                }
                assert!(tx.try_send(0).unwrap_err().is_full());
                assert!(rx.try_iter().eq(round..round + capacity));
            }
        }
    });
}

/// Somebody waits to receive; whoever waits for `ready` is told, tries, and must succeed some time, on one worker too.
#[test]
fn ready_then_try_recv_meets_a_select() {
    bounded_go(|| {
        for _ in 0..20 {
            let (tx, rx) = chan::<u32>(0);
            let sender = waterway::go_local(move || {
                let never = waterway::chan::never::<()>();
                waterway::select! {
                    send(tx, 3) -> sent => sent,
                    recv(never) -> _ => unreachable!(),
                }
            });
            let mut set = Select::new();
            set.recv(&rx);
            let mut tries = 0;
            loop {
                assert_eq!(set.ready(), 0);
                match rx.try_recv() {
                    Ok(v) => break assert_eq!(v, 3),
                    Err(_) => tries += 1,
                }
                assert!(
                    tries < 3,
                    "told again and again of a value that is not made"
                );
            }
            assert_eq!(sender.join().unwrap(), Ok(()));
        }
    });
}

#[test]
fn who_tries_in_vain_binds_no_select() {
    bounded_go(|| {
        let (tx, rx) = chan::<u32>(0);
        let (stop, stopped) = chan::<u32>(0);
        let select = waterway::go_local(move || {
            waterway::select! {
                send(tx, 3) -> _ => None,
                recv(stopped) -> v => v.ok(),
            }
        });
        waterway::yield_now();
        let mut set = Select::new();
        set.recv(&rx);
        // Nor does who tries and looks without waiting.
        for _ in 0..3 {
            assert!(rx.try_recv().is_err() && set.try_select().is_err());
            assert!(set.try_ready().is_err());
        }
        stop.send(4).unwrap();
        assert_eq!(select.join().unwrap(), Some(4));
    });
}

#[test]
fn ready_then_try_send_meets_a_blocked_receiver() {
    bounded_go(|| {
        for _ in 0..20 {
            let (tx, rx) = chan::<u32>(0);
            let receiver = waterway::go_local(move || rx.recv());
            let mut set = Select::new();
            set.send(&tx);
            let mut tries = 0;
            loop {
                assert_eq!(set.ready(), 0);
                match tx.try_send(3) {
                    Ok(()) => break,
                    Err(_) => tries += 1,
                }
                assert!(
                    tries < 1000,
                    "told again and again of a receiver that is not there"
                );
            }
            assert_eq!(receiver.join().unwrap(), Ok(3));
        }
    });
}

/// No arm, one, and a thousand, of the same channel and of many.
#[test]
fn none_one_and_a_thousand_arms() {
    bounded(|| {
        assert!(Select::new().try_select().is_err());
        assert!(Select::new().select_timeout(Duration::ZERO).is_err());
        assert!(Select::new().ready_timeout(Duration::ZERO).is_err());
        let (tx, rx) = chan::<u32>(0);
        let mut set = Select::new();
        for _ in 0..500 {
            set.send(&tx);
            set.recv(&rx);
        }
        assert!(set.try_select().is_err(), "it does not meet itself");
        assert!(set.select_timeout(Duration::from_millis(1)).is_err());
        let peer = rx.clone();
        let other = thread::spawn(move || peer.recv());
        let chosen = set.select();
        assert_eq!(chosen.index() % 2, 0);
        chosen.send(&tx, 9).unwrap();
        assert_eq!(other.join().unwrap(), Ok(9));

        let many: Vec<(Sender<u32>, Receiver<u32>)> = (0..1000).map(|_| chan(1)).collect();
        let mut set = Select::new();
        many.iter().for_each(|(_, rx)| _ = set.recv(rx));
        let tx = many[777].0.clone();
        let other = thread::spawn(move || tx.send(5));
        let chosen = set.select();
        let index = chosen.index();
        assert_eq!((index, chosen.recv(&many[index].1)), (777, Ok(5)));
        other.join().unwrap().unwrap();
    });
}

/// Messages that return, break, select again on the same channel, close it, and park: everything stays in order.
#[test]
fn messages_that_do_everything() {
    #[allow(unreachable_code, clippy::diverging_sub_expression)]
    fn returns(tx: &Sender<u32>) -> u32 {
        select! { send(tx, return 1) -> _ => 2 }
    }
    #[allow(unreachable_code, clippy::diverging_sub_expression)]
    fn attack() {
        let (tx, rx) = chan::<u32>(1);
        assert_eq!(returns(&tx), 1);
        let from_break = loop {
            select! { send(tx, break 3) -> _ => () }
        };
        assert_eq!((from_break, rx.len()), (3, 0));
        // A select inside the message, of the same channel: it finds the slot taken.
        select! {
            send(tx, select! { send(tx, 1) -> _ => 1, default => 2 }) -> r => r.unwrap()
        }
        assert_eq!(rx.try_recv(), Ok(2));
        select! { send(tx, { tx.close(); 4 }) -> r => assert!(r.is_ok(), "it was chosen before") }
        assert_eq!((rx.recv().ok(), rx.recv().ok()), (Some(4), None));
        // Nested reservations, given back by one park.
        let (a, from_a) = chan::<u32>(1);
        let (b, from_b) = chan::<u32>(1);
        select! {
            send(a, select! { send(b, { waterway::time::sleep(Duration::from_micros(1)); 1 }) -> r => { r.unwrap(); 2 } })
                -> r => r.unwrap()
        }
        assert_eq!((from_a.try_recv(), from_b.try_recv()), (Ok(2), Ok(1)));
    }
    bounded(attack);
    bounded_go(attack);
}

/// A goroutine ends with a forgotten reservation in its thread's list: the next one's park gives it back.
#[test]
fn a_goroutine_ends_with_a_forgotten_reservation() {
    bounded_go(|| {
        let (tx, rx) = unbounded::<()>();
        let (slot_tx, slot_rx) = chan::<u32>(1);
        let inner = slot_tx.clone();
        waterway::go_local(move || {
            let mut set = Select::new();
            set.send(&inner);
            std::mem::forget(set.try_select().unwrap());
            std::mem::forget(set);
            drop(tx);
        })
        .join()
        .unwrap();
        assert!(rx.recv().is_err());
        waterway::time::sleep(Duration::from_micros(1));
        until(|| slot_rx.is_empty());
        slot_tx.try_send(1).unwrap();
    });
}

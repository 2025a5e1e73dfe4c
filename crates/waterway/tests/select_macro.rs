//! `select!` between plain threads and goroutines.

// Messages that leave instead of giving a value are the point of some tests.
#![allow(unreachable_code, clippy::diverging_sub_expression, clippy::never_loop)]

#[path = "attack/limits.rs"]
mod limits;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use limits::LONG;
use waterway::chan::{never, unbounded};
use waterway::{Receiver, RecvError, Sender, chan, select, select_biased};

#[test]
fn all_forms_of_arms() {
    let (tx, rx) = chan::<i32>(1);
    let no = never::<i32>();
    let got = select! {
        recv(rx) -> _ => { 1 }
        recv(no) -> v => v.unwrap(),
        default => 2,
    };
    assert_eq!(got, 2);
    select! { send(tx, 3) -> sent => assert!(sent.is_ok()) }
    select! {
        send(tx, unreachable!("full")) -> _ => {}
        default() => {}
    }
    let got = select! { default(LONG,) => 0, recv(&rx,) -> v => v.unwrap() };
    assert_eq!(got, 3);
    select! { recv(no) -> _ => unreachable!(), default(Duration::from_millis(1)) => {} }
    let shared = Arc::new(rx.clone());
    let locked = Mutex::new(tx.clone());
    select! { send(*locked.lock().unwrap(), 4) -> sent => sent.unwrap() }
    assert_eq!(
        select! { recv(shared) -> v => v, recv(never::<i32>()) -> v => v },
        Ok(4)
    );
}

#[test]
fn operands_once_and_in_order_messages_in_the_chosen_arm_only() {
    let (tx, rx) = chan::<u8>(1);
    let log = Cell::new(String::new());
    let note = |text: &str| log.set(log.take() + text);
    fn seen<'a, E>(note: &dyn Fn(&str), text: &str, end: &'a E) -> &'a E {
        note(text);
        end
    }
    select_biased! {
        recv(seen(&note, "a", &rx)) -> _ => unreachable!(),
        send(seen(&note, "b", &tx), { note("m"); 7 }) -> _ => note("!"),
        send(seen(&note, "c", &tx), { note("n"); 8 }) -> _ => unreachable!(),
    }
    assert_eq!(log.take(), "abcm!");
}

#[test]
fn bodies_may_change_the_operands() {
    let (tx, rx) = chan::<u8>(1);
    let (mut tx, mut rx) = (tx, rx);
    select! { send(tx, 1) -> _ => tx = chan(0).0 }
    assert!(tx.is_closed());
    select! { recv(rx) -> v => { assert_eq!(v, Ok(1)); rx = never(); } }
    assert!(!rx.is_closed());
    select! { recv(rx) -> _ => {}, default => drop(rx) }
}

#[test]
fn closed_channels_are_ready() {
    let (tx, rx) = chan::<String>(0);
    let dead = chan::<String>(0).0;
    drop(tx);
    assert_eq!(select! { recv(rx) -> v => v }, Err(RecvError));
    let back = select! { send(dead, "back".to_string()) -> r => r };
    assert_eq!(back.unwrap_err().into_inner(), "back");
}

#[test]
fn ready_arms_are_chosen_at_random() {
    let (tx, rx) = unbounded();
    let mut counts = [0; 4];
    (0..4_000).for_each(|_| tx.send(()).unwrap());
    for _ in 0..4_000 {
        let arm = select! {
            recv(rx) -> _ => 0,
            recv(rx) -> _ => 1,
            recv(never::<()>()) -> _ => unreachable!(),
            recv(rx) -> _ => 2,
            recv(rx) -> _ => 3,
        };
        counts[arm] += 1;
    }
    assert!(
        counts.iter().all(|n| (700..1_300).contains(n)),
        "{counts:?}"
    );
    (0..10).for_each(|_| tx.send(()).unwrap());
    for _ in 0..10 {
        select_biased! { recv(rx) -> _ => {}, recv(rx) -> _ => unreachable!() }
    }
}

/// Also when the select has to wait: who comes then finds each arm of a channel as often as the others.
#[test]
fn arms_of_one_channel_are_found_at_random() {
    const ROUNDS: usize = 400;
    let (tx, rx) = chan::<usize>(0);
    let receiver = waterway::go(move || {
        let mut counts = [0; 2];
        for _ in 0..ROUNDS {
            // On the same worker the sender is waiting again by now.
            waterway::yield_now();
            counts[rx.recv().unwrap()] += 1;
        }
        counts
    });
    let sender = waterway::Builder::new().near(&receiver).go(move || {
        for _ in 0..ROUNDS {
            select! { send(tx, 0) -> r => r.unwrap(), send(tx, 1) -> r => r.unwrap() }
        }
    });
    sender.join().unwrap();
    let counts = receiver.join().unwrap();
    assert!(counts.iter().all(|n| *n > ROUNDS / 4), "{counts:?}");
}

#[test]
fn never_meets_itself() {
    for capacity in [0, 1] {
        let (tx, rx) = chan::<u8>(capacity);
        if capacity == 1 {
            // It may take its own room, once; what it sends it does not receive in the same select.
            select! { send(tx, 1) -> _ => {}, recv(rx) -> _ => unreachable!() }
            select! { send(tx, 2) -> _ => unreachable!(), recv(rx) -> v => assert_eq!(v, Ok(1)) }
            continue;
        }
        select! {
            send(tx, 1) -> _ => unreachable!(),
            recv(rx) -> _ => unreachable!(),
            default(Duration::from_millis(5)) => {}
        }
    }
}

#[test]
fn control_flow_leaves_bodies_and_messages() {
    fn message(tx: &Sender<u8>, leave: bool) -> Option<u8> {
        select! { send(tx, if leave { return Some(9) } else { 1 }) -> r => r.ok()? }
        None
    }
    fn question(tx: &Sender<u8>) -> Result<(), String> {
        select! { send(tx, Err("no".to_string())?) -> r => r.map_err(|e| e.to_string()) }
    }
    let (tx, rx) = chan(1);
    assert_eq!(message(&tx, true), Some(9));
    assert_eq!(question(&tx), Err("no".into()));
    assert!(rx.is_empty() && rx.try_recv().is_err());
    assert_eq!(message(&tx, false), None);
    assert_eq!(rx.try_recv(), Ok(1));
    let mut rounds = 0;
    'outer: loop {
        rounds += 1;
        loop {
            select! {
                default => if rounds < 3 { continue 'outer } else { break 'outer },
                recv(rx) -> _ => unreachable!(),
            }
        }
    }
    assert_eq!(rounds, 3);
    loop {
        select! { send(tx, break) -> _ => unreachable!() }
    }
    assert!(rx.is_empty());
}

/// A reservation that is not used goes back, and whoever waits for it waits on.
#[test]
fn a_panic_in_the_message_releases_the_reservation() {
    for capacity in [0, 1] {
        let (tx, rx) = chan::<u8>(capacity);
        thread::scope(|s| {
            let receiver = s.spawn(|| rx.recv());
            let mut panics = 0;
            while panics < 3 {
                let result = catch_unwind(AssertUnwindSafe(|| {
                    select! { send(tx, panic!("no message")) -> _ => {}, default => thread::yield_now() }
                }));
                panics += usize::from(result.is_err());
            }
            assert!(!receiver.is_finished());
            select! { send(tx, 5) -> r => r.unwrap() }
            assert_eq!(receiver.join().unwrap(), Ok(5));
        });
    }
}

#[test]
fn a_message_that_blocks_releases_the_reservation() {
    for capacity in [0, 1] {
        let (tx, rx) = chan::<u8>(capacity);
        let (inner_tx, inner_rx) = chan::<u8>(0);
        thread::scope(|s| {
            let receiver = s.spawn(|| rx.recv().unwrap());
            s.spawn(|| {
                select! { send(tx, inner_rx.recv().unwrap()) -> r => r.unwrap() }
            });
            // The select is committed and waits for the inner channel; others use the outer one meanwhile.
            while !matches!(inner_tx.try_send(1), Ok(())) {
                if receiver.is_finished() {
                    panic!("nobody sent yet");
                }
                thread::yield_now();
            }
            assert_eq!(receiver.join().unwrap(), 1);
        });
    }
}

#[test]
fn a_reserved_slot_holds_receivers_back_until_it_is_filled() {
    let (tx, rx) = chan::<u8>(2);
    thread::scope(|s| {
        let receiver = std::cell::OnceCell::new();
        select! {
            send(tx, {
                let _ = receiver.set(s.spawn(|| (rx.recv(), rx.recv())));
                tx.try_send(2).unwrap();
                assert_eq!((tx.len(), rx.try_recv().is_err()), (2, true));
                1
            }) -> r => r.unwrap(),
        }
        assert_eq!(
            receiver.into_inner().unwrap().join().unwrap(),
            (Ok(1), Ok(2))
        );
    });
}

#[test]
fn closing_under_a_reservation() {
    // By senders: the reservation still stands. By receivers: the value comes back.
    let (tx, rx) = chan::<u8>(1);
    let other = tx.clone();
    select! { send(tx, { other.close(); 1 }) -> r => r.unwrap() }
    assert_eq!((rx.recv(), rx.recv()), (Ok(1), Err(RecvError)));
    let (tx, rx) = chan::<u8>(1);
    select! { send(tx, { rx.close(); 1 }) -> r => assert_eq!(r.unwrap_err().into_inner(), 1) }
    // Released after the close: waiting receivers must see the end.
    let (tx, rx) = chan::<u8>(1);
    thread::scope(|s| {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            select! {
                send(tx, {
                    tx.close();
                    s.spawn(|| assert!(rx.recv().is_err()));
                    s.spawn(|| assert!(rx.recv().is_err()));
                    thread::sleep(Duration::from_millis(5));
                    panic!("no message")
                }) -> _ => {}
            }
        }));
    });
}

#[test]
fn selects_on_both_sides_pair_one_to_one() {
    const EACH: usize = 4_000;
    for capacity in [0, 1, 4] {
        let (a_tx, a_rx) = chan::<usize>(capacity);
        let (b_tx, b_rx) = chan::<usize>(capacity);
        let sum = AtomicUsize::new(0);
        let received = AtomicUsize::new(0);
        thread::scope(|s| {
            for _ in 0..3 {
                let (a, b) = (a_tx.clone(), b_tx.clone());
                s.spawn(move || {
                    for n in 0..EACH {
                        select! {
                            send(a, n) -> r => r.unwrap(),
                            send(b, n) -> r => r.unwrap(),
                        }
                    }
                });
            }
            drop((a_tx, b_tx));
            for _ in 0..2 {
                let (mut a, mut b): (Receiver<_>, Receiver<_>) = (a_rx.clone(), b_rx.clone());
                let (sum, received) = (&sum, &received);
                s.spawn(move || {
                    let mut open = 2;
                    while open > 0 {
                        let got = select! {
                            recv(a) -> v => { if v.is_err() { a = never() } v }
                            recv(b) -> v => { if v.is_err() { b = never() } v }
                        };
                        match got {
                            Ok(n) => {
                                sum.fetch_add(n, Ordering::Relaxed);
                                received.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(RecvError) => open -= 1,
                        }
                    }
                });
            }
        });
        assert_eq!(received.into_inner(), 3 * EACH);
        assert_eq!(sum.into_inner(), 3 * EACH * (EACH - 1) / 2);
    }
}

#[test]
fn both_directions_of_one_channel_among_several() {
    const EACH: usize = 3_000;
    let (tx, rx) = chan::<usize>(0);
    let balance = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..4 {
            let (tx, rx, balance, done) = (tx.clone(), rx.clone(), &balance, &done);
            s.spawn(move || {
                // Everybody sends and receives; whoever is alone in the end gives up.
                for _ in 0..EACH {
                    select! {
                        send(tx, 1) -> r => { r.unwrap(); balance.fetch_add(1, Ordering::Relaxed); }
                        recv(rx) -> v => { balance.fetch_sub(v.unwrap(), Ordering::Relaxed); }
                        default(Duration::from_millis(50)) => break,
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!((balance.into_inner(), done.into_inner()), (0, 4));
}

#[test]
fn many_select_senders_and_one_receiver() {
    let (tx, rx) = chan::<usize>(0);
    let (stop_tx, stop_rx) = chan::<()>(0);
    let sent = AtomicUsize::new(0);
    thread::scope(|s| {
        for n in 0..20 {
            let (tx, stop, sent) = (tx.clone(), stop_rx.clone(), &sent);
            s.spawn(move || {
                loop {
                    select! {
                        send(tx, n) -> _ => { sent.fetch_add(1, Ordering::Relaxed); }
                        recv(stop) -> _ => return,
                    }
                }
            });
        }
        let got = (0..2_000).filter(|_| rx.recv_timeout(LONG).is_ok()).count();
        drop(stop_tx);
        drop(rx);
        assert_eq!(got, 2_000);
    });
    assert!(sent.into_inner() >= 2_000);
}

#[test]
fn goroutines_select_too() {
    let (tx, rx) = chan::<usize>(0);
    let (done_tx, done_rx) = chan::<()>(0);
    for n in 0..100 {
        let (tx, done) = (tx.clone(), done_rx.clone());
        waterway::go(move || {
            for _ in 0..20 {
                select! { send(tx, n) -> r => r.unwrap(), recv(done) -> _ => return }
            }
        });
    }
    drop(tx);
    let sum: usize = rx.iter().sum();
    assert_eq!(sum, 20 * 4950);
    drop(done_tx);
}

#[test]
fn thirty_two_arms() {
    let (tx, rx) = chan::<u8>(1);
    tx.send(1).unwrap();
    let n = never::<u8>();
    let got = select! {
        recv(n) -> _ => 1, recv(n) -> _ => 2, recv(n) -> _ => 3, recv(n) -> _ => 4,
        recv(n) -> _ => 5, recv(n) -> _ => 6, recv(n) -> _ => 7, recv(n) -> _ => 8,
        recv(n) -> _ => 9, recv(n) -> _ => 10, recv(n) -> _ => 11, recv(n) -> _ => 12,
        recv(n) -> _ => 13, recv(n) -> _ => 14, recv(n) -> _ => 15, recv(n) -> _ => 16,
        recv(n) -> _ => 17, recv(n) -> _ => 18, recv(n) -> _ => 19, recv(n) -> _ => 20,
        recv(n) -> _ => 21, recv(n) -> _ => 22, recv(n) -> _ => 23, recv(n) -> _ => 24,
        recv(n) -> _ => 25, recv(n) -> _ => 26, recv(n) -> _ => 27, recv(n) -> _ => 28,
        recv(n) -> _ => 29, recv(n) -> _ => 30, recv(n) -> _ => 31, recv(rx) -> v => 31 + v.unwrap(),
    };
    assert_eq!(got, 32);
}

/// Room that was reserved behind a buffered value and given back is room at once, not only when that value has gone.
#[test]
fn a_reservation_that_is_given_back_is_room_again() {
    let (tx, rx) = chan::<u8>(2);
    tx.send(1).unwrap();
    loop {
        select! { send(tx, break) -> _ => unreachable!() }
    }
    assert_eq!((tx.len(), tx.try_send(2)), (1, Ok(())));
    assert_eq!(rx.recv(), Ok(1));
    let (done, told) = chan(1);
    let goroutine = waterway::go(move || {
        // The reservation is given back while the message is made, which is then sent anew.
        select! { send(tx, { waterway::yield_now(); 3 }) -> sent => sent.unwrap() }
        done.send(tx).unwrap();
    });
    assert!(
        told.recv_timeout(LONG).is_ok(),
        "the send waits beside free room"
    );
    goroutine.join().unwrap();
    assert_eq!((rx.recv(), rx.recv()), (Ok(2), Ok(3)));
}

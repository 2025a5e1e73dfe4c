//! `Select`, whose arms are known at run time only.

#[path = "attack/limits.rs"]
mod limits;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use limits::LONG;
use waterway::chan::{never, unbounded};
use waterway::{RecvError, Select, chan};

const SHORT: Duration = Duration::from_millis(2);

#[test]
fn chooses_finishes_removes() {
    let (tx, rx) = chan::<u8>(1);
    let (other_tx, other_rx) = unbounded::<u8>();
    let mut select = Select::new();
    let send = select.send(&tx);
    let recv = select.recv(&other_rx);
    let chosen = select.select();
    assert_eq!(chosen.index(), send);
    chosen.send(&tx, 1).unwrap();
    assert!(select.try_select().is_err() && select.try_ready().is_err());
    assert!(select.select_timeout(SHORT).is_err() && select.ready_timeout(SHORT).is_err());
    other_tx.send(2).unwrap();
    let chosen = select.select_timeout(LONG).unwrap();
    assert_eq!((chosen.index(), chosen.recv(&other_rx)), (recv, Ok(2)));
    select.remove(send);
    assert_eq!(rx.recv(), Ok(1));
    assert!(select.try_select().is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| select.remove(send))).is_err());
    drop(other_tx);
    let chosen = select.select();
    assert_eq!(
        (chosen.index(), chosen.recv(&other_rx)),
        (recv, Err(RecvError))
    );
}

#[test]
fn an_unfinished_operation_panics_and_gives_back() {
    let (tx, rx) = chan::<u8>(1);
    let result = catch_unwind(|| {
        let mut select = Select::new();
        select.send(&tx);
        drop(select.select());
    });
    assert!(result.is_err() && rx.is_empty());
    tx.try_send(1).unwrap();
    let (_, wrong) = chan::<u8>(1);
    let mut select = Select::new_biased();
    select.recv(&rx);
    let result = catch_unwind(AssertUnwindSafe(|| select.select().recv(&wrong)));
    assert!(result.is_err());
    tx.send(2).unwrap();
    assert_eq!(select.select().recv(&rx), Ok(2));
}

#[test]
fn what_is_forgotten_harms_nobody() {
    let (tx, rx) = chan::<u8>(1);
    let mut select = Box::new(Select::new());
    select.send(&tx);
    std::mem::forget(select.select());
    std::mem::forget(select);
    assert_eq!(rx.len(), 1);
    drop((tx, rx));
    // The next wait of this thread gives the slot back.
    assert!(never::<u8>().recv_timeout(SHORT).is_err());
}

#[test]
fn a_wait_between_choice_and_send_releases() {
    let (tx, rx) = chan::<u8>(1);
    let mut select = Select::new();
    select.send(&tx);
    let chosen = select.select();
    assert_eq!(rx.len(), 1);
    assert!(never::<u8>().recv_timeout(SHORT).is_err());
    assert_eq!(rx.len(), 0);
    chosen.send(&tx, 4).unwrap();
    assert_eq!(rx.recv(), Ok(4));
}

#[test]
fn ready_tells_of_every_kind_of_channel() {
    for capacity in [Some(0), Some(1), None] {
        let (tx, rx) = match capacity {
            Some(n) => chan::<u32>(n),
            None => unbounded(),
        };
        thread::scope(|s| {
            s.spawn(|| (0..500).for_each(|n| tx.send(n).unwrap()));
            let idle = never::<u32>();
            let mut select = Select::new();
            let none = select.recv(&idle);
            select.recv(&rx);
            let mut expected = 0;
            while expected < 500 {
                assert_ne!(select.ready(), none);
                if let Ok(n) = rx.try_recv() {
                    assert_eq!(n, expected);
                    expected += 1;
                }
            }
        });
        thread::scope(|s| {
            s.spawn(|| assert!((0..500).all(|n| rx.recv() == Ok(n))));
            let mut select = Select::new();
            select.send(&tx);
            let mut next = 0;
            while next < 500 {
                select.ready_timeout(LONG).unwrap();
                next += u32::from(tx.try_send(next).is_ok());
            }
        });
    }
}

#[test]
fn selects_wait_for_selects() {
    let channels: Vec<_> = (0..20).map(|_| chan::<usize>(0)).collect();
    thread::scope(|s| {
        for start in 0..2 {
            let channels = &channels;
            s.spawn(move || {
                for n in 0..2_000 {
                    let mut select = Select::new();
                    channels.iter().skip(start).for_each(|(tx, _)| {
                        select.send(tx);
                    });
                    let chosen = select.select();
                    let (tx, _) = &channels[start + chosen.index()];
                    chosen.send(tx, n).unwrap();
                }
            });
        }
        let mut sum = 0;
        for _ in 0..4_000 {
            let mut select = Select::new();
            channels.iter().for_each(|(_, rx)| {
                select.recv(rx);
            });
            let chosen = select.select();
            let (_, rx) = &channels[chosen.index()];
            sum += chosen.recv(rx).unwrap();
        }
        assert_eq!(sum, 2 * 1_999_000);
    });
}

/// A slot that is given back while newer ones are taken is room at once, and the order stays.
#[test]
fn a_reservation_given_back_in_the_middle_is_room_again() {
    let (tx, rx) = chan::<u8>(3);
    let (done, told) = chan(1);
    tx.send(1).unwrap();
    let sender = tx.clone();
    drop(waterway::go(move || {
        let mut select = Select::new();
        select.send(&sender);
        let chosen = select.select();
        sender.send(2).unwrap();
        // Gives the slot between 1 and 2 back.
        waterway::yield_now();
        chosen.send(&sender, 3).unwrap();
        done.send(()).unwrap();
    }));
    assert_eq!(told.recv_timeout(LONG), Ok(()));
    assert_eq!((rx.recv(), rx.recv(), rx.recv()), (Ok(1), Ok(2), Ok(3)));
}

#[test]
fn who_waits_until_it_may_send_takes_no_room() {
    let (tx, rx) = chan::<u8>(3);
    let goroutine = waterway::go(move || {
        (0..3).for_each(|n| tx.send(n).unwrap());
        let looks = tx.clone();
        let watcher = waterway::go_local(move || {
            let mut select = Select::new();
            select.send(&looks);
            select.ready()
        });
        // It waits when this goroutine has its turn again, and when it is told goes on at the next.
        waterway::yield_now();
        assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(0), Ok(1)));
        assert_eq!((tx.len(), tx.try_send(3)), (1, Ok(())));
        assert_eq!(watcher.join().unwrap(), 0);
        assert_eq!((tx.len(), tx.try_send(4)), (2, Ok(())));
    });
    goroutine.join().unwrap();
}

#[test]
fn ready_is_not_told_of_itself() {
    let (tx, rx) = chan::<u8>(0);
    for send_first in [true, false] {
        let mut select = Select::new();
        if send_first {
            select.send(&tx);
            select.recv(&rx);
        } else {
            select.recv(&rx);
            select.send(&tx);
        }
        assert!(select.ready_timeout(SHORT).is_err());
    }
}

/// A select commits to a send when somebody only looks whether there is something to receive, and leaves its other arms.
#[test]
fn a_select_is_not_bound_by_who_only_looks() {
    let (tx, rx) = chan::<u8>(0);
    let (other_tx, other_rx) = chan::<u8>(0);
    let select = waterway::go(move || {
        waterway::select! {
            send(tx, 1) -> _ => None,
            recv(other_rx) -> v => v.ok(),
        }
    });
    let mut looks = Select::new();
    looks.recv(&rx);
    assert_eq!(looks.ready_timeout(LONG), Ok(0));
    // Nobody receives there. The select's other arm can go.
    let sent = other_tx.send_timeout(2, LONG);
    drop(looks);
    drop((rx, other_tx));
    assert_eq!((sent, select.join().unwrap()), (Ok(()), Some(2)));
}

/// The first arm's peer is a select, which can be met only by one that waits; each arm is tried without waiting first.
#[test]
fn a_biased_select_prefers_its_first_arm_whoever_waits_there() {
    let (tx, rx) = chan::<u8>(0);
    let (other_tx, other_rx) = chan::<u8>(1);
    other_tx.send(2).unwrap();
    let got = waterway::go(move || {
        let never = never::<()>();
        let peer = waterway::go_local(move || {
            waterway::select! {
                send(tx, 1) -> sent => sent.is_ok(),
                recv(never) -> _ => unreachable!(),
            }
        });
        // It waits when this goroutine has its turn again.
        waterway::yield_now();
        let got = waterway::select_biased! {
            recv(rx) -> v => v,
            recv(other_rx) -> v => v,
        };
        drop(rx);
        peer.join().unwrap();
        got
    });
    assert_eq!(got.join().unwrap(), Ok(1));
}

/// Who is first in line is a select, whose value is made when it has a receiver; behind it waits one that has its value. A select
/// serves them in that order, whichever of its arms the dice try first.
#[test]
fn a_select_serves_a_channel_in_order_whoever_waits_there() {
    let got = waterway::go(|| {
        let select_sends = |tx: waterway::Sender<u8>, value| {
            let never = never::<()>();
            waterway::go_local(move || {
                waterway::select! {
                    send(tx, value) -> sent => sent.unwrap(),
                    recv(never) -> _ => unreachable!(),
                }
            });
        };
        let mut all = Vec::new();
        for _ in 0..50 {
            let (tx, rx) = chan::<u8>(0);
            let (other_tx, other_rx) = chan::<u8>(0);
            select_sends(tx.clone(), 1);
            waterway::yield_now();
            waterway::go_local(move || tx.send(2).unwrap());
            select_sends(other_tx, 3);
            waterway::yield_now();
            let mut got = Vec::new();
            while got.len() < 3 {
                waterway::select! {
                    recv(rx) -> v => got.extend(v),
                    recv(other_rx) -> v => got.extend(v),
                }
            }
            all.push(got);
        }
        all
    });
    for got in got.join().unwrap() {
        let first: Vec<u8> = got.iter().copied().filter(|value| *value < 3).collect();
        assert_eq!(first, [1, 2], "{got:?}");
    }
}

//! Many senders and receivers at once: each value has one fate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use waterway::flow::{Overflow, Shed};
use waterway::{Sender, chan, scope, select};

use super::balance;

/// Senders and receivers of all kinds on one channel while `meanwhile` runs: every value has one fate.
fn traffic(capacity: usize, overflow: Overflow, meanwhile: impl FnOnce(&Sender<u64>) + Send) {
    traffic_of(
        chan::builder().capacity(capacity).overflow(overflow),
        meanwhile,
    );
}

/// The same, of a channel that is to be made.
fn traffic_of(builder: chan::Builder<u64>, meanwhile: impl FnOnce(&Sender<u64>) + Send) {
    const SENDERS: u64 = 4;
    const EACH: u64 = 1_000;
    let (shed, received, returned) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let shed = Arc::new(shed);
    let told = shed.clone();
    let (tx, rx) = builder
        .on_shed(move |one: Shed<u64>| {
            told.fetch_add(one.value, Ordering::Relaxed);
        })
        .make();
    let stats = tx.downgrade();
    let kept = rx.clone();
    scope(|s| {
        for sender in 0..SENDERS {
            let (tx, returned) = (tx.clone(), &returned);
            s.go(move || {
                for n in 0..EACH {
                    let value = 1 + sender * EACH + n;
                    let back = match n % 4 {
                        0 => tx.try_send(value).err().map(|error| error.into_inner()),
                        1 => tx.send(value).err().map(|error| error.into_inner()),
                        2 => tx.force_send(value).unwrap(),
                        _ => select! { send(tx, value) -> sent => sent.err().map(|e| e.into_inner()) },
                    };
                    returned.fetch_add(back.unwrap_or(0), Ordering::Relaxed);
                    if n % 64 == 0 {
                        waterway::yield_now();
                    }
                }
            });
        }
        for receiver in 0..2 {
            let (rx, received) = (rx.clone(), &received);
            s.go(move || {
                let mut sum = 0;
                loop {
                    let value = match receiver {
                        0 => rx.recv().ok(),
                        _ => select! { recv(rx) -> value => value.ok() },
                    };
                    let Some(value) = value else { break };
                    sum += value;
                    if value % 32 == 0 {
                        waterway::yield_now();
                    }
                }
                received.fetch_add(sum, Ordering::Relaxed);
            });
        }
        let looker = stats.clone();
        s.go(move || {
            while let Some(tx) = looker.upgrade() {
                balance(&tx.statistics());
                drop(tx);
                waterway::yield_now();
            }
        });
        meanwhile(&tx);
        drop(tx);
    });
    let now = kept.statistics();
    balance(&now);
    assert_eq!(now.in_queue, 0);
    let values = SENDERS * EACH;
    let fates = [&*shed, &received, &returned].map(|sum| sum.load(Ordering::Relaxed));
    assert_eq!(
        fates.iter().sum::<u64>(),
        values * (values + 1) / 2,
        "{:?}: {fates:?}",
        kept.overflow()
    );
}

#[waterway::test]
fn under_load_every_value_has_one_fate() {
    for overflow in [
        Overflow::Block,
        Overflow::Reject,
        Overflow::DropNewest,
        Overflow::DropOldest,
        Overflow::CoDel {
            target: Duration::from_nanos(1),
            interval: Duration::from_nanos(1),
        },
    ] {
        for capacity in [1, 8] {
            traffic(capacity, overflow, |_| {});
        }
    }
    traffic(1, Overflow::KeepLatest, |_| {});
}

#[waterway::test]
fn a_policy_that_changes_all_the_time_loses_nothing() {
    let changes = [
        Overflow::DropOldest,
        Overflow::Block,
        Overflow::CoDel {
            target: Duration::from_nanos(1),
            interval: Duration::from_nanos(1),
        },
        Overflow::Reject,
        Overflow::Block,
        Overflow::DropNewest,
        Overflow::codel(),
    ];
    let done = AtomicBool::new(false);
    let (weak, made) = chan(1);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let tx: waterway::WeakSender<u64> = made.recv().unwrap();
            for overflow in changes.iter().cycle() {
                let Some(tx) = tx.upgrade() else { break };
                tx.set_overflow(*overflow);
                drop(tx);
                std::thread::sleep(Duration::from_micros(100));
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        traffic(4, Overflow::Block, |tx| weak.send(tx.downgrade()).unwrap());
        done.store(true, Ordering::Relaxed);
    });
}

#[waterway::test]
fn newest_first_under_load_every_value_has_one_fate() {
    let tiny = Duration::from_nanos(1);
    for target in [tiny, Duration::from_micros(20)] {
        let overflow = Overflow::CoDel {
            target,
            interval: target,
        };
        for capacity in [1, 2, 8] {
            let builder = chan::builder().capacity(capacity).overflow(overflow);
            traffic_of(builder.adaptive_lifo(true), |_| {});
        }
    }
}

//! Many senders and receivers at once: each value has one fate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use waterway::flow::{Overflow, Shed};
use waterway::{Sender, chan, scope, select};

use super::balance;

/// Senders and receivers of all kinds on one channel: every value has one fate.
fn traffic(builder: chan::Builder<u64>) {
    traffic_beside(builder, |_, _| {});
}

fn of(capacity: usize, overflow: Overflow) -> chan::Builder<u64> {
    chan::builder().capacity(capacity).overflow(overflow)
}

/// The same, where senders call `before` with each value that they are about to send. How many those are.
fn traffic_beside(builder: chan::Builder<u64>, before: impl Fn(&Sender<u64>, u64) + Sync) -> u64 {
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
            let (tx, returned, before) = (tx.clone(), &returned, &before);
            s.go(move || {
                for n in 0..EACH {
                    let value = 1 + sender * EACH + n;
                    before(&tx, value);
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
    values
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
            traffic(of(capacity, overflow));
        }
    }
    traffic(of(1, Overflow::KeepLatest));
}

/// Traffic in which each sender changes the policy before every second value of its own. How often that was, of how many values.
fn changing_traffic() -> (u64, u64) {
    let policies = [
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
    let changes = AtomicU64::new(0);
    let values = traffic_beside(of(4, Overflow::Block), |tx, value| {
        if value % 2 == 0 {
            let nth = changes.fetch_add(1, Ordering::Relaxed) as usize;
            tx.set_overflow(policies[nth % policies.len()]);
        }
    });
    (changes.into_inner(), values)
}

#[waterway::test]
fn a_policy_that_changes_all_the_time_loses_nothing() {
    let (changes, values) = changing_traffic();
    assert_eq!(changes, values / 2);
    assert!(changes >= 1_000);
}

/// `cargo test -p waterway --release --test overflow -- --ignored --nocapture policies_change`
#[waterway::test]
#[ignore = "its figure is this machine's"]
fn policies_change_a_thousand_times_a_second() {
    let before = Instant::now();
    let (mut changes, mut values) = (0, 0);
    while before.elapsed() < Duration::from_secs(5) {
        let more = changing_traffic();
        (changes, values) = (changes + more.0, values + more.1);
    }
    let rate = changes as f64 / before.elapsed().as_secs_f64();
    println!("{changes} changes beside {values} values, {rate:.0} changes a second");
    assert!(rate >= 1_000.0, "{rate}");
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
            traffic(of(capacity, overflow).adaptive_lifo(true));
        }
    }
}

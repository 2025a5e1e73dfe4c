//! Those who wait for each other, and what is proved of them.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use waterway::sync::{Barrier, Mutex, Once, OnceLock, RwLock};
use waterway::time::sleep;
use waterway::watch::{VerdictKind, on_verdict, verdicts};
use waterway::{Builder, JoinHandle, chan, go_local, yield_now};

use super::watch::{Watch, named};
use crate::child::SOON;

pub fn lock<T>(value: T) -> Arc<Mutex<T>> {
    Arc::new(Mutex::new(value))
}

/// Two goroutines that hold one each, and then want the other's.
pub fn cross(a: &Arc<Mutex<u32>>, b: &Arc<Mutex<u32>>, spread: bool) {
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("a then b", a, b), ("b then a", b, a)] {
        let (first, second, both) = (first.clone(), second.clone(), both.clone());
        let builder = Builder::new().name(name);
        let builder = if spread { builder.spread() } else { builder };
        builder.go(move || {
            let one = first.lock();
            both.wait();
            *second.lock() += *one;
        });
    }
}

pub fn ab_ba() {
    let watch = Watch::new();
    for spread in [false, true] {
        cross(&lock(1), &lock(2), spread);
        let verdict = watch.says(VerdictKind::LockCycle, &["a then b", "b then a"]);
        for party in &verdict.parties {
            let held = &party.holds[..];
            assert_eq!(held.len(), 1, "{verdict:#?}");
            assert!(held[0].at.as_ref().unwrap().file.ends_with("cycles.rs"));
        }
        assert_ne!(verdict.parties[0].holds, verdict.parties[1].holds);
    }
    assert_eq!(verdicts().len(), 2);
}

pub fn own_lock() {
    let watch = Watch::new();
    let mutex = lock(1);
    named("twice", move || {
        let _once = mutex.lock();
        let _twice = mutex.lock();
    });
    watch.says(VerdictKind::OwnLock, &["twice"]);
}

pub fn ring_of_five() {
    let watch = Watch::new();
    let locks: Vec<_> = (0..5).map(lock).collect();
    let all = Arc::new(Barrier::new(5));
    for n in 0..5 {
        let (own, next, all) = (locks[n].clone(), locks[(n + 1) % 5].clone(), all.clone());
        named("philosopher", move || {
            let left = own.lock();
            all.wait();
            *next.lock() += *left;
        });
    }
    let verdict = watch.says(VerdictKind::LockCycle, &["philosopher"; 5]);
    for (n, party) in verdict.parties.iter().enumerate() {
        let next = &verdict.parties[(n + 1) % 5];
        let waits = party.waits.as_ref().unwrap().on;
        let held = waterway_snapshot::Target::Object(next.holds[0].object);
        assert_eq!(waits, held, "each waits for what the next one holds");
    }
}

pub fn behind_a_cycle() {
    let watch = Watch::new();
    let (a, b) = (lock(1), lock(2));
    cross(&a, &b, false);
    watch.says(VerdictKind::LockCycle, &["a then b", "b then a"]);
    let late = a.clone();
    let waits = named("late", move || drop(late.lock()));
    watch.says(VerdictKind::NeverWoken, &["late"]);
    named("joins it", move || waits.join());
    watch.says(VerdictKind::NeverWoken, &["joins it"]);
}

pub fn threads_take_part() {
    let watch = Watch::new();
    let (a, b) = (lock(1), lock(2));
    let both = Arc::new(Barrier::new(2));
    let (first, second, meet) = (a.clone(), b.clone(), both.clone());
    std::thread::spawn(move || {
        let one = first.lock();
        meet.wait();
        *second.lock() += *one;
    });
    named("goroutine", move || {
        let one = b.lock();
        both.wait();
        *a.lock() += *one;
    });
    let (verdict, _) = watch.0.recv_timeout(SOON).unwrap();
    assert_eq!(
        (verdict.kind, verdict.parties.len()),
        (VerdictKind::LockCycle, 2)
    );
}

pub fn dedicated_takes_part() {
    let watch = Watch::new();
    let (a, b) = (lock(1), lock(2));
    let both = Arc::new(Barrier::new(2));
    let (first, second, meet) = (a.clone(), b.clone(), both.clone());
    Builder::new().name("own thread").dedicated().go(move || {
        let one = first.lock();
        meet.wait();
        *second.lock() += *one;
    });
    named("goroutine", move || {
        let one = b.lock();
        both.wait();
        *a.lock() += *one;
    });
    watch.says(VerdictKind::LockCycle, &["goroutine", "own thread"]);
}

pub fn read_then_write() {
    let watch = Watch::new();
    let rw = Arc::new(RwLock::new(1));
    named("upgrades", move || {
        let read = rw.read();
        *rw.write() += *read;
    });
    watch.says(VerdictKind::OwnLock, &["upgrades"]);
}

pub fn write_then_read() {
    let watch = Watch::new();
    let rw = Arc::new(RwLock::new(1));
    named("downgrades", move || {
        let mut write = rw.write();
        *write += *rw.read();
    });
    let verdict = watch.says(VerdictKind::OwnLock, &["downgrades"]);
    assert!(
        verdict.parties[0].holds[0].at.is_some(),
        "a writer says where"
    );
}

pub fn read_behind_a_writer() {
    let watch = Watch::new();
    let rw = Arc::new(RwLock::new(1));
    let (other, to_write) = (rw.clone(), chan::<()>(0));
    let (tx, rx) = to_write;
    named("reads twice", move || {
        let read = rw.read();
        drop(tx);
        while rw.try_read().is_some() {
            yield_now();
        }
        drop((rw.read(), read));
    });
    named("writes", move || {
        let _ = rx.recv();
        *other.write() += 1;
    });
    watch.says(VerdictKind::LockCycle, &["reads twice", "writes"]);
}

pub fn two_rw_locks() {
    let watch = Watch::new();
    let (a, b) = (Arc::new(RwLock::new(1)), Arc::new(RwLock::new(2)));
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("one", &a, &b), ("other", &b, &a)] {
        let (first, second, both) = (first.clone(), second.clone(), both.clone());
        named(name, move || {
            let read = first.read();
            both.wait();
            *second.write() += *read;
        });
    }
    watch.says(VerdictKind::LockCycle, &["one", "other"]);
}

pub fn two_writers() {
    let watch = Watch::new();
    let (a, b) = (Arc::new(RwLock::new(1)), Arc::new(RwLock::new(2)));
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("one", &a, &b), ("other", &b, &a)] {
        let (first, second, both) = (first.clone(), second.clone(), both.clone());
        named(name, move || {
            let mut written = first.write();
            both.wait();
            *written += *second.write();
        });
    }
    let verdict = watch.says(VerdictKind::LockCycle, &["one", "other"]);
    for party in &verdict.parties {
        assert!(party.holds[0].at.is_some(), "a writer says where");
    }
}

pub fn once_waits_for_its_caller() {
    let watch = Watch::new();
    static ONCE: Once = Once::new();
    static PLACE: OnceLock<u32> = OnceLock::new();
    let both = Arc::new(Barrier::new(2));
    let meet = both.clone();
    named("calls", move || {
        ONCE.call_once(|| {
            meet.wait();
            PLACE.get_or_init(|| 1);
        });
    });
    named("makes", move || {
        PLACE.get_or_init(|| {
            both.wait();
            ONCE.call_once(|| ());
            2
        });
    });
    watch.says(VerdictKind::LockCycle, &["calls", "makes"]);
}

pub fn join_under_a_lock() {
    let watch = Watch::new();
    let mutex = lock(1);
    named("joins", move || {
        let guard = mutex.lock();
        let other = mutex.clone();
        let child = named("locks", move || *other.lock() += 1);
        drop((child.join(), guard));
    });
    watch.says(VerdictKind::LockCycle, &["joins", "locks"]);
}

pub fn joins() {
    let watch = Watch::new();
    let (tx, rx) = chan::<JoinHandle<()>>(1);
    let (back, from) = chan::<JoinHandle<()>>(1);
    let one = named("one", move || rx.recv().unwrap().join().unwrap());
    let other = named("other", move || from.recv().unwrap().join().unwrap());
    tx.send(other).unwrap();
    back.send(one).unwrap();
    watch.says(VerdictKind::JoinCycle, &["one", "other"]);
}

/// Somebody computes without a pause meanwhile: he is none of the cycle.
pub fn a_computing_sibling() {
    let watch = Watch::new();
    Builder::new().dedicated().go(|| {
        loop {
            std::hint::spin_loop();
        }
    });
    cross(&lock(1), &lock(2), false);
    watch.says(VerdictKind::LockCycle, &["a then b", "b then a"]);
}

/// The first looks are in vain, since a goroutine that does not give way holds the worker. Then nothing moves any more, and a timer that
/// comes late keeps the whole program from being judged.
pub fn a_held_worker_that_comes_to_rest() {
    const HELD: Duration = Duration::from_millis(500);
    let (tells, told) = mpsc::channel();
    on_verdict(move |verdict| tells.send(verdict.clone()).unwrap());
    named("twice", || {
        let mutex = lock(1);
        go_local(|| {
            std::thread::sleep(HELD);
            sleep(SOON * 60);
        });
        let _once = mutex.lock();
        let _twice = mutex.lock();
    });
    let verdict = told.recv_timeout(SOON).expect("a verdict soon");
    assert_eq!(verdict.kind, VerdictKind::OwnLock, "{verdict:#?}");
    assert_eq!(verdict.parties[0].name.as_deref(), Some("twice"));
}

pub fn whole_program() {
    cross(&lock(1), &lock(2), false);
    let (_tx, rx) = chan::<()>(0);
    let _ = rx.recv();
}

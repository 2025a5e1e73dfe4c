//! Somebody holds a lock and waits at a channel for one who waits for the lock. That nobody else could come to the channel only a look
//! at who reaches it could tell: beside others these are seen as waiting, and there is no verdict yet. As the whole program they are
//! reported.

use std::sync::Arc;

use waterway::sync::Mutex;
use waterway::{chan, yield_now};

use super::Outcome::Waits;
use super::{Crew, Kernel, fixed, idiomatic, literal};

const BOTH: &[&str] = &["G1", "G2"];

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        id: "etcd6873",
        class: "channel&lock",
        forms: &[idiomatic(Waits(BOTH), etcd6873), fixed(etcd6873_fixed)],
    },
    Kernel {
        id: "istio16224",
        class: "channel&lock",
        forms: &[idiomatic(Waits(BOTH), istio16224), fixed(istio16224_fixed)],
    },
    Kernel {
        id: "kubernetes10182",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(BOTH), kubernetes10182),
            fixed(kubernetes10182_fixed),
        ],
    },
    Kernel {
        id: "kubernetes6632",
        class: "channel&lock",
        forms: &[
            literal(Waits(BOTH), kubernetes6632),
            fixed(kubernetes6632_fixed),
        ],
    },
    Kernel {
        id: "kubernetes1321",
        class: "channel&lock",
        forms: &[
            literal(Waits(BOTH), kubernetes1321),
            fixed(kubernetes1321_fixed),
        ],
    },
    Kernel {
        id: "moby28462",
        class: "channel&lock",
        forms: &[idiomatic(Waits(BOTH), moby28462), fixed(moby28462_fixed)],
    },
];

/// The caller locks after the other one has.
fn until_locked<T>(lock: &Mutex<T>) {
    while lock.try_lock().is_some() {
        yield_now();
    }
}

// etcd6873: broadcasts are stopped under the lock that the one who is to end needs.

fn etcd6873(crew: &Crew) {
    etcd6873_with(crew, false);
}

fn etcd6873_fixed(crew: &Crew) {
    etcd6873_with(crew, true);
}

fn etcd6873_with(crew: &Crew, unlocked: bool) {
    let broadcasts = Arc::new(Mutex::new(0));
    let (update, updates) = chan(1);
    let (done, is_done) = chan::<()>(0);
    let other = broadcasts.clone();
    crew.go("G2", move || {
        let _done = done;
        for update in &updates {
            if !unlocked {
                until_locked(&other);
            }
            *other.lock() += update;
        }
    });
    crew.go("G1", move || {
        let _ = update.send(1);
        let lock = broadcasts.lock();
        drop(update);
        if unlocked {
            drop(lock);
            let _ = is_done.recv();
        } else {
            let _ = is_done.recv();
            drop(lock);
        }
    });
}

// istio16224: a handler tells, under a lock, one who wants the lock first.

fn istio16224(crew: &Crew) {
    istio16224_with(crew, 0);
}

fn istio16224_fixed(crew: &Crew) {
    istio16224_with(crew, 1);
}

fn istio16224_with(crew: &Crew, capacity: usize) {
    let events = Arc::new(Mutex::new(0));
    let (done, is_done) = chan(capacity);
    let other = events.clone();
    crew.go("G2", move || {
        let mut events = other.lock();
        *events += 1;
        let _ = done.send(());
    });
    crew.go("G1", move || {
        if capacity == 0 {
            until_locked(&events);
        }
        drop(events.lock());
        let _ = is_done.recv();
    });
}

// kubernetes10182: a status is set and told under a lock, that who is told takes first.

fn kubernetes10182(crew: &Crew) {
    kubernetes10182_with(crew, true);
}

fn kubernetes10182_fixed(crew: &Crew) {
    kubernetes10182_with(crew, false);
}

fn kubernetes10182_with(crew: &Crew, under_lock: bool) {
    let statuses = Arc::new(Mutex::new(0));
    let (status, is_set) = chan(0);
    let other = statuses.clone();
    crew.go("G1", move || {
        for _ in 0..2 {
            if is_set.recv().is_err() {
                return;
            }
            if under_lock {
                until_locked(&other);
            }
            *other.lock() -= 1;
        }
    });
    crew.go("G2", move || {
        for _ in 0..2 {
            let mut set = statuses.lock();
            *set += 1;
            if under_lock {
                let _ = status.send(true);
                // The next one sets at once.
                let _ = status.send(true);
            } else {
                drop(set);
                let _ = status.send(true);
            }
        }
    });
}

// kubernetes6632: a frame is written, under a lock, to a monitor that wants the lock to close.

fn kubernetes6632(crew: &Crew) {
    let framer = Arc::new((Mutex::new(()), chan::<bool>(0)));
    let other = framer.clone();
    crew.go("G1", move || {
        until_locked(&framer.0);
        drop(framer.0.lock());
    });
    crew.go("G2", move || {
        let _lock = other.0.lock();
        let _ = other.1.0.send(true);
    });
}

fn kubernetes6632_fixed(crew: &Crew) {
    let (reset, resets) = chan::<bool>(0);
    let framer = Arc::new(Mutex::new(Some(reset)));
    let other = framer.clone();
    crew.go("G1", move || {
        // Whoever writes is heard until the lock is had.
        let drains = waterway::go(move || for _reset in &resets {});
        *framer.lock() = None;
        drains.join().unwrap();
    });
    crew.go("G2", move || {
        let reset = other.lock();
        if let Some(reset) = &*reset {
            let _ = reset.send(true);
        }
    });
}

// kubernetes1321: events are handed out under a lock, and a watcher that is to stop needs it.

fn kubernetes1321(crew: &Crew) {
    let watcher = Arc::new((Mutex::new(()), chan::<()>(0)));
    let other = watcher.clone();
    crew.go("G2", move || {
        let _lock = watcher.0.lock();
        let _ = watcher.1.0.send(());
    });
    crew.go("G1", move || {
        until_locked(&other.0);
        drop(other.0.lock());
    });
}

fn kubernetes1321_fixed(crew: &Crew) {
    let (result, results) = chan::<()>(0);
    let watcher = Arc::new(Mutex::new(Some(result)));
    let other = watcher.clone();
    crew.go("G2", move || {
        // Handed out without the lock.
        let result = watcher.lock().clone();
        let _ = result.map(|result| result.send(()));
    });
    crew.go("G1", move || {
        drop(results);
        drop(other.lock().take());
    });
}

// moby28462: a monitor is stopped under the lock that its probe needs.

fn moby28462(crew: &Crew) {
    moby28462_with(crew, true);
}

fn moby28462_fixed(crew: &Crew) {
    moby28462_with(crew, false);
}

fn moby28462_with(crew: &Crew, under_lock: bool) {
    let container = Arc::new(Mutex::new(0));
    let (stop, stops) = chan::<()>(0);
    let other = container.clone();
    crew.go("G1", move || {
        if under_lock {
            until_locked(&other);
        }
        *other.lock() += 1;
        let _ = stops.recv();
    });
    crew.go("G2", move || {
        let lock = container.lock();
        if under_lock {
            let _ = stop.send(());
            drop(lock);
        } else {
            drop(lock);
            let _ = stop.send(());
        }
    });
}

//! Somebody holds a lock and waits at a channel for one who waits for the lock. That nobody else could come to the channel only a look
//! at who reaches it could tell: beside others these are seen as waiting, and there is no verdict yet. As the whole program they are
//! reported.

mod literal;

use std::sync::Arc;
use std::time::Duration;

use waterway::sync::{Barrier, Mutex, WaitGroup};
use waterway::{Sender, chan, select, time, yield_now};

use super::Outcome::{Ends, Waits};
use super::{Both, Crew, Kernel, fixed, idiomatic, literal};

const BOTH: &[&str] = &["G1", "G2"];
const ELECTION: &[&str] = &["G1", "G2", "G3", "G3"];
const TOKENS: &[&str] = &["G1", "G2", "helper"];

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        id: "etcd6873",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(BOTH), etcd6873),
            literal(Waits(BOTH), literal::etcd6873),
            fixed(etcd6873_fixed),
        ],
    },
    Kernel {
        id: "istio16224",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(BOTH), istio16224),
            literal(Waits(BOTH), literal::istio16224),
            fixed(istio16224_fixed),
        ],
    },
    Kernel {
        id: "kubernetes10182",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(BOTH), kubernetes10182),
            literal(Waits(BOTH), literal::kubernetes10182),
            fixed(kubernetes10182_fixed),
        ],
    },
    Kernel {
        id: "kubernetes6632",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(BOTH), kubernetes6632),
            literal(Waits(BOTH), literal::kubernetes6632),
            fixed(kubernetes6632_fixed),
        ],
    },
    Kernel {
        id: "kubernetes1321",
        class: "channel&lock",
        forms: &[
            idiomatic(Ends, kubernetes1321),
            literal(Waits(BOTH), literal::kubernetes1321),
            fixed(kubernetes1321_fixed),
        ],
    },
    Kernel {
        id: "moby28462",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(BOTH), moby28462),
            literal(Waits(BOTH), literal::moby28462),
            fixed(moby28462_fixed),
        ],
    },
    Kernel {
        id: "grpc1460",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(BOTH), grpc1460),
            literal(Waits(BOTH), literal::grpc1460),
            fixed(grpc1460_fixed),
        ],
    },
    Kernel {
        id: "etcd7902",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(ELECTION), etcd7902),
            literal(Waits(ELECTION), literal::etcd7902),
            fixed(etcd7902_fixed),
        ],
    },
    Kernel {
        id: "etcd7492",
        class: "channel&lock",
        forms: &[
            idiomatic(Waits(TOKENS), etcd7492),
            literal(Waits(TOKENS), literal::etcd7492),
            fixed(etcd7492_fixed),
        ],
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
    let (reset, resets) = chan::<bool>(0);
    let framer = Arc::new(Mutex::new(Some(reset)));
    let other = framer.clone();
    crew.go("G1", move || {
        until_locked(&framer);
        *framer.lock() = None;
        drop(resets);
    });
    crew.go("G2", move || {
        let reset = other.lock();
        if let Some(reset) = &*reset {
            let _ = reset.send(true);
        }
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

// Whoever stops lets go of his end first: the event that is being handed out comes back, and the lock with it.
fn kubernetes1321(crew: &Crew) {
    let (result, results) = chan::<()>(0);
    let watcher = Arc::new(Mutex::new(Some(result)));
    let other = watcher.clone();
    crew.go("G2", move || {
        let watcher = watcher.lock();
        let _ = watcher.as_ref().map(|result| result.send(()));
    });
    crew.go("G1", move || {
        until_locked(&other);
        drop(results);
        drop(other.lock().take());
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

// grpc1460: a client without streams waits to be woken, with the lock that a new stream needs.

struct Client {
    streams: Mutex<u32>,
    awaken: Sender<()>,
}

impl Client {
    fn new_stream(&self) {
        let mut streams = self.streams.lock();
        *streams += 1;
        if *streams == 1 {
            let _ = self.awaken.try_send(());
        }
    }
}

fn grpc1460(crew: &Crew) {
    let (awaken, awakened) = chan(0);
    let streams = Mutex::new(0);
    let client = Arc::new(Client { streams, awaken });
    let other = client.clone();
    crew.go("G1", move || {
        let streams = client.streams.lock();
        if *streams == 0 {
            let _ = awakened.recv();
        }
    });
    crew.go("G2", move || {
        until_locked(&other.streams);
        other.new_stream();
    });
}

fn grpc1460_fixed(crew: &Crew) {
    // Room for one call, so that it may come before the wait.
    let (awaken, awakened) = chan(1);
    let streams = Mutex::new(0);
    let client = Arc::new(Client { streams, awaken });
    let other = client.clone();
    crew.go("G1", move || {
        let idle = *client.streams.lock() == 0;
        if idle {
            let _ = awakened.recv();
        }
    });
    crew.go("G2", move || other.new_stream());
}

// etcd7902: who leads tells the others, who wait for that, with the lock that the leader needs to tell them.

fn etcd7902(crew: &Crew) {
    let next: Arc<Mutex<Both<()>>> = Arc::new(Mutex::new(chan(0)));
    let (rounds, followers) = (WaitGroup::new(), crew.clone());
    crew.go("G1", move || {
        for name in ["G2", "G3", "G3"] {
            let (next, round) = (next.clone(), rounds.token());
            followers.go(name, move || {
                let _round = round;
                if name == "G2" {
                    until_locked(&next);
                    // Whoever has the old one hears of it.
                    *next.lock() = chan(0);
                } else {
                    let next = next.lock();
                    let _ = next.1.recv();
                }
            });
        }
        rounds.wait();
    });
}

fn etcd7902_fixed(crew: &Crew) {
    let next: Arc<Mutex<Both<()>>> = Arc::new(Mutex::new(chan(0)));
    let (rounds, followers) = (WaitGroup::new(), crew.clone());
    crew.go("G1", move || {
        for name in ["G3", "G3", "G2"] {
            // Taken before the leader can tell, and waited for without the lock.
            let told = next.lock().1.clone();
            let (next, round) = (next.clone(), rounds.token());
            followers.go(name, move || {
                let _round = round;
                if name == "G2" {
                    *next.lock() = chan(0);
                } else {
                    let _ = told.recv();
                }
            });
        }
        rounds.wait();
    });
}

// etcd7492: tokens are told to their keeper under the lock that he takes to delete old ones.

fn etcd7492(crew: &Crew) {
    let (add, adds) = chan::<()>(1);
    let (tokens, met) = (Arc::new(Mutex::new(0)), Arc::new(Barrier::new(2)));
    let (all, meets) = (tokens.clone(), met.clone());
    crew.go("G1", move || {
        let ticks = time::tick(Duration::from_millis(1));
        while adds.recv().is_ok() {
            // The next is a tick, when the lock is held by one who has no room any more.
            let _ = ticks.recv();
            meets.wait();
            *all.lock() -= 1;
        }
    });
    let users = crew.clone();
    crew.go("helper", move || {
        for n in 0..3 {
            let (tokens, add, met) = (tokens.clone(), add.clone(), met.clone());
            let (told, is_told) = chan::<()>(0);
            users.go("G2", move || {
                let _told = told;
                let mut assigned = tokens.lock();
                if n == 2 {
                    met.wait();
                }
                *assigned += 1;
                let _ = add.send(());
            });
            let _ = is_told.recv();
        }
    });
}

fn etcd7492_fixed(crew: &Crew) {
    let (add, adds) = chan::<()>(1);
    let tokens = Arc::new(Mutex::new(0));
    let all = tokens.clone();
    crew.go("G1", move || {
        let ticks = time::tick(Duration::from_millis(1));
        let mut kept = 0;
        loop {
            select! {
                recv(adds) -> token => match token {
                    Ok(()) => kept += 1,
                    Err(_) => return,
                },
                recv(ticks) -> _ => *all.lock() -= std::mem::take(&mut kept),
            }
        }
    });
    for _ in 0..3 {
        let (tokens, add) = (tokens.clone(), add.clone());
        crew.go("G2", move || {
            *tokens.lock() += 1;
            // Told without the lock.
            let _ = add.send(());
        });
    }
}

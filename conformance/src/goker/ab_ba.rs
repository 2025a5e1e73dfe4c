//! Two goroutines take two locks in both orders.

use std::sync::Arc;

use waterway::sync::{Barrier, Mutex, MutexGuard};

use super::Outcome::Stuck;
use super::{Crew, Kernel, fixed, idiomatic, literal};

const BOTH: &[&str] = &["G1", "G2"];

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        id: "cockroach10214",
        class: "AB-BA",
        forms: &[
            idiomatic(Stuck(BOTH), cockroach10214_idiomatic),
            literal(Stuck(BOTH), cockroach10214_literal),
            fixed(cockroach10214_fixed),
        ],
    },
    Kernel {
        id: "cockroach7504",
        class: "AB-BA",
        forms: &[
            idiomatic(Stuck(BOTH), cockroach7504_idiomatic),
            literal(Stuck(BOTH), cockroach7504_literal),
            fixed(cockroach7504_fixed),
        ],
    },
    Kernel {
        id: "kubernetes13135",
        class: "AB-BA",
        // Its literal form unlocks in a callback a guard that another function took: there is no such program in safe Rust.
        forms: &[
            idiomatic(Stuck(BOTH), kubernetes13135_idiomatic),
            fixed(kubernetes13135_fixed),
        ],
    },
    Kernel {
        id: "moby4951",
        class: "AB-BA",
        // As above: it unlocks its caller's lock for a while. Here the guard goes down with the call.
        forms: &[
            idiomatic(Stuck(BOTH), moby4951_idiomatic),
            fixed(moby4951_fixed),
        ],
    },
];

// cockroach10214: heartbeats are sent under the store's lock, which locks a replica; a replica's tick locks the store.

struct Replica {
    raft: Mutex<u32>,
    state: Mutex<u32>,
}

struct Store {
    coalesced: Mutex<Vec<u32>>,
    replicas: Vec<Replica>,
}

fn store() -> Arc<Store> {
    let replica = || Replica {
        raft: Mutex::new(0),
        state: Mutex::new(0),
    };
    Arc::new(Store {
        coalesced: Mutex::new(vec![1, 2]),
        replicas: vec![replica(), replica()],
    })
}

fn cockroach10214_idiomatic(crew: &Crew) {
    let (store, met) = (store(), Arc::new(Barrier::new(2)));
    let (other, meet) = (store.clone(), met.clone());
    crew.go("G1", move || {
        let responses = store.coalesced.lock();
        met.wait();
        for response in responses.iter() {
            for replica in &store.replicas {
                *replica.raft.lock() += response;
            }
        }
    });
    crew.go("G2", move || {
        let replica = &other.replicas[0];
        let _raft = replica.raft.lock();
        let mut state = replica.state.lock();
        meet.wait();
        *state = other.coalesced.lock().len() as u32;
    });
}

fn cockroach10214_literal(crew: &Crew) {
    struct Store {
        coalesced_mu: Mutex<()>,
        responses: Vec<u32>,
        raft_mu: Mutex<()>,
        mu: Mutex<()>,
        met: Barrier,
    }
    impl Store {
        fn send_queued_heartbeats(&self) {
            let _lock = self.coalesced_mu.lock();
            self.met.wait();
            self.responses
                .iter()
                .for_each(|_| self.report_unreachable());
        }
        fn report_unreachable(&self) {
            let _lock = self.raft_mu.lock();
        }
        fn tick(&self) {
            let _lock = self.raft_mu.lock();
            self.tick_locked();
        }
        fn tick_locked(&self) {
            let _lock = self.mu.lock();
            self.met.wait();
            self.coalesce();
        }
        fn coalesce(&self) {
            let lock = self.coalesced_mu.lock();
            drop(lock);
        }
    }
    let store = Arc::new(Store {
        coalesced_mu: Mutex::new(()),
        responses: vec![1, 2],
        raft_mu: Mutex::new(()),
        mu: Mutex::new(()),
        met: Barrier::new(2),
    });
    let other = store.clone();
    crew.go("G1", move || store.send_queued_heartbeats());
    crew.go("G2", move || other.tick());
}

fn cockroach10214_fixed(crew: &Crew) {
    let (store, met) = (store(), Arc::new(Barrier::new(2)));
    let (other, meet) = (store.clone(), met.clone());
    crew.go("G1", move || {
        // Taken out first: nothing is called under the lock.
        let responses = std::mem::take(&mut *store.coalesced.lock());
        met.wait();
        for response in responses {
            for replica in &store.replicas {
                *replica.raft.lock() += response;
            }
        }
    });
    crew.go("G2", move || {
        let replica = &other.replicas[0];
        let _raft = replica.raft.lock();
        let mut state = replica.state.lock();
        meet.wait();
        *state = other.coalesced.lock().len() as u32;
    });
}

// cockroach7504: releasing a lease locks it and then the cache of names; looking a name up locks the cache and then the lease.

fn cockroach7504_idiomatic(crew: &Crew) {
    struct Leases {
        lease: Mutex<u32>,
        names: Mutex<Vec<u32>>,
    }
    let leases = Arc::new(Leases {
        lease: Mutex::new(0),
        names: Mutex::new(vec![0]),
    });
    let met = Arc::new(Barrier::new(2));
    let (other, meet) = (leases.clone(), met.clone());
    crew.go("G1", move || {
        let names = leases.names.lock();
        met.wait();
        *leases.lease.lock() += names[0];
    });
    crew.go("G2", move || {
        let lease = other.lease.lock();
        meet.wait();
        other.names.lock().retain(|id| id != &*lease);
    });
}

fn cockroach7504_literal(crew: &Crew) {
    struct Lease {
        mu: Mutex<()>,
        id: usize,
    }
    struct NameCache {
        mu: Mutex<()>,
        tables: Vec<Arc<Lease>>,
        met: Barrier,
    }
    struct TableState {
        names: Arc<NameCache>,
        mu: Mutex<()>,
        active: Vec<Arc<Lease>>,
    }
    impl NameCache {
        fn get(&self, id: usize) {
            let _lock = self.mu.lock();
            self.met.wait();
            let _lease = self.tables[id].mu.lock();
        }
        fn remove(&self, lease: &Lease) {
            let _lock = self.mu.lock();
            assert!(self.tables.iter().any(|other| other.id == lease.id));
        }
    }
    impl TableState {
        fn release(&self, lease: &Lease) {
            let _lock = self.mu.lock();
            let found = &self.active[lease.id];
            let _lease = found.mu.lock();
            self.names.met.wait();
            self.names.remove(found);
        }
    }
    let lease = Arc::new(Lease {
        mu: Mutex::new(()),
        id: 0,
    });
    let names = Arc::new(NameCache {
        mu: Mutex::new(()),
        tables: vec![lease.clone()],
        met: Barrier::new(2),
    });
    let table = TableState {
        names: names.clone(),
        mu: Mutex::new(()),
        active: vec![lease.clone()],
    };
    crew.go("G1", move || names.get(0));
    crew.go("G2", move || table.release(&lease));
}

fn cockroach7504_fixed(crew: &Crew) {
    let (lease, names) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(vec![0])));
    let met = Arc::new(Barrier::new(2));
    let (other_lease, other_names, meet) = (lease.clone(), names.clone(), met.clone());
    crew.go("G1", move || {
        let id = names.lock()[0];
        met.wait();
        *lease.lock() += id;
    });
    crew.go("G2", move || {
        let id = *other_lease.lock();
        meet.wait();
        other_names.lock().retain(|other| *other != id);
    });
}

// kubernetes13135: filling a cache locks the cacher and then the watch; an event locks the watch and then the cacher.

fn kubernetes13135_idiomatic(crew: &Crew) {
    let (cacher, watch) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let met = Arc::new(Barrier::new(2));
    let (events, watched, meet) = (cacher.clone(), watch.clone(), met.clone());
    crew.go("G1", move || {
        let mut caching = cacher.lock();
        met.wait();
        *caching += *watch.lock();
    });
    crew.go("G2", move || {
        let on_event = || *events.lock() += 1;
        let _event = watched.lock();
        meet.wait();
        on_event();
    });
}

fn kubernetes13135_fixed(crew: &Crew) {
    let (cacher, watch) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let met = Arc::new(Barrier::new(2));
    let (events, watched, meet) = (cacher.clone(), watch.clone(), met.clone());
    crew.go("G1", move || {
        met.wait();
        let replaced = *watch.lock();
        *cacher.lock() += replaced;
    });
    crew.go("G2", move || {
        let _event = watched.lock();
        meet.wait();
        *events.lock() += 1;
    });
}

// moby4951: deleting a device lets the set go for a while, with the device locked; the next one who deletes it has the set by then.

fn moby4951_idiomatic(crew: &Crew) {
    struct Devices {
        set: Mutex<u32>,
        device: Mutex<u32>,
        met: Barrier,
    }
    impl Devices {
        /// As Go's, which unlocks and locks its caller's lock: the guard is taken and given back.
        fn remove_and_wait<'a>(&'a self, set: MutexGuard<'a, u32>) -> MutexGuard<'a, u32> {
            drop(set);
            self.met.wait();
            self.met.wait();
            self.set.lock()
        }
    }
    let devices = Arc::new(Devices {
        set: Mutex::new(0),
        device: Mutex::new(0),
        met: Barrier::new(2),
    });
    let other = devices.clone();
    crew.go("G1", move || {
        let set = devices.set.lock();
        let mut info = devices.device.lock();
        *info += 1;
        drop(devices.remove_and_wait(set));
    });
    crew.go("G2", move || {
        other.met.wait();
        let mut set = other.set.lock();
        other.met.wait();
        *set += *other.device.lock();
    });
}

fn moby4951_fixed(crew: &Crew) {
    let (set, device) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    for name in BOTH {
        let (set, device) = (set.clone(), device.clone());
        // Always the device first.
        crew.go(name, move || {
            let mut info = device.lock();
            *set.lock() += *info;
            *info += 1;
        });
    }
}

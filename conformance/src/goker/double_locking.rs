//! A goroutine locks again what it holds.

mod literal;

use std::sync::Arc;

use waterway::sync::{Mutex, MutexGuard, RwLock};

use super::Outcome::{Ends, Stuck, Waits};
use super::{Crew, Kernel, fixed, idiomatic, literal};

const G1: &[&str] = &["G1"];

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        id: "etcd10492",
        class: "double locking",
        forms: &[
            idiomatic(Stuck(G1), etcd10492_idiomatic),
            literal(Stuck(G1), literal::etcd10492),
            fixed(etcd10492_fixed),
        ],
    },
    Kernel {
        id: "etcd6708",
        class: "double locking",
        forms: &[
            idiomatic(Stuck(G1), etcd6708_idiomatic),
            literal(Stuck(G1), literal::etcd6708),
            fixed(etcd6708_fixed),
        ],
    },
    Kernel {
        id: "cockroach9935",
        class: "double locking",
        forms: &[
            idiomatic(Stuck(G1), cockroach9935_idiomatic),
            literal(Stuck(G1), literal::cockroach9935),
            fixed(cockroach9935_fixed),
        ],
    },
    Kernel {
        id: "moby36114",
        class: "double locking",
        forms: &[
            idiomatic(Stuck(G1), moby36114_idiomatic),
            literal(Stuck(G1), literal::moby36114),
            fixed(moby36114_fixed),
        ],
    },
    // The rest forget to unlock on one way out. A guard does not.
    Kernel {
        id: "grpc795",
        class: "double locking",
        forms: &[
            idiomatic(Ends, grpc795_idiomatic),
            literal(Stuck(G1), literal::grpc795),
            fixed(grpc795_idiomatic),
        ],
    },
    Kernel {
        id: "etcd5509",
        class: "double locking",
        forms: &[
            idiomatic(Ends, etcd5509_idiomatic),
            literal(Stuck(G1), literal::etcd5509),
            fixed(etcd5509_idiomatic),
        ],
    },
    Kernel {
        id: "cockroach584",
        class: "double locking",
        forms: &[
            idiomatic(Ends, cockroach584_idiomatic),
            literal(Stuck(G1), literal::cockroach584),
            fixed(cockroach584_idiomatic),
        ],
    },
    Kernel {
        id: "moby17176",
        class: "double locking",
        forms: &[
            idiomatic(Ends, moby17176_idiomatic),
            // Its holder has ended: no cycle.
            literal(Waits(G1), literal::moby17176),
            fixed(moby17176_idiomatic),
        ],
    },
    Kernel {
        id: "moby7559",
        class: "double locking",
        forms: &[
            idiomatic(Ends, moby7559_idiomatic),
            literal(Stuck(G1), literal::moby7559),
            fixed(moby7559_idiomatic),
        ],
    },
];

// etcd10492: a lessor calls its checkpointer under its lock, which calls back into the lessor.

fn etcd10492_idiomatic(crew: &Crew) {
    type Checkpointer = Arc<dyn Fn() + Send + Sync>;
    #[derive(Default)]
    struct State {
        checkpointer: Option<Checkpointer>,
        checkpoints: u32,
    }
    crew.go("G1", || {
        let lessor = Arc::new(RwLock::new(State::default()));
        let own = lessor.clone();
        lessor.write().checkpointer = Some(Arc::new(move || own.write().checkpoints += 1));
        let state = lessor.write();
        if let Some(checkpoint) = &state.checkpointer {
            checkpoint();
        }
    });
}

fn etcd10492_fixed(crew: &Crew) {
    crew.go("G1", || {
        let lessor = Arc::new(RwLock::new(0));
        let own = lessor.clone();
        let checkpoint = move || *own.write() += 1;
        // Unlocked before it calls.
        drop(lessor.write());
        checkpoint();
    });
}

// etcd6708: a client that syncs under its lock asks itself for the leader, and reads.

fn etcd6708_idiomatic(crew: &Crew) {
    struct Client(RwLock<Vec<&'static str>>);
    impl Client {
        fn leader(&self) -> Option<&'static str> {
            self.0.read().first().copied()
        }
        fn sync(&self) {
            let mut endpoints = self.0.write();
            endpoints.extend(self.leader());
        }
    }
    crew.go("G1", || Client(RwLock::new(vec!["a"])).sync());
}

fn etcd6708_fixed(crew: &Crew) {
    crew.go("G1", || {
        let endpoints = RwLock::new(vec!["a"]);
        let leader = endpoints.read().first().copied();
        endpoints.write().extend(leader);
    });
}

// cockroach9935: a log that cannot make its file exits, which locks the log.

struct Log {
    lines: Mutex<Vec<String>>,
}

impl Log {
    fn create_file(&self) -> Result<(), String> {
        Err("no space".into())
    }

    fn exit(&self, error: String) {
        self.lines.lock().push(error);
    }
}

fn cockroach9935_idiomatic(crew: &Crew) {
    crew.go("G1", || {
        let log = Log {
            lines: Mutex::default(),
        };
        let mut lines = log.lines.lock();
        if let Err(error) = log.create_file() {
            log.exit(error);
        }
        lines.push("an entry".into());
    });
}

fn cockroach9935_fixed(crew: &Crew) {
    crew.go("G1", || {
        let log = Log {
            lines: Mutex::default(),
        };
        let created = log.create_file();
        log.lines.lock().push("an entry".into());
        if let Err(error) = created {
            log.exit(error);
        }
    });
}

// moby36114: adding disks at the start calls what removes them, and both lock the machine.

fn moby36114_idiomatic(crew: &Crew) {
    struct ServiceVm(Mutex<Vec<u32>>);
    impl ServiceVm {
        fn hot_add(&self) {
            let mut disks = self.0.lock();
            disks.push(1);
            if disks.len() == 1 {
                self.hot_remove();
            }
        }
        fn hot_remove(&self) {
            self.0.lock().clear();
        }
    }
    let vm = Arc::new(ServiceVm(Mutex::default()));
    crew.go("G1", move || vm.hot_add());
}

fn moby36114_fixed(crew: &Crew) {
    fn hot_remove(disks: &mut MutexGuard<'_, Vec<u32>>) {
        disks.clear();
    }
    crew.go("G1", || {
        let disks = Mutex::new(vec![1]);
        hot_remove(&mut disks.lock());
    });
}

// grpc795: a server that is stopped again locks instead of unlocking.

fn grpc795_idiomatic(crew: &Crew) {
    fn graceful_stop(drain: &Mutex<bool>) {
        let mut drain = drain.lock();
        if !*drain {
            *drain = true;
        }
    }
    crew.go("G1", || {
        let server = Mutex::new(false);
        (0..3).for_each(|_| graceful_stop(&server));
    });
}

// etcd5509: a read lock is kept on the way out with an error, and the writer waits for it.

fn etcd5509_idiomatic(crew: &Crew) {
    struct Client(RwLock<Option<u32>>);
    impl Client {
        fn acquire(&self) -> Result<u32, &'static str> {
            let cancel = self.0.read();
            cancel.ok_or("connection closed")
        }
        fn close(&self) {
            self.0.write().take();
        }
    }
    let client = Arc::new(Client(RwLock::new(None)));
    crew.go("G1", move || {
        assert!(client.acquire().is_err());
        client.close();
    });
}

// cockroach584: a loop that ends while it holds the lock, and another one after it.

fn cockroach584_idiomatic(crew: &Crew) {
    fn until_closed(closed: &Mutex<bool>) {
        loop {
            let closed = closed.lock();
            if *closed {
                break;
            }
        }
    }
    crew.go("G1", || {
        let closed = Mutex::new(true);
        until_closed(&closed);
        until_closed(&closed);
    });
}

// moby17176: an early return keeps the lock.

fn moby17176_idiomatic(crew: &Crew) {
    fn clean_up(deleted: &Mutex<u32>) -> Result<(), &'static str> {
        let deleted = deleted.lock();
        if *deleted == 0 {
            return Ok(());
        }
        Err("some are left")
    }
    let deleted = Arc::new(Mutex::new(0));
    let others = deleted.clone();
    assert!(clean_up(&deleted).is_ok());
    crew.go("G1", move || *others.lock() += 1);
}

// moby7559: `continue` after an error, with the lock held.

fn moby7559_idiomatic(crew: &Crew) {
    crew.go("G1", || {
        let tracked = Mutex::new(0);
        for n in 0..2 {
            let mut tracked = tracked.lock();
            let dialled: Result<u32, ()> = Err(());
            let Ok(socket) = dialled else {
                continue;
            };
            *tracked += socket + n;
        }
    });
}

//! As Go has them: locks bare, beside what they guard, and unlocked by hand where Go does so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use waterway::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard};

use super::super::Crew;

// etcd10492: a checkpoint is made under the lock that it takes.
pub(super) fn etcd10492(crew: &Crew) {
    type Checkpointer = Box<dyn Fn(&Lessor) + Send + Sync>;
    struct Lessor {
        mu: RwLock<()>,
        cp: Checkpointer,
    }
    impl Lessor {
        fn checkpoint(&self) {
            let _mu = self.mu.write();
        }
        fn renew(&self) {
            let _mu = self.mu.write();
            (self.cp)(self);
        }
    }
    crew.go("G1", || {
        let lessor = Lessor {
            mu: RwLock::new(()),
            cp: Box::new(Lessor::checkpoint),
        };
        drop(lessor.mu.write());
        lessor.renew();
    });
}

// etcd6708: the client that syncs is its own transport.
pub(super) fn etcd6708(crew: &Crew) {
    trait Http {
        fn call(&self);
    }
    struct Members<'a>(&'a dyn Http);
    impl Members<'_> {
        fn leader(&self) {
            self.0.call();
        }
    }
    struct ClusterClient(RwLock<()>);
    impl Http for ClusterClient {
        fn call(&self) {
            drop(self.0.read());
        }
    }
    impl ClusterClient {
        fn set_endpoints(&self) {
            Members(self).leader();
        }
        fn sync(&self) {
            let _lock = self.0.write();
            self.set_endpoints();
        }
    }
    crew.go("G1", || ClusterClient(RwLock::new(())).sync());
}

// cockroach9935: the exit locks what its caller has locked.
pub(super) fn cockroach9935(crew: &Crew) {
    struct Logging {
        mu: Mutex<()>,
    }
    impl Logging {
        fn output_log_entry(&self) {
            let lock = self.mu.lock();
            if self.create_file().is_err() {
                self.exit();
            }
            drop(lock);
        }
        fn create_file(&self) -> Result<(), ()> {
            Err(())
        }
        fn exit(&self) {
            let _lock = self.mu.lock();
        }
    }
    let logging = Arc::new(Logging { mu: Mutex::new(()) });
    crew.go("G1", move || logging.output_log_entry());
}

// moby36114: what adds calls what removes.
pub(super) fn moby36114(crew: &Crew) {
    struct ServiceVm(Mutex<()>);
    impl ServiceVm {
        fn hot_add(&self) {
            let _lock = self.0.lock();
            self.hot_remove();
        }
        fn hot_remove(&self) {
            let _lock = self.0.lock();
        }
    }
    let vm = Arc::new(ServiceVm(Mutex::new(())));
    crew.go("G1", move || vm.hot_add());
}

// grpc795: it locks where it should unlock.
pub(super) fn grpc795(crew: &Crew) {
    struct Server {
        mu: Mutex<()>,
        drain: AtomicBool,
    }
    impl Server {
        fn graceful_stop(&self) {
            let lock = self.mu.lock();
            if self.drain.load(Ordering::Relaxed) {
                let again = self.mu.lock();
                drop(again);
                return;
            }
            self.drain.store(true, Ordering::Relaxed);
            drop(lock);
        }
    }
    crew.go("G1", || {
        let server = Server {
            mu: Mutex::new(()),
            drain: AtomicBool::new(false),
        };
        (0..3).for_each(|_| server.graceful_stop());
    });
}

// cockroach584: the loop is left with the lock held.
pub(super) fn cockroach584(crew: &Crew) {
    /// Locks and unlocks by hand, as Go does.
    struct Gossip<'a> {
        mu: &'a Mutex<()>,
        locked: Option<MutexGuard<'a, ()>>,
        closed: bool,
    }
    impl Gossip<'_> {
        fn until_closed(&mut self) {
            loop {
                let lock = self.mu.lock();
                self.locked = Some(lock);
                if self.closed {
                    break;
                }
                self.locked = None;
            }
        }
    }
    crew.go("G1", || {
        let mu = Mutex::new(());
        let mut gossip = Gossip {
            mu: &mu,
            locked: None,
            closed: true,
        };
        gossip.until_closed();
        gossip.until_closed();
    });
}

// etcd5509: the read lock is kept on the way out with an error.
pub(super) fn etcd5509(crew: &Crew) {
    /// Locks and unlocks by hand, as Go does.
    struct Client<'a> {
        mu: &'a RwLock<()>,
        reads: Option<RwLockReadGuard<'a, ()>>,
        cancel: Option<u32>,
    }
    impl Client<'_> {
        fn acquire(&mut self) -> Result<u32, &'static str> {
            self.reads = Some(self.mu.read());
            let Some(cancel) = self.cancel else {
                return Err("connection closed");
            };
            self.reads = None;
            Ok(cancel)
        }
        fn close(&mut self) {
            let _mu = self.mu.write();
            self.cancel = None;
        }
    }
    crew.go("G1", || {
        let mu = RwLock::new(());
        let mut client = Client {
            mu: &mu,
            reads: None,
            cancel: None,
        };
        assert!(client.acquire().is_err());
        client.close();
    });
}

// moby17176: an early return keeps the lock, for good: who took it has ended.
pub(super) fn moby17176(crew: &Crew) {
    struct Devices {
        mu: Mutex<()>,
        deleted: u32,
    }
    impl Devices {
        fn clean_up(&self) -> Result<(), &'static str> {
            let lock = self.mu.lock();
            if self.deleted == 0 {
                // The unlock that is not there.
                std::mem::forget(lock);
                return Ok(());
            }
            drop(lock);
            Err("some are left")
        }
    }
    let devices = Arc::new(Devices {
        mu: Mutex::new(()),
        deleted: 0,
    });
    let (others, starts) = (devices.clone(), crew.clone());
    crew.go("helper", move || {
        assert!(devices.clean_up().is_ok());
        starts.go("G1", move || drop(others.mu.lock()));
    });
}

// moby7559: `continue` after an error, with the lock held.
pub(super) fn moby7559(crew: &Crew) {
    /// Locks and unlocks by hand, as Go does.
    struct Proxy<'a> {
        mu: &'a Mutex<()>,
        locked: Option<MutexGuard<'a, ()>>,
    }
    impl Proxy<'_> {
        fn run(&mut self) {
            for _packet in 0..2 {
                let lock = self.mu.lock();
                self.locked = Some(lock);
                let dialled: Result<(), ()> = Err(());
                if dialled.is_err() {
                    continue;
                }
                self.locked = None;
            }
        }
    }
    crew.go("G1", || {
        let mu = Mutex::new(());
        let mut proxy = Proxy {
            mu: &mu,
            locked: None,
        };
        proxy.run();
    });
}

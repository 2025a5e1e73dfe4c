//! As Go has them: bare locks and both ends of channels, in structs that everybody shares.

use std::sync::Arc;
use std::time::Duration;

use waterway::sync::{Barrier, Mutex, WaitGroup};
use waterway::{chan, select, time};

use super::super::{Both, Crew};
use super::until_locked;

// etcd6873: the broadcasts are stopped under the lock, and whoever is to end asks for it first.
pub(super) fn etcd6873(crew: &Crew) {
    struct Broadcasts {
        mu: Mutex<()>,
        updates: Both<u32>,
        done: Both<()>,
    }
    impl Broadcasts {
        fn run(&self) {
            for _update in &self.updates.1 {
                until_locked(&self.mu);
                drop(self.mu.lock());
            }
            self.done.0.close();
        }
        fn stop(&self) {
            let _lock = self.mu.lock();
            self.updates.0.close();
            let _ = self.done.1.recv();
        }
    }
    let broadcasts = Arc::new(Broadcasts {
        mu: Mutex::new(()),
        updates: chan(1),
        done: chan(0),
    });
    let stops = broadcasts.clone();
    crew.go("G2", move || broadcasts.run());
    crew.go("G1", move || {
        let _ = stops.updates.0.send(1);
        stops.stop();
    });
}

// istio16224: the handler tells under the lock.
pub(super) fn istio16224(crew: &Crew) {
    struct Controller {
        mu: Mutex<()>,
        done: Both<()>,
    }
    let controller = Arc::new(Controller {
        mu: Mutex::new(()),
        done: chan(0),
    });
    let handler = controller.clone();
    crew.go("G2", move || {
        let _lock = handler.mu.lock();
        let _ = handler.done.0.send(());
    });
    crew.go("G1", move || {
        until_locked(&controller.mu);
        drop(controller.mu.lock());
        let _ = controller.done.1.recv();
    });
}

// kubernetes10182: a second status is told under the lock when the first is being synced.
pub(super) fn kubernetes10182(crew: &Crew) {
    struct Manager {
        statuses_lock: Mutex<()>,
        statuses: Both<bool>,
        met: Barrier,
    }
    impl Manager {
        fn sync_batch(&self) {
            let _ = self.statuses.1.recv();
            self.met.wait();
            let _lock = self.statuses_lock.lock();
        }
        fn set_status(&self, second: bool) {
            let _lock = self.statuses_lock.lock();
            if second {
                self.met.wait();
            }
            let _ = self.statuses.0.send(true);
        }
    }
    let manager = Arc::new(Manager {
        statuses_lock: Mutex::new(()),
        statuses: chan(0),
        met: Barrier::new(2),
    });
    let sets = manager.clone();
    crew.go("G1", move || {
        loop {
            manager.sync_batch();
        }
    });
    crew.go("G2", move || {
        sets.set_status(false);
        sets.set_status(true);
    });
}

// kubernetes6632: the monitor, which reads, wants the lock.
pub(super) fn kubernetes6632(crew: &Crew) {
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

// kubernetes1321: the watcher, which reads, wants the lock.
pub(super) fn kubernetes1321(crew: &Crew) {
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

// moby28462: the monitor is stopped under the lock.
pub(super) fn moby28462(crew: &Crew) {
    struct Container {
        mu: Mutex<()>,
        stop: Both<()>,
    }
    let container = Arc::new(Container {
        mu: Mutex::new(()),
        stop: chan(0),
    });
    let monitored = container.clone();
    crew.go("G1", move || {
        // The probe, and then what is to be heard.
        until_locked(&monitored.mu);
        drop(monitored.mu.lock());
        let _ = monitored.stop.1.recv();
    });
    crew.go("G2", move || {
        let _lock = container.mu.lock();
        let _ = container.stop.0.send(());
    });
}

// grpc1460: it waits to be woken with the lock.
pub(super) fn grpc1460(crew: &Crew) {
    struct Client {
        mu: Mutex<()>,
        awaken: Both<()>,
    }
    impl Client {
        fn keepalive(&self) {
            let _lock = self.mu.lock();
            let _ = self.awaken.1.recv();
        }
        fn new_stream(&self) {
            until_locked(&self.mu);
            let _lock = self.mu.lock();
            let _ = self.awaken.0.try_send(());
        }
    }
    let client = Arc::new(Client {
        mu: Mutex::new(()),
        awaken: chan(0),
    });
    let other = client.clone();
    crew.go("G1", move || client.keepalive());
    crew.go("G2", move || other.new_stream());
}

// etcd7902: rounds lock what they do, and one of three leads.
pub(super) fn etcd7902(crew: &Crew) {
    struct Rounds {
        mu: Mutex<()>,
        next: Mutex<Both<()>>,
    }
    impl Rounds {
        fn lead(&self) {
            until_locked(&self.mu);
            let _lock = self.mu.lock();
            let mut next = self.next.lock();
            next.0.close();
            *next = chan(0);
        }
        fn follow(&self) {
            let next = self.next.lock().clone();
            let _lock = self.mu.lock();
            let _ = next.1.recv();
        }
    }
    let rounds = Arc::new(Rounds {
        mu: Mutex::new(()),
        next: Mutex::new(chan(0)),
    });
    let (clients, group) = (crew.clone(), WaitGroup::new());
    crew.go("G1", move || {
        group.add(3);
        for name in ["G2", "G3", "G3"] {
            let (rounds, group) = (rounds.clone(), group.clone());
            clients.go(name, move || {
                match name {
                    "G2" => rounds.lead(),
                    _ => rounds.follow(),
                }
                group.done();
            });
        }
        group.wait();
    });
}

// etcd7492: tokens are told under the lock, and the keeper's tick takes it.
pub(super) fn etcd7492(crew: &Crew) {
    struct Keeper {
        tokens_mu: Mutex<()>,
        adds: Both<()>,
        stop: Both<()>,
        met: Barrier,
    }
    impl Keeper {
        fn run(&self) {
            let ticks = time::tick(Duration::from_millis(1));
            loop {
                select! {
                    recv(self.adds.1) -> _ => {
                        // The next is a tick.
                        let _ = ticks.recv();
                        self.met.wait();
                        self.delete();
                    },
                    recv(self.stop.1) -> _ => return,
                }
            }
        }
        fn delete(&self) {
            let _lock = self.tokens_mu.lock();
        }
        fn assign(&self, last: bool) {
            let _lock = self.tokens_mu.lock();
            if last {
                self.met.wait();
            }
            let _ = self.adds.0.send(());
        }
    }
    let keeper = Arc::new(Keeper {
        tokens_mu: Mutex::new(()),
        adds: chan(1),
        stop: chan(0),
        met: Barrier::new(2),
    });
    let (runs, users) = (keeper.clone(), crew.clone());
    crew.go("G1", move || runs.run());
    crew.go("helper", move || {
        let group = WaitGroup::new();
        for n in 0..3 {
            group.add(1);
            let (keeper, done) = (keeper.clone(), group.clone());
            users.go("G2", move || {
                keeper.assign(n == 2);
                done.done();
            });
            group.wait();
        }
        keeper.stop.0.close();
    });
}

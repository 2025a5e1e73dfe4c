//! As Go has them: shared structs with bare locks and both ends of a channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use waterway::chan;
use waterway::sync::{Condvar, Mutex, Once};

use super::super::{Both, Crew};

// syncthing5795: the dispatcher closes, which waits for the end of the dispatcher.
pub(super) fn syncthing5795(crew: &Crew) {
    struct Connection {
        inbox: Both<()>,
        stopped: Both<()>,
        close_once: Once,
    }
    impl Connection {
        fn dispatch(&self) {
            while self.inbox.1.recv().is_ok() {
                self.close();
            }
            self.stopped.0.close();
        }
        fn close(&self) {
            self.close_once.call_once(|| {
                let _ = self.stopped.1.recv();
            });
        }
    }
    let connection = Arc::new(Connection {
        inbox: chan(0),
        stopped: chan(0),
        close_once: Once::new(),
    });
    let dispatches = connection.clone();
    crew.go("G2", move || dispatches.dispatch());
    crew.go("G1", move || {
        let _ = connection.inbox.0.send(());
        let _ = connection.stopped.1.recv();
    });
}

// moby30408: the activation fails, and the condition of who waits for it never comes.
pub(super) fn moby30408(crew: &Crew) {
    struct Plugin {
        mu: Mutex<()>,
        activate_wait: Condvar,
        activated: AtomicBool,
        done: Both<()>,
    }
    impl Plugin {
        fn wait_active(&self) {
            let mut lock = self.mu.lock();
            while !self.activated.load(Ordering::Relaxed) {
                self.activate_wait.wait(&mut lock);
            }
        }
        fn activate(&self) -> Result<(), &'static str> {
            Err("some junk happened")
        }
    }
    let plugin = Arc::new(Plugin {
        mu: Mutex::new(()),
        activate_wait: Condvar::new(),
        activated: AtomicBool::new(false),
        done: chan(0),
    });
    let waits = plugin.clone();
    crew.go("G2", move || {
        waits.wait_active();
        waits.done.0.close();
    });
    crew.go("G1", move || {
        // Nobody is told.
        let _failed = plugin.activate();
        let _ = plugin.done.1.recv();
    });
}

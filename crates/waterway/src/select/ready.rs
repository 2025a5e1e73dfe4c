//! Waiting until some arm may go, without choosing it.

use std::panic::Location;
use std::sync::Arc;
use std::task::{Wake as WakeTask, Waker};
use std::time::Instant;

use super::order::Order;
use super::run::{Patience, Ports, arms, key};
use crate::chan::WakeList;
use crate::primitives::Lock;
use crate::wait::{Limit, Wait, WaitKey, WaitQueue, Waited, checkpoint};

/// Where the caller sleeps until one of its watches is told.
#[derive(Default)]
struct Bell(Lock<Sleeper>);

#[derive(Default)]
struct Sleeper {
    rung: bool,
    queue: WaitQueue,
}

impl WakeTask for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut wakes = WakeList::new();
        let mut sleeper = self.0.lock();
        sleeper.rung = true;
        if let Some((_, claimed)) = sleeper.queue.pop_claim() {
            wakes.push(claimed);
        }
    }
}

impl Bell {
    /// Sleeps until it is rung (true) or until the deadline.
    fn wait(&self, key: &WaitKey, deadline: Option<Instant>) -> bool {
        let sleeper = self.0.lock();
        sleeper.rung || {
            let wait = Wait::new(*key, &()).within(Limit::at(deadline));
            wait.park(&self.0, sleeper, |_| Vec::new())
        }
    }
}

impl Waited for Sleeper {
    fn queue(&mut self) -> &mut WaitQueue {
        &mut self.queue
    }
}

/// The index of an arm that may go; `None` if there was none in time.
pub(super) fn ready(
    ports: Ports<'_, '_>,
    biased: bool,
    patience: Patience,
    site: &'static Location<'static>,
) -> Option<usize> {
    let mut order = Order::new(ports.len(), biased);
    if let Some(arm) = order.find(|&arm| ports[arm].is_ready()) {
        return Some(arm);
    }
    let Patience::Until(deadline) = patience else {
        return None;
    };
    checkpoint();
    let bell = Arc::new(Bell::default());
    let mut watches = Vec::with_capacity(ports.len());
    // Those that receive first: at its start such a watch tells a select that waits to send, which shall not be this one.
    for sends in [false, true] {
        for (arm, port) in ports.iter().enumerate() {
            if port.is_send() != sends {
                continue;
            }
            match port.watch(Waker::from(bell.clone())) {
                Some(watch) => watches.push((arm, watch)),
                None => return Some(arm),
            }
        }
    }
    let arms = arms(ports);
    bell.wait(&key(&arms, ports, site), deadline);
    let told = watches.iter().find(|(_, watch)| watch.is_told());
    told.map(|(arm, _)| *arm)
}

//! The models, and who plays in them.

mod channels;
mod endings;
mod locks;
mod onces;
mod overflow;
mod selects;
mod tasks;
mod timers;

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicBool, Ordering};

use crate::schedules::Model;

pub(super) fn all() -> Vec<Model> {
    [
        channels::MODELS,
        selects::MODELS,
        locks::MODELS,
        onces::MODELS,
        overflow::MODELS,
        tasks::MODELS,
        timers::MODELS,
        endings::MODELS,
    ]
    .concat()
}

/// Who plays in a model.
#[derive(Clone, Copy)]
enum Kind {
    Thread,
    Goroutine,
}

use Kind::{Goroutine, Thread};

/// The stage of one model: its actors, and the worker that goroutines among them live on.
struct Stage {
    worker: &'static crate::rt::worker::Worker,
    actors: Vec<shuttle::thread::JoinHandle<()>>,
}

impl Stage {
    fn new() -> Stage {
        let stage = Stage::without_reminders();
        crate::rt::sched::set_worker(stage.worker);
        stage
    }

    /// On this one whom a mutex forgets it is reminded of by nobody, though a clock goes.
    fn without_reminders() -> Stage {
        crate::rt::sched::set_worker(crate::rt::worker::Worker::new());
        Stage {
            worker: crate::rt::worker::Worker::new(),
            actors: Vec::new(),
        }
    }

    fn actor(&mut self, kind: Kind, f: impl FnOnce() + Send + 'static) {
        let (worker, id) = (self.worker, self.actors.len() as u64 + 1);
        self.actors.push(shuttle::thread::spawn(move || {
            if let Goroutine = kind {
                worker.adopt(id, false);
            }
            f();
        }));
    }

    fn end(self) {
        for actor in self.actors {
            actor.join().expect("no actor panics");
        }
    }

    /// As `end`, while the worker and sysmon fire timers whenever they like.
    fn end_with_clock(self) {
        let over = Arc::new(AtomicBool::new(false));
        let clocks = [(), ()].map(|()| {
            let (seen, worker) = (over.clone(), self.worker);
            shuttle::thread::spawn(move || {
                while !seen.load(Ordering::SeqCst) {
                    worker.fire();
                    shuttle::thread::yield_now();
                }
            })
        });
        self.end();
        over.store(true, Ordering::SeqCst);
        for clock in clocks {
            clock.join().expect("the clock does not panic");
        }
    }
}

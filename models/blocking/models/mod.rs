//! The models, and how they are run.

mod channels;
mod locks;
mod selects;

use std::process::Command;
use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

/// A model by its name: a program whose every schedule must end, and keep its assertions.
type Model = (&'static str, fn());

/// Schedules of each kind for each model, unless `WATERWAY_MODEL_RUNS` says otherwise.
const RUNS: usize = 300;

fn config() -> Config {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::Print;
    config.silence_warnings = true;
    config.max_steps = MaxSteps::FailAfter(200_000);
    config
}

/// In a child: the one model that it runs.
const CHILD: &str = "WATERWAY_MODEL";

pub(super) fn main() {
    let all = || [channels::MODELS, selects::MODELS, locks::MODELS].concat();
    if let Ok(name) = std::env::var(CHILD) {
        let model = all().into_iter().find(|(known, _)| *known == name);
        return check(model.expect("a model of that name").1);
    }
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let mut failed = Vec::new();
    for (name, _) in all() {
        if only.as_deref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        // A failing model leaves threads behind that hold locks: it has a process of its own.
        let child = Command::new(std::env::current_exe().expect("this program has a path"))
            .env(CHILD, name)
            .status();
        if child.is_ok_and(|status| status.success()) {
            println!("model {name} ... ok");
        } else {
            println!("model {name} ... FAILED");
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {}", failed.join(", "));
}

fn check(model: fn()) {
    if let Ok(schedule) = std::env::var("WATERWAY_MODEL_REPLAY") {
        return shuttle::replay(model, &schedule);
    }
    let runs = std::env::var("WATERWAY_MODEL_RUNS");
    let runs = runs.map_or(RUNS, |n| n.parse().expect("WATERWAY_MODEL_RUNS: a number"));
    Runner::new(RandomScheduler::new(runs), config()).run(model);
    Runner::new(PctScheduler::new(3, runs), config()).run(model);
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

    /// As `end`, while a clock fires timers whenever it likes.
    fn end_with_clock(self) {
        let over = Arc::new(AtomicBool::new(false));
        let (seen, worker) = (over.clone(), self.worker);
        let clock = shuttle::thread::spawn(move || {
            while !seen.load(Ordering::SeqCst) {
                worker.fire();
                shuttle::thread::yield_now();
            }
        });
        self.end();
        over.store(true, Ordering::SeqCst);
        clock.join().expect("the clock does not panic");
    }
}

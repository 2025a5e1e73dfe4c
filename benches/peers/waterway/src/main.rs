//! Waterway in the race.

mod selects;

use std::time::Duration;

use race::blocking::*;
use race::{Entry, Run, entry};
use waterway::sync::{Mutex, WaitGroup};
use waterway::{Config, Receiver, Sender, chan, go};

struct Waterway;

impl Rival for Waterway {
    type Tx<T: Send + 'static> = Sender<T>;
    type Rx<T: Send + 'static> = Receiver<T>;
    type Group = WaitGroup;
    type Counter = Mutex<u64>;

    fn go(work: impl FnOnce() + Send + 'static) {
        go(work);
    }
    fn yield_now() {
        waterway::yield_now();
    }
    fn sleep(time: Duration) {
        waterway::time::sleep(time);
    }
    fn chan<T: Send + 'static>(cap: usize) -> (Sender<T>, Receiver<T>) {
        chan(cap)
    }
    fn send<T: Send + 'static>(tx: &Sender<T>, value: T) -> bool {
        tx.send(value).is_ok()
    }
    fn recv<T: Send + 'static>(rx: &Receiver<T>) -> Option<T> {
        rx.recv().ok()
    }
    fn try_recv<T: Send + 'static>(rx: &Receiver<T>) -> Option<T> {
        rx.try_recv().ok()
    }
    fn group(members: usize) -> WaitGroup {
        let group = WaitGroup::new();
        group.add(members.cast_signed());
        group
    }
    fn done(group: WaitGroup) {
        group.done();
    }
    fn wait(group: WaitGroup) {
        group.wait();
    }
    fn counter() -> Mutex<u64> {
        Mutex::new(0)
    }
    fn increment(counter: &Mutex<u64>) {
        *counter.lock() += 1;
    }
}

impl Shared for Waterway {
    fn share<T: Send + 'static>(rx: &Receiver<T>) -> Receiver<T> {
        rx.clone()
    }
}

fn plus_one(counter: &std::sync::Mutex<u64>) {
    *counter.lock().expect("nobody panics") += 1;
}

#[rustfmt::skip] // a table
const ENTRIES: &[Entry] = &[
    entry("pingpong", pingpong::<Waterway>),
    entry("spsc", spsc::<Waterway>),
    entry("mpmc", mpmc::<Waterway>),
    entry("mpmc0", mpmc0::<Waterway>),
    entry("select2", |run| run.timed(|n| selects::two(n, 0))),
    entry("select2b", |run| run.timed(|n| selects::two(n, 128))),
    entry("select8", |run| run.timed(|n| selects::eight(n, 0))),
    entry("select8b", |run| run.timed(|n| selects::eight(n, 128))),
    entry("try_recv", try_recv::<Waterway>),
    entry("select_default", |run| run.timed(selects::default)),
    entry("spawn_join", spawn_join::<Waterway>),
    entry("spawn_burst", spawn_burst::<Waterway>),
    entry("yield1", yield1::<Waterway>),
    entry("yield1000", yield1000::<Waterway>),
    entry("mutex", mutex::<Waterway>),
    entry("mutex8", mutex8::<Waterway>),
    entry("mutex8", |run| mutex8_of::<Waterway, _>(run, || std::sync::Mutex::new(0), plus_one)).variant("std::sync"),
    entry("skynet", skynet::<Waterway>),
    entry("sieve", sieve::<Waterway>),
    entry("timers", timers::<Waterway>),
    entry("parked100k", parked::<Waterway>),
    entry("parked1m", parked::<Waterway>),
    entry("pipeline_a", pipeline_a::<Waterway>),
    entry("pipeline_b", pipeline_b::<Waterway>),
    entry("pipeline_c", pipeline_c::<Waterway>),
    entry("pipeline_d", pipeline_d::<Waterway>),
    entry("scaling_spawn", scaling_spawn::<Waterway>),
    entry("scaling_pingpong", scaling_pingpong::<Waterway>),
    entry("scaling_timers", scaling_timers::<Waterway>),
    entry("scaling_select", selects::scaling).note("Select, a set known at run time"),
];

fn main() {
    race::main(ENTRIES, |run: Run, body| {
        let config = Config::new().max_procs(run.workers);
        config
            .install()
            .expect("the first use, with a number in range");
        go(move || body(run))
            .join()
            .expect("the work does not panic");
    });
}

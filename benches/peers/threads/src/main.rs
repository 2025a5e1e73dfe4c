//! Channels on OS threads in the race: std, crossbeam, flume and kanal.

mod kinds;
mod selects;

use std::marker::PhantomData;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crossbeam_utils::sync::WaitGroup;
use kinds::{Crossbeam, Flume, Kanal, Kind, Std};
use race::blocking::*;
use race::{Entry, Run, absent, entry};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Threads for goroutines, with one kind of channel.
struct On<K>(PhantomData<K>);

impl<K: Kind> Rival for On<K> {
    type Tx<T: Send + 'static> = K::Tx<T>;
    type Rx<T: Send + 'static> = K::Rx<T>;
    type Group = WaitGroup;
    type Counter = Mutex<u64>;

    fn go(work: impl FnOnce() + Send + 'static) {
        thread::spawn(work);
    }
    fn yield_now() {
        thread::yield_now();
    }
    fn sleep(time: Duration) {
        thread::sleep(time);
    }
    fn chan<T: Send + 'static>(cap: usize) -> (K::Tx<T>, K::Rx<T>) {
        K::chan(cap)
    }
    fn send<T: Send + 'static>(tx: &K::Tx<T>, value: T) -> bool {
        K::send(tx, value)
    }
    fn recv<T: Send + 'static>(rx: &K::Rx<T>) -> Option<T> {
        K::recv(rx)
    }
    fn try_recv<T: Send + 'static>(rx: &K::Rx<T>) -> Option<T> {
        K::try_recv(rx)
    }
    fn group(_members: usize) -> WaitGroup {
        WaitGroup::new()
    }
    fn done(group: WaitGroup) {
        drop(group);
    }
    fn wait(group: WaitGroup) {
        group.wait();
    }
    fn counter() -> Mutex<u64> {
        Mutex::new(0)
    }
    fn increment(counter: &Mutex<u64>) {
        *counter.lock().expect("nobody panics") += 1;
    }
}

impl<K: kinds::Shared> Shared for On<K> {
    fn share<T: Send + 'static>(rx: &K::Rx<T>) -> K::Rx<T> {
        K::share(rx)
    }
}

fn plus_one(counter: &parking_lot::Mutex<u64>) {
    *counter.lock() += 1;
}

const FEWER: &str = "fewer operations, since each takes longer";
const FEW: &str = "1,000 threads at most";

#[rustfmt::skip] // a table
const ENTRIES: &[Entry] = &[
    entry("pingpong", pingpong::<On<Std>>).variant("std").divide(20).note(FEWER),
    entry("pingpong", pingpong::<On<Crossbeam>>).variant("crossbeam").divide(20).note(FEWER),
    entry("pingpong", pingpong::<On<Flume>>).variant("flume").divide(20).note(FEWER),
    entry("pingpong", pingpong::<On<Kanal>>).variant("kanal").divide(20).note(FEWER),
    entry("spsc", spsc::<On<Std>>).variant("std"),
    entry("spsc", spsc::<On<Crossbeam>>).variant("crossbeam"),
    entry("spsc", spsc::<On<Flume>>).variant("flume"),
    entry("spsc", spsc::<On<Kanal>>).variant("kanal"),
    entry("mpmc", mpmc::<On<Crossbeam>>).variant("crossbeam"),
    entry("mpmc", mpmc::<On<Flume>>).variant("flume"),
    entry("mpmc", mpmc::<On<Kanal>>).variant("kanal"),
    entry("mpmc0", mpmc0::<On<Crossbeam>>).variant("crossbeam").divide(5).note(FEWER),
    entry("mpmc0", mpmc0::<On<Flume>>).variant("flume").divide(5).note(FEWER),
    entry("mpmc0", mpmc0::<On<Kanal>>).variant("kanal").divide(5).note(FEWER),
    entry("select2", |run| run.timed(|n| selects::crossbeam::two(n, 0))).variant("crossbeam").divide(5).note(FEWER),
    entry("select2", |run| run.timed(|n| selects::flume::<2>(n, 0))).variant("flume").divide(5).note(FEWER),
    entry("select2b", |run| run.timed(|n| selects::crossbeam::two(n, 128))).variant("crossbeam"),
    entry("select2b", |run| run.timed(|n| selects::flume::<2>(n, 128))).variant("flume").divide(5).note(FEWER),
    entry("select8", |run| run.timed(|n| selects::crossbeam::eight(n, 0))).variant("crossbeam").divide(5).note(FEWER),
    entry("select8", |run| run.timed(|n| selects::flume::<8>(n, 0))).variant("flume").divide(5).note(FEWER),
    entry("select8b", |run| run.timed(|n| selects::crossbeam::eight(n, 128))).variant("crossbeam"),
    entry("select8b", |run| run.timed(|n| selects::flume::<8>(n, 128))).variant("flume").divide(5).note(FEWER),
    entry("try_recv", try_recv::<On<Std>>).variant("std"),
    entry("try_recv", try_recv::<On<Crossbeam>>).variant("crossbeam"),
    entry("try_recv", try_recv::<On<Flume>>).variant("flume"),
    entry("try_recv", try_recv::<On<Kanal>>).variant("kanal"),
    entry("select_default", |run| run.timed(selects::crossbeam::default)).variant("crossbeam"),
    entry("spawn_join", spawn_join::<On<Crossbeam>>).divide(40).note(FEWER),
    absent("spawn_burst", "the system does not allow 1,000,000 threads"),
    entry("yield1", yield1::<On<Crossbeam>>),
    entry("yield1000", yield1000::<On<Crossbeam>>).divide(3).note(FEWER),
    entry("mutex", mutex::<On<Crossbeam>>).variant("std"),
    entry("mutex", |run| mutex_of(run, &parking_lot::Mutex::new(0), plus_one)).variant("parking_lot"),
    entry("mutex8", mutex8::<On<Crossbeam>>).variant("std"),
    entry("mutex8", |run| mutex8_of::<On<Crossbeam>, _>(run, || parking_lot::Mutex::new(0), plus_one)).variant("parking_lot"),
    absent("skynet", "the system does not allow 1,111,111 threads"),
    absent("sieve", "2,000 threads with rendezvous of some 10 us take minutes"),
    entry("timers", timers::<On<Crossbeam>>).smaller(1000).note(FEW),
    entry("parked100k", parked::<On<Crossbeam>>).smaller(1000).note("1,000 threads; kernel memory is not counted"),
    absent("parked1m", "the system does not allow 1,000,000 threads"),
    entry("pipeline_a", pipeline_a::<On<Crossbeam>>).variant("crossbeam").note("one worker: pinned to one core"),
    entry("pipeline_b", pipeline_b::<On<Crossbeam>>).variant("crossbeam"),
    entry("pipeline_c", pipeline_c::<On<Crossbeam>>).variant("crossbeam"),
    entry("pipeline_d", pipeline_d::<On<Crossbeam>>).variant("crossbeam"),
    entry("scaling_spawn", scaling_spawn::<On<Crossbeam>>).cap(1000).note(FEW),
    entry("scaling_pingpong", scaling_pingpong::<On<Crossbeam>>).variant("crossbeam").cap(1000).note(FEW),
    entry("scaling_timers", scaling_timers::<On<Crossbeam>>).cap(1000).note(FEW),
    entry("scaling_select", selects::crossbeam::scaling).variant("crossbeam").divide(5).note(FEWER),
];

fn main() {
    race::main(ENTRIES, |run: Run, body| {
        pin_to(run.workers);
        body(run);
    });
}

/// Threads know no number of workers; cores they may use come nearest.
fn pin_to(cores: usize) {
    let all = sched_getaffinity(None).expect("Linux tells");
    let mut some = CpuSet::new();
    let ours = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu));
    ours.take(cores).for_each(|cpu| some.set(cpu));
    sched_setaffinity(None, &some).expect("a part of what was allowed");
}

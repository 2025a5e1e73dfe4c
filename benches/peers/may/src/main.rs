//! may in the race. Its channels have no bounds: where a bound matters, a semaphore is put around them.

mod selects;

use std::sync::Arc;
use std::time::Duration;

use may::sync::{Mutex, Semphore, WaitGroup, mpmc};
use may::{coroutine, go};
use race::blocking::*;
use race::{Entry, Run, absent, entry};

/// With a semaphore before each channel, which counts its free places, or without.
struct May<const BOUNDED: bool>;

type Plain = May<false>;
type Bounded = May<true>;

/// A sender, and the free places of its channel.
struct Tx<T>(mpmc::Sender<T>, Option<Arc<Semphore>>);

struct Rx<T>(mpmc::Receiver<T>, Option<Arc<Semphore>>);

impl<T> Clone for Tx<T> {
    fn clone(&self) -> Tx<T> {
        Tx(self.0.clone(), self.1.clone())
    }
}

impl<T> Rx<T> {
    /// A place is free again.
    fn taken(&self, value: Option<T>) -> Option<T> {
        if let (Some(_), Some(places)) = (&value, &self.1) {
            places.post();
        }
        value
    }
}

impl<const BOUNDED: bool> Rival for May<BOUNDED> {
    type Tx<T: Send + 'static> = Tx<T>;
    type Rx<T: Send + 'static> = Rx<T>;
    type Group = WaitGroup;
    type Counter = Mutex<u64>;

    fn go(work: impl FnOnce() + Send + 'static) {
        go!(work);
    }
    fn yield_now() {
        coroutine::yield_now();
    }
    fn sleep(time: Duration) {
        coroutine::sleep(time);
    }
    fn chan<T: Send + 'static>(cap: usize) -> (Tx<T>, Rx<T>) {
        let (tx, rx) = mpmc::channel();
        let places = BOUNDED.then(|| Arc::new(Semphore::new(cap.max(1))));
        (Tx(tx, places.clone()), Rx(rx, places))
    }
    fn send<T: Send + 'static>(tx: &Tx<T>, value: T) -> bool {
        if let Some(places) = &tx.1 {
            places.wait();
        }
        tx.0.send(value).is_ok()
    }
    fn recv<T: Send + 'static>(rx: &Rx<T>) -> Option<T> {
        rx.taken(rx.0.recv().ok())
    }
    fn try_recv<T: Send + 'static>(rx: &Rx<T>) -> Option<T> {
        rx.taken(rx.0.try_recv().ok())
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

impl<const BOUNDED: bool> Shared for May<BOUNDED> {
    fn share<T: Send + 'static>(rx: &Rx<T>) -> Rx<T> {
        Rx(rx.0.clone(), rx.1.clone())
    }
}

const UNBOUNDED: &str = "the channel is unbounded";
const SEMAPHORE: &str = "a semaphore stands before the channel, which has no bound";
/// `mprotect` of a guard fails with ENOMEM (`vm.max_map_count`) above some 32,000 stacks.
const MANY: usize = 30_000;
const FEWER: &str = "30,000 at most: above 32,000 may runs out of mappings";

#[rustfmt::skip] // a table
const ENTRIES: &[Entry] = &[
    entry("pingpong", pingpong::<Plain>).variant("mpmc").note(UNBOUNDED),
    entry("pingpong", selects::pingpong_spsc).variant("spsc").note(UNBOUNDED),
    entry("spsc", spsc::<Plain>).variant("mpmc").note(UNBOUNDED),
    entry("spsc", spsc::<Bounded>).variant("sem+mpmc").note(SEMAPHORE),
    entry("mpmc", mpmc::<Plain>).variant("mpmc").note(UNBOUNDED),
    entry("mpmc", mpmc::<Bounded>).variant("sem+mpmc").note(SEMAPHORE),
    entry("mpmc0", mpmc0::<Bounded>).variant("sem(1)+mpmc").note(SEMAPHORE),
    entry("select2", |run| run.timed(selects::two)).variant("select!").divide(20)
        .note("a coroutine for each arm of each choice; the channels are unbounded; fewer operations"),
    entry("select2", |run| run.timed(selects::queue::<2>)).variant("cqueue")
        .note("arms receive before they are chosen, unlike a select; the channels are unbounded"),
    entry("select8", |run| run.timed(selects::queue::<8>)).variant("cqueue")
        .note("arms receive before they are chosen, unlike a select; the channels are unbounded"),
    absent("select2b", "its channels have no bounds: select2 is the same"),
    absent("select8b", "its channels have no bounds: select8 is the same"),
    entry("try_recv", try_recv::<Plain>),
    absent("select_default", "its select has no default"),
    entry("spawn_join", spawn_join::<Plain>),
    entry("spawn_burst", spawn_burst::<Plain>).smaller(MANY).note(FEWER),
    entry("yield1", yield1::<Plain>),
    entry("yield1000", yield1000::<Plain>),
    entry("mutex", mutex::<Plain>),
    entry("mutex8", mutex8::<Plain>),
    absent("skynet", "it runs out of mappings, and does not come to an end"),
    entry("sieve", sieve::<Bounded>).variant("sem(1)+mpmc").note(SEMAPHORE),
    entry("timers", timers::<Plain>).smaller(MANY).note(FEWER),
    entry("parked100k", parked::<Plain>).smaller(MANY).note(FEWER),
    absent("parked1m", "above some 32,000 it runs out of mappings"),
    entry("pipeline_a", pipeline_a::<Bounded>).variant("sem(1)+mpmc").note(SEMAPHORE),
    entry("pipeline_b", pipeline_b::<Plain>),
    absent("pipeline_c", "its pairs hand over to each other for ever, and the pipeline beside them never comes to an end"),
    entry("pipeline_d", pipeline_d::<Plain>).note(UNBOUNDED),
    entry("scaling_spawn", scaling_spawn::<Plain>).cap(MANY).note(FEWER),
    entry("scaling_pingpong", scaling_pingpong::<Plain>).cap(MANY).note(FEWER),
    entry("scaling_timers", scaling_timers::<Plain>).cap(MANY).note(FEWER),
    absent("scaling_select", "it has no select over a set known at run time"),
];

fn main() {
    race::main(ENTRIES, |run: Run, body| {
        may::config().set_workers(run.workers);
        go!(move || body(run))
            .join()
            .expect("the work does not panic");
    });
}

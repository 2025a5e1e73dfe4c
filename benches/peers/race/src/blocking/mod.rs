//! The workloads for rivals whose calls block: Waterway, may, and channels on threads. Each says how it spells things
//! (`Rival`); the work is written once. What only some have (select) stands with them.

mod channels;
mod crowds;
mod pipelines;
mod scaling;
mod sleepers;
mod spawning;

use std::time::Duration;

pub use channels::{
    mpmc, mpmc0, mutex, mutex_of, mutex8, mutex8_of, pingpong, sieve, spsc, try_recv,
};
pub use crowds::{parked, skynet};
pub use pipelines::{pipeline_a, pipeline_b, pipeline_c, pipeline_d};
pub use scaling::{scaling_pingpong, scaling_spawn, scaling_timers};
pub use sleepers::timers;
pub use spawning::{spawn_burst, spawn_join, yield1, yield1000};

/// How a rival spells goroutines, channels and the rest.
pub trait Rival: 'static {
    /// The last one dropped closes the channel.
    type Tx<T: Send + 'static>: Clone + Send + 'static;
    type Rx<T: Send + 'static>: Send + 'static;
    type Group: Clone + Send + 'static;
    type Counter: Send + Sync + 'static;

    fn go(work: impl FnOnce() + Send + 'static);
    fn yield_now();
    fn sleep(time: Duration);

    /// A channel of that capacity, 0 being unbuffered, or the nearest that the rival has.
    fn chan<T: Send + 'static>(cap: usize) -> (Self::Tx<T>, Self::Rx<T>);
    /// False: the receivers are gone.
    fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) -> bool;
    /// `None`: closed and empty.
    fn recv<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<T>;
    fn try_recv<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<T>;

    /// A wait group that so many are to leave.
    fn group(members: usize) -> Self::Group;
    fn done(group: Self::Group);
    fn wait(group: Self::Group);

    /// A number behind a lock.
    fn counter() -> Self::Counter;
    fn increment(counter: &Self::Counter);
}

/// A rival whose receivers can be shared.
pub trait Shared: Rival {
    fn share<T: Send + 'static>(rx: &Self::Rx<T>) -> Self::Rx<T>;
}

/// Starts `members` goroutines, each given its number, and waits until all are through.
fn all<R: Rival>(members: usize, work: impl Fn(usize) + Clone + Send + 'static) {
    let group = R::group(members);
    for i in 0..members {
        let (group, work) = (group.clone(), work.clone());
        R::go(move || {
            work(i);
            R::done(group);
        });
    }
    R::wait(group);
}

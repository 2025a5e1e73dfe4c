//! Goroutines, as the user sees them.

mod block_on;
mod blocking;
mod builder;
mod current;
mod entry;
mod join;
mod local;
mod packet;
mod scope;
#[cfg(feature = "tracing")]
mod told;

pub use block_on::block_on;
pub use blocking::blocking;
pub use builder::{Builder, go, go_local};
pub use current::{Current, current, num_goroutines};
pub(crate) use current::{Dedicated, dedicated, own_group};
pub use entry::{run_main, run_test};
pub use join::{JoinHandle, LocalJoinHandle};
pub use local::{AccessError, LocalKey};
pub use scope::{Scope, ScopedJoinHandle, scope};

/// Lets other goroutines of this worker run first; on a plain thread, other threads.
///
/// # Blocking
///
/// Gives way, but never waits for anything.
///
/// ```
/// let handle = waterway::go(|| waterway::yield_now());
/// handle.join().unwrap();
/// ```
///
/// Go: `runtime.Gosched`.
pub fn yield_now() {
    crate::rt::checkpoint::yield_now();
}

/// How many threads run goroutines at once, beside those that one goroutine holds for long: as many as
/// [`Config::max_procs`](crate::Config::max_procs) and [`Config::workers`](crate::Config::workers) both allow, and so no more than
/// cores, unless both say so. Starts the runtime.
///
/// ```
/// use waterway::Config;
/// Config::new().max_procs(256).install().unwrap();
/// let cores = std::thread::available_parallelism().unwrap().get();
/// assert!(waterway::max_procs() <= cores, "as many as start, whatever is allowed");
/// ```
///
/// Go: `runtime.GOMAXPROCS(0)`.
#[track_caller]
pub fn max_procs() -> usize {
    crate::rt::sched::runtime().config.crew()
}

//! The runtime: what runs goroutines. Knows nothing of channels, locks or sockets.

mod afar;
pub(crate) mod arena;
mod bed;
mod behind;
mod bell;
pub(crate) mod blocking;
pub(crate) mod cell;
pub(crate) mod checkpoint;
mod claimed;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod core_box;
pub(crate) mod dedicated;
mod due;
pub(crate) mod edges;
#[cfg(feature = "tracing")]
pub(crate) mod events;
pub(crate) mod facts;
mod follow;
mod foreign;
pub(crate) mod fork;
mod fresh;
mod gather;
pub(crate) mod group;
pub(crate) mod habit;
pub(crate) mod halt;
pub(crate) mod header;
pub(crate) mod held;
pub(crate) mod hold;
pub(crate) mod home_lock;
mod hook;
mod idle;
mod inbox;
mod line;
mod live;
mod load;
pub(crate) mod locals;
mod magazine;
mod membarrier;
pub(crate) mod objects;
mod overflow;
pub(crate) mod own_lock;
pub(crate) mod park;
mod payload;
pub(crate) mod peek;
mod pick;
pub(crate) mod reap;
pub(crate) mod record;
mod refs;
mod row;
mod run_queue;
pub(crate) mod say;
pub(crate) mod sched;
mod seldom;
mod share;
mod spawned;
pub(crate) mod stacks;
mod steal;
mod still;
pub(crate) mod stuck;
pub(crate) mod sysmon;
pub(crate) mod task;
pub(crate) mod thread;
pub(crate) mod ties;
pub(crate) mod timer;
mod tls_check;
mod tokens;
mod turn;
pub(crate) mod uneven;
mod warm;
pub(crate) mod worker;

/// What the runtime tells the layers above it.
pub(crate) struct Hooks {
    /// The runtime starts: called once, on the thread of the first use.
    pub(crate) on_start: fn(&'static sched::Runtime),
    /// Sysmon looks around. Called often, must be quick. Returns after how long it is to be called again though nothing moves.
    pub(crate) on_look: fn(&'static sched::Runtime) -> Option<std::time::Duration>,
    /// Nothing has moved for a while. The flag is kept until something moves again.
    pub(crate) on_quiescent: fn(&'static sched::Runtime, &mut bool) -> sysmon::Verdict,
}

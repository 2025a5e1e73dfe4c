//! What a waterway program is doing, as plain data: goroutines, channels, locks, workers, and what was found wrong.
//!
//! The library fills a [`Snapshot`] (`waterway::watch::snapshot`); tools read it, here or from JSON (feature `serde`). Printed, it
//! reads as a dump does. Nothing here depends on the runtime.
//!
//! Fields may be added: read JSON with that in mind, and make a value from `..Default::default()`.

#![forbid(unsafe_code)]

mod finding;
mod goroutine;
mod object;
mod standstill;
mod text;
mod worker;

pub use finding::{Held, Party, Suspect, SuspectKind, Verdict, VerdictKind};
pub use goroutine::{Arm, Frame, Goroutine, Stack, State, Target, Thread, Wait, Who};
pub use object::{
    Channel, Holder, Lock, LockKind, ObjectId, ObjectKind, Other, Semaphore, Site, WaitGroup,
};
pub use standstill::{Outsider, Source, Standstill};
pub use text::Text;
pub use worker::{Counters, Pool, Worker};

/// A program at a moment, or nearly: nothing is stopped for it. Each entry is true of one moment, all of them of the short time in
/// which they were collected.
///
/// ```
/// let snapshot = waterway_snapshot::Snapshot::default();
/// assert_eq!(snapshot.to_string(), "");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Snapshot {
    /// The process.
    pub process: u32,
    /// When it was taken, in milliseconds since 1970.
    pub unix_ms: u64,
    /// How many threads run goroutines at once.
    pub max_procs: usize,
    /// Every goroutine, by number.
    pub goroutines: Vec<Goroutine>,
    /// Plain threads that wait in the runtime.
    pub threads: Vec<Thread>,
    /// Channels, by number.
    pub channels: Vec<Channel>,
    /// Mutexes and readers-writer locks that were ever waited for, by number.
    pub locks: Vec<Lock>,
    /// Wait groups.
    pub wait_groups: Vec<WaitGroup>,
    /// Semaphores.
    pub semaphores: Vec<Semaphore>,
    /// What else is waited on.
    pub others: Vec<Other>,
    /// Threads that run goroutines.
    pub workers: Vec<Worker>,
    /// Timers that are set.
    pub timers: usize,
    /// Threads for what blocks in the kernel.
    pub blocking: Pool,
    /// Totals since the start.
    pub counters: Counters,
    /// That nobody goes on by himself, if it is so.
    pub standstill: Option<Standstill>,
    /// What is proved to be wrong.
    pub verdicts: Vec<Verdict>,
    /// What looks wrong and is not proved.
    pub suspects: Vec<Suspect>,
}

impl Snapshot {
    /// The goroutine of that number.
    pub fn goroutine(&self, id: u64) -> Option<&Goroutine> {
        // Sorted by whoever made it; what was read from elsewhere may not be.
        match self.goroutines.binary_search_by_key(&id, |g| g.id) {
            Ok(at) => Some(&self.goroutines[at]),
            Err(_) => self.goroutines.iter().find(|g| g.id == id),
        }
    }
}

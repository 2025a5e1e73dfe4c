//! The runtime's own threads, and totals.

/// A thread that runs goroutines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Worker {
    /// Which one.
    pub index: usize,
    /// The kernel's number of its thread; 0 if it has none.
    pub tid: u32,
    /// No thread runs it.
    pub retired: bool,
    /// It takes goroutines of spawn sites that hold workers.
    pub apart: bool,
    /// It is inside of a goroutine.
    pub busy: bool,
    /// The goroutine that it runs, where that can be told.
    pub running: Option<u64>,
    /// For how long one goroutine has held it, in nanoseconds, if that is too long.
    pub held_ns: Option<u64>,
    /// Started goroutines that live on it.
    pub goroutines: usize,
    /// Timers that are set on it.
    pub timers: usize,
}

/// Threads for what blocks in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Pool {
    /// Its threads.
    pub threads: usize,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Counters {
    /// Goroutines that were spawned.
    pub spawned: u64,
    /// Goroutines that have ended.
    pub ended: u64,
}

//! Goroutines and threads, and what they wait for.

use std::borrow::Cow;

use crate::{ObjectId, Site};

/// One goroutine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Goroutine {
    /// Its number, unique in the process.
    pub id: u64,
    /// The name that it was given.
    pub name: Option<String>,
    /// The group that it counts in, a test's: the number of the group's root goroutine.
    pub group: Option<u64>,
    /// What it does.
    pub state: State,
    /// What it waits for, if its state is [`State::Waiting`].
    pub wait: Option<Wait>,
    /// The line that spawned it.
    pub spawned_at: Site,
    /// The goroutine that spawned it; `None` for a plain thread.
    pub spawned_by: Option<u64>,
    /// The worker that it lives on, once it has started.
    pub worker: Option<usize>,
    /// The thread that it has to itself.
    pub own_thread: Option<u32>,
    /// Its stack, where known.
    pub stack: Option<Stack>,
    /// Its frames, innermost first, if they were asked for and could be read.
    pub frames: Vec<Frame>,
}

/// What a goroutine does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum State {
    /// It runs.
    #[default]
    Running,
    /// It is inside of a system call that sleeps, or waits for a lock that is not the runtime's: its worker sleeps with it.
    AsleepInKernel,
    /// It may go on when its turn comes.
    Runnable,
    /// It has not started.
    NotStarted,
    /// It waits in the runtime.
    Waiting,
}

impl State {
    /// The words of a dump.
    pub fn text(self) -> &'static str {
        match self {
            State::Running => "running",
            State::AsleepInKernel => "asleep in the kernel",
            State::Runnable => "runnable",
            State::NotStarted => "runnable, not started",
            State::Waiting => "waiting",
        }
    }
}

/// One blocking call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Wait {
    /// The words of a dump: `chan receive`, `sync.Mutex.Lock`, ...
    pub reason: Cow<'static, str>,
    /// For how long, in nanoseconds.
    pub waited_ns: u64,
    /// The line that blocks.
    pub at: Site,
    /// What it waits for.
    pub on: Target,
    /// The channels of a `select`, the first of them if there are very many.
    pub arms: Vec<Arm>,
    /// So many arms are not among them.
    pub more_arms: usize,
    /// How many permits it wants, of a semaphore or gate; `None` of other waits.
    pub permits: Option<usize>,
    /// It ends by itself at a deadline.
    pub timed: bool,
    /// The end of this context ends the wait, too.
    pub until: Option<ObjectId>,
}

/// One arm of a `select` that waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Arm {
    /// The channel, or the context whose end it waits for.
    pub object: ObjectId,
    /// It sends.
    pub sends: bool,
}

/// What a call waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Target {
    /// Nothing that has a number: time, a job, the arms of a `select`.
    #[default]
    Nothing,
    /// A channel, a lock, ...
    Object(ObjectId),
    /// The end of a goroutine.
    Goroutine(u64),
}

/// The memory of a goroutine's stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stack {
    /// Bytes of address space that the goroutine may use: without the guard below them and what the runtime keeps at the top, so less
    /// than was asked for, which includes these.
    pub size: usize,
    /// Bytes in use where it waits; 0 if unknown.
    pub in_use: usize,
}

/// One frame of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Frame {
    /// Where it goes on, as an address of this process.
    pub address: u64,
    /// The function's name, if known.
    pub function: Option<String>,
    /// The line, if known. Its column is 0 if not.
    pub at: Option<Site>,
}

/// A plain thread that waits in the runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Thread {
    /// The kernel's number.
    pub tid: u32,
    /// True for the thread that the process began with.
    pub main: bool,
    /// It was woken, and has not noticed yet.
    pub woken: bool,
    /// What it waits for.
    pub wait: Wait,
}

/// Somebody who waits or holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Who {
    /// A goroutine, by number.
    Goroutine(u64),
    /// A plain thread, by the kernel's number.
    Thread(u32),
    /// An async task: which one nobody knows.
    Task,
}

impl Who {
    /// The words of a dump of that process.
    pub(crate) fn text(self, process: u32) -> Cow<'static, str> {
        match self {
            Who::Goroutine(id) => format!("goroutine {id}").into(),
            Who::Thread(tid) if tid == process => "the main thread".into(),
            Who::Thread(tid) => format!("thread {tid}").into(),
            Who::Task => "an async task".into(),
        }
    }
}

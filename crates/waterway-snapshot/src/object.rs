//! What is waited on.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

use crate::Who;

/// A line of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Site {
    /// The file, as the compiler was told of it.
    pub file: Cow<'static, str>,
    /// From 1 on.
    pub line: u32,
    /// From 1 on; 0 if unknown.
    pub column: u32,
}

impl From<&'static Location<'static>> for Site {
    fn from(at: &'static Location<'static>) -> Site {
        Site {
            file: Cow::Borrowed(at.file()),
            line: at.line(),
            column: at.column(),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            0 => write!(f, "{}:{}", self.file, self.line),
            column => write!(f, "{}:{}:{column}", self.file, self.line),
        }
    }
}

/// What kind of object it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ObjectKind {
    /// A channel.
    #[default]
    Channel,
    /// A mutex.
    Mutex,
    /// A readers-writer lock.
    RwLock,
    /// A wait group.
    WaitGroup,
    /// A condition variable.
    Condvar,
    /// A call that is made once.
    Once,
    /// A barrier.
    Barrier,
    /// A semaphore.
    Semaphore,
    /// A gate.
    Gate,
    /// A context.
    Context,
}

impl ObjectKind {
    /// The words of a dump.
    pub fn text(self) -> &'static str {
        match self {
            ObjectKind::Channel => "channel",
            ObjectKind::Mutex => "mutex",
            ObjectKind::RwLock => "rw lock",
            ObjectKind::WaitGroup => "wait group",
            ObjectKind::Condvar => "condition variable",
            ObjectKind::Once => "once",
            ObjectKind::Barrier => "barrier",
            ObjectKind::Semaphore => "semaphore",
            ObjectKind::Gate => "gate",
            ObjectKind::Context => "context",
        }
    }
}

/// An object of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ObjectId {
    /// What it is.
    pub kind: ObjectKind,
    /// Its number, unique among objects of the process.
    pub id: u64,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.text(), self.id)
    }
}

/// A channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Channel {
    /// Its number.
    pub id: u64,
    /// The name that it was given.
    pub name: Option<String>,
    /// The line that made it.
    pub made_at: Site,
    /// How many values it holds; `None` if there is no limit.
    pub capacity: Option<usize>,
    /// How many values lie in it; `None` where that could not be told.
    pub len: Option<usize>,
    /// Live ends that send.
    pub senders: usize,
    /// Live ends that receive.
    pub receivers: usize,
    /// Those who wait in a send, or in a `select` that would send.
    pub sending: Vec<Who>,
    /// Those who wait in a receive, as `sending`.
    pub receiving: Vec<Who>,
}

/// Which lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum LockKind {
    /// One holder.
    #[default]
    Mutex,
    /// Many readers or one writer.
    RwLock,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Holder {
    /// Nobody.
    #[default]
    Nobody,
    /// Whoever locked it, and may have passed the guard on since.
    One(Who),
    /// So many readers.
    Readers(usize),
    /// A writer.
    Writer,
}

/// A mutex or readers-writer lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Lock {
    /// Its number.
    pub id: u64,
    /// Which kind.
    pub kind: LockKind,
    /// The line that made it.
    pub made_at: Site,
    /// Who holds it.
    pub holder: Holder,
    /// The line that locked it, where known. Of several readers, the last one's, who may have gone before the others.
    pub locked_at: Option<Site>,
    /// Those who wait for it.
    pub waiters: Vec<Who>,
}

/// A wait group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct WaitGroup {
    /// Its number.
    pub id: u64,
    /// The line that made it.
    pub made_at: Site,
    /// What is under way.
    pub count: u64,
    /// Those who wait for its end.
    pub waiters: Vec<Who>,
}

/// A semaphore, or a gate: the permits of a gate are its places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Semaphore {
    /// Its number.
    pub id: u64,
    /// It is a gate.
    pub gate: bool,
    /// The name that the gate was given.
    pub name: Option<String>,
    /// The line that made it.
    pub made_at: Site,
    /// Permits that nobody holds.
    pub free: usize,
    /// All permits.
    pub total: usize,
    /// Those who wait for permits.
    pub waiters: Vec<Who>,
}

/// Another object: a condition variable, a once, a barrier, a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Other {
    /// What it is.
    pub object: ObjectId,
    /// The line that made it.
    pub made_at: Site,
    /// Those who wait on it.
    pub waiters: Vec<Who>,
}

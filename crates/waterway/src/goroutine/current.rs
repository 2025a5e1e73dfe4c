//! Who runs: a goroutine on a worker, a goroutine on a thread of its own, or a plain thread.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::primitives::Lock;
use crate::rt::cell::Identity;
use crate::rt::group::Group;
use crate::rt::sched::{runtime, started};
use crate::rt::task::Task;
use crate::rt::{thread, worker};

thread_local! {
    static DEDICATED: Cell<Option<&'static Identity>> = const { Cell::new(None) };
}

/// The caller.
pub(super) enum Who<'a> {
    Goroutine(&'a Identity),
    Thread,
}

/// Calls `f` with who calls.
pub(super) fn with<R>(f: impl FnOnce(Who<'_>) -> R) -> R {
    match worker::current()
        .map(|task| task.identity())
        .or_else(|| DEDICATED.get())
    {
        Some(identity) => f(Who::Goroutine(identity)),
        None => f(Who::Thread),
    }
}

/// The calling goroutine's number, and its group, if it has one.
pub(crate) fn own_group() -> Option<(u64, Arc<Group>)> {
    with(|who| match who {
        Who::Goroutine(identity) => Some((identity.id, identity.group.clone()?)),
        Who::Thread => None,
    })
}

/// The calling goroutine has finished: it no longer counts as live.
pub(super) fn count_finish() {
    let worker = worker::this();
    let identity = match worker {
        Some(worker) => worker.current().map(Task::identity),
        None => DEDICATED.get(),
    };
    if let Some(group) = identity.and_then(|identity| identity.group.as_ref()) {
        group.leave();
    }
    match worker {
        Some(worker) => worker.count_finish(),
        None => runtime().count_dedicated(false),
    }
}

/// What is known of a dedicated goroutine.
#[derive(Clone, Debug)]
pub(crate) struct Dedicated {
    pub(crate) tid: u32,
    pub(crate) id: u64,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) parent: u64,
    pub(crate) group: u64,
    pub(crate) site: &'static Location<'static>,
}

static ALL_DEDICATED: Lock<Vec<Dedicated>> = Lock::new(Vec::new());

/// The dedicated goroutines that live now.
pub(crate) fn dedicated() -> Vec<Dedicated> {
    ALL_DEDICATED.lock().clone()
}

/// Runs `f` on the calling thread as the goroutine `identity`.
pub(super) fn as_dedicated(identity: Identity, f: impl FnOnce()) {
    let Identity { id, site, .. } = identity;
    let name = identity.name.clone();
    ALL_DEDICATED.lock().push(Dedicated {
        tid: thread::tid(),
        id,
        name,
        parent: identity.parent,
        group: identity.group_id(),
        site,
    });
    let identity: *mut Identity = Box::into_raw(Box::new(identity));
    // SAFETY: just allocated; the thread-local is emptied before it is freed, and `with` lends it no longer than a call.
    DEDICATED.set(Some(unsafe { &*identity }));
    f();
    DEDICATED.set(None);
    // SAFETY: nobody refers to it any more.
    drop(unsafe { Box::from_raw(identity) });
    ALL_DEDICATED.lock().retain(|d| d.id != id);
}

/// Who runs: the calling goroutine, or the calling thread where that is none. See [`current`].
///
/// ```
/// let who: waterway::Current = waterway::go(waterway::current).join().unwrap();
/// assert!(who.id().is_some() && who.name().is_none());
/// ```
///
/// Go: none; goroutines have no identity there.
#[derive(Clone)]
pub struct Current {
    id: Option<u64>,
    name: Option<Arc<str>>,
    spawned_at: Option<&'static Location<'static>>,
}

/// Who calls. Never blocks.
///
/// Inside of [`blocking`](crate::blocking) that is the thread that may block, not the goroutine that waits for it.
///
/// ```
/// let handle = waterway::Builder::new().name("parser").go(|| waterway::current());
/// let id = handle.id();
/// let parser = handle.join().unwrap();
/// assert_eq!((parser.id(), parser.name()), (Some(id), Some("parser")));
/// assert!(parser.spawned_at().is_some());
/// assert_eq!(waterway::current().id(), None, "a plain thread");
/// ```
///
/// Go: none.
pub fn current() -> Current {
    with(|who| match who {
        Who::Goroutine(identity) => Current {
            id: Some(identity.id),
            name: identity.name.clone(),
            spawned_at: Some(identity.site),
        },
        Who::Thread => Current {
            id: None,
            name: std::thread::current().name().map(Arc::from),
            spawned_at: None,
        },
    })
}

impl Current {
    /// The goroutine's number, unique in the process; `None` for a plain thread.
    ///
    /// ```
    /// assert!(waterway::go(|| waterway::current().id()).join().unwrap().is_some());
    /// ```
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    /// The name that the goroutine was given, or a plain thread's.
    ///
    /// ```
    /// assert_eq!(waterway::go(|| waterway::current().name().map(String::from)).join().unwrap(), None);
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The line that spawned the goroutine; `None` for a plain thread.
    ///
    /// ```
    /// let site = waterway::go(|| waterway::current().spawned_at()).join().unwrap();
    /// assert_eq!(site.unwrap().line(), line!() - 1);
    /// ```
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.spawned_at
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("spawned_at", &self.spawned_at.map(|site| site.to_string()))
            .finish()
    }
}

/// How many goroutines live: spawned and not finished, the caller included if it is one. Plain threads (`main`, unless
/// it carries `#[waterway::main]`) do not count. In a `#[waterway::test]` only the test's own goroutines do.
///
/// ```
/// let (tx, rx) = waterway::chan::<()>(0);
/// let before = waterway::num_goroutines();
/// let handle = waterway::go(move || rx.recv());
/// assert_eq!(waterway::num_goroutines(), before + 1);
/// drop(tx);
/// handle.join().unwrap().unwrap_err();
/// ```
///
/// Go: `runtime.NumGoroutine`.
pub fn num_goroutines() -> usize {
    let of_group = with(|who| match who {
        Who::Goroutine(Identity {
            group: Some(group), ..
        }) => Some(group.live()),
        _ => None,
    });
    of_group
        .or_else(|| started().map(|rt| rt.num_goroutines()))
        .unwrap_or(0)
}

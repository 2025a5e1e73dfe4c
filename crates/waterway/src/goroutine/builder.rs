//! Starting goroutines: `go`, `go_local`, and the builder behind them.

use std::cell::OnceCell;
use std::panic::Location;
use std::sync::Arc;

use super::current::{self, Who};
use super::join::{JoinHandle, LocalJoinHandle};
use super::local;
use super::packet::{self, After, Detached, Handle};
use crate::rt::cell::{Identity, Unstarted};
use crate::rt::dedicated::Seat;
use crate::rt::group::Group;
use crate::rt::habit::{self, Habit};
use crate::rt::locals::Locals;
use crate::rt::sched::{CROWD, Place, runtime};
use crate::rt::ties::Ties;
use crate::rt::{fork, worker};

/// Starts a goroutine.
///
/// It runs on one of the runtime's workers, in parallel with its spawner, and never changes thread once it has started.
/// Nobody waits for it unless the handle is joined; when `main` returns, the process ends and every goroutine with it.
/// A panic ends the goroutine and is given by [`JoinHandle::join`].
///
/// # Blocking
///
/// Never.
///
/// # Panics
///
/// In a child of `fork`, and if the runtime cannot start its threads.
///
/// ```
/// let (tx, rx) = waterway::chan(0);
/// waterway::go(move || tx.send("hello").unwrap());
/// assert_eq!(rx.recv(), Ok("hello"));
/// ```
///
/// Go: `go f()`.
#[track_caller]
pub fn go<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().go(f)
}

/// Starts a goroutine that stays on the worker of its spawner, so that it may hold what is not [`Send`].
///
/// # Blocking
///
/// Never.
///
/// # Panics
///
/// If the caller is not a goroutine on a worker: a plain thread and a dedicated goroutine run no others. In a child of
/// `fork`.
///
/// ```
/// use std::rc::Rc;
/// waterway::go(|| {
///     let shared = Rc::new(7);
///     let also = shared.clone();
///     let sum = waterway::go_local(move || *also + 1).join().unwrap();
///     assert_eq!(sum + *shared, 15);
/// }).join().unwrap();
/// ```
///
/// Go: none; goroutines of Go change threads.
#[track_caller]
pub fn go_local<F, T>(f: F) -> LocalJoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    fork::check();
    let Some(worker) = worker::this().filter(|_| worker::current().is_some()) else {
        panic!(
            "go_local must be called from a goroutine that lives on a worker: a plain thread or a dedicated goroutine runs \
             no others (start one with go first, or make main one: #[waterway::main])"
        );
    };
    let identity = Builder::new().identity(Location::caller(), local::inherited());
    #[cfg(feature = "tracing")]
    let parent = identity.parent;
    // SAFETY: all 'static; pinned, so the goroutine runs on this thread, which the handle does not leave either.
    let (cell, handle) = unsafe { packet::make(identity, 0, true, f, Detached) };
    #[cfg(feature = "tracing")]
    super::told::spawned(handle.who(), parent);
    cell.set_worker(worker.index);
    runtime().spawn_pinned(worker, cell);
    LocalJoinHandle::new(handle)
}

/// A goroutine with a name, a stack of its own size, a thread of its own, or a chosen place.
///
/// ```
/// let handle = waterway::Builder::new().name("parser").stack_size(1 << 20).go(|| 1 + 1);
/// assert_eq!(handle.join().unwrap(), 2);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder starts nothing before `go`"]
pub struct Builder {
    name: Option<Arc<str>>,
    group: Option<Arc<Group>>,
    main: bool,
    stack_size: usize,
    dedicated: bool,
    heirless: bool,
    place: Place,
}

impl Builder {
    /// A goroutine as [`go`] starts it.
    ///
    /// ```
    /// let handle = waterway::Builder::new().go(|| 1);
    /// assert_eq!(handle.join().unwrap(), 1);
    /// ```
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Gives the goroutine a name, for reports.
    ///
    /// ```
    /// let handle = waterway::Builder::new().name("parser").go(|| waterway::current());
    /// assert_eq!(handle.join().unwrap().name(), Some("parser"));
    /// ```
    pub fn name(mut self, name: impl AsRef<str>) -> Builder {
        self.name = Some(Arc::from(name.as_ref()));
        self
    }

    /// Bytes of address space for the stack, its guard of 64 KiB included; rounded up to pages. Memory is used page by
    /// page.
    ///
    /// ```
    /// let handle = waterway::Builder::new().stack_size(1 << 20).go(|| [0u8; 256 << 10].len());
    /// assert_eq!(handle.join().unwrap(), 256 << 10);
    /// ```
    ///
    /// # Panics
    ///
    /// Outside of 128 KiB to 1 GiB.
    #[track_caller]
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        assert!(
            (128 << 10..=1 << 30).contains(&bytes),
            "a stack of {bytes} bytes: it must be from 131072 (128 KiB) to 1073741824 (1 GiB)"
        );
        self.stack_size = bytes.next_multiple_of(4096);
        self
    }

    /// Gives the goroutine a thread of its own: it may compute or sleep in the kernel for as long as it likes, and nobody
    /// waits behind it.
    ///
    /// ```
    /// let handle = waterway::Builder::new().dedicated().go(|| (1..1000u64).sum::<u64>());
    /// assert_eq!(handle.join().unwrap(), 499500);
    /// ```
    ///
    /// Go: `runtime.LockOSThread`, from the start.
    pub fn dedicated(mut self) -> Builder {
        self.dedicated = true;
        self
    }

    /// Starts the goroutine on the worker of another, as those that hand over to each other should.
    ///
    /// ```
    /// let (tx, rx) = waterway::chan(0);
    /// let sends = waterway::go(move || tx.send(1).unwrap());
    /// let receives = waterway::Builder::new().near(&sends).go(move || rx.recv());
    /// assert_eq!(receives.join().unwrap(), Ok(1));
    /// ```
    pub fn near<T>(mut self, other: &JoinHandle<T>) -> Builder {
        // Where the other one goes may not be settled.
        if let Some(worker) = worker::this() {
            worker.part_line(runtime());
        }
        self.place = Place::Near(other.worker());
        self
    }

    /// Starts the goroutine on another worker than the last one, as those that compute should.
    ///
    /// ```
    /// let parts: Vec<_> = (0..4).map(|n| waterway::Builder::new().spread().go(move || n * n)).collect();
    /// assert_eq!(parts.into_iter().map(|part| part.join().unwrap()).sum::<i32>(), 14);
    /// ```
    pub fn spread(mut self) -> Builder {
        self.place = Place::Spread;
        self
    }

    /// The goroutine runs the program's `main`, or a test.
    pub(super) fn main(mut self) -> Builder {
        self.main = true;
        self
    }

    pub(super) fn group(mut self, group: Arc<Group>) -> Builder {
        self.group = Some(group);
        self
    }

    /// Starts the goroutine, see [`go`].
    ///
    /// ```
    /// let handle = waterway::Builder::new().name("adder").go(|| 1 + 1);
    /// assert_eq!(handle.join().unwrap(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`go`]; and with [`dedicated`](Self::dedicated), if no thread can be started.
    ///
    /// Go: `go f()`.
    #[track_caller]
    pub fn go<F, T>(self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.go_at(Location::caller(), f)
    }

    #[track_caller]
    fn go_at<F, T>(self, site: &'static Location<'static>, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: all Send and 'static.
        JoinHandle::new(unsafe { self.start(site, f, Detached) })
    }

    /// Starts `f` for the line at `site`, where somebody asked for it to be called later. It inherits no values: the caller is
    /// whoever came by, perhaps a scheduler, and copying runs code of the user's.
    pub(crate) fn go_later(site: &'static Location<'static>, f: impl FnOnce() + Send + 'static) {
        let builder = Builder {
            heirless: true,
            ..Builder::new()
        };
        drop(builder.go_at(site, f));
    }

    /// # Safety
    ///
    /// As [`packet::make`], with everything `Send`.
    #[track_caller]
    pub(super) unsafe fn start<F, T, A>(
        self,
        site: &'static Location<'static>,
        f: F,
        after: A,
    ) -> Handle<T>
    where
        F: FnOnce() -> T,
        A: After,
    {
        fork::check();
        // What can fail comes first: nothing is left then, as `f` and `after` are dropped.
        let rt = runtime();
        let inherited = match self.heirless {
            true => None,
            false => local::inherited(),
        };
        let stack_size = self.stack_size;
        let (place, ties) = place(self.place, site, &f);
        let seat = self
            .dedicated
            .then(|| Seat::start(stack_size, run_dedicated));
        let identity = self.identity(site, inherited);
        #[cfg(feature = "tracing")]
        let parent = identity.parent;
        // SAFETY: by the caller.
        let (cell, handle) = unsafe { packet::make(identity, stack_size, false, f, after) };
        #[cfg(feature = "tracing")]
        super::told::spawned(handle.who(), parent);
        match seat {
            Some(seat) => {
                rt.count_dedicated(true);
                seat.take(cell);
            }
            None => match ties {
                None => rt.spawn(cell, place),
                Some(ties) => rt.spawn_tied(cell, place, &ties),
            },
        }
        handle
    }

    /// The identity of a goroutine that the caller spawns now.
    fn identity(
        self,
        site: &'static Location<'static>,
        inherited: Option<Box<Locals>>,
    ) -> Identity {
        let (parent, group) = current::with(|who| match who {
            Who::Goroutine(parent) => (parent.id, parent.group.clone()),
            Who::Thread => (0, None),
        });
        let mut identity = Identity::new(site, parent);
        identity.name = self.name;
        identity.main = self.main;
        if let Some(inherited) = inherited {
            identity.locals = OnceCell::from(inherited);
        }
        identity.group = self.group.or(group);
        if let Some(group) = &identity.group {
            group.enter();
        }
        identity
    }
}

/// Runs a dedicated goroutine, on its thread.
fn run_dedicated(cell: Unstarted) {
    let (identity, cell) = cell.start();
    current::as_dedicated(identity, || {
        // SAFETY: the whole thread is the goroutine's.
        unsafe { cell.run() };
    });
}

/// Where a goroutine of this site goes, and what ties it to others if that matters.
fn place<F>(asked: Place, site: &'static Location<'static>, f: &F) -> (Place, Option<Ties>) {
    let habit = habit::of(site);
    match (asked, habit) {
        (Place::Auto, Habit::Brief) => return (Place::Here, None),
        (Place::Auto, Habit::Chatty | Habit::Flock) => {}
        // Of a crowd, nobody is looked at.
        (Place::Auto, Habit::Unknown) if worker::this().is_none_or(|w| w.burst() < CROWD) => {}
        _ => return (asked, None),
    }
    let mut ties = Ties::of(f);
    ties.are_short = habit != Habit::Unknown;
    let worker = ties.hub().or_else(|| match habit {
        Habit::Unknown => None,
        _ => ties.worker(|worker| runtime().relief(worker)),
    });
    let alone = match habit {
        Habit::Flock => Place::Here,
        _ => asked,
    };
    (worker.map_or(alone, Place::Near), Some(ties))
}

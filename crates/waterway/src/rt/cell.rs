//! Cells: where a goroutine waits until it starts. It has no stack yet; its closure lies in a block of a private arena.
//! The same block takes the result later, for `join`.
//!
//! # Invariants
//!
//! - I1: blocks of the arena follow each other without gaps and begin with a `CellHeader` whose `block` is never
//!   changed (arena I3), so the arena can be walked at any time.
//! - I2: `own` is there while `state` is `WAITING`; the worker that starts the goroutine takes it.
//! - I3: who walks reads nothing but `block`, `state`, `id`, `parent`, `group` and `site`, by pointers to these fields. They are only ever
//!   written as atomics, `state` last, so that a cell is seen when it is whole. A block that was never used is zero:
//!   `FREE`.
//! - I4: an [`Unstarted`] that is queued, or held by who took it out of a queue, is the one right to start its
//!   goroutine. Until that right is used, by `run`, the cell is alive.

use std::cell::{Cell, OnceCell, UnsafeCell};
use std::fmt;
use std::mem::{MaybeUninit, replace};
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;

use super::arena::{CELLS, LINE, fetch_to_write};
use super::group::Group;
use super::locals::Locals;
use crate::primitives::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

/// Who a goroutine is.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) id: u64,
    /// The goroutine that spawned it; 0 for a plain thread.
    pub(crate) parent: u64,
    /// The user's line that spawned it.
    pub(crate) site: &'static Location<'static>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) group: Option<Arc<Group>>,
    /// It runs the program's `main`, or a test.
    pub(crate) main: bool,
    /// The goroutine's own values, used by it alone. In a box, for few have any.
    pub(crate) locals: OnceCell<Box<Locals>>,
}

/// `goroutine 3 "name"`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "goroutine {}", self.id)?;
        self.name.iter().try_for_each(|name| write!(f, " {name:?}"))
    }
}

impl Identity {
    /// A new goroutine's identity, with a number of its own.
    pub(crate) fn new(site: &'static Location<'static>, parent: u64) -> Identity {
        Identity {
            id: next_id(),
            parent,
            site,
            name: None,
            group: None,
            main: false,
            locals: OnceCell::new(),
        }
    }

    /// Another one takes its place: gives what this one had.
    #[inline]
    pub(super) fn replace(&mut self, other: Identity) -> Owned {
        self.id = other.id;
        self.parent = other.parent;
        self.site = other.site;
        self.main = other.main;
        Owned {
            name: replace(&mut self.name, other.name),
            group: replace(&mut self.group, other.group),
            locals: replace(&mut self.locals, other.locals),
        }
    }

    /// The number of the group that it counts in; 0 if there is none.
    pub(crate) fn group_id(&self) -> u64 {
        self.group.as_ref().map_or(0, |group| group.id())
    }
}

/// Numbers are handed to threads in batches of this many (as Go's are), so that spawners do not meet at one counter.
const ID_BATCH: u64 = 16;

/// A number that no other goroutine has, never 0.
fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static LAST: Cell<u64> = const { Cell::new(0) });
    let last = LAST.get();
    let id = match last.is_multiple_of(ID_BATCH) {
        // The thread has none left, or never had any.
        true => NEXT.fetch_add(ID_BATCH, Ordering::Relaxed),
        false => last + 1,
    };
    LAST.set(id);
    id
}

const FREE: u8 = 0;
const WAITING: u8 = 1;
const STARTED: u8 = 2;

/// The head of every cell. What follows it (closure, result) is known to `run` alone.
#[repr(C)]
pub(crate) struct CellHeader {
    block: AtomicUsize,
    state: AtomicU8,
    /// The goroutine must start on the worker that it is queued on.
    pub(crate) pinned: bool,
    main: bool,
    /// Of the identity, what dumps may look at at any time.
    id: AtomicU64,
    parent: AtomicU64,
    group: AtomicU64,
    site: AtomicUsize,
    own: UnsafeCell<MaybeUninit<Owned>>,
    /// Size of the stack; 0 is the default.
    pub(crate) stack_size: usize,
    /// Index of the worker that the goroutine was last given to.
    pub(crate) worker: AtomicUsize,
    /// Runs the goroutine, on its own stack. The cell may be gone when it returns.
    run: Run,
}

/// Of an [`Identity`], what has an owner.
pub(crate) struct Owned {
    name: Option<Arc<str>>,
    group: Option<Arc<Group>>,
    locals: OnceCell<Box<Locals>>,
}

/// Most cells, of closures that hold a few words, are no larger.
const FETCHED: usize = 3 * LINE;

/// See [`CellHeader::run`].
type Run = unsafe fn(NonNull<CellHeader>);

/// A goroutine that has not started: what workers steal from each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unstarted(NonNull<CellHeader>);

// SAFETY: I4: whoever it goes to is the only one to use it. What lies in a cell that is not pinned is Send (`go` asks
// for it); those that are pinned stand in a queue that only their worker reaches (`worker` I1).
unsafe impl Send for Unstarted {}

impl CellHeader {
    /// Makes a block of `block` bytes a cell.
    ///
    /// # Safety
    ///
    /// `this` is a block of the cell arena, of that size, and the caller's alone but for those who walk the arena.
    pub(crate) unsafe fn write(
        this: NonNull<CellHeader>,
        identity: Identity,
        block: usize,
        stack_size: usize,
        pinned: bool,
        run: Run,
    ) {
        let at = this.as_ptr();
        // SAFETY: by the caller; the atomics hold zeroes or what an older cell left, and others may read them now (I3).
        unsafe {
            (*at).block.store(block, Ordering::Relaxed);
            (*at).id.store(identity.id, Ordering::Relaxed);
            (*at).parent.store(identity.parent, Ordering::Relaxed);
            (*at).group.store(identity.group_id(), Ordering::Relaxed);
            let site = std::ptr::from_ref(identity.site) as usize;
            (*at).site.store(site, Ordering::Relaxed);
            (*at).worker.store(0, Ordering::Relaxed);
            let own = Owned {
                name: identity.name,
                group: identity.group,
                locals: identity.locals,
            };
            (&raw mut (*at).own).write(UnsafeCell::new(MaybeUninit::new(own)));
            (&raw mut (*at).stack_size).write(stack_size);
            (&raw mut (*at).pinned).write(pinned);
            (&raw mut (*at).main).write(identity.main);
            (&raw mut (*at).run).write(run);
            (*at).state.store(WAITING, Ordering::Release);
        }
    }

    /// The goroutine's number.
    pub(crate) fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    /// The user's line that spawned it.
    pub(crate) fn site(&self) -> &'static Location<'static> {
        // SAFETY: always a `&'static` in a cell that is whole (I3).
        unsafe { &*(self.site.load(Ordering::Relaxed) as *const Location<'static>) }
    }

    /// Gives the block of a cell back to the arena.
    ///
    /// # Safety
    ///
    /// The cell came from the arena, its goroutine has been started, and nobody uses it any more.
    #[inline]
    pub(crate) unsafe fn free(this: NonNull<CellHeader>) {
        // SAFETY: by the caller, alive until it is given back below.
        let header = unsafe { this.as_ref() };
        header.state.store(FREE, Ordering::Release);
        // SAFETY: by the caller.
        unsafe { CELLS.free_block(this.cast(), header.block.load(Ordering::Relaxed)) };
    }
}

impl Unstarted {
    /// # Safety
    ///
    /// The header heads a whole cell, whose goroutine has not been started and is handed to nobody else. Unless the
    /// closure is Send, it goes to the calling thread's own worker.
    pub(crate) unsafe fn new(cell: NonNull<CellHeader>) -> Unstarted {
        Unstarted(cell)
    }

    /// True if its cell has this header.
    #[inline]
    pub(crate) fn is(&self, header: *const CellHeader) -> bool {
        self.0.as_ptr().cast_const() == header
    }

    /// Where its cell begins: to be compared.
    pub(super) fn header(&self) -> *const CellHeader {
        self.0.as_ptr()
    }

    pub(crate) fn stack_size(&self) -> usize {
        // SAFETY: I4.
        unsafe { self.0.as_ref() }.stack_size
    }

    pub(crate) fn is_pinned(&self) -> bool {
        // SAFETY: I4.
        unsafe { self.0.as_ref() }.pinned
    }

    /// Notes which worker has the goroutine now.
    pub(crate) fn set_worker(&self, index: usize) {
        // SAFETY: I4.
        unsafe { self.0.as_ref() }
            .worker
            .store(index, Ordering::Relaxed);
    }

    pub(crate) fn site(&self) -> &'static Location<'static> {
        // SAFETY: I4.
        unsafe { self.0.as_ref() }.site()
    }

    /// Has the processor fetch the cell, which is started soon, and writes to all of its lines then.
    #[inline]
    pub(crate) fn fetch(&self) {
        fetch_to_write(self.0.as_ptr() as usize, FETCHED);
    }

    /// The goroutine starts: who it is, and the function that runs it.
    pub(crate) fn start(self) -> (Identity, StartedCell) {
        // SAFETY: I4.
        let header = unsafe { self.0.as_ref() };
        header.state.store(STARTED, Ordering::Relaxed);
        // SAFETY: I2.
        let own = unsafe { (*header.own.get()).assume_init_read() };
        let identity = Identity {
            id: header.id(),
            parent: header.parent.load(Ordering::Relaxed),
            site: header.site(),
            name: own.name,
            group: own.group,
            main: header.main,
            locals: own.locals,
        };
        (identity, StartedCell(self.0))
    }
}

/// Where the cell of a goroutine lies that has started: only to be fetched.
#[derive(Clone, Copy)]
pub(super) struct CellAt(usize);

impl CellAt {
    /// Has the processor fetch the cell.
    #[inline]
    pub(super) fn fetch(self) {
        fetch_to_write(self.0, FETCHED);
    }
}

/// A cell whose goroutine has a stack, and runs next.
pub(crate) struct StartedCell(NonNull<CellHeader>);

impl StartedCell {
    #[inline]
    pub(super) fn at(&self) -> CellAt {
        CellAt(self.0.as_ptr() as usize)
    }

    /// Runs the goroutine on the calling stack.
    ///
    /// # Safety
    ///
    /// The calling stack is the goroutine's own.
    #[inline]
    pub(crate) unsafe fn run(self) {
        // SAFETY: I4: this uses the right to start it.
        unsafe { (self.0.as_ref().run)(self.0) }
    }
}

/// A goroutine that has not started, as dumps see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued {
    pub(crate) id: u64,
    /// As in [`Identity`].
    pub(crate) parent: u64,
    /// The number of its group; 0 if it has none.
    pub(crate) group: u64,
    pub(crate) site: &'static Location<'static>,
}

/// Calls `f` with each goroutine that has not started. What it sees may be past already.
pub(crate) fn for_each_unstarted(mut f: impl FnMut(Queued)) {
    CELLS.for_each_block(|block| {
        let header = block as *const CellHeader;
        // SAFETY: I1, I3: every block begins with a header, of which only these fields are looked at.
        let (state, id, parent, group, site, block) = unsafe {
            (
                &(*header).state,
                &(*header).id,
                &(*header).parent,
                &(*header).group,
                &(*header).site,
                &(*header).block,
            )
        };
        if state.load(Ordering::Acquire) == WAITING {
            let site = site.load(Ordering::Relaxed) as *const Location<'static>;
            f(Queued {
                id: id.load(Ordering::Relaxed),
                parent: parent.load(Ordering::Relaxed),
                group: group.load(Ordering::Relaxed),
                // SAFETY: I3: always a `&'static`, since a cell has been seen here.
                site: unsafe { &*site },
            });
        }
        block.load(Ordering::Relaxed)
    });
}

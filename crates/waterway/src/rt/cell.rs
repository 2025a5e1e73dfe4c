//! Cells: where a goroutine waits until it starts. It has no stack yet; its closure lies in a block of a private arena.
//! The same block takes the result later, for `join`.
//!
//! # Invariants
//!
//! - I1: blocks of the arena follow each other without gaps and begin with a `CellHeader` whose `block` is never changed
//!   after the first use, so the arena can be walked at any time.
//! - I2: `identity` is there while `state` is `WAITING`; the worker that starts the goroutine takes it.

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;

use super::group::Group;
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
}

impl Identity {
    /// A new goroutine's identity, with the next free number.
    pub(crate) fn new(site: &'static Location<'static>, parent: u64) -> Identity {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Identity {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            parent,
            site,
            name: None,
            group: None,
            main: false,
        }
    }
}

const FREE: u8 = 0;
const WAITING: u8 = 1;
const STARTED: u8 = 2;

/// The head of every cell. What follows it (closure, result) is known to `run` alone.
#[repr(C)]
pub(crate) struct CellHeader {
    block: AtomicUsize,
    state: AtomicU8,
    /// Copies for dumps, which may look at any time.
    id: AtomicU64,
    site: AtomicUsize,
    identity: UnsafeCell<MaybeUninit<Identity>>,
    /// Size of the stack; 0 is the default.
    pub(crate) stack_size: usize,
    /// The goroutine must start on the worker that it is queued on.
    pub(crate) pinned: bool,
    /// Index of the worker that the goroutine was last given to.
    pub(crate) worker: AtomicUsize,
    /// Runs the goroutine, on its own stack. The cell may be gone when it returns.
    run: unsafe fn(NonNull<CellHeader>),
}

/// A goroutine that has not started: what workers steal from each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unstarted(NonNull<CellHeader>);

// SAFETY: what lies in a stealable cell is Send (`go` asks for it); others never leave their worker.
unsafe impl Send for Unstarted {}

impl CellHeader {
    pub(crate) fn new(
        identity: Identity,
        block: usize,
        stack_size: usize,
        pinned: bool,
        run: unsafe fn(NonNull<CellHeader>),
    ) -> CellHeader {
        CellHeader {
            block: AtomicUsize::new(block),
            state: AtomicU8::new(WAITING),
            id: AtomicU64::new(identity.id),
            site: AtomicUsize::new(std::ptr::from_ref(identity.site) as usize),
            identity: UnsafeCell::new(MaybeUninit::new(identity)),
            stack_size,
            pinned,
            worker: AtomicUsize::new(0),
            run,
        }
    }

    /// Gives the block of a cell back to the arena.
    ///
    /// # Safety
    ///
    /// The cell came from the arena, its goroutine has been started, and nobody uses it any more.
    pub(crate) unsafe fn free(this: *const CellHeader) {
        // SAFETY: alive until it is given back below.
        let header = unsafe { &*this };
        header.state.store(FREE, Ordering::Release);
        let layout = Layout::from_size_align(header.block.load(Ordering::Relaxed), 1);
        if let (Ok(layout), Some(block)) = (layout, NonNull::new(this as *mut u8)) {
            // SAFETY: by the caller; the block's size gives its class.
            unsafe { super::arena::CELLS.free(block, layout) };
        }
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

    pub(crate) fn stack_size(&self) -> usize {
        // SAFETY: an unstarted cell is alive.
        unsafe { self.0.as_ref() }.stack_size
    }

    pub(crate) fn is_pinned(&self) -> bool {
        // SAFETY: an unstarted cell is alive.
        unsafe { self.0.as_ref() }.pinned
    }

    /// Notes which worker has the goroutine now.
    pub(crate) fn set_worker(&self, index: usize) {
        // SAFETY: an unstarted cell is alive.
        unsafe { self.0.as_ref() }
            .worker
            .store(index, Ordering::Relaxed);
    }

    pub(crate) fn site(&self) -> &'static Location<'static> {
        // SAFETY: an unstarted cell is alive, and its identity there (I2).
        unsafe { (*self.0.as_ref().identity.get()).assume_init_ref().site }
    }

    /// The goroutine starts: who it is, and the function that runs it.
    pub(crate) fn start(self) -> (Identity, StartedCell) {
        // SAFETY: an unstarted cell is alive, and this is its one start: `self` is the only copy in use.
        let header = unsafe { self.0.as_ref() };
        header.state.store(STARTED, Ordering::Relaxed);
        // SAFETY: I2.
        let identity = unsafe { (*header.identity.get()).assume_init_read() };
        (identity, StartedCell(self.0))
    }
}

/// A cell whose goroutine has a stack, and runs next.
pub(crate) struct StartedCell(NonNull<CellHeader>);

impl StartedCell {
    /// Runs the goroutine on the calling stack.
    ///
    /// # Safety
    ///
    /// The calling stack is the goroutine's own.
    #[inline]
    pub(crate) unsafe fn run(self) {
        // SAFETY: alive: `run` is called once, and only that ends it.
        unsafe { (self.0.as_ref().run)(self.0) }
    }
}

/// Calls `f` with number and spawn site of each goroutine that has not started. What it sees may be past already.
pub(crate) fn for_each_unstarted(mut f: impl FnMut(u64, &'static Location<'static>)) {
    super::arena::CELLS.for_each_block(|block| {
        // SAFETY: I1: every block begins with a header, of which only atomics are read.
        let header = unsafe { &*(block as *const CellHeader) };
        if header.state.load(Ordering::Acquire) == WAITING {
            let site = header.site.load(Ordering::Relaxed) as *const Location<'static>;
            // SAFETY: always a `&'static`, since a header was written here.
            f(header.id.load(Ordering::Relaxed), unsafe { &*site });
        }
        header.block.load(Ordering::Relaxed)
    });
}

//! The word of an end: it keeps the core alive, and says which end it is.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::core::Core;

/// How far into its core the word of a sender points.
pub(super) const SENDER: usize = 0;
/// How far into its core the word of a receiver points.
pub(super) const RECEIVER: usize = 64;
/// How far into its core the word of something that is neither end points: it keeps the memory, nothing else.
pub(super) const MEMORY: usize = 32;

/// A counted pointer to a core, `AT` bytes into it.
///
/// # Invariants
///
/// - H1: the word is not null, and its core's memory is counted by it, until it is dropped.
pub(super) struct Handle<T, const AT: usize> {
    word: Cell<*mut u8>,
    marker: PhantomData<Core<T>>,
}

// SAFETY: a core is shared by reference from any thread; values of `T` move between threads, references to them do not.
unsafe impl<T: Send, const AT: usize> Send for Handle<T, AT> {}
// SAFETY: as for Send. The cell is written by `drop` alone.
unsafe impl<T: Send, const AT: usize> Sync for Handle<T, AT> {}

impl<T, const AT: usize> Handle<T, AT> {
    /// The handle that owns the reference a new core comes with.
    pub(super) fn first(core: NonNull<Core<T>>) -> Self {
        const { assert!(AT < size_of::<Core<T>>()) };
        Handle {
            word: Cell::new(core.as_ptr().cast::<u8>().wrapping_add(AT)),
            marker: PhantomData,
        }
    }

    /// One more handle to the core, of this or of another kind.
    pub(super) fn another<const OTHER: usize>(&self) -> Handle<T, OTHER> {
        self.core().retain();
        Handle::first(self.pointer())
    }

    fn pointer(&self) -> NonNull<Core<T>> {
        let core = self.word.get().wrapping_sub(AT).cast();
        // SAFETY: H1.
        unsafe { NonNull::new_unchecked(core) }
    }

    #[inline]
    pub(super) fn core(&self) -> &Core<T> {
        // SAFETY: H1.
        unsafe { self.pointer().as_ref() }
    }
}

impl<T, const AT: usize> Drop for Handle<T, AT> {
    fn drop(&mut self) {
        let core = self.pointer();
        // The word must not look like a handle any more to whoever scans this memory later.
        // SAFETY: our own cell.
        unsafe { self.word.as_ptr().write_volatile(std::ptr::null_mut()) };
        // SAFETY: H1; the word is gone.
        unsafe { Core::release(core) };
    }
}

impl<T, const AT: usize> fmt::Debug for Handle<T, AT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = self.core();
        let mut out = f.debug_struct(match AT {
            RECEIVER => "Receiver",
            SENDER => "Sender",
            _ => "WeakSender",
        });
        out.field("id", &core.header().id());
        if let Some(name) = core.name() {
            out.field("name", &name);
        }
        out.field("len", &core.len());
        out.field("capacity", &core.capacity());
        out.field("closed", &core.is_closed());
        out.finish_non_exhaustive()
    }
}

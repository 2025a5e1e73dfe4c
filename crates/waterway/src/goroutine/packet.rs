//! What a goroutine shares with its handle: one block of the cell arena that holds the closure until it starts, and the
//! result from its end on.
//!
//! # Invariants
//!
//! - I1: `refs` counts the goroutine (until it has published its result) and the handle. Who takes it to 0 owns the
//!   block.
//! - I2: the payload is the closure until the goroutine starts, nothing while it runs, the result once `DONE` is set,
//!   and nothing again once the handle has taken it (`TAKEN`, written by the handle only).
//! - I3: the header stands first, so a pointer to the header is a pointer to the packet. Where the payload lies follows
//!   from that address and from the types (`payload`). Pointers to a packet may be used for all of its block.

use std::alloc::Layout;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::thread::Result;

use crate::primitives::{AtomicU8, Lock, Ordering};
use crate::rt::arena::{Arena, CELLS, LINE};
use crate::rt::cell::{CellHeader, Identity, Unstarted};
use crate::rt::say::say;
use crate::wait::WaitQueue;

mod handle;
pub(super) use handle::Handle;

const DONE: u8 = 1;
const WAITED: u8 = 2;
const TAKEN: u8 = 4;

/// What happens after a goroutine has given up everything of its own.
pub(super) trait After {
    /// Whoever gets this is told of a panic that nobody joined, so it need not be said on standard error.
    const TELLS: bool;
    /// Called last, on the goroutine's stack. `panicked`: it did, and nobody will see its payload.
    fn after(self, panicked: bool);
}

/// Nothing happens.
pub(super) struct Detached;

impl After for Detached {
    const TELLS: bool = false;

    fn after(self, _panicked: bool) {}
}

/// What stands before the payload. It does not depend on the closure.
#[repr(C)]
struct Packet<T> {
    header: CellHeader,
    name: Option<Arc<str>>,
    waiters: Lock<WaitQueue>,
    /// Where the result lies, in bytes from the header.
    result: u32,
    refs: AtomicU8,
    state: AtomicU8,
    /// See [`After::TELLS`].
    told: bool,
    of: PhantomData<T>,
}

/// Where the result lies.
///
/// # Safety
///
/// The packet is alive.
unsafe fn result<T>(packet: NonNull<Packet<T>>) -> *mut Result<T> {
    // SAFETY: by the caller; within the block (I3).
    unsafe { packet.byte_add(packet.as_ref().result as usize) }
        .cast()
        .as_ptr()
}

/// Room for the body, then for the result. Only pointers to it are used.
union Payload<F, T, A> {
    _body: ManuallyDrop<(F, A)>,
    _result: ManuallyDrop<Result<T>>,
}

/// The size of a packet with its payload, which may have to be moved up to where it is aligned.
fn layout<F, T, A>() -> Layout {
    let slack = align_of::<Payload<F, T, A>>().saturating_sub(LINE);
    let (whole, _) = Layout::new::<Packet<T>>()
        .extend(Layout::new::<Payload<F, T, A>>())
        .expect("closure and result fit into the address space");
    Layout::from_size_align(whole.size() + slack, align_of::<Packet<T>>())
        .expect("closure and result fit into the address space")
}

/// Where the payload of a packet lies. Blocks are aligned to lines, so for most types this is a fixed distance.
fn payload<F, T, A>(packet: *mut Packet<T>) -> *mut Payload<F, T, A> {
    let (head, align) = (size_of::<Packet<T>>(), align_of::<Payload<F, T, A>>());
    let at = match align {
        ..=LINE => head.next_multiple_of(align),
        _ => (packet as usize + head).next_multiple_of(align) - packet as usize,
    };
    packet.cast::<u8>().wrapping_add(at).cast()
}

/// Makes the packet of a goroutine: what to queue, and the handle.
///
/// # Safety
///
/// What the closure and `after` borrow outlives the goroutine. Unless they and `T` are `Send`, the goroutine runs on
/// the thread that the handle stays on.
pub(super) unsafe fn make<F, T, A>(
    identity: Identity,
    stack_size: usize,
    pinned: bool,
    body: F,
    after: A,
) -> (Unstarted, Handle<T>)
where
    F: FnOnce() -> T,
    A: After,
{
    let layout = layout::<F, T, A>();
    let packet = CELLS.alloc(layout).cast::<Packet<T>>();
    let at = packet.as_ptr();
    let payload = payload::<F, T, A>(at);
    let mut body = ManuallyDrop::new((body, after));
    // SAFETY: the block is ours (arena I1), and `layout` has room for what is written, where `payload` says. Fields are
    // written one by one, so that the closure is copied once; the original is not dropped.
    unsafe {
        let block = Arena::block_size(layout.size());
        (&raw mut (*at).name).write(identity.name.clone());
        (&raw mut (*at).waiters).write(Lock::new(WaitQueue::new()));
        (&raw mut (*at).result).write(payload.byte_offset_from(at) as u32);
        (&raw mut (*at).refs).write(AtomicU8::new(2));
        (&raw mut (*at).state).write(AtomicU8::new(0));
        (&raw mut (*at).told).write(A::TELLS);
        std::ptr::copy_nonoverlapping(&raw const *body, payload.cast(), 1);
        // No word of a moved closure stays behind on the spawner's stack.
        erase(&raw mut *body);
        let header = packet.cast();
        CellHeader::write(header, identity, block, stack_size, pinned, run::<F, T, A>);
        (Unstarted::new(header), Handle(packet))
    }
}

/// Overwrites what was moved away with zeroes.
///
/// # Safety
///
/// The value at `at` has been moved out, and the memory is the caller's.
unsafe fn erase<V>(at: *mut V) {
    // SAFETY: by the caller.
    unsafe { std::ptr::write_bytes(at.cast::<u8>(), 0, size_of::<V>()) };
    std::hint::black_box(at);
}

/// A panic payload may panic when it is dropped: that ends here too.
pub(super) fn drop_quietly<V>(value: V) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // Its own drop might go on like this for ever.
        std::mem::forget(second);
    }
}

/// By the name of this function std knows where a backtrace stops being of use: below are the runtime's frames.
#[inline(never)]
fn __rust_begin_short_backtrace<F: FnOnce() -> T, T>(body: F) -> T {
    let result = body();
    // No tail call: the frame must be there.
    std::hint::black_box(());
    result
}

/// Runs a goroutine on its own stack, from the closure to the last reference.
///
/// # Safety
///
/// `header` heads a packet of these types that holds the closure; called once.
unsafe fn run<F, T, A>(header: NonNull<CellHeader>)
where
    F: FnOnce() -> T,
    A: After,
{
    let packet = header.cast::<Packet<T>>();
    let payload = payload::<F, T, A>(packet.as_ptr());
    // SAFETY: I2: the payload is the closure, and this is its only reader.
    let (body, after) = unsafe {
        let body = payload.cast::<(F, A)>().read();
        erase(payload);
        body
    };
    let result = catch_unwind(AssertUnwindSafe(|| __rust_begin_short_backtrace(body)));
    crate::rt::fork::check_end();
    // SAFETY: I1: the goroutine's reference keeps the packet.
    let shared = unsafe { packet.as_ref() };
    #[cfg(feature = "tracing")]
    super::told::ended(shared.who(), &result);
    // Before anybody is told of the end.
    super::local::end();
    // Whoever has joined a goroutine does not count it any more. If nobody can join it, what there is to say and to drop comes
    // first: main may end the process when nothing is counted.
    if shared.refs.load(Ordering::Acquire) == 1 {
        // SAFETY: I1: the handle has given up its reference, and new ones come from a handle only: the block is ours.
        let unseen_panic = unsafe { dispose(packet, Some(result)) };
        // The drop of the result may have made values.
        super::local::end();
        super::current::count_finish();
        after.after(unseen_panic);
    } else {
        // SAFETY: as above; I2: the place is empty.
        let unseen_panic = unsafe { publish(packet, result) };
        super::local::end();
        after.after(unseen_panic);
    }
}

/// Gives the result of a goroutine that has finished to its handle, and the goroutine's reference up. True if that dropped a panic, which
/// nobody will see now.
///
/// # Safety
///
/// Called once, by the goroutine, which does not use the packet again.
#[inline(never)]
unsafe fn publish<T>(packet: NonNull<Packet<T>>, value: Result<T>) -> bool {
    // SAFETY: I1: the goroutine's reference keeps the packet; I2: the place is empty.
    let shared = unsafe {
        result(packet).write(value);
        packet.as_ref()
    };
    super::current::count_finish();
    if shared.state.fetch_or(DONE, Ordering::AcqRel) & WAITED != 0 {
        loop {
            let claimed = shared.waiters.lock().pop_claim();
            let Some((_, claimed)) = claimed else { break };
            claimed.wake();
        }
    }
    // SAFETY: I1: the goroutine's own reference, given up here.
    unsafe { release(packet) }
}

/// Gives a reference up. The last one disposes of the packet: true if that dropped a panic, which nobody will see now.
///
/// # Safety
///
/// The caller owns one of the references, and does not use it again.
#[inline(never)]
unsafe fn release<T>(packet: NonNull<Packet<T>>) -> bool {
    // SAFETY: I1: the caller's reference keeps it alive until the count is given up.
    let this = unsafe { packet.as_ref() };
    if this.refs.fetch_sub(1, Ordering::AcqRel) != 1 {
        return false;
    }
    let untaken = this.state.load(Ordering::Relaxed) & (DONE | TAKEN) == DONE;
    // SAFETY: I2: there is a result, and it is ours alone: I1: that was the last reference.
    let value = untaken.then(|| unsafe { result(packet).read() });
    // SAFETY: I1: as just said.
    unsafe { dispose(packet, value) }
}

/// Drops the result, if nobody took it, and frees the block. True if that was a panic.
///
/// # Safety
///
/// The block is the caller's alone (I1), and not used again.
#[inline(always)]
unsafe fn dispose<T>(packet: NonNull<Packet<T>>, result: Option<Result<T>>) -> bool {
    // SAFETY: by the caller; the name is not looked at again.
    let (shared, name) = unsafe { (packet.as_ref(), (&raw const (*packet.as_ptr()).name).read()) };
    let mut unseen_panic = false;
    if let Some(result) = result {
        unseen_panic = result.is_err();
        if unseen_panic && !shared.told {
            say_unseen(&shared.header, name.as_deref());
        }
        drop_quietly(result);
    }
    drop(name);
    // SAFETY: I1: the block is ours; the header's `free` gives it back.
    unsafe { CellHeader::free(packet.cast()) };
    unseen_panic
}

#[cold]
fn say_unseen(header: &CellHeader, name: Option<&str>) {
    let (id, site) = (header.id(), header.site());
    let name = name.map(|name| format!(" {name:?}")).unwrap_or_default();
    say(format_args!(
        "waterway: goroutine {id}{name}, spawned at {site}, panicked, and nobody joined it\n"
    ));
}

#[cfg(feature = "tracing")]
impl<T> Packet<T> {
    fn who(&self) -> super::told::Who<'_> {
        super::told::Who {
            id: self.header.id(),
            name: self.name.as_ref(),
            site: self.header.site(),
        }
    }
}

//! Attacks by a global allocator that uses the runtime.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use waterway::chan::{Sender, unbounded};
use waterway::{go, go_local, yield_now};

use super::child::run;

/// The system's allocator, but for who has it do something more.
struct Telling;

thread_local! {
    /// What this thread's next allocation does first.
    static DOES: Cell<Option<fn()>> = const { Cell::new(None) };
}

#[global_allocator]
static ALLOCATOR: Telling = Telling;

// SAFETY: as the system's; the rest does not unwind.
unsafe impl GlobalAlloc for Telling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Ok(Some(first)) = DOES.try_with(Cell::take) {
            first();
        }
        // SAFETY: by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: by the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The allocator sends into the channel that allocates, whose one user is a worker, at these sends.
pub fn sends(when: Range<u64>) {
    static TX: OnceLock<Sender<u64>> = OnceLock::new();
    let (tx, rx) = unbounded();
    TX.get_or_init(|| tx.clone());
    go(move || {
        for i in 0..1_000 {
            DOES.set((when.contains(&i)).then_some(|| TX.get().unwrap().send(0).unwrap()));
            tx.send(i).unwrap();
        }
        DOES.set(None);
        rx
    })
    .join()
    .unwrap();
}

/// The allocator starts a goroutine that stays on its worker while room is made for one.
pub fn spawns() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    fn count() {
        drop(go_local(|| RAN.fetch_add(1, Ordering::Relaxed)));
    }
    go(|| {
        for _ in 0..1_000 {
            DOES.set(Some(count));
            count();
        }
        DOES.set(None);
    })
    .join()
    .unwrap();
    while RAN.load(Ordering::Relaxed) < 1_000 {
        yield_now();
    }
}

/// Attack: the global allocator sends into the unbounded channel that allocates: one that is a worker's own, and one that becomes so
/// by the very send that allocates (the 257th: then there is no room for another value, too).
/// Outcome: told, SIGABRT.
pub fn an_allocator_that_uses_what_allocates_is_told() {
    for program in ["allocator_sends", "allocator_sends_as_it_becomes_own"] {
        let outcome = run(program, &[]);
        outcome.says("by the global allocator");
        assert_eq!(outcome.status.signal(), Some(libc::SIGABRT));
    }
}

pub fn an_allocator_may_start_goroutines() {
    run("allocator_spawns", &[]).code(0);
}

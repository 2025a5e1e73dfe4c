//! The panic hook: nothing switches inside it.
//!
//! std keeps "this thread is inside the panic hook" in a thread-local, so a sibling goroutine that panicked meanwhile
//! would abort the process. The hook that is installed when the runtime starts is therefore wrapped: a blocking call in
//! it blocks the thread. A hook that a program sets later replaces the wrapper, see SOUNDNESS.md.

use std::cell::Cell;

thread_local! {
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// True on a thread that is inside the panic hook.
#[inline]
pub(super) fn running() -> bool {
    IN_HOOK.get()
}

pub(super) fn install() {
    if std::thread::panicking() {
        // The hook cannot be changed by a thread that panics; calls from it still work.
        return;
    }
    let inner = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        IN_HOOK.set(true);
        inner(info);
        IN_HOOK.set(false);
    }));
}

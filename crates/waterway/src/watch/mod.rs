//! What the runtime says about itself: every goroutine, and the verdict when all are asleep.

mod deadlock;
mod dump;
mod sigquit;

use crate::rt::Hooks;

/// How the runtime reaches this layer.
pub(crate) const HOOKS: Hooks = Hooks {
    on_start: sigquit::install,
    on_look: sigquit::look,
    on_quiescent: deadlock::judge,
};

pub use dump::dump;

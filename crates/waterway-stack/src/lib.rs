//! Stacks and context switch under the waterway runtime. Internal: use the crate `waterway`.
//!
//! ```text
//!            a slot of a slab (256 KiB by default)
//!   high  ┌──────────────────────────────────────────┐ ─┐
//!         │ colour: (slot % 16) cache lines, unused  │  │ all of a parked
//!         │ the runtime's descriptor of the goroutine│  │ goroutine, if it is
//!   top ▸ ├──────────────────────────────────────────┤  │ small: one page
//!         │ frames, growing down                     │  │
//!         │   ⋮                                      │ ─┘
//!         │ never touched: address space only        │
//! bottom▸ ├──────────────────────────────────────────┤
//!         │ guard, 64 KiB: any touch is a fault      │
//!   low   └──────────────────────────────────────────┘
//! ```

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
compile_error!(
    "waterway runs on Linux, on x86_64 and aarch64. Other systems are not supported yet."
);

mod advise;
#[cfg(waterway_asan)]
mod asan;
mod fiber;
mod frames;
mod guard;
mod overflow;
mod pool;
mod switch;
mod trim;
mod unwind;
#[cfg(waterway_valgrind)]
mod valgrind;

pub use fiber::Fiber;
pub use frames::{BadFrame, FrameKind, check_frames, load_names};
pub use guard::{GUARD_SIZE, GuardMode};
pub use overflow::{ensure_altstack, install_overflow_handler};
pub use pool::{COLOURS, PoolConfig, Stack, StackError, StackPool};
pub use unwind::{CodeLine, Unwinder, lines_at};

//! Go's tests that need no process of their own, in one program: that is linked once. Apart are those that count goroutines or
//! memory, end a process, or take long.

#![forbid(unsafe_code)]

mod go_after_func;
mod go_chan;
mod go_cond;
mod go_context_cause;
mod go_defer;
mod go_errgroup;
mod go_once;
mod go_perm;
mod go_select3;
mod go_select5;
mod go_semaphore;
mod go_sieve;
mod go_singleflight;
mod go_sync;
mod go_tick;

//! What `#[waterway::main]` and `#[waterway::test]` expand to.

use std::panic::resume_unwind;
use std::process::{ExitCode, Termination};
use std::sync::Arc;

use super::builder::Builder;
use crate::rt::group::Group;
use crate::rt::reap;

/// Runs `f` as the main goroutine, on a stack as large as the main thread's may be.
#[track_caller]
pub fn run_main<R: Termination + 'static>(f: fn() -> R) -> ExitCode {
    run(Builder::new().name("main").stack_size(main_stack_size()), f)
}

/// Runs `f` as the root goroutine of a group of its own.
#[track_caller]
pub fn run_test<R: Termination + 'static>(f: fn() -> R) -> ExitCode {
    let name = std::thread::current().name().map(String::from);
    let builder = Builder::new()
        .group(Arc::new(Group::new()))
        .stack_size(main_stack_size());
    run(
        if let Some(name) = name {
            builder.name(name)
        } else {
            builder
        },
        f,
    )
}

#[track_caller]
fn run<R: Termination + 'static>(builder: Builder, f: fn() -> R) -> ExitCode {
    reap::main_is_a_goroutine();
    // The report is made where the value is: it may not be Send.
    match builder.main().go(move || f().report()).join() {
        Ok(code) => code,
        // The hook has printed it; the process, or the test, fails as any that panics.
        Err(panic) => resume_unwind(panic),
    }
}

/// `RLIMIT_STACK`, within what a goroutine's stack may be; 8 MiB where it is unlimited.
fn main_stack_size() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    (limit.unwrap_or(8 << 20) as usize).clamp(256 << 10, 1 << 30)
}

//! What `#[waterway::main]` and `#[waterway::test]` expand to.

use std::any::Any;
use std::panic::resume_unwind;
use std::process::{ExitCode, Termination};
use std::sync::Arc;

use super::builder::Builder;
use crate::rt::group::Group;
use crate::rt::reap;

/// Runs `f` as the main goroutine, on a stack as large as the main thread's may be.
#[track_caller]
pub fn run_main<R: Termination + 'static>(f: fn() -> R) -> ExitCode {
    run(
        Builder::new().name("main").stack_size(main_stack_size()),
        f,
        |_| {},
    )
}

/// Runs `f` as the root goroutine of a group of its own.
#[track_caller]
pub fn run_test<R: Termination + 'static>(f: fn() -> R) -> ExitCode {
    let name = std::thread::current().name().map(String::from);
    let group = Arc::new(Group::new());
    let builder = Builder::new()
        .group(group.clone())
        .stack_size(main_stack_size());
    run(
        if let Some(name) = name {
            builder.name(name)
        } else {
            builder
        },
        f,
        |panic| say_again(&group, panic),
    )
}

#[track_caller]
fn run<R: Termination + 'static>(
    builder: Builder,
    f: fn() -> R,
    failed: impl FnOnce(&(dyn Any + Send)),
) -> ExitCode {
    reap::main_is_a_goroutine();
    // The report is made where the value is: it may not be Send.
    let ended = builder.main().go(move || f().report()).join();
    #[cfg(feature = "tracing")]
    crate::rt::events::flush(crate::rt::events::LAST_WORDS);
    match ended {
        Ok(code) => code,
        // The hook has printed it; the process, or the test, fails as any that panics.
        Err(panic) => {
            failed(&*panic);
            resume_unwind(panic)
        }
    }
}

/// Says in the output of the test why it failed. The hook spoke on threads of the runtime, and a thread's output goes to the test that
/// was there when it was started: often another one, which has passed.
fn say_again(group: &Group, panic: &(dyn Any + Send)) {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let panics = group.take_panics();
    for text in &panics {
        eprintln!("{text}");
    }
    // The program may have set a hook of its own.
    let message = message.unwrap_or_default();
    if !panics.iter().any(|text| text.ends_with(message)) {
        eprintln!("the test's goroutine panicked: {message}");
    }
}

/// `RLIMIT_STACK`, within what a goroutine's stack may be; 8 MiB where it is unlimited.
fn main_stack_size() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    (limit.unwrap_or(8 << 20) as usize).clamp(256 << 10, 1 << 30)
}

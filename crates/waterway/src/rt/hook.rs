//! The panic hook: nothing switches inside it.
//!
//! std keeps "this thread is inside the panic hook" in a thread-local, so a sibling goroutine that panicked meanwhile
//! would abort the process. The hook that is installed when the runtime starts is therefore wrapped: a blocking call in
//! it blocks the thread. A hook that a program sets later replaces the wrapper, see SOUNDNESS.md.
//!
//! std's own hook knows threads only. A line before its own says which goroutine panics. And it would name a line of the runtime where
//! main is unwound out of a wait that nothing will end (`reap`): the same is said with the line that waits. Hooks of programs are
//! left to say what they like.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Display;
use std::panic::{PanicHookInfo, set_hook, take_hook};

use super::say::say;
use super::thread::tid;
use super::{foreign, reap, worker};

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

pub(super) fn install() {
    if std::thread::panicking() {
        // The hook cannot be changed by a thread that panics; calls from it still work.
        return;
    }
    let inner = take_hook();
    // What is there when none is set.
    let usual = is_same(&inner, &take_hook());
    set_hook(Box::new(move |info| {
        foreign::set_in_hook(true);
        if usual {
            say_who();
        }
        let text = info.payload_as_str().unwrap_or_default();
        let told = reap::ended_at(info).map(|at| format!("panicked at {at}:\n{text}"));
        note(told.as_ref().map_or(info, |told| told));
        match told {
            Some(told) if usual => say_as_usual(&told),
            _ => inner(info),
        }
        foreign::set_in_hook(false);
    }));
}

/// The same function without state. Functions with state never are, and where it can not be told they may seem not to be.
fn is_same(one: &Hook, other: &Hook) -> bool {
    std::ptr::eq(&**one, &**other)
}

/// For the test that the goroutine belongs to.
fn note(info: &dyn Display) {
    if let Some(task) = worker::current()
        && let Some(group) = &task.identity().group
    {
        group.note_panic(format!("{} {info}", task.identity()));
    }
}

/// What std's hook would say.
fn say_as_usual(told: &str) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    say(format_args!("\nthread '{name}' ({}) {told}\n", tid()));
    let frames = Backtrace::capture();
    if frames.status() == BacktraceStatus::Captured {
        say(format_args!("stack backtrace:\n{frames}"));
    }
}

fn say_who() {
    if let Some(task) = worker::current() {
        let (who, site) = (task.identity(), task.identity().site);
        say(format_args!("\n{who}, spawned at {site}, panics:"));
    }
}

//! Every goroutine, in words.

use std::fmt::Write as _;
use std::io;
use std::panic::Location;
use std::time::Duration;

use crate::goroutine::dedicated;
use crate::rt::arena::HANDLES;
use crate::rt::cell::for_each_unstarted;
use crate::rt::clock::clock;
use crate::rt::header::{CoreHeader, CoreKind, Seen};
use crate::rt::record::{Record, WaitReason, Waiting};
use crate::rt::sched::Runtime;
use crate::rt::thread;

/// A goroutine or thread, as a dump shows it.
pub(super) struct Line {
    /// Sorts the dump: threads first, then goroutines by number.
    order: (u8, u64),
    text: String,
}

/// Writes every goroutine, and every plain thread that waits, to `out`: number, name, state and wait reason, for how
/// long, where it blocks, what it waits on, and where it was spawned. Runs on without stopping anyone, so goroutines that
/// run are shown as of a moment.
///
/// # Errors
///
/// As `out` gives them.
///
/// ```
/// let mut text = Vec::new();
/// waterway::watch::dump(&mut text).unwrap();
/// ```
///
/// Go: `pprof.Lookup("goroutine").WriteTo(w, 2)`.
pub fn dump(out: &mut dyn io::Write) -> io::Result<()> {
    match crate::rt::sched::started() {
        Some(rt) => out.write_all(text(rt).as_bytes()),
        None => Ok(()),
    }
}

/// The whole dump.
pub(super) fn text(rt: &Runtime) -> String {
    let mut lines = lines(rt);
    lines.sort_by_key(|line| line.order);
    let mut all = String::new();
    for line in lines {
        all.push('\n');
        all.push_str(&line.text);
    }
    all
}

fn lines(rt: &Runtime) -> Vec<Line> {
    let now = clock();
    let mut lines = Vec::new();
    rt.each_worker(|worker| {
        worker.each_live(|task| {
            let who = &task.identity;
            let woken = task.runnable.load(crate::primitives::Ordering::Relaxed);
            let state = state(&task.record, woken, now);
            let text = goroutine(who.id, who.name.as_deref(), &state, (who.site, who.parent));
            lines.push(Line {
                order: (1, who.id),
                text,
            });
        });
    });
    for_each_unstarted(|id, site| {
        let text = format!("goroutine {id} [runnable, not started]:\n\tspawned at {site}\n");
        lines.push(Line {
            order: (1, id),
            text,
        });
    });
    let dedicated = dedicated();
    thread::for_each(|parker| {
        let state = state(parker.record(), parker.woken(), now);
        if let Some(own) = dedicated.iter().find(|d| d.tid == parker.tid()) {
            let text = goroutine(own.id, own.name.as_deref(), &state, (own.site, 0));
            lines.push(Line {
                order: (1, own.id),
                text: text.replacen('[', "[own thread, ", 1),
            });
        } else if parker.record().read().is_some() {
            let main = parker.tid() == std::process::id();
            let name = if main {
                "main thread".into()
            } else {
                format!("thread {}", parker.tid())
            };
            lines.push(Line {
                order: (0, parker.tid() as u64),
                text: format!("{name} {state}"),
            });
        }
    });
    lines
}

fn goroutine(
    id: u64,
    name: Option<&str>,
    state: &str,
    (site, parent): (&Location<'_>, u64),
) -> String {
    let mut text = format!("goroutine {id} ");
    if let Some(name) = name {
        let _ = write!(text, "{name:?} ");
    }
    text.push_str(state);
    let _ = write!(text, "\tspawned at {site}");
    if parent != 0 {
        let _ = write!(text, " by goroutine {parent}");
    }
    text.push('\n');
    text
}

/// `[chan receive, 1.2 s]:` and where and on what, a line each.
fn state(record: &Record, woken: bool, now: u64) -> String {
    match record.read() {
        Some(waiting) if !woken => {
            let time = Duration::from_nanos(now.saturating_sub(waiting.since));
            let reason = waiting.key.reason.text();
            format!(
                "[{reason}, {:.1} s]:\n\tblocked at {}{}{}\n",
                time.as_secs_f64(),
                waiting.key.site,
                object(&waiting),
                ending(&waiting)
            )
        }
        Some(_) => "[runnable]:\n".into(),
        None if woken => "[runnable]:\n".into(),
        None => "[running]:\n".into(),
    }
}

/// What the waiter waits on.
fn object(waiting: &Waiting) -> String {
    let address = waiting.key.object;
    if waiting.key.reason == WaitReason::Join {
        return format!(", waiting for goroutine {address} to finish");
    }
    let Some(seen) = core_at(address) else {
        return String::new();
    };
    let id = seen.id;
    let what = match seen.kind {
        CoreKind::Chan => {
            let capacity = match seen.capacity {
                usize::MAX => "unbounded".into(),
                n => format!("capacity {n}"),
            };
            let (tx, rx) = (seen.senders, seen.receivers);
            format!("channel {id} ({capacity}, senders alive: {tx}, receivers alive: {rx})")
        }
        CoreKind::Mutex => {
            let who = seen.senders >> 1;
            let holder = match who >> 60 {
                0 if who == 0 => "free".into(),
                0 => format!("held by goroutine {who}{}", taken_at(&seen)),
                1 => format!(
                    "held by thread {}{}",
                    who & (u32::MAX as usize),
                    taken_at(&seen)
                ),
                _ => format!("held by an async task{}", taken_at(&seen)),
            };
            format!("mutex {id} ({holder})")
        }
        CoreKind::WaitGroup => format!("wait group {id}"),
        CoreKind::RwLock => {
            let word = seen.senders;
            let holders = match (word & 2, word >> 2) {
                (0, 0) => "free".into(),
                (0, readers) => format!("readers: {readers}"),
                _ => format!("held by a writer{}", taken_at(&seen)),
            };
            format!("rw lock {id} ({holders})")
        }
        CoreKind::Condvar => format!("condition variable {id}"),
        CoreKind::Once => format!("once {id}"),
        CoreKind::Barrier => format!("barrier {id}"),
        CoreKind::Semaphore => format!("semaphore {id}"),
        CoreKind::Context => format!("context {id}"),
    };
    format!("\n\ton {what}, made at {}", seen.site)
}

fn taken_at(seen: &Seen) -> String {
    let site = seen.held_at();
    site.map_or_else(String::new, |site| format!(", locked at {site}"))
}

/// What else may end the wait.
fn ending(waiting: &Waiting) -> String {
    let context = core_at(waiting.ending);
    context.map_or_else(String::new, |context| {
        let Seen { id, site, .. } = context;
        format!("\n\tor until context {id} ends, made at {site}")
    })
}

/// The core at an address that a record names.
fn core_at(address: usize) -> Option<Seen> {
    HANDLES.offset(address)?;
    // SAFETY: an address that a record names is, or was, that of a core.
    unsafe { CoreHeader::read(address as *const CoreHeader) }
}

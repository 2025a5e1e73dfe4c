//! Who was proved to be stuck. If one of them is woken all the same, the proof was wrong: the process says so and aborts, since nothing
//! that it reports could be believed any more.

use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::sync::Arc;

use super::checkpoint::whoami;
use super::park::Waiter;
use super::say::say;
use crate::primitives::{AtomicBool, Lock, Ordering};

/// Who waits in which epoch.
type Key = (usize, u64);

/// What is known of one wait that will not end.
#[derive(Clone)]
struct Entry {
    /// The report that says so.
    report: Arc<str>,
    /// Who has ended it all the same, and where.
    waker: Option<(usize, Arc<Backtrace>)>,
}

static ANY: AtomicBool = AtomicBool::new(false);
static TABLE: Lock<Option<HashMap<Key, Entry>>> = Lock::new(None);

/// Those who wait in these epochs are stuck, says `report`.
pub(crate) fn note(whos: impl IntoIterator<Item = Key>, report: &str) {
    let report: Arc<str> = report.into();
    let entry = Entry {
        report,
        waker: None,
    };
    let entries = whos.into_iter().map(|who| (who, entry.clone()));
    TABLE.lock().get_or_insert_default().extend(entries);
    ANY.store(true, Ordering::SeqCst);
}

/// Somebody is unwound out of a wait that would not have ended: what he holds is free then, and others may go on.
pub(crate) fn void() {
    ANY.store(false, Ordering::SeqCst);
    let before = TABLE.lock().take();
    drop(before);
}

/// True if anybody was proved to be stuck.
#[inline]
pub(super) fn any() -> bool {
    ANY.load(Ordering::Relaxed)
}

/// The caller is about to end that wait. If it is one that was proved not to end, it is kept who he is, and where: the woken one is
/// to tell. Under no lock.
#[cold]
pub(super) fn note_waker(key: Key) {
    let known = |table: &HashMap<Key, Entry>| table.contains_key(&key);
    if !TABLE.lock().as_ref().is_some_and(known) {
        return;
    }
    let waker = (whoami(), Arc::new(Backtrace::force_capture()));
    let mut table = TABLE.lock();
    if let Some(entry) = table.as_mut().and_then(|table| table.get_mut(&key)) {
        entry.waker = Some(waker);
    }
}

/// A wait has ended, and somebody ended it.
#[inline]
pub(crate) fn check(waiter: &Waiter) {
    if any() {
        check_slow(waiter);
    }
}

#[cold]
fn check_slow(waiter: &Waiter) {
    let key = (waiter.who(), waiter.own_epoch() - 1);
    let entry = TABLE
        .lock()
        .as_ref()
        .and_then(|table| table.get(&key).cloned());
    let Some(Entry { report, waker }) = entry else {
        return;
    };
    let own = Backtrace::force_capture();
    say(format_args!(
        "waterway: a verdict was wrong. This was proved to be stuck:\n{report}\nand {} was woken. It goes on here:\n{own}\n",
        called(key.0)
    ));
    match waker {
        Some((who, place)) => say(format_args!(
            "{} has woken it, here:\n{place}\n",
            called(who)
        )),
        None => say(format_args!("Who has woken it is not known.\n")),
    }
    say(format_args!(
        "Please report it. The process aborts, for nothing that is told about it can be relied on.\n"
    ));
    std::process::abort();
}

/// In words, as reports have it.
fn called(who: usize) -> String {
    use super::checkpoint::THREAD;
    match who & THREAD {
        0 => format!("goroutine {who}"),
        _ => format!("thread {}", who & !THREAD),
    }
}

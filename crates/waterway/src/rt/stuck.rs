//! Who was proved to be stuck. If one of them is woken all the same, the proof was wrong: the process says so and aborts, since nothing
//! that it reports could be believed any more.

use std::collections::HashMap;
use std::sync::Arc;

use super::park::Waiter;
use super::say::say;
use crate::primitives::{AtomicBool, Lock, Ordering};

/// Who waits in which epoch, and the report that says that this wait will not end.
type Table = HashMap<(usize, u64), Arc<str>>;

static ANY: AtomicBool = AtomicBool::new(false);
static TABLE: Lock<Option<Table>> = Lock::new(None);

/// Those who wait in these epochs are stuck, says `report`.
pub(crate) fn note(whos: impl IntoIterator<Item = (usize, u64)>, report: &str) {
    let report: Arc<str> = report.into();
    let entries = whos.into_iter().map(|who| (who, report.clone()));
    TABLE.lock().get_or_insert_default().extend(entries);
    ANY.store(true, Ordering::SeqCst);
}

/// Somebody is unwound out of a wait that would not have ended: what he holds is free then, and others may go on.
pub(crate) fn void() {
    ANY.store(false, Ordering::SeqCst);
    let before = TABLE.lock().take();
    drop(before);
}

/// A wait has ended, and somebody ended it.
#[inline]
pub(crate) fn check(waiter: &Waiter) {
    if ANY.load(Ordering::Relaxed) {
        check_slow(waiter);
    }
}

#[cold]
fn check_slow(waiter: &Waiter) {
    let key = (waiter.who(), waiter.own_epoch() - 1);
    let report = TABLE
        .lock()
        .as_ref()
        .and_then(|table| table.get(&key).cloned());
    if let Some(report) = report {
        say(format_args!(
            "waterway: a verdict was wrong. This was proved to be stuck:\n{report}\nand was woken. It goes on here:\n{}\nPlease \
             report it. The process aborts, for nothing that is told about it can be relied on.\n",
            std::backtrace::Backtrace::force_capture()
        ));
        std::process::abort();
    }
}

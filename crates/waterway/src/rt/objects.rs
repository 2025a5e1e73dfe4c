//! What is waited on, as dumps see it: every object whose core stands in the handle arena, found by a walk through its blocks. Nobody
//! is stopped for it, and no lock is held meanwhile: headers are readable at any time (`header`).
//!
//! # Invariants
//!
//! - O1: every block of the handle arena begins with a header, whole or empty, from before a walk can come to it (arena I3, header
//!   I1).

use std::collections::HashMap;
use std::sync::Arc;

use super::arena::{HANDLES, LINE};
use super::header::{CoreHeader, Seen, ring_counts, ring_len};
use super::peek::Peek;
use crate::primitives::Lock;

/// Names that objects were given, by number: few have any.
static NAMES: Lock<Vec<(usize, Arc<str>)>> = Lock::new(Vec::new());

/// The object of that number has a name, for as long as it lives.
#[cold]
pub(crate) fn name(id: usize, name: &str) {
    let name = Arc::from(name);
    NAMES.lock().push((id, name));
}

/// The object of that number, which has a name, goes.
#[cold]
pub(crate) fn forget_name(id: usize) {
    let mut names = NAMES.lock();
    let place = names.iter().rposition(|(named, _)| *named == id);
    let gone = place.map(|place| names.swap_remove(place));
    drop(names);
    drop(gone);
}

/// The name of the object of that number, if it lives and has one.
#[cfg(feature = "tracing")]
pub(crate) fn name_of(id: usize) -> Option<Arc<str>> {
    let names = NAMES.lock();
    let named = names.iter().find(|(named, _)| *named == id);
    named.map(|(_, name)| name.clone())
}

/// The names of objects that have one.
pub(crate) fn names() -> HashMap<usize, Arc<str>> {
    NAMES.lock().iter().cloned().collect()
}

/// The object whose core stands at an address, if one does.
pub(crate) fn at(address: usize) -> Option<Seen> {
    HANDLES.offset(address)?;
    // SAFETY: an address that a record names is, or was, that of a core.
    unsafe { CoreHeader::read(address as *const CoreHeader) }
}

/// Calls `f` with the address and header of each object that is there.
pub(crate) fn for_each(mut f: impl FnMut(usize, Seen)) {
    HANDLES.for_each_block(|block| {
        let header = block as *const CoreHeader;
        // SAFETY: O1.
        let (seen, size) = unsafe { (CoreHeader::read(header), (*header).block()) };
        if let Some(seen) = seen {
            f(block, seen);
        }
        size
    });
}

/// How many values lie in the channel at `address`, whose header was seen there; `None` where that cannot be told. What follows a
/// header is not atomic, so it is read as a debugger would, and believed only if the channel is still there then.
pub(crate) fn channel_len(peek: &Peek, address: usize, seen: &Seen) -> Option<usize> {
    let Some(gauge) = seen.gauge() else {
        return Some(0);
    };
    let len = match seen.channel_capacity() {
        None => peek.word(address + gauge)?,
        Some(capacity) => {
            let mut lines = [0; LINE + size_of::<usize>()];
            peek.read(address + gauge, &mut lines).then_some(())?;
            let word = |at: usize| Some(usize::from_ne_bytes(*lines[at..].first_chunk()?));
            ring_len(capacity, word(0)?, word(LINE)?)
        }
    };
    (at(address)?.id == seen.id).then_some(len)
}

/// How many values were ever taken out of the buffer of the channel at `address`, and put into it; of one without a limit only how many
/// are there now, as put. As [`channel_len`].
pub(crate) fn channel_counts(peek: &Peek, address: usize, seen: &Seen) -> Option<(usize, usize)> {
    let Some(gauge) = seen.gauge() else {
        return Some((0, 0));
    };
    let counts = match seen.channel_capacity() {
        None => (0, peek.word(address + gauge)?),
        Some(capacity) => {
            let word = |at: usize| peek.word(address + gauge + at);
            ring_counts(capacity, word(0)?, word(LINE)?)
        }
    };
    (at(address)?.id == seen.id).then_some(counts)
}

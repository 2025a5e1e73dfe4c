//! What is waited on.

use std::fmt::{self, Formatter};

use super::Text;
use crate::{Channel, Holder, Lock, ObjectId, ObjectKind, Semaphore, Site, Snapshot, Who};

/// Who waits, if it is one, and how many permits are wanted of a semaphore.
#[derive(Clone, Copy, Default)]
pub(super) struct Asks {
    pub(super) who: Option<Who>,
    pub(super) permits: Option<usize>,
}

impl Text<'_> {
    /// Where an object was made, at the end of a line.
    pub(super) fn made(&self, f: &mut Formatter<'_>, object: ObjectId) -> fmt::Result {
        match self.snapshot.made_at(object) {
            Some(site) => writeln!(f, ", made at {site}"),
            None => writeln!(f),
        }
    }

    /// A line on what is waited for, in which way, and by whom.
    pub(super) fn object(
        &self,
        f: &mut Formatter<'_>,
        way: &str,
        asks: Asks,
        object: ObjectId,
    ) -> fmt::Result {
        let snapshot = self.snapshot;
        match object.kind {
            ObjectKind::Context => write!(f, "\tuntil {object} ends")?,
            _ => write!(f, "\t{way} {object}")?,
        }
        match object.kind {
            ObjectKind::Channel => {
                if let Some(channel) = find(&snapshot.channels, object.id, |c| c.id) {
                    ends(f, channel)?;
                }
            }
            ObjectKind::Mutex | ObjectKind::RwLock => {
                if let Some(lock) = find(&snapshot.locks, object.id, |l| l.id) {
                    self.holder(f, asks.who, lock)?;
                }
            }
            ObjectKind::WaitGroup => {
                if let Some(group) = find(&snapshot.wait_groups, object.id, |g| g.id) {
                    write!(f, " (count {})", group.count)?;
                }
            }
            ObjectKind::Semaphore | ObjectKind::Gate => {
                if let Some(semaphore) = find(&snapshot.semaphores, object.id, |s| s.id) {
                    permits(f, asks.permits, semaphore)?;
                }
            }
            _ => {}
        }
        self.made(f, object)
    }

    fn holder(&self, f: &mut Formatter<'_>, asks: Option<Who>, lock: &Lock) -> fmt::Result {
        match lock.holder {
            Holder::Nobody => return f.write_str(", free"),
            Holder::Readers(1) => f.write_str(", held by a reader")?,
            Holder::Readers(n) => write!(f, ", held by {n} readers")?,
            Holder::Writer => f.write_str(", held by a writer")?,
            Holder::One(who) if asks == Some(who) => f.write_str(", held by itself")?,
            Holder::One(who) => {
                f.write_str(", held by ")?;
                self.who(f, who)?;
            }
        }
        // The last reader may have gone before another.
        let last = match lock.holder {
            Holder::Readers(_) => "last ",
            _ => "",
        };
        match &lock.locked_at {
            Some(site) => write!(f, " ({last}locked at {site})"),
            None => Ok(()),
        }
    }
}

impl Snapshot {
    /// Where an object was made, if it is in the snapshot.
    pub fn made_at(&self, object: ObjectId) -> Option<&Site> {
        let id = object.id;
        match object.kind {
            ObjectKind::Channel => find(&self.channels, id, |c| c.id).map(|c| &c.made_at),
            ObjectKind::Mutex | ObjectKind::RwLock => {
                find(&self.locks, id, |l| l.id).map(|l| &l.made_at)
            }
            ObjectKind::WaitGroup => find(&self.wait_groups, id, |g| g.id).map(|g| &g.made_at),
            ObjectKind::Semaphore | ObjectKind::Gate => {
                find(&self.semaphores, id, |s| s.id).map(|s| &s.made_at)
            }
            _ => find(&self.others, id, |o| o.object.id).map(|o| &o.made_at),
        }
    }
}

/// The one of that number, in a list that is sorted by it.
fn find<T>(all: &[T], id: u64, id_of: impl Fn(&T) -> u64) -> Option<&T> {
    let at = all.binary_search_by_key(&id, id_of).ok()?;
    all.get(at)
}

/// A channel's name, capacity and ends.
fn ends(f: &mut Formatter<'_>, channel: &Channel) -> fmt::Result {
    if let Some(name) = &channel.name {
        write!(f, " {name:?}")?;
    }
    match (channel.len, channel.capacity) {
        (_, Some(0)) => f.write_str(" (capacity 0")?,
        (Some(len), Some(capacity)) => write!(f, " (capacity {capacity}, {len} in it")?,
        (None, Some(capacity)) => write!(f, " (capacity {capacity}")?,
        (Some(len), None) => write!(f, " (unbounded, {len} in it")?,
        (None, None) => f.write_str(" (unbounded")?,
    }
    let (senders, receivers) = (channel.senders, channel.receivers);
    write!(
        f,
        ", senders alive: {senders}, receivers alive: {receivers})"
    )
}

/// How many permits are wanted, and how many are free.
fn permits(f: &mut Formatter<'_>, wanted: Option<usize>, of: &Semaphore) -> fmt::Result {
    if let Some(name) = &of.name {
        write!(f, " {name:?}")?;
    }
    f.write_str(" (")?;
    if let Some(wanted) = wanted.filter(|_| !of.gate) {
        write!(f, "wants {wanted}; ")?;
    }
    let what = if of.gate { "places" } else { "permits" };
    write!(f, "{} of {} {what} free)", of.free, of.total)
}

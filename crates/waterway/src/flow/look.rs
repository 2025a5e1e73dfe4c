//! One look at every channel: what anybody can read of it, without its lock and without its help.
//!
//! Positions of rings and counts of what went from hand to hand are read as dumps read lengths (`rt::objects`); who waits is read from
//! the records of waits, and from the arms of a select, of which the first few are told.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;

use crate::chan::{ByCause, HANDED_AT, tallies};
use crate::primitives::Ordering;
use crate::rt::clock::clock;
use crate::rt::facts::arms;
use crate::rt::header::CoreKind;
use crate::rt::objects;
use crate::rt::peek::Peek;
use crate::rt::record::{Record, WaitReason};
use crate::rt::sched::started;
use crate::rt::thread;

/// A channel, as of a moment.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) id: usize,
    pub(super) name: Option<Arc<str>>,
    pub(super) made_at: &'static Location<'static>,
    pub(super) capacity: Option<usize>,
    /// Values that came in, and that went out, evicted ones included.
    pub(super) put: u64,
    pub(super) taken: u64,
    pub(super) counts: ByCause,
    pub(super) waits: Waits,
}

/// Who waits at a channel.
#[derive(Clone, Copy, Default)]
pub(super) struct Waits {
    pub(super) senders: usize,
    pub(super) receivers: usize,
    /// Where one of the senders waits, and where it was spawned.
    pub(super) sends_at: Option<&'static Location<'static>>,
    pub(super) spawned_at: Option<&'static Location<'static>>,
}

/// Every channel at which something has happened, and the time.
pub(super) fn look() -> (u64, Vec<Seen>) {
    let peek = Peek::new();
    let waits = waits(&peek);
    let (names, tallies) = (objects::names(), tallies());
    let tallies: HashMap<usize, ByCause> = tallies
        .into_iter()
        .map(|(id, by)| (id, ByCause::of(&by)))
        .collect();
    let mut all = Vec::new();
    objects::for_each(|address, seen| {
        if seen.kind != CoreKind::Chan {
            return;
        }
        let counts = objects::channel_counts(&peek, address, &seen);
        let handed = peek.word(address + HANDED_AT);
        let (Some((taken, put)), Some(handed)) = (counts, handed) else {
            return;
        };
        let waits = waits.get(&address).copied().unwrap_or_default();
        let counts = tallies.get(&seen.id).copied().unwrap_or_default();
        // What went out was read first. There cannot be more in it than it holds, so some of that has gone out since.
        let taken = match seen.channel_capacity() {
            Some(capacity) => taken.max(put.saturating_sub(capacity)),
            None => taken,
        };
        let (put, taken) = ((put + handed) as u64, (taken + handed) as u64);
        if put == 0 && waits.senders == 0 && counts == ByCause::default() {
            return;
        }
        // The count was read after the other one, and is of this channel only if it is still there.
        if objects::at(address).is_none_or(|now| now.id != seen.id) {
            return;
        }
        all.push(Seen {
            id: seen.id,
            name: names.get(&seen.id).cloned(),
            made_at: seen.site,
            capacity: seen.channel_capacity(),
            put: put.max(taken),
            taken,
            counts,
            waits,
        });
    });
    (clock(), all)
}

/// Who waits, by the address of the channel.
fn waits(peek: &Peek) -> HashMap<usize, Waits> {
    let mut all: HashMap<usize, Waits> = HashMap::new();
    let mut note = |record: &Record, spawned_at| {
        let Some(waiting) = record.read() else { return };
        let key = &waiting.key;
        let mut arms = match key.reason {
            WaitReason::ChanSend => vec![(key.object, true)],
            WaitReason::ChanRecv => vec![(key.object, false)],
            WaitReason::Select => arms(peek, record).unwrap_or_default().1,
            _ => return,
        };
        // Who waits twice at one end is one.
        arms.sort_unstable();
        arms.dedup();
        for (channel, sends) in arms {
            let at = all.entry(channel).or_default();
            if sends {
                at.senders += 1;
                at.sends_at = Some(key.site);
                at.spawned_at = spawned_at;
            } else {
                at.receivers += 1;
            }
        }
    };
    if let Some(rt) = started() {
        rt.each_worker(|worker| {
            worker.walk_live(|task| {
                if !task.runnable.load(Ordering::Relaxed) {
                    note(&task.record, Some(task.identity.site));
                }
            });
        });
    }
    thread::for_each(|parker| note(parker.record(), None));
    all
}

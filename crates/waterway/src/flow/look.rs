//! One look at every channel and every goroutine: what anybody can read of them, without their locks and without their help.
//!
//! Positions of rings and counts of what went from hand to hand are read as dumps read lengths (`rt::objects`); who waits is read from
//! the records of waits, and from the arms of a select, of which the first few are told. The same walk counts goroutines by the line that
//! spawned them.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;

use crate::chan::{ByCause, HANDED_AT, tallies};
use crate::primitives::Ordering;
use crate::rt::cell::for_each_unstarted;
use crate::rt::clock::clock;
use crate::rt::facts::arms;
use crate::rt::header::CoreKind;
use crate::rt::objects;
use crate::rt::peek::Peek;
use crate::rt::record::{Record, WaitReason, Waiting};
use crate::rt::sched::started;
use crate::rt::task::Task;
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

/// The goroutines of one spawn site, as of a moment.
#[derive(Default)]
pub(super) struct SeenSite {
    /// Who lives, in order.
    pub(super) ids: Vec<u64>,
    pub(super) blocked: usize,
    /// Where one of them waits.
    pub(super) waits: Option<WaitsAt>,
}

/// A wait: what for, and where.
#[derive(Clone, Copy)]
pub(super) struct WaitsAt {
    pub(super) reason: WaitReason,
    pub(super) at: &'static Location<'static>,
}

/// By spawn site.
pub(super) type Sites = HashMap<&'static Location<'static>, SeenSite>;

/// What there is.
pub(super) struct Look {
    pub(super) at: u64,
    /// Every channel at which something has happened.
    pub(super) channels: Vec<Seen>,
    pub(super) sites: Sites,
}

pub(super) fn look() -> Look {
    let peek = Peek::new();
    let mut tally = Tally::default();
    // In this order: whoever starts meanwhile is met as one or the other, or as both.
    for_each_unstarted(|queued| tally.site(queued.site).ids.push(queued.id));
    tally.walk(&peek);
    let channels = channels(&peek, &tally.waits);
    Look {
        at: clock(),
        channels,
        sites: tally.sites(),
    }
}

fn channels(peek: &Peek, waits: &HashMap<usize, Waits>) -> Vec<Seen> {
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
        let counts = objects::channel_counts(peek, address, &seen);
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
    all
}

/// Who waits, and who lives.
#[derive(Default)]
struct Tally {
    /// By the address of the channel.
    waits: HashMap<usize, Waits>,
    /// By the address of the site, which is quicker to compare: the same line may have several.
    sites: HashMap<usize, (&'static Location<'static>, SeenSite)>,
}

impl Tally {
    fn walk(&mut self, peek: &Peek) {
        if let Some(rt) = started() {
            rt.each_worker(|worker| worker.walk_live(|task| self.goroutine(peek, task)));
        }
        thread::for_each(|parker| {
            if let Some(waiting) = parker.record().read() {
                self.wait(peek, parker.record(), &waiting, None);
            }
        });
    }

    /// One that has started. Under the lock of its worker's list.
    fn goroutine(&mut self, peek: &Peek, task: &Task) {
        let (id, spawned_at) = (task.identity().id, task.identity().site);
        let site = self.site(spawned_at);
        site.ids.push(id);
        if task.runnable.load(Ordering::Relaxed) {
            return;
        }
        let Some(waiting) = task.record.read() else {
            return;
        };
        site.blocked += 1;
        site.waits = Some(WaitsAt {
            reason: waiting.key.reason,
            at: waiting.key.site,
        });
        self.wait(peek, &task.record, &waiting, Some(spawned_at));
    }

    fn site(&mut self, at: &'static Location<'static>) -> &mut SeenSite {
        let entry = self.sites.entry(std::ptr::from_ref(at).addr());
        &mut entry.or_insert_with(|| (at, SeenSite::default())).1
    }

    fn wait(
        &mut self,
        peek: &Peek,
        record: &Record,
        waiting: &Waiting,
        spawned_at: Option<&'static Location<'static>>,
    ) {
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
            let at = self.waits.entry(channel).or_default();
            if sends {
                at.senders += 1;
                at.sends_at = Some(key.site);
                at.spawned_at = spawned_at;
            } else {
                at.receivers += 1;
            }
        }
    }

    fn sites(self) -> Sites {
        let mut sites = Sites::new();
        for (site, seen) in self.sites.into_values() {
            let all = sites.entry(site).or_default();
            all.ids.extend(seen.ids);
            all.blocked += seen.blocked;
            all.waits = seen.waits.or(all.waits);
        }
        for seen in sites.values_mut() {
            seen.ids.sort_unstable();
            // Who was met twice is one.
            seen.ids.dedup();
            seen.blocked = seen.blocked.min(seen.ids.len());
        }
        sites
    }
}

//! What a channel keeps that sheds: the policy, who gets what is shed, and counts. Plain channels have none of it.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::codel::CoDel;
use super::overflow::{Cause, Overflow, Shed};
use super::statistics::{ByCause, BySender};
use crate::primitives::{AtomicU64, AtomicUsize, Lock, OnceLock, Ordering, StaticLock};

pub(super) type OnShed<T> = Arc<dyn Fn(Shed<T>) + Send + Sync>;

type Site = Option<&'static Location<'static>>;

type Tally = Lock<Vec<BySender>>;

/// The counts of every channel that has a policy, by its number.
static TALLIES: StaticLock<Vec<(usize, Arc<Tally>)>> = StaticLock::new(Vec::new());

/// What the channels that have a policy have shed and refused, by their numbers.
pub(crate) fn tallies() -> Vec<(usize, Vec<BySender>)> {
    let all = TALLIES.lock().clone();
    let tally = |(id, tally): &(usize, Arc<Tally>)| (*id, tally.lock().clone());
    all.iter().map(tally).collect()
}

/// Its locks are taken last, also under that of the channel.
pub(super) struct Policy<T> {
    #[cfg(feature = "tracing")]
    channel: usize,
    overflow: Lock<Overflow>,
    on_shed: Option<OnShed<T>>,
    tally: Arc<Tally>,
    /// Under CoDel: what was shed under the channel's lock, and goes to `on_shed` outside of it.
    late: Lock<Vec<Shed<T>>>,
    codel: Lock<Option<CoDel>>,
    /// When the value in each place of the ring came, and from where. Written by who fills the place, before it does so, or moves a value
    /// there (`ring::holes`). 0 where that is not known: of values that were there before.
    stamps: OnceLock<Box<[Stamp]>>,
}

#[derive(Default)]
struct Stamp {
    at: AtomicU64,
    /// One more than the index in `tally`.
    sender: AtomicUsize,
}

impl Stamp {
    fn clear(&self) {
        self.at.store(0, Ordering::Relaxed);
        self.sender.store(0, Ordering::Relaxed);
    }
}

impl<T> Policy<T> {
    /// The policy of the channel with that number.
    pub(super) fn new(channel: usize, on_shed: Option<OnShed<T>>) -> Policy<T> {
        let tally = Arc::new(Tally::new(Vec::new()));
        TALLIES.lock().push((channel, tally.clone()));
        Policy {
            #[cfg(feature = "tracing")]
            channel,
            overflow: Lock::new(Overflow::Block),
            on_shed,
            tally,
            late: Lock::new(Vec::new()),
            codel: Lock::new(None),
            stamps: OnceLock::new(),
        }
    }

    pub(super) fn overflow(&self) -> Overflow {
        *self.overflow.lock()
    }

    /// Under the channel's lock. `places` is the capacity of its ring.
    pub(super) fn set(&self, overflow: Overflow, places: usize, now: u64) {
        let codel = match overflow {
            Overflow::CoDel { target, interval } => {
                let stamps = self
                    .stamps
                    .get_or_init(|| (0..places).map(|_| Stamp::default()).collect());
                Some(match &*self.codel.lock() {
                    Some(before) => before.with(target, interval),
                    None => {
                        // Of values that went without a look at their stamps, since the last time that they had any.
                        stamps.iter().for_each(Stamp::clear);
                        CoDel::new(target, interval, now)
                    }
                })
            }
            _ => None,
        };
        *self.codel.lock() = codel;
        *self.overflow.lock() = overflow;
    }

    /// Counts one of `sender`'s.
    pub(super) fn count(&self, sender: Site, count: impl FnOnce(&mut ByCause)) {
        let mut tally = self.tally.lock();
        let index = index_of(&mut tally, sender);
        count(&mut tally[index].counts);
    }

    pub(super) fn tally(&self) -> Vec<BySender> {
        self.tally.lock().clone()
    }

    /// Gives a value that was counted to whoever wants such. With no lock held: this is the user's code.
    pub(super) fn give(&self, shed: Shed<T>) {
        #[cfg(feature = "tracing")]
        super::told::shed(self.channel, shed.cause, shed.sender);
        match &self.on_shed {
            Some(on_shed) => on_shed(shed),
            None => drop(shed),
        }
    }

    /// Gives what receivers shed under the lock.
    pub(super) fn give_late(&self) {
        let late = std::mem::take(&mut *self.late.lock());
        self.give_all(late);
    }

    /// Gives all, whatever the first ones do: a panic goes on when the others have been given.
    pub(super) fn give_all(&self, all: impl IntoIterator<Item = Shed<T>>) {
        let mut first = None;
        for shed in all {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.give(shed))) {
                match first {
                    None => first = Some(payload),
                    // Its drop might panic in turn.
                    Some(_) => std::mem::forget(payload),
                }
            }
        }
        if let Some(payload) = first {
            resume_unwind(payload);
        }
    }

    /// The value that is about to stand in this place comes now. `alone`: it stands there alone.
    pub(super) fn stamp(&self, place: usize, sender: Site, alone: bool, now: u64) {
        let Some(stamp) = self.stamps.get().map(|stamps| &stamps[place]) else {
            return;
        };
        let index = index_of(&mut self.tally.lock(), sender);
        stamp.sender.store(index + 1, Ordering::Relaxed);
        stamp.at.store(now.max(1), Ordering::Relaxed);
        if alone && let Some(codel) = &mut *self.codel.lock() {
            codel.was_empty(now);
        }
    }

    /// Takes the stamp of a place whose value was taken, before another is put there: since when the value waited, and its sender
    /// as `shed_late` wants it.
    pub(super) fn unstamp(&self, place: usize, now: u64) -> (u64, usize) {
        let Some(stamp) = self.stamps.get().map(|stamps| &stamps[place]) else {
            return (now, 0);
        };
        let sender = stamp.sender.swap(0, Ordering::Relaxed);
        match stamp.at.swap(0, Ordering::Relaxed) {
            0 => (now, sender),
            at => (at, sender),
        }
    }

    /// The value in one place is about to move to another.
    pub(super) fn restamp(&self, from: usize, to: usize) {
        let Some(stamps) = self.stamps.get() else {
            return;
        };
        let (from, to) = (&stamps[from], &stamps[to]);
        let sender = from.sender.swap(0, Ordering::Relaxed);
        to.sender.store(sender, Ordering::Relaxed);
        to.at
            .store(from.at.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Since when the value in that place waits.
    pub(super) fn came(&self, place: usize, now: u64) -> u64 {
        let stamp = self.stamps.get().map(|stamps| &stamps[place].at);
        match stamp.map_or(0, |at| at.load(Ordering::Relaxed)) {
            0 => now,
            at => at,
        }
    }

    /// True if the queue stands.
    pub(super) fn is_overloaded(&self, now: u64) -> bool {
        let codel = self.codel.lock();
        codel.as_ref().is_some_and(|codel| codel.is_overloaded(now))
    }

    /// True if a value that came then is to be shed.
    pub(super) fn is_late(&self, now: u64, came: u64) -> bool {
        let mut codel = self.codel.lock();
        codel
            .as_mut()
            .is_some_and(|codel| codel.is_late(now, now.saturating_sub(came)))
    }

    /// Sheds a value, under the channel's lock.
    pub(super) fn shed_late(&self, value: T, sender: usize) {
        let sender = match sender.checked_sub(1) {
            Some(index) => self.tally.lock()[index].sender,
            None => None,
        };
        self.count(sender, |counts| counts.late += 1);
        self.late.lock().push(Shed {
            value,
            cause: Cause::Late,
            sender,
        });
    }
}

impl<T> Drop for Policy<T> {
    fn drop(&mut self) {
        let mut all = TALLIES.lock();
        let own = all
            .iter()
            .position(|(_, tally)| Arc::ptr_eq(tally, &self.tally));
        let gone = own.map(|index| all.swap_remove(index));
        drop(all);
        drop(gone);
    }
}

fn index_of(tally: &mut Vec<BySender>, sender: Site) -> usize {
    let same = |other: &BySender| match (other.sender, sender) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        (None, None) => true,
        _ => false,
    };
    tally.iter().position(same).unwrap_or_else(|| {
        tally.push(BySender {
            sender,
            counts: ByCause::default(),
        });
        tally.len() - 1
    })
}

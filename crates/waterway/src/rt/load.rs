//! How busy the workers were of late, for those who place new goroutines (`ties`). Sysmon looks at their rests and at the CPU time of
//! their threads, so what runs pays next to nothing for it.

use super::sched::Runtime;
use super::thread::cpu_time;
use super::worker::Worker;
use crate::primitives::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// A worker that rested now and then, and worked for no more of the time than this, in percent, has room.
const ROOM: u64 = 85;
/// Looks that are nearer to each other than this, in nanoseconds, tell too little.
const NEAR: u64 = 2_000_000;

/// What sysmon saw of one worker. It alone writes here.
pub(super) struct Load {
    /// As of the last look: how long it had worked in all, in nanoseconds, how many rests and turns there were.
    worked: AtomicU64,
    rests: AtomicU32,
    turns: AtomicU64,
    /// What it did between the last two looks: one of the below.
    pace: AtomicU8,
}

/// It went from turn to turn without a rest.
const FULL: u8 = 2;
const BUSY: u8 = 1;
const HAS_ROOM: u8 = 0;

impl Load {
    pub(super) const fn new() -> Load {
        Load {
            worked: AtomicU64::new(0),
            rests: AtomicU32::new(0),
            turns: AtomicU64::new(0),
            pace: AtomicU8::new(BUSY),
        }
    }

    fn is(&self, pace: u8) -> bool {
        self.pace.load(Ordering::Relaxed) == pace
    }
}

/// How it goes with a worker that had turns (`moved`), rested, and worked for so many nanoseconds of those that passed.
fn pace(moved: bool, rested: bool, worked: u64, passed: u64) -> u8 {
    match rested {
        true if worked * 100 <= passed * ROOM => HAS_ROOM,
        false if moved => FULL,
        _ => BUSY,
    }
}

impl Worker {
    /// Sysmon's look, so many nanoseconds after the last one.
    fn note_load(&self, passed: u64) {
        let (rests, turns) = (self.lull.rests(), self.turns.load(Ordering::Relaxed));
        let rested = self.load.rests.swap(rests, Ordering::Relaxed) != rests;
        let moved = self.load.turns.swap(turns, Ordering::Relaxed) != turns;
        let worked =
            cpu_time(self.tid.load(Ordering::Relaxed)).saturating_sub(self.lull.lingered());
        let before = self.load.worked.swap(worked, Ordering::Relaxed);
        let worked = worked.saturating_sub(before);
        let pace = pace(moved, rested || self.bed.asleep(), worked, passed);
        self.load.pace.store(pace, Ordering::Relaxed);
    }
}

/// Sysmon looks at the workers at this time; `last` is when it did so before.
pub(super) fn look(rt: &Runtime, last: &mut u64, now: u64) {
    let passed = now.saturating_sub(*last);
    if passed >= NEAR {
        *last = now;
        rt.each_usual(|worker| worker.note_load(passed));
    }
}

impl Runtime {
    /// Where to go instead of to the worker of this index: to one that had room for the last few milliseconds, if that one did not
    /// rest.
    pub(crate) fn relief(&self, index: usize) -> Option<usize> {
        let (mut full, mut other) = (false, None);
        self.each_usual(|worker| {
            full |= worker.index == index && worker.load.is(FULL);
            if other.is_none() && worker.load.is(HAS_ROOM) {
                other = Some(worker.index);
            }
        });
        other.filter(|_| full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_from_turn_to_turn_is_full() {
        assert_eq!(pace(true, false, 100, 100), FULL);
        assert_eq!(pace(true, false, 40, 100), FULL, "others had its CPU");
        assert_eq!(pace(true, true, 100, 100), BUSY);
        assert_eq!(
            pace(false, false, 100, 100),
            BUSY,
            "one turn for all the time"
        );
    }

    #[test]
    fn who_rested_and_worked_little_has_room() {
        assert_eq!(pace(true, true, ROOM, 100), HAS_ROOM);
        assert_eq!(pace(true, true, ROOM + 1, 100), BUSY);
        assert_eq!(pace(false, true, 0, 100), HAS_ROOM);
        assert_eq!(pace(false, false, 0, 100), BUSY, "it has no CPU");
    }
}

//! The started goroutines that live on a worker, for its own thread and for those who look.
//!
//! A goroutine that ends leaves a hole, which the next one takes. (To move another one there would touch that one's descriptor: a miss
//! in every cache for each end, where many are alive.) A list that has become mostly holes is put together anew.
//!
//! # Invariants
//!
//! - I1: what is in the list is alive: it comes in before its first `resume` and leaves after its last. Its `place` is written under
//!   the list's lock, which whoever has this has, and so is who the goroutine is (`task` I5).

use std::ops::Range;
use std::ptr::NonNull;

use super::task::Task;
use super::worker::Worker;
use crate::primitives::Ordering;

/// With fewer places than this, holes do not matter.
const SMALL: usize = 4096;

/// See the module.
#[derive(Default)]
pub(super) struct Live {
    places: Vec<Option<NonNull<Task>>>,
    holes: Vec<u32>,
}

// SAFETY: I1. Other threads read atomics and the identity of a task, which does not change meanwhile, and leave alone what else is in it.
unsafe impl Send for Live {}

impl Live {
    /// Gives how many there are now.
    ///
    /// # Safety
    ///
    /// The task was just made, and `remove` is called before it is gone (I1).
    #[inline]
    pub(super) unsafe fn add(&mut self, task: NonNull<Task>) -> usize {
        let place = match self.holes.pop() {
            Some(hole) => {
                self.places[hole as usize] = Some(task);
                hole as usize
            }
            None => {
                self.places.push(Some(task));
                self.places.len() - 1
            }
        };
        // SAFETY: I1.
        unsafe { task.as_ref() }.place.set(place);
        self.len()
    }

    /// Gives how many are left.
    ///
    /// # Safety
    ///
    /// The task is in the list.
    #[inline]
    pub(super) unsafe fn remove(&mut self, task: NonNull<Task>) -> usize {
        // SAFETY: I1.
        let place = unsafe { task.as_ref() }.place.get();
        self.places[place] = None;
        self.holes.push(place as u32);
        if self.places.len() > SMALL && self.len() < self.places.len() / 8 {
            self.put_together();
        }
        self.len()
    }

    #[cold]
    fn put_together(&mut self) {
        self.places.retain(Option::is_some);
        self.places.shrink_to(self.places.len() * 2);
        for (place, task) in self.iter().enumerate() {
            task.place.set(place);
        }
        self.holes = Vec::new();
    }

    fn len(&self) -> usize {
        self.places.len() - self.holes.len()
    }

    /// How many places there are, holes among them.
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    /// Has the processor fetch the descriptors of those in a range of places: of many that live here each is in no cache.
    pub(super) fn fetch(&self, places: Range<usize>) {
        let tasks = self.places[places].iter().flatten();
        tasks.for_each(|task| Task::fetch_descriptor(*task));
    }

    /// Those in a range of places. Who changes its place, when the list is put together, takes one further in front.
    pub(super) fn among(&self, places: Range<usize>) -> impl Iterator<Item = &Task> {
        let tasks = self.places[places].iter().flatten();
        // SAFETY: I1.
        tasks.map(|t| unsafe { t.as_ref() })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.among(0..self.places())
    }
}

impl Worker {
    /// How many started goroutines live here.
    pub(super) fn lives(&self) -> usize {
        self.lives.load(Ordering::Relaxed)
    }

    /// Calls `f` with each goroutine of this worker that has been woken, or gave way, and waits for its turn, under the list's lock.
    pub(super) fn each_waiting_turn(&self, f: impl FnMut(&Task)) {
        let runnable = |t: &&Task| t.runnable.load(Ordering::Relaxed);
        self.live
            .afar(|live| live.iter().filter(runnable).for_each(f));
    }

    /// True if there is any.
    pub(super) fn waits_turn(&self) -> bool {
        let runnable = |t: &Task| t.runnable.load(Ordering::Relaxed);
        self.live.afar(|live| live.iter().any(runnable))
    }

    /// Calls `f` with the goroutine that the worker is inside now, if it can be told: the one that neither waits nor is
    /// runnable.
    pub(super) fn holder<R>(&self, f: impl FnOnce(&Task) -> R) -> Option<R> {
        let inside =
            |t: &&Task| !t.runnable.load(Ordering::Relaxed) && t.record.epoch().is_multiple_of(2);
        self.live.afar(|live| live.iter().find(inside).map(f))
    }

    /// Calls `f` with every started goroutine that lives here, under the list's lock.
    pub(crate) fn each_live(&self, f: impl FnMut(&Task)) {
        self.live.afar(|live| live.iter().for_each(f));
    }
}

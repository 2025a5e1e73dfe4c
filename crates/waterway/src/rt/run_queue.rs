//! The goroutines of one worker that may go on: first in, first out, for one thread.
//!
//! Their addresses lie side by side, so those whose turn comes soon can be fetched ahead. Where thousands were woken, each lies on a stack
//! that is in no cache; with a link in each, one would have to come before it is known which is the next.
//!
//! # Invariants
//!
//! - I1: a task in the queue is alive and suspended, or about to be, and in no other queue.
//! - I2: there is room for all tasks that live on the worker, made as each starts: a wake asks for no memory.
//! - I3: the room is a power of two, at least one. Places are told by the last bits of numbers; those from `first` to `end` are filled.

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use super::task::Task;

/// The stacks of so many are more than the nearer caches hold. With fewer, to fetch ahead costs more than it saves.
const MANY: usize = 4096;
/// A descriptor is fetched when so many are still before it.
const DESCRIPTOR_AHEAD: usize = 16;
/// What a goroutine goes on with is fetched when so many are before it: where that lies is in the descriptor, which is there by then.
const STACK_AHEAD: usize = 8;
/// So much of its stack is fetched, if so much is in use: all that is there where it waits in its first function.
pub(super) const STACK_BYTES: usize = 768;
/// There is room for so many, at least.
const FIRST_ROOM: usize = 64;

/// Memory for addresses of tasks.
pub(super) type Room = Box<[MaybeUninit<NonNull<Task>>]>;

/// See the module.
pub(super) struct RunQueue {
    places: Room,
    /// The number of the first one, and of the next one that comes.
    first: usize,
    end: usize,
    /// What comes next is fetched ahead if more than so many are here: `MANY`, or none while `cold` is not 0.
    few: usize,
    /// So many of the next ones are in no cache: there were many more than these at a time.
    cold: usize,
}

impl Default for RunQueue {
    fn default() -> RunQueue {
        RunQueue {
            places: room(0),
            first: 0,
            end: 0,
            few: MANY,
            cold: 0,
        }
    }
}

impl RunQueue {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == self.end
    }

    #[inline]
    fn len(&self) -> usize {
        self.end.wrapping_sub(self.first)
    }

    #[inline]
    fn place(&mut self, number: usize) -> &mut MaybeUninit<NonNull<Task>> {
        let at = number & (self.places.len() - 1);
        // SAFETY: I3: less than the room.
        unsafe { self.places.get_unchecked_mut(at) }
    }

    /// # Safety
    ///
    /// The task lives here, is suspended or about to be, and stands in no queue (I1).
    #[inline]
    pub(super) unsafe fn push_back(&mut self, task: NonNull<Task>) {
        debug_assert!(self.len() < self.room(), "I2");
        self.place(self.end).write(task);
        self.end = self.end.wrapping_add(1);
    }

    /// Adds some, of whom the last one has its turn first.
    ///
    /// # Safety
    ///
    /// As [`push_back`](Self::push_back), for each.
    pub(super) unsafe fn append_turned(&mut self, tasks: impl Iterator<Item = NonNull<Task>>) {
        let mut low = self.end;
        // SAFETY: by the caller.
        tasks.for_each(|task| unsafe { self.push_back(task) });
        let mut high = self.end.wrapping_sub(1);
        while (high.wrapping_sub(low) as isize) > 0 {
            let (a, b) = (*self.place(low), *self.place(high));
            *self.place(low) = b;
            *self.place(high) = a;
            (low, high) = (low.wrapping_add(1), high.wrapping_sub(1));
        }
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<NonNull<Task>> {
        let len = self.len();
        if len == 0 {
            return None;
        }
        if len > self.few {
            self.fetch_ahead();
        }
        // SAFETY: I3.
        let task = unsafe { self.place(self.first).assume_init() };
        self.first = self.first.wrapping_add(1);
        Some(task)
    }

    #[inline(never)]
    fn fetch_ahead(&mut self) {
        self.cold = match self.len() > MANY {
            true => MANY,
            false => self.cold - 1,
        };
        self.few = if self.cold > 0 { 0 } else { MANY };
        if let Some(task) = self.get(DESCRIPTOR_AHEAD) {
            Task::fetch_descriptor(task);
        }
        if let Some(task) = self.get(STACK_AHEAD) {
            // SAFETY: I1.
            unsafe { task.as_ref() }.fetch_stack(STACK_BYTES);
        }
    }

    /// The one that has so many before it.
    fn get(&mut self, before: usize) -> Option<NonNull<Task>> {
        let number = self.first.wrapping_add(before);
        // SAFETY: I3.
        (before < self.len()).then(|| unsafe { self.place(number).assume_init() })
    }

    /// How many there is room for.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.places.len()
    }

    /// True if much of the room is not needed for so many.
    pub(super) fn is_too_large(&self, lives: usize) -> bool {
        self.room() > MANY && self.room() / 8 > lives
    }

    /// Moves to another room, and gives the old one, to be freed while nobody looks at the queue.
    pub(super) fn move_to(&mut self, mut room: Room) -> Room {
        let len = self.len();
        assert!(room.len().is_power_of_two() && room.len() >= len, "I3");
        for (n, place) in room.iter_mut().enumerate().take(len) {
            *place = *self.place(self.first.wrapping_add(n));
        }
        (self.first, self.end) = (0, len);
        std::mem::replace(&mut self.places, room)
    }
}

/// Room for so many, at least.
pub(super) fn room(tasks: usize) -> Room {
    Box::new_uninit_slice(tasks.next_power_of_two().max(FIRST_ROOM))
}

//! Values that belong to one goroutine, or to one plain thread: slots by number, whose types the keys above know.
//!
//! Nothing here calls user code, and no borrow outlives a call: a value is counted, so that it stays while its owner uses
//! it, whatever its owner does meanwhile.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// Makes, on the thread of a new goroutine, the value that it inherits.
pub(crate) type Heir = Box<dyn FnOnce() -> Rc<dyn Any> + Send>;
/// Copies a value for a new goroutine. User code.
pub(crate) type Bequeath = fn(&dyn Any) -> Heir;

enum Slot {
    Empty,
    /// The owner makes the value now.
    Making,
    Value(Rc<dyn Any>, Option<Bequeath>),
    /// From the spawner, not looked at yet.
    Inherited(Heir, Bequeath),
    /// Dropped at the end.
    Gone,
}

/// What a slot holds, as its owner finds it.
pub(crate) enum Found {
    Value(Rc<dyn Any>),
    /// Nothing: the caller makes the value now, and must `put` it, or nothing.
    Make,
    /// The caller's caller makes it.
    Making,
    Gone,
}

/// The values of one owner, who alone uses them, on one thread. (Before the owner has started they are all inherited, and
/// so may go to its thread.)
#[derive(Default)]
pub(crate) struct Locals {
    slots: RefCell<Vec<Slot>>,
    over: Cell<bool>,
}

impl Locals {
    pub(crate) const fn new() -> Locals {
        Locals {
            slots: RefCell::new(Vec::new()),
            over: Cell::new(false),
        }
    }

    /// The values that a new goroutine inherits.
    pub(crate) fn of_heirs(heirs: Vec<(usize, Heir, Bequeath)>) -> Locals {
        let locals = Locals::new();
        for (at, heir, bequeath) in heirs {
            *locals.slot(at) = Slot::Inherited(heir, bequeath);
        }
        locals
    }

    fn slot(&self, at: usize) -> std::cell::RefMut<'_, Slot> {
        let mut slots = self.slots.borrow_mut();
        if slots.len() <= at {
            slots.resize_with(at + 1, || Slot::Empty);
        }
        std::cell::RefMut::map(slots, |slots| &mut slots[at])
    }

    pub(crate) fn find(&self, at: usize) -> Found {
        if self.over.get() {
            return Found::Gone;
        }
        let mut slot = self.slot(at);
        match &*slot {
            Slot::Value(value, _) => Found::Value(value.clone()),
            Slot::Making => Found::Making,
            Slot::Gone => Found::Gone,
            Slot::Empty => {
                *slot = Slot::Making;
                Found::Make
            }
            Slot::Inherited(..) => {
                let Slot::Inherited(heir, bequeath) = std::mem::replace(&mut *slot, Slot::Empty)
                else {
                    unreachable!("just seen")
                };
                let value = heir();
                *slot = Slot::Value(value.clone(), Some(bequeath));
                Found::Value(value)
            }
        }
    }

    /// Ends what [`Found::Make`] began: with a value, or with none.
    pub(crate) fn put(&self, at: usize, made: Option<(Rc<dyn Any>, Option<Bequeath>)>) {
        *self.slot(at) = match made {
            Some((value, bequeath)) => Slot::Value(value, bequeath),
            None => Slot::Empty,
        };
    }

    /// The values that a new goroutine inherits, to be copied.
    pub(crate) fn bequests(&self) -> Vec<(usize, Rc<dyn Any>, Bequeath)> {
        let known = self.slots.borrow().len();
        let inherited = |at: &usize| matches!(self.slots.borrow()[*at], Slot::Inherited(..));
        // Looked at, an inherited value becomes the owner's own.
        for at in (0..known).filter(inherited) {
            self.find(at);
        }
        let slots = self.slots.borrow();
        let bequest = |(at, slot): (usize, &Slot)| match slot {
            Slot::Value(value, Some(bequeath)) => Some((at, value.clone(), *bequeath)),
            _ => None,
        };
        slots.iter().enumerate().filter_map(bequest).collect()
    }

    /// Takes the next value out, for its drop at the end. Its key has none from now on; after the last, no key has.
    pub(crate) fn take(&self) -> Option<Rc<dyn Any>> {
        let mut slots = self.slots.borrow_mut();
        let next = slots
            .iter_mut()
            .find(|slot| matches!(slot, Slot::Value(..) | Slot::Inherited(..)));
        match next.map(|slot| std::mem::replace(slot, Slot::Gone)) {
            Some(Slot::Value(value, _)) => Some(value),
            Some(Slot::Inherited(heir, _)) => Some(heir()),
            _ => {
                self.over.set(true);
                None
            }
        }
    }

    /// All keys may have values again.
    pub(crate) fn reset(&self) {
        self.slots.borrow_mut().clear();
        self.over.set(false);
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locals").finish_non_exhaustive()
    }
}

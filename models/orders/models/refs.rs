//! Counts of references: one of those who give theirs up is the last, and has seen what the others did.

use std::cell::UnsafeCell;
use std::sync::Arc;

use loom::thread;

use super::Model;
use crate::primitives::{AtomicUsize, Ordering};
use crate::rt::refs::Refs;

pub(super) const MODELS: &[Model] = &[
    ("refs_are_handed_to_two", 2, handed),
    ("refs_are_made_by_two", 2, made),
    ("refs_are_made_as_others_end", 3, ahead),
];

struct Object {
    refs: UnsafeCell<Refs>,
    /// What each writes before it gives its reference up, and the last one reads.
    notes: [loom::cell::UnsafeCell<usize>; 4],
    ended: AtomicUsize,
}

// SAFETY: what is not atomic is loom's, which checks it.
unsafe impl Sync for Object {}
// SAFETY: as above.
unsafe impl Send for Object {}

/// A reference, and which note is its own.
struct Ref(Arc<Object>, usize);

impl Ref {
    fn first() -> Ref {
        let object = Object {
            refs: UnsafeCell::new(Refs::new()),
            notes: std::array::from_fn(|_| loom::cell::UnsafeCell::new(0)),
            ended: AtomicUsize::new(0),
        };
        Ref(Arc::new(object), 0)
    }

    fn another(&self, note: usize) -> Ref {
        // SAFETY: one of loom's threads runs at a time.
        unsafe { &*self.0.refs.get() }.add();
        Ref(self.0.clone(), note)
    }

    /// Gives it up, and if it is the last of `all`, reads what they wrote.
    fn end(self, all: usize) {
        let object = &*self.0;
        // SAFETY: loom checks that nobody else is at it.
        object.notes[self.1].with_mut(|at| unsafe { *at = 1 });
        // SAFETY: one of loom's threads runs at a time.
        if unsafe { &*object.refs.get() }.give_up() {
            let before = object.ended.fetch_add(1, Ordering::Relaxed);
            assert_eq!(before, 0, "one is the last");
            for note in &object.notes[..all] {
                // SAFETY: as above.
                note.with_mut(|at| assert_eq!(unsafe { *at }, 1, "all have ended"));
            }
            // The memory is another object's now, and who looks at it still finds that.
            // SAFETY: one of loom's threads runs at a time.
            unsafe { *object.refs.get() = Refs::new() };
        }
    }
}

fn check(object: &Object) {
    assert_eq!(
        object.ended.load(Ordering::Relaxed),
        1,
        "somebody is the last"
    );
}

/// One makes two, and two others end them.
fn handed() {
    let first = Ref::first();
    let object = first.0.clone();
    let (a, b) = (first.another(1), first.another(2));
    let others = [a, b].map(|one| thread::spawn(move || one.end(3)));
    first.end(3);
    others.into_iter().for_each(|other| other.join().unwrap());
    check(&object);
}

/// Who was given one makes another of it, for a third.
fn made() {
    let first = Ref::first();
    let object = first.0.clone();
    let second = first.another(1);
    let other = thread::spawn(move || {
        let third = second.another(2);
        let other = thread::spawn(move || third.end(3));
        second.end(3);
        other.join().unwrap();
    });
    first.end(3);
    other.join().unwrap();
    check(&object);
}

/// One makes more while another ends those that it was given.
fn ahead() {
    let first = Ref::first();
    let object = first.0.clone();
    let (a, b) = (first.another(1), first.another(2));
    let other = thread::spawn(move || {
        a.end(4);
        b.end(4);
    });
    let c = first.another(3);
    first.end(4);
    c.end(4);
    other.join().unwrap();
    check(&object);
}

//! Who ends is followed by another one in its place, if that one's turn it is.

use super::{Group, go, start};
use crate::primitives::Ordering;
use crate::rt::sched::{Place, Runtime};
use crate::rt::task::Task;
use crate::rt::worker::{self, Worker};
use crate::schedules::Model;

pub(super) const MODELS: &[Model] = &[
    ("who_follows_has_a_turn_of_its_own", || {
        let (rt, group) = (start(1), Group::of(5));
        link(rt, group, Place::Auto, 4, (0, 0));
        group.wait();
    }),
    ("nobody_follows_as_the_slice_is_over", || {
        refused(|_, worker| worker.preempt.store(true, Ordering::Relaxed));
    }),
    // As sysmon takes it, which says after that that the slice is over.
    ("nobody_follows_without_a_token", || {
        refused(|rt, worker| rt.tokens.release(worker));
    }),
];

fn place_of(task: &Task) -> usize {
    std::ptr::from_ref(task) as usize
}

/// One of a row in which each starts the next and ends; `before` tells of the last one in which place it was, and in which turn.
fn link(
    rt: &'static Runtime,
    group: &'static Group,
    place: Place,
    left: usize,
    before: (usize, u64),
) {
    go(rt, place, move |task, _| {
        let turn = worker::this().unwrap().turns.load(Ordering::Relaxed);
        let here = (place_of(task), turn);
        assert!(here.0 != before.0 || here.1 > before.1, "in another's turn");
        if left > 0 {
            link(rt, group, Place::Here, left - 1, here);
        }
        group.done()
    });
}

/// A goroutine starts another one and ends, after something has happened to its worker: the other one starts in another place.
fn refused(happens: fn(&'static Runtime, &'static Worker)) {
    let rt = start(1);
    let group = Group::of(2);
    go(rt, Place::Auto, move |task, _| {
        let ends = place_of(task);
        go(rt, Place::Here, move |task, _| {
            assert_ne!(place_of(task), ends, "it has followed");
            group.done()
        });
        happens(rt, worker::this().unwrap());
        group.done()
    });
    group.wait();
}

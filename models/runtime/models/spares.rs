//! Spares come and go: nothing is left to one that has gone.

use super::{Event, Group, go, start};
use crate::rt::sched::{Place, Runtime};
use crate::schedules::Model;

pub(super) const MODELS: &[Model] = &[
    ("spares_retire_as_they_are_given_a_goroutine", near),
    ("spares_are_taken_up_again", again),
];

/// Holds the only worker until a spare has run a goroutine.
fn hold(rt: &'static Runtime, group: &'static Group) {
    let ran = Event::leaked();
    go(rt, Place::Near(0), move |_, _| {
        go(rt, Place::Near(0), move |_, _| {
            ran.set();
            group.done()
        });
        ran.spin();
        group.done()
    });
}

/// A plain thread places a goroutine near one that ran on a spare, which is about to retire.
fn near() {
    let rt = start(1);
    let group = Group::of(3);
    let first = Group::of(2);
    hold(rt, first);
    first.wait();
    let mut spare = 0;
    rt.each_worker(|worker| spare = spare.max(worker.index));
    for _ in 0..3 {
        go(rt, Place::Near(spare), move |_, _| group.done());
        shuttle::thread::yield_now();
    }
    group.wait();
}

/// The worker is held a second time as the spare of the first time retires.
fn again() {
    let rt = start(1);
    for _ in 0..2 {
        let group = Group::of(2);
        hold(rt, group);
        group.wait();
    }
}

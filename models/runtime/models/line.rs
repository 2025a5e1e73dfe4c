//! Goroutines in a line wait for the end of their spawner's turn, and then some go elsewhere.

use super::{Event, Group, go, start};
use crate::rt::cell::{Next, Unstarted};
use crate::rt::sched::{Place, Runtime};
use crate::rt::ties::Ties;
use crate::rt::worker;
use crate::schedules::Model;

pub(super) const MODELS: &[Model] = &[
    ("a_line_is_parted_as_its_spawner_ends", ends),
    ("a_line_is_parted_as_its_spawner_gives_way", gives_way),
    ("a_line_is_taken_over_from_who_computes", computes),
];

/// Three, each of which hands on to the next; one of them belongs on the other worker.
fn spawn_line(rt: &'static Runtime, group: &'static Group, started: &'static Event) {
    for ends in [&[10][..], &[11, 20], &[21]] {
        let stage = Unstarted::new(move |_, _| {
            started.set();
            group.done()
        });
        rt.spawn_tied(stage, Place::Auto, &Ties::with(ends));
    }
}

/// Each runs once, whether the other worker takes it over or is given it.
fn ends() {
    let rt = start(2);
    let (group, started) = (Group::of(4), Event::leaked());
    go(rt, Place::Auto, move |_, _| {
        spawn_line(rt, group, started);
        group.done()
    });
    group.wait();
}

/// The same, and its spawner goes on behind them.
fn gives_way() {
    let rt = start(2);
    let (group, started) = (Group::of(4), Event::leaked());
    go(rt, Place::Auto, move |_, step| {
        if step > 0 {
            return group.done();
        }
        spawn_line(rt, group, started);
        worker::this().unwrap().yield_now();
        Next::Suspend
    });
    group.wait();
}

/// Its spawner goes on until one of them runs: nobody waits for the end of that turn in vain.
fn computes() {
    let rt = start(2);
    let (group, started) = (Group::of(4), Event::leaked());
    go(rt, Place::Auto, move |_, _| {
        spawn_line(rt, group, started);
        started.spin();
        group.done()
    });
    group.wait();
}

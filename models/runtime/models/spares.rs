//! Spares come and go: nothing is left to one that has gone.

use super::{Event, Group, go, judged, start};
use crate::primitives::limit_threads;
use crate::rt::cell::{Next, Unstarted};
use crate::rt::sched::{Place, Runtime};
use crate::schedules::Model;

pub(super) const MODELS: &[Model] = &[
    ("spares_retire_as_they_are_given_a_goroutine", near),
    ("spares_are_taken_up_again", again),
    ("a_caught_site_as_its_worker_retires", apart_retires),
    ("a_spare_cannot_be_started_again", no_thread),
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

/// Goroutines of a site that was caught come as the worker that ran the last one retires, and nothing else moves.
fn apart_retires() {
    let rt = start(1);
    let site = std::panic::Location::caller();
    rt.set_apart(site);
    for _ in 0..4 {
        judged().clear();
        let group = Group::of(1);
        rt.spawn(Unstarted::at(site, move |_, _| group.done()), Place::Auto);
        group.wait();
        // Sysmon has found that nothing moves, and sleeps for long, or is about to.
        judged().wait();
    }
}

/// A goroutine is placed near a worker that sysmon takes up again, in vain: others run it, since there is no thread to be had.
fn no_thread() {
    let rt = start(1);
    let site = std::panic::Location::caller();
    rt.set_apart(site);
    let first = Group::of(1);
    rt.spawn(Unstarted::at(site, move |_, _| first.done()), Place::Auto);
    first.wait();
    let mut apart = 0;
    rt.each_worker(|worker| apart = apart.max(worker.index));
    limit_threads(0);
    rt.spawn(Unstarted::at(site, |_, _| Next::End), Place::Auto);
    let group = Group::of(1);
    go(rt, Place::Near(apart), move |_, _| group.done());
    group.wait();
}

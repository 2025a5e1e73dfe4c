//! Workers that one goroutine holds: others go on without them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Event, Group, Place1, go, start};
use crate::rt::cell::Next;
use crate::rt::park::{TimerEvent, TimerPayload};
use crate::rt::sched::Place;
use crate::rt::timer::TimerSlot;
use crate::rt::worker;
use crate::schedules::Model;

pub(super) const MODELS: &[Model] = &[
    ("a_held_worker_has_its_spawns_taken_over", taken_over),
    ("a_held_worker_has_its_timers_fired", timers),
    ("a_held_worker_waits_for_its_token", comes_back),
    ("a_caught_site_is_run_apart", apart),
];

/// The only worker is held until a goroutine behind has run: a spare runs that.
fn taken_over() {
    let rt = start(1);
    let (group, ran) = (Group::of(2), Event::leaked());
    go(rt, Place::Auto, move |_, _| {
        go(rt, Place::Auto, move |_, _| {
            ran.set();
            group.done()
        });
        ran.spin();
        group.done()
    });
    group.wait();
}

struct Alarm(TimerSlot, &'static Place1);

impl TimerEvent for Alarm {
    fn slot(&self) -> &TimerSlot {
        &self.0
    }

    fn fire(self: Arc<Self>, _now: u64) {
        self.1.wake();
    }
}

/// A goroutine elsewhere waits for a timer of a worker that is held until it has come. (Either may have been taken over; one that
/// waits on the held worker itself would have to wait.)
fn timers() {
    let rt = start(2);
    let (group, came, place) = (Group::of(2), Event::leaked(), Place1::new());
    let waits = Event::leaked();
    let home: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    go(rt, Place::Near(1), move |task, step| {
        if step == 0 {
            home.store(task.home.index, Ordering::Relaxed);
            waits.set();
            if place.enter(task) {
                return Next::Suspend;
            }
        }
        came.set();
        group.done()
    });
    go(rt, Place::Near(0), move |_, _| {
        let alarm = Arc::new(Alarm(TimerSlot::new(), place));
        let when = crate::rt::clock::clock() + 100_000;
        let here = worker::this().unwrap();
        here.add_timer(when, TimerPayload::Event(alarm));
        waits.spin();
        if home.load(Ordering::Relaxed) != here.index {
            came.spin();
        }
        group.done()
    });
    group.wait();
}

/// A held worker lost its token to a spare; it gets one again, though the spare has work for long.
fn comes_back() {
    let rt = start(1);
    let (group, ran) = (Group::of(3), Event::leaked());
    go(rt, Place::Auto, move |_, step| {
        if step == 1 {
            return group.done();
        }
        go(rt, Place::Auto, move |_, step| {
            ran.set();
            if step == 2 {
                return group.done();
            }
            worker::this().unwrap().yield_now();
            Next::Suspend
        });
        go(rt, Place::Auto, move |_, _| group.done());
        ran.spin();
        worker::this().unwrap().yield_now();
        Next::Suspend
    });
    group.wait();
}

/// Goroutines of a site that was caught find a worker apart, which is started, sleeps, retires and is taken up again.
fn apart() {
    let rt = start(1);
    let group = Group::of(3);
    let site = std::panic::Location::caller();
    rt.set_apart(site);
    for _ in 0..2 {
        rt.spawn(
            crate::rt::cell::Unstarted::at(site, move |_, _| group.done()),
            Place::Auto,
        );
        shuttle::thread::yield_now();
    }
    go(rt, Place::Auto, move |_, _| {
        rt.spawn(
            crate::rt::cell::Unstarted::at(site, move |_, _| group.done()),
            Place::Auto,
        );
        Next::End
    });
    group.wait();
}

//! Goroutines are started once, and woken as often as they wait; in the end nothing moves, and sysmon sees that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Group, Place1, go, judged, start};
use crate::rt::cell::Next;
use crate::rt::park::{TimerEvent, TimerPayload};
use crate::rt::sched::Place;
use crate::rt::timer::TimerSlot;
use crate::rt::worker;
use crate::schedules::Model;

pub(super) const MODELS: &[Model] = &[
    ("goroutines_of_one_worker_take_turns", || ping_pong(1)),
    ("goroutines_of_two_workers_take_turns", || ping_pong(2)),
    ("spawns_from_outside_are_run", spawns),
    ("goroutines_spawn_and_give_way", spawn_and_yield),
    ("a_crowd_is_shared_out", crowd),
    ("timers_wake_their_worker", timers),
    ("a_plain_thread_wakes_a_goroutine", from_outside),
    ("sysmon_sees_when_nothing_moves", nothing_moves),
    ("sysmon_sees_it_again", nothing_moves_again),
];

/// One goroutine spawns a crowd onto its own worker, which gives half of it away once some have started.
fn crowd() {
    const MANY: usize = 98;
    let rt = start(2);
    let group = Group::of(MANY + 1);
    go(rt, Place::Near(0), move |_, _| {
        for _ in 0..MANY {
            go(rt, Place::Here, move |_, _| group.done());
        }
        group.done()
    });
    group.wait();
}

/// Two goroutines wake each other, twice: one asks, the other answers.
fn ping_pong(workers: usize) {
    let rt = start(workers);
    let (asked, answered) = (Place1::new(), Place1::new());
    let group = Group::of(2);
    let mut rounds = 0;
    go(rt, Place::Near(0), move |task, step| {
        // It comes here after each wait that it was woken from.
        rounds += usize::from(step > 0);
        while rounds < 2 {
            asked.wake();
            if answered.enter(task) {
                return Next::Suspend;
            }
            rounds += 1;
        }
        group.done()
    });
    let mut rounds = 0;
    go(rt, Place::Near(workers - 1), move |task, step| {
        let mut woken = step > 0;
        while rounds < 2 {
            if !woken && asked.enter(task) {
                return Next::Suspend;
            }
            woken = false;
            answered.wake();
            rounds += 1;
        }
        group.done()
    });
    group.wait();
}

/// Goroutines that nobody has to wake, spawned by a plain thread as workers fall asleep.
fn spawns() {
    let rt = start(2);
    let group = Group::of(3);
    for place in [Place::Auto, Place::Near(1), Place::Spread] {
        go(rt, place, move |_, _| group.done());
    }
    group.wait();
}

/// A goroutine spawns others and gives way; each of them too.
fn spawn_and_yield() {
    let rt = start(2);
    let group = Group::of(4);
    go(rt, Place::Auto, move |_, step| {
        if step == 0 {
            for _ in 0..3 {
                go(rt, Place::Auto, move |_, step| {
                    if step == 1 {
                        return group.done();
                    }
                    worker::this().unwrap().yield_now();
                    Next::Suspend
                });
            }
        }
        if step == 2 {
            return group.done();
        }
        worker::this().unwrap().yield_now();
        Next::Suspend
    });
    group.wait();
}

/// Wakes a goroutine when its time has come.
struct Alarm {
    slot: TimerSlot,
    place: &'static Place1,
    fired: &'static AtomicUsize,
}

impl TimerEvent for Alarm {
    fn slot(&self) -> &TimerSlot {
        &self.slot
    }

    fn fire(self: Arc<Self>, _now: u64) {
        assert_eq!(self.fired.fetch_add(1, Ordering::Relaxed), 0, "once");
        self.place.wake();
    }
}

/// A goroutine waits for a timer on its own worker, and one for a timer on the other.
fn timers() {
    let rt = start(2);
    let group = Group::of(2);
    for on in 0..2 {
        let place = Place1::new();
        let fired: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
        go(rt, Place::Near(0), move |task, step| {
            if step == 0 {
                let mut homes = Vec::new();
                rt.each_worker(|worker| homes.push(worker));
                let alarm = Arc::new(Alarm {
                    slot: TimerSlot::new(),
                    place,
                    fired,
                });
                let when = crate::rt::clock::clock() + 200_000;
                homes[on].add_timer(when, TimerPayload::Event(alarm));
                if place.enter(task) {
                    return Next::Suspend;
                }
            }
            assert_eq!(fired.load(Ordering::Relaxed), 1);
            group.done()
        });
    }
    group.wait();
}

/// A goroutine is woken by a thread that is no worker, as its worker falls asleep.
fn from_outside() {
    let rt = start(1);
    let (group, place) = (Group::of(1), Place1::new());
    go(rt, Place::Auto, move |task, step| {
        if step == 0 && place.enter(task) {
            return Next::Suspend;
        }
        group.done()
    });
    shuttle::thread::yield_now();
    place.wake();
    group.wait();
}

/// Two goroutines wait for ever, after one has woken the other: sysmon asks for the verdict, however its long sleep and the last
/// moves meet.
fn nothing_moves() {
    let rt = start(2);
    let place = Place1::new();
    go(rt, Place::Near(0), move |task, step| {
        if step == 0 && place.enter(task) || Place1::new().enter(task) {
            return Next::Suspend;
        }
        Next::End
    });
    go(rt, Place::Near(1), move |task, _| {
        place.wake();
        match Place1::new().enter(task) {
            true => Next::Suspend,
            false => Next::End,
        }
    });
    judged().wait();
}

/// The same again and again: a goroutine is woken as sysmon falls asleep for long, or sleeps.
fn nothing_moves_again() {
    let rt = start(1);
    let place = Place1::new();
    go(rt, Place::Auto, move |task, _| {
        while !place.enter(task) {}
        Next::Suspend
    });
    for _ in 0..3 {
        judged().wait();
        judged().clear();
        place.wake();
    }
    judged().wait();
}

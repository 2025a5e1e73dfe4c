//! Admission before a goroutine exists.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use waterway::flow::{Departure, Gate, Limit};
use waterway::sync::WaitGroup;
use waterway::{Context, ContextError, chan, go, scope};

#[waterway::test]
fn no_more_are_inside_than_there_are_places() {
    const CALLERS: usize = 8;
    const EACH: usize = 500;
    let gate = Gate::new(3);
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut refused = 0;
    scope(|s| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (gate, inside, most) = (&gate, &inside, &most);
                s.go(move || {
                    let mut refused = 0;
                    for round in 0..EACH {
                        let place = match (caller + round) % 2 {
                            0 => Some(gate.enter()),
                            _ => gate.try_enter(),
                        };
                        let Some(place) = place else {
                            refused += 1;
                            continue;
                        };
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        waterway::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(place);
                    }
                    refused
                })
            })
            .collect();
        refused = callers.into_iter().map(|c| c.join().unwrap()).sum();
    });
    assert!(most.into_inner() <= 3);
    let now = gate.statistics();
    assert_eq!(now.refused, refused as u64);
    assert_eq!(now.admitted + now.refused, (CALLERS * EACH) as u64);
    assert_eq!((now.live, now.waiting, now.gave_up), (0, 0, 0));
    assert!(now.most_live <= 3);
}

#[waterway::test]
fn what_is_refused_comes_back_and_no_goroutine_exists_for_it() {
    let gate = Gate::new(2);
    let (release, released) = chan::<()>(0);
    let goroutines = waterway::num_goroutines();
    let mut back = Vec::new();
    for n in 0..100 {
        let released = released.clone();
        let owned = vec![n; 10];
        let started = gate.try_go(move || {
            let _ = released.recv();
            owned
        });
        if let Err(refused) = started {
            back.push(refused.into_inner());
        }
    }
    assert_eq!(back.len(), 98);
    assert!(waterway::num_goroutines() <= goroutines + 2);
    drop(release);
    // It is whole: what it captured is there when it is called after all.
    assert_eq!(back.pop().unwrap()(), vec![99; 10]);
    assert_eq!(gate.statistics().refused, 98);
}

#[waterway::test]
fn a_place_is_free_again_when_its_goroutine_has_been_joined() {
    let gate = Gate::new(1);
    for _ in 0..1000 {
        let started = gate.try_go(|| ()).expect("nobody is inside");
        started.join().unwrap();
    }
    assert!(
        gate.try_go(|| panic!("on purpose"))
            .unwrap()
            .join()
            .is_err()
    );
    assert!(gate.try_enter().is_some());
}

#[waterway::test]
fn who_waits_is_let_in_in_order_and_before_who_does_not() {
    let gate = Gate::new(1);
    let inside = gate.enter();
    let (tx, rx) = chan(10);
    let done = WaitGroup::new();
    for n in 0..5 {
        let (gate, tx) = (gate.clone(), tx.clone());
        let waiting = gate.statistics().waiting;
        let waits = gate.clone();
        done.go(move || {
            let _place = gate.enter();
            tx.send(n).unwrap();
        });
        while waits.statistics().waiting == waiting {
            waterway::yield_now();
        }
    }
    drop(inside);
    done.wait();
    drop(tx);
    assert_eq!(rx.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[waterway::test]
fn who_gives_up_is_counted_and_leaves_its_turn_to_the_next() {
    let gate = Gate::new(1);
    let inside = gate.enter();
    assert!(gate.enter_timeout(Duration::from_millis(1)).is_none());
    let (ctx, guard) = Context::background().with_cancel();
    let (waiting, watched) = (gate.clone(), gate.clone());
    let ended = go(move || ctx.enter(&waiting).map(drop));
    while watched.statistics().waiting == 0 {
        waterway::yield_now();
    }
    guard.cancel();
    assert_eq!(ended.join().unwrap(), Err(ContextError::Canceled));
    {
        let mut cx = TaskContext::from_waker(Waker::noop());
        let mut first = pin!(gate.enter_async());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert_eq!(gate.statistics().waiting, 1);
    }
    assert_eq!(gate.statistics().gave_up, 3);
    let mut cx = TaskContext::from_waker(Waker::noop());
    let mut second = pin!(gate.enter_async());
    assert!(second.as_mut().poll(&mut cx).is_pending());
    drop(inside);
    let Poll::Ready(place) = second.as_mut().poll(&mut cx) else {
        panic!("the place is free");
    };
    let now = gate.statistics();
    assert_eq!(
        (now.admitted, now.gave_up, now.waiting, now.live),
        (2, 3, 0, 1)
    );
    drop(place);
}

/// As many as it is told, and what it saw.
struct Told {
    places: AtomicUsize,
    left: AtomicUsize,
}

struct Shared(Arc<Told>);

impl Limit for Shared {
    fn limit(&self) -> usize {
        self.0.places.load(Ordering::Relaxed)
    }

    fn is_adaptive(&self) -> bool {
        true
    }

    fn left(&self, departure: &Departure) {
        assert!(departure.inside >= 1);
        self.0.left.fetch_add(1, Ordering::Relaxed);
    }
}

#[waterway::test]
fn a_limit_that_moves_is_followed() {
    let told = Arc::new(Told {
        places: AtomicUsize::new(3),
        left: AtomicUsize::new(0),
    });
    let gate = Gate::builder().limit(Shared(told.clone())).make();
    let mut inside = [gate.enter(), gate.enter(), gate.enter()].map(Some);
    told.places.store(1, Ordering::Relaxed);
    inside[0] = None;
    inside[1] = None;
    // One is inside, one may be.
    assert!(gate.try_enter().is_none());
    let waiting = gate.clone();
    let let_in = go(move || waiting.enter());
    while gate.statistics().waiting == 0 {
        waterway::yield_now();
    }
    told.places.store(2, Ordering::Relaxed);
    // Whoever looks brings the gate in line, and lets in who waits.
    assert_eq!(gate.statistics().limit, 2);
    let place = let_in.join().unwrap();
    told.places.store(0, Ordering::Relaxed);
    drop((place, inside));
    assert!(gate.try_enter().is_none());
    assert_eq!(told.left.load(Ordering::Relaxed), 4);
}

/// Never the same number twice.
struct Restless(AtomicUsize);

impl Limit for Restless {
    fn limit(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn is_adaptive(&self) -> bool {
        true
    }
}

#[waterway::test]
fn a_limit_that_is_another_at_each_call_is_followed_as_well_as_it_can_be() {
    let gate = Gate::builder().limit(Restless(AtomicUsize::new(3))).make();
    let places: Vec<_> = (0..10).map_while(|_| gate.try_enter()).collect();
    assert_eq!(places.len(), 10);
    assert!(gate.statistics().limit >= 10);
}

#[waterway::test]
fn a_place_that_is_forgotten_is_taken_for_ever() {
    let gate = Gate::new(2);
    std::mem::forget(gate.enter());
    let place = gate.enter();
    assert!(gate.try_enter().is_none());
    drop(place);
    let place = gate.try_enter().expect("one is left");
    let now = gate.statistics();
    assert_eq!((now.live, now.admitted, now.refused), (2, 3, 1));
    drop(place);
}

#[waterway::test]
fn as_many_places_as_can_be_counted_are_no_limit() {
    let gate = Gate::new(usize::MAX);
    let places: Vec<_> = (0..100).map(|_| gate.enter()).collect();
    assert_eq!(gate.statistics().live, places.len());
}

#[test]
#[should_panic(expected = "a gate with 0 places lets nobody in")]
fn a_gate_without_places_is_refused() {
    Gate::new(0);
}

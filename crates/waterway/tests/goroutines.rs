//! Goroutines: start, join, park, panic, scope, placement.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use waterway::sync::{Mutex, WaitGroup};
use waterway::{Builder, blocking, chan, go, go_local, scope, yield_now};

#[test]
fn join_gives_the_result_and_the_panic() {
    assert_eq!(go(|| 6 * 7).join().unwrap(), 42);
    let panic = go(|| -> () { std::panic::panic_any(7u32) })
        .join()
        .unwrap_err();
    assert_eq!(panic.downcast_ref::<u32>(), Some(&7));
}

#[test]
fn a_detached_goroutine_goes_on() {
    let group = WaitGroup::new();
    group.add(1);
    let done = group.clone();
    drop(go(move || done.done()));
    group.wait();
}

#[test]
fn many_goroutines_finish() {
    let count = Arc::new(AtomicUsize::new(0));
    let group = WaitGroup::new();
    for _ in 0..10_000 {
        let count = count.clone();
        group.go(move || {
            yield_now();
            count.fetch_add(1, Ordering::Relaxed);
        });
    }
    group.wait();
    assert_eq!(count.load(Ordering::Relaxed), 10_000);
}

#[test]
fn a_goroutine_stays_on_its_thread() {
    thread_local!(static MARK: Cell<usize> = const { Cell::new(0) });
    let handles: Vec<_> = (0..100)
        .map(|i| {
            go(move || {
                let here = std::thread::current().id();
                let shared = Rc::new(Cell::new(0));
                let mark = MARK.with(|m| std::ptr::from_ref(m) as usize);
                for turn in 0..50 {
                    match (i + turn) % 3 {
                        0 => yield_now(),
                        1 => waterway::time::sleep(Duration::from_micros(50)),
                        _ => blocking(std::thread::yield_now),
                    }
                    shared.set(shared.get() + 1);
                    assert_eq!(std::thread::current().id(), here);
                    assert_eq!(MARK.with(|m| std::ptr::from_ref(m) as usize), mark);
                }
                shared.get()
            })
        })
        .collect();
    for handle in handles {
        assert_eq!(handle.join().unwrap(), 50);
    }
}

#[test]
fn go_local_shares_what_is_not_send() {
    let sum = go(|| {
        let total = Rc::new(Cell::new(0));
        let handles: Vec<_> = (0..10)
            .map(|i| {
                let total = total.clone();
                go_local(move || {
                    yield_now();
                    total.set(total.get() + i);
                })
            })
            .collect();
        for handle in handles {
            handle.join().unwrap();
        }
        total.get()
    });
    assert_eq!(sum.join().unwrap(), 45);
}

/// Turns of a pair are short, so whoever waits beside it has a turn after few of them.
#[test]
fn a_pair_that_hands_over_lets_others_have_their_turn_soon() {
    const GAPS: usize = 1_001;
    let gaps = go(|| {
        let (over, trips) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0usize)));
        let ((ping, pings), (pong, pongs)) = (chan(0), chan(0));
        let echo = go_local(move || while pings.recv().is_ok_and(|()| pong.send(()).is_ok()) {});
        let asker = {
            let (over, trips) = (over.clone(), trips.clone());
            go_local(move || {
                while !over.get() {
                    ping.send(()).unwrap();
                    pongs.recv().unwrap();
                    trips.set(trips.get() + 1);
                }
            })
        };
        let gap = || {
            let before = trips.get();
            yield_now();
            trips.get() - before
        };
        let mut gaps: Vec<_> = std::iter::repeat_with(gap).take(GAPS).collect();
        over.set(true);
        asker.join().unwrap();
        echo.join().unwrap();
        gaps.sort_unstable();
        gaps
    });
    let gaps = gaps.join().unwrap();
    // The kernel may put the thread aside in some; a chain goes on for longer after that.
    let median = gaps[GAPS / 2];
    assert!((1..=40).contains(&median), "{median} round trips a yield");
}

#[test]
fn go_local_on_a_plain_thread_says_what_to_do() {
    let panic = std::panic::catch_unwind(|| go_local(|| ())).unwrap_err();
    assert!(
        panic
            .downcast_ref::<&str>()
            .unwrap()
            .contains("start one with go first, or make main one: #[waterway::main]")
    );
}

#[test]
fn a_scope_lends_and_waits() {
    let mut parts = [0; 8];
    let total = scope(|s| {
        let handles: Vec<_> = parts
            .iter_mut()
            .enumerate()
            .map(|(i, part)| {
                s.go(move || {
                    yield_now();
                    *part = i;
                    i
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|h| h.join().unwrap())
            .sum::<usize>()
    });
    assert_eq!(total, 28);
    assert_eq!(parts, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_scope_panics_for_an_unjoined_child_after_all_have_ended() {
    let ended = AtomicUsize::new(0);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        scope(|s| {
            s.go(|| panic!("child"));
            s.go(|| {
                waterway::time::sleep(Duration::from_millis(20));
                ended.fetch_add(1, Ordering::Relaxed);
            });
        })
    }));
    assert!(result.is_err());
    assert_eq!(ended.load(Ordering::Relaxed), 1);
}

#[test]
fn a_joined_panic_is_not_the_scopes() {
    let seen = scope(|s| s.go(|| panic!("seen")).join().is_err());
    assert!(seen);
}

#[test]
fn blocking_borrows_and_passes_panics_on() {
    go(|| {
        let words = ["a", "b"];
        assert_eq!(blocking(|| words.len()), 2);
        let panic = std::panic::catch_unwind(|| blocking(|| panic!("inside"))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"inside"));
    })
    .join()
    .unwrap();
}

#[test]
fn dedicated_goroutines_have_threads_of_their_own() {
    let main = std::thread::current().id();
    let handle = Builder::new().name("own").dedicated().go(move || {
        assert_ne!(std::thread::current().id(), main);
        go(|| 5).join().unwrap()
    });
    assert_eq!(handle.join().unwrap(), 5);
}

#[test]
fn a_mutex_counts_right_across_goroutines_and_threads() {
    let count = Arc::new(Mutex::new(0usize));
    let mut threads = Vec::new();
    for _ in 0..2 {
        let count = count.clone();
        threads.push(std::thread::spawn(move || {
            for _ in 0..20_000 {
                *count.lock() += 1;
            }
        }));
    }
    let handles: Vec<_> = (0..8)
        .map(|_| {
            let count = count.clone();
            go(move || {
                for i in 0..20_000 {
                    let mut guard = count.lock();
                    *guard += 1;
                    if i % 1000 == 0 {
                        yield_now();
                    }
                }
            })
        })
        .collect();
    for handle in handles {
        handle.join().unwrap();
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(*count.lock(), 200_000);
}

#[test]
fn a_wait_group_below_zero_names_its_birthplace() {
    let group = WaitGroup::new();
    let panic =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| group.done())).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(
        text.contains("negative WaitGroup counter") && text.contains("goroutines.rs"),
        "{text}"
    );
}

#[test]
fn a_goroutine_may_park_while_it_unwinds() {
    struct Parks(WaitGroup);
    impl Drop for Parks {
        fn drop(&mut self) {
            waterway::time::sleep(Duration::from_millis(5));
            self.0.done();
        }
    }
    let group = WaitGroup::new();
    let handles: Vec<_> = (0..20)
        .map(|i| {
            group.add(1);
            let parks = Parks(group.clone());
            go(move || {
                let _parks = parks;
                panic!("sibling {i}");
            })
        })
        .collect();
    group.wait();
    for handle in handles {
        assert!(handle.join().is_err());
    }
}

#[test]
fn a_payload_that_panics_when_dropped_ends_nothing_else() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the payload's drop");
        }
    }
    drop(go(|| std::panic::panic_any(Bomb)));
    assert_eq!(go(|| 1).join().unwrap(), 1);
}

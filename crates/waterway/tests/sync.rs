//! Locks and the like, from goroutines and plain threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use waterway::sync::{
    Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, Pool, RwLock, Semaphore, WaitGroup,
};
use waterway::{Builder, chan, go, scope, yield_now};

const SHORT: Duration = Duration::from_millis(5);

/// Gives way until `true`: for what others are about to do.
fn until(mut there: impl FnMut() -> bool) {
    while !there() {
        yield_now();
    }
}

#[waterway::test]
fn a_lock_with_a_time_out_gives_up_and_leaves_nothing_behind() {
    let lock = Mutex::new(0);
    let guard = lock.lock();
    scope(|s| {
        for _ in 0..3 {
            s.go(|| assert!(lock.lock_timeout(SHORT).is_none()));
        }
    });
    assert!(lock.try_lock().is_none());
    drop(guard);
    *lock.try_lock().expect("nobody holds it") += 1;
    assert_eq!(lock.into_inner(), 1);
}

#[waterway::test]
fn readers_share_and_writers_are_alone() {
    let lock = RwLock::new(0);
    let (first, second) = (lock.read(), lock.read());
    assert!(lock.try_write().is_none());
    assert_eq!(*first + *second, 0);
    drop((first, second));
    scope(|s| {
        for _ in 0..8 {
            s.go(|| {
                for _ in 0..100 {
                    let before = *lock.read();
                    *lock.write() += 1;
                    assert!(*lock.read() > before);
                }
            });
        }
    });
    assert_eq!(*lock.read(), 800);
}

#[waterway::test]
fn a_waiting_writer_stops_new_readers() {
    let lock = Arc::new(RwLock::new(0));
    let reader = lock.read();
    let writes = {
        let lock = lock.clone();
        go(move || *lock.write() = 1)
    };
    until(|| lock.try_read().is_none());
    let reads = {
        let lock = lock.clone();
        go(move || *lock.read())
    };
    assert!(!writes.is_finished() && !reads.is_finished());
    drop(reader);
    assert_eq!(reads.join().unwrap(), 1, "the writer came first");
    writes.join().unwrap();
}

#[waterway::test]
fn a_panic_unlocks() {
    let (lock, rw) = (Mutex::new(1), RwLock::new(2));
    let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    panics(&|| {
        let (_a, _b) = (lock.lock(), rw.write());
        std::panic::resume_unwind(Box::new(()));
    });
    assert_eq!(*lock.try_lock().unwrap() + *rw.try_read().unwrap(), 3);
}

#[waterway::test]
fn a_condition_variable_wakes_one_or_all() {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let waiting = Arc::new(AtomicUsize::new(0));
    let done: Vec<_> = (0..4)
        .map(|_| {
            let (pair, waiting) = (pair.clone(), waiting.clone());
            go(move || {
                let mut tickets = pair.0.lock();
                waiting.fetch_add(1, Ordering::SeqCst);
                pair.1.wait_while(&mut tickets, |tickets| *tickets == 0);
                *tickets -= 1;
            })
        })
        .collect();
    until(|| waiting.load(Ordering::SeqCst) == 4);
    *pair.0.lock() = 1;
    pair.1.notify_one();
    until(|| done.iter().any(|d| d.is_finished()));
    assert_eq!(*pair.0.lock(), 0);
    *pair.0.lock() = 3;
    pair.1.notify_all();
    done.into_iter().for_each(|d| d.join().unwrap());
    assert_eq!(*pair.0.lock(), 0);
}

#[waterway::test]
fn a_wait_that_nobody_ends_ends_by_its_time() {
    let (lock, never) = (Mutex::new(0), Condvar::new());
    let mut guard = lock.lock();
    assert!(never.wait_timeout(&mut guard, SHORT).timed_out());
    assert!(lock.try_lock().is_none(), "it has the lock again");
    drop(guard);
    assert!(lock.try_lock().is_some());
}

#[waterway::test]
fn a_call_is_made_once() {
    let (once, calls) = (Once::new(), AtomicUsize::new(0));
    scope(|s| {
        for _ in 0..10 {
            s.go(|| {
                once.call_once(|| {
                    yield_now();
                    calls.fetch_add(1, Ordering::SeqCst);
                });
                assert_eq!(calls.load(Ordering::SeqCst), 1);
            });
        }
    });
    let failing = Once::new();
    let call = || failing.call_once(|| std::panic::resume_unwind(Box::new(())));
    catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    assert!(!failing.is_completed());
    failing.call_once(|| ());
    assert!(failing.is_completed());
}

#[waterway::test]
fn a_call_that_waits_for_itself_says_so() {
    let once = Once::new();
    let call = AssertUnwindSafe(|| once.call_once(|| once.call_once(|| ())));
    let panic = catch_unwind(call).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("from within its own call") && text.contains("sync.rs"));
}

#[waterway::test]
fn a_value_is_set_once() {
    let place = OnceLock::new();
    let made = AtomicUsize::new(0);
    scope(|s| {
        for _ in 0..10 {
            s.go(|| {
                let value = place.get_or_init(|| {
                    yield_now();
                    made.fetch_add(1, Ordering::SeqCst)
                });
                assert_eq!(*value, 0);
            });
        }
    });
    assert_eq!(place.set(9), Err(9));
    let mut place = place;
    assert_eq!(place.take(), Some(0));
    assert_eq!(place.set(9), Ok(()));
    assert_eq!(place.into_inner(), Some(9));
}

#[waterway::test]
fn a_lazy_value_is_made_by_its_first_use() {
    let made = AtomicUsize::new(0);
    let lazy = LazyLock::new(|| made.fetch_add(1, Ordering::SeqCst) + 41);
    assert_eq!(made.load(Ordering::SeqCst), 0);
    assert_eq!((*lazy, *lazy), (41, 41));

    let failing: LazyLock<u32> = LazyLock::new(|| std::panic::resume_unwind(Box::new(())));
    let force = || *LazyLock::force(&failing);
    catch_unwind(AssertUnwindSafe(force)).unwrap_err();
    let panic = catch_unwind(AssertUnwindSafe(force)).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("panicked before"));
}

#[waterway::test]
fn permits_come_in_the_order_of_asking() {
    let semaphore = Semaphore::new(2);
    let held = semaphore.acquire(2);
    let (tx, rx) = chan(3);
    let mut asked = Vec::new();
    for n in [2, 1, 1] {
        let (waits, tx) = (semaphore.clone(), tx.clone());
        asked.push(Builder::new().name("asks").go(move || {
            let permit = waits.acquire(n);
            tx.send(permit.count()).unwrap();
        }));
        // The next one asks when this one stands in line.
        until(|| all_wait(&asked));
    }
    assert!(semaphore.try_acquire(1).is_none());
    drop(held);
    drop(tx);
    asked.into_iter().for_each(|a| a.join().unwrap());
    assert_eq!(rx.iter().collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(semaphore.available(), 2);
}

/// True if all of these stand in the semaphore's line.
fn all_wait<T>(asked: &[waterway::JoinHandle<T>]) -> bool {
    let mut text = Vec::new();
    waterway::watch::dump(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.matches("\"asks\" [semaphore, ").count() == asked.len()
}

#[waterway::test]
fn permits_can_be_moved_forgotten_and_added() {
    let semaphore = Semaphore::new(3);
    let permit = semaphore.acquire(2);
    go(move || drop(permit)).join().unwrap();
    assert_eq!(semaphore.available(), 3);
    semaphore.acquire(2).forget();
    assert_eq!(semaphore.available(), 1);
    assert!(semaphore.acquire_timeout(2, SHORT).is_none());
    semaphore.add_permits(1);
    assert!(semaphore.acquire_timeout(2, SHORT).is_some());
    let add = || semaphore.add_permits(usize::MAX);
    catch_unwind(AssertUnwindSafe(add)).unwrap_err();
    assert_eq!(semaphore.available(), 2);
}

#[waterway::test]
fn a_barrier_lets_all_pass_together_again_and_again() {
    let barrier = Barrier::new(4);
    let (rounds, leaders) = (AtomicUsize::new(0), AtomicUsize::new(0));
    scope(|s| {
        for _ in 0..4 {
            s.go(|| {
                for round in 1..=10 {
                    rounds.fetch_add(1, Ordering::SeqCst);
                    let leads = barrier.wait().is_leader();
                    leaders.fetch_add(usize::from(leads), Ordering::SeqCst);
                    assert!(rounds.load(Ordering::SeqCst) >= round * 4);
                }
            });
        }
    });
    assert_eq!(leaders.load(Ordering::SeqCst), 10);
    assert!(Barrier::new(0).wait().is_leader());
}

#[waterway::test]
fn a_pool_gives_back_what_was_put_in_and_keeps_no_more_than_it_may() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let pool = Pool::new(|| MADE.fetch_add(1, Ordering::SeqCst)).max_idle(16);
    let (first, second) = (pool.take(), pool.take());
    assert_eq!((*first, *second), (0, 1));
    drop(first);
    assert_eq!(*pool.take(), 0);
    assert_eq!(second.detach(), 1);
    drop((0..100).map(|_| pool.take()).collect::<Vec<_>>());
    assert!(pool.idle() <= 16, "{} are idle", pool.idle());
    scope(|s| {
        for _ in 0..100 {
            s.go(|| drop(pool.take()));
        }
    });
}

/// Threads and goroutines use the same locks.
#[test]
fn threads_and_goroutines_mix() {
    let lock = Arc::new(RwLock::new(0));
    let semaphore = Semaphore::new(2);
    let group = WaitGroup::new();
    let mut threads = Vec::new();
    for _ in 0..4 {
        let (writes, permits) = (lock.clone(), semaphore.clone());
        group.go(move || {
            for _ in 0..100 {
                let _permit = permits.acquire(1);
                *writes.write() += 1;
            }
        });
        let (writes, permits) = (lock.clone(), semaphore.clone());
        threads.push(std::thread::spawn(move || {
            for _ in 0..100 {
                let _permit = permits.acquire(2);
                *writes.write() += 1;
            }
        }));
    }
    group.wait();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(*lock.read(), 800);
}

#[test]
fn a_wait_for_a_condition_has_a_time_out() {
    let (lock, changed) = (Mutex::new(0), Condvar::new());
    let mut count = lock.lock();
    let brief = Duration::from_millis(1);
    let out = changed.wait_timeout_while(&mut count, brief, |count| *count == 0);
    assert!(out.timed_out());
    drop(count);
    scope(|s| {
        s.go(|| {
            for n in 1..=3 {
                *lock.lock() = n;
                changed.notify_one();
                yield_now();
            }
        });
        let mut count = lock.lock();
        let out = changed.wait_timeout_while(&mut count, Duration::MAX, |count| *count < 3);
        assert!(!out.timed_out() && *count == 3);
    });
}

#[test]
fn a_group_is_waited_for_as_long_as_one_likes() {
    let group = WaitGroup::new();
    let token = group.token();
    assert!(!group.wait_timeout(Duration::from_millis(1)));
    go(move || drop(token));
    assert!(group.wait_timeout(Duration::MAX));
    assert!(group.wait_timeout(Duration::ZERO));
}

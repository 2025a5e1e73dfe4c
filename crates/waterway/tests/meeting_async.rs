//! Tasks that meet others at a barrier, and wait for conditions: alone, and together with goroutines and threads.

mod by_hand;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use by_hand::{Hand, blocked};
use futures::executor::ThreadPool;
use futures::task::SpawnExt;
use waterway::sync::{AsyncMutexGuard, Barrier, Condvar, Mutex};
use waterway::{block_on, go};

fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap()
}

#[test]
fn the_last_to_come_lets_all_pass_and_leads() {
    let barrier = Barrier::new(3);
    for _ in 0..2 {
        let mut first = Hand::new(barrier.wait_async()).pends();
        let mut second = Hand::new(barrier.wait_async()).pends();
        assert!(first.poll().is_none(), "it has come once, not twice");
        let mut last = Hand::new(barrier.wait_async());
        assert_eq!((first.wakes(), second.wakes()), (0, 0));
        assert!(last.poll().expect("all have come").is_leader());
        assert_eq!((first.wakes(), second.wakes()), (1, 1));
        assert!(!first.poll().expect("all have come").is_leader());
        assert!(!second.poll().expect("all have come").is_leader());
    }
}

#[test]
fn a_task_has_come_with_its_first_poll() {
    let barrier = Barrier::new(2);
    let not_polled = barrier.wait_async();
    let mut first = Hand::new(barrier.wait_async()).pends();
    drop(not_polled);
    assert!(first.poll().is_none());
    assert!(barrier.wait().is_leader());
    assert!(first.poll().is_some());
}

#[test]
fn a_task_that_goes_has_not_come() {
    let barrier = Barrier::new(3);
    let mut fickle = Hand::new(barrier.wait_async()).pends();
    let mut stays = Hand::new(barrier.wait_async()).pends();
    fickle.cancel();
    let mut another = Hand::new(barrier.wait_async()).pends();
    assert!(stays.poll().is_none());
    assert!(barrier.wait().is_leader());
    assert!(stays.poll().is_some() && another.poll().is_some());
}

#[test]
fn a_task_that_goes_after_the_last_has_come_takes_nobodys_place() {
    let barrier = Barrier::new(2);
    let mut late = Hand::new(barrier.wait_async()).pends();
    assert!(barrier.wait().is_leader());
    late.cancel();
    // The next round takes two, as ever.
    let mut next = Hand::new(barrier.wait_async()).pends();
    assert!(barrier.wait().is_leader());
    assert!(next.poll().is_some());
}

#[test]
fn a_task_lets_goroutines_pass() {
    let barrier = Barrier::new(2);
    let other = barrier.clone();
    let goroutine = blocked("barrier", move || other.wait().is_leader());
    assert!(block_on(barrier.wait_async()).is_leader());
    assert!(!goroutine.join().unwrap());
}

#[test]
fn goroutines_threads_and_tasks_meet_round_after_round() {
    const ROUNDS: usize = 50;
    let (tokio, pool) = (
        tokio(),
        ThreadPool::builder().pool_size(2).create().unwrap(),
    );
    let barrier = Barrier::new(5);
    let (came, leaders) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let meet = || {
        let (barrier, came, leaders) = (barrier.clone(), came.clone(), leaders.clone());
        async move {
            for round in 1..=ROUNDS {
                came.fetch_add(1, Ordering::SeqCst);
                let leads = barrier.wait_async().await.is_leader();
                assert!(came.load(Ordering::SeqCst) >= 5 * round);
                leaders.fetch_add(usize::from(leads), Ordering::SeqCst);
            }
        }
    };
    let meet_here = || {
        let (barrier, came, leaders) = (barrier.clone(), came.clone(), leaders.clone());
        move || {
            for round in 1..=ROUNDS {
                came.fetch_add(1, Ordering::SeqCst);
                let leads = barrier.wait().is_leader();
                assert!(came.load(Ordering::SeqCst) >= 5 * round);
                leaders.fetch_add(usize::from(leads), Ordering::SeqCst);
            }
        }
    };
    let (task, thread, goroutine) = (meet(), thread::spawn(meet_here()), go(meet_here()));
    let in_goroutine = go(move || block_on(task));
    let in_pool = pool.spawn_with_handle(meet()).unwrap();
    tokio.block_on(tokio.spawn(meet())).unwrap();
    futures::executor::block_on(in_pool);
    thread.join().unwrap();
    goroutine.join().unwrap();
    in_goroutine.join().unwrap();
    assert_eq!(leaders.load(Ordering::SeqCst), ROUNDS);
}

/// A task that waits in `condvar`, and has unlocked `lock`.
fn waits<'a, T>(
    condvar: &'a Condvar,
    lock: &'a Mutex<T>,
) -> Hand<impl Future<Output = AsyncMutexGuard<'a, T>> + Unpin> {
    let guard = Hand::new(lock.lock_async()).poll().expect("it is free");
    let hand = Hand::new(condvar.wait_async(guard));
    assert!(
        lock.try_lock().is_none(),
        "it is locked until the first poll"
    );
    let hand = hand.pends();
    assert!(lock.try_lock().is_some(), "it is unlocked while it waits");
    hand
}

#[test]
fn tasks_are_notified_in_order_and_have_the_lock_again() {
    let (lock, condvar) = (Mutex::new(0), Condvar::new());
    let mut first = waits(&condvar, &lock);
    let mut second = waits(&condvar, &lock);
    condvar.notify_one();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    assert!(second.poll().is_none());
    let mut guard = first.poll().expect("it was notified");
    assert!(lock.try_lock().is_none());
    *guard += 1;
    drop(guard);
    condvar.notify_one();
    assert_eq!(*second.poll().expect("it was notified"), 1);
}

#[test]
fn goroutines_and_tasks_wait_in_one_line() {
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let (lock, condvar) = &*shared;
    let mut first = waits(condvar, lock);
    let other = shared.clone();
    let goroutine = blocked("sync.Cond.Wait", move || other.1.wait(&mut other.0.lock()));
    let mut third = waits(condvar, lock);
    condvar.notify_one();
    condvar.notify_one();
    goroutine.join().unwrap();
    assert_eq!((first.wakes(), third.wakes()), (1, 0));
    drop(first.poll().expect("it was notified"));
    condvar.notify_one();
    drop(third.poll().expect("it was notified"));
}

#[test]
fn all_are_notified_and_lock_one_after_the_other() {
    let (lock, condvar) = (Mutex::new(()), Condvar::new());
    let (mut first, mut second) = (waits(&condvar, &lock), waits(&condvar, &lock));
    condvar.notify_all();
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    let guard = first.poll().expect("the lock is free");
    assert!(second.poll().is_none(), "the other has the lock");
    drop(guard);
    assert_eq!(second.wakes(), 2);
    drop(second.poll().expect("the lock is free"));
}

#[test]
fn a_task_that_goes_leaves_the_line() {
    let (lock, condvar) = (Mutex::new(()), Condvar::new());
    let (mut fickle, mut stays) = (waits(&condvar, &lock), waits(&condvar, &lock));
    fickle.cancel();
    condvar.notify_one();
    drop(stays.poll().expect("it was notified"));
}

#[test]
fn a_future_that_is_never_polled_unlocks_and_was_not_in_line() {
    let (lock, condvar) = (Mutex::new(()), Condvar::new());
    let guard = Hand::new(lock.lock_async()).poll().expect("it is free");
    drop(condvar.wait_async(guard));
    let mut next = waits(&condvar, &lock);
    condvar.notify_one();
    assert!(next.poll().is_some());
}

#[test]
fn a_notification_that_is_not_used_goes_to_the_next() {
    let (lock, condvar) = (Mutex::new(()), Condvar::new());
    let (mut fickle, mut next) = (waits(&condvar, &lock), waits(&condvar, &lock));
    condvar.notify_one();
    fickle.cancel();
    assert_eq!(next.wakes(), 1);
    drop(next.poll().expect("it was notified"));
    assert!(lock.try_lock().is_some());
}

#[test]
fn a_notification_whose_task_goes_before_it_has_the_lock_goes_to_the_next() {
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let (lock, condvar) = &*shared;
    let mut fickle = waits(condvar, lock);
    let other = shared.clone();
    let next = blocked("sync.Cond.Wait", move || other.1.wait(&mut other.0.lock()));
    let held = lock.lock();
    condvar.notify_one();
    assert!(fickle.poll().is_none(), "it is in the line at the lock");
    fickle.cancel();
    drop(held);
    next.join().unwrap();
    assert!(lock.try_lock().is_some());
}

#[test]
fn a_notification_of_all_is_not_passed_on_to_who_came_later() {
    let (lock, condvar) = (Mutex::new(()), Condvar::new());
    let (mut told, mut locks) = (waits(&condvar, &lock), waits(&condvar, &lock));
    condvar.notify_all();
    let mut later = waits(&condvar, &lock);
    let held = lock.lock();
    assert!(locks.poll().is_none());
    locks.cancel();
    told.cancel();
    drop(held);
    assert_eq!(later.wakes(), 0);
    assert!(later.poll().is_none());
    condvar.notify_one();
    assert!(later.poll().is_some());
}

#[test]
fn a_notification_that_was_used_is_not_passed_on() {
    let (lock, condvar) = (Mutex::new(()), Condvar::new());
    let (mut first, next) = (waits(&condvar, &lock), waits(&condvar, &lock));
    condvar.notify_one();
    drop(first.poll().expect("it was notified"));
    first.cancel();
    assert_eq!(next.wakes(), 0);
}

#[test]
fn a_task_with_another_mutex_panics_and_unlocks_it() {
    let (lock, another, condvar) = (Mutex::new(()), Mutex::new(()), Condvar::new());
    let mut waiting = waits(&condvar, &lock);
    let guard = Hand::new(another.lock_async()).poll().expect("it is free");
    let mut wrong = Hand::new(condvar.wait_async(guard));
    let panic = catch_unwind(AssertUnwindSafe(|| wrong.poll().is_some())).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(message.contains("waited in with two mutexes"), "{message}");
    drop(wrong);
    assert!(another.try_lock().is_some());
    condvar.notify_one();
    assert!(waiting.poll().is_some(), "the other waits on");
    // One after the other is fine.
    drop(waiting);
    let mut later = waits(&condvar, &another);
    condvar.notify_one();
    assert!(later.poll().is_some());
}

#[test]
fn a_goroutine_with_another_mutex_than_a_task_panics() {
    let (lock, another, condvar) = (Mutex::new(()), Mutex::new(()), Condvar::new());
    let _waiting = waits(&condvar, &lock);
    let mut guard = another.lock();
    let brief = Duration::from_millis(1);
    let wrong = catch_unwind(AssertUnwindSafe(|| condvar.wait_timeout(&mut guard, brief)));
    assert!(wrong.is_err());
}

/// Values through a buffer of two, between goroutines and tasks on both sides.
#[test]
fn goroutines_and_tasks_fill_and_empty_one_buffer() {
    const EACH: usize = 200;
    #[derive(Default)]
    struct Buffer {
        values: Mutex<Vec<usize>>,
        filled: Condvar,
        emptied: Condvar,
    }
    let (tokio, buffer) = (tokio(), Arc::new(Buffer::default()));
    let fill = {
        let buffer = buffer.clone();
        async move {
            for n in 1..=EACH {
                let values = buffer.values.lock_async().await;
                let full = |values: &mut Vec<usize>| values.len() == 2;
                buffer.emptied.wait_while_async(values, full).await.push(n);
                buffer.filled.notify_one();
            }
        }
    };
    let empty = {
        let buffer = buffer.clone();
        async move {
            let mut sum = 0;
            for _ in 0..EACH {
                let mut values = buffer.values.lock_async().await;
                while values.is_empty() {
                    values = buffer.filled.wait_async(values).await;
                }
                sum += values.pop().expect("it is not empty");
                buffer.emptied.notify_one();
            }
            sum
        }
    };
    let (fill, empty) = (tokio.spawn(fill), tokio.spawn(empty));
    let other = buffer.clone();
    let goroutine_fills = go(move || {
        for n in 1..=EACH {
            let mut values = other.values.lock();
            other.emptied.wait_while(&mut values, |v| v.len() == 2);
            values.push(n);
            other.filled.notify_one();
        }
    });
    let goroutine_empties = go(move || {
        let take = |_| {
            let mut values = buffer.values.lock();
            buffer.filled.wait_while(&mut values, |v| v.is_empty());
            buffer.emptied.notify_one();
            values.pop().expect("it is not empty")
        };
        (0..EACH).map(take).sum::<usize>()
    });
    goroutine_fills.join().unwrap();
    tokio.block_on(fill).unwrap();
    let sums = tokio.block_on(empty).unwrap() + goroutine_empties.join().unwrap();
    assert_eq!(sums, EACH * (EACH + 1));
}

/// Tasks that give up at every moment take no notification with them.
#[test]
fn no_notification_is_lost_to_tasks_that_go() {
    let tokio = tokio();
    let shared = Arc::new((Mutex::new(0_usize), Condvar::new()));
    for _ in 0..100 {
        let fickle = {
            let shared = shared.clone();
            tokio.spawn(async move {
                let (lock, condvar) = &*shared;
                let wait = condvar.wait_async(lock.lock_async().await);
                let brief = async {
                    for _ in 0..3 {
                        tokio::task::yield_now().await;
                    }
                };
                futures::pin_mut!(wait, brief);
                let first = futures::future::select(wait, brief).await;
                matches!(first, futures::future::Either::Left(_))
            })
        };
        let waits = shared.clone();
        let stays = go(move || {
            let (lock, condvar) = &*waits;
            let mut left = lock.lock();
            condvar.wait_while(&mut left, |left| *left == 0);
            *left -= 1;
        });
        *shared.0.lock() += 1;
        shared.1.notify_one();
        // Unless it was used, the one notification is for who stays.
        if tokio.block_on(fickle).unwrap() {
            shared.1.notify_one();
        }
        stays.join().unwrap();
    }
}

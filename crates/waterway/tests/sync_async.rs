//! Locks, permits and groups for async tasks, alone and together with goroutines and threads; `block_on`.

mod by_hand;

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use by_hand::{Hand, blocked, dump, until};
use waterway::sync::{Mutex, RwLock, Semaphore, WaitGroup};
use waterway::time::{Ticker, sleep_async};
use waterway::{block_on, chan, go, go_local};

#[test]
fn a_free_mutex_is_taken_at_once() {
    let lock = Mutex::new(1);
    let guard = Hand::new(lock.lock_async()).poll().expect("it is free");
    assert!(lock.try_lock().is_none());
    assert!(format!("{lock:?}").contains("<locked>"));
    // The guard is for tasks: it may go to another thread.
    thread::scope(|s| {
        s.spawn(move || {
            let mut guard = guard;
            *guard += 1;
        });
    });
    assert_eq!(*lock.try_lock().expect("it is free again"), 2);
}

#[test]
fn a_mutex_tells_one_task_at_a_time_in_order() {
    let lock = Mutex::new(());
    let held = lock.lock();
    let mut first = Hand::new(lock.lock_async()).pends();
    let mut second = Hand::new(lock.lock_async()).pends();
    drop(held);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    let guard = first.poll().expect("it was told");
    assert!(second.poll().is_none());
    drop(guard);
    assert_eq!(second.wakes(), 1);
    drop(second.poll().expect("it was told"));
    assert!(lock.try_lock().is_some(), "nothing is left behind");
}

#[test]
fn a_told_task_that_goes_tells_the_next() {
    let lock = Arc::new(Mutex::new(0));
    let held = lock.lock();
    let mut first = Hand::new(lock.lock_async()).pends();
    let mut second = Hand::new(lock.lock_async()).pends();
    let third = {
        let lock = lock.clone();
        blocked("sync.Mutex.Lock", move || *lock.lock() += 1)
    };
    drop(held);
    first.cancel();
    assert_eq!(second.wakes(), 1, "the next task");
    second.cancel();
    third.join().unwrap();
    assert_eq!(*lock.try_lock().expect("it is free"), 1);
}

#[test]
fn a_task_that_goes_untold_tells_nobody() {
    let lock = Mutex::new(());
    let held = lock.lock();
    let mut first = Hand::new(lock.lock_async()).pends();
    let mut second = Hand::new(lock.lock_async()).pends();
    first.cancel();
    assert_eq!(second.wakes(), 0);
    drop(held);
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_some());
}

/// A task is told, not handed the lock: another may come first. It keeps its place then.
#[test]
fn a_told_task_may_lose_and_keeps_its_place() {
    let lock = Mutex::new(());
    let held = lock.lock();
    let mut first = Hand::new(lock.lock_async()).pends();
    let mut second = Hand::new(lock.lock_async()).pends();
    drop(held);
    let sooner = lock.try_lock().expect("nobody holds it");
    assert!(first.poll().is_none());
    drop(sooner);
    assert_eq!((first.wakes(), second.wakes()), (2, 0));
    drop(first.poll().expect("it is free"));
    assert!(second.poll().is_some());
}

/// Nobody waits for a task that was told and is not polled, once the lock has been held again.
#[test]
fn a_told_task_is_passed_over() {
    let lock = Arc::new(Mutex::new(0));
    let held = lock.lock();
    let mut lazy = Hand::new(lock.lock_async()).pends();
    let other = {
        let lock = lock.clone();
        blocked("sync.Mutex.Lock", move || *lock.lock() += 1)
    };
    drop(held);
    assert_eq!(lazy.wakes(), 1);
    drop(lock.try_lock());
    other.join().unwrap();
    assert_eq!(*lazy.poll().expect("it is free"), 1);
}

#[test]
fn a_dump_says_who_holds_the_lock_and_where_it_was_taken() {
    let lock = Arc::new(Mutex::new(0));
    let other = lock.clone();
    let guard = Hand::new(lock.lock_async()).poll().unwrap();
    let line = line!() - 1;
    let waits = blocked("sync.Mutex.Lock", move || drop(other.lock()));
    let text = dump();
    let said = format!("held by an async task (locked at {}:{line}:", file!());
    assert!(text.contains(&said), "{said} is not in {text}");
    drop(guard);
    waits.join().unwrap();

    let rw = Arc::new(RwLock::new(0));
    let (guard, line) = (rw.write(), line!());
    let other = rw.clone();
    let waits = blocked("sync.RWMutex.RLock", move || drop(other.read()));
    let text = dump();
    let said = format!("held by a writer (locked at {}:{line}:", file!());
    assert!(text.contains(&said), "{said} is not in {text}");
    drop(guard);
    waits.join().unwrap();
}

#[test]
fn a_waiting_writer_task_stops_new_readers_until_it_goes() {
    let lock = Arc::new(RwLock::new(0));
    let reader = lock.read();
    let mut writer = Hand::new(lock.write_async()).pends();
    assert!(lock.try_read().is_none());
    let mut behind = Hand::new(lock.read_async()).pends();
    let also = {
        let lock = lock.clone();
        blocked("sync.RWMutex.RLock", move || *lock.read())
    };
    writer.cancel();
    assert_eq!(behind.wakes(), 1);
    assert_eq!(also.join().unwrap(), 0);
    let guard = behind.poll().expect("only readers are there");
    drop((reader, guard));
    assert!(lock.try_write().is_some());
}

#[test]
fn tasks_and_goroutines_stand_in_one_line_for_an_rw_lock() {
    let lock = Arc::new(RwLock::new(0));
    let writer = lock.write();
    let mut reader = Hand::new(lock.read_async()).pends();
    let writes = {
        let lock = lock.clone();
        blocked("sync.RWMutex.Lock", move || *lock.write() += 1)
    };
    drop(writer);
    assert_eq!(reader.wakes(), 1);
    assert!(lock.try_write().is_none(), "the reader comes first");
    assert!(!writes.is_finished());
    assert_eq!(*reader.poll().expect("it was told"), 0);
    writes.join().unwrap();
    // A told writer that goes lets the next one on.
    let held = lock.read();
    let mut first = Hand::new(lock.write_async()).pends();
    let mut second = Hand::new(lock.write_async()).pends();
    drop(held);
    first.cancel();
    assert_eq!(second.wakes(), 1);
    *second.poll().expect("it was told") += 1;
    assert_eq!(*lock.read(), 2);
}

#[test]
fn permits_of_tasks_come_in_the_order_of_asking() {
    let semaphore = Semaphore::new(2);
    let held = semaphore.acquire(1);
    let mut many = Hand::new(semaphore.acquire_async(2)).pends();
    let mut few = Hand::new(semaphore.acquire_async(1)).pends();
    assert!(
        semaphore.try_acquire(1).is_none(),
        "who wants many is not overtaken"
    );
    let thread = {
        let semaphore = semaphore.clone();
        blocked("semaphore", move || semaphore.acquire(1).count())
    };
    drop(held);
    assert_eq!((many.wakes(), few.wakes()), (1, 0));
    let both = many.poll().expect("it was told");
    assert_eq!(both.count(), 2);
    assert!(few.poll().is_none());
    drop(both);
    assert_eq!(few.wakes(), 1);
    // Two are free: the task takes one, and the goroutine behind it is served.
    let one = few.poll().expect("it was told");
    thread.join().unwrap();
    drop(one);
    assert_eq!(semaphore.available(), 2);
}

#[test]
fn a_told_task_that_goes_leaves_its_permits_to_the_next() {
    let semaphore = Semaphore::new(1);
    let held = semaphore.acquire(1);
    let mut first = Hand::new(semaphore.acquire_async(1)).pends();
    let mut second = Hand::new(semaphore.acquire_async(1)).pends();
    drop(held);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    first.cancel();
    assert_eq!(second.wakes(), 1);
    assert!(second.poll().is_some());
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_group_tells_tasks_of_each_zero() {
    let group = WaitGroup::new();
    assert!(Hand::new(group.wait_async()).poll().is_some());
    group.add(1);
    let mut waits = Hand::new(group.wait_async()).pends();
    let mut goes = Hand::new(group.wait_async()).pends();
    goes.cancel();
    group.done();
    group.add(1);
    // It waited for that zero, whatever came then.
    assert_eq!(waits.wakes(), 1);
    assert!(waits.poll().is_some());
    let mut again = Hand::new(group.wait_async()).pends();
    let token = group.token();
    group.done();
    assert!(again.poll().is_none());
    drop(token);
    assert!(again.poll().is_some());
}

#[test]
fn a_token_is_done_when_a_panic_drops_it() {
    let group = WaitGroup::new();
    let token = group.token();
    go(move || {
        let _token = token;
        std::panic::resume_unwind(Box::new(()));
    })
    .join()
    .unwrap_err();
    group.wait();
}

#[test]
fn rw_locks_have_time_outs() {
    const SHORT: Duration = Duration::from_millis(5);
    let lock = Arc::new(RwLock::new(0));
    let reader = lock.read();
    assert!(lock.write_timeout(SHORT).is_none());
    assert!(lock.try_read().is_some(), "the writer left nothing behind");
    // Readers behind a writer go on when it gives up.
    let writer = {
        let lock = lock.clone();
        go(move || lock.write_timeout(Duration::from_millis(100)).is_none())
    };
    // It may have given up before it was seen, where others have the CPUs.
    until(|| writer.is_finished() || dump().contains("[sync.RWMutex.Lock, "));
    drop(lock.read());
    assert!(writer.join().unwrap());
    drop(reader);
    let writer = lock.write_timeout(SHORT).expect("it is free");
    assert!(lock.read_timeout(SHORT).is_none());
    drop(writer);
    assert_eq!(*lock.read_timeout(SHORT).expect("it is free"), 0);
}

#[test]
fn tasks_sleep() {
    let begin = Instant::now();
    let (long, short) = (Duration::from_millis(30), Duration::from_millis(10));
    let mut never = Hand::new(sleep_async(Duration::from_secs(3600))).pends();
    let mut late = Hand::new(sleep_async(long)).pends();
    block_on(sleep_async(short));
    assert!(begin.elapsed() >= short);
    until(|| late.wakes() > 0);
    assert!(begin.elapsed() >= long);
    assert!(late.poll().is_some());
    assert!(Hand::new(sleep_async(Duration::ZERO)).poll().is_some());
    assert!(never.poll().is_none());
    let ticker = Ticker::new(Duration::from_millis(1));
    block_on(async {
        let first = ticker.channel().recv_async().await.unwrap();
        assert!(ticker.channel().recv_async().await.unwrap() > first);
    });
}

#[waterway::test]
fn block_on_parks_the_goroutine_and_not_its_worker() {
    let (tx, rx) = chan::<u8>(0);
    let steps = Rc::new(Cell::new(0));
    let counted = steps.clone();
    let sibling = go_local(move || {
        counted.set(1);
        // The sender lives on the same worker as the one that waits in `block_on`.
        tx.send(7).unwrap();
    });
    assert_eq!(block_on(rx.recv_async()), Ok(7));
    assert_eq!(steps.get(), 1);
    sibling.join().unwrap();
    // And it is seen in dumps.
    let (tx, rx) = chan::<u8>(0);
    let waits = blocked("block_on", move || block_on(rx.recv_async()).is_err());
    drop(tx);
    assert!(waits.join().unwrap());
}

/// A waker may be called before the future has returned, many times at once, by clones, after the end, and never.
#[test]
fn a_waker_may_be_called_at_any_time() {
    let kept: Arc<std::sync::Mutex<Vec<Waker>>> = Arc::default();
    let wakers = kept.clone();
    let task = move || {
        let mut polls = 0;
        let future = poll_fn(move |cx| {
            polls += 1;
            let waker = cx.waker().clone();
            match polls {
                1 => waker.wake_by_ref(),
                2 => {
                    let waker = waker.clone();
                    drop(thread::spawn(move || {
                        (0..100).for_each(|_| waker.wake_by_ref());
                    }));
                }
                // The rest of the hundred.
                3..10 => waker.wake_by_ref(),
                _ => {
                    wakers.lock().unwrap().push(waker);
                    return Poll::Ready(polls);
                }
            }
            Poll::Pending
        });
        block_on(future)
    };
    assert!(task.clone()() >= 10);
    assert!(go(task).join().unwrap() >= 10);
    let wakers: Vec<_> = kept.lock().unwrap().drain(..).collect();
    for waker in &wakers {
        waker.wake_by_ref();
        let clone = waker.clone();
        clone.wake();
    }
    std::mem::forget(wakers);
}

#[test]
fn block_on_nests_and_lets_panics_through() {
    let nested = go(|| block_on(async { 1 + block_on(async { 2 }) }));
    assert_eq!(nested.join().unwrap(), 3);
    let panics = go(|| block_on(async { std::panic::resume_unwind(Box::new(5)) }));
    let payload: Box<dyn std::any::Any + Send> = panics.join().map(|(): ()| ()).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&5));
}

/// Counts of what tasks, goroutines and threads did under one lock of each kind.
#[test]
fn everybody_shares_locks() {
    const ROUNDS: usize = 300;
    let all = Arc::new((Mutex::new(0), RwLock::new(0), Semaphore::new(2)));
    let group = WaitGroup::new();
    for kind in 0..6 {
        let (all, token) = (all.clone(), group.token());
        let work = move || {
            let _token = token;
            let (mutex, rw, semaphore) = &*all;
            for round in 0..ROUNDS {
                let by_task = (kind + round) % 2 == 0;
                if by_task {
                    block_on(async {
                        *mutex.lock_async().await += 1;
                        let _permit = semaphore.acquire_async(1 + round % 2).await;
                        let seen = *rw.read_async().await;
                        *rw.write_async().await += 1;
                        assert!(*rw.read_async().await > seen);
                    });
                } else {
                    *mutex.lock() += 1;
                    let _permit = semaphore.acquire(1 + round % 2);
                    let seen = *rw.read();
                    *rw.write() += 1;
                    assert!(*rw.read() > seen);
                }
            }
        };
        match kind % 2 {
            0 => drop(go(work)),
            _ => drop(thread::spawn(work)),
        }
    }
    block_on(group.wait_async());
    assert_eq!(*all.0.lock(), 6 * ROUNDS);
    assert_eq!(*all.1.read(), 6 * ROUNDS);
    assert_eq!(all.2.available(), 2);
}

#[test]
fn futures_of_locks_can_be_sent() {
    fn send<T: Send>(_: &T) {}
    let (mutex, rw, semaphore, group) = (
        Mutex::new(Cell::new(0)),
        RwLock::new(0),
        Semaphore::new(1),
        WaitGroup::new(),
    );
    send(&mutex.lock_async());
    send(&rw.read_async());
    send(&rw.write_async());
    send(&semaphore.acquire_async(1));
    send(&group.wait_async());
    send(&sleep_async(Duration::ZERO));
    block_on(async {
        send(&mutex.lock_async().await);
        send(&rw.read_async().await);
        send(&rw.write_async().await);
    });
}

//! Go's `sync/mutex_test.go`, `rwmutex_test.go` and `waitgroup_test.go`.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use waterway::sync::{Mutex, RwLock, WaitGroup};
use waterway::time::{after, sleep};
use waterway::{chan, go, select};
use waterway_conformance::{LONG, blocked, bound};

/// Go: TestMutex (mutex_test.go).
#[waterway::test]
fn mutex() {
    let _bound = bound();
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.lock();
    assert!(mutex.try_lock().is_none(), "it is locked");
    drop(guard);
    drop(mutex.try_lock().expect("it is free"));
    let (done, finished) = chan(0);
    for _ in 0..10 {
        let (mutex, done) = (mutex.clone(), done.clone());
        go(move || {
            let mut counted = 0;
            for n in 0..1000 {
                if n % 3 == 0 {
                    if let Some(mut guard) = mutex.try_lock() {
                        *guard += 1;
                        counted += 1;
                    }
                    continue;
                }
                *mutex.lock() += 1;
                counted += 1;
            }
            done.send(counted).unwrap();
        });
    }
    let counted: usize = finished.iter().take(10).sum();
    assert_eq!(*mutex.lock(), counted);
}

/// Go: TestMutexMisuse (mutex_test.go). Unlocking what is not locked ends the process in Go; here it cannot be written: a
/// guard is needed, and dropping it takes it away. What can be: locking twice, which waits for ever as it does in Go.
#[waterway::test]
fn a_mutex_that_is_locked_twice_waits() {
    let _bound = bound();
    let twice = blocked("sync.Mutex.Lock", || {
        let mutex = Mutex::new(());
        let _first = mutex.lock();
        drop(mutex.lock());
    });
    assert!(!twice.is_finished());
}

/// Go: TestMutexFairness (mutex_test.go). One that holds the lock nearly all the time does not keep another from it.
#[waterway::test]
fn a_mutex_is_fair() {
    let _bound = bound();
    let mutex = Arc::new(Mutex::new(()));
    let (stop, stopped) = chan::<()>(0);
    let held = mutex.clone();
    let hog = go(move || {
        loop {
            let guard = held.lock();
            sleep(Duration::from_micros(100));
            drop(guard);
            select! { recv(stopped) -> _ => return, default => {} }
        }
    });
    let (done, finished) = chan(1);
    go(move || {
        for _ in 0..10 {
            sleep(Duration::from_micros(100));
            drop(mutex.lock());
        }
        done.send(()).unwrap();
    });
    select! {
        recv(finished) -> v => v.unwrap(),
        recv(after(LONG)) -> _ => panic!("the mutex cannot be had"),
    }
    stop.close();
    hog.join().unwrap();
}

/// Go: TestWaitGroup (waitgroup_test.go). Two groups as barriers, eight times.
#[waterway::test]
fn wait_group() {
    const N: usize = 16;
    let _bound = bound();
    let (first, second) = (WaitGroup::new(), WaitGroup::new());
    for _ in 0..8 {
        first.add(N as isize);
        second.add(N as isize);
        let (exits, exited) = chan(N);
        for _ in 0..N {
            let (first, second, exits) = (first.clone(), second.clone(), exits.clone());
            go(move || {
                first.done();
                second.wait();
                exits.send(true).unwrap();
            });
        }
        first.wait();
        for _ in 0..N {
            select! { recv(exited) -> _ => panic!("released too soon"), default => {} }
            second.done();
        }
        assert_eq!(exited.iter().take(N).count(), N);
    }
}

/// Go: TestWaitGroupMisuse (waitgroup_test.go).
#[waterway::test]
fn wait_group_below_zero() {
    let _bound = bound();
    let group = WaitGroup::new();
    group.add(1);
    group.done();
    let panic = catch_unwind(AssertUnwindSafe(|| group.done())).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("negative WaitGroup counter"), "{text}");
    // And it is as it was.
    group.wait();
}

/// Go: TestWaitGroupRace (waitgroup_test.go). A wait does not return before both are done.
#[waterway::test]
fn wait_group_race() {
    let _bound = bound();
    for _ in 0..1000 {
        let (group, n) = (WaitGroup::new(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..2 {
            group.add(1);
            let (group, n) = (group.clone(), n.clone());
            go(move || {
                n.fetch_add(1, Ordering::Relaxed);
                group.done();
            });
        }
        group.wait();
        assert_eq!(n.load(Ordering::Relaxed), 2, "a wake without reason");
    }
}

/// Go: TestWaitGroupAlign (waitgroup_test.go). A group behind an odd field.
#[waterway::test]
fn wait_group_align() {
    #[repr(C)]
    struct Odd {
        first: u8,
        group: WaitGroup,
    }
    let _bound = bound();
    let odd = Arc::new(Odd {
        first: 1,
        group: WaitGroup::new(),
    });
    odd.group.add(1);
    let other = odd.clone();
    go(move || other.group.done());
    odd.group.wait();
    assert_eq!(odd.first, 1);
}

/// Go: TestWaitGroupGo (waitgroup_test.go).
#[waterway::test]
fn wait_group_go() {
    let _bound = bound();
    let (group, n) = (WaitGroup::new(), Arc::new(AtomicUsize::new(0)));
    let counter = n.clone();
    group.go(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    group.wait();
    assert_eq!(n.load(Ordering::Relaxed), 1);
}

/// Go: TestParallelReaders (rwmutex_test.go). Readers hold the lock together.
#[waterway::test]
fn parallel_readers() {
    let _bound = bound();
    for n in [1, 3, 4] {
        let lock = Arc::new(RwLock::new(()));
        let (locked, all_locked) = chan(0);
        let (unlock, unlocked) = chan(0);
        let readers: Vec<_> = (0..n)
            .map(|_| {
                let (lock, locked, unlocked) = (lock.clone(), locked.clone(), unlocked.clone());
                go(move || {
                    let _reader = lock.read();
                    locked.send(()).unwrap();
                    unlocked.recv().unwrap();
                })
            })
            .collect();
        assert_eq!(all_locked.iter().take(n).count(), n, "all hold it at once");
        (0..n).for_each(|_| unlock.send(()).unwrap());
        readers
            .into_iter()
            .for_each(|reader| reader.join().unwrap());
    }
}

/// Go: TestRWMutex (rwmutex_test.go). What can be had beside what.
#[waterway::test]
fn rw_mutex() {
    let _bound = bound();
    let lock = RwLock::new(());
    let writer = lock.write();
    assert!(lock.try_write().is_none() && lock.try_read().is_none());
    drop(writer);
    drop(lock.try_write().expect("it is free"));
    let first = lock.try_read().expect("it is free");
    let second = lock.try_read().expect("only read");
    assert!(lock.try_write().is_none());
    drop((first, second));
    for readers in [1, 3, 10] {
        hammer(readers, 200);
    }
}

/// Two writers, who are alone, among readers, who are not.
fn hammer(readers: usize, rounds: usize) {
    const WRITER: usize = 10_000;
    let (lock, activity) = (RwLock::new(()), AtomicUsize::new(0));
    waterway::scope(|s| {
        for n in 0..readers + 2 {
            let (lock, activity) = (&lock, &activity);
            s.go(move || {
                for _ in 0..rounds {
                    if n == 0 || n == readers / 2 + 1 {
                        let _writer = lock.write();
                        assert_eq!(activity.fetch_add(WRITER, Ordering::SeqCst), 0);
                        (0..100).for_each(|n| _ = std::hint::black_box(n));
                        activity.fetch_sub(WRITER, Ordering::SeqCst);
                    } else {
                        let _reader = lock.read();
                        assert!(activity.fetch_add(1, Ordering::SeqCst) < WRITER);
                        (0..100).for_each(|n| _ = std::hint::black_box(n));
                        activity.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(activity.into_inner(), 0);
}

/// Go: TestRLocker (rwmutex_test.go). A writer waits for the last of two readers, and a reader for the writer.
#[waterway::test]
fn readers_and_a_writer_in_turns() {
    let _bound = bound();
    let lock = Arc::new(RwLock::new(0));
    for round in 0..10 {
        let (first, second) = (lock.read(), lock.read());
        let own = lock.clone();
        let (written, end) = (chan(1), chan::<()>(0));
        let writer = blocked("sync.RWMutex.Lock", move || {
            let mut value = own.write();
            *value += 1;
            written.0.send(()).unwrap();
            end.1.recv().unwrap_err();
        });
        drop(first);
        select! { recv(written.1) -> _ => panic!("a reader is there"), default => {} }
        drop(second);
        written.1.recv().unwrap();
        let own = lock.clone();
        let reader = blocked("sync.RWMutex.RLock", move || *own.read());
        assert!(!reader.is_finished(), "the writer is there");
        end.0.close();
        assert_eq!(reader.join().unwrap(), round + 1);
        writer.join().unwrap();
    }
}

//! Programs whose main waits for ever, with the policy that makes it panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use waterway::sync::{Barrier, Condvar, Mutex, RwLock, Semaphore};
use waterway::{Builder, Context, Select, block_on, chan, go, scope, select};

use super::never_done;

/// The wait that `f` ends in is ended by a panic that says so.
#[track_caller]
fn is_reaped<T>(f: impl FnOnce() -> T) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(f)) else {
        panic!("the wait has ended by itself");
    };
    let text = panic.downcast_ref::<String>().expect("a message");
    assert!(text.starts_with("all goroutines are asleep"), "{text}");
}

struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn each_wait() {
    channels();
    selects();
    locks();
    contexts();
    tasks();

    let stuck = never_done();
    let waits = stuck.clone();
    let handle = go(move || waits.wait());
    is_reaped(|| handle.join());
    stuck.done();
    stuck.wait();

    struct Says;
    impl Drop for Says {
        fn drop(&mut self) {
            println!("destructors ran");
        }
    }
    let _says = Says;
    let (_tx, rx) = chan::<u32>(0);
    let _ = rx.recv();
}

fn channels() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    for capacity in [0, 2] {
        let (tx, rx) = chan(capacity);
        is_reaped(|| rx.recv());
        for _ in 0..capacity {
            tx.send(Counted(&DROPPED)).unwrap();
        }
        DROPPED.store(0, Ordering::Relaxed);
        is_reaped(|| tx.send(Counted(&DROPPED)));
        assert_eq!(DROPPED.load(Ordering::Relaxed), 1, "the value of the send");
        let sends = go(move || tx.send(Counted(&DROPPED)).unwrap());
        rx.recv().unwrap();
        sends.join().unwrap();
    }
}

fn selects() {
    let (tx, rx) = chan::<u32>(0);
    let (_tx2, rx2) = chan::<u32>(1);
    is_reaped(|| {
        select! {
            recv(rx) -> _ => unreachable!(),
            send(tx, 1) -> _ => unreachable!("not to itself"),
            recv(rx2) -> _ => unreachable!(),
        }
    });
    is_reaped(|| select! {});
    is_reaped(|| {
        let mut set = Select::new();
        set.recv(&rx);
        set.recv(&rx2);
        set.ready()
    });
    let sends = go(move || tx.send(7).unwrap());
    assert_eq!(rx.recv(), Ok(7), "nothing of the selects is left behind");
    sends.join().unwrap();
}

fn locks() {
    let lock = Mutex::new(1);
    let guard = lock.lock();
    is_reaped(|| *lock.lock());
    drop(guard);
    assert_eq!(*lock.lock(), 1);

    let group = never_done();
    is_reaped(|| group.wait());
    group.done();
    group.wait();

    let shared = RwLock::new(1);
    let guard = shared.write();
    is_reaped(|| *shared.read());
    is_reaped(|| *shared.write());
    drop(guard);
    assert_eq!(*shared.read(), 1);

    let (lock, never) = (Mutex::new(1), Condvar::new());
    let mut guard = lock.lock();
    is_reaped(|| never.wait(&mut guard));
    assert!(lock.try_lock().is_none(), "the guard holds the lock again");
    drop(guard);
    drop(lock.lock());

    let permits = Semaphore::new(1);
    is_reaped(|| permits.acquire(2));
    drop(permits.acquire(1));

    let barrier = Barrier::new(2);
    is_reaped(|| barrier.wait());
    let other = barrier.clone();
    let comes = go(move || _ = other.wait());
    barrier.wait();
    comes.join().unwrap();
}

/// Reaped, a wait that a context limits leaves the context's queue too.
fn contexts() {
    let (ctx, guard) = Context::background().with_cancel();
    let lock = Mutex::new(1);
    let held = lock.lock();
    is_reaped(|| ctx.lock(&lock).map(drop));
    drop(held);
    let (_tx, rx) = chan::<u32>(0);
    is_reaped(|| ctx.recv(&rx));
    is_reaped(|| ctx.done().recv());
    guard.cancel();
    assert!(ctx.recv(&rx).is_err() && ctx.done().recv().is_err());
}

/// What a reaped task waited for goes on working, and its future is dropped.
fn tasks() {
    let lock = Mutex::new(1);
    let guard = lock.lock();
    is_reaped(|| *block_on(lock.lock_async()));
    drop(guard);
    assert_eq!(*block_on(lock.lock_async()), 1);
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    let (tx, rx) = chan(0);
    is_reaped(|| block_on(rx.recv_async()));
    is_reaped(|| block_on(tx.send_async(Counted(&DROPPED))));
    assert_eq!(DROPPED.load(Ordering::Relaxed), 1, "the value of the send");
    let sends = go(move || tx.send(Counted(&DROPPED)).unwrap());
    drop(block_on(rx.recv_async()).unwrap());
    sends.join().unwrap();
    is_reaped(|| block_on(std::future::pending::<()>()));
}

/// The child has borrowed what lies on main's stack: main cannot go on.
pub(super) fn in_scope() {
    let group = never_done();
    scope(|s| drop(s.go(|| group.wait())));
}

/// A second panic would end the process without a word.
pub(super) fn while_panicking() {
    struct Waits;
    impl Drop for Waits {
        fn drop(&mut self) {
            never_done().wait();
        }
    }
    let _waits = Waits;
    let child = Builder::new().name("stuck").go(|| never_done().wait());
    drop(child);
    panic!("main panics");
}

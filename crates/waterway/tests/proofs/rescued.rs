//! What looks like a cycle, and is none: somebody else has the guard, or the wait ends. And how the process ends where a proof was wrong.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::{Duration, Instant};

use waterway::sync::{Barrier, Mutex, MutexGuard, Once, RwLock, RwLockReadGuard};
use waterway::time::sleep;
use waterway::watch::{Suspect, SuspectKind, suspects, verdicts};
use waterway::{JoinHandle, Sender, chan, go, go_local};

use super::watch::Watch;
use crate::child::SOON;

thread_local! {
    static KEPT: RefCell<Option<MutexGuard<'static, u32>>> = const { RefCell::new(None) };
}

/// The cycles that are suspected. That a worker is held, or a wait is long, is true where other programs have the cores.
fn cycles() -> Vec<Suspect> {
    let mut all = suspects();
    all.retain(|s| matches!(s.kind, SuspectKind::LockCycle | SuspectKind::OwnLock));
    all
}

/// Whoever waits must come through in the end.
fn comes_through(watch: &Watch, stuck: JoinHandle<()>, rescue: Sender<()>) {
    watch.says_nothing();
    drop(rescue);
    stuck.join().unwrap();
    assert!(verdicts().is_empty() && cycles().is_empty());
}

pub fn guard_in_a_thread_local() {
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let guard = MUTEX.lock();
        KEPT.with(|kept| *kept.borrow_mut() = Some(guard));
        go_local(move || {
            let _ = wait.recv();
            KEPT.with(|kept| drop(kept.borrow_mut().take()));
        });
        drop(MUTEX.lock());
    });
    comes_through(&watch, stuck, rescue);
}

pub fn guard_with_a_local_sibling() {
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let guard = MUTEX.lock();
        go_local(move || {
            let _ = wait.recv();
            drop(guard);
        });
        drop(MUTEX.lock());
    });
    watch.says_nothing();
    let end = Instant::now() + SOON;
    let found = loop {
        let found = cycles();
        if !found.is_empty() || Instant::now() > end {
            break found;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].kind, SuspectKind::OwnLock);
    watch.says_nothing();
    comes_through(&watch, stuck, rescue);
}

pub fn guard_in_a_channel() {
    static MUTEX: Mutex<u32> = Mutex::new(1);
    for capacity in [0, 1] {
        let watch = Watch::new();
        let (rescue, wait) = chan::<()>(0);
        let stuck = go(move || {
            let (tx, rx) = chan::<MutexGuard<'static, u32>>(capacity);
            go_local(move || {
                if capacity == 0 {
                    let guard = rx.recv();
                    let _ = wait.recv();
                    drop(guard);
                } else {
                    let _ = wait.recv();
                    drop(rx.recv());
                }
            });
            tx.send(MUTEX.lock()).ok().unwrap();
            drop(MUTEX.lock());
        });
        comes_through(&watch, stuck, rescue);
    }
}

pub fn read_guard_with_a_sibling() {
    static RW: RwLock<u32> = RwLock::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let guard: RwLockReadGuard<'static, u32> = RW.read();
        go_local(move || {
            let _ = wait.recv();
            drop(guard);
        });
        *RW.write() += 1;
    });
    comes_through(&watch, stuck, rescue);
}

/// The guard of a task may go to another thread, so another goroutine may drop it where it lies: on the stack of one who waits.
pub fn lent_guard_of_a_task() {
    static RW: RwLock<u32> = RwLock::new(1);
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let (tell, told) = chan::<()>(0);
    let (held, until_held) = chan::<()>(0);
    let stuck = go(move || {
        let mut lent = Some(waterway::block_on(RW.write_async()));
        let lent = &mut lent;
        waterway::scope(|s| {
            s.go(move || {
                let _ = wait.recv();
                drop(lent.take());
            });
            drop(tell);
            let _ = until_held.recv();
            drop(MUTEX.lock());
        });
    });
    let other = go(move || {
        let _ = told.recv();
        let one = MUTEX.lock();
        drop(held);
        *RW.write() += *one;
    });
    comes_through(&watch, stuck, rescue);
    other.join().unwrap();
}

pub fn guard_in_a_box() {
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let shared = Rc::new(RefCell::new(Some(MUTEX.lock())));
        let other = shared.clone();
        go_local(move || {
            let _ = wait.recv();
            drop(other.borrow_mut().take());
        });
        drop(MUTEX.lock());
        drop(shared);
    });
    comes_through(&watch, stuck, rescue);
}

pub fn timed_waits() {
    let watch = Watch::new();
    let (a, b) = [1, 2].map(Mutex::new).map(Arc::new).into();
    let both = Arc::new(Barrier::new(2));
    let (first, second, meet) = (a.clone(), b.clone(), both.clone());
    let gives_up = go(move || {
        let one = first.lock();
        meet.wait();
        assert!(second.lock_timeout(Duration::from_millis(300)).is_none());
        drop(one);
    });
    let waits = go(move || {
        let one = b.lock();
        both.wait();
        *a.lock() += *one;
    });
    watch.says_nothing();
    gives_up.join().unwrap();
    waits.join().unwrap();
    // A wait that a context can end.
    let (ctx, cancel) = waterway::Context::background().with_cancel();
    let mutex = Arc::new(Mutex::new(1));
    let ends = go(move || {
        let _once = mutex.lock();
        assert!(ctx.lock(&mutex).is_err());
    });
    watch.says_nothing();
    drop(cancel);
    ends.join().unwrap();
}

pub fn held_by_a_task() {
    let watch = Watch::new();
    let mutex: &'static Mutex<u32> = Box::leak(Box::new(Mutex::new(1)));
    let kept = Arc::new(StdMutex::new(None));
    *kept.lock().unwrap() = Some(waterway::block_on(mutex.lock_async()));
    let stuck = go(move || drop(mutex.lock()));
    watch.says_nothing();
    drop(kept.lock().unwrap().take());
    stuck.join().unwrap();
}

/// Locks that are fought for by many, for a while, with waits that last long enough to be looked at.
pub fn churn() {
    let watch = Watch::new();
    let locks: Arc<Vec<Mutex<u64>>> = Arc::new((0..4).map(Mutex::new).collect());
    let rw = Arc::new(RwLock::new(0));
    let once: Arc<Vec<Once>> = Arc::new((0..64).map(|_| Once::new()).collect());
    let end = Instant::now() + Duration::from_secs(1);
    let crew: Vec<_> = (0..24u64)
        .map(|n| {
            let (locks, rw, once) = (locks.clone(), rw.clone(), once.clone());
            go(move || {
                let mut seed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
                let mut chance = |below: u64| {
                    seed = seed
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    (seed >> 33) % below
                };
                while Instant::now() < end {
                    // Always in one order.
                    let mut held: Vec<_> = Vec::new();
                    let from = chance(4) as usize;
                    for lock in &locks[from..] {
                        held.push(lock.lock());
                        if chance(3) == 0 {
                            sleep(Duration::from_millis(chance(12)));
                        }
                    }
                    held.iter_mut().for_each(|guard| **guard += 1);
                    drop(held);
                    match chance(3) {
                        0 => *rw.write() += 1,
                        1 => {
                            let read = rw.read();
                            sleep(Duration::from_millis(*read % 10));
                        }
                        _ => {
                            once[chance(64) as usize].call_once(|| sleep(Duration::from_millis(15)))
                        }
                    }
                    let child = go(|| sleep(Duration::from_millis(10)));
                    child.join().unwrap();
                }
            })
        })
        .collect();
    crew.into_iter().for_each(|one| one.join().unwrap());
    watch.says_nothing();
    assert!(cycles().is_empty());
}

/// What is documented not to be seen: a guard that is lent to another goroutine although it is not `Send`. A verdict that is wrong
/// because of it must not go unnoticed.
pub fn carried_behind_the_compilers_back() {
    struct Carried(Option<MutexGuard<'static, u32>>);
    // SAFETY: tests only: both goroutines are on the one worker.
    unsafe impl Send for Carried {}
    static MUTEX: Mutex<u32> = Mutex::new(1);
    let watch = Watch::new();
    let (rescue, wait) = chan::<()>(0);
    let stuck = go(move || {
        let kept = StdMutex::new(Carried(Some(MUTEX.lock())));
        waterway::scope(|s| {
            s.go(|| {
                let _ = wait.recv();
                drop(kept.lock().unwrap().0.take());
            });
            drop(MUTEX.lock());
        });
    });
    assert!(watch.0.recv_timeout(SOON).is_ok());
    drop(rescue);
    stuck.join().unwrap();
}

/// A worker that has waited as a thread does, inside of a waker, keeps its thread-locals where its stack is.
pub fn guard_on_a_worker_that_blocks_in_a_waker() {
    struct Blocks(Sender<()>);
    impl std::task::Wake for Blocks {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }
    let (tx, rx) = chan::<()>(0);
    let (value, mut values) = (chan::<u32>(1), Vec::new());
    let waker = Arc::new(Blocks(tx)).into();
    let mut pending = Box::pin(value.1.recv_async());
    let mut context = std::task::Context::from_waker(&waker);
    assert!(pending.as_mut().poll(&mut context).is_pending());
    let sends = go(move || value.0.send(1).unwrap());
    values.push(rx.recv());
    sends.join().unwrap();
    guard_in_a_thread_local();
}

//! Attacks by async tasks on locks, permits and groups, on `block_on`, and on goroutine-locals.

mod attack;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::Duration;

use attack::{bounded, bounded_go, calling, poll, until};
use waterway::sync::{Mutex, RwLock, Semaphore, WaitGroup};
use waterway::time::{sleep, sleep_async};
use waterway::{block_on, blocking, chan, go, go_local, local, yield_now};

/// Everything that tasks wait for, held.
struct Held {
    mutex: Mutex<u32>,
    rw: RwLock<u32>,
    semaphore: Semaphore,
    group: WaitGroup,
}

type AnyFuture<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

impl Held {
    fn new() -> Held {
        let group = WaitGroup::new();
        group.add(1);
        Held {
            mutex: Mutex::new(0),
            rw: RwLock::new(0),
            semaphore: Semaphore::new(1),
            group,
        }
    }

    /// A future for each kind of wait; the lock that it takes is given up at once.
    fn futures(&self) -> [AnyFuture<'_>; 5] {
        [
            Box::pin(async { drop(self.mutex.lock_async().await) }),
            Box::pin(async { drop(self.rw.read_async().await) }),
            Box::pin(async { drop(self.rw.write_async().await) }),
            Box::pin(async { drop(self.semaphore.acquire_async(1).await) }),
            Box::pin(self.group.wait_async()),
        ]
    }

    /// Runs `f` while everything is held, then lets everything go.
    fn while_held<R>(&self, f: impl FnOnce() -> R) -> R {
        let guards = (
            self.mutex.lock(),
            self.rw.write(),
            self.semaphore.acquire(1),
        );
        let result = f();
        drop(guards);
        self.group.done();
        result
    }

    #[track_caller]
    fn is_free(&self) {
        assert!(self.mutex.try_lock().is_some());
        assert!(self.rw.try_write().is_some());
        assert!(self.semaphore.try_acquire(1).is_some());
        self.group.wait();
    }
}

/// Others behind the one whose waker panics go on.
#[test]
fn wakers_panic_when_they_are_told() {
    bounded(|| {
        let held = Arc::new(Held::new());
        let told = Arc::new(AtomicUsize::new(0));
        let mut futures: Vec<_> = held.futures().into_iter().chain(held.futures()).collect();
        let waiters = held.while_held(|| {
            let counted = told.clone();
            let waker = calling(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                panic!("a waker panics");
            });
            for future in &mut futures {
                assert!(poll(future, &waker).is_pending());
            }
            let own = held.clone();
            let begun = Arc::new(AtomicBool::new(false));
            let begins = begun.clone();
            let goroutine = go(move || {
                begins.store(true, Ordering::SeqCst);
                *own.mutex.lock() += 1;
                *own.rw.write() += 1;
                drop(own.semaphore.acquire(1));
                own.group.wait();
            });
            until(|| begun.load(Ordering::SeqCst));
            goroutine
        });
        assert!(told.load(Ordering::SeqCst) >= 5);
        drop(futures);
        waiters.join().unwrap();
        held.is_free();
    });
}

thread_local!(static DROPS_PANIC: Cell<bool> = const { Cell::new(false) });

/// A waker whose drop panics once the thread is told to.
fn fragile() -> Waker {
    fn clone(_: *const ()) -> RawWaker {
        RawWaker::new(std::ptr::null(), &VTABLE)
    }
    fn wake(_: *const ()) {}
    fn dropped(_: *const ()) {
        if DROPS_PANIC.replace(false) {
            panic!("a waker panics in its drop");
        }
    }
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, dropped);
    // SAFETY: the functions use no data.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) }
}

/// Wherever a waker's drop panics, no lock stays taken and no node stays behind.
#[test]
fn wakers_panic_when_they_are_dropped() {
    bounded(|| {
        for stage in 0..2 {
            let held = Held::new();
            let mut futures = held.futures();
            held.while_held(|| {
                for future in &mut futures {
                    assert!(poll(future, &fragile()).is_pending());
                    if stage == 0 {
                        // Replaced.
                        DROPS_PANIC.set(true);
                        let polled = catch_unwind(AssertUnwindSafe(|| poll(future, Waker::noop())));
                        assert!(polled.is_err(), "it is the poller's own waker");
                    }
                }
            });
            for future in futures {
                // Dropped where it waits, or after it was told.
                DROPS_PANIC.set(stage == 1);
                let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
            }
            held.is_free();
        }
    });
}

/// A guard that was just taken is not lost if the waker's drop panics then.
#[test]
fn a_wakers_drop_panics_after_the_lock_was_taken() {
    bounded(|| {
        let mutex = Mutex::new(0);
        let guard = mutex.lock();
        let mut told = mutex.lock_async();
        assert!(poll(&mut told, Waker::noop()).is_pending());
        let mut future = mutex.lock_async();
        assert!(poll(&mut future, &fragile()).is_pending());
        // The first is told, and the second comes before it: its waker was not called.
        drop(guard);
        let Poll::Ready(guard) = poll(&mut future, Waker::noop()) else {
            panic!("it is free");
        };
        DROPS_PANIC.set(true);
        // The old waker goes with the future, not while the lock is being taken.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
        assert!(dropped.is_err());
        drop((guard, told));
        assert!(mutex.try_lock().is_some());
    });
}

/// Wakers that use what calls them: they lock, release and drop it.
#[test]
fn wakers_use_the_lock_that_tells_them() {
    bounded(|| {
        let held = Arc::new(Held::new());
        let used = Arc::new(AtomicUsize::new(0));
        let (own, count) = (Arc::downgrade(&held), used.clone());
        let waker = calling(move || {
            if let Some(own) = own.upgrade() {
                drop(own.mutex.try_lock());
                drop(own.rw.try_read());
                drop(own.semaphore.try_acquire(1));
                for mut future in own.futures() {
                    let _ = poll(&mut future, Waker::noop());
                }
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let mut futures = held.futures();
        held.while_held(|| {
            for future in &mut futures {
                assert!(poll(future, &waker).is_pending());
            }
        });
        assert!(used.load(Ordering::SeqCst) >= 4);
        for mut future in futures {
            assert!(poll(&mut future, Waker::noop()).is_ready());
        }
        held.is_free();
    });
}

/// A future that is forgotten in the queue stays there; its memory does too. The mutex passes it over, and all may be
/// dropped.
#[test]
fn futures_are_forgotten_while_they_wait() {
    bounded(|| {
        let held = Held::new();
        held.while_held(|| {
            for future in held.futures() {
                let mut future = future;
                assert!(poll(&mut future, Waker::noop()).is_pending());
                std::mem::forget(future);
            }
        });
        for _ in 0..3 {
            assert!(held.mutex.try_lock().is_some());
        }
        drop(held);
        // Memory of cores is used again.
        let others: Vec<_> = (0..100).map(|_| Held::new()).collect();
        for other in &others {
            other.while_held(|| ());
            other.is_free();
        }
    });
}

#[test]
fn futures_are_polled_after_their_end() {
    bounded(|| {
        let mutex = Mutex::new(0);
        let guard = mutex.lock();
        let mut future = mutex.lock_async();
        assert!(poll(&mut future, Waker::noop()).is_pending());
        drop(guard);
        assert!(poll(&mut future, Waker::noop()).is_ready());
        let again = catch_unwind(AssertUnwindSafe(|| drop(poll(&mut future, Waker::noop()))));
        assert!(again.is_err());
        assert!(mutex.try_lock().is_some());
        let mut sleep = sleep_async(Duration::from_millis(1));
        block_on(&mut sleep);
        let again = catch_unwind(AssertUnwindSafe(|| poll(&mut sleep, Waker::noop())));
        assert!(
            !matches!(again, Ok(Poll::Pending)),
            "it does not wait for ever"
        );
    });
}

/// Told on one thread, polled on others, dropped on others again; in the end nobody holds anything.
#[test]
fn futures_wander() {
    bounded(|| {
        const ROUNDS: usize = 300;
        let mutex: &'static Mutex<usize> = Box::leak(Box::new(Mutex::new(0)));
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new(1)));
        let (tx, rx) = chan(8);
        let movers: Vec<_> = (0..3)
            .map(|n| {
                let (tx, rx) = (tx.clone(), rx.clone());
                thread::spawn(move || {
                    for round in 0..ROUNDS {
                        let mut lock = mutex.lock_async();
                        let mut ask = semaphore.acquire_async(1);
                        drop(poll(&mut lock, Waker::noop()));
                        drop(poll(&mut ask, Waker::noop()));
                        if tx.try_send((lock, ask)).is_err() || (round + n) % 3 == 0 {
                            drop(rx.try_recv());
                        }
                        *block_on(mutex.lock_async()) += 1;
                        drop(block_on(semaphore.acquire_async(1)));
                    }
                })
            })
            .collect();
        let finished = |movers: &[thread::JoinHandle<()>]| movers.iter().all(|m| m.is_finished());
        // What is left in the channel may have been told, and holds up the others until it goes.
        while !finished(&movers) {
            drop(rx.try_recv());
            thread::yield_now();
        }
        movers.into_iter().for_each(|m| m.join().unwrap());
        while rx.try_recv().is_ok() {}
        assert_eq!(*mutex.try_lock().expect("free in the end"), 3 * ROUNDS);
        assert_eq!(semaphore.available(), 1);
    });
}

/// Inside a waker, in a destructor while a panic unwinds, inside itself.
#[test]
fn block_on_in_strange_places() {
    struct Waits;
    impl Drop for Waits {
        fn drop(&mut self) {
            block_on(sleep_async(Duration::from_millis(1)));
        }
    }
    bounded_go(|| {
        let (tx, rx) = chan::<u8>(1);
        let (reply, replied) = chan::<u8>(0);
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let waker = calling(move || {
            // Here nothing switches: it blocks the thread for a moment.
            block_on(sleep_async(Duration::from_millis(1)));
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let mut recv = rx.recv_async();
        assert!(poll(&mut recv, &waker).is_pending());
        tx.send(1).unwrap();
        until(|| calls.load(Ordering::SeqCst) == 1);
        assert_eq!(poll(&mut recv, &waker), Poll::Ready(Ok(1)));

        let unwinds = go(move || {
            let _waits = Waits;
            std::panic::resume_unwind(Box::new(7));
        });
        let payload = unwinds.join().map(|(): ()| ()).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&7));

        drop(go(move || {
            reply.send(block_on(async { block_on(async { 3 }) }))
        }));
        assert_eq!(block_on(replied.recv_async()), Ok(3));
        assert_eq!(blocking(|| block_on(async { 4 })), 4);
    });
}

/// A waker of one goroutine's future is woken by many, while its future is dropped by another end.
#[test]
fn wakers_race_with_the_end_of_block_on() {
    bounded(|| {
        for round in 0..200 {
            let place: Arc<OnceLock<Waker>> = Arc::default();
            let ready = Arc::new(AtomicBool::new(false));
            let ringers: Vec<_> = (0..2)
                .map(|_| {
                    let (place, ready) = (place.clone(), ready.clone());
                    thread::spawn(move || {
                        while place.get().is_none() {
                            std::hint::spin_loop();
                        }
                        for n in 0..20 {
                            if n == 10 {
                                ready.store(true, Ordering::SeqCst);
                            }
                            place.get().unwrap().wake_by_ref();
                        }
                    })
                })
                .collect();
            let waits = move || {
                block_on(poll_fn(|cx| {
                    place.get_or_init(|| cx.waker().clone());
                    match ready.load(Ordering::SeqCst) {
                        true => Poll::Ready(()),
                        false => Poll::Pending,
                    }
                }));
                // The rest of the rings comes while this goroutine waits for something else.
                sleep(Duration::from_micros(20));
            };
            match round % 2 {
                0 => waits(),
                _ => go(waits).join().unwrap(),
            }
            ringers.into_iter().for_each(|r| r.join().unwrap());
        }
    });
}

/// A goroutine that waits in `block_on` for ever holds nothing up.
#[test]
fn many_goroutines_in_block_on() {
    bounded(|| {
        let stop = Arc::new(Mutex::new(0));
        let guard = stop.lock();
        let waiting: Vec<_> = (0..1000)
            .map(|_| {
                let stop = stop.clone();
                go(move || {
                    *block_on(stop.lock_async()) += 1;
                })
            })
            .collect();
        assert_eq!(go(|| 1).join().unwrap(), 1);
        drop(guard);
        waiting.into_iter().for_each(|w| w.join().unwrap());
        assert_eq!(*stop.lock(), 1000);
        let never = go(|| block_on(pending::<()>()));
        assert!(!never.is_finished());
        drop(never);
    });
}

local! {
    static DEEP: RefCell<Vec<Rc<Cell<u32>>>> = RefCell::default();
    static NEXT: Option<Chain> = Some(Chain(3));
    static LAST: Cell<u32> = Cell::new(0);
}

/// Makes another in its drop, and spawns a goroutine that has its own.
struct Chain(u32);

static CHAINS: AtomicUsize = AtomicUsize::new(0);

impl Drop for Chain {
    fn drop(&mut self) {
        CHAINS.fetch_add(1, Ordering::SeqCst);
        LAST.set(LAST.get() + 1);
        DEEP.with_borrow_mut(|deep| deep.push(Rc::new(Cell::new(self.0))));
        if self.0 > 0 {
            let left = self.0 - 1;
            go(move || {
                drop(Chain(left));
                yield_now();
                assert_eq!(LAST.get(), 1, "its own");
            })
            .join()
            .unwrap();
        }
    }
}

#[test]
fn destructors_of_locals_spawn_and_make_others() {
    bounded(|| {
        for _ in 0..20 {
            CHAINS.store(0, Ordering::SeqCst);
            go(|| NEXT.with(|chain| assert!(chain.is_some())))
                .join()
                .unwrap();
            assert_eq!(CHAINS.load(Ordering::SeqCst), 4);
        }
    });
}

/// What is not Send stays with its goroutine, beside siblings that come and go.
#[test]
fn locals_that_are_not_send() {
    bounded_go(|| {
        let siblings: Vec<_> = (0..50)
            .map(|n| {
                go_local(move || {
                    let own = Rc::new(Cell::new(n));
                    DEEP.with_borrow_mut(|deep| deep.push(own.clone()));
                    yield_now();
                    // Borrowed across a park: nobody else can borrow it.
                    DEEP.with_borrow_mut(|deep| {
                        yield_now();
                        deep[0].set(deep[0].get() + 1);
                    });
                    assert_eq!((own.get(), Rc::strong_count(&own)), (n + 1, 2));
                    DEEP.take();
                    assert_eq!(Rc::strong_count(&own), 1);
                })
            })
            .collect();
        siblings.into_iter().for_each(|s| s.join().unwrap());
    });
}

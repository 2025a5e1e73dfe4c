//! Which calls may switch goroutines: only those that are documented as blocking.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use waterway::group::ErrGroup;
use waterway::sync::{Condvar, Mutex, RwLock, Semaphore, WaitGroup};
use waterway::time::{Ticker, Timer, after_func, sleep, sleep_async};
use waterway::{
    Context, block_on, blocking, chan, current, go, go_local, num_goroutines, select, yield_now,
};

/// Lets each of the others on this worker run, whatever the time.
fn some_turns() {
    (0..100).for_each(|_| yield_now());
}

/// Counts how often a sibling on the same worker runs during a call. The sibling is always ready.
struct Sibling {
    runs: Rc<Cell<usize>>,
    stop: Rc<Cell<bool>>,
}

impl Sibling {
    fn start() -> Sibling {
        let sibling = Sibling {
            runs: Rc::default(),
            stop: Rc::default(),
        };
        let (runs, stop) = (sibling.runs.clone(), sibling.stop.clone());
        drop(go_local(move || {
            while !stop.get() {
                runs.set(runs.get() + 1);
                yield_now();
            }
        }));
        while sibling.runs.get() == 0 {
            yield_now();
        }
        sibling
    }

    fn runs_during<R>(&self, call: impl FnOnce() -> R) -> bool {
        let before = self.runs.get();
        drop(call());
        self.runs.get() != before
    }
}

impl Drop for Sibling {
    fn drop(&mut self) {
        self.stop.set(true);
        // Until it has ended: what it owns would pass for leaked at the end of the process.
        while Rc::strong_count(&self.stop) > 1 && !std::thread::panicking() {
            yield_now();
        }
    }
}

/// One test at a time: who has waited goes before a sibling when the other test has held their worker meanwhile.
static ALONE: Mutex<()> = Mutex::new(());

waterway::local! { static OWN: Cell<u32> = Cell::new(0); }

fn poll(future: impl Future) {
    let mut cx = std::task::Context::from_waker(Waker::noop());
    let _ = pin!(future).as_mut().poll(&mut cx);
}

#[waterway::test]
fn calls_that_never_switch() {
    let _alone = ALONE.lock();
    let sibling = Sibling::start();
    let (tx, rx) = chan(4);
    let (gate, gated) = chan::<u8>(0);
    let parked = go_local(move || gated.recv());
    yield_now();
    let lock = Mutex::new(0);
    let group = WaitGroup::new();
    let (shared, permits, nobody) = (RwLock::new(0), Semaphore::new(1), Condvar::new());
    let (timer, ticker) = (
        Timer::new(Duration::from_secs(60)),
        Ticker::new(Duration::from_secs(60)),
    );
    for _ in 0..1000 {
        let table: &[(&str, &dyn Fn())] = &[
            ("try_send", &|| tx.try_send(1).unwrap()),
            ("try_recv", &|| assert_eq!(rx.try_recv(), Ok(1))),
            ("len", &|| assert_eq!(rx.len(), 0)),
            ("capacity", &|| assert_eq!(tx.capacity(), Some(4))),
            ("is_full", &|| assert!(!tx.is_full())),
            ("is_empty", &|| assert!(rx.is_empty())),
            ("same_channel", &|| assert!(tx.same_channel(&tx.clone()))),
            ("new channel and drop", &|| drop(chan::<u8>(1))),
            ("try_lock and unlock", &|| drop(lock.try_lock().unwrap())),
            ("try_read and unlock", &|| drop(shared.try_read().unwrap())),
            ("try_write and unlock", &|| {
                drop(shared.try_write().unwrap())
            }),
            ("try_acquire and give back", &|| {
                drop(permits.try_acquire(1).unwrap())
            }),
            ("WaitGroup::token", &|| drop(group.token())),
            ("notify_one and notify_all", &|| {
                nobody.notify_one();
                nobody.notify_all();
            }),
            ("polls and drops of futures", &|| {
                poll(lock.lock_async());
                poll(shared.read_async());
                poll(shared.write_async());
                poll(permits.acquire_async(1));
                poll(group.wait_async());
                poll(sleep_async(Duration::from_secs(60)));
            }),
            ("a goroutine-local", &|| OWN.set(OWN.get() + 1)),
            ("current", &|| assert!(current().id().is_some())),
            ("WaitGroup::add and done", &|| {
                group.add(1);
                group.done();
            }),
            ("Timer::reset and stop", &|| {
                timer.reset(Duration::from_secs(60));
                assert!(timer.stop());
            }),
            ("Ticker::reset and stop", &|| {
                ticker.reset(Duration::from_secs(60));
                ticker.stop();
            }),
            ("time::after_func, reset and stop", &|| {
                let call = after_func(Duration::from_secs(60), || ());
                assert!(call.reset(Duration::from_secs(60)) && call.stop());
            }),
            ("Context: with, after_func, done, err, cancel", &|| {
                let (ctx, guard) = Context::background().with_timeout(Duration::from_secs(60));
                let (below, _guard) = ctx.with_value(1).with_cancel();
                below.after_func(|| ());
                assert!(below.done().try_recv().is_err() && below.err().is_none());
                guard.cancel();
                assert!(below.cause().is_some());
            }),
            ("ErrGroup: try_go", &|| {
                let group = ErrGroup::<()>::new();
                group.set_limit(Some(0));
                assert!(group.try_go(|| Ok(())).is_err());
            }),
            ("num_goroutines", &|| assert!(num_goroutines() >= 3)),
            ("is_finished", &|| assert!(!parked.is_finished())),
            ("go and detach", &|| drop(go(|| ()))),
        ];
        for (name, call) in table {
            assert!(!sibling.runs_during(call), "{name} switched");
        }
    }
    assert!(!sibling.runs_during(|| gate.close()), "close switched");
    parked.join().unwrap().unwrap_err();
}

#[waterway::test]
fn calls_that_wait_switch() {
    let _alone = ALONE.lock();
    let sibling = Sibling::start();
    let (tx, rx) = chan(0);
    let lock = Rc::new(Mutex::new(()));
    let later = || {
        let tx = tx.clone();
        go_local(move || {
            some_turns();
            let _ = tx.send(1);
        })
    };
    let held = || {
        let own = lock.clone();
        let taken = Rc::new(Cell::new(false));
        let told = taken.clone();
        let holder = go_local(move || {
            let _guard = own.lock();
            told.set(true);
            some_turns();
        });
        while !taken.get() {
            yield_now();
        }
        holder
    };
    assert!(sibling.runs_during(yield_now), "yield_now");
    assert!(
        sibling.runs_during(|| sleep(Duration::from_millis(1))),
        "sleep"
    );
    assert!(
        sibling.runs_during(|| blocking(std::thread::yield_now)),
        "blocking"
    );
    let sender = later();
    assert!(sibling.runs_during(|| rx.recv()), "recv");
    let task = later();
    assert!(
        sibling.runs_during(|| block_on(rx.recv_async())),
        "block_on"
    );
    task.join().unwrap();
    sender.join().unwrap();
    drop(later());
    assert!(
        sibling.runs_during(|| select! { recv(rx) -> v => v }),
        "select!"
    );
    drop(later());
    assert!(
        sibling.runs_during(|| rx.recv_timeout(Duration::from_secs(60))),
        "recv_timeout"
    );
    let holder = held();
    assert!(sibling.runs_during(|| drop(lock.lock())), "lock");
    holder.join().unwrap();
    let (ctx, guard) = Context::background().with_cancel();
    drop(go_local(move || {
        some_turns();
        guard.cancel();
    }));
    assert!(
        sibling.runs_during(|| ctx.sleep(Duration::from_secs(60))),
        "ctx.sleep"
    );
    let group = ErrGroup::<()>::new();
    group.go(|| {
        sleep(Duration::from_millis(1));
        Ok(())
    });
    assert!(sibling.runs_during(|| group.wait()), "ErrGroup::wait");
}

#[waterway::test]
#[cfg_attr(waterway_asan, ignore = "a sanitizer makes all turns long")]
fn of_several_who_are_woken_the_first_goes_first_where_turns_are_short() {
    let _alone = ALONE.lock();
    let in_order = |_: usize| {
        let came = Rc::new(RefCell::new(Vec::new()));
        let senders: Vec<_> = (0..4)
            .map(|n| {
                let ((tx, rx), came) = (chan(0), came.clone());
                drop(go_local(move || {
                    rx.recv().expect("a value");
                    came.borrow_mut().push(n);
                }));
                tx
            })
            .collect();
        some_turns();
        senders.iter().for_each(|tx| tx.send(()).expect("it waits"));
        some_turns();
        came.borrow().iter().copied().eq(0..4)
    };
    // Not each time: the turns of a debug build are not all short, and a time slice may end between two wakes.
    assert!((0..500).any(in_order));
}

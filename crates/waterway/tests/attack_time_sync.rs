//! Attacks on timers, on the mutex and the wait group, and on what threads leave behind.

mod attack;

use std::cell::RefCell;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use attack::{LONG, bounded, bounded_go, until};
use waterway::sync::{Mutex, WaitGroup};
use waterway::time::{Ticker, Timer, after, tick};
use waterway::{Receiver, chan, go, select};

/// A timer fires, nobody receives, it is stopped. As in Go 1.23 that counts as stopped in time, so that the old idiom
/// `if !stop() { recv() }` does not wait for what `stop` has taken back.
#[test]
fn a_timer_is_stopped_after_it_fired_unheard() {
    bounded(|| {
        let timer = Timer::new(Duration::from_micros(1));
        until(|| !timer.channel().is_empty());
        if !timer.stop() {
            timer.channel().recv().unwrap();
        }
        assert!(timer.channel().try_recv().is_err());
        assert!(!timer.stop(), "the second time there is nothing to stop");
        assert!(!timer.reset(Duration::ZERO));
        until(|| !timer.channel().is_empty());
        assert!(timer.reset(LONG), "fired, and not heard");
        assert!(timer.stop(), "not fired");
    });
}

/// The channel of `after` has given its one value. It is not closed by that: in Go a second receive waits for ever, and a
/// loop over a select must not find the arm ready again and again.
#[test]
fn after_gives_once_and_stays_open() {
    bounded(|| {
        let once = after(Duration::from_micros(1));
        assert!(once.recv().is_ok());
        assert!(once.try_recv().unwrap_err().is_empty());
        assert!(!once.is_closed());
        let heard = select! { recv(once) -> _ => true, default(Duration::from_millis(2)) => false };
        assert!(!heard);
    });
}

/// Durations of every size: none overflows, none fires early, zero fires.
#[test]
fn durations_of_every_size() {
    bounded(|| {
        for huge in [
            Duration::MAX,
            Duration::from_secs(u64::MAX / 2),
            Duration::from_nanos(u64::MAX),
        ] {
            let timer = Timer::new(huge);
            assert!(timer.reset(huge));
            assert!(timer.channel().try_recv().is_err());
            assert!(timer.stop());
            let ticker = Ticker::new(huge);
            ticker.reset(huge);
            assert!(ticker.channel().try_recv().is_err());
            assert!(tick(huge).try_recv().is_err());
            assert!(after(huge).try_recv().is_err());
            let (tx, rx) = chan::<u8>(1);
            tx.send_timeout(1, huge).unwrap();
            assert_eq!(rx.recv_timeout(huge), Ok(1));
            tx.send(2).unwrap();
            select! { recv(rx) -> v => assert_eq!(v, Ok(2)), default(huge) => unreachable!() }
        }
        assert!(after(Duration::ZERO).recv().is_ok());
        assert!(tick(Duration::ZERO).try_recv().unwrap_err().is_empty());
        let past = Instant::now();
        let (tx, rx) = chan::<u8>(0);
        assert!(rx.recv_deadline(past).unwrap_err().is_timeout());
        assert!(tx.send_deadline(1, past).unwrap_err().is_timeout());
        let ticker = Ticker::new(Duration::from_nanos(1));
        assert!(ticker.channel().iter().take(5).is_sorted());
    });
}

/// Stop and reset race with the firing. After `stop` nothing is received, whoever fired.
#[test]
fn nothing_stale_after_stop_and_reset() {
    bounded(|| {
        thread::scope(|s| {
            for seed in 0..3u64 {
                s.spawn(move || {
                    let timer = Timer::new(LONG);
                    let ticker = Ticker::new(LONG);
                    for n in 0..400 {
                        timer.reset(Duration::from_micros((n * 7 + seed) % 40));
                        ticker.reset(Duration::from_micros(1 + n % 9));
                        if n % 3 == 0 {
                            thread::yield_now();
                        }
                        timer.stop();
                        ticker.stop();
                        assert!(timer.channel().try_recv().unwrap_err().is_empty());
                        assert!(ticker.channel().try_recv().unwrap_err().is_empty());
                        let before = Instant::now();
                        timer.reset(Duration::from_micros(20));
                        let fired = timer.channel().recv_timeout(LONG).unwrap();
                        assert!(
                            fired >= before + Duration::from_micros(20),
                            "a stale firing"
                        );
                    }
                });
            }
        });
    });
}

/// Receivers of alarms go while they fire, are forgotten, are closed by their user.
#[test]
fn receivers_of_alarms_go_at_any_moment() {
    bounded(|| {
        for n in 0..300u64 {
            let ticks = tick(Duration::from_micros(1 + n % 5));
            let other = ticks.clone();
            let reader = thread::spawn(move || other.recv().is_ok());
            assert!(ticks.recv().is_ok());
            drop(ticks);
            assert!(reader.join().unwrap());
            std::mem::forget(after(Duration::from_micros(n)));
            let timer = Timer::new(Duration::from_micros(n));
            timer.channel().close();
            timer.reset(Duration::from_micros(1));
            assert!(timer.channel().recv().is_err(), "closed by its user");
            drop(timer);
        }
    });
}

/// The count falls to zero, and before the waiters are woken it rises again and somebody new waits. A waiter returns only
/// after a zero that came while it waited.
#[test]
fn a_wait_group_is_used_again_at_once() {
    bounded(|| {
        for _ in 0..600 {
            let group = WaitGroup::new();
            group.add(1);
            let second = AtomicBool::new(false);
            let told = AtomicBool::new(false);
            thread::scope(|s| {
                // Makes it likely that the zero has somebody to wake. It may come late, and wait for the second one.
                s.spawn(|| group.wait());
                let done = s.spawn(|| group.done());
                s.spawn(|| {
                    while format!("{group:?}") != "WaitGroup { count: 0 }" {
                        std::hint::spin_loop();
                    }
                    group.add(1);
                    s.spawn(|| {
                        done.join().unwrap();
                        until(|| told.load(Ordering::SeqCst));
                        second.store(true, Ordering::SeqCst);
                        group.done();
                    });
                    told.store(true, Ordering::SeqCst);
                    group.wait();
                    assert!(
                        second.load(Ordering::SeqCst),
                        "returned while the count was one"
                    );
                });
            });
        }
    });
}

/// Misuse: below zero, above what fits, from everywhere at once. It panics where it is wrong and breaks nothing.
#[test]
fn a_wait_group_is_misused() {
    bounded(|| {
        let group = WaitGroup::new();
        for wrong in [-1, isize::MIN] {
            let group = group.clone();
            assert!(thread::spawn(move || group.add(wrong)).join().is_err());
        }
        group.add(isize::MAX);
        let other = group.clone();
        assert!(thread::spawn(move || other.add(isize::MAX)).join().is_err());
        group.add(-isize::MAX);
        group.wait();
        let other = group.clone();
        let starter = go(move || other.go(|| panic!("counts as done")));
        starter.join().unwrap();
        group.wait();
    });
}

/// Goroutines and threads hand one lock about, with forgotten waits between, in drops and while unwinding.
#[test]
fn a_mutex_between_goroutines_and_threads() {
    struct LocksInDrop<'a>(&'a Mutex<u32>);
    impl Drop for LocksInDrop<'_> {
        fn drop(&mut self) {
            *self.0.lock() += 1;
        }
    }
    static COUNT: Mutex<u32> = Mutex::new(0);
    bounded(|| {
        let work = || {
            for n in 0..200 {
                let guard = COUNT.lock();
                if n % 16 == 0 {
                    // Long enough for hand-overs.
                    waterway::time::sleep(Duration::from_micros(1100));
                }
                drop(guard);
                let _ = std::panic::catch_unwind(|| {
                    let _last = LocksInDrop(&COUNT);
                    std::panic::resume_unwind(Box::new(()));
                });
                if let Some(mut guard) = COUNT.try_lock() {
                    *guard += 0;
                }
            }
        };
        thread::scope(|s| {
            s.spawn(work);
            s.spawn(work);
            s.spawn(|| {
                waterway::Builder::new()
                    .dedicated()
                    .go(work)
                    .join()
                    .unwrap()
            });
            (0..4)
                .map(|_| go(work))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|g| g.join().unwrap());
        });
        assert_eq!(*COUNT.lock(), 7 * 200);
    });
}

/// A guard is unlocked by another goroutine than the one that locked it, on the same worker.
#[test]
fn a_guard_goes_to_a_sibling() {
    static SHARED: Mutex<u32> = Mutex::new(0);
    bounded_go(|| {
        for n in 0..100 {
            let mut guard = SHARED.lock();
            let waits = go(|| *SHARED.lock() += 1);
            waterway::go_local(move || {
                waterway::yield_now();
                *guard = n;
            })
            .join()
            .unwrap();
            waits.join().unwrap();
            assert_eq!(*SHARED.lock(), n + 1);
        }
    });
}

thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
}

/// Uses channels, locks and timers when its thread has gone.
struct Late(Receiver<u32>, waterway::Sender<u32>, Arc<AtomicUsize>);

impl Drop for Late {
    fn drop(&mut self) {
        static LOCK: Mutex<u32> = Mutex::new(0);
        assert_eq!(self.0.recv(), Ok(1));
        self.1.send(2).unwrap();
        *LOCK.lock() += 1;
        waterway::time::sleep(Duration::from_micros(1));
        select! { recv(self.0) -> v => assert!(v.is_err()), default(LONG) => unreachable!() }
        self.2.fetch_add(1, Ordering::SeqCst);
    }
}

/// Threads block in the destructors of their thread-locals, when the runtime's own are gone.
#[test]
fn destructors_of_thread_locals_use_channels() {
    bounded(|| {
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..50 {
            let (tx, rx) = chan::<u32>(0);
            let (back_tx, back) = chan::<u32>(0);
            let late = Late(rx, back_tx, done.clone());
            // First used, last destroyed: after what the runtime keeps for the thread.
            let thread = thread::spawn(move || {
                LATE.set(Some(late));
                waterway::time::sleep(Duration::from_nanos(1));
            });
            tx.send(1).unwrap();
            assert_eq!(back.recv(), Ok(2));
            drop(tx);
            thread.join().unwrap();
        }
        assert_eq!(done.load(Ordering::SeqCst), 50);
    });
}

/// A thread's first wait starts the runtime, which cannot start. The wait panics, and nothing of it stays in the queue.
#[test]
fn the_runtime_cannot_start_in_the_middle_of_a_wait() {
    const CHILD: &str = "WATERWAY_TEST_CHILD";
    if std::env::var_os(CHILD).is_none() {
        let status = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "the_runtime_cannot_start_in_the_middle_of_a_wait",
            ])
            .env(CHILD, "1")
            .env("WATERWAY_MAX_PROCS", "many")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let (tx, rx) = chan::<String>(0);
    for _ in 0..3 {
        let rx = rx.clone();
        assert!(
            thread::spawn(move || rx.recv()).join().is_err(),
            "a bad setting panics"
        );
    }
    let back = tx.try_send("nobody waits".to_string()).unwrap_err();
    assert!(back.is_full());
    let tx2 = tx.clone();
    assert!(
        thread::spawn(move || tx2.send("value".to_string()))
            .join()
            .is_err()
    );
    assert!(rx.try_recv().unwrap_err().is_empty());
}

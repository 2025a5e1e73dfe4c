//! Attacks by wakers: user code that the channel calls in the middle of a step. Whatever it does, the step goes on.

mod attack;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::Duration;

use attack::{bounded, bounded_go, calling, poll, until};
use waterway::chan::unbounded;
use waterway::sync::{Condvar, Mutex};
use waterway::{chan, go, select};

fn panicking() -> Waker {
    calling(|| panic!("a waker panics"))
}

/// A task waits to receive; its waker panics when a second task stands in the queue with a value. The panic must not
/// take the second one's place out from under the queue.
#[test]
fn a_waker_panics_while_a_send_future_enters_the_queue() {
    bounded(|| {
        let (tx, rx) = chan::<String>(0);
        let mut recv = rx.recv_async();
        assert!(poll(&mut recv, &panicking()).is_pending());
        let mut send = tx.send_async("value".to_string());
        let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut send, Waker::noop())));
        assert!(
            matches!(polled, Ok(Poll::Pending)),
            "the panic ends in the waker"
        );
        // The queue's node is that of a live future: its value can be fetched, once.
        assert_eq!(rx.try_recv().as_deref(), Ok("value"));
        assert!(rx.try_recv().unwrap_err().is_empty());
        assert!(poll(&mut send, Waker::noop()).is_ready());
    });
}

/// As above, with a blocked sender, whose place is on its stack.
#[test]
fn a_waker_panics_while_a_blocking_send_enters_the_queue() {
    fn attack() {
        let (tx, rx) = chan::<String>(0);
        let rx_of_task = rx.clone();
        let mut recv = rx_of_task.recv_async();
        assert!(poll(&mut recv, &panicking()).is_pending());
        let taker = thread::spawn(move || rx.recv());
        let sent = catch_unwind(AssertUnwindSafe(|| tx.send("value".to_string())));
        assert!(matches!(sent, Ok(Ok(()))), "the panic ends in the waker");
        assert_eq!(taker.join().unwrap().as_deref(), Ok("value"));
    }
    bounded(attack);
    bounded_go(attack);
}

/// Several sleepers are woken by one call, and the first one's waker panics. The others must be woken all the same.
#[test]
fn a_waker_panics_before_others_are_woken() {
    bounded(|| {
        let (tx, rx) = chan::<u8>(0);
        let mut first = rx.recv_async();
        assert!(poll(&mut first, &panicking()).is_pending());
        let sleeping = Arc::new(AtomicUsize::new(0));
        let others: Vec<_> = (0..3)
            .map(|_| {
                let (rx, sleeping) = (rx.clone(), sleeping.clone());
                go(move || {
                    sleeping.fetch_add(1, Ordering::SeqCst);
                    rx.recv()
                })
            })
            .collect();
        until(|| sleeping.load(Ordering::SeqCst) == 3);
        tx.close();
        for other in others {
            assert!(other.join().unwrap().is_err(), "the channel is closed");
        }
    });
}

/// A waker that blocks, called while its caller stands in a queue, and the caller is woken meanwhile. The wake must not
/// end the waker's wait, and the caller's own must not be lost.
#[test]
fn a_waker_blocks_while_its_caller_stands_in_a_queue() {
    fn attack() {
        let (tx, rx) = chan::<u32>(0);
        let (entered_tx, entered) = unbounded::<()>();
        let (gate_tx, gate) = chan::<u32>(0);
        let answers = Arc::new(AtomicUsize::new(0));
        let seen = answers.clone();
        let waker = calling(move || {
            entered_tx.send(()).unwrap();
            // Whoever took the value has woken the sender by now.
            seen.store(gate.recv().unwrap() as usize, Ordering::SeqCst);
        });
        let task_rx = rx.clone();
        let mut recv = task_rx.recv_async();
        assert!(poll(&mut recv, &waker).is_pending());
        let other = thread::spawn(move || {
            entered.recv().unwrap();
            assert_eq!(rx.recv(), Ok(7));
            gate_tx.send(42).unwrap();
            rx.recv()
        });
        tx.send(7).unwrap();
        assert_eq!(
            answers.load(Ordering::SeqCst),
            42,
            "the waker waited for its own"
        );
        tx.send(8).unwrap();
        assert_eq!(other.join().unwrap(), Ok(8));
    }
    for _ in 0..20 {
        bounded(attack);
        bounded_go(attack);
    }
}

/// A waker that gives way to other goroutines, one of which wakes the waker's caller.
#[test]
fn a_waker_yields_while_its_caller_stands_in_a_queue() {
    bounded_go(|| {
        for n in 0..200 {
            let (tx, rx) = chan::<u32>(0);
            let task_rx = rx.clone();
            let mut recv = task_rx.recv_async();
            let waker = calling(|| {
                waterway::yield_now();
                waterway::time::sleep(Duration::from_nanos(1));
            });
            assert!(poll(&mut recv, &waker).is_pending());
            let other = go(move || {
                while rx.try_recv() != Ok(n) {
                    waterway::yield_now();
                }
            });
            tx.send(n).unwrap();
            other.join().unwrap();
            // Nothing that was left behind ends this.
            waterway::time::sleep(Duration::from_nanos(1));
        }
    });
}

/// A waker that uses the very channel that calls it, in every way that does not wait.
#[test]
fn a_waker_uses_the_channel_that_calls_it() {
    for capacity in [0, 1, 2] {
        bounded(move || {
            let (tx, rx) = chan::<u32>(capacity);
            let (tx2, rx2) = (tx.clone(), rx.clone());
            let calls = Arc::new(AtomicUsize::new(0));
            let counted = calls.clone();
            let waker = calling(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = tx2.try_send(100);
                let _ = rx2.try_recv();
                assert!(rx2.len() <= capacity);
                drop((tx2.clone(), rx2.clone()));
                select! { recv(rx2) -> _ => (), send(tx2, 1) -> _ => (), default => () }
                tx2.close();
            });
            let mut recv = rx.recv_async();
            assert!(poll(&mut recv, &waker).is_pending());
            let _ = tx.try_send(1);
            tx.close();
            assert_eq!(calls.load(Ordering::SeqCst), 1);
            while poll(&mut recv, Waker::noop()) != Poll::Ready(Err(waterway::RecvError)) {}
        });
    }
}

/// A waker whose `wake` drops the last ends of the channel, while the channel is at work.
#[test]
fn a_waker_drops_the_channel() {
    use std::sync::Mutex;
    bounded(|| {
        for _ in 0..100 {
            let (tx, rx) = chan::<String>(2);
            let slot = Arc::new(Mutex::new(None));
            let ends = slot.clone();
            let waker = calling(move || drop(ends.lock().unwrap().take()));
            let mut recv = rx.recv_async();
            assert!(poll(&mut recv, &waker).is_pending());
            drop(recv);
            let mut recv = rx.recv_async();
            assert!(poll(&mut recv, &waker).is_pending());
            std::mem::forget(recv);
            *slot.lock().unwrap() = Some(rx);
            // Tells the forgotten future; that drops the last receiver, with the value.
            tx.send("value".to_string()).unwrap();
            assert!(tx.send("another".to_string()).is_err());
        }
    });
}

static DROPS_PANIC: AtomicBool = AtomicBool::new(false);

/// A waker whose drop panics once it is told to.
fn fragile() -> Waker {
    fn clone(_: *const ()) -> RawWaker {
        RawWaker::new(std::ptr::null(), &VTABLE)
    }
    fn wake(_: *const ()) {}
    fn dropped(_: *const ()) {
        if DROPS_PANIC.swap(false, Ordering::SeqCst) {
            panic!("a waker panics in its drop");
        }
    }
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, dropped);
    // SAFETY: the functions use no data.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) }
}

/// A pending future is polled with another waker, and the old one panics in its drop. The future keeps its place, and
/// its value.
#[test]
fn a_waker_panics_when_it_is_replaced() {
    bounded(|| {
        let (tx, rx) = chan::<String>(0);
        let mut send = tx.send_async("value".to_string());
        assert!(poll(&mut send, &fragile()).is_pending());
        DROPS_PANIC.store(true, Ordering::SeqCst);
        let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut send, Waker::noop())));
        assert!(polled.is_err(), "it is the caller's own waker");
        assert_eq!(rx.try_recv().as_deref(), Ok("value"));
        assert!(poll(&mut send, Waker::noop()).is_ready());

        let mut recv = rx.recv_async();
        assert!(poll(&mut recv, &fragile()).is_pending());
        DROPS_PANIC.store(true, Ordering::SeqCst);
        let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut recv, Waker::noop())));
        assert!(polled.is_err());
        drop(recv);
        assert!(tx.try_send("nobody".to_string()).unwrap_err().is_full());
    });
}

/// A wait for a condition unlocks the mutex, which a task waits for. Its waker notifies the condition, as that of an executor that
/// sleeps there does. What the waker says is not missed either: the caller stands in the queue by then.
#[test]
fn a_waker_notifies_the_condition_whose_wait_has_called_it() {
    fn attack() {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let notified = pair.clone();
        let mut guard = pair.0.lock();
        let mut task = pair.0.lock_async();
        assert!(poll(&mut task, &calling(move || notified.1.notify_one())).is_pending());
        pair.1.wait(&mut guard);
        drop(guard);
        assert!(poll(&mut task, Waker::noop()).is_ready());
    }
    bounded(attack);
    bounded_go(attack);
}

//! What full channels do: the promises of the policies one by one, against a model, and under load.

#[path = "overflow/codel.rs"]
mod codel;
#[path = "overflow/model.rs"]
mod model;
#[path = "overflow/traffic.rs"]
mod traffic;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, OnceLock, mpsc};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use waterway::flow::{Overflow, Shed, Statistics};
use waterway::{
    Context, Receiver, Select, SendTimeoutError, Sender, TrySendError, chan,
    context::SendContextError, go, select,
};

fn balance(now: &Statistics) {
    assert_eq!(
        now.sent,
        now.received + now.in_queue + now.shed + now.returned,
        "{now:?}"
    );
}

fn made<T: Send + 'static>(
    capacity: usize,
    overflow: Overflow,
) -> (Sender<T>, Receiver<T>, mpsc::Receiver<Shed<T>>) {
    let (shed, sheds) = mpsc::channel();
    let shed = std::sync::Mutex::new(shed);
    let builder = chan::builder().capacity(capacity).overflow(overflow);
    let (tx, rx) = builder
        .on_shed(move |one| shed.lock().unwrap().send(one).unwrap())
        .make();
    (tx, rx, sheds)
}

#[waterway::test]
fn a_refusal_is_told_from_the_end_of_a_channel() {
    let (tx, rx) = chan::builder()
        .capacity(1)
        .overflow(Overflow::Reject)
        .make();
    tx.send(1).unwrap();
    assert_eq!(tx.send(2).unwrap_err().into_inner(), 2);
    assert!(!tx.is_closed());
    let before = Instant::now();
    let refused = tx.send_timeout(3, Duration::from_secs(3600));
    assert_eq!(refused, Err(SendTimeoutError::Timeout(3)));
    assert!(before.elapsed() < Duration::from_secs(3000));
    let ctx = Context::background();
    assert!(matches!(
        ctx.send(&tx, 4),
        Err(SendContextError::Refused(4))
    ));
    assert!(tx.try_send(5).unwrap_err().is_full());
    let now = tx.statistics();
    assert_eq!((now.returned, now.by_cause().refused, now.shed), (4, 4, 0));
    // Each line of this test that sent has its own count.
    assert_eq!(now.by_sender.len(), 4);
    assert!(
        now.by_sender
            .iter()
            .all(|by| by.sender.unwrap().file() == file!())
    );
    drop(rx);
    assert_eq!(tx.try_send(6), Err(TrySendError::Disconnected(6)));
}

#[waterway::test]
fn an_unbuffered_channel_refuses_unless_somebody_waits() {
    let (tx, rx) = chan::builder().overflow(Overflow::Reject).make();
    assert!(tx.send(1).is_err());
    let receiver = go(move || rx.recv());
    while tx.send(2).is_err() {
        waterway::yield_now();
    }
    assert_eq!(receiver.join().unwrap(), Ok(2));
    let now = tx.statistics();
    balance(&now);
    assert_eq!(now.received, 1);
}

#[waterway::test]
fn a_select_with_a_full_arm_that_sheds_does_not_wait() {
    for overflow in [Overflow::Reject, Overflow::DropNewest, Overflow::DropOldest] {
        let (tx, rx, sheds) = made(1, overflow);
        tx.send(1).unwrap();
        let (_other, never) = chan::<u8>(0);
        let sent = select! {
            send(tx, 2) -> sent => sent.is_ok(),
            recv(never) -> _ => unreachable!("nobody sends there"),
        };
        assert_eq!(sent, overflow != Overflow::Reject);
        let mut set = Select::new();
        let arm = set.send(&tx);
        assert_eq!(set.try_ready(), Ok(arm));
        let ready = set.select();
        assert_eq!(ready.send(&tx, 3).is_ok(), sent);
        balance(&rx.statistics());
        let shed: Vec<i32> = sheds.try_iter().map(Shed::into_inner).collect();
        let expected: &[i32] = match overflow {
            Overflow::DropNewest => &[2, 3],
            Overflow::DropOldest => &[1, 2],
            _ => &[],
        };
        assert_eq!(shed, expected);
    }
}

#[waterway::test]
fn who_waits_goes_on_by_the_new_policy() {
    let (tx, rx, sheds) = made(1, Overflow::Block);
    tx.send(0).unwrap();
    let (goroutine, selecting) = (tx.clone(), tx.clone());
    let blocked = go(move || goroutine.send(1).is_ok());
    let chosen = go(move || select! { send(selecting, 2) -> sent => sent.is_ok() });
    let thread = tx.clone();
    let thread = std::thread::spawn(move || thread.send(3).is_ok());
    let mut cx = TaskContext::from_waker(Waker::noop());
    let mut task = pin!(tx.send_async(4));
    assert!(task.as_mut().poll(&mut cx).is_pending());
    while tx.statistics().waiting_senders < 4 {
        waterway::yield_now();
    }
    rx.set_overflow(Overflow::DropNewest);
    assert!(blocked.join().unwrap() && chosen.join().unwrap());
    assert!(waterway::blocking(|| thread.join().unwrap()));
    assert!(matches!(task.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
    let mut shed: Vec<i32> = sheds.try_iter().map(Shed::into_inner).collect();
    shed.sort_unstable();
    assert_eq!(shed, [1, 2, 3, 4]);
    assert_eq!(rx.try_recv(), Ok(0));
    balance(&rx.statistics());
}

#[waterway::test]
fn a_callback_that_panics_is_the_callers_and_may_use_the_channel() {
    let builder = chan::builder().capacity(1).overflow(Overflow::DropOldest);
    let (tx, rx) = builder
        .on_shed(|shed: Shed<u8>| assert_ne!(shed.value, 1, "on purpose"))
        .make();
    tx.send(1).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| tx.send(2))).is_err());
    // The value is there, the evicted one is counted, and nothing is locked.
    tx.send(3).unwrap();
    assert_eq!(rx.recv(), Ok(3));
    let now = rx.statistics();
    balance(&now);
    assert_eq!((now.shed, now.received), (2, 1));

    let (again, shed_again) = chan::unbounded();
    let builder = chan::builder().capacity(1).overflow(Overflow::DropOldest);
    let (tx, rx) = builder
        .on_shed(move |shed: Shed<u8>| again.send(shed.value).unwrap())
        .make();
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert_eq!((shed_again.recv(), rx.recv()), (Ok(1), Ok(2)));
}

/// A callback sends what was shed once more, on the same channel, which sheds again, and so on, up to a number of times.
#[waterway::test]
fn a_callback_may_send_on_its_own_channel() {
    for (overflow, capacity) in [
        (Overflow::DropNewest, 2),
        (Overflow::DropNewest, 0),
        (Overflow::DropOldest, 2),
        (Overflow::KeepLatest, 1),
    ] {
        let own = Arc::new(OnceLock::<chan::WeakSender<u32>>::new());
        let again = own.clone();
        let builder = chan::builder().capacity(capacity).overflow(overflow);
        let (tx, rx) = builder
            .on_shed(move |shed: Shed<u32>| {
                let tx = again.get().unwrap().upgrade().unwrap();
                if shed.value < 100 {
                    tx.send(shed.value + 100).unwrap();
                }
            })
            .make();
        own.set(tx.downgrade()).unwrap();
        (0..10).for_each(|n| tx.send(n).unwrap());
        drop(tx);
        let received = rx.iter().count() as u64;
        let now = rx.statistics();
        balance(&now);
        // Ten, and one more for each of those that was shed for the first time.
        assert_eq!((now.received, now.in_queue), (received, 0), "{overflow:?}");
        assert_eq!(received, capacity as u64, "{overflow:?}");
        assert!(
            now.shed > 10 && now.sent == received + now.shed,
            "{overflow:?}: {now:?}"
        );
    }
}

#[waterway::test]
fn a_callback_that_panics_has_the_other_values_nevertheless() {
    let overflow = Overflow::CoDel {
        target: Duration::from_millis(1),
        interval: Duration::from_millis(2),
    };
    let (shed, sheds) = mpsc::channel();
    let shed = std::sync::Mutex::new(shed);
    let builder = chan::builder().capacity(10).overflow(overflow);
    let (tx, rx) = builder
        .on_shed(move |one: Shed<u32>| {
            shed.lock()
                .unwrap_or_else(|e| e.into_inner())
                .send(one.value)
                .unwrap();
            assert_ne!(one.value % 2, 0, "on purpose");
        })
        .make();
    (0..5).for_each(|n| tx.send(n).unwrap());
    waterway::time::sleep(Duration::from_millis(10));
    tx.send(5).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| rx.recv())).expect_err("the callback panics");
    let text = panicked.downcast_ref::<String>().expect("a text");
    assert!(text.contains("on purpose"), "{text}");
    assert_eq!(sheds.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    balance(&rx.statistics());
}

#[test]
fn nonsense_is_refused_with_words() {
    let panics = |f: &mut dyn FnMut()| {
        let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it makes no sense");
        payload
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| (*payload.downcast_ref::<&str>().expect("a text")).to_owned())
    };
    let ms = Duration::from_millis;
    let codel = |target, interval| Overflow::CoDel { target, interval };
    let cases: &[(Option<usize>, Overflow, &str)] = &[
        (
            Some(0),
            Overflow::DropOldest,
            "give it a capacity of 1 or more",
        ),
        (
            Some(0),
            Overflow::codel(),
            "give it a capacity of 1 or more",
        ),
        (Some(2), Overflow::KeepLatest, "give the channel capacity 1"),
        (None, Overflow::Reject, "an unbounded channel is never full"),
        (Some(1), codel(ms(0), ms(100)), "a CoDel target of 0"),
        (Some(1), codel(ms(50), ms(10)), "shorter than its target"),
    ];
    for (capacity, overflow, words) in cases {
        let builder = || match capacity {
            Some(n) => chan::builder::<u8>().capacity(*n),
            None => chan::builder().unbounded(),
        };
        if (*capacity, *overflow) != (Some(0), Overflow::KeepLatest) {
            let text = panics(&mut || drop(builder().overflow(*overflow).make()));
            assert!(text.contains(words), "{text}");
        }
        let (tx, _rx) = builder().make();
        let text = panics(&mut || tx.set_overflow(*overflow));
        assert!(text.contains(words), "{text}");
        assert_eq!(tx.overflow(), Overflow::Block);
    }
    let (tx, _rx) = chan::builder::<u8>().overflow(Overflow::KeepLatest).make();
    assert_eq!(tx.capacity(), Some(1));
}

/// On an unbuffered channel each call parks, in a sender that evicts, in a receiver that finds others late, and in a select.
#[waterway::test]
fn a_callback_may_park() {
    let (told, tells) = chan::<u32>(0);
    let collector = go(move || tells.iter().collect::<Vec<_>>());
    let again = told.clone();
    let overflow = Overflow::CoDel {
        target: Duration::from_millis(1),
        interval: Duration::from_millis(2),
    };
    let builder = chan::builder().capacity(3).overflow(Overflow::DropOldest);
    let (tx, rx) = builder
        .on_shed(move |shed: Shed<u32>| {
            waterway::time::sleep(Duration::from_millis(1));
            again.send(shed.value).unwrap();
        })
        .make();
    for n in 0..5 {
        tx.send(n).unwrap();
    }
    select! { send(tx, 5) -> sent => sent.unwrap() }
    tx.set_overflow(overflow);
    assert_eq!((rx.recv(), rx.len()), (Ok(3), 2));
    for old in [6, 7] {
        while rx.try_recv().is_ok() {}
        tx.send(old).unwrap();
        waterway::time::sleep(Duration::from_millis(10));
        tx.send(old * 10).unwrap();
        match old {
            6 => assert_eq!(rx.recv(), Ok(60)),
            _ => select! { recv(rx) -> value => assert_eq!(value, Ok(70)) },
        }
    }
    balance(&rx.statistics());
    drop((told, tx, rx));
    assert_eq!(collector.join().unwrap(), [0, 1, 2, 6, 7]);
}

//! What full channels do: each policy against a model, and its promises one by one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use waterway::flow::{Cause, Overflow, Shed, Statistics};
use waterway::{
    Context, Receiver, Select, SendTimeoutError, Sender, TrySendError, chan,
    context::SendContextError, go, scope, select,
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

/// A channel as its documentation describes it, of one caller who never waits.
struct Model {
    capacity: usize,
    overflow: Overflow,
    values: VecDeque<u32>,
    shed: Vec<(u32, Cause)>,
    sent: u64,
    received: u64,
    returned: u64,
    closed: bool,
}

/// What came of a send.
#[derive(Debug, PartialEq)]
enum Sent {
    Ok,
    Full,
    Closed,
}

impl Model {
    fn send(&mut self, value: u32) -> Sent {
        if self.closed {
            return Sent::Closed;
        }
        if self.values.len() == self.capacity {
            let cause = match self.overflow {
                Overflow::Reject => {
                    self.sent += 1;
                    self.returned += 1;
                    return Sent::Full;
                }
                Overflow::DropNewest => {
                    self.sent += 1;
                    self.shed.push((value, Cause::Newest));
                    return Sent::Ok;
                }
                Overflow::DropOldest => Cause::Oldest,
                Overflow::KeepLatest => Cause::Superseded,
                _ => return Sent::Full,
            };
            let oldest = self.values.pop_front().unwrap();
            self.shed.push((oldest, cause));
        }
        self.sent += 1;
        self.values.push_back(value);
        Sent::Ok
    }
}

#[derive(Clone, Debug)]
enum Step {
    TrySend,
    /// Where it does not wait.
    Send,
    SendTimeout,
    SelectSend,
    AsyncSend,
    ForceSend,
    Recv,
    SetOverflow(usize),
    CloseSending,
}

fn policies(capacity: usize) -> Vec<Overflow> {
    let mut all = vec![
        Overflow::Block,
        Overflow::Reject,
        Overflow::DropNewest,
        Overflow::DropOldest,
        Overflow::codel(),
    ];
    if capacity == 1 {
        all.push(Overflow::KeepLatest);
    }
    all
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::TrySend),
        3 => Just(Step::Send),
        2 => Just(Step::SendTimeout),
        2 => Just(Step::SelectSend),
        2 => Just(Step::AsyncSend),
        2 => Just(Step::ForceSend),
        6 => Just(Step::Recv),
        2 => (0usize..6).prop_map(Step::SetOverflow),
        1 => Just(Step::CloseSending),
    ];
    prop::collection::vec(step, 1..80)
}

fn run(capacity: usize, steps: &[Step]) {
    let all = policies(capacity);
    let (tx, rx, sheds) = made(capacity, Overflow::Block);
    let mut model = Model {
        capacity,
        overflow: Overflow::Block,
        values: VecDeque::new(),
        shed: Vec::new(),
        sent: 0,
        received: 0,
        returned: 0,
        closed: false,
    };
    let mut told: Vec<(u32, Cause)> = Vec::new();
    for (value, step) in steps.iter().enumerate() {
        let value = value as u32;
        let waits = matches!(model.overflow, Overflow::Block | Overflow::CoDel { .. });
        let would_wait = waits && !model.closed && model.values.len() == capacity;
        match step {
            Step::TrySend => {
                let sent = match tx.try_send(value) {
                    Ok(()) => Sent::Ok,
                    Err(TrySendError::Full(back)) if back == value => Sent::Full,
                    Err(TrySendError::Disconnected(back)) if back == value => Sent::Closed,
                    Err(_) => panic!("another value came back"),
                };
                assert_eq!(sent, model.send(value));
            }
            Step::Send if would_wait => {}
            Step::Send => {
                let sent = match tx.send(value) {
                    Ok(()) => Sent::Ok,
                    Err(error) => {
                        assert_eq!(error.into_inner(), value);
                        // How the documentation tells refusal from disconnection.
                        if tx.is_closed() {
                            Sent::Closed
                        } else {
                            Sent::Full
                        }
                    }
                };
                assert_eq!(sent, model.send(value));
            }
            Step::SendTimeout => {
                let hour = Duration::from_secs(3600);
                let timeout = if would_wait { Duration::ZERO } else { hour };
                let sent = match tx.send_timeout(value, timeout) {
                    Ok(()) => Sent::Ok,
                    Err(SendTimeoutError::Timeout(_)) => Sent::Full,
                    Err(SendTimeoutError::Disconnected(_)) => Sent::Closed,
                };
                assert_eq!(sent, model.send(value));
            }
            Step::SelectSend => {
                let sent = select! {
                    send(tx, value) -> sent => match sent {
                        Ok(()) => Sent::Ok,
                        Err(_) if tx.is_closed() => Sent::Closed,
                        Err(_) => Sent::Full,
                    },
                    default => {
                        assert!(would_wait, "the arm is ready at once");
                        Sent::Full
                    }
                };
                assert_eq!(sent, model.send(value));
            }
            Step::AsyncSend => {
                let mut cx = TaskContext::from_waker(Waker::noop());
                let sent = match pin!(tx.send_async(value)).poll(&mut cx) {
                    Poll::Ready(Ok(())) => Sent::Ok,
                    Poll::Ready(Err(_)) if tx.is_closed() => Sent::Closed,
                    Poll::Ready(Err(_)) => Sent::Full,
                    Poll::Pending => {
                        assert!(would_wait);
                        Sent::Full
                    }
                };
                assert_eq!(sent, model.send(value));
            }
            Step::ForceSend => match tx.force_send(value) {
                Err(error) => {
                    assert!(model.closed);
                    assert_eq!(error.into_inner(), value);
                }
                Ok(evicted) => {
                    assert!(!model.closed);
                    model.sent += 1;
                    let expected = match model.values.len() == capacity {
                        true if capacity == 0 => Some(value),
                        true => model.values.pop_front(),
                        false => None,
                    };
                    assert_eq!(evicted, expected);
                    model.returned += u64::from(expected.is_some());
                    if capacity > 0 {
                        model.values.push_back(value);
                    }
                }
            },
            Step::Recv => {
                let expected = model.values.pop_front();
                model.received += u64::from(expected.is_some());
                assert_eq!(rx.try_recv().ok(), expected);
            }
            Step::SetOverflow(which) => {
                let overflow = all[which % all.len()];
                let fits = capacity > 0
                    || matches!(
                        overflow,
                        Overflow::Block | Overflow::Reject | Overflow::DropNewest
                    );
                if fits {
                    tx.set_overflow(overflow);
                    model.overflow = overflow;
                }
            }
            Step::CloseSending => {
                tx.close();
                model.closed = true;
            }
        }
        told.extend(sheds.try_iter().map(|shed| (shed.value, shed.cause)));
        let now = rx.statistics();
        balance(&now);
        assert_eq!(
            (now.sent, now.received, now.in_queue, now.returned, now.shed),
            (
                model.sent,
                model.received,
                model.values.len() as u64,
                model.returned,
                model.shed.len() as u64
            ),
            "after {step:?}"
        );
    }
    assert_eq!(told, model.shed);
    let left = model.values.len() as u64;
    rx.close();
    let now = tx.statistics();
    balance(&now);
    assert_eq!((now.in_queue, now.closed), (0, left));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_full_channel_does_what_the_model_does(capacity in 0usize..4, steps in steps()) {
        run(capacity, &steps);
    }
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

/// Senders and receivers of all kinds on one channel while `meanwhile` runs: every value has one fate.
fn traffic(capacity: usize, overflow: Overflow, meanwhile: impl FnOnce(&Sender<u64>) + Send) {
    traffic_of(
        chan::builder().capacity(capacity).overflow(overflow),
        meanwhile,
    );
}

/// The same, of a channel that is to be made.
fn traffic_of(builder: chan::Builder<u64>, meanwhile: impl FnOnce(&Sender<u64>) + Send) {
    const SENDERS: u64 = 4;
    const EACH: u64 = 1_000;
    let (shed, received, returned) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let shed = Arc::new(shed);
    let told = shed.clone();
    let (tx, rx) = builder
        .on_shed(move |one: Shed<u64>| {
            told.fetch_add(one.value, Ordering::Relaxed);
        })
        .make();
    let stats = tx.downgrade();
    let kept = rx.clone();
    scope(|s| {
        for sender in 0..SENDERS {
            let (tx, returned) = (tx.clone(), &returned);
            s.go(move || {
                for n in 0..EACH {
                    let value = 1 + sender * EACH + n;
                    let back = match n % 4 {
                        0 => tx.try_send(value).err().map(|error| error.into_inner()),
                        1 => tx.send(value).err().map(|error| error.into_inner()),
                        2 => tx.force_send(value).unwrap(),
                        _ => select! { send(tx, value) -> sent => sent.err().map(|e| e.into_inner()) },
                    };
                    returned.fetch_add(back.unwrap_or(0), Ordering::Relaxed);
                    if n % 64 == 0 {
                        waterway::yield_now();
                    }
                }
            });
        }
        for receiver in 0..2 {
            let (rx, received) = (rx.clone(), &received);
            s.go(move || {
                let mut sum = 0;
                loop {
                    let value = match receiver {
                        0 => rx.recv().ok(),
                        _ => select! { recv(rx) -> value => value.ok() },
                    };
                    let Some(value) = value else { break };
                    sum += value;
                    if value % 32 == 0 {
                        waterway::yield_now();
                    }
                }
                received.fetch_add(sum, Ordering::Relaxed);
            });
        }
        let looker = stats.clone();
        s.go(move || {
            while let Some(tx) = looker.upgrade() {
                balance(&tx.statistics());
                drop(tx);
                waterway::yield_now();
            }
        });
        meanwhile(&tx);
        drop(tx);
    });
    let now = kept.statistics();
    balance(&now);
    assert_eq!(now.in_queue, 0);
    let values = SENDERS * EACH;
    let fates = [&*shed, &received, &returned].map(|sum| sum.load(Ordering::Relaxed));
    assert_eq!(
        fates.iter().sum::<u64>(),
        values * (values + 1) / 2,
        "{:?}: {fates:?}",
        kept.overflow()
    );
}

#[waterway::test]
fn under_load_every_value_has_one_fate() {
    for overflow in [
        Overflow::Block,
        Overflow::Reject,
        Overflow::DropNewest,
        Overflow::DropOldest,
        Overflow::CoDel {
            target: Duration::from_nanos(1),
            interval: Duration::from_nanos(1),
        },
    ] {
        for capacity in [1, 8] {
            traffic(capacity, overflow, |_| {});
        }
    }
    traffic(1, Overflow::KeepLatest, |_| {});
}

#[waterway::test]
fn a_policy_that_changes_all_the_time_loses_nothing() {
    let changes = [
        Overflow::DropOldest,
        Overflow::Block,
        Overflow::CoDel {
            target: Duration::from_nanos(1),
            interval: Duration::from_nanos(1),
        },
        Overflow::Reject,
        Overflow::Block,
        Overflow::DropNewest,
        Overflow::codel(),
    ];
    let done = AtomicBool::new(false);
    let (weak, made) = chan(1);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let tx: waterway::WeakSender<u64> = made.recv().unwrap();
            for overflow in changes.iter().cycle() {
                let Some(tx) = tx.upgrade() else { break };
                tx.set_overflow(*overflow);
                drop(tx);
                std::thread::sleep(Duration::from_micros(100));
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        traffic(4, Overflow::Block, |tx| weak.send(tx.downgrade()).unwrap());
        done.store(true, Ordering::Relaxed);
    });
}

#[waterway::test]
fn what_waited_too_long_is_shed_when_it_would_be_received() {
    let overflow = Overflow::CoDel {
        target: Duration::from_millis(1),
        interval: Duration::from_millis(2),
    };
    let (tx, rx, sheds) = made(100, overflow);
    for n in 0..10 {
        tx.send(n).unwrap();
    }
    waterway::time::sleep(Duration::from_millis(10));
    tx.send(10).unwrap();
    // All have waited for too long but the last, however slow this machine is; the last is never shed.
    assert_eq!(rx.recv(), Ok(10));
    let shed: Vec<_> = sheds.try_iter().collect();
    assert_eq!(
        shed.iter().map(|s| s.value).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
    assert!(
        shed.iter()
            .all(|s| s.cause == Cause::Late && s.sender.unwrap().file() == file!())
    );
    balance(&tx.statistics());
}

/// A channel with adaptive LIFO, whose queue stands for as long as the oldest value is older than the target: one hour, so that
/// only `set_overflow` makes it stand or calm, and time makes nobody late.
#[waterway::test]
fn while_the_queue_stands_the_newest_comes_first() {
    let tiny = Duration::from_nanos(1);
    let hour = Duration::from_secs(3600);
    let codel = |target, interval| Overflow::CoDel { target, interval };
    let (shed, sheds) = mpsc::channel();
    let shed = std::sync::Mutex::new(shed);
    let builder = chan::builder().capacity(8).overflow(codel(hour, hour));
    let (tx, rx) = builder
        .adaptive_lifo(true)
        .on_shed(move |one: Shed<u32>| shed.lock().unwrap().send((one.value, one.cause)).unwrap())
        .make();
    // Calm: in order.
    (0..4).for_each(|n| tx.send(n).unwrap());
    assert_eq!((rx.recv(), rx.recv()), (Ok(0), Ok(1)));
    // It stands, and all are late: the newest is received, by each kind of receiver, and the others go.
    tx.set_overflow(codel(tiny, tiny));
    tx.send(4).unwrap();
    waterway::time::sleep(Duration::from_millis(1));
    assert_eq!(rx.recv(), Ok(4));
    assert_eq!(
        sheds.try_iter().collect::<Vec<_>>(),
        [(2, Cause::Late), (3, Cause::Late)]
    );
    assert!(rx.is_empty());
    // It stands, and nobody is late: the target is what has passed, so twice the target has not, or the test has stood still.
    let mut orders = Vec::new();
    for target in (0..).map(|n| Duration::from_millis(50 << n)) {
        tx.set_overflow(codel(target, target));
        let before = Instant::now();
        (10..15).for_each(|n| tx.send(n).unwrap());
        waterway::time::sleep(target + target / 8);
        let got: Vec<u32> = vec![
            rx.recv().unwrap(),
            rx.try_recv().unwrap(),
            select! { recv(rx) -> value => value.unwrap() },
            rx.recv_timeout(hour).unwrap(),
        ];
        let last = rx.recv();
        if before.elapsed() < target * 2 {
            orders.push((got, last));
            break;
        }
        while rx.try_recv().is_ok() {}
        sheds.try_iter().for_each(drop);
        assert!(
            target < Duration::from_secs(10),
            "this machine stands still"
        );
    }
    assert_eq!(orders, [(vec![14, 13, 12, 11], Ok(10))]);
    assert!(sheds.try_iter().next().is_none());
    // Under another policy, and calm again: in order.
    for overflow in [Overflow::Block, Overflow::DropOldest, codel(hour, hour)] {
        tx.set_overflow(overflow);
        (20..28).for_each(|n| tx.send(n).unwrap());
        assert_eq!(rx.try_iter().collect::<Vec<_>>(), Vec::from_iter(20..28));
    }
    balance(&rx.statistics());
}

#[waterway::test]
fn newest_first_under_load_every_value_has_one_fate() {
    let tiny = Duration::from_nanos(1);
    for target in [tiny, Duration::from_micros(20)] {
        let overflow = Overflow::CoDel {
            target,
            interval: target,
        };
        for capacity in [1, 2, 8] {
            let builder = chan::builder().capacity(capacity).overflow(overflow);
            traffic_of(builder.adaptive_lifo(true), |_| {});
        }
    }
}

#[test]
fn adaptive_lifo_needs_codel() {
    let make = || chan::builder::<u8>().capacity(2).adaptive_lifo(true).make();
    let payload = catch_unwind(make).expect_err("there is no CoDel");
    let text = payload.downcast_ref::<String>().expect("a text");
    assert!(text.contains("give it `Overflow::codel()`"), "{text}");
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

/// What is in the channel when it comes under CoDel has no time of its own, whatever stood in its places before.
#[test]
fn values_that_were_there_before_codel_are_not_late() {
    let overflow = Overflow::CoDel {
        target: Duration::from_millis(50),
        interval: Duration::from_millis(60),
    };
    let (tx, rx, sheds) = made(4, overflow);
    for n in 0..4 {
        tx.send(n).unwrap();
    }
    tx.set_overflow(Overflow::Block);
    for n in 0..4 {
        assert_eq!(rx.recv(), Ok(n));
    }
    waterway::time::sleep(Duration::from_millis(110));
    tx.send(4).unwrap();
    tx.send(5).unwrap();
    tx.set_overflow(overflow);
    waterway::time::sleep(Duration::from_millis(61));
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(4), Ok(5)));
    assert!(sheds.try_recv().is_err());
}

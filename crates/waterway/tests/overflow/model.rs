//! Each policy against a model, in steps that proptest chooses.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use waterway::flow::{Cause, Overflow, Shed};
use waterway::{SendTimeoutError, TrySendError, chan, select};

use super::{balance, made};

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

    #[test]
    fn newest_first_is_what_the_model_says(capacity in 1usize..6, steps in lifo_steps()) {
        run_lifo(capacity, &steps);
    }
}

#[derive(Clone, Copy, Debug)]
enum LifoStep {
    Send,
    Recv,
    TryRecv,
    SelectRecv,
    Stand(bool),
}

fn lifo_steps() -> impl Strategy<Value = Vec<LifoStep>> {
    let step = prop_oneof![
        8 => Just(LifoStep::Send),
        2 => Just(LifoStep::Recv),
        2 => Just(LifoStep::TryRecv),
        1 => Just(LifoStep::SelectRecv),
        2 => any::<bool>().prop_map(LifoStep::Stand),
    ];
    prop::collection::vec(step, 1..60)
}

/// Adaptive LIFO. The queue either never stands (nothing is as old as an hour), or stands and all in it are late (older than two
/// nanoseconds): then who receives has the newest, and the others are shed, the oldest first.
fn run_lifo(capacity: usize, steps: &[LifoStep]) {
    let codel = |time| Overflow::CoDel {
        target: time,
        interval: time,
    };
    let (calm, tiny) = (Duration::from_secs(3600), Duration::from_nanos(1));
    let (shed, sheds) = mpsc::channel();
    let shed = std::sync::Mutex::new(shed);
    let builder = chan::builder().capacity(capacity).overflow(codel(calm));
    let (tx, rx) = builder
        .adaptive_lifo(true)
        .on_shed(move |one: Shed<u32>| shed.lock().unwrap().send((one.value, one.cause)).unwrap())
        .make();
    let (mut values, mut stands) = (VecDeque::new(), false);
    let (mut lost, mut told) = (Vec::new(), Vec::new());
    for (value, step) in steps.iter().enumerate() {
        let value = value as u32;
        match *step {
            LifoStep::Stand(now) => {
                stands = now;
                tx.set_overflow(codel(if now { tiny } else { calm }));
            }
            LifoStep::Send => {
                let has_room = values.len() < capacity;
                assert_eq!(tx.try_send(value).is_ok(), has_room);
                if has_room {
                    values.push_back(value);
                }
            }
            receive => {
                let expected = match stands {
                    true => values.pop_back(),
                    false => values.pop_front(),
                };
                if stands {
                    lost.extend(values.drain(..).map(|old| (old, Cause::Late)));
                    let before = Instant::now();
                    while before.elapsed() < Duration::from_micros(1) {}
                }
                let got = match receive {
                    LifoStep::Recv if expected.is_some() => rx.recv().ok(),
                    LifoStep::SelectRecv => select! {
                        recv(rx) -> value => value.ok(),
                        default => None,
                    },
                    _ => rx.try_recv().ok(),
                };
                assert_eq!(got, expected, "after {step:?}");
            }
        }
        told.extend(sheds.try_iter());
        assert_eq!(told, lost);
        let now = rx.statistics();
        balance(&now);
        assert_eq!(
            (now.in_queue, now.shed),
            (values.len() as u64, lost.len() as u64)
        );
    }
}

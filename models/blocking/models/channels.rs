//! Channels: what is sent is received once or comes back, and nobody waits in vain.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use shuttle::sync::Mutex;

use super::{Goroutine, Kind, Model, Stage, Thread};
use crate::chan::{chan, unbounded};
use crate::{Receiver, RecvTimeoutError, Sender};

pub(super) const MODELS: &[Model] = &[
    ("rendezvous_of_goroutines", || pass_all(Some(0), Goroutine)),
    ("rendezvous_of_threads", || pass_all(Some(0), Thread)),
    ("ring_of_one_of_goroutines", || pass_all(Some(1), Goroutine)),
    ("ring_of_one_of_threads", || pass_all(Some(1), Thread)),
    ("ring_of_two", || pass_all(Some(2), Goroutine)),
    ("unbounded", || pass_all(None, Goroutine)),
    ("rendezvous_with_deadlines", || deadlines(0)),
    ("ring_with_deadlines", || deadlines(1)),
    ("rendezvous_closed_by_senders", || close(0, true)),
    ("rendezvous_closed_by_receivers", || close(0, false)),
    ("rendezvous_closed_before_many", close_before_many),
    ("ring_closed_by_senders", || close(1, true)),
    ("ring_closed_by_receivers", || close(1, false)),
    ("rendezvous_of_tasks", || tasks(0)),
    ("ring_of_tasks", || tasks(1)),
    ("task_that_goes_passes_the_word_on", task_goes),
];

fn channel(capacity: Option<usize>) -> (Sender<u32>, Receiver<u32>) {
    capacity.map_or_else(unbounded, chan)
}

/// What arrived, in any order.
#[derive(Clone, Default)]
struct Arrived(Arc<Mutex<Vec<u32>>>);

impl Arrived {
    fn note(&self, value: u32) {
        self.0.lock().unwrap().push(value);
    }

    #[track_caller]
    fn is(&self, expected: impl IntoIterator<Item = u32>) {
        let mut all = self.0.lock().unwrap().clone();
        all.sort_unstable();
        assert_eq!(all, Vec::from_iter(expected));
    }
}

/// Two senders and two receivers; each sender's values arrive in its order.
fn pass_all(capacity: Option<usize>, kind: Kind) {
    let mut stage = Stage::new();
    let (tx, rx) = channel(capacity);
    let arrived = Arrived::default();
    for sender in 0..2 {
        let tx = tx.clone();
        stage.actor(kind, move || {
            for i in 0..2 {
                tx.send(sender * 10 + i).unwrap();
            }
        });
    }
    drop(tx);
    for _ in 0..2 {
        let (rx, arrived) = (rx.clone(), arrived.clone());
        stage.actor(kind, move || {
            let mut last = [None, None];
            for value in &rx {
                let before = last[value as usize / 10].replace(value);
                assert!(before.is_none_or(|b| b < value), "first in, first out");
                arrived.note(value);
            }
        });
    }
    stage.end();
    arrived.is([0, 1, 10, 11]);
}

/// A value whose time is over comes back to its sender; then it has not arrived.
fn deadlines(capacity: usize) {
    const SHORT: Duration = Duration::from_millis(1);
    let mut stage = Stage::new();
    let (tx, rx) = chan(capacity);
    let arrived = Arrived::default();
    for (value, kind) in [(1, Goroutine), (2, Thread)] {
        let (tx, arrived) = (tx.clone(), arrived.clone());
        stage.actor(kind, move || {
            if let Err(back) = tx.send_timeout(value, SHORT) {
                arrived.note(back.into_inner());
            }
        });
    }
    drop(tx);
    for kind in [Goroutine, Thread] {
        let (rx, arrived) = (rx.clone(), arrived.clone());
        stage.actor(kind, move || {
            if let Ok(value) = rx.recv_timeout(SHORT) {
                arrived.note(value);
            }
        });
    }
    stage.end_with_clock();
    // What is left lies in the buffer.
    while let Ok(value) = rx.try_recv() {
        arrived.note(value);
    }
    arrived.is([1, 2]);
}

/// One side closes while the other is at it.
fn close(capacity: usize, by_senders: bool) {
    let mut stage = Stage::new();
    let (tx, rx) = chan(capacity);
    let arrived = Arrived::default();
    for value in [1, 2] {
        let (tx, arrived) = (tx.clone(), arrived.clone());
        stage.actor(Goroutine, move || {
            if let Err(back) = tx.send(value) {
                arrived.note(back.into_inner());
            }
        });
    }
    let (to, from) = (tx.clone(), rx.clone());
    stage.actor(Thread, move || {
        if by_senders {
            to.close();
        } else {
            from.close();
        }
    });
    drop(tx);
    let (from, to) = (rx.clone(), arrived.clone());
    stage.actor(Goroutine, move || from.iter().for_each(|v| to.note(v)));
    stage.end();
    if by_senders {
        arrived.is([1, 2]);
    } else {
        // What was in the buffer when the receivers closed is dropped.
        let all = arrived.0.lock().unwrap().clone();
        assert!(all.len() >= 2 - capacity.min(2) && all.iter().all(|v| [1, 2].contains(v)));
    }
}

/// Receivers are told of the end one after the other, while the time of some is over. Who was told finds nobody there any more.
fn close_before_many() {
    let mut stage = Stage::new();
    let (tx, rx) = chan::<u32>(0);
    for (kind, limit) in [(Goroutine, None), (Thread, Some(1)), (Goroutine, Some(1))] {
        let (tx, rx) = (tx.clone(), rx.clone());
        stage.actor(kind, move || match limit.map(Duration::from_millis) {
            None => {
                assert!(rx.recv().is_err(), "nobody sends before the end");
                assert!(tx.try_send(1).is_err_and(|e| e.is_disconnected()));
                assert!(tx.send(2).is_err());
            }
            Some(limit) => {
                if rx.recv_timeout(limit) == Err(RecvTimeoutError::Disconnected) {
                    assert!(tx.send(3).is_err());
                }
            }
        });
    }
    stage.actor(Goroutine, move || tx.close());
    stage.end_with_clock();
    drop(rx);
}

/// An async task on either side, and a goroutine on the other.
fn tasks(capacity: usize) {
    let mut stage = Stage::new();
    let (tx, rx) = chan(capacity);
    let (back, answers) = chan(capacity);
    stage.actor(Thread, move || {
        shuttle::future::block_on(async {
            for i in 0..2 {
                tx.send_async(i).await.unwrap();
                assert_eq!(answers.recv_async().await, Ok(i));
            }
        });
    });
    stage.actor(Goroutine, move || {
        for value in &rx {
            back.send(value).unwrap();
        }
    });
    stage.end();
}

/// A task that was told of a value and goes without it: another receiver gets it.
fn task_goes() {
    let mut stage = Stage::new();
    let (tx, rx) = chan(1);
    let arrived = Arrived::default();
    let (other, to) = (rx.clone(), arrived.clone());
    stage.actor(Goroutine, move || other.iter().for_each(|v| to.note(v)));
    let to = arrived.clone();
    stage.actor(Thread, move || {
        let mut receive = Box::pin(rx.recv_async());
        shuttle::future::block_on(std::future::poll_fn(|cx| {
            if let Poll::Ready(Ok(value)) = receive.as_mut().poll(cx) {
                to.note(value);
            }
            Poll::Ready(())
        }));
        shuttle::thread::yield_now();
        drop(receive);
    });
    stage.actor(Goroutine, move || {
        tx.send(1).unwrap();
        tx.send(2).unwrap();
    });
    stage.end();
    arrived.is([1, 2]);
}

//! Sending and receiving for async tasks. A box is made only if the task must wait.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::core::{Core, Flavor, RECV_WAITING, SEND_WAITING};
use super::error::{RecvError, SendError};
use super::ops::{Get, Put, Unmade};
use super::settle::tell_task;
use super::slot::SendSlot;
use super::wakes::WakeList;
use super::{Receiver, Sender};
use crate::wait::Task;

/// A receive in progress: from [`Receiver::recv_async`].
///
/// ```
/// let (tx, rx) = waterway::chan(1);
/// tx.send(7).unwrap();
/// assert_eq!(waterway::block_on(rx.recv_async()), Ok(7));
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct RecvFuture<'a, T>(Receiving<T, &'a Receiver<T>>);

/// A send in progress: from [`Sender::send_async`].
///
/// ```
/// let (tx, rx) = waterway::chan(1);
/// waterway::block_on(tx.send_async(7)).unwrap();
/// assert_eq!(rx.recv(), Ok(7));
/// ```
#[must_use = "futures do nothing unless they are polled"]
pub struct SendFuture<'a, T>(Sending<T, &'a Sender<T>>);

impl<'a, T> RecvFuture<'a, T> {
    pub(super) fn new(end: &'a Receiver<T>) -> Self {
        RecvFuture(Receiving::new(end))
    }
}

impl<'a, T> SendFuture<'a, T> {
    pub(super) fn new(end: &'a Sender<T>, value: T, site: &'static Location<'static>) -> Self {
        let mut sending = Sending::new(end, site);
        sending.start(value);
        SendFuture(sending)
    }
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.0.is_idle(), "a future was polled after it was ready");
        self.0.poll(cx)
    }
}

/// One receive after the other, by a task. It stands in the queue from a poll that finds nothing to the next that does, or
/// to its end.
pub(crate) struct Receiving<T, E: Borrow<Receiver<T>>> {
    end: E,
    task: Option<Task<()>>,
    value: PhantomData<fn() -> T>,
}

impl<T, E: Borrow<Receiver<T>>> Unpin for Receiving<T, E> {}

impl<T, E: Borrow<Receiver<T>>> Receiving<T, E> {
    pub(crate) fn new(end: E) -> Self {
        Receiving {
            end,
            task: None,
            value: PhantomData,
        }
    }

    pub(crate) fn end(&self) -> &Receiver<T> {
        self.end.borrow()
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let core = self.end.borrow().core();
        let got = match self.task {
            None => core.try_get(),
            Some(_) => Get::Empty,
        };
        let got = match got {
            Get::Empty | Get::Later => {
                let waker = cx.waker().clone();
                let (task, fresh) = match &self.task {
                    Some(task) => (task, Some(waker)),
                    None => {
                        let task = Task::new(waker, (), |()| std::ptr::null_mut());
                        (&*self.task.insert(task), None)
                    }
                };
                core.poll_recv(task, fresh)
            }
            done => done,
        };
        let result = match got {
            Get::Empty | Get::Later => return Poll::Pending,
            Get::Value(value) => Ok(value),
            Get::Closed => Err(RecvError),
        };
        // It is in no queue any more, and nothing that it was told is left unused.
        self.task = None;
        self.end.borrow().core().give_late();
        Poll::Ready(result)
    }
}

impl<T, E: Borrow<Receiver<T>>> Drop for Receiving<T, E> {
    fn drop(&mut self) {
        let Some(task) = &self.task else {
            return;
        };
        let core = self.end.borrow().core();
        let mut wakes = WakeList::new();
        let mut queues = core.lock();
        let waited = queues.receivers.remove(task.node());
        if !waited {
            // It was told of a value that it will not fetch: tell the next.
            core.settle(&mut queues, &mut wakes);
        }
        core.refresh(&queues);
    }
}

/// One send after the other, by a task.
pub(crate) struct Sending<T, E: Borrow<Sender<T>>> {
    end: E,
    /// Until the first poll.
    value: Option<T>,
    /// While it waits.
    task: Option<Task<SendSlot<T>>>,
    site: &'static Location<'static>,
}

impl<T, E: Borrow<Sender<T>>> Unpin for Sending<T, E> {}

impl<T, E: Borrow<Sender<T>>> Sending<T, E> {
    /// `site` is where what is sent is said to come from.
    pub(crate) fn new(end: E, site: &'static Location<'static>) -> Self {
        Sending {
            end,
            value: None,
            task: None,
            site,
        }
    }

    pub(crate) fn end(&self) -> &Sender<T> {
        self.end.borrow()
    }

    /// Begins to send `value`. What was sent before is done with (`is_idle`).
    pub(crate) fn start(&mut self, value: T) {
        debug_assert!(self.is_idle());
        self.value = Some(value);
    }

    /// True if nothing is being sent.
    pub(crate) fn is_idle(&self) -> bool {
        self.value.is_none() && self.task.is_none()
    }

    /// Ready once what is being sent, if anything is, has been sent or cannot be.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        if self.is_idle() {
            return Poll::Ready(Ok(()));
        }
        let core = self.end.borrow().core();
        let waker = cx.waker().clone();
        let (task, fresh) = match (self.value.take(), &self.task) {
            (Some(value), _) => {
                let slot = SendSlot::new(value, self.site);
                match core.try_put(&slot) {
                    Put::Done => return Poll::Ready(Ok(())),
                    Put::Full => {}
                    _ => return Poll::Ready(Err(unsent(&slot))),
                }
                let task = Task::new(waker, slot, SendSlot::erased);
                // Kept here from the start: whatever unwinds now, `drop` takes it out of the queue.
                (&*self.task.insert(task), None)
            }
            (None, Some(task)) => (task, Some(waker)),
            (None, None) => unreachable!("something is being sent"),
        };
        let mut put = core.poll_send(task, fresh);
        while put == Put::Overflows {
            put = core.overflow(task.slot());
            if put == Put::Full {
                // Another policy by now: it waits after all. It is in no queue.
                let told = task.waiter().claimed().is_some();
                put = core.poll_send(task, told.then(|| cx.waker().clone()));
            }
        }
        let result = match put {
            Put::Full => return Poll::Pending,
            Put::Done => Ok(()),
            _ => Err(unsent(task.slot())),
        };
        self.task = None;
        Poll::Ready(result)
    }
}

impl<T, E: Borrow<Sender<T>>> Drop for Sending<T, E> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            let core = self.end.borrow().core();
            let mut queues = core.lock();
            queues.senders.remove(task.node());
            core.refresh(&queues);
        }
    }
}

fn unsent<T>(slot: &SendSlot<T>) -> SendError<T> {
    SendError(
        slot.take()
            .expect("a value that was not sent is still there"),
    )
}

impl<T> Core<T> {
    /// Tries to receive; stands in the queue if that can not be. `fresh` is the waker of a task that may stand there.
    fn poll_recv(&self, task: &Task<()>, fresh: Option<Waker>) -> Get<T> {
        let mut wakes = WakeList::new();
        let _old;
        let mut queues = self.lock();
        let queued = fresh.is_some() && task.waiter().claimed().is_none();
        self.announce(RECV_WAITING);
        let got = self.get(&mut queues, Unmade::Pass, &mut wakes);
        if let Get::Empty | Get::Later = got {
            _old = fresh.and_then(|waker| task.waiter().set_waker(waker));
            if !queued {
                // SAFETY: the future takes the node out before the box goes.
                unsafe { queues.receivers.push_back(task.node()) };
            }
            if matches!(self.flavor, Flavor::Rendezvous) {
                self.tell_lazy(&mut queues, &mut wakes);
            }
        } else if queued && !queues.receivers.remove(task.node()) {
            // Taking one value, it was told of another.
            self.settle(&mut queues, &mut wakes);
        }
        self.refresh(&queues);
        got
    }

    /// Tries to send what is in the task's slot; stands in the queue if that can not be.
    fn poll_send(&self, task: &Task<SendSlot<T>>, fresh: Option<Waker>) -> Put {
        let mut wakes = WakeList::new();
        let _old;
        let mut queues = self.lock();
        if !task.slot().is_filled() {
            return Put::Done;
        }
        if fresh.is_some() && task.waiter().claimed().is_none() {
            // It keeps its turn.
            _old = fresh.and_then(|waker| task.waiter().set_waker(waker));
            return Put::Full;
        }
        self.announce(SEND_WAITING);
        let put = self.put_or_overflow(&mut queues, task.slot(), &mut wakes);
        if put == Put::Full {
            _old = fresh.and_then(|waker| task.waiter().set_waker(waker));
            // SAFETY: the future takes the node out before the box goes.
            unsafe { queues.senders.push_back(task.node()) };
            if !matches!(self.flavor, Flavor::Ring(_)) {
                tell_task(&mut queues, &mut wakes);
            }
        }
        self.refresh(&queues);
        put
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvFuture").field(self.0.end()).finish()
    }
}

impl<T> fmt::Debug for SendFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendFuture").field(self.0.end()).finish()
    }
}

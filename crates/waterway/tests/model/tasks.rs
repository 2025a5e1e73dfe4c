//! What async tasks do: they wait by being polled, and may give up by dropping the future.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::channel::Act;
use crate::ends::{End, got, sent};
use crate::journal::Waits;
use crate::program::{Choice, Dir, Op, Patience};
use crate::run::Actor;

/// How often a task polls a future that it will not wait for any longer.
const POLLS: usize = 3;

impl Actor {
    /// What an async task does.
    pub async fn work_as_task(mut self) {
        let program = self.program.clone();
        for op in &program.actors[self.index].ops {
            match op {
                Op::Move(dir, chan, patience) => {
                    let chan = program.channel(*chan);
                    match patience {
                        _ if !self.ends.has(*dir, chan) => {}
                        Patience::Try => self.move_value(*dir, chan, *patience),
                        Patience::Block => self.move_async(*dir, chan, None).await,
                        Patience::Timed(_) => self.move_async(*dir, chan, Some(POLLS)).await,
                    }
                }
                Op::Iterate(chan, times) => {
                    let chan = program.channel(*chan);
                    if self.ends.has(Dir::Recv, chan) {
                        for _ in 0..*times {
                            self.move_async(Dir::Recv, chan, None).await;
                        }
                    }
                }
                Op::Select(choice) | Op::Ready(choice) => {
                    let patience = Patience::Try;
                    let choice = Choice {
                        patience,
                        ..choice.clone()
                    };
                    self.select(&choice, matches!(op, Op::Ready(_)));
                }
                other => self.other(other),
            }
        }
        self.leave();
    }

    /// Sends or receives; gives up after some polls, if `polls` says so.
    async fn move_async(&self, dir: Dir, chan: usize, polls: Option<usize>) {
        let end = match dir {
            Dir::Send => {
                let value = self.number();
                let token = self.ends.census.make(value);
                self.begin(Waits::Pending, vec![(chan, Act::Send(value))]);
                let send = self.ends.sender(chan).unwrap().send_async(token);
                give_up(send, polls)
                    .await
                    .map_or(End::Unknown, |r| sent(0, value, r))
            }
            Dir::Recv => {
                self.begin(Waits::Pending, vec![(chan, Act::Recv)]);
                let recv = self.ends.receiver(chan).unwrap().recv_async();
                give_up(recv, polls).await.map_or(End::None, |r| got(0, r))
            }
        };
        self.finish(end);
    }
}

/// Polls so often, then drops the future.
async fn give_up<F: Future + Unpin>(mut future: F, polls: Option<usize>) -> Option<F::Output> {
    let Some(polls) = polls else {
        return Some(future.await);
    };
    for _ in 0..polls {
        let polled = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut future).poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        thread::yield_now();
    }
    None
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

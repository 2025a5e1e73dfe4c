//! One actor at a time: every result is the model's, to the letter.
//!
//! Where the model says that an operation would wait, the actor starts it as an async task does, and leaves it pending; it
//! polls it again or gives it up later. So the rules of waiting are checked too: who waits keeps its turn, and is woken as
//! soon as it can go on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use waterway::chan;

use crate::channel::{Act, Chan, Res, Value};
use crate::ends::{Census, End, Ends, got, sent};
use crate::program::{Choice, Dir, Op, Patience, Program};

/// How many futures are pending at once.
const PENDING: usize = 6;

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Pending {
    chan: usize,
    /// `None` if it is a receive.
    sends: Option<Value>,
    future: Pin<Box<dyn Future<Output = End>>>,
    woken: Arc<Flag>,
}

impl Pending {
    fn poll(&mut self) -> Poll<End> {
        // Another waker each time, as when a task moves: the last one counts.
        self.woken = Arc::default();
        let waker = Waker::from(self.woken.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }
}

struct Machine<'p> {
    program: &'p Program,
    ends: Ends,
    model: Vec<Chan>,
    pending: Vec<Pending>,
}

/// Runs the program's one actor on the calling goroutine or thread. Panics where the library differs from the model.
pub fn run(program: &Program) {
    let census = Census::new(512);
    let channels = program.capacities.iter().map(|capacity| match capacity {
        Some(n) => chan(*n),
        None => chan::unbounded(),
    });
    let (tx, rx) = channels.map(|(tx, rx)| (vec![tx], vec![rx])).unzip();
    let mut machine = Machine {
        program,
        ends: Ends { tx, rx, census },
        model: program.capacities.iter().map(|n| Chan::new(*n)).collect(),
        pending: Vec::new(),
    };
    for op in &program.actors[0].ops {
        machine.step(op);
        machine.look();
    }
    let census = machine.ends.census.clone();
    drop(machine);
    census.settle().unwrap_or_else(|error| panic!("{error}"));
}

impl Machine<'_> {
    fn step(&mut self, op: &Op) {
        match op {
            Op::Move(dir, chan, patience) => {
                let chan = self.program.channel(*chan);
                if self.ends.has(*dir, chan) {
                    self.move_value(*dir, chan, *patience);
                }
            }
            Op::End(act, chan) => {
                let chan = self.program.channel(*chan);
                let dir = match act {
                    Act::CloseSend | Act::CloneSend | Act::DropSend => Dir::Send,
                    _ => Dir::Recv,
                };
                if self.ends.has(dir, chan) {
                    self.ends.act(*act, chan);
                    self.model[chan].apply(*act);
                }
            }
            Op::Select(choice) => self.select(choice, false),
            Op::Ready(choice) => self.select(choice, true),
            Op::Iterate(chan, times) => self.iterate(self.program.channel(*chan), *times),
            Op::Yield => waterway::yield_now(),
            Op::Poll(index) => self.poll(*index),
            Op::Cancel(index) => self.cancel(*index),
        }
    }

    fn move_value(&mut self, dir: Dir, chan: usize, patience: Patience) {
        let act = match dir {
            Dir::Send => Act::Send(self.ends.census.number()),
            Dir::Recv => Act::Recv,
        };
        let wanted = self.model[chan].apply(act);
        let waits = matches!(wanted, Res::Full | Res::Empty);
        if waits && patience == Patience::Block {
            return self.start(act, chan);
        }
        let end = match act {
            Act::Send(value) => self.ends.send(chan, value, patience),
            _ => self.ends.recv(chan, patience),
        };
        assert_eq!(
            end,
            if waits {
                End::None
            } else {
                End::One(0, wanted)
            }
        );
    }

    /// Starts what has to wait.
    fn start(&mut self, act: Act, chan: usize) {
        if self.pending.len() == PENDING {
            return;
        }
        let model = &mut self.model[chan];
        let (sends, future): (_, Pin<Box<dyn Future<Output = End>>>) = match act {
            Act::Send(value) => {
                let tx = self.ends.tx[chan].last().unwrap().clone();
                let token = self.ends.census.make(value);
                model.apply(Act::CloneSend);
                model.wait(value);
                let future = async move { sent(0, value, tx.send_async(token).await) };
                (Some(value), Box::pin(future))
            }
            _ => {
                let rx = self.ends.rx[chan].last().unwrap().clone();
                model.apply(Act::CloneRecv);
                (None, Box::pin(async move { got(0, rx.recv_async().await) }))
            }
        };
        let mut pending = Pending {
            chan,
            sends,
            future,
            woken: Arc::default(),
        };
        assert_eq!(pending.poll(), Poll::Pending);
        self.pending.push(pending);
    }

    fn poll(&mut self, index: usize) {
        if self.pending.is_empty() {
            return;
        }
        let at = index % self.pending.len();
        let pending = &mut self.pending[at];
        let model = &mut self.model[pending.chan];
        let wanted = match pending.sends {
            Some(value) => model.fate(value),
            None => model.apply(Act::Recv),
        };
        let polled = pending.poll();
        if let Res::Full | Res::Empty = wanted {
            return assert_eq!(polled, Poll::Pending);
        }
        assert_eq!(polled, Poll::Ready(End::One(0, wanted)));
        self.forget(at);
    }

    fn cancel(&mut self, index: usize) {
        if self.pending.is_empty() {
            return;
        }
        let at = index % self.pending.len();
        if let Some(value) = self.pending[at].sends {
            self.model[self.pending[at].chan].withdraw(value);
        }
        self.forget(at);
    }

    /// A future goes, and its end with it.
    fn forget(&mut self, at: usize) {
        let pending = self.pending.remove(at);
        self.model[pending.chan].apply(match pending.sends {
            Some(_) => Act::DropSend,
            None => Act::DropRecv,
        });
    }

    fn select(&mut self, choice: &Choice, looks: bool) {
        let mut arms = Vec::new();
        for (dir, chan) in &choice.arms {
            let chan = self.program.channel(*chan);
            if !self.ends.has(*dir, chan) {
                continue;
            }
            arms.push(match dir {
                Dir::Send => (chan, Act::Send(self.ends.census.number())),
                Dir::Recv => (chan, Act::Recv),
            });
        }
        let tried = |&(chan, act): &(usize, Act)| self.model[chan].clone().apply(act);
        let ready: Vec<usize> = (0..arms.len())
            .filter(|&arm| !matches!(tried(&arms[arm]), Res::Full | Res::Empty))
            .collect();
        let mut choice = choice.clone();
        // An arm that sends to an async task is chosen, and then waits until the task has fetched the value.
        let commits = arms.iter().any(|&(chan, act)| {
            act != Act::Recv
                && self.model[chan].meet()
                && self
                    .pending
                    .iter()
                    .any(|p| p.chan == chan && p.sends.is_none())
        });
        if commits || ready.is_empty() && choice.patience == Patience::Block {
            choice.patience = Patience::Try;
        }
        let end = match looks {
            true => self.ends.ready(&choice, &arms),
            false => self.ends.select(&choice, &arms),
        };
        let (End::One(arm, _) | End::Told(arm)) = end else {
            return assert_eq!((end, ready), (End::None, vec![]));
        };
        match choice.biased {
            true => assert_eq!(Some(&arm), ready.first()),
            false => assert!(ready.contains(&arm), "arm {arm} of {ready:?} was chosen"),
        }
        if let End::One(arm, res) = end {
            let (chan, act) = arms[arm];
            assert_eq!(res, self.model[chan].apply(act), "arm {arm}");
        }
    }

    fn iterate(&mut self, chan: usize, times: usize) {
        let Some(rx) = self.ends.receiver(chan) else {
            return;
        };
        let mut iter = rx.iter();
        for _ in 0..times {
            let wanted = match self.model[chan].apply(Act::Recv) {
                Res::Empty => return,
                Res::Value(value) => Some(value),
                _ => None,
            };
            assert_eq!(iter.next().map(|token| token.id), wanted);
        }
    }

    /// What can be seen without moving anything.
    fn look(&self) {
        for (chan, model) in self.model.iter().enumerate() {
            let len = model.buffer.len();
            let full = model.capacity == Some(len);
            let wanted = (len, len == 0, full, model.is_closed(), model.capacity);
            if let Some(tx) = self.ends.sender(chan) {
                let seen = (
                    tx.len(),
                    tx.is_empty(),
                    tx.is_full(),
                    tx.is_closed(),
                    tx.capacity(),
                );
                assert_eq!(seen, wanted, "the sender of channel {chan}");
            }
            if let Some(rx) = self.ends.receiver(chan) {
                let seen = (
                    rx.len(),
                    rx.is_empty(),
                    rx.is_full(),
                    rx.is_closed(),
                    rx.capacity(),
                );
                assert_eq!(seen, wanted, "the receiver of channel {chan}");
            }
            self.wakes(chan, model);
        }
    }

    /// Whoever can go on has been woken: every send whose fate is known, and as many receives as there are values.
    fn wakes(&self, chan: usize, model: &Chan) {
        let (sends, receives): (Vec<_>, Vec<_>) = (self.pending.iter())
            .filter(|p| p.chan == chan)
            .partition(|p| p.sends.is_some());
        for send in sends {
            let waits = model.waiting.contains(&send.sends.unwrap());
            assert!(
                waits || send.is_woken(),
                "a send of channel {chan} was not woken"
            );
        }
        // What waits for room in a buffer is told of when it is in.
        let values = match model.capacity {
            Some(0) => model.waiting.len(),
            _ => model.buffer.len(),
        };
        let ended = model.recv_closed || model.send_closed && values == 0;
        let due = if ended {
            receives.len()
        } else {
            values.min(receives.len())
        };
        let woken = receives.iter().filter(|p| p.is_woken()).count();
        assert!(
            woken >= due,
            "{due} pending receives of channel {chan} can go on, {woken} were woken"
        );
    }
}

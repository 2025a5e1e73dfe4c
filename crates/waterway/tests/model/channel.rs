//! The model: what one channel does, one operation after the other.
//!
//! A blocking operation is one that is tried again until it is neither `Full` nor `Empty`. On an unbuffered channel a value
//! goes from a send to a receive in one step, [`Chan::meet`]; the only sends that the model keeps waiting are those of async
//! tasks, whose values a receive fetches.

use std::collections::VecDeque;

/// A value is known by its number.
pub type Value = u32;

/// What is done to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    Send(Value),
    Recv,
    CloseSend,
    CloseRecv,
    CloneSend,
    CloneRecv,
    DropSend,
    DropRecv,
}

/// What comes of it. A time-out is `Full` or `Empty`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Res {
    Done,
    Value(Value),
    Full,
    Empty,
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chan {
    /// `None` if there is no limit, 0 if unbuffered.
    pub capacity: Option<usize>,
    pub buffer: VecDeque<Value>,
    /// What async tasks wait to send.
    pub waiting: VecDeque<Value>,
    /// What async tasks get back, since the channel was closed while they waited.
    pub returned: Vec<Value>,
    pub senders: usize,
    pub receivers: usize,
    pub send_closed: bool,
    pub recv_closed: bool,
}

impl Chan {
    pub fn new(capacity: Option<usize>) -> Chan {
        Chan {
            capacity,
            buffer: VecDeque::new(),
            waiting: VecDeque::new(),
            returned: Vec::new(),
            senders: 1,
            receivers: 1,
            send_closed: false,
            recv_closed: false,
        }
    }

    pub fn is_closed(&self) -> bool {
        self.send_closed || self.recv_closed
    }

    /// True if there is room beside the buffered values, and so many others.
    pub fn has_room(&self, others: usize) -> bool {
        self.capacity.is_none_or(|n| self.buffer.len() + others < n)
    }

    pub fn apply(&mut self, act: Act) -> Res {
        match act {
            Act::Send(value) => return self.send(value),
            Act::Recv => return self.recv(),
            Act::CloseSend => self.close(false),
            Act::CloseRecv => self.close(true),
            Act::CloneSend => self.senders += 1,
            Act::CloneRecv => self.receivers += 1,
            Act::DropSend => {
                self.senders -= 1;
                if self.senders == 0 {
                    self.close(false);
                }
            }
            Act::DropRecv => {
                self.receivers -= 1;
                if self.receivers == 0 {
                    self.close(true);
                }
            }
        }
        Res::Done
    }

    fn send(&mut self, value: Value) -> Res {
        if self.is_closed() {
            Res::Closed
        } else if self.has_room(0) {
            self.buffer.push_back(value);
            Res::Done
        } else {
            Res::Full
        }
    }

    fn recv(&mut self) -> Res {
        if self.recv_closed {
            return Res::Closed;
        }
        let value = self.buffer.pop_front();
        let value = value.or_else(|| self.waiting.pop_front());
        self.refill();
        match value {
            Some(value) => Res::Value(value),
            None if self.send_closed => Res::Closed,
            None => Res::Empty,
        }
    }

    /// A send and a receive of an unbuffered channel meet. False if it is closed.
    pub fn meet(&self) -> bool {
        self.capacity == Some(0) && !self.is_closed()
    }

    /// An async task's send that found no room waits.
    pub fn wait(&mut self, value: Value) {
        self.waiting.push_back(value);
    }

    /// The values of waiting sends go where there is room.
    fn refill(&mut self) {
        while self.has_room(0) && !self.waiting.is_empty() {
            self.buffer.extend(self.waiting.pop_front());
        }
    }

    fn close(&mut self, receiving: bool) {
        match receiving {
            true => self.recv_closed = true,
            false => self.send_closed = true,
        }
        self.returned.extend(self.waiting.drain(..));
        if receiving {
            self.buffer.clear();
        }
    }

    /// What a receive, or a send, of a task that waited finds when it is polled again.
    pub fn fate(&mut self, value: Value) -> Res {
        if self.waiting.contains(&value) {
            return Res::Full;
        }
        match self.returned.iter().position(|v| *v == value) {
            Some(at) => {
                self.returned.remove(at);
                Res::Closed
            }
            None => Res::Done,
        }
    }

    /// A task gives up its send.
    pub fn withdraw(&mut self, value: Value) {
        self.waiting.retain(|v| *v != value);
        self.returned.retain(|v| *v != value);
    }
}

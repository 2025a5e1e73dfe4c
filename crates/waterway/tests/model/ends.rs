//! The real library: values that are counted, and an actor's ends with what it does with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use waterway::{Receiver, RecvError, Select, SendError, Sender, select, select_biased, yield_now};

use crate::channel::{Act, Res, Value};
use crate::program::{Choice, Dir, Patience, Style};

/// How often each value was made and dropped.
pub struct Census {
    next: AtomicU32,
    made: Vec<AtomicU8>,
    dropped: Vec<AtomicU8>,
}

impl Census {
    pub fn new(values: usize) -> Arc<Census> {
        let zeroes = || (0..values).map(|_| AtomicU8::new(0)).collect();
        Arc::new(Census {
            next: AtomicU32::new(0),
            made: zeroes(),
            dropped: zeroes(),
        })
    }

    /// The number of a value that may be made.
    pub fn number(&self) -> Value {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub fn make(self: &Arc<Self>, id: Value) -> Token {
        self.made[id as usize].fetch_add(1, Ordering::Relaxed);
        Token {
            id,
            census: self.clone(),
        }
    }

    /// True if it was made and is still somewhere.
    pub fn lives(&self, id: Value) -> bool {
        let read = |counts: &[AtomicU8]| counts[id as usize].load(Ordering::SeqCst);
        read(&self.made) > read(&self.dropped)
    }

    /// When all ends are gone: whatever was made was dropped once.
    pub fn settle(&self) -> Result<(), String> {
        for id in 0..self.next.load(Ordering::Relaxed) as usize {
            let read = |counts: &[AtomicU8]| counts[id].load(Ordering::Relaxed);
            let (made, dropped) = (read(&self.made), read(&self.dropped));
            if made != dropped {
                return Err(format!(
                    "value {id} was made {made} times and dropped {dropped} times"
                ));
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
pub struct Token {
    pub id: Value,
    census: Arc<Census>,
}

impl std::fmt::Debug for Census {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Census")
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.census.dropped[self.id as usize].fetch_add(1, Ordering::SeqCst);
    }
}

/// How an operation with one or more arms ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    One(usize, Res),
    /// No arm could go, now or in time.
    None,
    /// A send was given up, its value perhaps taken before.
    Unknown,
    /// It seemed that an arm could go; nothing was done.
    Told(usize),
}

/// An actor's ends: a stack of them for each channel and direction.
pub struct Ends {
    pub tx: Vec<Vec<Sender<Token>>>,
    pub rx: Vec<Vec<Receiver<Token>>>,
    pub census: Arc<Census>,
}

pub fn got(arm: usize, result: Result<Token, RecvError>) -> End {
    End::One(
        arm,
        result.map_or(Res::Closed, |token| Res::Value(token.id)),
    )
}

pub fn sent(arm: usize, value: Value, result: Result<(), SendError<Token>>) -> End {
    let Err(error) = result else {
        return End::One(arm, Res::Done);
    };
    assert_eq!(error.into_inner().id, value, "the value that comes back");
    End::One(arm, Res::Closed)
}

impl Ends {
    pub fn sender(&self, chan: usize) -> Option<&Sender<Token>> {
        self.tx[chan].last()
    }

    pub fn receiver(&self, chan: usize) -> Option<&Receiver<Token>> {
        self.rx[chan].last()
    }

    pub fn has(&self, dir: Dir, chan: usize) -> bool {
        match dir {
            Dir::Send => self.sender(chan).is_some(),
            Dir::Recv => self.receiver(chan).is_some(),
        }
    }

    fn end<T>(end: Option<&T>) -> &T {
        end.expect("an operation is done only with ends that are there")
    }

    pub fn send(&self, chan: usize, value: Value, patience: Patience) -> End {
        let tx = Self::end(self.sender(chan));
        let token = self.census.make(value);
        match patience {
            Patience::Block => sent(0, value, tx.send(token)),
            Patience::Try => match tx.try_send(token) {
                Err(error) if error.is_full() => {
                    assert_eq!(error.into_inner().id, value);
                    End::None
                }
                result => sent(0, value, result.map_err(|e| SendError(e.into_inner()))),
            },
            Patience::Timed(time) => match tx.send_timeout(token, time) {
                Err(error) if error.is_timeout() => {
                    assert_eq!(error.into_inner().id, value);
                    End::None
                }
                result => sent(0, value, result.map_err(|e| SendError(e.into_inner()))),
            },
        }
    }

    pub fn recv(&self, chan: usize, patience: Patience) -> End {
        let rx = Self::end(self.receiver(chan));
        match patience {
            Patience::Block => got(0, rx.recv()),
            Patience::Try => match rx.try_recv() {
                Err(error) if error.is_empty() => End::None,
                result => got(0, result.map_err(|_| RecvError)),
            },
            Patience::Timed(time) => match rx.recv_timeout(time) {
                Err(error) if error.is_timeout() => End::None,
                result => got(0, result.map_err(|_| RecvError)),
            },
        }
    }

    /// Closes, clones or drops an end that is there.
    pub fn act(&mut self, act: Act, chan: usize) {
        match act {
            Act::Send(_) | Act::Recv => unreachable!("moves no value"),
            Act::CloseSend => Self::end(self.sender(chan)).close(),
            Act::CloseRecv => Self::end(self.receiver(chan)).close(),
            Act::CloneSend => {
                let another = Self::end(self.sender(chan)).clone();
                self.tx[chan].push(another);
            }
            Act::CloneRecv => {
                let another = Self::end(self.receiver(chan)).clone();
                self.rx[chan].push(another);
            }
            Act::DropSend => drop(self.tx[chan].pop()),
            Act::DropRecv => drop(self.rx[chan].pop()),
        }
    }

    /// A select over channels for which it has the ends; `values` are those of the sending arms.
    pub fn select(&self, choice: &Choice, arms: &[(usize, Act)]) -> End {
        match (choice.style, arms) {
            (Style::Macro, [one, two]) => self.select_macro(choice, *one, *two),
            _ => self.select_set(choice, arms),
        }
    }

    fn set(&self, choice: &Choice, arms: &[(usize, Act)]) -> Select<'_> {
        let mut select = match choice.biased {
            true => Select::new_biased(),
            false => Select::new(),
        };
        for (chan, act) in arms {
            match act {
                Act::Send(_) => select.send(Self::end(self.sender(*chan))),
                _ => select.recv(Self::end(self.receiver(*chan))),
            };
        }
        select
    }

    /// Waits until an arm may go.
    pub fn ready(&self, choice: &Choice, arms: &[(usize, Act)]) -> End {
        let mut select = self.set(choice, arms);
        let told = match choice.patience {
            Patience::Block => Some(select.ready()),
            Patience::Try => select.try_ready().ok(),
            Patience::Timed(time) => select.ready_timeout(time).ok(),
        };
        told.map_or(End::None, End::Told)
    }

    fn select_set(&self, choice: &Choice, arms: &[(usize, Act)]) -> End {
        let mut select = self.set(choice, arms);
        let chosen = match choice.patience {
            Patience::Block => select.select(),
            Patience::Try => match select.try_select() {
                Ok(chosen) => chosen,
                Err(_) => return End::None,
            },
            Patience::Timed(time) => match select.select_timeout(time) {
                Ok(chosen) => chosen,
                Err(_) => return End::None,
            },
        };
        if choice.style == Style::Late {
            yield_now();
        }
        let index = chosen.index();
        let (chan, act) = arms[index];
        match act {
            Act::Send(value) => {
                let token = self.census.make(value);
                sent(
                    index,
                    value,
                    chosen.send(Self::end(self.sender(chan)), token),
                )
            }
            _ => got(index, chosen.recv(Self::end(self.receiver(chan)))),
        }
    }

    fn select_macro(&self, choice: &Choice, one: (usize, Act), two: (usize, Act)) -> End {
        macro_rules! with {
            ($name:ident, $($arms:tt)*) => {
                match choice.patience {
                    Patience::Block => $name! { $($arms)* },
                    Patience::Try => $name! { $($arms)* default => End::None },
                    Patience::Timed(time) => $name! { $($arms)* default(time) => End::None },
                }
            };
        }
        macro_rules! either {
            ($($arms:tt)*) => {
                match choice.biased {
                    true => with!(select_biased, $($arms)*),
                    false => with!(select, $($arms)*),
                }
            };
        }
        let tx = |(chan, _): (usize, Act)| Self::end(self.sender(chan));
        let rx = |(chan, _): (usize, Act)| Self::end(self.receiver(chan));
        let make = |value| self.census.make(value);
        match (one.1, two.1) {
            (Act::Send(v), Act::Send(w)) => either! {
                send(tx(one), make(v)) -> r => sent(0, v, r),
                send(tx(two), make(w)) -> r => sent(1, w, r),
            },
            (Act::Send(v), _) => either! {
                send(tx(one), make(v)) -> r => sent(0, v, r),
                recv(rx(two)) -> r => got(1, r),
            },
            (_, Act::Send(w)) => either! {
                recv(rx(one)) -> r => got(0, r),
                send(tx(two), make(w)) -> r => sent(1, w, r),
            },
            _ => either! {
                recv(rx(one)) -> r => got(0, r),
                recv(rx(two)) -> r => got(1, r),
            },
        }
    }
}

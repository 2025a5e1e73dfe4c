//! Those who use one channel in every way there is, and the values that they send.

use std::collections::HashMap;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use waterway::watch::snapshot;
use waterway::{Receiver, Sender, select, yield_now};

/// Numbers that look like chance.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// What goes through the channels: it counts how many live.
pub trait Value: Send + 'static {
    fn new(sender: u64, number: u64) -> Self;
    fn tells(&self) -> Option<(u64, u64)>;
}

pub static LIVE: AtomicUsize = AtomicUsize::new(0);

pub struct Boxed(Box<(u64, u64)>);
/// Without a size.
pub struct Nothing;
#[repr(align(256))]
pub struct Wide(u64, u64);
/// Goes the long way.
pub struct Large([u64; 64]);

macro_rules! value {
    ($type:ty, $new:expr, $tells:expr) => {
        impl Value for $type {
            fn new(sender: u64, number: u64) -> Self {
                LIVE.fetch_add(1, Ordering::SeqCst);
                ($new)(sender, number)
            }

            fn tells(&self) -> Option<(u64, u64)> {
                ($tells)(self)
            }
        }

        impl Drop for $type {
            fn drop(&mut self) {
                assert!(LIVE.fetch_sub(1, Ordering::SeqCst) > 0, "dropped twice");
            }
        }
    };
}

value!(Boxed, |s, n| Boxed(Box::new((s, n))), |v: &Boxed| Some(
    *v.0
));
value!(Nothing, |_, _| Nothing, |_: &Nothing| None);
value!(Wide, Wide, |v: &Wide| {
    assert!((&raw const *v as usize).is_multiple_of(256));
    Some((v.0, v.1))
});
value!(
    Large,
    |s, n| {
        let mut all = [s; 64];
        all[63] = n;
        Large(all)
    },
    |v: &Large| Some((v.0[0], v.0[63]))
);

/// What all who use one channel have found.
#[derive(Default)]
pub struct Found {
    pub sent: AtomicU64,
    pub received: AtomicU64,
    /// Sent, or not.
    pub unsure: AtomicU64,
}

/// One of those who use a channel.
pub struct User<V: Value> {
    me: u64,
    number: u64,
    pub tx: Sender<V>,
    rx: Receiver<V>,
    found: Arc<Found>,
    /// The last number of each sender.
    last: HashMap<u64, u64>,
    chance: Chance,
}

impl<V: Value> User<V> {
    pub fn new(
        me: u64,
        tx: &Sender<V>,
        rx: &Receiver<V>,
        found: &Arc<Found>,
        seed: u64,
    ) -> User<V> {
        User {
            me,
            number: 0,
            tx: tx.clone(),
            rx: rx.clone(),
            found: found.clone(),
            last: HashMap::new(),
            chance: Chance(seed | 1),
        }
    }

    fn value(&mut self) -> V {
        self.number += 1;
        V::new(self.me, self.number)
    }

    fn sent(&self, sent: bool) {
        self.found.sent.fetch_add(sent as u64, Ordering::SeqCst);
    }

    fn got(&mut self, value: Option<V>) {
        let Some(value) = value else { return };
        self.found.received.fetch_add(1, Ordering::SeqCst);
        if let Some((sender, number)) = value.tells() {
            let last = self.last.insert(sender, number).unwrap_or(0);
            assert!(last < number, "{sender}: {last} before {number}");
        }
    }

    /// Sends and receives as one who is alone. Others look meanwhile.
    pub fn alone(&mut self, times: u64, done: &AtomicU64) {
        for n in 1..=times {
            let value = self.value();
            let sent = self.tx.send(value).is_ok();
            self.sent(sent);
            let value = self.rx.recv().ok();
            self.got(value);
            done.store(n, Ordering::Relaxed);
        }
    }

    /// Looks at the channel from when its owner has done something `from` times until it is alone no more, at `to`.
    pub fn looks(&mut self, done: &AtomicU64, from: u64, to: u64) {
        loop {
            let now = done.load(Ordering::Relaxed);
            if now >= to {
                break;
            }
            if now >= from {
                self.look();
            }
            yield_now();
        }
    }

    fn look(&mut self) {
        let (tx, rx) = (&self.tx, &self.rx);
        match self.chance.below(4) {
            0 => assert!(rx.len() <= rx.capacity().unwrap()),
            1 => {
                let all = rx.statistics();
                assert!(all.in_queue <= rx.capacity().unwrap() as u64, "{all:?}");
            }
            2 => _ = black_box((rx.is_empty(), tx.is_full(), rx.is_closed())),
            _ => drop(snapshot()),
        }
    }

    /// Does something that does not wait for long.
    pub fn step(&mut self) {
        let short = Duration::from_micros(30);
        let value = self.value();
        let (tx, rx) = (self.tx.clone(), self.rx.clone());
        match self.chance.below(16) {
            0 => self.sent(tx.try_send(value).is_ok()),
            1 => self.sent(tx.send_timeout(value, short).is_ok()),
            2 => self.sent(select! { send(tx, value) -> r => r.is_ok(), default => false }),
            3 => {
                let mut send = pin!(tx.send_async(value));
                let poll = send.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                match poll {
                    Poll::Ready(sent) => self.sent(sent.is_ok()),
                    // Its value may be fetched until it goes, here.
                    Poll::Pending => _ = self.found.unsure.fetch_add(1, Ordering::SeqCst),
                }
            }
            4 => match tx.force_send(value) {
                Ok(None) => self.sent(true),
                Ok(Some(back)) => {
                    self.sent(true);
                    self.found.received.fetch_add(1, Ordering::SeqCst);
                    drop(back);
                }
                Err(_) => {}
            },
            5 | 6 => {
                let value = rx.try_recv().ok();
                self.got(value);
            }
            7 => {
                let value = rx.recv_timeout(short).ok();
                self.got(value);
            }
            8 => {
                let value = select! { recv(rx) -> v => v.ok(), default => None };
                self.got(value);
            }
            9 => {
                let after = waterway::time::after(short);
                let value = select! { recv(rx) -> v => v.ok(), recv(after) -> _ => None };
                self.got(value);
            }
            10 => {
                let mut recv = pin!(rx.recv_async());
                if let Poll::Ready(value) =
                    recv.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                {
                    self.got(value.ok());
                }
            }
            11 => {
                let after = waterway::time::after(short);
                let gives_up = self.number.is_multiple_of(2);
                // What was reserved is given back if there is no message after all.
                let chosen = catch_unwind(AssertUnwindSafe(|| {
                    select! {
                        send(tx, { assert!(!gives_up, "no message"); value }) -> r => Err(r.is_ok()),
                        recv(rx) -> v => Ok(v.ok()),
                        recv(after) -> _ => Ok(None),
                    }
                }));
                match chosen {
                    Ok(Ok(value)) => self.got(value),
                    Ok(Err(sent)) => self.sent(sent),
                    Err(_) => {}
                }
            }
            12 | 13 => self.look(),
            14 => yield_now(),
            _ => {
                drop(value);
                self.look();
            }
        }
    }
}

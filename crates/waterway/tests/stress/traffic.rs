//! Goroutines, threads, async tasks and selects on the same two channels: what was sent arrives, once and in order.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use waterway::{Receiver, Sender, chan, select};

use crate::{LONG, SHORT, repeat, within};

/// How somebody sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Goroutine,
    Thread,
    Task,
    /// A goroutine that takes whichever channel can go.
    Select,
    /// A thread with little patience.
    Timed,
}

const ALL: [By; 5] = [By::Goroutine, By::Thread, By::Task, By::Select, By::Timed];

/// What receivers counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    values: u64,
    /// Of a hash of each value: two mistakes do not make up for each other.
    sum: u64,
}

impl Tally {
    fn add(&mut self, value: u64) {
        let mut hash = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.values += 1;
        self.sum = self.sum.wrapping_add(hash ^ (hash >> 31));
    }

    fn and(self, other: Tally) -> Tally {
        Tally {
            values: self.values + other.values,
            sum: self.sum.wrapping_add(other.sum),
        }
    }
}

/// Receives, and checks that the values of one sender through one channel come in order.
#[derive(Default)]
struct Inbox {
    tally: Tally,
    next: Vec<[u64; 2]>,
}

impl Inbox {
    fn put(&mut self, channel: usize, value: u64) {
        let (sender, number) = ((value >> 32) as usize, value & 0xffff_ffff);
        if self.next.len() <= sender {
            self.next.resize(sender + 1, [0; 2]);
        }
        let next = &mut self.next[sender][channel];
        assert!(
            number >= *next,
            "{number} of sender {sender} after {}",
            *next - 1
        );
        *next = number + 1;
        self.tally.add(value);
    }
}

type Pair<T> = [T; 2];

fn send_all(by: By, tx: &Pair<Sender<u64>>, sender: u64, each: u64) {
    for number in 0..each {
        let mut value = sender << 32 | number;
        let tx_one = &tx[number as usize % 2];
        match by {
            By::Goroutine | By::Thread => tx_one.send(value).unwrap(),
            By::Task => block_on(tx_one.send_async(value)).unwrap(),
            By::Select => select! {
                send(tx[0], value) -> sent => sent.unwrap(),
                send(tx[1], value) -> sent => sent.unwrap(),
            },
            By::Timed => {
                while let Err(error) =
                    tx_one.send_timeout(value, Duration::from_micros(number % 50))
                {
                    assert!(error.is_timeout());
                    value = error.into_inner();
                }
            }
        }
    }
}

fn recv_all(by: By, rx: &Pair<Receiver<u64>>, channel: usize) -> Tally {
    let mut inbox = Inbox::default();
    let one = &rx[channel];
    match by {
        By::Goroutine | By::Thread => one.iter().for_each(|value| inbox.put(channel, value)),
        By::Task => {
            while let Ok(value) = block_on(one.recv_async()) {
                inbox.put(channel, value);
            }
        }
        By::Timed => loop {
            match one.recv_timeout(Duration::from_micros(20)) {
                Ok(value) => inbox.put(channel, value),
                Err(error) if error.is_timeout() => {}
                Err(_) => break,
            }
        },
        By::Select => {
            let mut open = [true; 2];
            while open[0] && open[1] {
                select! {
                    recv(rx[0]) -> v => v.map_or_else(|_| open[0] = false, |v| inbox.put(0, v)),
                    recv(rx[1]) -> v => v.map_or_else(|_| open[1] = false, |v| inbox.put(1, v)),
                }
            }
            for (channel, one) in rx.iter().enumerate() {
                one.iter().for_each(|value| inbox.put(channel, value));
            }
        }
    }
    inbox.tally
}

fn run<T: Send + 'static>(by: By, f: impl FnOnce() -> T + Send + 'static) -> impl FnOnce() -> T {
    let (goroutine, thread) = match by {
        By::Goroutine | By::Select => (Some(waterway::go(f)), None),
        _ => (None, Some(thread::spawn(f))),
    };
    move || match (goroutine, thread) {
        (Some(goroutine), _) => goroutine.join().unwrap(),
        (_, thread) => thread.unwrap().join().unwrap(),
    }
}

/// Each sender sends `each` values over two channels. Gives how many that were.
pub fn exchange(capacities: [usize; 2], senders: &[By], receivers: &[By], each: u64) -> u64 {
    let [(tx, rx), (other_tx, other_rx)] = capacities.map(chan::<u64>);
    let (tx, rx) = ([tx, other_tx], [rx, other_rx]);
    let mut sends = Vec::new();
    let mut wanted = Tally::default();
    for (index, by) in senders.iter().copied().enumerate() {
        let tx = tx.clone();
        (0..each).for_each(|number| wanted.add((index as u64) << 32 | number));
        sends.push(run(by, move || send_all(by, &tx, index as u64, each)));
    }
    drop(tx);
    let mut receives = Vec::new();
    for (index, by) in receivers.iter().copied().enumerate() {
        let rx = rx.clone();
        receives.push(run(by, move || recv_all(by, &rx, index % 2)));
    }
    drop(rx);
    sends.into_iter().for_each(|join| join());
    let got = receives.into_iter().map(|join| join());
    let got = got.fold(Tally::default(), Tally::and);
    assert_eq!(got, wanted, "{capacities:?} {senders:?} {receivers:?}");
    wanted.values
}

#[test]
fn all_kinds_on_the_same_channels() {
    within(LONG, || {
        repeat(SHORT, |round| {
            let capacities = [[0, 1], [0, 0], [1, 64], [3, 2]][round % 4];
            let receivers = [ALL, ALL].concat();
            exchange(capacities, &ALL, &receivers, 200);
        });
    });
}

#[test]
fn kinds_two_by_two() {
    within(LONG, || {
        repeat(SHORT, |round| {
            for sender in ALL {
                for receiver in ALL {
                    let capacities = [[0, 0], [1, 0], [2, 5]][round % 3];
                    exchange(capacities, &[sender; 2], &[receiver; 2], 40);
                }
            }
        });
    });
}

#[test]
#[ignore = "long: a hundred million values; run it with --release"]
fn a_hundred_million_values() {
    let mut values = 0;
    let begin = std::time::Instant::now();
    for round in 0.. {
        let capacities = [[128, 64], [1000, 0], [16, 256]][round % 3];
        let senders = [
            By::Goroutine,
            By::Select,
            By::Goroutine,
            By::Task,
            By::Thread,
        ];
        let receivers = [
            By::Goroutine,
            By::Goroutine,
            By::Select,
            By::Task,
            By::Thread,
        ];
        let receivers = [receivers, receivers].concat();
        values += within(20 * LONG, move || {
            exchange(capacities, &senders, &receivers, 200_000)
        });
        println!("{values} values in {:.0?}", begin.elapsed());
        if values >= 100_000_000 {
            return;
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

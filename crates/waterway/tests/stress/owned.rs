//! Channels that have become one worker's own, and are taken away by others, while workers come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use waterway::{Builder, Receiver, Sender, chan, go, select, yield_now};

use crate::locks::Random;
use crate::{LONG, SHORT, repeat, within};

/// More than it takes for a channel to become a worker's own.
const ENOUGH: usize = 400;
/// How many values each who comes later sends.
const LATER: usize = 10;
const SENDERS: usize = 3;
/// Whoever moves a ring takes the lock as well, until another comes.
const CAPACITIES: [usize; 4] = [0, 1, 7, 128];

fn send(tx: &Sender<(usize, usize)>, sender: usize, values: usize, sent: &AtomicUsize) {
    for number in 0..values {
        tx.send((sender, number)).unwrap();
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// Keeps a worker for longer than the runtime bears, so that a spare starts and retires again.
fn hold() {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(12) {
        std::hint::spin_loop();
    }
}

/// A pair that lives together makes the channel its worker's own; a plain thread and a goroutine that it starts come to it then. What was
/// sent arrives, once and in order.
fn taken_away(seed: usize) {
    let mut random = Random::new(seed as u64);
    let mut many = || ENOUGH + random.below(200) as usize;
    let counts = [many(), LATER, LATER];
    let (begin, sent) = (many(), Arc::new(AtomicUsize::new(0)));
    let (tx, rx) = chan(CAPACITIES[random.below(4) as usize]);
    let first = (tx.clone(), sent.clone());
    let pair = go(move || {
        let sender = go(move || send(&first.0, 0, counts[0] + ENOUGH, &first.1));
        let mut next = [0; SENDERS];
        for (sender, number) in rx {
            assert_eq!(number, next[sender], "in order");
            next[sender] += 1;
        }
        sender.join().unwrap();
        next
    });
    if seed.is_multiple_of(16) {
        drop(go(hold));
    }
    let later = thread::spawn(move || {
        while sent.load(Ordering::Relaxed) < begin {
            thread::yield_now();
        }
        let (also, counted) = (tx.clone(), sent.clone());
        let other = go(move || send(&also, 2, counts[2], &counted));
        send(&tx, 1, counts[1], &sent);
        other.join().unwrap();
    });
    later.join().unwrap();
    assert_eq!(
        pair.join().unwrap(),
        [counts[0] + ENOUGH, counts[1], counts[2]]
    );
}

#[test]
fn channels_of_one_worker_are_taken_away() {
    within(LONG, || repeat(SHORT, taken_away));
}

type Ends = (Sender<usize>, Receiver<usize>);

/// So many channels each has; it is at one after the other.
const PAIRS: usize = 64;

/// A goroutine, most likely on a worker of its own, makes channels its own. Then it sends into each as the other does into the one beside
/// it, and looks into that. Where it saw none:
fn send_and_look(own: &[Ends], others: &[Ends], look: usize, met: &AtomicUsize) -> Vec<bool> {
    for (tx, rx) in own {
        for n in 0..ENOUGH {
            tx.send(n).unwrap();
            assert_eq!(rx.recv(), Ok(n));
        }
    }
    let looks = own.iter().zip(others).enumerate();
    let looks = looks.map(|(number, ((tx, _), (other_tx, other)))| {
        met.fetch_add(1, Ordering::SeqCst);
        while met.load(Ordering::SeqCst) < 2 * (number + 1) {
            yield_now();
        }
        tx.send(1).unwrap();
        match look {
            0 => other.is_empty(),
            1 => other_tx.is_empty(),
            2 => other.try_recv().is_err(),
            3 => select! { recv(other) -> _ => false, default => true },
            _ => select! {
                recv(other) -> _ => false,
                recv(waterway::chan::never::<usize>()) -> _ => false,
                default => true,
            },
        }
    });
    looks.collect()
}

/// Of two who each send and then look one sees the other, whatever they look with.
fn one_sees_the_other(number: usize) {
    let channels = [0, 1].map(|_| (0..PAIRS).map(|_| chan(1)).collect::<Vec<Ends>>());
    let (channels, met) = (Arc::new(channels), Arc::new(AtomicUsize::new(0)));
    let saw_none = [0, 1].map(|own| {
        let (channels, met) = (channels.clone(), met.clone());
        Builder::new()
            .spread()
            .go(move || send_and_look(&channels[own], &channels[1 - own], number % 5, &met))
    });
    let [one, other] = saw_none.map(|goroutine| goroutine.join().unwrap());
    let neither = one
        .iter()
        .zip(&other)
        .filter(|(one, other)| **one && **other);
    assert_eq!(neither.count(), 0, "look {}", number % 5);
}

#[test]
fn who_looks_into_a_channel_of_another_worker_sees_what_came() {
    within(LONG, || repeat(SHORT, one_sees_the_other));
}

//! Channels that have become one worker's own, and are taken away by others, while workers come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use waterway::{Sender, chan, go};

use crate::locks::Random;
use crate::{LIMIT, SHORT, repeat, within};

/// More than it takes for a channel to become a worker's own.
const ENOUGH: usize = 400;
/// How many values each who comes later sends.
const LATER: usize = 10;
const SENDERS: usize = 3;

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
    let (tx, rx) = chan(0);
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
    within(LIMIT, || repeat(SHORT, taken_away));
}

//! Go's `test/chan/sieve1.go` and `sieve2.go`: primes by chains of goroutines.

#![forbid(unsafe_code)]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use waterway::chan::never;
use waterway::{Receiver, Sender, chan, go, select};
use waterway_conformance::bound;

const PRIMES: [usize; 25] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
];

/// Everything from `first` on, in steps, until nobody wants more.
fn count(first: usize, step: usize, buffer: usize) -> Receiver<usize> {
    let (tx, rx) = chan(buffer);
    go(move || (first..).step_by(step).all(|n| tx.send(n).is_ok()));
    rx
}

/// Go: test/chan/sieve1.go. A filter for each prime.
#[waterway::test]
fn sieve1() {
    let _bound = bound();
    let (tx, primes) = chan(0);
    go(move || {
        let mut numbers = count(2, 1, 0);
        loop {
            let prime = numbers.recv().unwrap();
            if tx.send(prime).is_err() {
                return;
            }
            let (pass, filtered) = chan(0);
            let unfiltered = std::mem::replace(&mut numbers, filtered);
            go(move || {
                let mut rest = unfiltered.iter().filter(|n| n % prime != 0);
                rest.all(|n| pass.send(n).is_ok())
            });
        }
    });
    assert!(primes.iter().take(PRIMES.len()).eq(PRIMES));
}

/// A sender whose values are kept until `out` takes them.
fn keeping(out: Sender<usize>) -> Sender<usize> {
    let (proxy, values) = chan(10);
    go(move || {
        let mut kept = VecDeque::new();
        let (nobody, _receiver) = chan(0);
        let mut values = values;
        loop {
            let to = if kept.is_empty() { &nobody } else { &out };
            select! {
                recv(values) -> value => match value {
                    Ok(value) => kept.push_back(value),
                    Err(_) if kept.is_empty() => return,
                    Err(_) => values = never(),
                },
                send(to, *kept.front().expect("there is one")) -> sent => match sent {
                    Ok(()) => drop(kept.pop_front()),
                    Err(_) => return,
                },
            }
        }
    });
    proxy
}

/// Everything that is to be left out, in order, merged from the multiples of the primes that come.
fn merge(primes: Receiver<usize>, composites: Sender<usize>) -> Option<()> {
    let mut heads = BinaryHeap::<Reverse<(usize, usize)>>::new();
    let mut streams = Vec::<Receiver<usize>>::new();
    let mut min = 15;
    loop {
        let prime = primes.recv().ok()?;
        let multiples = count(prime * prime, 2 * prime, 10);
        let head = multiples.recv().ok()?;
        while min <= head {
            if min < head {
                composites.send(min).ok()?;
            }
            let Some(Reverse((least, stream))) = heads.pop() else {
                break;
            };
            min = least;
            heads.push(Reverse((streams[stream].recv().ok()?, stream)));
        }
        composites.send(head).ok()?;
        heads.push(Reverse((multiples.recv().ok()?, streams.len())));
        streams.push(multiples);
    }
}

/// Go: test/chan/sieve2.go. Odd candidates against a merge of the multiples of all primes, with a feedback loop and a proxy
/// that keeps values, whose select has an arm that is sometimes nil.
#[waterway::test]
fn sieve2() {
    let _bound = bound();
    let (out, primes) = chan(10);
    let (composites_tx, composites) = chan(50);
    let (feedback, fed_back) = chan(10);
    feedback.send(3).unwrap();
    go(move || merge(fed_back, composites_tx));
    go(move || -> Option<()> {
        out.send(2).ok()?;
        out.send(3).ok()?;
        let feedback = keeping(feedback);
        let candidates = count(5, 2, 50);
        let mut candidate = candidates.recv().ok()?;
        loop {
            let composite = composites.recv().ok()?;
            while candidate < composite {
                feedback.send(candidate).ok()?;
                out.send(candidate).ok()?;
                candidate = candidates.recv().ok()?;
            }
            if candidate == composite {
                candidate = candidates.recv().ok()?;
            }
        }
    });
    assert!(primes.iter().take(PRIMES.len()).eq(PRIMES));
}

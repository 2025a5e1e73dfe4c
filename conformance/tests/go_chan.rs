//! Go's `runtime/chan_test.go` and `chanbarrier_test.go`, what concerns channels alone. Selects are in `go_select.rs`.

#![forbid(unsafe_code)]

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use waterway::sync::{Mutex, WaitGroup};
use waterway::{RecvError, TryRecvError, chan, go, select, yield_now};
use waterway_conformance::{blocked, bound};

/// Go takes 0 to 199; the code has these kinds: none, one, few, many.
const CAPACITIES: [usize; 6] = [0, 1, 2, 3, 20, 199];

/// Go: TestChan (chan_test.go), "receive from empty chan blocks" and "non-blocking receive does not block".
#[waterway::test]
fn receive_from_an_empty_channel_blocks() {
    let _bound = bound();
    for capacity in CAPACITIES {
        let (tx, rx) = chan::<i32>(capacity);
        let other = rx.clone();
        let first = blocked("chan receive", move || other.recv());
        let other = rx.clone();
        let second = blocked("chan receive", move || other.recv());
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        select! { recv(rx) -> _ => panic!("received from an empty channel"), default => {} }
        tx.send(0).unwrap();
        tx.send(0).unwrap();
        assert_eq!(
            (first.join().unwrap(), second.join().unwrap()),
            (Ok(0), Ok(0))
        );
    }
}

/// Go: TestChan (chan_test.go), "send to full chan blocks" and "non-blocking send does not block".
#[waterway::test]
fn send_to_a_full_channel_blocks() {
    let _bound = bound();
    for capacity in CAPACITIES {
        let (tx, rx) = chan(capacity);
        (0..capacity).for_each(|n| tx.send(n).unwrap());
        let other = tx.clone();
        let sender = blocked("chan send", move || other.send(capacity));
        assert!(tx.try_send(0).unwrap_err().is_full());
        select! { send(tx, 0) -> _ => panic!("sent to a full channel"), default => {} }
        assert_eq!(rx.recv(), Ok(0));
        sender.join().unwrap().unwrap();
    }
}

/// Go: TestChan (chan_test.go), "we receive 0 from closed chan". Here it is an error instead of a zero.
#[waterway::test]
fn a_closed_channel_gives_what_it_holds_then_an_error() {
    let _bound = bound();
    for capacity in CAPACITIES {
        let (tx, rx) = chan(capacity);
        (0..capacity).for_each(|n| tx.send(n).unwrap());
        tx.close();
        (0..capacity).for_each(|n| assert_eq!(rx.recv(), Ok(n)));
        for _ in 0..2 {
            assert_eq!(rx.recv(), Err(RecvError));
            assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
        }
    }
}

/// Go: TestChan (chan_test.go), "close unblocks receive".
#[waterway::test]
fn close_unblocks_receive() {
    let _bound = bound();
    for capacity in CAPACITIES {
        let (tx, rx) = chan::<i32>(capacity);
        let receiver = blocked("chan receive", move || rx.recv());
        tx.close();
        assert_eq!(receiver.join().unwrap(), Err(RecvError));
    }
}

/// Go: TestChan (chan_test.go), "send 100 integers, ensure that we receive them non-corrupted in FIFO order".
#[waterway::test]
fn one_sender_is_received_in_order() {
    let _bound = bound();
    for capacity in CAPACITIES {
        let (tx, rx) = chan(capacity);
        for _ in 0..2 {
            let tx = tx.clone();
            go(move || (0..100).for_each(|n| tx.send(n).unwrap()));
            (0..100).for_each(|n| assert_eq!(rx.recv(), Ok(n)));
        }
    }
}

/// Go: TestChan (chan_test.go), "send 1000 integers in 4 goroutines, ensure that we receive what we send".
#[waterway::test]
fn what_four_send_four_receive() {
    const SENDERS: usize = 4;
    const EACH: usize = 1000;
    let _bound = bound();
    for capacity in CAPACITIES {
        let (tx, rx) = chan(capacity);
        let (done, counts) = chan::<HashMap<usize, usize>>(0);
        for _ in 0..SENDERS {
            let tx = tx.clone();
            go(move || (0..EACH).for_each(|n| tx.send(n).unwrap()));
            let (rx, done) = (rx.clone(), done.clone());
            go(move || {
                let mut seen = HashMap::new();
                for _ in 0..EACH {
                    *seen.entry(rx.recv().unwrap()).or_default() += 1;
                }
                done.send(seen).unwrap();
            });
        }
        let mut seen = HashMap::<usize, usize>::new();
        for (value, count) in counts.iter().take(SENDERS).flatten() {
            *seen.entry(value).or_default() += count;
        }
        assert_eq!(seen.len(), EACH, "capacity {capacity}");
        assert!(
            seen.values().all(|count| *count == SENDERS),
            "capacity {capacity}"
        );
    }
}

/// Go: TestChan (chan_test.go), "test len/cap".
#[waterway::test]
fn length_and_capacity() {
    let _bound = bound();
    for capacity in CAPACITIES {
        let (tx, rx) = chan(capacity);
        assert_eq!((rx.len(), rx.capacity()), (0, Some(capacity)));
        (0..capacity).for_each(|n| tx.send(n).unwrap());
        assert_eq!((tx.len(), tx.capacity()), (capacity, Some(capacity)));
    }
}

/// Go: TestNonblockRecvRace (chan_test.go). A value that is there is received without waiting, whatever close does at that
/// moment. 10,000 rounds in Go, 2,000 here.
#[waterway::test]
fn non_blocking_receive_races_with_close() {
    let _bound = bound();
    for _ in 0..2_000 {
        let (tx, rx) = chan(1);
        tx.send(1).unwrap();
        let other = rx.clone();
        let racer = go(move || {
            select! { recv(other) -> _ => true, default => false }
        });
        tx.close();
        // One of both gets the value; the other sees the end, which is no reason to wait either.
        let _ = rx.recv();
        assert!(racer.join().unwrap(), "the channel was always ready");
    }
}

/// Go: TestChanSendInterface (chan_test.go). Values of a type known at run time only.
#[waterway::test]
fn values_of_any_type() {
    struct Empty;
    let _bound = bound();
    let value = || -> Box<dyn Any + Send> { Box::new(Empty) };
    let (tx, rx) = chan(1);
    tx.send(value()).unwrap();
    select! { send(tx, value()) -> _ => panic!("it is full"), default => {} }
    select! {
        send(tx, value()) -> _ => panic!("it is full"),
        send(tx, value()) -> _ => panic!("it is full"),
        default => {}
    }
    assert!(rx.recv().unwrap().is::<Empty>());
}

/// Go: TestMultiConsumer (chan_test.go). 271,828 values in Go, 30,000 here.
#[waterway::test]
fn many_consumers_of_one_queue() {
    const WORKERS: usize = 23;
    const VALUES: usize = 30_000;
    const PRIMES: [usize; 10] = [2, 3, 7, 11, 13, 17, 19, 23, 27, 31];
    let _bound = bound();
    let (queue, work) = chan(WORKERS * 3);
    let (result, results) = chan(WORKERS * 3);
    let workers = WaitGroup::new();
    for worker in 0..WORKERS {
        let (work, result) = (work.clone(), result.clone());
        workers.go(move || {
            for value in &work {
                if PRIMES[worker % PRIMES.len()] == value {
                    yield_now(); // so that they do not finish in the order in which they began
                }
                result.send(value).unwrap();
            }
        });
    }
    let feeder = go(move || {
        let mut sum = 0;
        for n in 0..VALUES {
            let value = PRIMES[n % PRIMES.len()];
            sum += value;
            queue.send(value).unwrap();
        }
        queue.close();
        workers.wait();
        result.close();
        sum
    });
    let (mut count, mut sum) = (0, 0);
    for value in &results {
        (count, sum) = (count + 1, sum + value);
    }
    assert_eq!((count, sum), (VALUES, feeder.join().unwrap()));
}

/// Uses `depth` KiB of stack.
#[inline(never)]
fn use_stack(depth: usize) -> u8 {
    let frame = std::hint::black_box([depth as u8; 1024]);
    if depth == 0 {
        return frame[0];
    }
    use_stack(depth - 1).wrapping_add(frame[depth % 1024])
}

/// Go: TestShrinkStackDuringBlockedSend, TestNoShrinkStackWhileParking (chan_test.go). Stacks here neither move nor shrink;
/// what is left of both is that values survive when the stack around them is used and left in between.
#[waterway::test]
fn stack_use_between_blocked_sends() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    let sender = go(move || {
        for n in 0..200 {
            tx.send(n).unwrap();
            std::hint::black_box(use_stack(64));
        }
    });
    for n in 0..200 {
        yield_now();
        assert_eq!(rx.recv(), Ok(n));
    }
    sender.join().unwrap();
}

/// What a request of the barrier tests gives: never the reply, always the error.
#[derive(Debug, PartialEq)]
struct Failed;

fn request(with_select: bool) -> Result<(), Failed> {
    let (tx, rx) = chan(0);
    let (_done_tx, done) = chan::<()>(0);
    go(move || {
        if with_select {
            select! {
                send(tx, Box::new(Err(Failed))) -> sent => sent.unwrap(),
                recv(done) -> _ => {}
            }
        } else {
            tx.send(Box::new(Err(Failed))).unwrap();
        }
    });
    let reply = rx.recv().unwrap();
    yield_now();
    *reply
}

fn barrier(with_select: bool) {
    let all = WaitGroup::new();
    let failures = Arc::new(Mutex::new(0));
    for _ in 0..10 {
        let failures = failures.clone();
        all.go(move || {
            for _ in 0..300 {
                assert_eq!(request(with_select), Err(Failed));
                drop(std::hint::black_box(vec![0u8; 1024]));
                *failures.lock() += 1;
            }
        });
    }
    all.wait();
    assert_eq!(*failures.lock(), 10 * 300);
}

/// Go: TestChanSendSelectBarrier (chanbarrier_test.go). What is sent is whole when it is received, though its sender is gone.
/// There about the collector's write barrier, 10 by 1,000 requests in short mode; 10 by 300 here.
#[waterway::test]
fn what_a_select_sent_outlives_its_sender() {
    let _bound = bound();
    barrier(true);
}

/// Go: TestChanSendBarrier (chanbarrier_test.go). As above, with a plain send.
#[waterway::test]
fn what_a_send_sent_outlives_its_sender() {
    let _bound = bound();
    barrier(false);
}

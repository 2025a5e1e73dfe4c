//! What crossbeam-channel's `zero.rs`, `array.rs` and `list.rs` check of single operations, on channels of every kind.

#![forbid(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use waterway::chan::unbounded;
use waterway::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
    chan, go, select,
};
use waterway_conformance::{LONG, blocked, bound, flavours, until};

const SHORT: Duration = Duration::from_millis(5);

/// crossbeam: smoke (zero, array, list).
#[waterway::test]
fn smoke() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        if tx.capacity() == Some(0) {
            assert_eq!(tx.try_send(7), Err(TrySendError::Full(7)));
        } else {
            tx.send(7).unwrap();
            assert_eq!(rx.try_recv(), Ok(7), "{name}");
            tx.send(8).unwrap();
            assert_eq!(rx.recv(), Ok(8), "{name}");
        }
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}");
        assert_eq!(
            rx.recv_timeout(SHORT),
            Err(RecvTimeoutError::Timeout),
            "{name}"
        );
    }
}

/// crossbeam: capacity (zero, array, list).
#[waterway::test]
fn capacity() {
    let _bound = bound();
    for n in 0..10 {
        let (tx, rx) = chan::<()>(n);
        assert_eq!((tx.capacity(), rx.capacity()), (Some(n), Some(n)));
    }
    let (tx, rx) = unbounded::<()>();
    assert_eq!((tx.capacity(), rx.capacity()), (None, None));
}

/// crossbeam: len_empty_full (zero, array, list).
#[waterway::test]
fn len_empty_full() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let states = |len: usize| {
            let full = tx.capacity() == Some(len);
            assert_eq!(
                (tx.len(), tx.is_empty(), tx.is_full()),
                (len, len == 0, full),
                "{name}"
            );
            assert_eq!(
                (rx.len(), rx.is_empty(), rx.is_full()),
                (len, len == 0, full),
                "{name}"
            );
        };
        states(0);
        let room = tx.capacity().unwrap_or(50);
        for n in 0..room {
            tx.send(()).unwrap();
            states(n + 1);
        }
        for n in (0..room).rev() {
            rx.recv().unwrap();
            states(n);
        }
    }
}

/// crossbeam: try_recv (zero, array, list).
#[waterway::test]
fn try_recv() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "{name}");
        let sender = go(move || tx.send(7));
        until(|| rx.try_recv().inspect(|v| assert_eq!(*v, 7)).is_ok());
        sender.join().unwrap().unwrap();
        until(|| rx.try_recv() == Err(TryRecvError::Disconnected));
    }
}

/// crossbeam: recv (zero, array, list).
#[waterway::test]
fn recv() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let receiver = blocked("chan receive", move || (rx.recv(), rx.recv(), rx.recv()));
        tx.send(7).unwrap();
        tx.send(8).unwrap();
        drop(tx);
        assert_eq!(
            receiver.join().unwrap(),
            (Ok(7), Ok(8), Err(RecvError)),
            "{name}"
        );
    }
}

/// crossbeam: recv_timeout (zero, array, list). It lasts at least as long; a value ends it.
#[waterway::test]
fn recv_timeout() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let begin = Instant::now();
        assert_eq!(
            rx.recv_timeout(SHORT),
            Err(RecvTimeoutError::Timeout),
            "{name}"
        );
        assert!(begin.elapsed() >= SHORT);
        let receiver = blocked("chan receive", move || {
            (rx.recv_timeout(LONG), rx.recv_timeout(LONG))
        });
        tx.send(7).unwrap();
        drop(tx);
        let both = (Ok(7), Err(RecvTimeoutError::Disconnected));
        assert_eq!(receiver.join().unwrap(), both, "{name}");
    }
}

/// crossbeam: try_send (zero, array, list).
#[waterway::test]
fn try_send() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        for n in 0..tx.capacity().unwrap_or(1000) {
            assert_eq!(tx.try_send(n), Ok(()), "{name}");
        }
        if tx.capacity().is_some() {
            assert_eq!(tx.try_send(0), Err(TrySendError::Full(0)), "{name}");
        }
        let waits = tx.capacity() == Some(0);
        let receiver = go(move || {
            if waits {
                rx.recv().ok()
            } else {
                rx.try_recv().ok()
            }
        });
        until(|| tx.try_send(9) != Err(TrySendError::Full(9)));
        let got = receiver.join().unwrap();
        assert_eq!(got, Some(if waits { 9 } else { 0 }), "{name}");
        assert_eq!(
            tx.try_send(10),
            Err(TrySendError::Disconnected(10)),
            "{name}"
        );
    }
}

/// crossbeam: send (zero, array, list). A full channel makes it wait for a receive, in order.
#[waterway::test]
fn send() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let room = tx.capacity().unwrap_or(1000);
        (0..room).for_each(|n| tx.send(n).unwrap());
        if tx.capacity().is_some() {
            let other = tx.clone();
            let sender = blocked("chan send", move || other.send(room));
            assert!((0..=room).all(|n| rx.recv() == Ok(n)), "{name}");
            sender.join().unwrap().unwrap();
        } else {
            assert!((0..room).all(|n| rx.recv() == Ok(n)), "{name}");
        }
    }
}

/// crossbeam: send_timeout (zero, array, list).
#[waterway::test]
fn send_timeout() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        for n in 0..tx.capacity().unwrap_or(1000) {
            assert_eq!(tx.send_timeout(n, LONG), Ok(()), "{name}");
        }
        if tx.capacity().is_some() {
            let begin = Instant::now();
            assert_eq!(
                tx.send_timeout(1, SHORT),
                Err(SendTimeoutError::Timeout(1)),
                "{name}"
            );
            assert!(begin.elapsed() >= SHORT);
            let other = tx.clone();
            let sender = blocked("chan send", move || other.send_timeout(2, LONG));
            rx.recv().unwrap();
            assert_eq!(sender.join().unwrap(), Ok(()), "{name}");
        }
        drop(rx);
        assert_eq!(
            tx.send_timeout(3, LONG),
            Err(SendTimeoutError::Disconnected(3)),
            "{name}"
        );
    }
}

/// crossbeam: send_after_disconnect (array, list), for every way to send.
#[waterway::test]
fn send_after_disconnect() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        if tx.capacity() != Some(0) {
            tx.send(1).unwrap();
        }
        drop(rx);
        assert_eq!(tx.send(4), Err(SendError(4)), "{name}");
        assert_eq!(tx.try_send(5), Err(TrySendError::Disconnected(5)), "{name}");
        assert_eq!(
            tx.send_timeout(6, LONG),
            Err(SendTimeoutError::Disconnected(6)),
            "{name}"
        );
        select! { send(tx, 7) -> sent => assert_eq!(sent, Err(SendError(7)), "{name}") }
    }
}

/// crossbeam: recv_after_disconnect (array, list). What is buffered comes first, then the end.
#[waterway::test]
fn recv_after_disconnect() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let sent = tx.capacity().unwrap_or(3).min(3);
        (0..sent).for_each(|n| tx.send(n).unwrap());
        drop(tx);
        assert!((0..sent).all(|n| rx.recv() == Ok(n)), "{name}");
        assert_eq!(rx.recv(), Err(RecvError), "{name}");
        assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected), "{name}");
        assert_eq!(
            rx.recv_timeout(LONG),
            Err(RecvTimeoutError::Disconnected),
            "{name}"
        );
    }
}

/// crossbeam: len (zero, array, list). While values go through, the length stays within what the channel holds.
#[waterway::test]
fn len() {
    const VALUES: usize = 3_000;
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let limit = tx.capacity().unwrap_or(VALUES);
        let receives = rx.clone();
        let receiver = go(move || {
            for n in 0..VALUES {
                assert_eq!(receives.recv(), Ok(n));
                assert!(receives.len() <= limit);
            }
        });
        for n in 0..VALUES {
            tx.send(n).unwrap();
            assert!(tx.len() <= limit, "{name}");
        }
        receiver.join().unwrap();
        assert_eq!((tx.len(), rx.len()), (0, 0), "{name}");
    }
}

/// crossbeam: disconnect_wakes_sender (zero, array).
#[waterway::test]
fn disconnect_wakes_sender() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let Some(room) = tx.capacity() else { continue };
        (0..room).for_each(|_| tx.send(()).unwrap());
        let sender = blocked("chan send", move || tx.send(()));
        drop(rx);
        assert_eq!(sender.join().unwrap(), Err(SendError(())), "{name}");
    }
}

/// crossbeam: disconnect_wakes_receiver (zero, array, list).
#[waterway::test]
fn disconnect_wakes_receiver() {
    let _bound = bound();
    for (name, tx, rx) in flavours::<()>() {
        let receiver = blocked("chan receive", move || rx.recv());
        drop(tx);
        assert_eq!(receiver.join().unwrap(), Err(RecvError), "{name}");
    }
}

/// crossbeam: recv_in_send (zero, array, list). The message of a select may use the channel that it is sent to.
#[waterway::test]
#[allow(unreachable_code, clippy::diverging_sub_expression)]
fn recv_in_send() {
    let _bound = bound();
    let (tx, _rx) = chan(1);
    tx.send(()).unwrap();
    select! { send(tx, panic!("it is full")) -> _ => unreachable!(), default => {} }
    let (tx, rx) = chan(2);
    tx.send(()).unwrap();
    select! { send(tx, assert_eq!(rx.recv(), Ok(()))) -> sent => sent.unwrap() }
    let (tx, rx) = unbounded();
    tx.send(()).unwrap();
    select! { send(tx, assert_eq!(rx.recv(), Ok(()))) -> sent => sent.unwrap() }
    assert_eq!(rx.len(), 1);
}

/// crossbeam: channel_through_channel (zero, array, list). Each channel carries the receiver of the next.
#[waterway::test]
fn channel_through_channel() {
    type Boxed = Box<dyn Any + Send>;
    const CHANNELS: usize = 500;
    let _bound = bound();
    for (name, first, mut rx) in flavours::<Boxed>() {
        let capacity = first.capacity();
        let sender = go(move || {
            let mut tx = first;
            for _ in 0..CHANNELS {
                let (next, rx) = capacity.map_or_else(unbounded::<Boxed>, chan);
                tx.send(Box::new(rx)).unwrap();
                tx = next;
            }
        });
        for _ in 0..CHANNELS {
            let next = rx.recv().unwrap().downcast::<Receiver<Boxed>>();
            rx = *next.unwrap_or_else(|_| panic!("{name}: a receiver was sent"));
        }
        sender.join().unwrap();
    }
}

/// crossbeam: panic_on_drop (array, list). Values whose drop panics are dropped once, and the panic comes out of the drop of
/// the last receiver. Which of the others are dropped too is not said; none is dropped twice.
#[waterway::test]
fn panic_on_drop() {
    struct Bomb<'a>(&'a std::cell::Cell<u32>);
    impl Drop for Bomb<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            if !std::thread::panicking() {
                panic!("first drop");
            }
        }
    }
    let _bound = bound();
    for unlimited in [false, true] {
        let (a, b) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        let (tx, rx) = if unlimited { unbounded() } else { chan(2) };
        assert!(tx.send(Bomb(&a)).is_ok() && tx.send(Bomb(&b)).is_ok());
        drop(tx);
        let panic = catch_unwind(AssertUnwindSafe(move || drop(rx))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"first drop"));
        assert!(a.get() == 1 && b.get() <= 1, "{} {}", a.get(), b.get());
    }
}

/// crossbeam: stack_overflow (list). A channel of values that are large needs no room for a block of them on the
/// stack: crossbeam's blocks have 31, which would fill the stack of a goroutine.
#[waterway::test]
fn large_values_take_little_stack() {
    struct Large {
        _data: [u8; 32 * 1024],
    }
    let _bound = bound();
    let sender = go(|| {
        let (tx, rx) = unbounded();
        let sent = tx
            .send(Large {
                _data: [0; 32 * 1024],
            })
            .is_ok();
        sent && rx.try_recv().is_ok()
    });
    assert!(sender.join().unwrap());
}

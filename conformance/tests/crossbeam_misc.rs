//! What crossbeam-channel's `iter.rs`, `same_channel.rs` and `thread_locals.rs` check.

#![forbid(unsafe_code)]

use std::sync::mpsc;
use std::time::Duration;

use waterway::chan::{never, unbounded};
use waterway::time::{after, tick};
use waterway::{chan, go, select};
use waterway_conformance::{LONG, bound, flavours};

/// crossbeam: nested_recv_iter (iter).
#[waterway::test]
fn an_iterator_ends_with_the_channel() {
    let _bound = bound();
    for (name, tx, rx) in flavours() {
        let sum = go(move || rx.iter().sum::<i32>());
        [3, 1, 2].into_iter().for_each(|n| tx.send(n).unwrap());
        drop(tx);
        assert_eq!(sum.join().unwrap(), 6, "{name}");
    }
}

/// crossbeam: recv_iter_break (iter). Leaving the loop leaves the rest; the sender is told when the receiver is gone.
#[waterway::test]
fn an_iterator_may_be_left() {
    let _bound = bound();
    let (tx, rx) = chan(0);
    let count = go(move || {
        let mut count = 0;
        for n in rx {
            if count >= 3 {
                break;
            }
            count += n;
        }
        count
    });
    let sent = (0..).take_while(|_| tx.send(2).is_ok()).count();
    assert_eq!((count.join().unwrap(), sent), (4, 3));
}

/// crossbeam: recv_try_iter (iter).
#[waterway::test]
fn an_iterator_over_what_is_there() {
    let _bound = bound();
    let ((request, requests), (answer, answers)) = (unbounded(), unbounded());
    let asker = go(move || {
        let mut count = 0;
        loop {
            for n in answers.try_iter() {
                count += n;
                if count == 6 {
                    return;
                }
            }
            request.send(()).unwrap();
        }
    });
    // Its last question may find it gone, or be answered before: both are right.
    let answered = requests.iter().take_while(|()| answer.send(2).is_ok());
    assert!(answered.count() >= 3);
    asker.join().unwrap();
}

/// crossbeam: recv_into_iter_owned, recv_into_iter_borrowed (iter).
#[waterway::test]
fn owned_and_borrowed_iterators() {
    let _bound = bound();
    let (tx, rx) = unbounded();
    [1, 2, 3, 4].into_iter().for_each(|n| tx.send(n).unwrap());
    let mut borrowed = (&rx).into_iter();
    assert_eq!((borrowed.next(), borrowed.next()), (Some(1), Some(2)));
    drop(tx);
    let mut owned = rx.into_iter();
    assert_eq!(
        (owned.next(), owned.next(), owned.next()),
        (Some(3), Some(4), None)
    );
    assert_eq!(owned.next(), None, "and again");
}

/// crossbeam: after_same_channel, array_same_channel, list_same_channel, never_same_channel, tick_same_channel,
/// zero_same_channel, different_flavors_same_channel (same_channel). There all channels of `never` are one.
#[waterway::test]
fn same_channel() {
    let _bound = bound();
    let all = flavours::<()>();
    for (n, (name, tx, rx)) in all.iter().enumerate() {
        assert!(
            tx.same_channel(&tx.clone()) && rx.same_channel(&rx.clone()),
            "{name}"
        );
        for (m, (_, other_tx, other_rx)) in all.iter().enumerate() {
            assert_eq!(tx.same_channel(other_tx), n == m, "{name}");
            assert_eq!(rx.same_channel(other_rx), n == m, "{name}");
        }
    }
    for make in [after, tick] {
        let rx = make(Duration::from_secs(3600));
        assert!(rx.same_channel(&rx.clone()) && !rx.same_channel(&make(LONG)));
        assert!(!rx.same_channel(&never()));
    }
}

/// crossbeam: use_while_exiting (thread_locals). A blocking call while the thread's locals are dropped, those of the channels
/// before it.
#[test]
fn blocking_while_the_thread_ends() {
    struct Blocks(mpsc::Sender<bool>);
    impl Drop for Blocks {
        fn drop(&mut self) {
            let (_tx, rx) = unbounded::<()>();
            let waited =
                select! { recv(rx) -> _ => false, default(Duration::from_millis(5)) => true };
            let _ = self.0.send(waited);
        }
    }
    thread_local! {
        static LAST: std::cell::RefCell<Option<Blocks>> = const { std::cell::RefCell::new(None) };
    }
    let _bound = bound();
    let (told, tell) = mpsc::channel();
    let (tx, rx) = chan(0);
    let thread = std::thread::spawn(move || {
        // Before the first use of a channel on this thread, so that it is dropped after what that uses.
        LAST.with(|last| *last.borrow_mut() = Some(Blocks(told)));
        rx.recv().unwrap();
    });
    tx.send(()).unwrap();
    thread.join().unwrap();
    assert_eq!(tell.recv(), Ok(true));
}

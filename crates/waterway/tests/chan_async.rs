//! Channels between async tasks, alone and together with threads.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use waterway::chan::unbounded;
use waterway::{Receiver, Select, Sender, chan, select};

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

/// Counts wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn poll<F: Future + Unpin>(future: &mut F, count: &Arc<Count>) -> Poll<F::Output> {
    let waker = Waker::from(count.clone());
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

fn flavors<T>() -> Vec<(Sender<T>, Receiver<T>)> {
    vec![chan(0), chan(1), chan(8), unbounded()]
}

#[test]
fn tasks_and_threads_mixed_lose_nothing() {
    const EACH: usize = 2_000;
    for (tx, rx) in flavors::<usize>() {
        let sum: usize = thread::scope(|s| {
            for kind in 0..4 {
                let tx = tx.clone();
                s.spawn(move || {
                    for n in 0..EACH {
                        match kind {
                            0 => block_on(tx.send_async(n)).unwrap(),
                            1 => select! { send(tx, n) -> r => r.unwrap() },
                            _ => tx.send(n).unwrap(),
                        }
                    }
                });
            }
            drop(tx);
            let receivers: Vec<_> = (0..4)
                .map(|kind| {
                    let rx = rx.clone();
                    s.spawn(move || {
                        let mut sum = 0;
                        loop {
                            let got = match kind {
                                0 | 1 => block_on(rx.recv_async()),
                                2 => select! { recv(rx) -> v => v },
                                _ => rx.recv(),
                            };
                            match got {
                                Ok(n) => sum += n,
                                Err(_) => return sum,
                            }
                        }
                    })
                })
                .collect();
            drop(rx);
            receivers.into_iter().map(|r| r.join().unwrap()).sum()
        });
        assert_eq!(sum, 4 * EACH * (EACH - 1) / 2);
    }
}

#[test]
fn tasks_alone_and_a_select_meet() {
    const EACH: usize = 2_000;
    for (tx, rx) in flavors::<usize>() {
        thread::scope(|s| {
            for _ in 0..3 {
                let tx = tx.clone();
                s.spawn(move || (0..EACH).for_each(|n| select! { send(tx, n) -> r => r.unwrap() }));
            }
            drop(tx);
            let mut got = 0;
            while block_on(rx.recv_async()).is_ok() {
                got += 1;
            }
            assert_eq!(got, 3 * EACH);
        });
    }
}

#[test]
fn a_dropped_receive_passes_the_word_on() {
    for (tx, rx) in flavors::<u8>() {
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let mut a = rx.recv_async();
        let mut b = rx.recv_async();
        assert!(poll(&mut a, &first).is_pending() && poll(&mut b, &second).is_pending());
        thread::scope(|s| {
            let sender = s.spawn(|| tx.send(1));
            while first.wakes() == 0 {
                thread::yield_now();
            }
            assert_eq!(second.wakes(), 0);
            drop(a);
            assert_eq!(second.wakes(), 1);
            assert_eq!(poll(&mut b, &second), Poll::Ready(Ok(1)));
            sender.join().unwrap().unwrap();
        });
    }
}

#[test]
fn a_dropped_send_takes_its_value_back() {
    for capacity in [0, 1] {
        let (tx, rx) = chan::<Arc<()>>(capacity);
        let value = Arc::new(());
        (0..capacity).for_each(|_| tx.send(value.clone()).unwrap());
        let count = Arc::new(Count::default());
        let mut send = tx.send_async(value.clone());
        assert!(poll(&mut send, &count).is_pending());
        assert_eq!(Arc::strong_count(&value), 2 + capacity);
        drop(send);
        assert_eq!(Arc::strong_count(&value), 1 + capacity);
        (0..capacity).for_each(|_| drop(rx.recv()));
        assert!(rx.try_recv().is_err());
        drop(tx);
        assert!(rx.recv().is_err());
    }
}

#[test]
fn a_value_fetched_from_a_pending_send_was_sent() {
    let (tx, rx) = chan::<u8>(0);
    let count = Arc::new(Count::default());
    let mut send = tx.send_async(7);
    assert!(poll(&mut send, &count).is_pending());
    assert_eq!(rx.try_recv(), Ok(7));
    assert_eq!(count.wakes(), 1);
    assert_eq!(poll(&mut send, &count), Poll::Ready(Ok(())));
}

#[test]
fn tasks_keep_their_turn_when_polled_again() {
    let (tx, rx) = chan::<u8>(0);
    let count = Arc::new(Count::default());
    let mut sends: Vec<_> = (0..4).map(|n| tx.send_async(n)).collect();
    for _ in 0..3 {
        assert!(sends.iter_mut().all(|send| poll(send, &count).is_pending()));
        sends
            .iter_mut()
            .rev()
            .for_each(|send| assert!(poll(send, &count).is_pending()));
    }
    assert!((0..4).all(|n| rx.recv() == Ok(n)));
}

#[test]
fn closing_ends_tasks() {
    for (tx, rx) in flavors::<u8>() {
        let count = Arc::new(Count::default());
        let mut recv = rx.recv_async();
        assert!(poll(&mut recv, &count).is_pending());
        drop(tx);
        assert_eq!(count.wakes(), 1);
        assert!(matches!(poll(&mut recv, &count), Poll::Ready(Err(_))));
    }
    let (tx, rx) = chan::<u8>(0);
    let count = Arc::new(Count::default());
    let mut send = tx.send_async(3);
    assert!(poll(&mut send, &count).is_pending());
    drop(rx);
    assert_eq!(count.wakes(), 1);
    let Poll::Ready(Err(error)) = poll(&mut send, &count) else {
        panic!("closed")
    };
    assert_eq!(error.into_inner(), 3);
}

#[test]
fn waiting_tasks_do_not_count_for_try_send() {
    let (tx, rx) = chan::<u8>(0);
    let count = Arc::new(Count::default());
    let mut recv = rx.recv_async();
    assert!(poll(&mut recv, &count).is_pending());
    assert!(tx.try_send(1).unwrap_err().is_full());
    assert!(
        tx.send_timeout(2, Duration::from_millis(1))
            .unwrap_err()
            .is_timeout()
    );
    assert!(select! { send(tx, 3) -> _ => false, default => true });
    // The timed send told the task, which finds nothing and waits again.
    assert!(poll(&mut recv, &count).is_pending());
    thread::scope(|s| {
        s.spawn(|| select! { send(tx, 4) -> r => r.unwrap() });
        assert_eq!(block_on(recv), Ok(4));
    });
}

/// What `ready` tells of, `try_send` can do: a task that waits has no room for a value. One that comes lets who waits look.
#[test]
fn a_task_that_waits_is_not_what_ready_waits_for() {
    let (tx, rx) = chan::<u8>(0);
    let count = Arc::new(Count::default());
    let mut receive = rx.recv_async();
    assert!(poll(&mut receive, &count).is_pending());
    let mut select = Select::new();
    select.send(&tx);
    assert!(select.try_ready().is_err());
    assert!(tx.try_send(1).unwrap_err().is_full());
    let sender = tx.clone();
    let sends = thread::spawn(move || sender.send(2));
    while count.wakes() == 0 {
        thread::yield_now();
    }
    assert_eq!(poll(&mut receive, &count), Poll::Ready(Ok(2)));
    sends.join().unwrap().unwrap();
}

#[test]
fn futures_can_be_sent_and_moved() {
    fn check<T: Send + Unpin>(_: &T) {}
    let (tx, rx) = chan::<Vec<u8>>(0);
    let (mut send, recv) = (tx.send_async(vec![1]), rx.recv_async());
    check(&send);
    check(&recv);
    let count = Arc::new(Count::default());
    assert!(poll(&mut send, &count).is_pending());
    thread::scope(|s| {
        s.spawn(move || block_on(send).unwrap());
        assert_eq!(block_on(recv), Ok(vec![1]));
    });
}

/// A value that was reserved when the channel was closed is the last one. Whoever takes it, all others are told of the end.
#[test]
fn whoever_takes_the_last_value_of_a_closed_channel_tells_the_others() {
    let (tx, rx) = chan::<u8>(1);
    let mut select = waterway::Select::new();
    select.send(&tx);
    let reserved = select.select();
    tx.close();
    let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let (mut a, mut b) = (rx.recv_async(), rx.recv_async());
    assert!(poll(&mut a, &first).is_pending() && poll(&mut b, &second).is_pending());
    reserved.send(&tx, 7).unwrap();
    assert_eq!(
        (first.wakes(), second.wakes()),
        (1, 0),
        "one value, one task"
    );
    assert_eq!(rx.try_recv(), Ok(7));
    assert_eq!(second.wakes(), 1, "nothing will come any more");
    assert!(matches!(poll(&mut b, &second), Poll::Ready(Err(_))));
    assert!(matches!(poll(&mut a, &first), Poll::Ready(Err(_))));
}

/// The first arm's peer is a task, which can be met only by one who waits; each arm is tried without waiting first.
#[test]
fn a_biased_select_prefers_its_first_arm_to_a_task() {
    let (tx, rx) = chan::<u8>(0);
    let (other_tx, other_rx) = chan::<u8>(1);
    other_tx.send(2).unwrap();
    let count = Arc::new(Count::default());
    let mut receive = rx.recv_async();
    assert!(poll(&mut receive, &count).is_pending());
    thread::scope(|s| {
        let chosen = s.spawn(|| {
            waterway::select_biased! {
                send(tx, 1) -> sent => sent.is_ok(),
                recv(other_rx) -> _ => false,
            }
        });
        assert_eq!(block_on(receive), Ok(1));
        assert!(chosen.join().unwrap());
    });
}

/// A goroutine of that name, once it waits in a select.
fn in_select<T: Send + 'static>(
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> waterway::JoinHandle<T> {
    let handle = waterway::Builder::new().name(name).go(f);
    let line = format!("{name:?} [select, ");
    loop {
        let mut dump = Vec::new();
        waterway::watch::dump(&mut dump).unwrap();
        if String::from_utf8_lossy(&dump).contains(&line) {
            return handle;
        }
        thread::yield_now();
    }
}

/// A task waits, and the select that was to meet it fails to make its message: the next select meets it.
#[test]
fn a_select_that_gives_up_leaves_the_task_to_another() {
    let (tx, rx) = chan::<u8>(0);
    let arm = |message: Option<u8>| {
        let tx = tx.clone();
        in_select(&format!("makes {message:?}"), move || {
            let never = waterway::chan::never::<()>();
            select! {
                send(tx, message.expect("no message")) -> sent => sent.is_ok(),
                recv(never) -> _ => unreachable!(),
            }
        })
    };
    let (fails, sends) = (arm(None), arm(Some(1)));
    let count = Arc::new(Count::default());
    let mut receive = rx.recv_async();
    assert!(poll(&mut receive, &count).is_pending());
    assert!(fails.join().is_err());
    // The other one makes its message, and waits until it is fetched.
    while count.wakes() == 0 {
        thread::yield_now();
    }
    assert_eq!(poll(&mut receive, &count), Poll::Ready(Ok(1)));
    assert!(sends.join().unwrap());
}

/// One task waits, and several selects that could send to it: one does, the others stay free.
#[test]
fn a_task_binds_one_select() {
    let (tx, rx) = chan::<u8>(0);
    let (stop, stopped) = chan::<()>(0);
    let selects = [1, 2].map(|n| {
        let (tx, stopped) = (tx.clone(), stopped.clone());
        in_select(&format!("sends {n}"), move || {
            select! {
                // Others have a turn while the message is made.
                send(tx, { waterway::yield_now(); n }) -> sent => sent.is_ok(),
                recv(stopped) -> _ => false,
            }
        })
    });
    let count = Arc::new(Count::default());
    let mut receive = rx.recv_async();
    assert!(poll(&mut receive, &count).is_pending());
    while count.wakes() == 0 {
        thread::yield_now();
    }
    assert_eq!(poll(&mut receive, &count), Poll::Ready(Ok(1)));
    drop(stop);
    assert_eq!(selects.map(|select| select.join().unwrap()), [true, false]);
}

//! Goroutines, threads, tokio's tasks and those of `futures`' executors in one process.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::{LocalPool, ThreadPool};
use futures::task::{LocalSpawnExt, SpawnExt};
use futures::{FutureExt, SinkExt, StreamExt, stream};
use tokio::runtime::{Builder, Handle, Runtime};
use waterway::sync::{Mutex, RwLock, Semaphore, WaitGroup};
use waterway::time::{Ticker, sleep, sleep_async};
use waterway::{Receiver, Sender, block_on, chan, go};

/// Two threads, so that tasks move.
fn tokio() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

/// `future`, with tokio's context around each poll: never across a park, for goroutines share threads.
async fn within<F: Future>(handle: Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(move |cx| {
        let _context = handle.enter();
        future.as_mut().poll(cx)
    })
    .await
}

fn flavours() -> Vec<(Sender<usize>, Receiver<usize>)> {
    vec![chan(0), chan(1), chan(16), chan::unbounded()]
}

const EACH: usize = 500;

#[test]
fn what_goroutines_send_tasks_receive_and_back() {
    let tokio = tokio();
    for ((tx, rx), (back, results)) in flavours().into_iter().zip(flavours()) {
        for kind in 0..4 {
            let tx = tx.clone();
            match kind {
                0 | 1 => drop(go(move || (0..EACH).for_each(|n| tx.send(n).unwrap()))),
                2 => drop(thread::spawn(move || {
                    (0..EACH).for_each(|n| tx.send(n).unwrap());
                })),
                _ => drop(tokio.spawn(async move {
                    for n in 0..EACH {
                        tx.send_async(n).await.unwrap();
                    }
                })),
            }
        }
        for _ in 0..4 {
            let (rx, back) = (rx.clone(), back.clone());
            tokio.spawn(async move {
                while let Ok(n) = rx.recv_async().await {
                    back.send_async(n + 1).await.unwrap();
                }
            });
        }
        drop((tx, rx, back));
        let sum: usize = go(move || results.iter().sum()).join().unwrap();
        assert_eq!(sum, 4 * EACH * (EACH + 1) / 2);
    }
}

#[test]
fn executors_of_futures_share_channels_with_goroutines() {
    let pool = ThreadPool::builder().pool_size(2).create().unwrap();
    for (tx, rx) in flavours() {
        let (back, results) = chan(4);
        for _ in 0..3 {
            let (rx, back) = (rx.clone(), back.clone());
            pool.spawn(async move {
                while let Ok(n) = rx.recv_async().await {
                    back.send_async(n).await.unwrap();
                }
            })
            .unwrap();
        }
        let local = rx.clone();
        drop((rx, back));
        let sends: Vec<_> = (0..2)
            .map(|_| {
                let tx = tx.clone();
                go(move || (0..EACH).for_each(|n| tx.send(n).unwrap()))
            })
            .collect();
        drop(tx);
        let others = go(move || results.iter().sum::<usize>());
        let mut here = LocalPool::new();
        let own = std::rc::Rc::new(std::cell::Cell::new(0));
        let count = own.clone();
        here.spawner()
            .spawn_local(async move {
                while let Ok(n) = local.recv_async().await {
                    count.set(count.get() + n);
                }
            })
            .unwrap();
        here.run();
        sends.into_iter().for_each(|s| s.join().unwrap());
        assert_eq!(own.get() + others.join().unwrap(), EACH * (EACH - 1));
    }
}

#[test]
fn locks_are_shared_between_tasks_goroutines_and_threads() {
    const ROUNDS: usize = 200;
    let tokio = tokio();
    let all = Arc::new((Mutex::new(0), RwLock::new(0), Semaphore::new(2)));
    let inside = Arc::new(AtomicUsize::new(0));
    let group = WaitGroup::new();
    for kind in 0..6 {
        let (all, inside, token) = (all.clone(), inside.clone(), group.token());
        let blocking = {
            let (all, inside) = (all.clone(), inside.clone());
            move || {
                for _ in 0..ROUNDS {
                    let mut count = all.0.lock();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "alone");
                    waterway::yield_now();
                    *count += 1;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(count);
                    let _permit = all.2.acquire(2);
                    *all.1.write() += 1;
                }
            }
        };
        match kind % 3 {
            0 => drop(go(move || {
                blocking();
                drop(token);
            })),
            1 => drop(thread::spawn(move || {
                blocking();
                drop(token);
            })),
            _ => drop(tokio.spawn(async move {
                for _ in 0..ROUNDS {
                    let mut count = all.0.lock_async().await;
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "alone");
                    tokio::task::yield_now().await;
                    *count += 1;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(count);
                    let _permit = all.2.acquire_async(1).await;
                    *all.1.write_async().await += 1;
                }
                drop(token);
            })),
        }
    }
    tokio.block_on(group.wait_async());
    assert_eq!(*all.0.lock(), 6 * ROUNDS);
    assert_eq!(*all.1.read(), 6 * ROUNDS);
    assert_eq!(all.2.available(), 2);
}

/// What a cancelled branch waited for is left to others, whenever it is cancelled.
#[test]
fn select_cancels_at_any_await() {
    const TASKS: usize = 8;
    let tokio = tokio();
    let lock = Arc::new(Mutex::new(0));
    let rw = Arc::new(RwLock::new(0));
    let semaphore = Semaphore::new(2);
    let (tx, rx) = chan::<usize>(0);
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let (lock, rw, semaphore, rx) = (lock.clone(), rw.clone(), semaphore.clone(), rx.clone());
        tasks.push(tokio.spawn(async move {
            let (mut locked, mut received) = (0, 0);
            for round in 0..100 {
                let patience = Duration::from_micros((task * 37 + round * 11) as u64 % 300);
                tokio::select! {
                    mut count = lock.lock_async() => {
                        *count += 1;
                        locked += 1;
                        tokio::task::yield_now().await;
                    }
                    got = rx.recv_async() => received += got.unwrap(),
                    () = tokio::time::sleep(patience) => {}
                    () = sleep_async(patience) => {}
                }
                tokio::select! {
                    biased;
                    _permit = semaphore.acquire_async(1 + round % 2) => {
                        tokio::select! {
                            _read = rw.read_async() => tokio::task::yield_now().await,
                            mut count = rw.write_async() => *count += 1,
                            () = tokio::time::sleep(patience) => {}
                        }
                    }
                    () = tokio::time::sleep(patience) => {}
                }
            }
            (locked, received)
        }));
    }
    drop(rx);
    let rivals: Vec<_> = (0..2)
        .map(|_| {
            let (lock, rw, semaphore) = (lock.clone(), rw.clone(), semaphore.clone());
            go(move || {
                for _ in 0..100 {
                    *lock.lock() += 1;
                    let _permit = semaphore.acquire(2);
                    drop(rw.read());
                    sleep(Duration::from_micros(50));
                }
            })
        })
        .collect();
    // As many as anybody cares to receive.
    let sender = go(move || (0..).take_while(|_| tx.send(1).is_ok()).count());
    let (mut locked, mut received) = (0, 0);
    for task in tasks {
        let (by_lock, by_channel) = tokio.block_on(task).unwrap();
        locked += by_lock;
        received += by_channel;
    }
    rivals.into_iter().for_each(|r| r.join().unwrap());
    assert_eq!(sender.join().unwrap(), received, "sent and received");
    assert_eq!(*lock.try_lock().expect("free in the end"), locked + 200);
    assert!(rw.try_write().is_some(), "free in the end");
    assert_eq!(semaphore.available(), 2);
}

#[test]
fn goroutines_and_threads_run_futures_of_tokio() {
    let tokio = tokio();
    let handle = tokio.handle().clone();
    let task = move || {
        let begin = Instant::now();
        let future = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let spawned = tokio::spawn(async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                20
            });
            let (tx, rx) = tokio::sync::oneshot::channel();
            tokio::spawn(async move { tx.send(22) });
            let late = tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>());
            assert!(late.await.is_err());
            spawned.await.unwrap() + rx.await.unwrap()
        };
        assert_eq!(block_on(within(handle.clone(), future)), 42);
        assert!(begin.elapsed() >= Duration::from_millis(10));
    };
    // Many on one worker: their contexts are entered and left in turns.
    let goroutines: Vec<_> = (0..20).map(|_| go(task.clone())).collect();
    let threads: Vec<_> = (0..2).map(|_| thread::spawn(task.clone())).collect();
    goroutines.into_iter().for_each(|g| g.join().unwrap());
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn tasks_await_goroutines_and_our_clock() {
    let tokio = tokio();
    let begin = Instant::now();
    tokio.block_on(async {
        let answer = go(|| {
            sleep(Duration::from_millis(2));
            42
        });
        assert_eq!(answer.await.unwrap(), 42);
        sleep_async(Duration::from_millis(3)).await;
        let ticker = Ticker::new(Duration::from_millis(1));
        for _ in 0..3 {
            ticker.channel().recv_async().await.unwrap();
        }
        let (_tx, rx) = chan::<u8>(0);
        let late = tokio::time::timeout(Duration::from_millis(2), rx.recv_async());
        assert!(late.await.is_err());
    });
    assert!(begin.elapsed() >= Duration::from_millis(10));
}

#[test]
fn receivers_are_streams_and_senders_are_sinks() {
    for (tx, rx) in flavours() {
        let (back, results) = chan(2);
        let squares = go(move || {
            let stream = rx.into_stream().map(|n| Ok(n * n));
            block_on(stream.forward(back.into_sink())).unwrap();
        });
        let collects = go(move || results.iter().collect::<Vec<_>>());
        let mut sink = tx.into_sink();
        block_on(async {
            sink.send_all(&mut stream::iter((0..EACH).map(Ok)))
                .await
                .unwrap();
            assert!(sink.sender().is_some());
            sink.close().await.unwrap();
            assert!(sink.sender().is_none(), "dropped, which closes the channel");
        });
        let mut all = collects.join().unwrap();
        all.sort_unstable();
        assert_eq!(all, (0..EACH).map(|n| n * n).collect::<Vec<_>>());
        squares.join().unwrap();
    }
}

#[test]
fn a_stream_that_is_cancelled_loses_nothing() {
    let (tx, rx) = chan(0);
    let sends = go(move || (0..EACH).for_each(|n| tx.send(n).unwrap()));
    let all = block_on(async {
        let mut stream = rx.into_stream();
        let mut all = Vec::new();
        loop {
            // Polled once and dropped, or ready.
            if let Some(next) = stream.next().now_or_never() {
                match next {
                    Some(n) => all.push(n),
                    None => break,
                }
            }
            waterway::yield_now();
        }
        all
    });
    assert_eq!(all, (0..EACH).collect::<Vec<_>>());
    sends.join().unwrap();
}

#[test]
fn a_sink_gives_its_value_back_when_the_channel_is_closed() {
    let (tx, rx) = chan::<usize>(0);
    let mut sink = tx.into_sink();
    // The channel has no room: feeding the second waits for the first.
    assert!(sink.feed(1).now_or_never().is_some());
    assert!(sink.feed(2).now_or_never().is_none());
    drop(rx);
    let error = block_on(sink.flush()).unwrap_err();
    assert_eq!(error.into_inner(), 1);
    let error = block_on(sink.send(3)).unwrap_err();
    assert_eq!(error.into_inner(), 3);
}

#[test]
fn a_dropped_stream_passes_the_word_on() {
    let (tx, rx) = chan(1);
    let mut first = rx.clone().into_stream();
    let mut second = rx.into_stream();
    assert!(first.next().now_or_never().is_none());
    assert!(second.next().now_or_never().is_none());
    let sent = go(move || tx.send(5));
    sent.join().unwrap().unwrap();
    drop(first);
    assert_eq!(block_on(second.next()), Some(5));
}

/// `block_on` of tasks that themselves wait for goroutines, which wait for tasks.
#[test]
fn both_runtimes_wait_for_each_other() {
    let tokio = tokio();
    let handle = tokio.handle().clone();
    fn down(n: usize, handle: Handle) -> usize {
        if n == 0 {
            return 0;
        }
        let next = handle.clone();
        let task = handle.spawn(async move { go(move || down(n - 1, next)).await.unwrap() + 1 });
        block_on(task).unwrap()
    }
    assert_eq!(go(move || down(20, handle)).join().unwrap(), 20);
}

#[test]
fn poll_next_after_the_end_stays_at_the_end() {
    use futures::stream::FusedStream;
    let (tx, rx) = chan::<u8>(1);
    let mut stream = rx.into_stream();
    assert!(!stream.is_terminated());
    tx.send(1).unwrap();
    drop(tx);
    let rest = block_on(async {
        (
            stream.next().await,
            stream.next().await,
            stream.next().await,
        )
    });
    assert_eq!(rest, (Some(1), None, None));
    assert!(stream.is_terminated());
}

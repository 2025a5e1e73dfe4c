//! Starting, switching, sleeping, in small and great numbers.

use std::pin::Pin;
use std::time::{Duration, Instant};

use race::{Clock, Lateness, Memory, Run, sleep_times};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::{Group, all};

/// Batches of 1,000.
pub async fn spawn_join(n: usize) {
    for _ in 0..n / 1000 {
        all(1000, |_| async {}).await;
    }
}

/// All at once, in a young process and once more.
pub async fn spawn_burst(run: Run) {
    for metric in ["first time", "second time"] {
        let clock = Clock::start();
        all(run.n, |_| async {}).await;
        clock.stop().per_op(metric, run.n);
    }
    race::peak();
}

pub async fn yield1(n: usize) {
    for _ in 0..n {
        yield_now().await;
    }
}

pub async fn yield1000(n: usize) {
    all(1000, |_| yield1(n / 1000)).await;
}

/// A tree of tasks, ten children each, whose leaves send their number up; each node adds.
pub async fn skynet(run: Run) {
    let n = run.n as u64;
    for metric in ["first time", "later time"] {
        let clock = Clock::start();
        let (tx, mut rx) = mpsc::channel(1);
        tokio::spawn(node(tx, 0, n));
        let sum = rx.recv().await;
        clock.stop().ms(metric);
        assert_eq!(sum, Some(n * (n - 1) / 2));
    }
    race::peak();
}

type Node<T> = Pin<Box<dyn Future<Output = T> + Send>>;

fn node(up: mpsc::Sender<u64>, first: u64, leaves: u64) -> Node<()> {
    Box::pin(async move {
        let mut sum = first;
        if leaves > 1 {
            let (tx, mut rx) = mpsc::channel(1);
            for i in 0..10 {
                tokio::spawn(node(tx.clone(), first + i * (leaves / 10), leaves / 10));
            }
            sum = 0;
            for _ in 0..10 {
                sum += rx.recv().await.expect("ten send");
            }
        }
        // The root's parent is there, and so is every other's.
        let _: Result<(), _> = up.send(sum).await;
    })
}

/// The same, without channels.
pub async fn skynet_handles(run: Run) {
    let n = run.n as u64;
    for metric in ["first time", "later time"] {
        let clock = Clock::start();
        let sum = tokio::spawn(branch(0, n)).await.expect("no panic");
        clock.stop().ms(metric);
        assert_eq!(sum, n * (n - 1) / 2);
    }
    race::peak();
}

fn branch(first: u64, leaves: u64) -> Node<u64> {
    Box::pin(async move {
        if leaves == 1 {
            return first;
        }
        let children = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
            .map(|i| tokio::spawn(branch(first + i * (leaves / 10), leaves / 10)));
        let mut sum = 0;
        for child in children {
            sum += child.await.expect("no panic");
        }
        sum
    })
}

/// Tasks that all wait on one channel, until it closes.
pub async fn parked(run: Run) {
    let before = Memory::now();
    let (tx, rx) = async_channel::bounded::<()>(1);
    let (born, gone) = (Group::new(run.n), Group::new(run.n));
    let clock = Clock::start();
    for _ in 0..run.n {
        let (rx, born, gone) = (rx.clone(), born.clone(), gone.clone());
        tokio::spawn(async move {
            born.done();
            let _: Result<(), _> = rx.recv().await;
            gone.done();
        });
    }
    born.wait().await;
    clock.stop().per_op("time to make each", run.n);
    sleep(Duration::from_millis(50)).await; // the last are on their way into the channel
    before.grown_each(run.n);
    let clock = Clock::start();
    drop(tx);
    gone.wait().await;
    clock.stop().per_op("time to wake and end each", run.n);
}

pub async fn timers(run: Run) {
    let clock = Clock::start();
    let (tx, mut rx) = mpsc::channel(1024);
    for i in 0..run.n {
        let tx = tx.clone();
        tokio::spawn(async move {
            let time = sleep_times(i, run.n, Duration::from_secs(1));
            let due = Instant::now() + time;
            sleep(time).await;
            tx.send(due.elapsed()).await.expect("all are received");
        });
    }
    drop(tx);
    let mut late = Vec::with_capacity(run.n);
    while let Some(each) = rx.recv().await {
        late.push(each);
    }
    clock.stop().ms("time");
    Lateness::of(late).tell();
}

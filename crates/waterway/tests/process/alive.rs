//! Programs that look stuck, and go on: what wakes somebody in the end is not a goroutine that can be seen to move.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use waterway::time::sleep;
use waterway::{block_on, blocking, go};

use super::never_done;

/// A thread that the runtime does not know may wake somebody: it does, after a while.
pub fn foreign_thread() {
    let group = never_done();
    let other = group.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        other.done();
    });
    go(move || group.wait()).join().unwrap();
}

pub fn sleeper() {
    let group = never_done();
    let other = group.clone();
    drop(go(move || {
        sleep(Duration::from_millis(300));
        other.done();
    }));
    group.wait();
}

/// A goroutine waits for a task of tokio, which waits for tokio's clock.
pub fn task_elsewhere() {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let task = tokio.spawn(async { tokio::time::sleep(Duration::from_millis(300)).await });
    go(|| block_on(task).unwrap()).join().unwrap();
}

pub fn blocking_job() {
    let group = never_done();
    let other = group.clone();
    drop(go(move || {
        blocking(|| std::thread::sleep(Duration::from_millis(300)));
        other.done();
    }));
    group.wait();
}

/// Main is outside of the runtime while a goroutine is stuck: no verdict.
pub fn main() {
    let group = never_done();
    drop(go(move || group.wait()));
    std::thread::sleep(Duration::from_millis(300));
}

/// Main waits for a while by std's means, and goes on.
pub fn std_timeout() {
    let (group, (_give, take)) = (never_done(), std::sync::mpsc::channel::<()>());
    let other = group.clone();
    let waits = go(move || other.wait());
    take.recv_timeout(Duration::from_millis(300)).unwrap_err();
    group.done();
    waits.join().unwrap();
}

/// Main sleeps for ever, but for a signal whose handler wakes it.
pub fn signal_handler() {
    static MAIN: OnceLock<std::thread::Thread> = OnceLock::new();
    static RANG: AtomicBool = AtomicBool::new(false);
    extern "C" fn ring(_: libc::c_int) {
        RANG.store(true, Ordering::SeqCst);
        MAIN.get().unwrap().unpark();
    }
    MAIN.set(std::thread::current()).unwrap();
    // SAFETY: the handler stores to an atomic and wakes a futex.
    unsafe {
        libc::signal(libc::SIGALRM, ring as *const () as libc::sighandler_t);
        libc::alarm(1);
    }
    let group = never_done();
    let other = group.clone();
    let waits = go(move || other.wait());
    while !RANG.load(Ordering::SeqCst) {
        std::thread::park();
    }
    group.done();
    waits.join().unwrap();
}

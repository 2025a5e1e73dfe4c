//! What the child processes of `children` run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use waterway::{Builder, RecvTimeoutError, blocking, chan, go, num_goroutines, scope, yield_now};

use crate::LONG;
use crate::traffic::{By, exchange};

pub fn run(program: &str) {
    match program {
        "traffic" => traffic(),
        "fair" => crate::fair::run(),
        "little_memory" => little_memory(),
        "no_threads_at_start" => no_threads_at_start(),
        "few_threads_at_start" => few_threads_at_start(),
        "no_more_threads" => no_more_threads(),
        other => panic!("no program {other:?}"),
    }
    println!("done");
}

fn traffic() {
    let kinds = [By::Goroutine, By::Select, By::Task, By::Thread, By::Timed];
    let receivers = [kinds, kinds].concat();
    println!("ready");
    for round in 0..20 {
        let capacities = [[0, 1], [3, 64]][round % 2];
        exchange(capacities, &kinds, &receivers, 500);
    }
}

fn limit(resource: Resource, to: u64) {
    let limit = Rlimit {
        current: Some(to),
        maximum: Some(to),
    };
    setrlimit(resource, limit).unwrap();
}

/// Address space for a few hundred stacks; ten thousand goroutines take turns.
fn little_memory() {
    limit(Resource::As, 2 << 30);
    let handles: Vec<_> = (0..10_000u64)
        .map(|n| {
            go(move || {
                yield_now();
                n
            })
        })
        .collect();
    let sum: u64 = handles.into_iter().map(|h| h.join().unwrap()).sum();
    assert_eq!(sum, 9_999 * 10_000 / 2);
    exchange([0, 8], &[By::Goroutine, By::Thread], &[By::Select; 2], 1000);
}

/// The limit on threads does not bind root: become nobody.
fn become_nobody() {
    // SAFETY: plain system calls.
    unsafe {
        if libc::geteuid() == 0 {
            assert_eq!(libc::setgid(65534), 0);
            assert_eq!(libc::setuid(65534), 0);
        }
    }
}

fn no_threads_allowed() {
    become_nobody();
    limit(Resource::Nproc, 0);
}

fn refused(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

fn no_threads_at_start() {
    no_threads_allowed();
    for _ in 0..2 {
        let text = refused(|| drop(go(|| ())));
        assert!(
            text.contains("first worker thread") && text.contains("ulimit -u"),
            "{text}"
        );
    }
    let text = refused(|| scope(|s| drop(s.go(|| ()))));
    assert!(text.contains("first worker thread"), "{text}");
}

/// Some workers can be started, and not the others.
fn few_threads_at_start() {
    become_nobody();
    let maximum = getrlimit(Resource::Nproc).maximum;
    // The limit is on all threads of a user, who may have others: it is raised until the first worker can be started.
    for allowed in 1.. {
        let current = Some(allowed);
        setrlimit(Resource::Nproc, Rlimit { current, maximum }).unwrap();
        if catch_unwind(|| drop(go(|| ()))).is_ok() {
            break;
        }
    }
    for _ in 0..200 {
        let handles: Vec<_> = (0..16).map(|n| go(move || n)).collect();
        assert_eq!(
            handles.into_iter().map(|h| h.join().unwrap()).sum::<i32>(),
            120
        );
    }
}

/// The runtime runs; then no thread can be started any more.
fn no_more_threads() {
    go(|| ()).join().unwrap();
    no_threads_allowed();
    let before = num_goroutines();
    // It runs on the worker instead.
    assert_eq!(go(|| blocking(|| 7)).join().unwrap(), 7);
    let (tx, rx) = chan::<()>(0);
    let text = refused(|| drop(Builder::new().dedicated().go(move || drop(tx))));
    assert!(
        text.contains("dedicated") && text.contains("ulimit -u"),
        "{text}"
    );
    // Nothing is left of it: what it was given has been dropped, and it does not count.
    assert_eq!(
        rx.recv_timeout(LONG / 2),
        Err(RecvTimeoutError::Disconnected)
    );
    assert_eq!(num_goroutines(), before);
    let text = refused(|| scope(|s| drop(s.go_with(Builder::new().dedicated(), || ()))));
    assert!(text.contains("dedicated"), "{text}");
    held_without_spares();
}

/// Workers that are held get no spares, and come back.
fn held_without_spares() {
    let (tx, rx) = chan(0);
    for n in 0..8 {
        let tx = tx.clone();
        drop(go(move || {
            std::thread::sleep(Duration::from_millis(30));
            tx.send(n).unwrap();
        }));
    }
    drop(tx);
    assert_eq!(rx.iter().sum::<i32>(), 28);
    let sent = exchange([0, 8], &[By::Goroutine; 3], &[By::Select; 2], 1000);
    assert_eq!(sent, 3000);
}

//! What a snapshot tells, and that nobody is stopped for it.

#[path = "attack/limits.rs"]
mod limits;
#[path = "snapshot/objects.rs"]
mod objects;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use limits::SOON;
use waterway::watch::data::{Goroutine, ObjectId, State, Target};
use waterway::watch::{Dump, Snapshot, snapshot};
use waterway::{Builder, JoinHandle, chan, go};

/// Starts a goroutine of that name, and waits until a snapshot says that it waits.
fn blocked<T: Send + 'static>(
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> (JoinHandle<T>, Snapshot) {
    let handle = Builder::new().name(name).go(f);
    let id = handle.id();
    let snapshot = until(|all| all.goroutine(id).is_some_and(|g| g.state == State::Waiting));
    (handle, snapshot)
}

/// The first snapshot in which it is so.
#[track_caller]
fn until(holds: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let end = Instant::now() + SOON;
    loop {
        let all = snapshot();
        if holds(&all) {
            return all;
        }
        assert!(Instant::now() < end, "it never came to that:\n{all}");
        std::thread::yield_now();
    }
}

#[track_caller]
fn on(goroutine: &Goroutine) -> ObjectId {
    match goroutine.wait.as_ref().expect("it waits").on {
        Target::Object(object) => object,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn who_waits_and_who_started_whom_is_told_of_all_kinds() {
    let (stop, stopped) = chan::<()>(0);
    let parent = {
        let stopped = stopped.clone();
        Builder::new().name("parent").go(move || {
            let child = go(move || {
                let _ = stopped.recv();
            });
            child.join().unwrap();
        })
    };
    let (own, ran) = (stopped.clone(), Arc::new(AtomicBool::new(false)));
    let dedicated = {
        let ran = ran.clone();
        Builder::new().name("alone").dedicated().go(move || {
            while !ran.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
            let _ = own.recv();
        })
    };
    // It has never waited, so it runs.
    until(|all| {
        let alone = all.goroutine(dedicated.id());
        alone.is_some_and(|g| g.state == State::Running)
    });
    ran.store(true, Ordering::Relaxed);
    let id = parent.id();
    // A snapshot may have looked for the child just before it was made, and for who joins it after.
    let waits = |all: &Snapshot, id| all.goroutine(id).is_some_and(|g| g.state == State::Waiting);
    let child = |all: &Snapshot| match all.goroutine(id)?.wait.as_ref()?.on {
        Target::Goroutine(child) => all.goroutine(child).cloned(),
        _ => panic!("it joins:\n{all}"),
    };
    let all = until(|all| waits(all, id) && waits(all, dedicated.id()) && child(all).is_some());
    assert_eq!(child(&all).unwrap().spawned_by, Some(id));
    assert!(all.goroutine(dedicated.id()).unwrap().own_thread.is_some());
    let text = all.to_string();
    assert!(
        text.contains("\"alone\" [own thread, chan receive, "),
        "{text}"
    );
    drop(stop);
    parent.join().unwrap();
    dedicated.join().unwrap();
}

#[test]
fn a_worker_asleep_in_the_kernel_is_told() {
    let (mut theirs, ours) = std::io::pipe().unwrap();
    let reads = go(move || std::io::Read::read(&mut theirs, &mut [0]).unwrap());
    let id = reads.id();
    let all = until(|all| {
        let asleep = all
            .goroutine(id)
            .is_some_and(|g| g.state == State::AsleepInKernel);
        asleep
            && all
                .workers
                .iter()
                .any(|w| w.running == Some(id) && w.held_ns.is_some())
    });
    let text = all.to_string();
    assert!(
        text.contains(&format!("goroutine {id} [asleep in the kernel]:")),
        "{text}"
    );
    drop(ours);
    assert_eq!(reads.join().unwrap(), 0);
}

#[inline(never)]
fn waits_far_below(depth: usize, rx: &waterway::Receiver<()>) -> usize {
    if depth == 0 {
        let _ = rx.recv();
        return 0;
    }
    std::hint::black_box(waits_far_below(depth - 1, rx)) + 1
}

/// The frames of a goroutine that waits are told, down to its own first one, and it does not run for that.
#[test]
fn backtraces_of_waiting_goroutines_are_told() {
    let (tx, rx) = chan::<()>(0);
    let (waits, _) = blocked("far below", move || waits_far_below(4, &rx));
    let mut text = Vec::new();
    let dump = Dump::new().backtraces(true);
    dump.write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let mine = text
        .split("\n\n")
        .find(|part| part.contains("\"far below\" "))
        .unwrap();
    assert_eq!(mine.matches("waits_far_below\n").count(), 5, "{mine}");
    // An inlined function has no path, but its types.
    let is_recv = |line: &str| line == "\t  recv" || line.starts_with("\t  recv<");
    assert!(
        mine.lines()
            .any(|line| is_recv(line) || line.ends_with(">::recv")),
        "the call that blocks: {mine}"
    );
    assert!(mine.contains("tests/snapshot.rs:"), "{mine}");
    assert!(
        !mine.contains("park_goroutine") && !mine.contains("suspend"),
        "{mine}"
    );
    assert!(!mine.contains("catch_unwind"), "{mine}");
    drop(tx);
    assert_eq!(waits.join().unwrap(), 4);
}

/// Goroutines park and go on all the time while their stacks are read: frames are whole, or none are told.
#[test]
fn stacks_are_read_while_their_goroutines_go_on() {
    let stop = Arc::new(AtomicBool::new(false));
    let turns = Arc::new(AtomicU64::new(0));
    let (ping, pong) = (chan::<()>(0), chan::<()>(0));
    let workers: Vec<_> = [(ping.0, pong.1), (pong.0, ping.1)]
        .into_iter()
        .map(|(tx, rx)| {
            let (stop, turns) = (stop.clone(), turns.clone());
            Builder::new().name("player").go(move || {
                while !stop.load(Ordering::Relaxed) {
                    waterway::select! {
                        send(tx, ()) -> sent => if sent.is_err() { break },
                        recv(rx) -> got => if got.is_err() { break },
                    }
                    turns.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut seen = 0;
    let end = Instant::now() + SOON;
    while seen < 20 && Instant::now() < end {
        let mut text = Vec::new();
        let dump = Dump::new().backtraces(true).grouped(false);
        dump.write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for player in text
            .split("\n\n")
            .filter(|part| part.contains("\"player\" ["))
        {
            if player.contains("\n\t  ") {
                assert!(player.contains("tests/snapshot.rs:"), "{player}");
                assert!(!player.contains("park_goroutine"), "{player}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 20, "only {seen} stacks were read");
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.join().unwrap();
    }
    assert!(turns.load(Ordering::Relaxed) > 0);
}

/// One that runs in the place of others that have ended is there by its own name.
#[test]
fn who_follows_others_is_seen_as_itself() {
    let looked = Arc::new(AtomicBool::new(false));
    let runs = Arc::new(AtomicBool::new(false));
    let (look, run) = (looked.clone(), runs.clone());
    go(move || {
        // The last ones go first.
        Builder::new().name("the follower").go(move || {
            run.store(true, Ordering::SeqCst);
            while !look.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        });
        for n in 0..20 {
            Builder::new()
                .name(format!("the one before, {n}"))
                .go(|| ());
        }
    });
    while !runs.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    let all = snapshot();
    looked.store(true, Ordering::SeqCst);
    let named = |name: &str| {
        let of = |g: &&Goroutine| g.name.as_deref().is_some_and(|n| n.starts_with(name));
        all.goroutines.iter().filter(of).count()
    };
    assert_eq!(named("the follower"), 1, "{all}");
}

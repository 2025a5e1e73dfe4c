//! What a snapshot tells, and that nobody is stopped for it.

#[path = "attack/limits.rs"]
mod limits;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use limits::SOON;
use waterway::flow::{Fixed, Gate};
use waterway::sync::{Condvar, Mutex, RwLock, Semaphore, WaitGroup};
use waterway::watch::data::{Goroutine, Holder, ObjectId, ObjectKind, State, Target, Who};
use waterway::watch::{Dump, Snapshot, snapshot};
use waterway::{Builder, Context, JoinHandle, chan, go};

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
fn a_channel_is_told_with_all_that_is_known_of_it() {
    let (tx, rx) = chan::builder::<u64>().name("crates").capacity(3).make();
    let made_at = line!() - 1;
    let more = tx.clone();
    for n in 0..5 {
        // Around the end of the ring.
        tx.send(n).unwrap();
        rx.recv().unwrap();
    }
    for n in 0..3 {
        tx.send(n).unwrap();
    }
    let (sender, all) = blocked("packer", move || more.send(9));
    let channel = all
        .channels
        .iter()
        .find(|c| c.name.as_deref() == Some("crates"));
    let channel = channel.expect("it is there");
    assert_eq!(
        (channel.made_at.line, &*channel.made_at.file),
        (made_at, file!())
    );
    assert_eq!((channel.capacity, channel.len), (Some(3), Some(3)));
    assert_eq!((channel.senders, channel.receivers), (2, 1));
    assert_eq!(channel.sending, [Who::Goroutine(sender.id())]);
    assert_eq!(channel.receiving, []);
    let packer = all.goroutine(sender.id()).unwrap();
    assert_eq!(on(packer).id, channel.id);
    assert_eq!(packer.name.as_deref(), Some("packer"));
    assert_eq!(packer.wait.as_ref().unwrap().reason, "chan send");
    let stack = packer.stack.unwrap();
    assert!(0 < stack.in_use && stack.in_use < stack.size, "{stack:?}");
    assert_eq!(rx.recv(), Ok(0));
    sender.join().unwrap().unwrap();

    let id = channel.id;
    drop((tx, rx));
    let all = snapshot();
    assert!(!all.channels.iter().any(|c| c.id == id), "it has gone");
}

#[test]
fn channels_without_waiters_are_there_with_their_lengths() {
    let (tx, rx) = chan::unbounded::<String>();
    let made_at = line!() - 1;
    let of_here = |all: &Snapshot| {
        let mut here = all
            .channels
            .iter()
            .filter(|c| c.made_at.line == made_at && c.made_at.file == file!());
        here.next().map(|c| (c.capacity, c.len))
    };
    assert_eq!(of_here(&snapshot()), Some((None, Some(0))));
    for n in 0..1000 {
        tx.send(n.to_string()).unwrap();
    }
    rx.recv().unwrap();
    assert_eq!(of_here(&snapshot()), Some((None, Some(999))));
    drop((tx, rx));
    assert_eq!(of_here(&snapshot()), None);
}

/// Rings of many capacities, after many values: the count that is read from outside is the channel's own.
#[test]
fn lengths_of_rings_are_right_wherever_they_stand() {
    for capacity in [1, 2, 3, 4, 5, 7, 8, 9, 100] {
        let name = format!("ring of {capacity}");
        let (tx, rx) = chan::builder::<usize>()
            .name(&name)
            .capacity(capacity)
            .make();
        let len = || {
            let all = snapshot();
            let mut here = all
                .channels
                .iter()
                .filter(|c| c.name.as_ref() == Some(&name));
            here.next().unwrap().len
        };
        for step in 0..3 * capacity {
            while tx.len() < (step % capacity) + 1 {
                tx.send(step).unwrap();
            }
            assert_eq!(len(), Some(tx.len()), "{name}, step {step}");
            while !rx.is_empty() && rx.len() > step % 2 {
                rx.recv().unwrap();
            }
            assert_eq!(len(), Some(rx.len()), "{name}, step {step}");
        }
    }
}

#[test]
fn a_lock_is_told_with_its_holder_and_where_it_was_locked() {
    let lock = Arc::new(Mutex::new(0));
    let (tell, told) = chan::<u32>(0);
    let (stop, stopped) = chan::<()>(0);
    let holds = {
        let lock = lock.clone();
        go(move || {
            let (_guard, line) = (lock.lock(), line!());
            tell.send(line).unwrap();
            let _ = stopped.recv();
        })
    };
    let line = told.recv().unwrap();
    let (waits, all) = blocked("queues for the lock", move || *lock.lock());
    let object = on(all.goroutine(waits.id()).unwrap());
    assert_eq!(object.kind, ObjectKind::Mutex);
    let found = all.locks.iter().find(|l| l.id == object.id).unwrap();
    assert_eq!(found.holder, Holder::One(Who::Goroutine(holds.id())));
    assert_eq!(found.locked_at.as_ref().unwrap().line, line);
    assert_eq!(found.waiters, [Who::Goroutine(waits.id())]);
    let text = all.to_string();
    let said = format!(
        "held by goroutine {} (locked at {}:{line}:",
        holds.id(),
        file!()
    );
    assert!(text.contains(&said), "no {said:?} in {text}");
    drop(stop);
    waits.join().unwrap();
}

#[test]
fn a_goroutine_that_holds_what_it_waits_for_is_told_so() {
    let lock: &'static Mutex<()> = Box::leak(Box::default());
    let guard = lock.lock();
    let (waits, all) = blocked("waits for this thread", || drop(lock.lock()));
    let text = all.to_string();
    let tid = rustix::thread::gettid().as_raw_nonzero();
    let said = format!("held by thread {tid} (locked at");
    assert!(text.contains(&said), "no {said:?} in {text}");
    drop(guard);
    waits.join().unwrap();

    let (_stuck, all) = blocked("locks twice", || {
        let _first = lock.lock();
        drop(lock.lock());
    });
    let text = all.to_string();
    assert!(text.contains("held by itself (locked at"), "{text}");
}

#[test]
fn counts_of_wait_groups_and_permits_are_told() {
    let group = WaitGroup::new();
    group.add(3);
    let other = group.clone();
    let (waits, all) = blocked("waits for three", move || other.wait());
    let object = on(all.goroutine(waits.id()).unwrap());
    let found = all.wait_groups.iter().find(|g| g.id == object.id).unwrap();
    assert_eq!(
        (found.count, &found.waiters[..]),
        (3, &[Who::Goroutine(waits.id())][..])
    );
    assert!(all.to_string().contains("(count 3), made at"));
    group.add(-3);
    waits.join().unwrap();

    let permits = Semaphore::new(4);
    let held = permits.acquire(3);
    let other = permits.clone();
    let (waits, all) = blocked("wants two", move || drop(other.acquire(2)));
    let object = on(all.goroutine(waits.id()).unwrap());
    let found = all.semaphores.iter().find(|s| s.id == object.id).unwrap();
    assert_eq!((found.free, found.total), (1, 4));
    let text = all.to_string();
    assert!(text.contains("(wants 2; 1 of 4 permits free), made at"));
    drop(held);
    waits.join().unwrap();
    let served = snapshot();
    let found = served
        .semaphores
        .iter()
        .find(|s| s.id == object.id)
        .unwrap();
    assert_eq!((found.free, found.total), (4, 4));
}

#[test]
fn a_gate_is_told_as_one() {
    let gate = Gate::builder().name("orders").limit(Fixed(2)).make();
    let inside = (gate.enter(), gate.enter());
    let other = gate.clone();
    let (waits, all) = blocked("wants in", move || drop(other.enter()));
    let goroutine = all.goroutine(waits.id()).unwrap();
    let object = on(goroutine);
    assert_eq!(object.kind, ObjectKind::Gate);
    assert_eq!(goroutine.wait.as_ref().unwrap().permits, Some(1));
    let found = all.semaphores.iter().find(|s| s.id == object.id).unwrap();
    assert_eq!((found.gate, found.free, found.total), (true, 0, 2));
    assert_eq!(found.waiters, [Who::Goroutine(waits.id())]);
    let line = format!(
        "\ton {object} \"orders\" (0 of 2 places free), made at {}:",
        file!()
    );
    assert!(all.to_string().contains(&line), "{all}");
    drop(inside);
    waits.join().unwrap();
    drop(gate);
    assert!(snapshot().semaphores.iter().all(|s| s.id != object.id));
}

/// What many of a crowd want is told if it is the same.
#[test]
fn permits_that_a_crowd_wants_are_told() {
    let permits = Semaphore::new(1);
    let ask = |count: usize| {
        let permits = permits.clone();
        let (handle, all) = blocked("of a crowd of askers", move || drop(permits.acquire(count)));
        (handle, all.to_string())
    };
    let same: Vec<_> = (0..10).map(|_| ask(2)).collect();
    assert!(same[9].1.contains("(wants 2; 1 of 1 permits free)"));
    let (other, text) = ask(3);
    assert!(text.contains(" (1 of 1 permits free)"), "{text}");
    permits.add_permits(2);
    other.join().unwrap();
    same.into_iter()
        .for_each(|(handle, _)| handle.join().unwrap());
}

#[test]
fn readers_and_conditions_are_told() {
    let lock = Arc::new(RwLock::new(0));
    let readers = (lock.read(), lock.read());
    let line = line!() - 1;
    let other = lock.clone();
    let (waits, all) = blocked("writes", move || *other.write() = 1);
    let object = on(all.goroutine(waits.id()).unwrap());
    let found = all.locks.iter().find(|l| l.id == object.id).unwrap();
    assert_eq!(found.holder, Holder::Readers(2));
    assert_eq!(found.locked_at.as_ref().map(|at| at.line), Some(line));
    let told = format!(", held by 2 readers (last locked at {}:{line}:", file!());
    assert!(all.to_string().contains(&told), "{all}");
    drop(readers);
    waits.join().unwrap();

    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = pair.clone();
    let (waits, all) = blocked("waits for a change", move || {
        let mut set = other.0.lock();
        while !*set {
            other.1.wait(&mut set);
        }
    });
    let object = on(all.goroutine(waits.id()).unwrap());
    assert_eq!(object.kind, ObjectKind::Condvar);
    let found = all.others.iter().find(|o| o.object == object).unwrap();
    assert_eq!(found.waiters, [Who::Goroutine(waits.id())]);
    *pair.0.lock() = true;
    pair.1.notify_all();
    waits.join().unwrap();
}

/// Who receives from `done()` waits for a context, and a limited wait says so too.
#[test]
fn the_end_of_a_context_is_shown_as_such() {
    let (ctx, guard) = Context::background().with_cancel();
    let done = ctx.done();
    let (waits, all) = blocked("waits for the end", move || done.recv().unwrap_err());
    let goroutine = all.goroutine(waits.id()).unwrap();
    assert_eq!(on(goroutine).kind, ObjectKind::Context);
    let (limited, all) = {
        let ctx = ctx.clone();
        let (_tx, rx) = chan::<u8>(0);
        blocked("limited", move || ctx.recv(&rx).unwrap_err())
    };
    let until = all
        .goroutine(limited.id())
        .unwrap()
        .wait
        .as_ref()
        .unwrap()
        .until;
    assert_eq!(until, Some(on(goroutine)), "both wait for one context");
    let text = all.to_string();
    let said = format!("\tuntil {} ends, made at {}:", on(goroutine), file!());
    assert!(text.contains(&said), "no {said:?} in {text}");
    guard.cancel();
    waits.join().unwrap();
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

/// A select tells all of its arms, and channels who waits on which side through one.
#[test]
fn the_arms_of_a_select_are_told() {
    let (tx, rx) = chan::builder::<u8>().name("to send to").make();
    let (other, from) = chan::builder::<u8>().name("to receive from").make();
    let (ctx, guard) = Context::background().with_cancel();
    let done = ctx.done();
    let (waits, all) = blocked("selects", move || {
        waterway::select! {
            send(tx, 1) -> sent => sent.is_ok(),
            recv(from) -> got => got.is_ok(),
            recv(done) -> _ => false,
        }
    });
    let arms = &all
        .goroutine(waits.id())
        .unwrap()
        .wait
        .as_ref()
        .unwrap()
        .arms;
    let channel = |name: &str| {
        all.channels
            .iter()
            .find(|c| c.name.as_deref() == Some(name))
            .unwrap()
    };
    let (sends, receives) = (channel("to send to"), channel("to receive from"));
    let told: Vec<_> = arms.iter().map(|arm| (arm.object.id, arm.sends)).collect();
    assert_eq!(told[..2], [(sends.id, true), (receives.id, false)]);
    assert_eq!(arms[2].object.kind, ObjectKind::Context);
    let who = [Who::Goroutine(waits.id())];
    assert_eq!(
        (&sends.sending[..], &sends.receiving[..]),
        (&who[..], &[][..])
    );
    assert_eq!(
        (&receives.sending[..], &receives.receiving[..]),
        (&[][..], &who[..])
    );
    let text = all.to_string();
    for line in [
        format!(
            "\tto send to channel {} \"to send to\" (capacity 0, ",
            sends.id
        ),
        format!(
            "\tto receive from channel {} \"to receive from\" (",
            receives.id
        ),
        format!("\tuntil {} ends, made at ", arms[2].object),
    ] {
        assert!(text.contains(&line), "no {line:?} in {text}");
    }
    guard.cancel();
    assert!(!waits.join().unwrap());
    drop((rx, other));

    // More than are told, of a plain thread.
    let many: Vec<_> = (0..20).map(|_| chan::<u8>(0)).collect();
    let stop = many[0].0.clone();
    let thread = std::thread::spawn(move || {
        let mut select = waterway::Select::new();
        for (_, rx) in &many {
            select.recv(rx);
        }
        let chosen = select.select();
        let index = chosen.index();
        chosen.recv(&many[index].1)
    });
    let all = until(|all| all.threads.iter().any(|t| t.wait.more_arms == 12));
    assert!(all.to_string().contains("\tand 12 arms more\n"));
    stop.send(1).unwrap();
    assert_eq!(thread.join().unwrap(), Ok(1));
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
    assert!(
        mine.contains("\n\t  recv\n") || mine.contains(">::recv\n"),
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

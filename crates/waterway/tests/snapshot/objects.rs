//! What a snapshot tells of channels, locks and the like, and of who waits on them.

use std::sync::Arc;

use waterway::flow::{Fixed, Gate};
use waterway::sync::{Condvar, Mutex, RwLock, Semaphore, WaitGroup};
use waterway::watch::data::{Holder, ObjectKind, Who};
use waterway::watch::{Snapshot, snapshot};
use waterway::{Context, chan, go};

use super::{blocked, on, until};

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

//! What looks wrong in a program that runs is told with figures, and what is healthy is not.

use std::fs::File;
use std::hint::black_box;
use std::os::fd::FromRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use waterway::sync::{Barrier, Mutex, RwLock};
use waterway::time::sleep;
use waterway::watch::{Suspect, SuspectKind, VerdictKind, dump, suspects, verdicts};
use waterway::{Builder, chan, go};

use crate::child::SOON;
use crate::cycles::{cross, lock};
use crate::watch::{Watch, named};

/// The first suspicion of that kind, `meanwhile` being called between looks.
#[track_caller]
fn first(kind: SuspectKind, mut meanwhile: impl FnMut()) -> Suspect {
    let end = Instant::now() + SOON;
    loop {
        if let Some(suspect) = suspects().into_iter().find(|s| s.kind == kind) {
            return suspect;
        }
        assert!(Instant::now() < end, "no {kind:?} among {:#?}", suspects());
        meanwhile();
    }
}

fn dumped() -> String {
    let mut text = Vec::new();
    dump(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// A cycle is suspected as long as some memory cannot be read, all the while, and then it is proved and no longer suspected.
pub fn memory_that_cannot_be_read() {
    let watch = Watch::new();
    let file = Beyond::map();
    cross(&lock(1), &lock(2), false);
    let suspect = first(SuspectKind::LockCycle, std::thread::yield_now);
    assert_eq!(suspect.unproved, "some memory cannot be read");
    let cycles = || suspects().iter().filter(|s| s.kind == suspect.kind).count();
    // Longer than until the next look, and the one after.
    let end = Instant::now() + Duration::from_millis(500);
    while Instant::now() < end {
        assert_eq!(cycles(), 1);
    }
    assert!(verdicts().is_empty());
    file.fill();
    watch.says(VerdictKind::LockCycle, &["a then b", "b then a"]);
    assert_eq!(cycles(), 0);
}

/// Mapped memory beyond the end of its file.
struct Beyond(File);

impl Beyond {
    fn map() -> Beyond {
        let flags = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new file, and a new mapping of it that nobody touches.
        unsafe {
            let file = libc::memfd_create(c"beyond".as_ptr(), 0);
            assert!(file >= 0);
            let at = libc::mmap(std::ptr::null_mut(), 4096, flags, libc::MAP_SHARED, file, 0);
            assert_ne!(at, libc::MAP_FAILED);
            Beyond(File::from_raw_fd(file))
        }
    }

    /// From now on it can be read.
    fn fill(&self) {
        self.0.set_len(4096).unwrap();
    }
}

/// Who has a lock to read nobody knows: the main thread, which looks for suspicions, might. When it waits, there is a proof.
pub fn readers_beside_a_stranger() {
    let watch = Watch::new();
    let locks = (Arc::new(RwLock::new(1)), Arc::new(RwLock::new(2)));
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("one", &locks.0, &locks.1), ("other", &locks.1, &locks.0)] {
        let (first, second, both) = (first.clone(), second.clone(), both.clone());
        named(name, move || {
            let read = first.read();
            both.wait();
            *second.write() += *read;
        });
    }
    let suspect = first(SuspectKind::LockCycle, std::thread::yield_now);
    let names: Vec<_> = suspect.parties.iter().map(|p| p.name.as_deref()).collect();
    assert!(names.contains(&Some("one")) && names.contains(&Some("other")));
    for party in &suspect.parties {
        assert_eq!(party.holds.len(), 1, "{suspect:#?}");
    }
    assert!(suspect.unproved.contains("thread"), "{suspect:#?}");
    assert!(verdicts().is_empty());
    watch.says(VerdictKind::LockCycle, &["one", "other"]);
    assert!(suspects().iter().all(|s| s.kind != suspect.kind));
}

pub fn growing_site() {
    let (pass, worker) = chan::<u32>(0);
    go(move || worker.iter().for_each(drop));
    let suspect = first(SuspectKind::GrowingSite, || {
        for _ in 0..20 {
            go(|| sleep(Duration::from_secs(10_000_000)));
            // As many, but they end.
            let pass = pass.clone();
            go(move || pass.send(1).unwrap());
        }
        sleep(Duration::from_millis(20));
    });
    let leak = line!() - 7;
    let site = suspect.site.clone().expect("it is about a site");
    assert_eq!((&*site.file, site.line), (file!(), leak));
    assert_eq!(suspect.parties, []);
    let facts = suspect.facts.join("\n");
    assert!(facts.contains(" a second\n"), "{facts}");
    assert!(facts.contains(" of them wait [sleep] at "), "{facts}");
    let growing = suspects().into_iter();
    let growing: Vec<Suspect> = growing
        .filter(|s| s.kind == SuspectKind::GrowingSite)
        .collect();
    assert_eq!(growing.len(), 1, "{growing:#?}");
    let dump = dumped();
    let told = format!(
        "\nsuspected: {}\n  spawned at {site}\n\t",
        suspect.kind.text()
    );
    assert!(dump.contains(&told), "{dump}");
}

pub fn held_worker() {
    let stop = Arc::new(AtomicBool::new(false));
    let spins = stop.clone();
    let spinner = Builder::new().name("spinner").go(move || {
        while !spins.load(Ordering::Relaxed) {
            black_box(());
        }
    });
    let suspect = first(SuspectKind::HeldWorker, || sleep(Duration::from_millis(20)));
    assert_eq!(suspect.parties[0].name.as_deref(), Some("spinner"));
    let fact = &suspect.facts[0];
    let told = fact.ends_with(", computing") || fact.contains(", computing; ");
    assert!(told, "{suspect:#?}");
    stop.store(true, Ordering::Relaxed);
    spinner.join().unwrap();
    while suspects().iter().any(|s| s.kind == SuspectKind::HeldWorker) {
        sleep(Duration::from_millis(1));
    }
}

pub fn lock_across_a_wait() {
    static LEDGER: Mutex<u32> = Mutex::new(1);
    let (back, waits) = chan::<()>(0);
    let (locked, held) = chan::<()>(1);
    let holder = Builder::new().name("holder").go(move || {
        let _ledger = LEDGER.lock();
        locked.send(()).unwrap();
        let _ = waits.recv();
    });
    held.recv().unwrap();
    let other = go(|| *LEDGER.lock());
    let suspect = first(SuspectKind::LockAcrossWait, || {
        sleep(Duration::from_millis(20));
    });
    let party = &suspect.parties[0];
    assert_eq!(party.name.as_deref(), Some("holder"));
    assert_eq!(party.holds.len(), 1);
    assert_eq!(party.waits.as_ref().unwrap().reason, "chan receive");
    assert!(
        suspect.facts[0].starts_with("1 wait for mutex "),
        "{suspect:#?}"
    );
    drop(back);
    holder.join().unwrap();
    assert_eq!(other.join().unwrap(), 1);
    let across = suspects().into_iter();
    let across = across.filter(|s| s.kind == SuspectKind::LockAcrossWait);
    assert_eq!(across.count(), 0);
}

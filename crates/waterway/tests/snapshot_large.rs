//! Snapshots of very many goroutines, and of workers that are held: others go on meanwhile. One test at a time: each looks at the
//! whole process.

#[path = "attack/limits.rs"]
mod limits;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use limits::SOON;
use waterway::watch::data::State;
use waterway::watch::{dump, snapshot};
use waterway::{Builder, Config, JoinHandle, Receiver, chan, go, yield_now};

static ALONE: Mutex<()> = Mutex::new(());

/// Small stacks, and the same number of workers wherever this runs. Nobody else is there meanwhile.
fn alone<R>(test: impl FnOnce() -> R) -> R {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Refused from the second test on: it is there already.
    let _ = Config::new().max_procs(2).stack_size(256 << 10).install();
    test()
}

/// So many goroutines that wait, until the channel is closed.
fn crowd(count: usize) -> (waterway::Sender<()>, Vec<JoinHandle<bool>>) {
    let (tx, rx) = chan(0);
    let (tell, told) = chan::<()>(0);
    let all = (0..count).map(|_| {
        let (rx, tell) = (rx.clone(), tell.clone());
        go(move || waits(&rx, tell))
    });
    let all = all.collect();
    drop(tell);
    assert!(told.recv().is_err(), "all have begun");
    (tx, all)
}

fn waits(rx: &Receiver<()>, told: waterway::Sender<()>) -> bool {
    drop(told);
    rx.recv().is_ok()
}

/// Goroutines that switch, begin and end all the time; what they have done is counted.
struct Busy {
    stop: Arc<AtomicBool>,
    turns: Arc<AtomicU64>,
    births: Arc<AtomicU64>,
    all: Vec<JoinHandle<()>>,
}

impl Busy {
    fn start() -> Busy {
        let (stop, turns, births) = <(Arc<AtomicBool>, Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let all = (0..4).map(|n| {
            let (stop, turns, births) = (stop.clone(), turns.clone(), births.clone());
            Builder::new().name("busy").go(move || {
                while !stop.load(Ordering::Relaxed) {
                    if n % 2 == 0 {
                        go(|| ()).join().unwrap();
                        births.fetch_add(1, Ordering::Relaxed);
                    }
                    turns.fetch_add(1, Ordering::Relaxed);
                    yield_now();
                }
            })
        });
        let all = all.collect();
        Busy {
            stop,
            turns,
            births,
            all,
        }
    }

    fn done(&self) -> (u64, u64) {
        (
            self.turns.load(Ordering::Relaxed),
            self.births.load(Ordering::Relaxed),
        )
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.all.into_iter().for_each(|h| h.join().unwrap());
    }
}

/// Guards by mprotect take two mappings a stack, of which a process has 65,530.
const MANY: usize = 25_000;

#[test]
fn tens_of_thousands_are_seen_while_the_workers_are_busy() {
    alone(|| {
        let (tx, all) = crowd(MANY);
        let busy = Busy::start();
        let before = busy.done();
        while busy.done().1 < before.1 + 10 {
            yield_now();
        }
        let before = busy.done();
        let seen = snapshot();
        let after = busy.done();
        let waiting = seen
            .goroutines
            .iter()
            .filter(|g| g.state == State::Waiting && g.spawned_at.file == file!());
        assert!(waiting.count() >= MANY);
        // In order, so each is there once.
        assert!(seen.goroutines.windows(2).all(|two| two[0].id < two[1].id));
        // It takes at least as long as thousands of turns, and stops nobody: a few are enough on any machine.
        assert!(
            after.0 >= before.0 + 20,
            "{before:?} turns before, {after:?} after"
        );
        assert!(
            after.1 >= before.1 + 10,
            "{before:?} births before, {after:?} after"
        );
        let mut text = Vec::new();
        dump(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let together = format!("\n{MANY} goroutines [chan receive, ");
        assert!(
            text.contains(&together),
            "{}",
            &text[..text.len().min(3000)]
        );
        assert!(text.len() < 10_000, "{} bytes", text.len());
        busy.end();
        drop(tx);
        assert!(all.into_iter().all(|handle| !handle.join().unwrap()));
    });
}

#[test]
fn a_dump_can_be_made_while_every_worker_is_held() {
    alone(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let holders: Vec<_> = (0..2)
            .map(|_| {
                let stop = stop.clone();
                Builder::new().name("holder").go(move || {
                    let mut n = 0u64;
                    while !stop.load(Ordering::Relaxed) {
                        n = black_box(n + 1);
                    }
                })
            })
            .collect();
        let end = Instant::now() + SOON;
        let seen = loop {
            let seen = snapshot();
            let held = seen.workers.iter().filter(|w| w.held_ns.is_some());
            if held.count() >= 2 || Instant::now() > end {
                break seen;
            }
        };
        for holder in &holders {
            let id = holder.id();
            let by = seen.workers.iter().find(|w| w.running == Some(id));
            let by = by.unwrap_or_else(|| panic!("nobody runs {id}: {:?}", seen.workers));
            assert!(by.held_ns.is_some_and(|ns| ns > 10_000_000), "{by:?}");
            let text = seen.to_string();
            assert!(
                text.contains(&format!("goroutine {id} \"holder\" [running]:")),
                "{text}"
            );
            let held = format!("worker {} has been held for ", by.index);
            assert!(
                text.contains(&held) && text.contains(&format!("s by goroutine {id}\n")),
                "{text}"
            );
        }
        stop.store(true, Ordering::Relaxed);
        holders.into_iter().for_each(|h| h.join().unwrap());
    });
}

/// Figures, for who asks: how long a snapshot of many takes, and the longest that a goroutine was kept from beginning or ending.
#[test]
#[ignore = "a measurement: run it alone, with --release and --nocapture"]
fn how_long_it_takes() {
    alone(|| {
        let (tx, all) = crowd(100_000);
        let stop = Arc::new(AtomicBool::new(false));
        let longest = Arc::new(AtomicU64::new(0));
        let probe = {
            let (stop, longest) = (stop.clone(), longest.clone());
            go(move || {
                while !stop.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    go(|| ()).join().unwrap();
                    let took = start.elapsed().as_micros() as u64;
                    longest.fetch_max(took, Ordering::Relaxed);
                }
            })
        };
        std::thread::sleep(Duration::from_millis(300));
        let alone = longest.swap(0, Ordering::Relaxed);
        let start = Instant::now();
        let seen = snapshot();
        let took = start.elapsed();
        let beside = longest.swap(0, Ordering::Relaxed);
        let start = Instant::now();
        let text = seen.to_string();
        let told = start.elapsed();
        let start = Instant::now();
        let mut backtraces = Vec::new();
        let all_frames = waterway::watch::Dump::new().backtraces(true);
        all_frames.write(&mut backtraces).unwrap();
        let unwound = start.elapsed();
        println!(
            "{} goroutines: snapshot {took:?}, its words ({} bytes) {told:?}, with backtraces {unwound:?}; longest birth and end \
             without a snapshot {alone} us, beside one {beside} us",
            seen.goroutines.len(),
            text.len()
        );
        stop.store(true, Ordering::Relaxed);
        probe.join().unwrap();
        drop(tx);
        all.into_iter().for_each(|h| drop(h.join()));
    });
}

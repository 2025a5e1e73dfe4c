//! All of `sync` at once, from goroutines, threads and async tasks, with time-outs and contexts that end at random.
//!
//! Ten minutes of it: `WATERWAY_STRESS=600 cargo test --release -p waterway --test stress -- --ignored --nocapture everything`.
//! `WATERWAY_SEED`, which it prints, makes the same choices again; how the threads run is the machine's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use waterway::sync::{Barrier, Condvar, Mutex, Once, OnceLock, WaitGroup};
use waterway::{Builder, Context, block_on, go, yield_now};

use crate::locks::{self, Random};
use crate::{LONG, SHORT, repeat, within};

/// Starts actor `number` as a goroutine, a thread, or a goroutine with a thread of its own, in turn.
fn start(number: usize, group: &WaitGroup, work: impl FnOnce() + Send + 'static) {
    let token = group.token();
    let work = move || {
        let _token = token;
        work();
    };
    match number % 3 {
        0 => drop(go(work)),
        1 => drop(thread::spawn(work)),
        _ => drop(Builder::new().dedicated().go(work)),
    }
}

fn random(seed: u64, actor: usize) -> Random {
    Random::new(seed.wrapping_mul(64) + actor as u64)
}

/// A store of goods behind a mutex and a condition variable.
#[derive(Default)]
struct Goods {
    here: Mutex<(usize, bool)>,
    more: Condvar,
    taken: AtomicUsize,
}

impl Goods {
    /// Takes one, waiting as it happens to; false if there is none in time, or all is over.
    fn take(&self, random: &mut Random) -> bool {
        let mut here = self.here.lock();
        match random.below(4) {
            0 => {
                let patience = random.patience();
                self.more
                    .wait_timeout_while(&mut here, patience, |h| h.0 == 0 && !h.1);
            }
            1 => {
                let (context, _guard) = Context::background().with_timeout(random.patience());
                let _ = context.wait_while(&self.more, &mut here, |h| h.0 == 0 && !h.1);
            }
            _ => self.more.wait_while(&mut here, |h| h.0 == 0 && !h.1),
        }
        let some = here.0 > 0;
        if some {
            here.0 -= 1;
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
        some
    }
}

/// Two bring, four take: what was brought was taken, and nobody sleeps beside goods.
fn goods(seed: u64, steps: usize) {
    let goods = Arc::new(Goods::default());
    let (bring, take) = (WaitGroup::new(), WaitGroup::new());
    for actor in 0..6 {
        let (goods, mut random) = (goods.clone(), random(seed, actor));
        if actor < 2 {
            start(actor, &bring, move || {
                for _ in 0..steps {
                    goods.here.lock().0 += 1;
                    goods.more.notify_one();
                    if random.below(8) == 0 {
                        yield_now();
                    }
                }
            });
        } else {
            start(actor, &take, move || {
                while goods.take(&mut random) || !goods.here.lock().1 {}
            });
        }
    }
    bring.wait();
    goods.here.lock().1 = true;
    goods.more.notify_all();
    take.wait();
    let left = goods.here.lock().0;
    assert_eq!(goods.taken.load(Ordering::Relaxed) + left, 2 * steps);
    assert_eq!(left, 0, "they take as long as there is something");
}

/// Six come for each of many things that happen once, of which some panic first.
fn once(seed: u64, things: usize) {
    struct Thing {
        call: Once,
        value: OnceLock<usize>,
        calls: [AtomicUsize; 2],
    }
    let things: Arc<Vec<Thing>> = Arc::new(
        (0..things)
            .map(|_| Thing {
                call: Once::new(),
                value: OnceLock::new(),
                calls: Default::default(),
            })
            .collect(),
    );
    let group = WaitGroup::new();
    for actor in 0..6 {
        let (things, mut random) = (things.clone(), random(seed, 10 + actor));
        start(actor, &group, move || {
            for (number, thing) in things.iter().enumerate() {
                let fails = random.below(4) == 0;
                let act = |calls: &AtomicUsize| {
                    yield_now();
                    if fails {
                        std::panic::resume_unwind(Box::new("this one fails"));
                    }
                    calls.fetch_add(1, Ordering::SeqCst);
                };
                let called = catch_unwind(AssertUnwindSafe(|| {
                    thing.call.call_once(|| act(&thing.calls[0]));
                }));
                assert!(called.is_err() || thing.call.is_completed());
                let made = catch_unwind(AssertUnwindSafe(|| {
                    *thing.value.get_or_init(|| {
                        act(&thing.calls[1]);
                        number
                    })
                }));
                assert!(made.is_err() || made.unwrap() == number);
            }
        });
    }
    group.wait();
    for thing in things.iter() {
        let calls = thing.calls.each_ref().map(|c| c.load(Ordering::SeqCst));
        let done = [thing.call.is_completed(), thing.value.get().is_some()];
        assert_eq!(calls, done.map(usize::from), "once, if at all");
    }
}

/// Three meet again and again: nobody is ahead by more than one round, and one of each round leads.
fn meet(seed: u64, rounds: usize) {
    let (barrier, group) = (Arc::new(Barrier::new(3)), WaitGroup::new());
    let at = Arc::new([const { AtomicUsize::new(0) }; 3]);
    let leaders = Arc::new(AtomicUsize::new(0));
    for actor in 0..3 {
        let (barrier, at, leaders) = (barrier.clone(), at.clone(), leaders.clone());
        let mut random = random(seed, 20 + actor);
        start(actor, &group, move || {
            for round in 0..rounds {
                at[actor].store(round, Ordering::SeqCst);
                if random.below(4) == 0 {
                    yield_now();
                }
                let leads = barrier.wait().is_leader();
                leaders.fetch_add(usize::from(leads), Ordering::SeqCst);
                let others = at.iter().map(|a| a.load(Ordering::SeqCst));
                others.for_each(|other| assert!((round..=round + 1).contains(&other)));
            }
        });
    }
    group.wait();
    assert_eq!(leaders.load(Ordering::SeqCst), rounds);
}

/// One group is used wave after wave; three wait for each wave, in every way.
fn waves(seed: u64, waves: usize) {
    let mut random = random(seed, 30);
    let group = WaitGroup::new();
    for wave in 0..waves {
        let done = Arc::new(AtomicUsize::new(0));
        let members = 1 + random.below(4) as usize;
        group.add(members as isize);
        let waiters: Vec<_> = (0..3)
            .map(|kind| {
                let (group, done) = (group.clone(), done.clone());
                let patience = random.patience();
                go(move || {
                    let over = match kind {
                        0 => group.wait_timeout(patience),
                        1 => {
                            let (context, _guard) = Context::background().with_timeout(patience);
                            context.wait(&group).is_ok()
                        }
                        _ => {
                            block_on(group.wait_async());
                            true
                        }
                    };
                    assert!(!over || done.load(Ordering::SeqCst) == members);
                })
            })
            .collect();
        for member in 0..members {
            let (group, done) = (group.clone(), done.clone());
            let work = move || {
                done.fetch_add(1, Ordering::SeqCst);
                group.done();
            };
            match (member + wave) % 8 {
                0 => drop(thread::spawn(work)),
                _ => drop(go(work)),
            }
        }
        group.wait();
        assert_eq!(done.load(Ordering::SeqCst), members);
        waiters.into_iter().for_each(|w| w.join().unwrap());
    }
}

/// All of them beside each other.
fn round(seed: u64, steps: usize) {
    type Kind = (&'static str, fn(u64, usize));
    let kinds: [Kind; 5] = [
        ("locks", locks::round),
        ("goods", goods),
        ("once", once),
        ("meet", meet),
        ("waves", waves),
    ];
    let all: Vec<_> = kinds
        .map(|(name, kind)| (name, go(move || kind(seed, steps))))
        .into();
    for (name, handle) in all {
        if let Err(panic) = handle.join() {
            let said = panic.downcast_ref::<String>().cloned();
            panic!("{name} with seed {seed}: {said:?}");
        }
    }
}

#[test]
fn everything_waits_and_gives_up() {
    let seed = locks::seed();
    within(LONG, move || {
        repeat(SHORT, |number| round(seed + number as u64, 60));
    });
}

#[test]
#[ignore = "long: ten minutes, or WATERWAY_STRESS seconds"]
fn everything_for_ten_minutes() {
    let seed = locks::seed();
    let seconds = std::env::var("WATERWAY_STRESS").ok();
    let seconds = seconds.map_or(600, |s| s.parse().expect("WATERWAY_STRESS: seconds"));
    within(Duration::from_secs(seconds) + LONG, move || {
        repeat(Duration::from_secs(seconds), |number| {
            round(seed + number as u64, 600)
        });
    });
}

//! Locks and permits among goroutines, threads and tasks, which give up at random: with time-outs, and by dropping futures
//! that wait or have been told, and contexts that end. The long version is `everything`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use waterway::sync::{Mutex, RwLock, Semaphore, WaitGroup};
use waterway::{Context, block_on, go, yield_now};

use crate::{LONG, SHORT, repeat, within};

const PERMITS: usize = 3;
const WRITER: usize = 1000;

/// What all share, and who is inside of what.
struct Shared {
    mutex: Mutex<usize>,
    rw: RwLock<usize>,
    semaphore: Semaphore,
    inside: [AtomicUsize; 3],
}

/// A small generator; an actor's choices depend on its seed alone.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    pub fn patience(&mut self) -> Duration {
        Duration::from_micros(self.below(200))
    }
}

/// Polls, waits a little, and drops the future, whatever it was told meanwhile.
fn touch(future: impl Future, rounds: u64) {
    let mut future = pin!(future);
    let mut cx = std::task::Context::from_waker(Waker::noop());
    for _ in 0..rounds {
        if future.as_mut().poll(&mut cx).is_ready() {
            return;
        }
        yield_now();
    }
}

impl Shared {
    fn alone(&self, count: &mut usize) {
        assert_eq!(
            self.inside[0].fetch_add(1, Ordering::SeqCst),
            0,
            "one at a time"
        );
        yield_now();
        *count += 1;
        self.inside[0].fetch_sub(1, Ordering::SeqCst);
    }

    fn reads(&self) {
        assert!(
            self.inside[1].fetch_add(1, Ordering::SeqCst) < WRITER,
            "no writer"
        );
        yield_now();
        self.inside[1].fetch_sub(1, Ordering::SeqCst);
    }

    fn writes(&self, count: &mut usize) {
        assert_eq!(
            self.inside[1].fetch_add(WRITER, Ordering::SeqCst),
            0,
            "alone"
        );
        *count += 1;
        self.inside[1].fetch_sub(WRITER, Ordering::SeqCst);
    }

    fn permitted(&self, n: usize) {
        assert!(self.inside[2].fetch_add(n, Ordering::SeqCst) + n <= PERMITS);
        yield_now();
        self.inside[2].fetch_sub(n, Ordering::SeqCst);
    }

    /// One step of an actor. Gives how often it took the mutex, and how often it wrote.
    fn step(&self, random: &mut Random) -> (usize, usize) {
        let n = 1 + random.below(PERMITS as u64) as usize;
        if random.below(4) == 0 {
            return self.step_within(random, n);
        }
        match random.below(15) {
            0 => self.alone(&mut self.mutex.lock()),
            1 => block_on(async { self.alone(&mut *self.mutex.lock_async().await) }),
            2 => match self.mutex.lock_timeout(random.patience()) {
                Some(mut count) => self.alone(&mut count),
                None => return (0, 0),
            },
            3 => {
                touch(self.mutex.lock_async(), 1 + random.below(3));
                return (0, 0);
            }
            4 => {
                self.writes(&mut self.rw.write());
                return (0, 1);
            }
            5 => {
                block_on(async { self.writes(&mut *self.rw.write_async().await) });
                return (0, 1);
            }
            6 => match self.rw.write_timeout(random.patience()) {
                Some(mut count) => {
                    self.writes(&mut count);
                    return (0, 1);
                }
                None => return (0, 0),
            },
            kind => {
                match kind {
                    7 => touch(self.rw.write_async(), 1 + random.below(3)),
                    8 => {
                        let _reader = self.rw.read();
                        self.reads();
                    }
                    9 => block_on(async {
                        let _reader = self.rw.read_async().await;
                        self.reads();
                    }),
                    10 => touch(self.rw.read_async(), 1 + random.below(3)),
                    11 => {
                        let _permit = self.semaphore.acquire(n);
                        self.permitted(n);
                    }
                    12 => block_on(async {
                        let _permit = self.semaphore.acquire_async(n).await;
                        self.permitted(n);
                    }),
                    13 => {
                        let permit = self.semaphore.acquire_timeout(n, random.patience());
                        permit
                            .iter()
                            .for_each(|permit| self.permitted(permit.count()));
                    }
                    _ => touch(self.semaphore.acquire_async(n), 1 + random.below(3)),
                }
                return (0, 0);
            }
        }
        (1, 0)
    }
}

impl Shared {
    /// As `step`, until a context ends: at a time, or because another ends it.
    fn step_within(&self, random: &mut Random, n: usize) -> (usize, usize) {
        let (context, guard) = Context::background().with_timeout(random.patience());
        if random.below(2) == 0 {
            go(move || guard.cancel());
        }
        match random.below(4) {
            0 => {
                if let Ok(mut count) = context.lock(&self.mutex) {
                    self.alone(&mut count);
                    return (1, 0);
                }
            }
            1 => {
                if let Ok(mut count) = context.write(&self.rw) {
                    self.writes(&mut count);
                    return (0, 1);
                }
            }
            2 => {
                if let Ok(_reader) = context.read(&self.rw) {
                    self.reads();
                }
            }
            _ => {
                if let Ok(_permit) = context.acquire(&self.semaphore, n) {
                    self.permitted(n);
                }
            }
        }
        (0, 0)
    }
}

/// Eight actors, half of them goroutines, take many steps each.
pub fn round(seed: u64, steps: usize) {
    let shared = Arc::new(Shared {
        mutex: Mutex::new(0),
        rw: RwLock::new(0),
        semaphore: Semaphore::new(PERMITS),
        inside: Default::default(),
    });
    let sums = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let group = WaitGroup::new();
    let (mut goroutines, mut threads) = (Vec::new(), Vec::new());
    for actor in 0..8 {
        let (shared, sums, token) = (shared.clone(), sums.clone(), group.token());
        let mut random = Random::new(seed.wrapping_mul(8) + actor);
        let work = move || {
            for _ in 0..steps {
                let (locked, written) = shared.step(&mut random);
                sums.0.fetch_add(locked, Ordering::Relaxed);
                sums.1.fetch_add(written, Ordering::Relaxed);
            }
            drop(token);
        };
        match actor % 2 {
            0 => goroutines.push(go(work)),
            _ => threads.push(thread::spawn(work)),
        }
    }
    block_on(group.wait_async());
    goroutines.into_iter().for_each(|g| g.join().unwrap());
    threads.into_iter().for_each(|t| t.join().unwrap());
    let here = format!("with seed {seed}");
    assert_eq!(
        *shared.mutex.try_lock().expect(&here),
        sums.0.load(Ordering::Relaxed)
    );
    assert_eq!(
        *shared.rw.try_write().expect(&here),
        sums.1.load(Ordering::Relaxed)
    );
    assert_eq!(shared.semaphore.available(), PERMITS, "{here}");
}

/// `WATERWAY_SEED` makes the same choices again; how the threads run is the machine's.
pub fn seed() -> u64 {
    let given = std::env::var("WATERWAY_SEED").ok();
    let seed = given.map(|seed| seed.parse().expect("WATERWAY_SEED: a number"));
    let now = || Instant::now().elapsed().as_nanos() as u64 + u64::from(std::process::id());
    let seed = seed.unwrap_or_else(now);
    println!("WATERWAY_SEED={seed}");
    seed
}

#[test]
fn all_kinds_lock_and_give_up() {
    let seed = seed();
    within(LONG, move || {
        repeat(SHORT, |number| round(seed + number as u64, 300));
    });
}

//! Locks that several want at the same time, again and again: each turn counts once; and how long one takes, beside std's locks in the same
//! goroutines.

use std::sync::{Mutex as StdMutex, RwLock as StdRwLock};
use std::time::Instant;

use waterway::sync::{Mutex, RwLock};
use waterway::{max_procs, scope};

use crate::fair::work;

/// Who contends: how many, and for how many steps of work each has the lock and then is without it.
#[derive(Clone, Copy)]
struct Crowd {
    members: u64,
    inside: u64,
    outside: u64,
    turns: u64,
}

impl Crowd {
    /// Each member has its turns at a count, to which `with` gives it the way. Gives the nanoseconds that a turn took.
    fn contend<L: Sync>(
        self,
        lock: L,
        with: impl Fn(&L, &dyn Fn(&mut u64)) + Sync,
        count: impl FnOnce(L) -> u64,
    ) -> f64 {
        let turn = |count: &mut u64| {
            *count += 1;
            work(self.inside);
        };
        let begin = Instant::now();
        scope(|s| {
            for _ in 0..self.members {
                s.go(|| {
                    for _ in 0..self.turns {
                        with(&lock, &turn);
                        work(self.outside);
                    }
                });
            }
        });
        let took = begin.elapsed();
        let turns = self.members * self.turns;
        assert_eq!(count(lock), turns);
        took.as_secs_f64() * 1e9 / turns as f64
    }

    fn mutex(self) -> f64 {
        let with = |lock: &Mutex<u64>, turn: &dyn Fn(&mut u64)| turn(&mut lock.lock());
        self.contend(Mutex::new(0), with, Mutex::into_inner)
    }

    fn std_mutex(self) -> f64 {
        let with = |lock: &StdMutex<u64>, turn: &dyn Fn(&mut u64)| turn(&mut lock.lock().unwrap());
        self.contend(StdMutex::new(0), with, |l| l.into_inner().unwrap())
    }

    fn rw_lock(self) -> f64 {
        let with = |lock: &RwLock<u64>, turn: &dyn Fn(&mut u64)| {
            let before = *lock.read();
            let mut count = lock.write();
            assert!(*count >= before);
            turn(&mut count);
        };
        self.contend(RwLock::new(0), with, RwLock::into_inner)
    }

    fn std_rw_lock(self) -> f64 {
        let with = |lock: &StdRwLock<u64>, turn: &dyn Fn(&mut u64)| {
            let before = *lock.read().unwrap();
            let mut count = lock.write().unwrap();
            assert!(*count >= before);
            turn(&mut count);
        };
        self.contend(StdRwLock::new(0), with, |l| l.into_inner().unwrap())
    }
}

#[test]
fn each_turn_at_a_contended_lock_counts() {
    for (members, inside, outside) in [(2, 0, 0), (2, 10, 200), (8, 0, 0), (8, 200, 200)] {
        let crowd = Crowd {
            members,
            inside,
            outside,
            turns: 2_000,
        };
        crowd.mutex();
        crowd.rw_lock();
    }
}

/// Prints how long a turn takes, middle of five rounds by turns, in release.
#[test]
#[ignore = "wants the machine for itself"]
fn contended_locks_beside_std() {
    println!("{} workers; nanoseconds a turn", max_procs());
    println!("members, steps inside, outside: mutex, std's; RwLock, std's");
    for members in [2, 8] {
        for (inside, outside) in [
            (0, 0),
            (2, 20),
            (2, 200),
            (200, 200),
            (200, 2000),
            (2000, 2000),
        ] {
            let turns = 20_000_000 / (members * (100 + inside + outside));
            let crowd = Crowd {
                members,
                inside,
                outside,
                turns,
            };
            let mut rounds = [const { Vec::new() }; 4];
            for _ in 0..5 {
                let times = [
                    crowd.mutex(),
                    crowd.std_mutex(),
                    crowd.rw_lock(),
                    crowd.std_rw_lock(),
                ];
                for (rounds, time) in rounds.iter_mut().zip(times) {
                    rounds.push(time);
                }
            }
            let [own, std, rw, std_rw] = rounds.map(|mut times| {
                times.sort_by(f64::total_cmp);
                times[times.len() / 2]
            });
            println!("{members}, {inside}, {outside}: {own:.0}, {std:.0}; {rw:.0}, {std_rw:.0}");
        }
    }
}

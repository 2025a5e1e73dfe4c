//! Attacks on goroutines, scopes and their results, within one process. Each test bounds its own waiting.

mod attack;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use attack::bounded;
use waterway::sync::WaitGroup;
use waterway::time::sleep;
use waterway::{Builder, blocking, chan, go, go_local, scope, yield_now};

/// Attack: closures and results that are aligned to more than a cache line.
/// Outcome: they are aligned where they are used, in plain goroutines, scopes and on threads of their own.
#[test]
fn closures_and_results_may_be_aligned_to_pages() {
    #[derive(Clone, PartialEq, Debug)]
    #[repr(align(4096))]
    struct Page(u8);
    #[derive(Clone, PartialEq, Debug)]
    #[repr(align(128))]
    struct Lines(u8);
    fn aligned<T>(at: &T) -> bool {
        (std::ptr::from_ref(at) as usize).is_multiple_of(align_of::<T>())
    }
    bounded(|| {
        for n in 0..100 {
            let (page, lines) = (Page(n), Lines(n));
            let handle = go(move || {
                assert!(aligned(&page) && aligned(&lines));
                yield_now();
                (page, lines)
            });
            assert_eq!(handle.join().unwrap(), (Page(n), Lines(n)));
            let lent = Lines(n);
            let back = scope(|s| s.go(|| lent.clone()).join().unwrap());
            assert_eq!(back, lent);
            let page = Page(n);
            let own = Builder::new().dedicated().go(move || page.clone());
            assert_eq!(own.join().unwrap(), Page(n));
            drop(go(move || lent));
        }
    });
}

/// Attack: a scope's owner panics while its children run and borrow from it; children start more of them.
/// Outcome: the panic comes out when the last child has ended.
#[test]
fn a_scope_whose_owner_panics_waits_for_all() {
    bounded(|| {
        let ended = AtomicUsize::new(0);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                for _ in 0..10 {
                    s.go(|| {
                        sleep(Duration::from_millis(5));
                        s.go(|| {
                            sleep(Duration::from_millis(5));
                            ended.fetch_add(1, Ordering::Relaxed);
                        });
                        ended.fetch_add(1, Ordering::Relaxed);
                    });
                }
                panic_any("the owner");
            })
        }));
        assert_eq!(
            panic.unwrap_err().downcast_ref::<&str>(),
            Some(&"the owner")
        );
        assert_eq!(ended.load(Ordering::Relaxed), 20);
    });
}

/// Attack: handles of a scope are forgotten, kept in a sibling, or come back as a sibling's result.
/// Outcome: the scope waits for all the same; nothing of the closures is used after it.
#[test]
fn forgotten_and_wandering_handles_do_not_shorten_a_scope() {
    bounded(|| {
        for _ in 0..200 {
            let mut parts = [0u64; 4];
            scope(|s| {
                let [a, b, c, d] = &mut parts;
                std::mem::forget(s.go(|| {
                    yield_now();
                    *a = 1;
                }));
                let first = s.go(|| {
                    yield_now();
                    *b = 1;
                });
                s.go(move || first.join().unwrap());
                let inner = s.go(|| s.go(|| *c = 1));
                drop(inner);
                let inner = s.go(|| s.go(|| *d = 1));
                inner.join().unwrap().join().unwrap();
            });
            assert_eq!(parts, [1; 4]);
        }
    });
}

/// Attack: scopes in scopes, by goroutines, threads, blocking calls and dedicated goroutines, to some depth.
/// Outcome: all borrow and give back.
#[test]
fn scopes_nest() {
    fn sum(values: &[u64], depth: usize) -> u64 {
        if values.len() < 2 {
            return values.iter().sum();
        }
        let (left, right) = values.split_at(values.len() / 2);
        scope(|s| {
            let builder = if depth == 2 {
                Builder::new().dedicated()
            } else {
                Builder::new()
            };
            let left = s.go_with(builder, || sum(left, depth + 1));
            let right = if depth % 3 == 1 {
                blocking(|| sum(right, depth + 1))
            } else {
                sum(right, depth + 1)
            };
            left.join().unwrap() + right
        })
    }
    bounded(|| {
        let values: Vec<u64> = (0..256).collect();
        assert_eq!(sum(&values, 0), 255 * 128);
        let here = values.clone();
        assert_eq!(go(move || sum(&here, 0)).join().unwrap(), 255 * 128);
    });
}

struct DropPanics(Arc<AtomicUsize>);

impl Drop for DropPanics {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        if !std::thread::panicking() {
            panic_any("a destructor");
        }
    }
}

/// Attack: results, payloads and captured values whose drop panics: detached, joined, in a scope, from `blocking`.
/// Outcome: each is dropped once; a panic comes out where the value was dropped by the user, nowhere else.
#[test]
fn destructors_that_panic_end_nothing_else() {
    bounded(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let value = || DropPanics(drops.clone());
        let count = |n: usize| {
            while drops.load(Ordering::SeqCst) < n {
                std::thread::yield_now()
            }
        };
        let result = value();
        drop(go(move || result));
        count(1);
        let captured = value();
        assert!(go(move || drop(captured)).join().is_err());
        let payload = value();
        let joined = go(move || panic_any(payload)).join();
        assert_eq!(drops.load(Ordering::SeqCst), 2);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(joined))).is_err());
        let payload = value();
        drop(go(move || panic_any(payload)));
        count(4);
        let result = value();
        scope(|s| drop(s.go(move || result)));
        count(5);
        let captured = value();
        go(move || {
            assert!(catch_unwind(AssertUnwindSafe(|| blocking(|| drop(captured)))).is_err())
        })
        .join()
        .unwrap();
        assert_eq!(drops.load(Ordering::SeqCst), 6);
        assert_eq!(go(|| 1).join().unwrap(), 1);
    });
}

/// Attack: goroutines of one thread panic, catch, park while they unwind, and panic again in between.
/// Outcome: each catches its own payload; afterwards the thread does not count as panicking.
#[test]
fn panics_of_siblings_interleave() {
    struct Parks(u32);
    impl Drop for Parks {
        fn drop(&mut self) {
            for _ in 0..self.0 {
                yield_now();
            }
            let inner = catch_unwind(|| resume_unwind(Box::new("inner")));
            assert_eq!(inner.unwrap_err().downcast_ref::<&str>(), Some(&"inner"));
            sleep(Duration::from_micros(100));
        }
    }
    bounded(|| {
        let root = go(|| {
            let handles: Vec<_> = (0..64u32)
                .map(|i| {
                    go_local(move || {
                        for round in 0..20 {
                            let caught = catch_unwind(|| {
                                let _parks = Parks(i % 5);
                                resume_unwind(Box::new((i, round)));
                            });
                            assert_eq!(caught.unwrap_err().downcast_ref(), Some(&(i, round)));
                        }
                    })
                })
                .collect();
            handles.into_iter().for_each(|h| h.join().unwrap());
            std::thread::panicking()
        });
        assert!(!root.join().unwrap());
    });
}

/// Attack: a handle is polled with many wakers, on several threads, dropped in between, and polled after its end.
/// Outcome: the last waker is woken; the result comes once; a poll too many panics.
#[test]
fn handles_are_polled_moved_and_dropped() {
    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }
    bounded(|| {
        for round in 0..2000 {
            let mut handle = go(move || {
                if round % 3 == 0 {
                    yield_now();
                }
                round
            });
            if poll(&mut handle).is_ready() || round % 5 == 0 {
                continue;
            }
            let mut moved = vec![handle].pop().unwrap();
            let thread = std::thread::spawn(move || {
                loop {
                    if let Poll::Ready(result) = poll(&mut moved) {
                        return (result.unwrap(), moved);
                    }
                }
            });
            let (result, mut spent) = thread.join().unwrap();
            assert_eq!(result, round);
            if round % 100 == 1 {
                assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut spent).is_ready())).is_err());
            }
        }
        // Never polled.
        let _never = pin!(go(|| ()));
    });
}

/// Attack: what is not `Send` is shared by goroutines of one worker while other workers have nothing to do, and steal.
/// Outcome: every one of them runs on its parent's thread.
#[test]
fn local_goroutines_are_never_stolen() {
    bounded(|| {
        let parents: Vec<_> = (0..8)
            .map(|_| {
                Builder::new().spread().go(|| {
                    let here = std::thread::current().id();
                    let log = Rc::new(RefCell::new(Vec::new()));
                    let last = Rc::new(Cell::new(0));
                    let all: Vec<_> = (0..100)
                        .map(|i| {
                            let (log, last) = (log.clone(), last.clone());
                            go_local(move || {
                                for _ in 0..3 {
                                    yield_now();
                                    log.borrow_mut().push(std::thread::current().id());
                                }
                                last.set(i);
                                last
                            })
                        })
                        .collect();
                    // Held for longer than others are patient.
                    let begin = std::time::Instant::now();
                    while begin.elapsed() < Duration::from_millis(15) {}
                    all.into_iter().for_each(|h| drop(h.join().unwrap()));
                    assert_eq!(Rc::strong_count(&log), 1);
                    log.take().iter().all(|id| *id == here)
                })
            })
            .collect();
        assert!(parents.into_iter().all(|p| p.join().unwrap()));
    });
}

/// Attack: dumps run all the time, on threads and goroutines, while goroutines of all sizes start, block and end.
/// Outcome: every dump names a goroutine that waits all along, and none faults.
#[test]
fn dumps_race_with_goroutines_that_come_and_go() {
    bounded(|| {
        let (stop, gate) = (Arc::new(AtomicBool::new(false)), WaitGroup::new());
        gate.add(1);
        let (waits, (begun, begins)) = (gate.clone(), chan::<()>(0));
        let begun = move || begun.send(()).unwrap();
        let witness = Builder::new().name("witness").go(move || {
            begun();
            waits.wait();
        });
        begins.recv().unwrap();
        let dumper = |stop: Arc<AtomicBool>| {
            let mut dumps = 0;
            while !stop.load(Ordering::Relaxed) {
                let mut text = Vec::new();
                waterway::watch::dump(&mut text).unwrap();
                assert!(String::from_utf8(text).unwrap().contains("\"witness\""));
                dumps += 1;
                yield_now();
            }
            dumps
        };
        let (on_goroutine, on_thread) = (stop.clone(), stop.clone());
        let inside = go(move || dumper(on_goroutine));
        let outside = std::thread::spawn(move || dumper(on_thread));
        for round in 0..300usize {
            let (tx, rx) = chan::<[u64; 8]>(0);
            let big = [round as u64; 40];
            let mut all = vec![go(move || tx.send([big[7]; 8]).unwrap())];
            all.extend((0..30).map(|i| {
                go(move || {
                    if i % 2 == 0 {
                        sleep(Duration::from_micros(20))
                    }
                })
            }));
            assert_eq!(rx.recv(), Ok([round as u64; 8]));
            all.into_iter().for_each(|h| h.join().unwrap());
        }
        stop.store(true, Ordering::Relaxed);
        assert!(inside.join().unwrap() > 0 && outside.join().unwrap() > 0);
        gate.done();
        witness.join().unwrap();
    });
}

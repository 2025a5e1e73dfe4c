//! Values that each goroutine has its own of, and `current`.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use waterway::time::{after_func, sleep};
use waterway::{
    AccessError, Builder, Context, blocking, chan, current, go, go_local, local, num_goroutines,
    scope, yield_now,
};

#[waterway::test]
fn siblings_on_one_thread_have_their_own() {
    local! { static COUNT: Cell<u32> = Cell::new(100); }
    let siblings: Vec<_> = (1..=5)
        .map(|step| {
            go_local(move || {
                for _ in 0..10 {
                    COUNT.set(COUNT.get() + step);
                    yield_now();
                }
                COUNT.get()
            })
        })
        .collect();
    COUNT.set(1);
    let counts = siblings.into_iter().map(|s| s.join().unwrap());
    assert_eq!(counts.collect::<Vec<_>>(), [110, 120, 130, 140, 150]);
    assert_eq!(COUNT.get(), 1);
}

/// What is unsound with `thread_local!`: a sibling uses the value while the initialiser is parked.
#[waterway::test]
fn an_initialiser_may_park() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    local! {
        static SLOW: Vec<usize> = {
            let number = MADE.fetch_add(1, Ordering::SeqCst);
            let before = Rc::new(number);
            sleep(Duration::from_millis(1));
            yield_now();
            vec![*before; 3]
        };
    }
    let siblings: Vec<_> = (0..4)
        .map(|_| {
            go_local(|| {
                let first = SLOW.with(|value| value.clone());
                yield_now();
                assert_eq!(SLOW.with(|value| value.clone()), first, "made once");
                first[0]
            })
        })
        .collect();
    let mut all: Vec<_> = siblings.into_iter().map(|s| s.join().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
}

#[test]
fn an_initialiser_that_panics_has_made_nothing() {
    local! {
        static TRIES: Cell<u32> = Cell::new(0);
        static FAILS: u32 = {
            TRIES.set(TRIES.get() + 1);
            if TRIES.get() < 3 {
                std::panic::resume_unwind(Box::new(()));
            }
            TRIES.get()
        };
    }
    go(|| {
        for _ in 0..2 {
            catch_unwind(|| FAILS.with(|n| *n)).unwrap_err();
        }
        assert_eq!(FAILS.with(|n| *n), 3);
        assert_eq!(FAILS.with(|n| *n), 3);
    })
    .join()
    .unwrap();
}

#[test]
fn an_initialiser_that_uses_its_own_value_is_told() {
    local! { static LOOP: u32 = LOOP.with(|n| n + 1); }
    for panic in [
        go(|| LOOP.with(|n| *n)).join().unwrap_err(),
        catch_unwind(|| LOOP.with(|n| *n)).unwrap_err(),
    ] {
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(
            text.contains("uses it itself") && text.contains("local.rs"),
            "{text}"
        );
    }
}

/// Says what happens when it is dropped.
struct Tells(Option<Box<dyn FnOnce() + Send>>);

impl Drop for Tells {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell();
        }
    }
}

local! {
    static FIRST: RefCell<Option<Tells>> = RefCell::new(None);
    static SECOND: Cell<u32> = Cell::new(2);
    static THIRD: RefCell<Vec<u32>> = RefCell::new(vec![3]);
}

fn at_the_end(f: impl FnOnce() + Send + 'static) {
    FIRST.set(Some(Tells(Some(Box::new(f)))));
}

#[test]
fn a_value_is_dropped_on_the_goroutines_own_stack_before_join_returns() {
    let (ask, asked) = chan::<u32>(0);
    let (said, says) = chan(4);
    let goroutine = Builder::new().name("own").go(move || {
        let thread = thread::current().id();
        SECOND.set(20);
        at_the_end(move || {
            // It may park, is who it was, and has other values, old and new.
            let got = asked.recv().unwrap();
            said.send((got, SECOND.get(), THIRD.take())).unwrap();
            assert_eq!(thread::current().id(), thread);
            assert_eq!(current().name(), Some("own"));
            // But not the one that goes.
            let gone: Result<(), AccessError> = FIRST.try_with(|_| ());
            assert!(gone.is_err());
        });
        7
    });
    assert!(says.try_recv().is_err());
    assert!(!goroutine.is_finished());
    ask.send(5).unwrap();
    assert_eq!(goroutine.join().unwrap(), 7);
    assert_eq!(says.try_recv(), Ok((5, 20, vec![3])));
}

#[test]
fn values_are_dropped_when_a_goroutine_panics_and_may_panic_themselves() {
    let (said, says) = chan(2);
    let payload = go(move || {
        at_the_end(move || {
            assert!(!thread::panicking(), "the panic has ended");
            said.send(1).unwrap();
            std::panic::resume_unwind(Box::new("of the destructor"));
        });
        std::panic::resume_unwind(Box::new("of the goroutine"));
    });
    let payload = payload.join().map(|(): ()| ()).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"of the goroutine"));
    assert_eq!(says.recv(), Ok(1));
    assert!(says.recv().is_err());
}

#[test]
fn a_scope_and_a_group_wait_for_destructors() {
    let done = Arc::new(AtomicUsize::new(0));
    let count = |done: &Arc<AtomicUsize>| {
        let done = done.clone();
        at_the_end(move || {
            sleep(Duration::from_millis(1));
            done.fetch_add(1, Ordering::SeqCst);
        });
    };
    scope(|s| {
        for _ in 0..3 {
            s.go(|| count(&done));
        }
        s.go_with(Builder::new().dedicated(), || count(&done));
    });
    assert_eq!(done.load(Ordering::SeqCst), 4);
}

local! {
    inherit static REQUEST: RefCell<Vec<u32>> = RefCell::new(vec![]);
    pub(crate) static NOT: Cell<u32> = Cell::new(0);
}

#[waterway::test]
fn values_are_inherited_on_request() {
    REQUEST.set(vec![1]);
    NOT.set(1);
    let child = go(|| {
        // The grandchild inherits what its parent has not looked at.
        let grandchild = go(|| (REQUEST.take(), NOT.get()));
        assert_eq!(grandchild.join().unwrap(), (vec![1], 0));
        REQUEST.with_borrow_mut(|all| all.push(2));
        let second = go(|| REQUEST.take()).join().unwrap();
        (REQUEST.take(), second)
    });
    // As it was at the spawn.
    REQUEST.with_borrow_mut(|all| all.push(9));
    assert_eq!(child.join().unwrap(), (vec![1, 2], vec![1, 2]));
    assert_eq!(REQUEST.with_borrow(Vec::clone), [1, 9]);
    let here = Rc::new(());
    let kept = here.clone();
    let local = go_local(move || {
        drop(kept);
        REQUEST.take()
    });
    assert_eq!(local.join().unwrap(), [1, 9]);
    let own_thread = Builder::new().dedicated().go(|| REQUEST.take());
    assert_eq!(own_thread.join().unwrap(), [1, 9]);
    let borrowed = scope(|s| s.go(|| REQUEST.take()).join().unwrap());
    assert_eq!(borrowed, [1, 9]);
    assert_eq!(Rc::strong_count(&here), 1);
}

#[test]
fn a_plain_thread_passes_its_value_on() {
    thread::spawn(|| {
        assert_eq!(go(|| REQUEST.take()).join().unwrap(), [0; 0]);
        REQUEST.set(vec![4]);
        assert_eq!(go(|| REQUEST.take()).join().unwrap(), [4]);
    })
    .join()
    .unwrap();
}

/// Nobody spawns what the end of a context starts, or the clock: whoever cancels has his values copied for none, be they in use.
#[waterway::test]
fn functions_that_are_called_later_inherit_nothing() {
    REQUEST.set(vec![7]);
    let (ctx, guard) = Context::background().with_cancel();
    let (tx, rx) = chan(3);
    for _ in 0..2 {
        let tx = tx.clone();
        ctx.after_func(move || tx.send(REQUEST.take()).unwrap());
    }
    after_func(Duration::ZERO, move || tx.send(REQUEST.take()).unwrap());
    REQUEST.with_borrow_mut(|_| guard.cancel());
    assert_eq!(rx.iter().collect::<Vec<_>>(), [[0; 0]; 3]);
}

/// Copies are made by the spawner, before anything else. A copy that nobody looked at is dropped by the goroutine.
#[test]
fn copies_are_counted() {
    struct Copied(Arc<AtomicUsize>, Arc<()>, bool);
    impl Clone for Copied {
        fn clone(&self) -> Copied {
            if self.2 {
                std::panic::resume_unwind(Box::new(()));
            }
            self.0.fetch_add(1, Ordering::SeqCst);
            // User code: it may park, and spawn.
            yield_now();
            Copied(self.0.clone(), self.1.clone(), self.2)
        }
    }
    local! { inherit static VALUE: RefCell<Option<Copied>> = RefCell::new(None); }
    let (copies, alive) = (Arc::new(AtomicUsize::new(0)), Arc::new(()));
    VALUE.set(Some(Copied(copies.clone(), alive.clone(), false)));
    go(|| ()).join().unwrap();
    assert_eq!(
        (copies.load(Ordering::SeqCst), Arc::strong_count(&alive)),
        (1, 2)
    );
    VALUE.with_borrow_mut(|value| value.as_mut().unwrap().2 = true);
    let ran = Arc::new(AtomicUsize::new(0));
    for builder in [Builder::new(), Builder::new().dedicated()] {
        let ran = ran.clone();
        let spawn =
            AssertUnwindSafe(move || builder.go(move || ran.fetch_add(1, Ordering::SeqCst)));
        catch_unwind(spawn).unwrap_err();
    }
    assert_eq!(Arc::strong_count(&ran), 1, "nothing is left");
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    VALUE.take();
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn threads_and_blocking_calls_have_their_own() {
    SECOND.set(1);
    let other = thread::spawn(|| SECOND.replace(9)).join().unwrap();
    assert_eq!(other, 2);
    assert_eq!(SECOND.get(), 1);
    go(|| {
        SECOND.set(5);
        for _ in 0..3 {
            let (said, says) = chan(1);
            let (before, id) = blocking(move || {
                at_the_end(move || said.send(1).unwrap());
                (SECOND.replace(6), current().id())
            });
            assert_eq!((before, id), (2, None), "each call begins without values");
            assert_eq!(says.try_recv(), Ok(1), "and ends without");
        }
        assert_eq!(SECOND.get(), 5);
    })
    .join()
    .unwrap();
}

#[test]
fn a_thread_drops_its_values_at_its_end() {
    let (said, says) = chan(1);
    thread::spawn(move || {
        at_the_end(move || said.send(SECOND.try_with(Cell::get)).unwrap());
    })
    .join()
    .unwrap();
    assert!(matches!(says.recv(), Ok(Err(_))), "without other values");
}

/// The result of a goroutine that nobody joins is dropped last: it finds no values.
#[waterway::test]
fn results_that_nobody_takes_find_no_values() {
    let (said, says) = chan(1);
    let (gate, gated) = chan::<()>(0);
    let before = num_goroutines();
    drop(go(move || {
        SECOND.set(3);
        gated.recv().unwrap_err();
        Tells(Some(Box::new(move || {
            said.send(SECOND.try_with(Cell::get)).unwrap();
        })))
    }));
    drop(gate);
    assert!(matches!(says.recv(), Ok(Err(_))));
    while num_goroutines() != before {
        yield_now();
    }
}

#[test]
fn current_says_who_runs() {
    let here = current();
    assert_eq!((here.id(), here.spawned_at()), (None, None));
    assert_eq!(here.name(), thread::current().name());
    for builder in [Builder::new(), Builder::new().dedicated()] {
        let handle = builder.name("walker").go(current);
        let line = line!() - 1;
        let id = handle.id();
        let walker = handle.join().unwrap();
        assert_eq!((walker.id(), walker.name()), (Some(id), Some("walker")));
        let site = walker.spawned_at().unwrap();
        assert_eq!((site.file(), site.line()), (file!(), line));
        assert!(format!("{walker:?}").contains("local.rs"));
    }
}

/// The first use of a value is by the drop of a result that nobody takes.
#[waterway::test]
fn a_value_that_a_result_makes_as_it_goes_is_dropped_in_its_goroutine() {
    struct Value;
    impl Drop for Value {
        fn drop(&mut self) {
            // It may park.
            yield_now();
            DROPPED_BY.store(current().id().unwrap_or(0), Ordering::SeqCst);
            DROPS.fetch_add(1, Ordering::SeqCst);
        }
    }
    local! { static LATE: Value = Value; }
    struct Unwanted;
    impl Drop for Unwanted {
        fn drop(&mut self) {
            LATE.with(|_| ());
        }
    }
    static DROPPED_BY: AtomicU64 = AtomicU64::new(0);
    static DROPS: AtomicUsize = AtomicUsize::new(0);

    let (tx, rx) = chan::<()>(0);
    let handle = go(move || {
        rx.recv().unwrap_err();
        Unwanted
    });
    let id = handle.id();
    drop((handle, tx));
    while DROPS.load(Ordering::SeqCst) == 0 {
        yield_now();
    }
    assert_eq!(DROPPED_BY.load(Ordering::SeqCst), id);
}

/// Those that end in one turn follow each other on one stack, in the same place: what one of them had the next has not.
#[test]
fn who_follows_another_on_its_stack_is_itself() {
    local! { static MARK: Cell<usize> = Cell::new(0); }
    /// Only who has a large stack of its own has room for this.
    #[inline(never)]
    fn fill(n: usize) {
        std::hint::black_box([n as u8; 1 << 20]);
    }
    let spawner = go(|| {
        let spawned: Vec<_> = (1..=300)
            .map(|n| {
                let builder = match n % 3 {
                    0 => Builder::new(),
                    1 => Builder::new().name(format!("no {n}")),
                    _ => Builder::new().stack_size(8 << 20),
                };
                builder.go(move || {
                    if n % 3 == 2 {
                        fill(n);
                    }
                    if n % 7 == 0 {
                        yield_now();
                    }
                    (MARK.replace(n), current())
                })
            })
            .collect();
        for (n, handle) in (1..).zip(spawned) {
            let id = handle.id();
            let (mark, who) = handle.join().unwrap();
            assert_eq!((mark, who.id()), (0, Some(id)));
            let name = (n % 3 == 1).then(|| format!("no {n}"));
            assert_eq!(who.name(), name.as_deref());
        }
    });
    spawner.join().unwrap();
}

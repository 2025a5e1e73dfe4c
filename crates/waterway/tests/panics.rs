//! A panic while something is held, or in a function that a primitive calls: in goroutines, on plain threads, in async tasks. The rows
//! of docs/bad-use.md under "Panics" that tell of primitives.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use waterway::group::{ErrGroup, SingleFlight};
use waterway::sync::{
    Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, Pool, RwLock, Semaphore, WaitGroup,
};
use waterway::{Context, block_on, blocking, chan, go, scope, time};

const BRIEF: Duration = Duration::from_millis(1);
const WHY: &str = "while it is held";

type Outcome = Result<(), Box<dyn Any + Send>>;

fn panics() {
    resume_unwind(Box::new(WHY));
}

#[track_caller]
fn is_why(outcome: Outcome) {
    assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&WHY));
}

/// What a panic says that is not `WHY`.
#[track_caller]
fn words(outcome: Outcome) -> String {
    let payload = outcome.unwrap_err();
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    text.unwrap_or_else(|| *payload.downcast::<String>().unwrap())
}

/// Who calls, when it is no task.
type Caller = fn(Box<dyn FnOnce() + Send>) -> Outcome;

const CALLERS: [Caller; 2] = [|f| go(f).join(), |f| blocking(|| thread::spawn(f).join())];

/// All that can be held by one while others want it.
struct All {
    mutex: Mutex<()>,
    rw: RwLock<()>,
    permits: Semaphore,
    changed: Condvar,
    once: Once,
    place: OnceLock<()>,
    group: WaitGroup,
    /// 1 when it is held, and one more for each who comes to want it.
    come: AtomicUsize,
}

const OTHERS: usize = 3;

impl All {
    fn new() -> Arc<All> {
        Arc::new(All {
            mutex: Mutex::new(()),
            rw: RwLock::new(()),
            permits: Semaphore::new(1),
            changed: Condvar::new(),
            once: Once::new(),
            place: OnceLock::new(),
            group: WaitGroup::new(),
            come: AtomicUsize::new(0),
        })
    }

    fn comes(&self) {
        self.come.fetch_add(1, Ordering::SeqCst);
    }

    fn have_come(&self, all: usize) -> bool {
        self.come.load(Ordering::SeqCst) >= all
    }

    /// Panics while it holds `_held`, and others want it.
    fn panics_with<T>(&self, _held: T) {
        self.comes();
        while !self.have_come(1 + OTHERS) {
            time::sleep(BRIEF);
        }
        panics();
    }

    /// The same in a task.
    async fn task_panics_with<T>(&self, _held: T) {
        self.comes();
        while !self.have_come(1 + OTHERS) {
            time::sleep_async(BRIEF).await;
        }
        panics();
    }
}

/// What is held as its holder panics, and what others do who want it.
type Case = (&'static str, fn(&All), fn(&All));

const CASES: &[Case] = &[
    (
        "mutex",
        |a| a.panics_with(a.mutex.lock()),
        |a| drop(a.mutex.lock()),
    ),
    (
        "reader",
        |a| a.panics_with(a.rw.read()),
        |a| drop(a.rw.write()),
    ),
    (
        "writer",
        |a| a.panics_with(a.rw.write()),
        |a| drop(a.rw.read()),
    ),
    (
        "permit",
        |a| a.panics_with(a.permits.acquire(1)),
        |a| drop(a.permits.acquire(1)),
    ),
    (
        "token",
        |a| a.panics_with(a.group.token()),
        |a| a.group.wait(),
    ),
    (
        "mutex, after a wait for a condition",
        |a| {
            let mut guard = a.mutex.lock();
            _ = a.changed.wait_timeout(&mut guard, BRIEF);
            a.panics_with(guard);
        },
        |a| drop(a.mutex.lock()),
    ),
    (
        "condition",
        |a| {
            a.changed.wait_while(&mut a.mutex.lock(), |()| {
                a.panics_with(());
                true
            });
        },
        |a| drop(a.mutex.lock()),
    ),
    (
        "mutex, of a goroutine's future",
        |a| a.panics_with(block_on(a.mutex.lock_async())),
        |a| drop(block_on(a.mutex.lock_async())),
    ),
    (
        "once",
        |a| a.once.call_once(|| a.panics_with(())),
        |a| a.once.call_once(|| ()),
    ),
    (
        "value",
        |a| _ = a.place.get_or_init(|| a.panics_with(())),
        |a| _ = a.place.get_or_init(|| ()),
    ),
];

/// Whoever waits for it goes on: goroutines and a thread.
#[test]
fn a_panic_lets_go_of_what_is_held() {
    for (name, hold, want) in CASES {
        for caller in CALLERS {
            let all = All::new();
            let holds = all.clone();
            let holder = go(move || caller(Box::new(move || hold(&holds))));
            wanted_by(&all, || want(&all));
            println!("{name}");
            is_why(holder.join().unwrap());
            want(&all);
        }
    }
}

/// Returns when all have what they want who come for it.
fn wanted_by(all: &All, want: impl Fn() + Sync) {
    while !all.have_come(1) {
        time::sleep(BRIEF);
    }
    let wants = || {
        all.comes();
        want();
    };
    scope(|s| {
        (1..OTHERS).for_each(|_| drop(s.go(wants)));
        thread::scope(|t| _ = t.spawn(wants));
    });
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The same of tasks: what a task holds as it panics, and what others do.
type TaskCase = (&'static str, fn(Arc<All>) -> Task, fn(&All));

const TASKS: &[TaskCase] = &[
    (
        "mutex",
        |a| Box::pin(async move { a.task_panics_with(a.mutex.lock_async().await).await }),
        |a| drop(a.mutex.lock()),
    ),
    (
        "reader",
        |a| Box::pin(async move { a.task_panics_with(a.rw.read_async().await).await }),
        |a| drop(a.rw.write()),
    ),
    (
        "writer",
        |a| Box::pin(async move { a.task_panics_with(a.rw.write_async().await).await }),
        |a| drop(a.rw.read()),
    ),
    (
        "permit",
        |a| Box::pin(async move { a.task_panics_with(a.permits.acquire_async(1).await).await }),
        |a| drop(a.permits.acquire(1)),
    ),
    (
        "token",
        |a| Box::pin(async move { a.task_panics_with(a.group.token()).await }),
        |a| a.group.wait(),
    ),
];

#[test]
fn a_task_that_panics_lets_go_of_what_it_holds() {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    for (name, hold, want) in TASKS {
        let all = All::new();
        let holder = tokio.spawn(hold(all.clone()));
        wanted_by(&all, || want(&all));
        println!("{name}");
        is_why(tokio.block_on(holder).map_err(|error| error.into_panic()));
        want(&all);
    }
}

/// Ends of channels, guards of contexts and items of pools go as their holder's values do.
#[test]
fn a_panic_drops_what_was_taken_along() {
    for caller in CALLERS {
        let (tx, rx) = chan::<()>(0);
        is_why(caller(Box::new(move || {
            let _tx = tx;
            panics();
        })));
        assert!(rx.recv().is_err(), "the channel is closed");

        let (ctx, guard) = Context::background().with_cancel();
        is_why(caller(Box::new(move || {
            let _guard = guard;
            panics();
        })));
        assert!(ctx.done().recv().is_err() && ctx.err().is_some());

        let pool = Arc::new(Pool::new(|| 7));
        let takes = pool.clone();
        is_why(caller(Box::new(move || {
            let mut item = takes.take();
            *item = 8;
            panics();
        })));
        assert_eq!(
            (pool.idle(), *pool.take()),
            (1, 8),
            "it went back as it was"
        );
    }
}

/// A maker that panics has made nothing; the pool goes on.
#[test]
fn a_maker_that_panics_makes_nothing() {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    for caller in CALLERS {
        TRIES.store(0, Ordering::SeqCst);
        let pool = Arc::new(Pool::new(|| {
            if TRIES.fetch_add(1, Ordering::SeqCst) == 0 {
                panics();
            }
        }));
        let takes = pool.clone();
        is_why(caller(Box::new(move || drop(takes.take()))));
        assert_eq!(pool.idle(), 0);
        drop(pool.take());
    }
}

/// A `LazyLock` is tried once: who waited for the one that panicked panics too, and says why.
#[test]
fn a_lazy_value_that_was_not_made_is_told_of() {
    for caller in CALLERS {
        let (all, made) = (
            All::new(),
            Arc::new(OnceLock::<LazyLock<(), Box<dyn FnOnce() + Send>>>::new()),
        );
        let (makes, held) = (made.clone(), all.clone());
        let make: Box<dyn FnOnce() + Send> = Box::new(move || held.panics_with(()));
        assert!(made.set(LazyLock::new(make)).is_ok());
        let holder = go(move || caller(Box::new(move || *LazyLock::force(makes.get().unwrap()))));
        wanted_by(&all, || {
            let force = || LazyLock::force(made.get().unwrap());
            let said = words(catch_unwind(AssertUnwindSafe(|| _ = force())));
            assert!(said.contains("making it panicked before"), "{said}");
        });
        is_why(holder.join().unwrap());
    }
}

/// Who panics on its way to a barrier is not counted; those who come are as many as it wants.
#[test]
fn a_barrier_waits_for_those_who_come() {
    for caller in CALLERS {
        let barrier = Arc::new(Barrier::new(2));
        let (first, lost, last) = (barrier.clone(), barrier.clone(), barrier);
        let waits = go(move || _ = first.wait());
        is_why(caller(Box::new(move || {
            panics();
            lost.wait();
        })));
        assert!(!waits.is_finished());
        caller(Box::new(move || _ = last.wait())).unwrap();
        waits.join().unwrap();
    }
}

/// A member's panic ends the group's context and comes out of `wait`; a child's comes out of its scope.
#[test]
fn panics_of_members_come_out_where_they_are_awaited() {
    for caller in CALLERS {
        is_why(caller(Box::new(|| {
            let (group, ctx) = ErrGroup::<()>::with_context(&Context::background());
            group.go(|| {
                panics();
                Ok(())
            });
            let done = ctx.done().clone();
            group.go(move || {
                assert!(done.recv().is_err(), "it is told to end");
                Ok(())
            });
            _ = group.wait();
        })));
        let said = words(caller(Box::new(|| {
            scope(|s| drop(s.go(panics)));
        })));
        assert_eq!(said, "a goroutine of the scope panicked");
    }
}

/// Who shares a call that panics panics too, and says why. The next call is made anew.
#[test]
fn a_shared_call_that_panics_is_lost_for_all() {
    for caller in CALLERS {
        let (all, calls) = (All::new(), Arc::new(SingleFlight::<(), ()>::new()));
        let (runs, held) = (calls.clone(), all.clone());
        let leader =
            go(move || caller(Box::new(move || _ = runs.run((), || held.panics_with(())))));
        wanted_by(&all, || {
            let share = || _ = calls.run((), || ());
            if let Err(payload) = catch_unwind(AssertUnwindSafe(share)) {
                let said = words(Err(payload));
                assert!(said.contains("was lost: it panicked"), "{said}");
            }
        });
        is_why(leader.join().unwrap());
        assert_eq!(calls.run((), || ()), ((), false));
    }
}

/// A function that runs when a context ends, or a time has come, ends its own goroutine only.
#[test]
fn functions_of_contexts_and_timers_panic_alone() {
    for caller in CALLERS {
        let (tx, rx) = chan(2);
        caller(Box::new(move || {
            let (ctx, guard) = Context::background().with_cancel();
            let said = tx.clone();
            drop(ctx.after_func(panics));
            drop(ctx.after_func(move || said.send(()).unwrap()));
            drop(time::after_func(Duration::ZERO, panics));
            drop(time::after_func(BRIEF, move || tx.send(()).unwrap()));
            guard.cancel();
        }))
        .unwrap();
        assert_eq!([rx.recv(), rx.recv()], [Ok(()), Ok(())]);
    }
}

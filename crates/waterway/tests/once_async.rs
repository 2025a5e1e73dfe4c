//! `Once`, `OnceLock` and `LazyLock` for async tasks, alone and together with goroutines and threads.

use std::future::Future;
use std::marker::PhantomPinned;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use waterway::chan::Sender;
use waterway::sync::{LazyLock, Once, OnceLock};
use waterway::{Builder, JoinHandle, block_on, chan, go, yield_now};

/// Counts wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that is polled by hand, and has begun to wait.
struct Hand<F> {
    future: F,
    count: Arc<Count>,
}

impl<F: Future + Unpin> Hand<F> {
    #[track_caller]
    fn waits(future: F) -> Hand<F> {
        let mut hand = Hand {
            future,
            count: Arc::default(),
        };
        assert!(hand.poll().is_pending(), "it should wait");
        hand
    }

    fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(self.count.clone());
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker))
    }

    fn wakes(&self) -> usize {
        self.count.0.load(Ordering::SeqCst)
    }
}

/// The output of a future that is ready at once.
#[track_caller]
fn now<F: Future + Unpin>(mut future: F) -> F::Output {
    match Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it should be ready"),
    }
}

fn panics<T>(f: impl FnOnce() -> T) -> String {
    let why = catch_unwind(AssertUnwindSafe(|| drop(f()))).expect_err("it should panic");
    match why.downcast::<String>() {
        Ok(text) => *text,
        Err(why) => why
            .downcast::<&str>()
            .map_or_else(|_| String::new(), |text| text.to_string()),
    }
}

/// A goroutine that is within the call of `once`, until it is told how to end: true is with a panic.
fn within(once: &Arc<Once>) -> (Sender<bool>, JoinHandle<()>) {
    let once = once.clone();
    within_call(move |call| once.call_once(call))
}

/// The same of any call that `make` makes.
fn within_call(
    make: impl FnOnce(Box<dyn FnOnce() + Send>) + Send + 'static,
) -> (Sender<bool>, JoinHandle<()>) {
    let (end, told) = chan(1);
    let (inside, entered) = chan(1);
    let handle = go(move || {
        make(Box::new(move || {
            inside.send(()).unwrap();
            if told.recv().unwrap() {
                panic!("told to");
            }
        }));
    });
    entered.recv().unwrap();
    (end, handle)
}

/// Starts a goroutine that must wait for a call, and comes back when it does.
fn waits(f: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("waits {}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let handle = Builder::new().name(&name).go(f);
    let there = || {
        let mut text = Vec::new();
        waterway::watch::dump(&mut text).unwrap();
        String::from_utf8(text)
            .unwrap()
            .contains(&format!("{name:?} [sync.Once, "))
    };
    while !there() {
        yield_now();
    }
    handle
}

#[test]
fn the_first_task_makes_the_call_at_once() {
    let (once, mut calls) = (Once::new(), 0);
    now(once.call_once_async(|| calls += 1));
    now(once.call_once_async(|| unreachable!("it has been made")));
    once.call_once(|| unreachable!("it has been made"));
    assert_eq!(calls, 1);

    let place = OnceLock::new();
    assert_eq!(now(place.get_or_init_async(|| 1)), &1);
    assert_eq!(now(place.get_or_init_async(|| 2)), &1);
    assert_eq!(now(place.set_async(3)), Err(3));
    let place = OnceLock::new();
    assert_eq!(now(place.set_async(3)), Ok(()));
    assert_eq!(place.get(), Some(&3));

    let lazy = LazyLock::new(|| 4);
    assert_eq!(now(LazyLock::force_async(&lazy)), &4);
    assert_eq!(now(LazyLock::force_async(&lazy)), &4);
}

#[test]
fn a_future_that_is_not_polled_calls_nothing() {
    let once = Once::new();
    drop(once.call_once_async(|| unreachable!("it was never polled")));
    assert!(!once.is_completed());
}

#[test]
fn tasks_wait_while_a_goroutine_makes_the_call() {
    let once = Arc::new(Once::new());
    let (end, maker) = within(&once);
    let mut first = Hand::waits(once.call_once_async(|| unreachable!()));
    let mut second = Hand::waits(once.call_once_async(|| unreachable!()));
    let other = once.clone();
    let goroutine = waits(move || other.call_once(|| unreachable!()));
    assert!(first.poll().is_pending(), "nobody has told it");
    end.send(false).unwrap();
    maker.join().unwrap();
    goroutine.join().unwrap();
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    assert!(first.poll().is_ready() && second.poll().is_ready());
}

#[test]
fn a_goroutine_and_a_task_wait_while_a_task_makes_the_value() {
    let place = Arc::new(OnceLock::new());
    let other = place.clone();
    let (end, maker) = within_call(move |call| {
        block_on(other.get_or_init_async(|| {
            call();
            7
        }));
    });
    let mut init = Hand::waits(place.get_or_init_async(|| unreachable!()));
    let mut set = Hand::waits(place.set_async(8));
    let other = place.clone();
    let goroutine = waits(move || assert_eq!(other.get_or_init(|| unreachable!()), &7));
    end.send(false).unwrap();
    maker.join().unwrap();
    goroutine.join().unwrap();
    assert_eq!(init.poll(), Poll::Ready(&7));
    assert_eq!(set.poll(), Poll::Ready(Err(8)));
}

#[test]
fn a_task_that_goes_is_told_of_nothing_and_keeps_nobody_waiting() {
    let once = Arc::new(Once::new());
    let (end, maker) = within(&once);
    let gone = Hand::waits(once.call_once_async(|| unreachable!()));
    let mut stays = Hand::waits(once.call_once_async(|| ()));
    let count = gone.count.clone();
    drop(gone);
    // One that is forgotten stands there to the end.
    let forgotten = Hand::waits(once.call_once_async(|| unreachable!()));
    std::mem::forget(forgotten);
    let told = Hand::waits(once.call_once_async(|| unreachable!()));
    end.send(true).unwrap();
    maker.join().unwrap_err();
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
    assert_eq!((told.wakes(), stays.wakes()), (1, 1));
    // It was told that its turn may have come, and goes.
    drop(told);
    assert!(stays.poll().is_ready() && once.is_completed());
}

#[test]
fn one_of_those_who_wait_makes_a_call_that_panicked() {
    let once = Arc::new(Once::new());
    let (end, maker) = within(&once);
    let calls = AtomicUsize::new(0);
    let call = || _ = calls.fetch_add(1, Ordering::SeqCst);
    let mut first = Hand::waits(once.call_once_async(call));
    let mut second = Hand::waits(once.call_once_async(call));
    end.send(true).unwrap();
    maker.join().unwrap_err();
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    assert!(second.poll().is_ready() && first.poll().is_ready());
    assert_eq!(calls.into_inner(), 1);
}

#[test]
fn a_task_whose_turn_another_took_waits_again() {
    let once = Arc::new(Once::new());
    let (end, maker) = within(&once);
    let mut task = Hand::waits(once.call_once_async(|| unreachable!()));
    end.send(true).unwrap();
    maker.join().unwrap_err();
    assert_eq!(task.wakes(), 1);
    let (end, maker) = within(&once);
    assert!(task.poll().is_pending(), "another was faster");
    end.send(false).unwrap();
    maker.join().unwrap();
    assert_eq!(task.wakes(), 2);
    assert!(task.poll().is_ready());
}

#[test]
fn a_goroutine_makes_the_call_that_panicked_in_a_task() {
    let once = Arc::new(Once::new());
    let other = once.clone();
    let (end, maker) = within_call(move |call| block_on(other.call_once_async(call)));
    let other = once.clone();
    let goroutine = waits(move || other.call_once(|| ()));
    end.send(true).unwrap();
    maker.join().unwrap_err();
    goroutine.join().unwrap();
    assert!(once.is_completed());
}

#[test]
fn a_future_whose_call_panicked_is_over() {
    let once = Once::new();
    let mut future = once.call_once_async(|| panic!("told to"));
    let mut poll = || Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(panics(&mut poll), "told to");
    assert!(panics(&mut poll).contains("polled after it was ready"));
    assert!(!once.is_completed());
    now(once.call_once_async(|| ()));
}

#[test]
fn a_lazy_value_that_was_not_made_is_told_of_to_tasks() {
    type Maker = Box<dyn FnOnce() -> u32 + Send>;
    let lazy = Arc::new(OnceLock::<LazyLock<u32, Maker>>::new());
    let makes = lazy.clone();
    let (end, maker) = within_call(move |call| {
        let lazy = LazyLock::new(Box::new(move || {
            call();
            1u32
        }) as Maker);
        assert!(makes.set(lazy).is_ok());
        block_on(LazyLock::force_async(makes.get().unwrap()));
    });
    let lazy = lazy.get().unwrap();
    let mut task = Hand::waits(LazyLock::force_async(lazy));
    end.send(true).unwrap();
    maker.join().unwrap_err();
    assert_eq!(task.wakes(), 1);
    for text in [
        panics(|| task.poll()),
        panics(|| now(LazyLock::force_async(lazy))),
        panics(|| **lazy),
    ] {
        assert!(text.contains("making it panicked before"), "{text}");
        assert!(text.contains("once_async.rs"), "{text}");
    }
}

#[test]
fn a_call_that_awaits_itself_panics() {
    static LAZY: LazyLock<u32> = LazyLock::new(|| *block_on(LazyLock::force_async(&LAZY)) + 1);
    let (once, place) = (Once::new(), OnceLock::new());
    for text in [
        panics(|| once.call_once(|| block_on(once.call_once_async(|| ())))),
        panics(|| now(once.call_once_async(|| once.call_once(|| ())))),
        panics(|| now(once.call_once_async(|| now(once.call_once_async(|| ()))))),
        panics(|| *place.get_or_init(|| *now(place.get_or_init_async(|| 1)))),
        panics(|| *place.get_or_init(|| now(place.set_async(1)).map_or(1, |()| 2))),
        panics(|| *now(LazyLock::force_async(&LAZY))),
    ] {
        assert!(text.contains("from within its own call"), "{text}");
        assert_eq!(text.matches("once_async.rs").count(), 2, "{text}");
    }
    // A call that panicked has not been made; a maker is used up by it.
    now(once.call_once_async(|| ()));
    assert_eq!(now(place.get_or_init_async(|| 2)), &2);
    let text = panics(|| *now(LazyLock::force_async(&LAZY)));
    assert!(text.contains("panicked before"), "{text}");
}

/// One that stands in the line already is polled from within the call.
#[test]
fn a_task_that_waits_and_is_polled_from_within_the_call_panics() {
    let once = Arc::new(Once::new());
    let (end, maker) = within(&once);
    let mut task = Hand::waits(once.call_once_async(|| ()));
    end.send(true).unwrap();
    maker.join().unwrap_err();
    let text = panics(|| once.call_once(|| _ = task.poll()));
    assert!(text.contains("from within its own call"), "{text}");
    assert!(task.poll().is_ready(), "it is its turn now");
    assert!(once.is_completed());
}

#[test]
fn futures_go_where_what_they_hold_may_go() {
    fn goes<T: Send + Unpin>(value: T) -> T {
        value
    }
    let (once, place) = (Once::new(), OnceLock::new());
    let lazy = LazyLock::new(|| 1);
    let pinned = PhantomPinned;
    now(goes(once.call_once_async(move || _ = &pinned)));
    thread::scope(|s| {
        s.spawn(|| assert_eq!(now(goes(place.get_or_init_async(|| 1))), &1));
        s.spawn(|| assert_eq!(now(goes(LazyLock::force_async(&lazy))), &1));
    });
    assert!(now(goes(OnceLock::new().set_async(PhantomPinned))).is_ok());
}

/// Goroutines, threads and tasks of two executors want one value, round after round.
#[test]
fn many_of_all_kinds_make_one_value() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    for round in 0..50 {
        let all = Arc::new((OnceLock::new(), AtomicUsize::new(0)));
        let make = move |all: &(OnceLock<usize>, AtomicUsize)| {
            all.1.fetch_add(1, Ordering::SeqCst);
            thread::yield_now();
            round
        };
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let all = all.clone();
                runtime.spawn(async move {
                    if n % 4 == 0 {
                        // One that gives up may have been told.
                        let wants = all.0.get_or_init_async(|| make(&all));
                        tokio::select! {
                            biased;
                            _ = wants => {}
                            () = tokio::task::yield_now() => {}
                        }
                    }
                    *all.0.get_or_init_async(|| make(&all)).await
                })
            })
            .collect();
        let goroutines: Vec<_> = (0..4)
            .map(|n| {
                let all = all.clone();
                go(move || match n % 2 {
                    0 => *all.0.get_or_init(|| make(&all)),
                    _ => *block_on(all.0.get_or_init_async(|| make(&all))),
                })
            })
            .collect();
        let four = (0..4).map(|_| all.0.get_or_init_async(|| make(&all)));
        let got = futures::executor::block_on(futures::future::join_all(four));
        assert!(got.into_iter().all(|value| *value == round));
        for goroutine in goroutines {
            assert_eq!(goroutine.join().unwrap(), round);
        }
        for task in tasks {
            assert_eq!(runtime.block_on(task).unwrap(), round);
        }
        assert_eq!(all.1.load(Ordering::SeqCst), 1, "made once");
    }
}

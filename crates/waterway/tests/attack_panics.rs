//! Attacks by panics: unheard, in wakers and hooks, at moments when nobody seems to look.

#[path = "attack/child.rs"]
mod child;

use std::future::Future;
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use child::{command, finish, rounds, run};
use waterway::sync::WaitGroup;
use waterway::time::sleep;
use waterway::{blocking, go, scope};

fn programs(program: &str) {
    match program {
        "panics_unheard" => panics_unheard(),
        "waker_panics" => waker_panics(),
        "hook_panics" => hook_panics(),
        "handle_races_with_panic" => handle_races_with_panic(),
        "first_use_while_unwinding" => first_use_while_unwinding(),
        other => panic!("no program {other:?}"),
    }
}

/// Attack: goroutines panic, unjoined, while nobody reads standard error any more.
/// Outcome: each panic ends its goroutine and nothing else.
fn a_panic_needs_no_standard_error() {
    let mut child = command("panics_unheard", &[]).spawn().unwrap();
    drop(child.stderr.take());
    finish(child).code(0);
}

fn panics_unheard() {
    for _ in 0..10 {
        drop(go(|| panic!("unheard")));
    }
    while waterway::num_goroutines() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(go(|| 1).join().unwrap(), 1);
}

/// Attack: tasks that wait for a goroutine have wakers that panic.
/// Outcome: that ends nothing: not the goroutine's worker, not the thread of the pool that calls the waker of a timer, and
/// the next in line is woken.
fn a_waker_that_panics_ends_nothing() {
    run("waker_panics", &[]).code(0).says("a bad waker");
}

struct Bad;

impl Wake for Bad {
    fn wake(self: Arc<Self>) {
        panic!("a bad waker");
    }
}

fn waker_panics() {
    let waker = Waker::from(Arc::new(Bad));
    let mut context = Context::from_waker(&waker);
    let gate = WaitGroup::new();
    gate.add(1);
    let opens = gate.clone();
    let mut handle = pin!(go(move || {
        opens.wait();
        7
    }));
    assert!(handle.as_mut().poll(&mut context).is_pending());
    gate.done();
    while !handle.is_finished() {
        std::thread::yield_now();
    }
    assert!(handle.as_mut().poll(&mut context).is_ready());
    // A timer's waker is called on a thread of the pool.
    let timer = waterway::time::after(Duration::from_millis(1));
    let mut tick = pin!(timer.recv_async());
    assert!(tick.as_mut().poll(&mut context).is_pending());
    go(|| sleep(Duration::from_millis(20))).join().unwrap();
    assert_eq!(go(|| blocking(|| 1)).join().unwrap(), 1);
    assert_eq!(go(|| 1).join().unwrap(), 1);
}

/// Attack: the panic hook panics.
/// Outcome: std's: the process aborts; it does not hang.
fn a_hook_that_panics_aborts() {
    assert_eq!(run("hook_panics", &[]).status.signal(), Some(libc::SIGABRT));
}

fn hook_panics() {
    std::panic::set_hook(Box::new(|_| panic!("the hook")));
    drop(go(|| panic!("first")).join());
}

/// Attack: a scope's handle is dropped at the very moment when its goroutine ends by a panic.
/// Outcome: the scope panics: whoever of the two lets go last has seen it.
fn no_panic_is_lost_between_a_handle_and_its_goroutine() {
    run("handle_races_with_panic", &[("WATERWAY_MAX_PROCS", "2")]).code(0);
}

fn handle_races_with_panic() {
    std::panic::set_hook(Box::new(|_| ()));
    rounds(20_000, |round| {
        let go_on = AtomicBool::new(false);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            scope(|s| {
                let handle = s.go(|| {
                    go_on.store(true, Ordering::SeqCst);
                    std::panic::resume_unwind(Box::new(()))
                });
                while !go_on.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
                for _ in 0..round % 1024 {
                    black_box(());
                }
                drop::<waterway::ScopedJoinHandle<'_, ()>>(handle);
            })
        }));
        if caught.is_ok() {
            eprintln!("the panic of round {round} was lost");
            std::process::exit(1);
        }
    });
}

/// Attack: the first use of the runtime is in a destructor while a panic unwinds.
/// Outcome: it works.
fn the_runtime_may_start_while_a_panic_unwinds() {
    run("first_use_while_unwinding", &[]).code(0);
}

fn first_use_while_unwinding() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    struct Starts;
    impl Drop for Starts {
        fn drop(&mut self) {
            go(|| {
                assert!(go(|| panic!("another")).join().is_err());
                RAN.fetch_add(1, Ordering::SeqCst);
            })
            .join()
            .unwrap();
        }
    }
    let caught = std::panic::catch_unwind(|| {
        let _starts = Starts;
        panic!("unwinds");
    });
    assert!(caught.is_err());
    assert_eq!(RAN.load(Ordering::SeqCst), 1);
}

fn main() {
    child::main(
        programs,
        tests!(
            a_panic_needs_no_standard_error,
            a_waker_that_panics_ends_nothing,
            a_hook_that_panics_aborts,
            no_panic_is_lost_between_a_handle_and_its_goroutine,
            the_runtime_may_start_while_a_panic_unwinds,
        ),
    );
}

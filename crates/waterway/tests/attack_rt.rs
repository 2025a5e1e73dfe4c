//! Attacks on the life of the process and its threads: its end, signals, thread-locals, `fork`, workers that come and go.

#[path = "attack_rt/allocator.rs"]
mod allocator;
#[path = "attack/child.rs"]
mod child;

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use child::{SOON, rounds, run, run_all};
use waterway::sync::{Mutex, WaitGroup};
use waterway::time::{Timer, sleep};
use waterway::{Builder, JoinHandle, blocking, chan, go, scope};

fn programs(program: &str) {
    match program {
        "timer_of_a_spare" => timer_of_a_spare(),
        "near_a_spare" => near_a_spare(),
        "starts_and_sleeps" => starts_and_sleeps(),
        "locals_use_the_runtime" => locals_use_the_runtime(),
        "first_use_in_a_destructor" => first_use_in_a_destructor(),
        "main_local" => main_local(),
        "joins_at_exit" => joins_at_exit(),
        "leaves_goroutines" => leaves_goroutines(),
        "overflow_dedicated" => drop(Builder::new().dedicated().go(|| dive(0)).join()),
        "overflow_while_unwinding" => overflow_while_unwinding(),
        "null" => go(null).join().unwrap(),
        "own_fault_handler" => own_fault_handler(),
        "fork_everywhere" => fork_everywhere(),
        "fork_and_return" => fork_and_return(),
        "small_stack" => small_stack(),
        "allocator_sends" => allocator::sends(500..1_000),
        "allocator_sends_as_it_becomes_own" => allocator::sends(256..257),
        "allocator_spawns" => allocator::spawns(),
        other => panic!("no program {other:?}"),
    }
}

/// How many threads of the process have this name.
fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("comm")).ok());
    names.filter(|n| n.trim_end() == name).count()
}

/// Runs `f` on a spare, which has retired when this returns. To be used with one worker.
fn on_a_spare<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> (JoinHandle<()>, T) {
    let (begun, free) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (seen, let_go) = (begun.clone(), free.clone());
    let hog = go(move || {
        begun.store(true, Ordering::SeqCst);
        while !let_go.load(Ordering::Relaxed) {
            black_box(());
        }
    });
    while !seen.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    let (tx, rx) = chan(1);
    let handle = go(move || {
        assert_eq!(std::thread::current().name(), Some("waterway-1"));
        assert!(tx.send(f()).is_ok());
    });
    let value = rx.recv().unwrap();
    free.store(true, Ordering::SeqCst);
    hog.join().unwrap();
    while threads_named("waterway-1") > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    (handle, value)
}

const ONE: &[(&str, &str)] = &[("WATERWAY_MAX_PROCS", "1"), ("WATERWAY_HELD_WARN_MS", "0")];

/// Attack: a timer made on a spare worker is set again when the spare's thread has ended.
/// Outcome: it fires.
fn a_timer_outlives_the_worker_it_was_made_on() {
    run("timer_of_a_spare", ONE).code(0);
}

fn timer_of_a_spare() {
    let (_, timer) = on_a_spare(|| {
        let timer = Timer::new(Duration::from_secs(3600));
        assert!(timer.stop());
        timer
    });
    timer.reset(Duration::from_millis(1));
    timer.channel().recv_timeout(SOON).expect("it fires");
}

/// Attack: the only worker starts one and sleeps, again and again, and could watch for those whom it started itself.
/// Outcome: it sleeps in the kernel, and gets up once for each sleep.
fn who_starts_some_and_sleeps_watches_for_none() {
    run("starts_and_sleeps", ONE).code(0);
}

fn starts_and_sleeps() {
    const ROUNDS: u64 = 20;
    let counts = go(|| {
        let before = times_slept();
        let (mut rounds, mut slept) = (0, 0);
        // Without a CPU for long it finds that the time is over, and does not sleep. If it never does, this does not end.
        while rounds < ROUNDS || slept < ROUNDS {
            drop(go(|| ()));
            sleep(Duration::from_millis(20));
            rounds += 1;
            slept = times_slept() - before;
        }
        (rounds, slept)
    });
    let (rounds, slept) = counts.join().unwrap();
    assert!(slept < 3 * rounds, "slept {slept} times for {rounds}");
}

/// How often this thread has waited in the kernel.
fn times_slept() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let times = (status.lines()).find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    times.unwrap().trim().parse().unwrap()
}

/// Attack: goroutines are placed near one that lived on a worker whose thread has ended, each at the moment when the only
/// worker goes to sleep.
/// Outcome: all run.
fn near_a_worker_that_has_retired_somebody_runs_it() {
    run("near_a_spare", ONE).code(0).says_not("deadlock");
}

fn near_a_spare() {
    let (old, ()) = on_a_spare(|| ());
    rounds(20_000, |_| {
        let begin = Instant::now();
        let handle = Builder::new().near(&old).go(|| ());
        while !handle.is_finished() {
            assert!(begin.elapsed() < SOON, "nobody runs it");
            std::hint::spin_loop();
        }
    });
}

/// Locks, spawns and joins when it is destroyed.
struct UsesRuntime(&'static Mutex<usize>);

impl Drop for UsesRuntime {
    fn drop(&mut self) {
        let lock = self.0;
        let held = lock.lock();
        let other = go(move || *lock.lock() += 1);
        sleep(Duration::from_millis(1));
        drop(held);
        other.join().unwrap();
        assert_eq!(scope(|s| s.go(|| 5).join().unwrap()), 5);
        assert_eq!(blocking(|| 5), 5);
    }
}

static DONE: Mutex<usize> = Mutex::new(0);
thread_local!(static LOCAL: UsesRuntime = const { UsesRuntime(&DONE) });

/// Attack: destructors of thread-locals lock, spawn, sleep and join: on plain threads (whose own place to sleep is gone
/// already), a dedicated goroutine's thread, a spare that retires, and on the main thread at the end of the process.
/// Outcome: it works everywhere.
fn destructors_of_thread_locals_may_use_the_runtime() {
    run("locals_use_the_runtime", ONE).code(0);
    run("main_local", &[]).code(0);
    run("first_use_in_a_destructor", &[]).code(0);
}

fn locals_use_the_runtime() {
    for late in [false, true] {
        let thread = std::thread::spawn(move || {
            if late {
                LOCAL.with(|_| ());
                WaitGroup::new().wait();
                go(|| ()).join().unwrap();
            } else {
                go(|| ()).join().unwrap();
                LOCAL.with(|_| ());
            }
        });
        thread.join().unwrap();
    }
    assert_eq!(*DONE.lock(), 2);
    Builder::new()
        .dedicated()
        .go(|| LOCAL.with(|_| ()))
        .join()
        .unwrap();
    on_a_spare(|| LOCAL.with(|_| ()));
    while *DONE.lock() < 4 {
        std::thread::yield_now();
    }
}

fn main_local() {
    LOCAL.with(|_| ());
    go(|| ()).join().unwrap();
}

fn first_use_in_a_destructor() {
    LOCAL.with(|_| ());
}

/// Attack: a handler of `atexit` starts goroutines and joins them, though `main` has returned.
/// Outcome: they run: the workers are there until the process ends.
fn goroutines_run_in_handlers_of_atexit() {
    run("joins_at_exit", &[]).code(0).says("at exit: 7");
}

fn joins_at_exit() {
    extern "C" fn handler() {
        eprintln!("at exit: {}", go(|| 7).join().unwrap());
    }
    // SAFETY: the handler is a plain function.
    unsafe { libc::atexit(handler) };
    go(|| ()).join().unwrap();
}

/// Attack: `main` returns while goroutines compute, sleep, wait, panic, block in the kernel and have threads of their own.
/// Outcome: the process ends at once, in peace, a hundred times.
fn main_ends_while_goroutines_run() {
    for _ in 0..5 {
        for outcome in run_all(&["leaves_goroutines"; 6], &[]) {
            outcome.code(0).says_not("fatal");
        }
    }
}

fn leaves_goroutines() {
    let group = WaitGroup::new();
    group.add(1);
    for i in 0..20 {
        let group = group.clone();
        drop(go(move || match i % 5 {
            0 => sleep(Duration::from_secs(60)),
            1 => group.wait(),
            2 => loop {
                waterway::yield_now();
            },
            3 => blocking(|| std::thread::sleep(Duration::from_secs(60))),
            _ => drop(Builder::new().dedicated().go(move || group.wait())),
        }));
    }
}

#[allow(unconditional_recursion)]
fn dive(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    dive(black_box(depth + 1)) + frame[7]
}

/// Attack: overflow on a dedicated goroutine's thread, and in a destructor while a panic unwinds.
/// Outcome: a report, and SIGABRT.
fn overflow_anywhere_is_reported() {
    let own = run("overflow_dedicated", &[]);
    assert_eq!(
        own.says("overflowed its stack").status.signal(),
        Some(libc::SIGABRT)
    );
    let unwinding = run("overflow_while_unwinding", &[]);
    assert_eq!(
        unwinding.says("has overflowed its stack").status.signal(),
        Some(libc::SIGABRT)
    );
}

fn overflow_while_unwinding() {
    struct Dives;
    impl Drop for Dives {
        fn drop(&mut self) {
            dive(0);
        }
    }
    drop(
        go(|| {
            let _dives = Dives;
            panic!("unwinds");
        })
        .join(),
    );
}

fn null() {
    // SAFETY: there is none: the fault is the point.
    unsafe { black_box(std::ptr::null_mut::<u8>()).write_volatile(1) };
}

/// Attack: a fault in a goroutine that is no overflow, with and without a handler of the program's own.
/// Outcome: what would happen on a thread: SIGSEGV, or that handler.
fn other_faults_go_to_whoever_handled_them() {
    assert_eq!(
        run("null", &[]).says_not("overflow").status.signal(),
        Some(libc::SIGSEGV)
    );
    run("own_fault_handler", &[]).code(7);
}

fn own_fault_handler() {
    extern "C" fn handler(_: libc::c_int) {
        // SAFETY: may be called in a handler.
        unsafe { libc::_exit(7) };
    }
    // SAFETY: a handler that only exits.
    unsafe { libc::signal(libc::SIGSEGV, handler as *const () as libc::sighandler_t) };
    go(null).join().unwrap();
}

/// Attack: `fork` in a goroutine; the child tries everything that waits or starts something; or it returns from the
/// goroutine, with others queued.
/// Outcome: each use panics with the reason; who returns is aborted, so that nothing runs twice; the parent goes on.
fn every_use_in_a_forked_child_is_told() {
    run("fork_everywhere", &[]).code(0);
    run("fork_and_return", &[("WATERWAY_MAX_PROCS", "1")])
        .code(0)
        .says("should have called exec or exit");
}

fn fork_and_return() {
    let runs = Arc::new(AtomicUsize::new(0));
    let (there, ran) = (std::process::id(), runs.clone());
    let parent = go(move || {
        let other = ran.clone();
        let queued = waterway::go_local(move || {
            assert_eq!(std::process::id(), there);
            other.fetch_add(1, Ordering::SeqCst);
        });
        // SAFETY: the child does nothing.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            return;
        }
        let mut status = 0;
        // SAFETY: waits for the child just made.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        assert!(
            libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT,
            "{status:x}"
        );
        queued.join().unwrap();
    });
    parent.join().unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

fn told(f: impl FnOnce()) -> bool {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
    let text = panic.downcast_ref::<&str>().copied().unwrap_or_default();
    text.contains("after fork")
}

fn fork_everywhere() {
    let parent = go(|| {
        std::panic::set_hook(Box::new(|_| ()));
        let (tx, rx) = chan::<u32>(0);
        // SAFETY: the child only panics and exits.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let all = [
                told(|| drop(go(|| ()))),
                told(|| drop(Builder::new().dedicated().go(|| ()))),
                told(|| drop(waterway::go_local(|| ()))),
                told(|| scope(|s| drop(s.go(|| ())))),
                told(|| assert!(rx.recv().is_ok())),
                told(|| tx.send(1).unwrap()),
                told(|| sleep(Duration::from_millis(1))),
            ];
            let failed = all
                .iter()
                .position(|told| !told)
                .map_or(0, |i| i as i32 + 1);
            // SAFETY: plain exit.
            unsafe { libc::_exit(failed) };
        }
        let mut status = 0;
        // SAFETY: waits for the child just made.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        assert!(libc::WIFEXITED(status), "{status:x}");
        assert_eq!(
            libc::WEXITSTATUS(status),
            0,
            "the number of the use that was not told"
        );
    });
    parent.join().unwrap();
}

/// Attack: goroutines with the smallest stack there is park and panic, with the check of thread-locals on.
/// Outcome: no overflow: what the runtime itself needs fits.
fn the_runtime_fits_into_the_smallest_stack() {
    let env = [("WATERWAY_CHECK_TLS", "1"), ("RUST_BACKTRACE", "0")];
    run("small_stack", &env).code(0).says_not("overflow");
}

fn small_stack() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    let small = || Builder::new().stack_size(128 << 10);
    let parks = || {
        sleep(Duration::from_millis(1));
        RAN.fetch_add(1, Ordering::SeqCst);
    };
    small().go(parks).join().unwrap();
    small().go(|| panic!("small")).join().unwrap_err();
    assert_eq!(RAN.load(Ordering::SeqCst), 1);
}

fn main() {
    use allocator::*;
    child::main(
        programs,
        tests!(
            an_allocator_that_uses_what_allocates_is_told,
            an_allocator_may_start_goroutines,
            a_timer_outlives_the_worker_it_was_made_on,
            who_starts_some_and_sleeps_watches_for_none,
            near_a_worker_that_has_retired_somebody_runs_it,
            destructors_of_thread_locals_may_use_the_runtime,
            goroutines_run_in_handlers_of_atexit,
            main_ends_while_goroutines_run,
            overflow_anywhere_is_reported,
            other_faults_go_to_whoever_handled_them,
            every_use_in_a_forked_child_is_told,
            the_runtime_fits_into_the_smallest_stack,
        ),
    );
}

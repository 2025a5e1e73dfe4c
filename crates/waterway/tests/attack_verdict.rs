//! Attacks on the deadlock verdict: a false alarm is the worst that it can do, silence the second worst.

#[path = "attack/child.rs"]
mod child;

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use child::{DEADLOCK, SOON, command, finish, run};
use waterway::sync::WaitGroup;
use waterway::time::sleep;
use waterway::{Config, DeadlockPolicy, blocking, go, go_local};

fn programs(program: &str) {
    match program {
        "last_words" => last_words(false),
        "last_words_of_a_pool_thread" => last_words(true),
        "waits_for_a_stack" => waits_for_a_stack(),
        "hog_as_sysmon_settles" => hog_as_sysmon_settles(),
        "stuck_at_exit" => stuck_at_exit(),
        "stuck" => never_done().wait(),
        "callback_panics" => callback_panics(),
        "ping_pong" => ping_pong(),
        "main_thread_is_gone" => main_thread_is_gone(),
        "foreign_relay" => foreign_relay(),
        other => panic!("no program {other:?}"),
    }
}

fn never_done() -> WaitGroup {
    let group = WaitGroup::new();
    group.add(1);
    group
}

/// A different number at each call.
fn jitter(below: u64) -> u64 {
    static SEED: AtomicUsize = AtomicUsize::new(1);
    let n = SEED.fetch_add(1, Ordering::Relaxed) as u64;
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % below
}

/// Threads of the program that wait in the runtime for ever: a long list for the judge to read.
fn audience(count: usize) {
    let hold = never_done();
    for _ in 0..count {
        let hold = hold.clone();
        let thread = std::thread::Builder::new().stack_size(64 << 10);
        thread.spawn(move || hold.wait()).unwrap();
    }
}

/// Attack: while the judge looks around, the last thing that runs (a foreign thread, or a waker on a thread of the pool)
/// queues a goroutine and is gone before the judge lists the threads.
/// Outcome: no verdict; the goroutine runs.
fn a_thread_that_spawns_and_ends_is_no_deadlock() {
    let busy = Arc::new(AtomicBool::new(true));
    // Whoever is woken in the program waits for its turn on a core.
    let noise: Vec<_> = (0..std::thread::available_parallelism().unwrap().get())
        .map(|_| {
            let busy = busy.clone();
            std::thread::spawn(move || while busy.load(Ordering::Relaxed) {})
        })
        .collect();
    let outcomes = ["last_words", "last_words_of_a_pool_thread"]
        .map(|p| run(p, &[("WATERWAY_MAX_PROCS", "1")]));
    busy.store(false, Ordering::Relaxed);
    noise.into_iter().for_each(|n| n.join().unwrap());
    for outcome in outcomes {
        outcome.code(0).says_not("deadlock");
    }
}

fn last_words(pool: bool) {
    audience(300);
    // SAFETY: two plain calls, for the calling thread: the only worker. (The class for idle machines would have it wait for seconds.)
    let last_in_line = || unsafe {
        let now = libc::getpriority(libc::PRIO_PROCESS, 0);
        libc::setpriority(libc::PRIO_PROCESS, 0, now + 10)
    };
    assert_eq!(go(last_in_line).join().unwrap(), 0);
    for _ in 0..20 {
        let done = never_done();
        let other = done.clone();
        let pause = Duration::from_micros(19_000 + jitter(7_000));
        if pool {
            drop(go(move || {
                blocking(|| {
                    std::thread::sleep(pause);
                    drop(go(move || other.done()));
                });
            }));
        } else {
            std::thread::spawn(move || {
                std::thread::sleep(pause);
                drop(go(move || other.done()));
            });
        }
        done.wait();
    }
}

/// Attack: a goroutine that must start on its parent's worker has no stack; everybody else is asleep.
/// Outcome: no verdict: the worker tries again until the limit is lifted from outside.
fn waiting_for_a_stack_is_no_deadlock() {
    let env = [("WATERWAY_MAX_PROCS", "1"), ("WATERWAY_CHECK_TLS", "0")];
    let mut child = command("waits_for_a_stack", &env).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    // The program must stay without memory for a while, and nothing in it tells of that.
    std::thread::sleep(Duration::from_millis(400));
    let unlimited = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    let pid = child.id() as libc::pid_t;
    // SAFETY: a plain call with a valid pointer.
    let lifted = unsafe { libc::prlimit(pid, libc::RLIMIT_AS, &unlimited, std::ptr::null_mut()) };
    // It fails if the child has ended, which the outcome tells.
    let outcome = finish(child);
    outcome.code(0).says("queued, until a stack is free");
    assert_eq!((line.as_str(), lifted), ("ready\n", 0));
}

fn waits_for_a_stack() {
    const CHILDREN: usize = 200;
    let parent = go(|| {
        let (all, gate) = (WaitGroup::new(), never_done());
        all.add(CHILDREN as isize);
        let begun = Arc::new(AtomicUsize::new(0));
        println!("ready");
        // Less than a slab of stacks, enough for all else.
        limit_memory(32 << 20);
        for _ in 0..CHILDREN {
            let (all, gate, begun) = (all.clone(), gate.clone(), begun.clone());
            go_local(move || {
                if begun.fetch_add(1, Ordering::Relaxed) + 1 == CHILDREN {
                    gate.done();
                }
                gate.wait();
                all.done();
            });
        }
        all.wait();
    });
    parent.join().unwrap();
}

/// Lets the process have `more` bytes of address space than it has now.
fn limit_memory(more: u64) {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    let limit = libc::rlimit {
        rlim_cur: pages * 4096 + more,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: a plain call with a valid pointer.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
}

/// Attack: a goroutine starts to compute at the moment when sysmon finds that nothing moves and goes to sleep for good.
/// Outcome: sysmon is awake all the same, so that a second goroutine finds a worker.
fn sysmon_does_not_sleep_through_a_start() {
    let env = [("WATERWAY_MAX_PROCS", "1"), ("WATERWAY_HELD_WARN_MS", "0")];
    run("hog_as_sysmon_settles", &env).code(0);
}

fn hog_as_sysmon_settles() {
    audience(1500);
    // A timer that is far away: what waits for it is alive, so sysmon need not look again.
    drop(go(|| sleep(Duration::from_secs(3600))));
    for _ in 0..15 {
        std::thread::sleep(Duration::from_micros(19_000 + jitter(7_000)));
        let seen = Arc::new(AtomicBool::new(false));
        let set = seen.clone();
        let hog = go(move || {
            let begin = Instant::now();
            while !seen.load(Ordering::Relaxed) {
                assert!(begin.elapsed() < SOON, "nobody looks after the held worker");
            }
        });
        drop(go(move || set.store(true, Ordering::Relaxed)));
        // Not a wait of the runtime's: that would wake sysmon.
        while !hog.is_finished() {
            std::thread::sleep(Duration::from_micros(100));
        }
        hog.join().unwrap();
    }
}

/// Attack: the verdict is given, and a handler of `atexit` waits for a goroutine that is part of the deadlock; or the
/// process is at its end already, and the main thread waits in such a handler.
/// Outcome: the report, and the end with status 2.
fn a_verdict_ends_the_process_whatever_its_exit_handlers_do() {
    run("stuck_at_exit", &[]).code(2).says(DEADLOCK);
    run("stuck_at_exit", &[("AT_EXIT", "1")])
        .code(2)
        .says(DEADLOCK);
}

fn stuck_at_exit() {
    extern "C" fn wait() {
        never_done().wait();
    }
    drop(go(|| never_done().wait()));
    // SAFETY: the handler is a plain function.
    unsafe { libc::atexit(wait) };
    if std::env::var_os("AT_EXIT").is_none() {
        never_done().wait();
    }
}

/// Attack: nobody reads standard error any more (`program 2>&1 | head -1`).
/// Outcome: the verdict ends the process all the same.
fn a_verdict_needs_no_standard_error() {
    let mut child = command("stuck", &[]).spawn().unwrap();
    drop(child.stderr.take());
    finish(child).code(2);
}

/// Attack: the program's own function for verdicts panics.
/// Outcome: the runtime goes on: what that function woke runs, and the next deadlock is seen as well.
fn a_callback_that_panics_is_called_again() {
    run("callback_panics", &[])
        .code(0)
        .says("all goroutines are asleep");
}

fn callback_panics() {
    static GROUP: std::sync::OnceLock<WaitGroup> = std::sync::OnceLock::new();
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let policy = DeadlockPolicy::Call(|report| {
        if CALLS.fetch_add(1, Ordering::SeqCst) == 1 {
            std::process::exit(0);
        }
        GROUP.get().unwrap().done();
        panic!("{report}");
    });
    Config::new().on_deadlock(policy).install().unwrap();
    GROUP.get_or_init(never_done).wait();
    never_done().wait();
}

/// Attack: the process is stopped (SIGSTOP) for far longer than sysmon waits, again and again, and goes on.
/// Outcome: no verdict.
fn a_stopped_process_is_no_deadlock() {
    let mut child = command("ping_pong", &[("WATERWAY_HELD_WARN_MS", "0")])
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let pid = child.id() as libc::pid_t;
    for _ in 0..10 {
        // SAFETY: signals to our own child, which is not reaped yet.
        unsafe { libc::kill(pid, libc::SIGSTOP) };
        std::thread::sleep(Duration::from_millis(60));
        // SAFETY: as above.
        unsafe { libc::kill(pid, libc::SIGCONT) };
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(child.stdin.take());
    finish(child).code(0).says_not("deadlock");
}

/// Goroutines and threads that wake each other, until standard input ends.
fn ping_pong() {
    let end = Arc::new(AtomicBool::new(false));
    let (ping, pong) = (waterway::chan::<u32>(0), waterway::chan::<u32>(0));
    let echo = go(move || ping.1.iter().for_each(|n| pong.0.send(n).unwrap()));
    println!("ready");
    let seen = end.clone();
    let reader = std::thread::spawn(move || {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        seen.store(true, Ordering::SeqCst);
    });
    while !end.load(Ordering::SeqCst) {
        ping.0.send(1).unwrap();
        assert_eq!(pong.1.recv(), Ok(1));
    }
    drop(ping.0);
    echo.join().unwrap();
    reader.join().unwrap();
}

/// Attack: the main thread has ended, and nothing else (the system call `exit`); the process lives on in another thread, which wakes a goroutine.
/// Outcome: no verdict before that.
fn a_process_without_its_main_thread_is_judged_rightly() {
    run("main_thread_is_gone", &[]).code(0).says_not("deadlock");
}

fn main_thread_is_gone() {
    let group = never_done();
    let done = group.clone();
    drop(go(move || {
        group.wait();
        std::process::exit(0);
    }));
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        done.done();
    });
    // SAFETY: nothing of this thread's stack is borrowed by others.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

/// Attack: a relay of foreign threads, each of which starts the next and ends; the last one wakes a goroutine. Whenever the
/// judge lists the threads, one of them is just ending and another just beginning.
/// Outcome: no verdict.
fn a_relay_of_foreign_threads_is_no_deadlock() {
    run("foreign_relay", &[]).code(0).says_not("deadlock");
}

fn foreign_relay() {
    fn next(left: usize, end: Instant, done: WaitGroup) {
        if left == 0 || Instant::now() > end {
            return done.done();
        }
        std::thread::spawn(move || next(left - 1, end, done));
    }
    let done = never_done();
    // As many as there is time for, where others have the CPUs.
    next(15_000, Instant::now() + SOON / 6, done.clone());
    done.wait();
}

fn main() {
    let _ = std::io::stdout().flush();
    child::main(
        programs,
        tests!(
            a_thread_that_spawns_and_ends_is_no_deadlock,
            waiting_for_a_stack_is_no_deadlock,
            sysmon_does_not_sleep_through_a_start,
            a_verdict_ends_the_process_whatever_its_exit_handlers_do,
            a_verdict_needs_no_standard_error,
            a_callback_that_panics_is_called_again,
            a_stopped_process_is_no_deadlock,
            a_process_without_its_main_thread_is_judged_rightly,
            a_relay_of_foreign_threads_is_no_deadlock,
        ),
    );
}

//! Attacks on the workers: spares that come and go, goroutines started apart, interruptions, and verdicts that must still come
//! after all that.

#[path = "attack/child.rs"]
mod child;
#[path = "attack_workers/turns.rs"]
mod turns;

use std::future::Future;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use child::{DEADLOCK, SOON, command, finish, run};
use waterway::sync::WaitGroup;
use waterway::time::{Ticker, Timer, sleep};
use waterway::{Builder, JoinHandle, blocking, chan, go, go_local, scope, watch, yield_now};

fn programs(program: &str) {
    match program {
        "spares_come_and_go" => spares_come_and_go(),
        "side_by_side" => side_by_side(),
        "without_a_cpu" => without_a_cpu(),
        "apart_as_it_retires" => apart_as_it_retires(),
        "interrupted" => interrupted(),
        "many_dumps" => many_dumps(),
        "stuck_after_spares" => stuck_after_spares(),
        "stuck_after_a_foreign_thread" => stuck_after_a_foreign_thread(),
        "stuck_after_timers" => stuck_after_timers(),
        "stuck_after_late_locals" => stuck_after_late_locals(),
        "stuck_in_a_scope" => scope(|s| drop(s.go(|| never_done().wait()))),
        "std_parked_executor" => std_parked_executor(),
        other => turns::run_program(other),
    }
}

fn never_done() -> WaitGroup {
    let group = WaitGroup::new();
    group.add(1);
    group
}

fn compute(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        black_box(());
    }
}

/// Joins, and fails where that takes too long. Looks instead of waiting, so that nothing of the runtime is woken by it.
#[track_caller]
fn join_soon<T>(handle: JoinHandle<T>) -> T {
    let begin = Instant::now();
    while !handle.is_finished() {
        assert!(begin.elapsed() < SOON, "it hangs");
        std::thread::sleep(Duration::from_micros(50));
    }
    handle.join().unwrap()
}

const QUIET: (&str, &str) = ("WATERWAY_HELD_WARN_MS", "0");

/// Attack: workers are held again and again, for about as long as it takes to replace them; spares start, get goroutines with
/// timers, locals and wakes from elsewhere, lose their tokens, and retire.
/// Outcome: everything ends.
fn spares_come_and_go_and_nothing_is_lost() {
    let started = ["1", "2"].map(|procs| {
        let env = [("WATERWAY_MAX_PROCS", procs), QUIET];
        command("spares_come_and_go", &env).spawn().unwrap()
    });
    for child in started {
        finish(child).code(0).says_not("deadlock");
    }
}

fn spares_come_and_go() {
    for round in 0..25u64 {
        let (tx, rx) = chan::<u64>(0);
        let mut all: Vec<JoinHandle<()>> = (0..3)
            .map(|i| go(move || compute(Duration::from_millis(9 + 5 * i))))
            .collect();
        for i in 0..20u64 {
            let tx = tx.clone();
            let near = Builder::new().near(&all[i as usize]);
            all.push(near.go(move || {
                let local = go_local(yield_now);
                match i % 4 {
                    0 => sleep(Duration::from_millis(i % 3)),
                    1 => blocking(std::thread::yield_now),
                    2 => compute(Duration::from_micros(500)),
                    _ => yield_now(),
                }
                local.join().unwrap();
                tx.send(i).unwrap();
            }));
        }
        drop(tx);
        all.push(go(move || assert_eq!(rx.iter().sum::<u64>(), 190)));
        all.into_iter().for_each(join_soon);
        // Some spares retire before the next round, some while it begins.
        if round % 8 == 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Attack: one worker starts where four may run, and goroutines hold it, asleep or computing, until all four are there.
/// Outcome: the others come, at once, and again after they have gone.
fn who_holds_a_worker_is_joined_by_as_many_as_may_run() {
    let env = [
        ("WATERWAY_MAX_PROCS", "4"),
        ("WATERWAY_WORKERS", "1"),
        QUIET,
    ];
    run("side_by_side", &env).code(0).says_not("deadlock");
}

fn side_by_side() {
    go(|| ()).join().unwrap();
    for computes in [false, true, false, true] {
        let begin = Instant::now();
        while worker_threads() > 1 {
            assert!(begin.elapsed() < SOON, "they stay");
            std::thread::sleep(Duration::from_millis(1));
        }
        let (asleep, here) = (std::sync::Barrier::new(4), AtomicUsize::new(0));
        let meet = Arc::new(move || match computes {
            false => drop(asleep.wait()),
            true => {
                here.fetch_add(1, Ordering::SeqCst);
                while here.load(Ordering::SeqCst) < 4 {
                    black_box(());
                }
            }
        });
        let start = || {
            let meet = meet.clone();
            go(move || meet())
        };
        let all: Vec<_> = (0..4).map(|_| start()).collect();
        all.into_iter().for_each(join_soon);
    }
}

/// Attack: others have the CPU, and the only worker is put aside again and again for far longer than a time slice, wherever it is. Its
/// goroutines have short turns, and some of them have always not been started yet.
/// Outcome: none of them passes for one that holds it: no spare comes, and nobody is named.
fn who_has_no_cpu_holds_no_worker() {
    let alone = [("WATERWAY_MAX_PROCS", "1"), ("WATERWAY_WORKERS", "1")];
    run("without_a_cpu", &alone).code(0).says_not("has held");
}

fn without_a_cpu() {
    // SAFETY: an all-zero set of CPUs is an empty one; plain calls, for this thread and those that it starts.
    unsafe {
        let mut cpus: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(libc::sched_getcpu() as usize, &mut cpus);
        assert_eq!(libc::sched_setaffinity(0, size_of_val(&cpus), &cpus), 0);
    }
    static END: AtomicBool = AtomicBool::new(false);
    let others = || {
        while !END.load(Ordering::Relaxed) {
            black_box(());
        }
    };
    let others = [others; 2].map(std::thread::spawn);
    // SAFETY: a plain call, for the calling thread.
    let last_in_line = || unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
    assert_eq!(go(last_in_line).join().unwrap(), 0);
    (0..10).for_each(|_| drop(go(turns::relay)));
    std::thread::sleep(Duration::from_secs(1));
    END.store(true, Ordering::Relaxed);
    others.into_iter().for_each(|o| o.join().unwrap());
    assert_eq!(watch::snapshot().workers.len(), 1);
}

/// How many threads are workers.
fn worker_threads() -> usize {
    let names = std::fs::read_dir("/proc/self/task").unwrap();
    // One that ends meanwhile has no name.
    let names =
        names.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    let number = |name: &String| {
        name.strip_prefix("waterway-")
            .is_some_and(|n| n.trim().parse::<u32>().is_ok())
    };
    names.filter(number).count()
}

/// Attack: a spawn site that was caught holding workers starts a goroutine at the very moment when the idle worker that is kept
/// for such sites ends its thread.
/// Outcome: it runs.
fn a_caught_site_finds_a_worker_that_is_about_to_retire() {
    run("apart_as_it_retires", &[("WATERWAY_MAX_PROCS", "1"), QUIET]).code(0);
}

fn apart_as_it_retires() {
    let caught = |holds: bool| {
        go(move || {
            if holds {
                let waits = go_local(|| ());
                compute(Duration::from_millis(150));
                waits.join().unwrap();
            }
            std::thread::current().name().map(String::from)
        })
    };
    // Held for long while another must start there: that is what a site is caught for, when sysmon sees it.
    while join_soon(caught(false)).as_deref() == Some("waterway-0") {
        join_soon(caught(true));
    }
    for round in 0..20u64 {
        std::thread::sleep(Duration::from_micros(99_900 + round * 45));
        assert_ne!(join_soon(caught(false)).as_deref(), Some("waterway-0"));
    }
}

/// Attack: a signal every millisecond interrupts every system call, of workers, sysmon and threads that wait.
/// Outcome: nobody wakes early, and nobody sleeps on.
fn interruptions_change_nothing() {
    run("interrupted", &[]).code(0).says_not("deadlock");
}

fn interrupted() {
    extern "C" fn nothing(_: libc::c_int) {}
    let every = libc::timeval {
        tv_sec: 0,
        tv_usec: 1000,
    };
    let timer = libc::itimerval {
        it_interval: every,
        it_value: every,
    };
    // SAFETY: a handler that does nothing, without SA_RESTART, and a valid timer.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as *const () as libc::sighandler_t;
        assert_eq!(
            libc::sigaction(libc::SIGALRM, &action, std::ptr::null_mut()),
            0
        );
        assert_eq!(
            libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()),
            0
        );
    }
    let end = Instant::now() + Duration::from_millis(500);
    let wait = move || {
        while Instant::now() < end {
            let begin = Instant::now();
            sleep(Duration::from_millis(3));
            assert!(begin.elapsed() >= Duration::from_millis(3));
            let (tx, rx) = chan(0);
            let sender = go(move || tx.send(blocking(|| 1)).unwrap());
            assert_eq!(rx.recv(), Ok(1));
            sender.join().unwrap();
        }
    };
    let thread = std::thread::spawn(wait);
    let handles = [go(wait), Builder::new().dedicated().go(wait)];
    handles.into_iter().for_each(|h| h.join().unwrap());
    wait();
    thread.join().unwrap();
}

/// Attack: dumps are asked for by signal, as fast as signals come, while goroutines come and go.
/// Outcome: the program ends as it would have.
fn a_storm_of_sigquit_is_answered() {
    let mut child = command("many_dumps", &[("WATERWAY_SIGQUIT", "dump"), QUIET])
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    for _ in 0..500 {
        // SAFETY: a signal to our own child, which is not reaped yet.
        unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGQUIT) };
        std::thread::sleep(Duration::from_micros(200));
    }
    drop(child.stdin.take());
    finish(child)
        .code(0)
        .says("SIGQUIT: quit")
        .says("spawned at");
}

fn many_dumps() {
    go(|| ()).join().unwrap();
    println!("ready");
    let input = std::thread::spawn(|| std::io::stdin().lines().count());
    while !input.is_finished() {
        let group = WaitGroup::new();
        (0..50).for_each(|_| group.go(yield_now));
        group.wait();
    }
}

/// Attack: a deadlock comes after spares have come and gone, after the last foreign thread has ended, after timers, after
/// threads that waited in destructors of their locals, in a scope.
/// Outcome: the verdict comes.
fn the_verdict_comes_after_anything() {
    let programs = [
        "stuck_after_spares",
        "stuck_after_a_foreign_thread",
        "stuck_after_timers",
        "stuck_after_late_locals",
        "stuck_in_a_scope",
    ];
    for program in programs {
        run(program, &[("WATERWAY_MAX_PROCS", "1"), QUIET])
            .code(2)
            .says(DEADLOCK);
    }
}

fn stuck_after_spares() {
    let hog = go(|| compute(Duration::from_millis(60)));
    go(|| blocking(|| ())).join().unwrap();
    hog.join().unwrap();
    never_done().wait();
}

fn stuck_after_a_foreign_thread() {
    std::thread::spawn(|| std::thread::sleep(Duration::from_millis(150)));
    never_done().wait();
}

fn stuck_after_timers() {
    let (timer, ticker) = (
        Timer::new(Duration::from_millis(30)),
        Ticker::new(Duration::from_millis(1)),
    );
    timer.channel().recv().unwrap();
    timer.reset(Duration::from_secs(3600));
    go(|| sleep(Duration::from_millis(50))).join().unwrap();
    assert!(timer.stop());
    ticker.stop();
    go(move || timer.channel().recv().is_ok()).join().unwrap();
}

fn stuck_after_late_locals() {
    struct Waits;
    impl Drop for Waits {
        fn drop(&mut self) {
            go(|| sleep(Duration::from_millis(1))).join().unwrap();
        }
    }
    thread_local!(static LOCAL: Waits = const { Waits });
    for _ in 0..20 {
        std::thread::spawn(|| LOCAL.with(|_| ())).join().unwrap();
    }
    never_done().wait();
}

/// Attack: a thread of std is parked in an executor of its own, and what it awaits is a goroutine; who will unpark it is the
/// goroutine's end, who unparks the goroutine is a thread asleep outside of the runtime.
/// Outcome: no verdict.
fn executors_on_foreign_threads_are_no_deadlock() {
    run("std_parked_executor", &[]).code(0).says_not("deadlock");
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn std_parked_executor() {
    let group = never_done();
    let done = group.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(250));
        done.done();
    });
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut handle = pin!(go(move || group.wait()));
    while handle.as_mut().poll(&mut context).is_pending() {
        std::thread::park();
    }
}

fn main() {
    use turns::*;
    child::main(
        programs,
        tests!(
            spares_come_and_go_and_nothing_is_lost,
            who_holds_a_worker_is_joined_by_as_many_as_may_run,
            who_has_no_cpu_holds_no_worker,
            a_caught_site_finds_a_worker_that_is_about_to_retire,
            interruptions_change_nothing,
            a_storm_of_sigquit_is_answered,
            the_verdict_comes_after_anything,
            executors_on_foreign_threads_are_no_deadlock,
            who_waits_behind_a_held_worker_is_found_beside_busy_ones,
            who_comes_from_outside_has_a_turn,
            who_waits_behind_a_held_worker_is_taken_over_together,
            the_last_one_started_comes_first,
            who_was_started_before_those_without_end_has_a_turn,
            who_may_go_elsewhere_has_a_turn_beside_those_who_must_stay,
            a_caught_site_starts_others_beside_one_who_gives_way,
            who_waits_behind_a_held_worker_apart_is_found_beside_busy_ones,
            timers_are_looked_at_beside_long_turns,
            a_line_goes_on_without_who_cannot_come,
        ),
    );
}

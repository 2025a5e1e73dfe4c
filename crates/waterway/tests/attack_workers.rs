//! Attacks on the workers: spares that come and go, goroutines started apart, interruptions, and verdicts that must still come
//! after all that.

#[path = "attack/child.rs"]
mod child;

use std::future::Future;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use child::{DEADLOCK, SOON, command, finish, run};
use waterway::sync::{Mutex, WaitGroup};
use waterway::time::{Ticker, Timer, sleep};
use waterway::{Builder, JoinHandle, blocking, chan, go, go_local, scope, watch, yield_now};

fn programs(program: &str) {
    match program {
        "spares_come_and_go" => spares_come_and_go(),
        "side_by_side" => side_by_side(),
        "apart_as_it_retires" => apart_as_it_retires(),
        "interrupted" => interrupted(),
        "many_dumps" => many_dumps(),
        "stuck_after_spares" => stuck_after_spares(),
        "stuck_after_a_foreign_thread" => stuck_after_a_foreign_thread(),
        "stuck_after_timers" => stuck_after_timers(),
        "stuck_after_late_locals" => stuck_after_late_locals(),
        "stuck_in_a_scope" => scope(|s| drop(s.go(|| never_done().wait()))),
        "std_parked_executor" => std_parked_executor(),
        "behind_one_who_never_rests" => behind_one_who_never_rests(),
        "from_outside_to_a_full_queue" => from_outside_to_a_full_queue(),
        "ten_in_order" => ten_in_order(),
        "before_those_without_end" => before_those_without_end(),
        "behind_locals_without_end" => behind_locals_without_end(),
        "caught_behind_one_who_gives_way" => caught_behind_one_who_gives_way(),
        "near_one_who_is_caught" => near_one_who_is_caught(),
        "timer_beside_long_turns" => timer_beside_long_turns(),
        "first_in_line_behind_who_computes" => first_in_line_behind_a_held_worker(false),
        "first_in_line_behind_who_unlocked" => first_in_line_behind_a_held_worker(true),
        other => panic!("no program {other:?}"),
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

/// Attack: ten goroutines without end, each of which starts its successor, so that the worker has always some that have not started.
/// Meanwhile another worker is held, before one that has not started either.
/// Outcome: that one is taken over.
fn who_waits_behind_a_held_worker_is_found_beside_busy_ones() {
    run(
        "behind_one_who_never_rests",
        &[("WATERWAY_MAX_PROCS", "2"), QUIET],
    )
    .code(0);
}

/// Turns that those had who go on for ever.
static TURNS: AtomicUsize = AtomicUsize::new(0);

/// Starts goroutines on the calling goroutine's worker without end, each by the one before.
fn relay() {
    TURNS.fetch_add(1, Ordering::Relaxed);
    go(relay);
}

/// The same, of goroutines that stay there.
fn local_relay() {
    TURNS.fetch_add(1, Ordering::Relaxed);
    go_local(local_relay);
}

/// Fails if others have very many turns before goroutines that `start` starts, which give their number. (Many they may have, if the
/// caller has no CPU just as it is about to start one.)
#[track_caller]
fn starts_soon(start: impl Fn() -> JoinHandle<usize>) {
    let wait = |_| {
        let before = turns();
        join_soon(start()) - before
    };
    let waits: Vec<usize> = (0..3).map(wait).collect();
    let few = waits.iter().sum::<usize>() < 20_000_000;
    assert!(few, "turns of others before each started: {waits:?}");
}

/// How many turns others had until now.
fn turns() -> usize {
    TURNS.load(Ordering::Relaxed)
}

/// The handle of a goroutine on the worker of that number.
fn on_worker(index: usize) -> JoinHandle<()> {
    loop {
        let name = || std::thread::current().name().map(String::from);
        let (tx, rx) = std::sync::mpsc::channel();
        let handle = Builder::new().spread().go(move || tx.send(name()).unwrap());
        if rx.recv().unwrap() == Some(format!("waterway-{index}")) {
            return handle;
        }
    }
}

fn behind_one_who_never_rests() {
    let busy = on_worker(0);
    (0..10).for_each(|_| drop(Builder::new().near(&busy).go(relay)));
    for _ in 0..8 {
        let held = Builder::new().near(&on_worker(1)).go(|| {
            let waits = go(|| ());
            let begin = Instant::now();
            while !waits.is_finished() && begin.elapsed() < SOON / 2 {
                black_box(());
            }
            waits.is_finished()
        });
        assert!(join_soon(held), "nobody took it over");
    }
}

/// Attack: the queue of the one worker is never empty, since each of its goroutines starts another. A thread starts one.
/// Outcome: it has its turn.
fn who_comes_from_outside_has_a_turn() {
    run(
        "from_outside_to_a_full_queue",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn from_outside_to_a_full_queue() {
    (0..10).for_each(|_| drop(go(relay)));
    std::thread::sleep(Duration::from_millis(5));
    starts_soon(|| go(turns));
}

/// Attack: goroutines that start ten others and wait for them. (If the worker has no CPU for long, a spare takes its part, and some are
/// started elsewhere: so this is tried often.)
/// Outcome: the last one started comes first, so that a tree of goroutines is gone through in depth, with few alive at once.
fn the_last_one_started_comes_first() {
    run("ten_in_order", &[("WATERWAY_MAX_PROCS", "1"), QUIET]).code(0);
}

fn ten_in_order() {
    let order = || {
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let ten = (0..10).map(|n| {
            let order = order.clone();
            go(move || order.lock().unwrap().push(n))
        });
        let ten: Vec<_> = ten.collect();
        ten.into_iter().for_each(|one| one.join().unwrap());
        Arc::into_inner(order).unwrap().into_inner().unwrap()
    };
    let mut all = (0..1000).map(|_| join_soon(go(order)));
    let expected: Vec<_> = (0..10).rev().collect();
    assert!(all.any(|order| order == expected));
}

/// Attack: a goroutine starts one, and then others that start their successors without end, and waits. What was started last comes first.
/// Outcome: the oldest has its turn, and so has the end of a crowd.
fn who_was_started_before_those_without_end_has_a_turn() {
    run(
        "before_those_without_end",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn before_those_without_end() {
    let before = |crowd: usize| {
        (0..crowd).for_each(|_| drop(go(|| ())));
        let first = go(turns);
        (0..10).for_each(|_| drop(go(relay)));
        first
    };
    join_soon(go(move || starts_soon(|| before(0))));
    join_soon(go(move || starts_soon(|| before(1000))));
}

/// Attack: a queue of new goroutines is never empty, by those that must stay where they are.
/// Outcome: the others have their turn.
fn who_may_go_elsewhere_has_a_turn_beside_those_who_must_stay() {
    run(
        "behind_locals_without_end",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn behind_locals_without_end() {
    go(|| (0..10).for_each(|_| drop(go_local(local_relay))));
    std::thread::sleep(Duration::from_millis(5));
    starts_soon(|| go(turns));
}

/// Attack: a goroutine of a site that was caught gives way again and again, on the one worker that is kept for such sites. The site
/// starts another.
/// Outcome: it starts too.
fn a_caught_site_starts_others_beside_one_who_gives_way() {
    run(
        "caught_behind_one_who_gives_way",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn caught_behind_one_who_gives_way() {
    let caught = |how: u8| {
        go(move || match how {
            0 => {
                let waits = go_local(|| ());
                compute(Duration::from_millis(150));
                waits.join().unwrap();
                0
            }
            1 => loop {
                TURNS.fetch_add(1, Ordering::Relaxed);
                yield_now();
            },
            _ => turns(),
        })
    };
    join_soon(caught(0));
    drop(caught(1));
    std::thread::sleep(Duration::from_millis(20));
    starts_soon(|| caught(2));
}

/// Attack: a goroutine is started near one of a caught site, which holds its worker. The others are never without work.
/// Outcome: it starts all the same.
fn who_waits_behind_a_held_worker_apart_is_found_beside_busy_ones() {
    run(
        "near_one_who_is_caught",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn near_one_who_is_caught() {
    let (tx, rx) = std::sync::mpsc::channel();
    let caught = |holds: bool| {
        let tx = tx.clone();
        go(move || {
            if holds {
                let waits = go_local(|| ());
                compute(Duration::from_millis(150));
                return waits.join().unwrap();
            }
            tx.send(()).unwrap();
            compute(Duration::from_secs(60));
        })
    };
    join_soon(caught(true));
    let holds = caught(false);
    rx.recv().unwrap();
    (0..2).for_each(|_| drop(go(relay)));
    join_soon(Builder::new().near(&holds).go(|| ()));
}

/// Attack: several goroutines that live on one worker are first in line at a mutex, others behind them. As it is unlocked, another has
/// that worker to itself; or it unlocks the mutex and then goes on. So the first is woken, or handed the mutex, and cannot come.
/// Outcome: those behind them have their turn.
fn a_line_goes_on_without_who_cannot_come() {
    for program in [
        "first_in_line_behind_who_computes",
        "first_in_line_behind_who_unlocked",
    ] {
        run(program, &[("WATERWAY_MAX_PROCS", "2"), QUIET]).code(0);
    }
}

fn first_in_line_behind_a_held_worker(by_who_unlocks: bool) {
    static LOCK: Mutex<u32> = Mutex::new(0);
    static COMPUTES: AtomicBool = AtomicBool::new(false);
    static OVER: AtomicBool = AtomicBool::new(false);
    let guard = (!by_who_unlocks).then(|| LOCK.lock());
    let (in_line, first_wait) = chan(0);
    let (go_on, told) = chan(0);
    let holder = go(move || {
        let guard = by_who_unlocks.then(|| LOCK.lock());
        let first = [0, 1, 2].map(|before| {
            let who = go_local(|| *LOCK.lock() += 1);
            while waiting_for_a_mutex() <= before {
                yield_now();
            }
            who
        });
        in_line.send(()).unwrap();
        told.recv().unwrap();
        drop(guard);
        COMPUTES.store(true, Ordering::SeqCst);
        while !OVER.load(Ordering::SeqCst) {
            black_box(());
        }
        assert!(first.iter().all(|who| !who.is_finished()));
        first.into_iter().for_each(|who| who.join().unwrap());
    });
    first_wait.recv().unwrap();
    let others = [3, 4].map(|before| {
        let who = std::thread::spawn(|| *LOCK.lock() += 1);
        while waiting_for_a_mutex() <= before {
            std::thread::sleep(Duration::from_micros(50));
        }
        who
    });
    go_on.send(()).unwrap();
    while !COMPUTES.load(Ordering::SeqCst) {
        std::hint::spin_loop();
    }
    drop(guard);
    let begin = Instant::now();
    while !others.iter().all(|who| who.is_finished()) {
        assert!(begin.elapsed() < SOON, "the line stands");
        std::thread::sleep(Duration::from_micros(50));
    }
    OVER.store(true, Ordering::SeqCst);
    join_soon(holder);
    assert_eq!(*LOCK.lock(), 5);
}

/// How many goroutines and threads wait for one.
fn waiting_for_a_mutex() -> usize {
    let mut dump = Vec::new();
    watch::dump(&mut dump).unwrap();
    let dump = String::from_utf8(dump).unwrap();
    dump.matches("[sync.Mutex.Lock").count()
}

/// Attack: many goroutines that compute for less than a time slice, and then give way. Another sleeps for a moment.
/// Outcome: it wakes long before all of them have had many turns.
fn timers_are_looked_at_beside_long_turns() {
    run(
        "timer_beside_long_turns",
        &[("WATERWAY_MAX_PROCS", "1"), QUIET],
    )
    .code(0);
}

fn timer_beside_long_turns() {
    for _ in 0..4 {
        go(|| {
            loop {
                compute(Duration::from_millis(8));
                TURNS.fetch_add(1, Ordering::Relaxed);
                yield_now();
            }
        });
    }
    let sleeper = go(|| {
        let asleep = |_| {
            let before = turns();
            sleep(Duration::from_millis(1));
            turns() - before
        };
        // The first sleeps begin at any point of the round.
        (0..10).map(asleep).skip(2).min()
    });
    let least = join_soon(sleeper).unwrap();
    assert!(least < 15, "always asleep for {least} turns of 8 ms");
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
    child::main(
        programs,
        tests!(
            spares_come_and_go_and_nothing_is_lost,
            who_holds_a_worker_is_joined_by_as_many_as_may_run,
            a_caught_site_finds_a_worker_that_is_about_to_retire,
            interruptions_change_nothing,
            a_storm_of_sigquit_is_answered,
            the_verdict_comes_after_anything,
            executors_on_foreign_threads_are_no_deadlock,
            who_waits_behind_a_held_worker_is_found_beside_busy_ones,
            who_comes_from_outside_has_a_turn,
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

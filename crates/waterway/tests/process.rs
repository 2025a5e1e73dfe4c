//! What only a whole process can show: verdicts, signals, overflow, panics, memory. Each program runs in a child process
//! of this binary (no test harness, so that `main` is a program's own).

#[path = "attack/child.rs"]
mod child;
#[path = "process/outside.rs"]
mod outside;
#[path = "attack/page.rs"]
mod page;
#[path = "process/programs.rs"]
mod programs;

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;

use child::{DEADLOCK, Outcome, command, finish, run, run_all};
use outside::{
    a_deadlock_is_seen_after_the_process_was_stopped,
    a_dump_after_the_report_says_that_it_is_proved, a_goroutine_that_sleeps_for_good_is_told,
    a_goroutine_that_sleeps_in_the_kernel_is_named, a_job_that_waits_for_ever_is_no_hope,
    a_runtime_of_tokio_that_idles_is_no_hope, a_timer_that_nobody_hears_is_no_hope,
    jobs_and_timers_that_come_keep_a_verdict_away, signals_that_may_come_are_named,
    the_pages_show_what_is_told, the_runtime_s_own_threads_are_no_hope,
    threads_that_wait_for_input_are_named, what_time_may_bring_is_named, who_asks_is_no_hope,
};

/// Runs a program that does not end until it has said `text` on standard error. Gives that line.
#[track_caller]
fn run_until(program: &str, env: &[(&str, &str)], text: &str) -> String {
    let mut child = command(program, env).spawn().unwrap();
    let mut said = String::new();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let found = stderr.lines().map(|line| line.unwrap()).find(|line| {
        said.push_str(line);
        line.contains(text)
    });
    // It may have ended by itself, without a word.
    let _ = child.kill();
    child.wait().unwrap();
    found.unwrap_or_else(|| panic!("{program} ended without saying {text:?}, but\n{said}"))
}

/// Sends a signal when the child has printed a line.
fn signal_when_ready(program: &str, env: &[(&str, &str)], signal: i32) -> Outcome {
    let mut child = command(program, env).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let pid = rustix::process::Pid::from_child(&child);
    let signal = rustix::process::Signal::from_named_raw(signal).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
    let outcome = finish(child);
    drop(out);
    outcome
}

fn deadlock_is_fatal_and_names_everyone() {
    let outcome = run("deadlock", &[]);
    outcome.code(2).says(DEADLOCK);
    outcome
        .says("main thread [join")
        .says("waiting for goroutine");
    outcome
        .says("\"stuck\" [sync.WaitGroup.Wait")
        .says("on wait group")
        .says("programs.rs");
    outcome.says("spawned at");
}

/// The threads that serve belong to the runtime: a deadlock of the rest is seen beside them.
fn deadlock_is_seen_beside_a_server() {
    run("deadlock_served", &[]).code(2).says(DEADLOCK);
}

/// A monitor wakes nobody unless it was asked to call somebody.
fn deadlock_is_seen_beside_a_monitor() {
    run("deadlock_monitored", &[]).code(2).says(DEADLOCK);
}

fn a_monitor_says_what_it_measured() {
    run("monitor_logs", &[])
        .code(0)
        .says("\"jobs\", made at crates/waterway/tests/process/programs.rs:")
        .says("is reader-bound: over ")
        .says("readers would need ");
}

/// A dump in the middle of a report ends, and tells the same.
fn dumps_can_be_made_within_a_report() {
    run("dump_in_report", &[]).code(7);
}

fn deadlock_can_be_reported_only() {
    let env = [("WATERWAY_DEADLOCK", "report")];
    let mut child = command("deadlock_reported", &env).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(DEADLOCK) {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
    }
    // If it were to end by that, it would now.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::ALARM).unwrap();
    finish(child).code(0);
}

/// Each kind of wait unwinds, what it waited on can be used again, and the next deadlock is seen again.
fn deadlock_can_panic_in_main() {
    let env = [("WATERWAY_DEADLOCK", "panic-main")];
    for program in ["deadlock_reaps_goroutine", "deadlock_reaps_thread"] {
        let outcome = run(program, &env);
        outcome.code(101).says(DEADLOCK);
        outcome.says("Nothing will ever end the wait of main (chan receive) at");
        outcome.says("programs.rs").says_not("cannot be unwound");
        outcome.says("panicked at crates/waterway/tests/process/reap.rs:");
        outcome.says_not("src/rt/reap.rs");
        assert!(outcome.stdout.contains("destructors ran"), "{program}");
    }
    for program in ["deadlock_in_scope", "deadlock_while_panicking"] {
        let outcome = run(program, &env);
        outcome.code(2).says(DEADLOCK).says("cannot be unwound");
    }
}

fn deadlock_of_plain_threads_and_dedicated_goroutines() {
    run("deadlock_threads", &[])
        .code(2)
        .says(DEADLOCK)
        .says("own thread");
}

/// Threads that the runtime does not know wait for each other, and for goroutines, by std's means.
fn deadlock_is_seen_through_threads_that_sleep_for_ever() {
    for program in [
        "deadlock_std_join",
        "deadlock_std_channel",
        "deadlock_std_park",
    ] {
        run(program, &[])
            .code(2)
            .says(DEADLOCK)
            .says("\nmain thread [asleep outside of this runtime");
    }
    run("deadlock_main_has_lock", &[])
        .code(2)
        .says(DEADLOCK)
        .says(", held by the main thread (locked at ")
        .says("\nmain thread [asleep outside of this runtime");
}

/// Who waits for a context with a deadline is not dead: the clock ends it. Who waits for one whose guard nobody has any more
/// is; and a deadline that was cancelled wakes nobody.
fn contexts_are_judged_by_what_can_end_them() {
    let alive = [
        "alive_context_deadline",
        "alive_context_above",
        "alive_after_func",
    ];
    for outcome in run_all(&alive, &[]) {
        outcome.code(0).says_not("deadlock");
    }
    let outcome = run("deadlock_context", &[]);
    outcome
        .code(2)
        .says(DEADLOCK)
        .says("\"limited\" [chan receive");
    outcome.says("or until context").says("contexts.rs");
    for program in ["deadlock_context_done", "deadlock_context_cancelled"] {
        run(program, &[]).code(2).says(DEADLOCK);
    }
}

fn no_verdict_while_something_outside_lives() {
    let programs = [
        "alive_foreign_thread",
        "alive_sleeper",
        "alive_sleeping_task",
        "alive_task_elsewhere",
        "alive_blocking_job",
        "alive_main",
        "alive_std_timeout",
        "alive_signal_handler",
    ];
    for outcome in run_all(&programs, &[]) {
        outcome.code(0).says_not("deadlock");
    }
}

fn contexts_of_tokio_must_not_be_held_across_a_park() {
    run("context_held_across_a_park", &[])
        .code(0)
        .says("dropped out of order");
}

fn sigquit_prints_and_exits_with_every_worker_held() {
    let outcome = signal_when_ready("spin", &[], libc::SIGQUIT);
    outcome
        .code(2)
        .says("SIGQUIT")
        .says("\"spinner\" [running]")
        .says("spawned at");
}

fn sigquit_can_print_and_go_on() {
    signal_when_ready(
        "spin_a_while",
        &[("WATERWAY_SIGQUIT", "dump")],
        libc::SIGQUIT,
    )
    .code(0)
    .says("SIGQUIT");
}

fn sigquit_is_left_alone_where_the_program_handles_it() {
    signal_when_ready("own_sigquit", &[], libc::SIGQUIT)
        .code(0)
        .says_not("SIGQUIT");
}

fn who_holds_a_worker_is_named() {
    let env = [("WATERWAY_MAX_PROCS", "1"), ("WATERWAY_CHECK_TLS", "0")];
    let waits = "; 1 goroutine waits behind it (goroutine ";
    for (program, what, behind) in [
        ("hold_by_computing", "computing", waits),
        ("hold_by_sleeping", "asleep in the kernel", waits),
        // The one that holds the lock sleeps.
        (
            "hold_by_std_lock",
            "a std lock held by a parked goroutine",
            "",
        ),
    ] {
        let line = run_until(program, &env, "has held worker");
        for part in [
            what,
            behind,
            "\"holder\"",
            "spawned at crates/waterway/tests/process/held.rs",
        ] {
            assert!(line.contains(part), "no {part:?} in {line:?}");
        }
    }
}

fn others_go_on_while_a_worker_is_held() {
    let outcome = run(
        "others_go_on",
        &[("WATERWAY_MAX_PROCS", "1"), ("WATERWAY_HELD_WARN_MS", "0")],
    );
    outcome.code(0).says_not("has held");
}

fn a_spare_shares_its_token() {
    let env = [("WATERWAY_MAX_PROCS", "1"), ("WATERWAY_CHECK_TLS", "0")];
    run("spare_shares_its_token", &env).code(0);
}

fn overflow_names_the_goroutine() {
    let env = [("WATERWAY_STACK_SIZE", "1048576")];
    let outcomes = run_all(&["overflow", "overflow_scope", "overflow_main"], &env);
    let whole = "its stack of 1048576 bytes (its guard of 65536 included)";
    let more = "Builder::stack_size gives this goroutine more, WATERWAY_STACK_SIZE=2097152 all.";
    let limit = "Main and tests have as much as `ulimit -s` allows";
    for (outcome, (who, of, cure)) in outcomes.iter().zip([
        (" deep, ", whole, more),
        ("", whole, more),
        (" main, ", "its stack of ", limit),
    ]) {
        outcome.says("has overflowed its stack of ").says(who);
        outcome.says("spawned at").says(of).says(cure);
        outcome.says("\nfatal error: stack overflow\n");
        assert_eq!(outcome.status.signal(), Some(libc::SIGABRT));
    }
}

fn panics_have_the_outcome_that_is_documented() {
    run("panic_detached", &[])
        .code(0)
        .says("and nobody joined it")
        .says("spawned at");
    run("panic_main", &[]).code(101).says("main panics");
    run("panic_in_hook_does_not_switch", &[]).code(0);
}

fn bad_settings_are_named() {
    let outcome = run("nothing", &[("WATERWAY_MAX_PROCS", "lots")]);
    outcome
        .code(101)
        .says("WATERWAY_MAX_PROCS")
        .says("lots")
        .says("1 to 256");
    let uses = [
        "nothing",
        "first_sleep",
        "first_timer",
        "first_nap",
        "first_count",
    ];
    for program in uses {
        let outcome = run(program, &[("WATERWAY_MAX_PROCS", "lots")]);
        outcome.says("panicked at crates/waterway/tests/process/programs.rs");
    }
    let env = [("WATERWAY_MAXPROCS", "2"), ("WATERWAY_GUARD", "auto")];
    run("nothing", &env)
        .code(0)
        .says("unknown setting WATERWAY_MAXPROCS is ignored; did you mean WATERWAY_MAX_PROCS?\n")
        .says_not("WATERWAY_GUARD");
}

fn a_panic_names_its_goroutine_beside_stds_hook_only() {
    let outcome = run("panic_detached", &[]);
    outcome
        .says("\ngoroutine 1, spawned at crates/waterway/tests/process/programs.rs")
        .says(", panics:\nthread 'waterway-");
    run("panic_with_own_hook", &[])
        .code(0)
        .says("own hook")
        .says_not("panics:");
    run("panic_in_scope", &[])
        .code(101)
        .says("a goroutine of the scope panicked")
        .says_not("nobody joined it");
}

fn a_forked_child_is_told() {
    run("fork", &[]).code(0);
}

fn a_filter_that_takes_the_fence_away_is_named() {
    let outcome = run("sandboxed", &[]);
    outcome.says("refuses membarrier").says("seccomp");
    assert_eq!(outcome.status.signal(), Some(libc::SIGABRT));
}

fn tls_patterns_are_caught() {
    for (program, what) in [
        ("park_in_tls_init", "thread-local"),
        ("park_in_scoped_tls", "ScopedKey"),
    ] {
        let outcome = run(program, &[("WATERWAY_CHECK_TLS", "1")]);
        outcome.says("parks inside").says(what).says("SOUNDNESS.md");
        assert_eq!(outcome.status.signal(), Some(libc::SIGABRT), "{program}");
    }
}

fn memory_falls_after_a_spike() {
    let outcome = run("spike", &[("WATERWAY_CHECK_TLS", "0")]);
    outcome.code(0);
    print!("{}", outcome.stdout);
}

fn main() {
    child::main(
        programs::run,
        tests!(
            deadlock_is_fatal_and_names_everyone,
            deadlock_can_be_reported_only,
            deadlock_is_seen_beside_a_server,
            deadlock_is_seen_beside_a_monitor,
            a_monitor_says_what_it_measured,
            dumps_can_be_made_within_a_report,
            deadlock_can_panic_in_main,
            deadlock_of_plain_threads_and_dedicated_goroutines,
            deadlock_is_seen_through_threads_that_sleep_for_ever,
            contexts_are_judged_by_what_can_end_them,
            no_verdict_while_something_outside_lives,
            a_job_that_waits_for_ever_is_no_hope,
            a_timer_that_nobody_hears_is_no_hope,
            a_runtime_of_tokio_that_idles_is_no_hope,
            the_runtime_s_own_threads_are_no_hope,
            a_deadlock_is_seen_after_the_process_was_stopped,
            a_goroutine_that_sleeps_for_good_is_told,
            jobs_and_timers_that_come_keep_a_verdict_away,
            a_dump_after_the_report_says_that_it_is_proved,
            threads_that_wait_for_input_are_named,
            who_asks_is_no_hope,
            a_goroutine_that_sleeps_in_the_kernel_is_named,
            signals_that_may_come_are_named,
            what_time_may_bring_is_named,
            the_pages_show_what_is_told,
            contexts_of_tokio_must_not_be_held_across_a_park,
            sigquit_prints_and_exits_with_every_worker_held,
            sigquit_can_print_and_go_on,
            sigquit_is_left_alone_where_the_program_handles_it,
            who_holds_a_worker_is_named,
            others_go_on_while_a_worker_is_held,
            a_spare_shares_its_token,
            overflow_names_the_goroutine,
            panics_have_the_outcome_that_is_documented,
            bad_settings_are_named,
            a_panic_names_its_goroutine_beside_stds_hook_only,
            a_forked_child_is_told,
            a_filter_that_takes_the_fence_away_is_named,
            tls_patterns_are_caught,
            memory_falls_after_a_spike,
        ),
    );
}

//! Go's `runtime/crash_test.go`: deadlocks and panics, each in a process of its own. The programs are in
//! `src/bin/program/crash.rs`.

#![forbid(unsafe_code)]

use std::process::Command;

use waterway_conformance::bound;
use waterway_conformance::child::{self, Outcome};

#[track_caller]
fn run(program: &str) -> Outcome {
    child::run(Command::new(env!("CARGO_BIN_EXE_program")).arg(program))
}

const DEADLOCK: &str = "fatal error: all goroutines are asleep - deadlock!\n";

/// The verdict is the first that the process says, and Go's, and so is the status.
#[track_caller]
fn deadlocks(program: &str) -> Outcome {
    let outcome = run(program);
    assert!(outcome.stderr.starts_with(DEADLOCK), "{outcome:?}");
    outcome.code(2).prints("");
    outcome
}

/// Go: TestSimpleDeadlock (crash_test.go), with main as a plain thread and as a goroutine.
#[test]
fn simple_deadlock() {
    let _bound = bound();
    deadlocks("simple_deadlock").says("main thread [select (no cases)");
    deadlocks("simple_deadlock_main_goroutine").says("\"main\" [select (no cases)");
}

/// Go: TestInitDeadlock (crash_test.go).
#[test]
fn init_deadlock() {
    let _bound = bound();
    deadlocks("init_deadlock");
}

/// Go: TestLockedDeadlock, TestLockedDeadlock2 (crash_test.go).
#[test]
fn locked_deadlock() {
    let _bound = bound();
    deadlocks("locked_deadlock").says("[own thread, select (no cases)");
    deadlocks("locked_deadlock2").says("[own thread, select (no cases)");
}

/// Go: TestGoexitDeadlock and the others about `runtime.Goexit` (crash_test.go). There is none; main returns instead, and
/// the process ends with it, whoever is still blocked.
#[test]
fn when_main_returns_all_ends() {
    let _bound = bound();
    run("returned_main").code(0).prints("main returns\n");
}

/// Go: TestStackOverflow (crash_test.go). There status 2 and the limit; here an abort, and who it was (SOUNDNESS.md).
#[test]
fn stack_overflow() {
    let _bound = bound();
    run("stack_overflow")
        .aborted()
        .says("has overflowed its stack")
        .says("spawned at");
}

/// Go: TestMainGoroutineID, TestPanicInlined (crash_test.go): an uncaught panic of main ends the process and says where it
/// was. Status 101 as Rust's, where Go has 2.
#[test]
fn a_panic_of_main_ends_the_process() {
    let _bound = bound();
    for program in ["panic_main_thread", "panic_main_goroutine"] {
        run(program)
            .code(101)
            .says("test")
            .says("src/bin/program/crash.rs");
    }
}

/// Go: any uncaught panic ends the process with status 2. Here a goroutine's ends the goroutine alone, as a thread's does
/// (SOUNDNESS.md, "Ends of the process"); the panic hook has told of it before.
#[test]
fn a_panic_of_a_goroutine_ends_it_alone() {
    let _bound = bound();
    run("panic_detached")
        .code(0)
        .prints("main goes on\n")
        .says("panicked at");
}

/// Go: TestIssue76126 (waitgroup_test.go). There a panic in `WaitGroup.Go` ends the process before `Wait` returns. Here it
/// counts as done, as `WaitGroup::go` documents, and is told.
#[test]
fn a_panic_in_a_wait_group_counts_as_done() {
    let _bound = bound();
    run("panic_in_wait_group")
        .code(0)
        .prints("wait returned\n")
        .says("panicked at");
}

/// Go: TestRecursivePanic, TestRecursivePanic2, TestRecursivePanic5 (crash_test.go). `catch_unwind` stands for `recover`.
#[test]
fn a_caught_panic_may_be_followed_by_others() {
    let _bound = bound();
    run("recursive_panic")
        .code(101)
        .prints("wrap: bad\n")
        .says("again");
}

/// Go: TestRecursivePanic3 (crash_test.go).
#[test]
fn a_deferred_function_may_catch_its_own_panic() {
    let _bound = bound();
    run("recursive_panic3")
        .code(101)
        .says("first panic")
        .says("second panic");
}

/// Go: TestRecursivePanic4 (crash_test.go). There the second panic takes the place of the first; in Rust a panic that leaves
/// a destructor during unwinding ends the process (`defer!`, SOUNDNESS.md).
#[test]
fn a_second_panic_while_unwinding_aborts() {
    let _bound = bound();
    run("recursive_panic4")
        .aborted()
        .prints("")
        .says("first panic")
        .says("second panic");
}

/// Go: TestPanicDeadlockGosched (crash_test.go). A panic whose text gives way while it is printed.
#[test]
fn a_panic_whose_text_yields() {
    let _bound = bound();
    run("panic_that_yields")
        .code(0)
        .says("an error that yields");
}

/// Go: TestPanicDeadlockSyscall (crash_test.go). A panic whose text prints while it is printed.
#[test]
fn a_panic_whose_text_prints() {
    let _bound = bound();
    run("panic_that_prints").code(0).prints("1\n2\n").says("3");
}

/// Go: TestPanicLoop, TestPanicWhilePanicking (crash_test.go). A panic whose text panics ends the process; it does not loop.
#[test]
fn a_panic_whose_text_panics_aborts() {
    let _bound = bound();
    run("panic_loop").aborted();
}

/// Go: TestNoHelperGoroutines (crash_test.go). Timers and jobs show no goroutines of the runtime's own.
#[test]
fn no_helper_goroutines() {
    let _bound = bound();
    run("no_helpers").code(0).prints("nobody\n");
}

/// Go: TestTimerGC (tick_test.go). Timers and tickers of which nobody hears any more are freed. There is no collector to
/// ask; but with one timer left in a heap this were no deadlock.
#[test]
fn timers_that_nobody_hears_are_freed() {
    let _bound = bound();
    deadlocks("no_timers_left").says("main thread [select");
}

//! Proofs of lock cycles: what is proved, how soon, who is named, and what must never be proved; and suspicions. Each program runs in a child process
//! of this binary, with others that go on meanwhile, so that the whole program is not asleep.

#[path = "attack/child.rs"]
mod child;
#[path = "proofs/cycles.rs"]
mod cycles;
#[path = "proofs/rescued.rs"]
mod rescued;
#[path = "proofs/suspects.rs"]
mod suspicions;
#[path = "proofs/watch.rs"]
mod watch;

use std::os::unix::process::ExitStatusExt;

use child::{DEADLOCK, command, finish, run};

fn programs(program: &str) {
    match program {
        "ab_ba" => cycles::ab_ba(),
        "own_lock" => cycles::own_lock(),
        "ring_of_five" => cycles::ring_of_five(),
        "behind_a_cycle" => cycles::behind_a_cycle(),
        "threads_take_part" => cycles::threads_take_part(),
        "dedicated_takes_part" => cycles::dedicated_takes_part(),
        "read_then_write" => cycles::read_then_write(),
        "write_then_read" => cycles::write_then_read(),
        "read_behind_a_writer" => cycles::read_behind_a_writer(),
        "two_rw_locks" => cycles::two_rw_locks(),
        "two_writers" => cycles::two_writers(),
        "once_waits_for_its_caller" => cycles::once_waits_for_its_caller(),
        "join_under_a_lock" => cycles::join_under_a_lock(),
        "joins" => cycles::joins(),
        "a_computing_sibling" => cycles::a_computing_sibling(),
        "a_held_worker_that_comes_to_rest" => cycles::a_held_worker_that_comes_to_rest(),
        "guard_in_a_thread_local" => rescued::guard_in_a_thread_local(),
        "guard_with_a_local_sibling" => rescued::guard_with_a_local_sibling(),
        "guard_in_a_channel" => rescued::guard_in_a_channel(),
        "read_guard_with_a_sibling" => rescued::read_guard_with_a_sibling(),
        "guard_in_a_box" => rescued::guard_in_a_box(),
        "timed_waits" => rescued::timed_waits(),
        "held_by_a_task" => rescued::held_by_a_task(),
        "churn" => rescued::churn(),
        "carried_behind_the_compilers_back" => rescued::carried_behind_the_compilers_back(),
        "guard_on_a_worker_that_blocks_in_a_waker" => {
            rescued::guard_on_a_worker_that_blocks_in_a_waker()
        }
        "lent_guard_of_a_task" => rescued::lent_guard_of_a_task(),
        "whole_program" => cycles::whole_program(),
        "memory_that_cannot_be_read" => suspicions::memory_that_cannot_be_read(),
        "readers_beside_a_stranger" => suspicions::readers_beside_a_stranger(),
        "growing_site" => suspicions::growing_site(),
        "held_worker" => suspicions::held_worker(),
        "lock_across_a_wait" => suspicions::lock_across_a_wait(),
        other => panic!("no program {other:?}"),
    }
}

#[track_caller]
fn passes(program: &str) {
    let started = ["1", "2", "4"].map(|procs| {
        let env = [("WATERWAY_MAX_PROCS", procs), ("WATERWAY_WORKERS", procs)];
        command(program, &env).spawn().unwrap()
    });
    for child in started {
        finish(child).code(0).says_not("verdict was wrong");
    }
}

macro_rules! pass {
    ($($name:ident => $program:literal),* $(,)?) => {
        $(fn $name() { passes($program); })*
    };
}

pass! {
    two_locks_in_both_orders_are_proved => "ab_ba",
    a_lock_taken_twice_is_proved => "own_lock",
    five_philosophers_are_named_in_their_order => "ring_of_five",
    who_waits_behind_a_cycle_is_named_too => "behind_a_cycle",
    a_thread_may_take_part => "threads_take_part",
    a_goroutine_on_its_own_thread_may_take_part => "dedicated_takes_part",
    a_reader_who_writes_is_proved => "read_then_write",
    a_writer_who_reads_is_proved => "write_then_read",
    a_reader_behind_a_writer_is_proved => "read_behind_a_writer",
    two_readers_who_write_are_proved => "two_rw_locks",
    two_writers_are_proved => "two_writers",
    what_cannot_be_read_is_read_again => "memory_that_cannot_be_read",
    readers_are_suspected_while_a_stranger_may_have_the_guard => "readers_beside_a_stranger",
    calls_that_wait_for_each_other_are_proved => "once_waits_for_its_caller",
    a_join_under_a_lock_is_proved => "join_under_a_lock",
    two_that_join_each_other_are_proved => "joins",
    who_computes_elsewhere_is_in_no_way => "a_computing_sibling",
    what_cannot_be_told_is_looked_at_again_when_nothing_moves_any_more => "a_held_worker_that_comes_to_rest",
    a_guard_in_a_thread_local_is_no_proof => "guard_in_a_thread_local",
    a_guard_that_a_local_sibling_has_is_no_proof => "guard_with_a_local_sibling",
    a_guard_in_a_channel_is_no_proof => "guard_in_a_channel",
    a_read_guard_that_a_sibling_has_is_no_proof => "read_guard_with_a_sibling",
    a_guard_in_a_box_is_no_proof => "guard_in_a_box",
    a_task_s_guard_that_was_lent_is_no_proof => "lent_guard_of_a_task",
    waits_with_a_limit_are_no_proof => "timed_waits",
    a_guard_beside_a_worker_that_blocked_is_no_proof => "guard_on_a_worker_that_blocks_in_a_waker",
    a_lock_that_a_task_holds_is_no_proof => "held_by_a_task",
    locks_that_are_fought_for_are_no_proof => "churn",
}

fn a_cycle_is_told_before_the_program_ends_in_its_deadlock() {
    let outcome = run("whole_program", &[]);
    outcome
        .code(2)
        .says(DEADLOCK)
        .says("each waits for a lock that the next one holds");
    let proof = outcome.stderr.find("each waits").unwrap();
    let end = outcome.stderr.find(DEADLOCK).unwrap();
    assert!(proof < end);
    // And no more than named in the report.
    let (proofs, report) = outcome.stderr.split_at(end);
    assert!(proofs.contains("\tholds mutex") && !report.contains("\tholds mutex"));
    assert!(
        report
            .contains("\nproved above: each waits for a lock that the next one holds: goroutine ")
    );
}

fn a_site_whose_goroutines_only_become_more_is_named() {
    run("growing_site", &[]).code(0);
}

fn a_worker_that_is_held_for_long_is_named() {
    run("held_worker", &[]).code(0);
}

fn a_lock_that_is_held_across_a_long_wait_is_named() {
    run("lock_across_a_wait", &[]).code(0);
}

fn a_wrong_verdict_ends_the_process() {
    let outcome = run(
        "carried_behind_the_compilers_back",
        &[("WATERWAY_MAX_PROCS", "1")],
    );
    assert_eq!(
        outcome.status.signal(),
        Some(libc::SIGABRT),
        "{}",
        outcome.stderr
    );
    outcome.says("it waits for a lock that it holds itself");
    outcome.says("a verdict was wrong");
    // Both traces: where the one goes on, and where the other, who has dropped the guard, woke it.
    let (before, after) = outcome
        .stderr
        .split_once(" has woken it, here:")
        .unwrap_or_else(|| panic!("no waker in {}", outcome.stderr));
    let name = "carried_behind_the_compilers_back";
    assert!(
        before.contains("It goes on here:") && before.contains("Mutex"),
        "{before}"
    );
    assert!(
        before.contains(name) && after.contains(name),
        "{}",
        outcome.stderr
    );
    assert!(after.contains("drop"), "{after}");
    assert!(after.contains("Please report it."), "{after}");
}

fn main() {
    child::main(
        programs,
        tests![
            a_lock_that_is_held_across_a_long_wait_is_named,
            a_site_whose_goroutines_only_become_more_is_named,
            a_worker_that_is_held_for_long_is_named,
            locks_that_are_fought_for_are_no_proof,
            two_locks_in_both_orders_are_proved,
            a_lock_taken_twice_is_proved,
            five_philosophers_are_named_in_their_order,
            who_waits_behind_a_cycle_is_named_too,
            a_thread_may_take_part,
            a_goroutine_on_its_own_thread_may_take_part,
            a_reader_who_writes_is_proved,
            a_writer_who_reads_is_proved,
            a_reader_behind_a_writer_is_proved,
            two_readers_who_write_are_proved,
            two_writers_are_proved,
            what_cannot_be_read_is_read_again,
            readers_are_suspected_while_a_stranger_may_have_the_guard,
            calls_that_wait_for_each_other_are_proved,
            a_join_under_a_lock_is_proved,
            two_that_join_each_other_are_proved,
            who_computes_elsewhere_is_in_no_way,
            what_cannot_be_told_is_looked_at_again_when_nothing_moves_any_more,
            a_guard_in_a_thread_local_is_no_proof,
            a_guard_that_a_local_sibling_has_is_no_proof,
            a_guard_in_a_channel_is_no_proof,
            a_read_guard_that_a_sibling_has_is_no_proof,
            a_guard_in_a_box_is_no_proof,
            a_task_s_guard_that_was_lent_is_no_proof,
            waits_with_a_limit_are_no_proof,
            a_lock_that_a_task_holds_is_no_proof,
            a_cycle_is_told_before_the_program_ends_in_its_deadlock,
            a_wrong_verdict_ends_the_process,
            a_guard_beside_a_worker_that_blocked_is_no_proof,
        ],
    );
}

//! Every kernel of `goker` once, by its runner: what blocks is proved and named, or seen as waiting, and reported; what is repaired is
//! not.

use std::process::Command;

use waterway_conformance::bound;

#[track_caller]
fn fine(args: &[&str], rows: usize) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goker"));
    let output = command
        .args(["--runs", "1", "--jobs", "4"])
        .args(args)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let faults = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{faults}");
    assert!(text.lines().count() >= rows, "{text}");
}

/// In 100 % of runs, with all parties, and nothing about what is repaired or prevented.
#[test]
fn who_is_stuck_is_proved_while_others_go_on() {
    let _bound = bound();
    fine(&["--way", "beside", "--together"], 98);
}

/// The kernel as the whole program.
#[test]
fn a_program_that_is_stuck_ends_with_a_report() {
    let _bound = bound();
    fine(&["--way", "alone", "--only", "idiomatic"], 18);
}

/// Where Go is silent.
#[test]
fn a_ticker_that_nobody_can_read_does_not_keep_it_going() {
    let _bound = bound();
    fine(&["--way", "ticker", "--only", "idiomatic"], 18);
}

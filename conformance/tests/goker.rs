//! Every kernel of `goker` once, by its runner: what blocks is proved and named, or seen as waiting, and reported; what is repaired is
//! not.

use std::fs;
use std::path::Path;
use std::process::Command;

use waterway_conformance::goker::Outcome;
use waterway_conformance::{bound, goker};

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
    fine(&["--way", "beside", "--together"], 135);
}

/// The kernel as the whole program.
#[test]
fn a_program_that_is_stuck_ends_with_a_report() {
    let _bound = bound();
    fine(&["--way", "alone", "--only", "idiomatic"], 22);
}

/// What only a stuck goroutine could hear wakes nobody.
#[test]
fn a_ticker_that_nobody_can_read_does_not_keep_it_going() {
    let _bound = bound();
    fine(&["--way", "ticker", "--only", "idiomatic"], 22);
}

/// Its figure stands beside ours.
#[test]
fn every_kernel_has_a_program_in_go() {
    let _bound = bound();
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/goker");
    let files = fs::read_dir(programs).expect("there are programs");
    let texts = files.map(|file| fs::read_to_string(file.expect("a file").path()));
    let table: String = texts.map(|text| text.expect("a file of text")).collect();
    for kernel in goker::all() {
        let entry = format!("\t\"{}\":", kernel.id);
        assert!(table.contains(&entry), "no program for {}", kernel.id);
    }
}

/// What comes of each form, in a word.
#[test]
fn the_page_says_what_is_asked() {
    let _bound = bound();
    let page = include_str!("../../docs/kernels.md");
    for kernel in goker::all() {
        let words = ["idiomatic", "literal", "fixed"].map(|name| {
            let form = kernel.forms.iter().find(|form| form.name == name);
            match form.map(|form| form.outcome) {
                Some(Outcome::Stuck(_)) => "proved",
                Some(Outcome::Waits(_)) => "waits",
                Some(Outcome::Ends) => "ends",
                None => "–",
            }
        });
        let row = format!(
            "| {} | {} | {} |",
            kernel.id,
            kernel.class,
            words.join(" | ")
        );
        assert!(page.contains(&row), "the page does not say {row}");
    }
}

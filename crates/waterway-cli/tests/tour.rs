//! The command as its users see it: arguments, the lines that it prints, its exit status.

use std::process::{Command, Output};

use serde_json::Value;

fn waterway(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waterway"));
    command.args(arguments);
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the command runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn json_is_one_line_for_each_behaviour_in_order() {
    let out = output(&mut waterway(&[
        "tour", "--only", "s14,S4", "--json", "--no-go",
    ]));
    let lines: Vec<Value> = text(&out.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert_eq!(lines.len(), 2, "{out:?}");
    assert_eq!(
        (&lines[0]["id"], &lines[1]["id"]),
        (&"S4".into(), &"S14".into())
    );
    for line in &lines {
        assert_eq!(line["ok"], true, "{line}");
        assert!(
            line["expected"].is_string() && line["seen"].is_string(),
            "{line}"
        );
        assert!(line["ms"].is_u64() && line["figures"].is_object(), "{line}");
        assert!(line.get("go").is_none(), "{line}");
    }
    assert_eq!(out.status.code(), Some(0));
}

#[test]
fn figures_are_numbers() {
    let out = output(&mut waterway(&[
        "tour", "--only", "S8", "--json", "--no-go",
    ]));
    let line: Value = serde_json::from_slice(&out.stdout).expect("a line of JSON");
    assert_eq!(line["figures"]["goroutines_left"], 0, "{line}");
    assert_eq!(line["figures"]["goroutines_leaked"], 1000, "{line}");
}

#[test]
fn text_shows_the_lines_that_ran_and_a_closing_count() {
    let out = output(&mut waterway(&["tour", "--only", "S6", "--no-go"]));
    let stdout = text(&out.stdout);
    for part in [
        "S6  global deadlock is an error\n",
        "      | let (tx, rx) = chan(0);\n",
        "all goroutines are asleep - deadlock!",
        "    ok\n",
        "\n1 of 1 behaviours ok\n",
    ] {
        assert!(stdout.contains(part), "{part:?} is missing in {stdout}");
    }
    assert!(!stdout.contains("tour:begin"), "{stdout}");
    assert_eq!(out.status.code(), Some(0));
}

#[test]
fn a_behaviour_that_fails_is_told_and_ends_with_status_1() {
    let mut command = waterway(&["tour", "--only", "S14", "--no-go"]);
    let out = output(command.env("WATERWAY_MAX_PROCS", "many"));
    let stdout = text(&out.stdout);
    assert!(
        stdout.contains("FAILED") && stdout.contains("\n0 of 1 behaviours ok\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains("WATERWAY_MAX_PROCS"),
        "the cause is missing in {stdout}"
    );
    assert_eq!(out.status.code(), Some(1));
}

#[test]
fn without_a_go_toolchain_it_says_so_and_goes_on() {
    let empty = env!("CARGO_TARGET_TMPDIR");
    let mut command = waterway(&["tour", "--only", "S14"]);
    let out = output(command.env("PATH", empty).env("HOME", empty));
    let stdout = text(&out.stdout);
    // A toolchain in one of the machine's own usual places may still be found.
    assert!(
        stdout.contains("skipped: no Go toolchain") || stdout.contains("go        agrees"),
        "{stdout}"
    );
    assert!(stdout.contains("1 of 1 behaviours ok"), "{stdout}");
    assert_eq!(out.status.code(), Some(0));
}

#[test]
fn wrong_arguments_are_named_and_end_with_status_2() {
    for (arguments, named) in [
        (&["tour", "--only", "S16"][..], "allowed are S1 to S15"),
        (&["tour", "--only", "S6,deadlock"], "'deadlock'"),
        (&["tour", "--go", "/nonexistent/go"], "/nonexistent/go"),
        (&["tour", "--go", "go", "--no-go"], "cannot be used with"),
        (&["detour"], "'detour'"),
    ] {
        let out = output(&mut waterway(arguments));
        let stderr = text(&out.stderr);
        assert!(stderr.contains(named), "{arguments:?}: {stderr}");
        assert!(out.stdout.is_empty(), "{arguments:?}: {out:?}");
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_names_the_tour_and_its_options() {
    let help = output(&mut waterway(&["--help"]));
    assert!(text(&help.stdout).contains("tour"), "{help:?}");
    assert!(!text(&help.stdout).contains("run-example"), "{help:?}");
    let help = output(&mut waterway(&["tour", "--help"]));
    for option in ["--only", "--json", "--go", "--no-go"] {
        assert!(text(&help.stdout).contains(option), "{option}: {help:?}");
    }
}

#[test]
fn what_is_hidden_is_not_suggested() {
    let out = output(&mut waterway(&["overlod"]));
    let stderr = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("a similar subcommand exists: 'overload'"),
        "{stderr}"
    );
    assert!(!stderr.contains("run-"), "{stderr}");
}

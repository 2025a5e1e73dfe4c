//! libtest shows the output of a test that fails. Threads write to the test that was there when they were started, which for those of
//! the runtime is the first one: a test that fails later must say why all the same.

use std::process::Command;

use waterway::scope;

const CHILD: &str = "WATERWAY_TEST_OUTPUT";

/// These fail in the child process only.
fn asked() -> bool {
    std::env::var_os(CHILD).is_some()
}

#[waterway::test]
fn in_child_a_passes() {}

#[waterway::test]
fn in_child_b_fails() {
    if asked() {
        panic!("seven is not eight");
    }
}

#[waterway::test]
fn in_child_c_fails_in_a_scope() {
    scope(|s| {
        s.go(|| assert!(!asked(), "nine is not ten"));
    });
}

#[waterway::test]
fn in_child_d_fails_without_the_hook() {
    if asked() {
        std::panic::resume_unwind(Box::new("eleven is not twelve"));
    }
}

#[test]
fn a_test_that_fails_says_why_in_its_own_output() {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--test-threads=1", "in_child_"])
        .env(CHILD, "1")
        .env_remove("RUST_TEST_NOCAPTURE")
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&out.stdout);
    assert!(out.contains("1 passed; 3 failed"), "{out}");
    let place = "panicked at crates/waterway/tests/test_output.rs:";
    for (name, parts) in [
        ("in_child_b_fails", [place, "seven is not eight"]),
        ("in_child_c_fails_in_a_scope", [place, "nine is not ten"]),
        (
            "in_child_d_fails_without_the_hook",
            ["the test's goroutine panicked", "eleven is not twelve"],
        ),
    ] {
        let head = format!("---- {name} stdout ----");
        let (_, own) = out.split_once(&head).expect("it failed");
        let own = own.split("----").next().unwrap();
        assert!(parts.iter().all(|part| own.contains(part)), "{name}: {out}");
    }
}

//! Real Go as the judge: programs whose outcome is a function of their input only, in Go (`go/`) and here
//! (`src/bin/program/oracle.rs`). What they print is compared byte for byte, and how they end.
//!
//! Without a Go toolchain nothing is compared: a line says so, or, with `WATERWAY_CI=1`, the test fails.

#![forbid(unsafe_code)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::{env, fs};

use waterway_conformance::child::{self, Outcome};
use waterway_conformance::{bound, real_go};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go");

/// The Go programs, in one binary that is built once; or why there is none.
fn go() -> &'static Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(|| real_go::build(".", Path::new(env!("CARGO_TARGET_TMPDIR")), "oracle-go"))
}

/// How a program ended that was left by both.
struct Both {
    go: Outcome,
    ours: Outcome,
}

/// Runs a program in Go and here. `None` without Go.
#[track_caller]
fn both(program: &str) -> Option<Both> {
    let go = match go() {
        Ok(go) => go,
        Err(why) => {
            skipped(program, why);
            return None;
        }
    };
    Some(Both {
        go: child::run(Command::new(go).arg(program)),
        ours: child::run(Command::new(env!("CARGO_BIN_EXE_program")).arg(program)),
    })
}

/// Says that something is not compared, which is an error where it must be.
#[track_caller]
fn skipped(what: &str, why: &str) {
    if env::var_os("WATERWAY_CI").is_some_and(|ci| ci == "1") {
        panic!("{what} cannot be compared with real Go: {why}");
    }
    // Past the harness, which would keep it to itself, and on a line of its own.
    let line = format!("\nskipped: {what} is not compared with real Go: {why}\n");
    let _ = std::io::stdout().write_all(line.as_bytes());
}

/// The same to the last byte, and a good end.
#[track_caller]
fn same(program: &str) {
    if let Some(Both { go, ours }) = both(program) {
        assert_eq!(ours.stdout, go.stdout, "{ours:?}");
        assert_eq!((code(ours.status), code(go.status)), (0, 0));
        assert!(
            !go.stdout.is_empty(),
            "a program that prints nothing shows nothing"
        );
    }
}

/// The same output, then a bad end, whose line about it is the same too if `line`.
#[track_caller]
fn ends(program: &str, [in_go, here]: [i32; 2], line: bool) {
    if let Some(Both { go, ours }) = both(program) {
        assert_eq!(ours.stdout, go.stdout, "{ours:?}");
        assert_eq!(
            (code(go.status), code(ours.status)),
            (in_go, here),
            "{ours:?}"
        );
        if line {
            // A proof of a cycle of locks, which Go has none of, may be told before.
            let fatal = |text: &str| {
                text.lines()
                    .find(|l| l.starts_with("fatal"))
                    .map(String::from)
            };
            assert_eq!(fatal(&ours.stderr), fatal(&go.stderr));
            assert!(fatal(&go.stderr).is_some(), "{go:?}");
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().expect("it ends by itself")
}

/// Primes below 2000 by a chain of some 300 goroutines.
#[test]
fn sieve() {
    let _bound = bound();
    same("sieve");
}

/// Power series by demand, with feedback.
#[test]
fn power_series() {
    let _bound = bound();
    same("power_series");
}

/// Sums of what several send.
#[test]
fn fan_in() {
    let _bound = bound();
    same("fan_in");
}

/// Selects over channels that are closed.
#[test]
fn closed_select() {
    let _bound = bound();
    same("closed_select");
}

/// A token around a ring.
#[test]
fn ring() {
    let _bound = bound();
    same("ring");
}

/// What stopping and resetting timers says.
#[test]
fn timers() {
    let _bound = bound();
    same("timers");
}

/// The order of deferred code.
#[test]
fn defers() {
    let _bound = bound();
    same("defers");
}

/// A sum under a lock.
#[test]
fn mutex_sum() {
    let _bound = bound();
    same("mutex_sum");
}

/// How contexts end, and what they say.
#[test]
fn contexts() {
    let _bound = bound();
    same("contexts");
}

/// The same verdict, and the same status.
#[test]
fn deadlocks() {
    let _bound = bound();
    for program in ["deadlock", "deadlock_send", "deadlock_mutex"] {
        ends(program, [2, 2], true);
    }
}

/// Documented: an uncaught panic ends the process with Rust's status, not with Go's.
#[test]
fn a_panic_of_main() {
    let _bound = bound();
    for program in ["panic_main", "negative_counter"] {
        ends(program, [2, 101], false);
    }
}

/// Documented (SOUNDNESS.md): a goroutine's panic ends it alone, Go's ends the process.
#[test]
fn a_panic_of_a_goroutine() {
    let _bound = bound();
    ends("panic_goroutine", [2, 0], false);
}

/// Documented (`Sender::send`): sending on a closed channel is an error, which main does not expect here; in Go a panic.
#[test]
fn sending_on_a_closed_channel() {
    let _bound = bound();
    ends("send_on_closed", [2, 101], false);
}

/// Documented (`Sender::close`): closing again changes nothing; in Go it panics.
#[test]
fn closing_a_closed_channel() {
    let _bound = bound();
    if let Some(Both { go, ours }) = both("close_closed") {
        assert_eq!((code(go.status), go.stdout.as_str()), (2, ""));
        ours.code(0).prints("closed twice\n");
    }
}

/// Every program of Go's side has a test here.
#[test]
fn every_go_program_is_compared() {
    let _bound = bound();
    let table = fs::read_to_string(format!("{SOURCE}/main.go")).expect("the table of programs");
    let names: Vec<&str> = table
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix('"')?
                .split_once("\":")
                .map(|(name, _)| name)
        })
        .collect();
    assert!(names.len() > 10, "{names:?}");
    let tests = include_str!("oracle.rs");
    for name in names {
        assert!(tests.contains(&format!("{name:?}")), "no test runs {name}");
    }
}

/// The exported names of a package, as `go doc` tells them: `Mutex.Lock` for a method. `None` without Go.
fn names(package: &str) -> Option<Vec<String>> {
    if !real_go::works("go") {
        skipped(
            &format!("the page of names, as to {package},"),
            real_go::NONE,
        );
        return None;
    }
    let doc = child::run(Command::new("go").args(["doc", "-all", package]));
    assert!(doc.status.success(), "{}", doc.stderr);
    let name = |line: &str| {
        let word = |text: &str| {
            let end = text.find(|c: char| !c.is_alphanumeric())?;
            Some(text[..end].to_string())
        };
        let (kind, rest) = line.split_once(' ')?;
        match (kind, rest.strip_prefix('(')) {
            ("func", Some(receiver)) => {
                let (receiver, method) = receiver.split_once(") ")?;
                let of = receiver.rsplit(['*', ' ']).next()?;
                Some(format!("{of}.{}", word(method)?))
            }
            ("func" | "type" | "var" | "const", None) => word(rest),
            _ => None,
        }
    };
    let exported = |name: &String| name.starts_with(char::is_uppercase);
    Some(
        doc.stdout
            .lines()
            .filter_map(name)
            .filter(exported)
            .collect(),
    )
}

/// Packages that are about concurrency in part, and what of each is not, by kind: a type stands for its methods too. (Constants
/// are not asked for: `go doc` names groups of them.)
const LEFT_OUT: &[(&str, &str, &[&str])] = &[
    (
        "time",
        "sums and texts of a `Duration` or a `Time`: std has its own",
        &["Duration.", "Time.", "ParseDuration"],
    ),
    (
        "time",
        "calendars and zones",
        &[
            "Date",
            "FixedZone",
            "LoadLocation",
            "LoadLocationFromTZData",
            "Local",
            "Location",
            "Month",
            "UTC",
            "Unix",
            "UnixMicro",
            "UnixMilli",
            "Weekday",
        ],
    ),
    (
        "time",
        "reading dates",
        &["Parse", "ParseError", "ParseInLocation"],
    ),
    (
        "runtime",
        "the collector and its memory",
        &[
            "GC",
            "KeepAlive",
            "MemProfile",
            "MemProfileRate",
            "MemProfileRecord",
            "MemStats",
            "Pinner",
            "ReadMemStats",
        ],
    ),
    (
        "runtime",
        "frames of the caller's own stack: `Location::caller` and `Backtrace` of std",
        &[
            "Caller",
            "Callers",
            "CallersFrames",
            "Frame",
            "Frames",
            "Func",
            "FuncForPC",
        ],
    ),
    (
        "runtime",
        "the compiler and its tools",
        &[
            "Breakpoint",
            "CPUProfile",
            "Compiler",
            "GOARCH",
            "GOOS",
            "GOROOT",
            "SetCPUProfileRate",
            "SetCgoTraceback",
            "Version",
        ],
    ),
    (
        "runtime",
        "errors of the language, which do not compile here, or are panics",
        &["Error", "TypeAssertionError"],
    ),
    (
        "runtime/debug",
        "the collector and its memory",
        &[
            "FreeOSMemory",
            "GCStats",
            "ReadGCStats",
            "SetGCPercent",
            "SetMemoryLimit",
            "WriteHeapDump",
        ],
    ),
    (
        "runtime/debug",
        "how the program was built",
        &[
            "BuildInfo",
            "BuildSetting",
            "Module",
            "ParseBuildInfo",
            "ReadBuildInfo",
        ],
    ),
];

/// Whether an entry of `LEFT_OUT` means a name: `Time` itself and its methods; `Time.` its methods alone.
fn means(entry: &str, name: &str) -> bool {
    match name.split_once('.') {
        Some((of, _)) => of == entry.trim_end_matches('.'),
        None => name == entry,
    }
}

/// docs/go-names.md says what each name is here, or why there is none.
#[test]
fn every_name_is_on_the_page() {
    let _bound = bound();
    let page = include_str!("../../docs/go-names.md");
    for package in ["context", "sync", "time", "runtime", "runtime/debug"] {
        let Some(names) = names(package) else { return };
        assert!(names.len() > 15, "{names:?}");
        let (_, section) = page
            .split_once(&format!("\n## `{package}`"))
            .expect("a section");
        let section = section.split("\n## ").next().expect("its text");
        let told = |name: &str| section.contains(&format!("`{name}`"));
        let left_out = || LEFT_OUT.iter().filter(|(of, ..)| *of == package);
        for (_, why, entries) in left_out() {
            for entry in *entries {
                let known = names.iter().any(|name| means(entry, name));
                assert!(known, "left out as {why}, and not in {package}: {entry}");
                assert!(!told(entry), "left out as {why}, and on the page: {entry}");
            }
        }
        let missing = |name: &&String| {
            let out = |entry: &&str| means(entry, name);
            !told(name) && !left_out().any(|(_, _, entries)| entries.iter().any(out))
        };
        let missing: Vec<_> = names.iter().filter(missing).collect();
        assert!(
            missing.is_empty(),
            "not in docs/go-names.md: {package} {missing:?}"
        );
    }
}

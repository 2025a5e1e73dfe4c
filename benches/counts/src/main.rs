//! Instructions of the hot paths, compared with what they were: a guard against slipping back that a busy machine does not
//! disturb.
//!
//! `cargo run --release -p waterway-counts` runs each path under callgrind, on one worker, with two numbers of operations;
//! the difference, in which the start cancels, gives instructions an operation. `UPDATE_COUNTS=1` writes them to
//! `expected.txt`.

mod paths;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// How much more a path may take before that is an error, and how much less before the file is out of date.
const TOLERANCE: f64 = 0.05;
/// How often a path is counted again that costs too much.
const RETRIES: usize = 2;
const FEW: u64 = 2_000;
const MANY: u64 = 22_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match &args[..] {
        [] => compare(),
        // In a process of its own, under callgrind.
        [path, n] => walk(path, n),
        _ => Err("no arguments are needed; UPDATE_COUNTS=1 writes the figures anew".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn walk(path: &str, n: &str) -> Result<(), String> {
    let found = paths::ALL.iter().find(|(name, _)| *name == path);
    let (_, work) = found.ok_or_else(|| format!("there is no path {path:?}"))?;
    let n: u64 = n.parse().map_err(|e| format!("{n:?}: {e}"))?;
    let goroutine = waterway::go(move || work(n));
    goroutine.join().map_err(|_| "the path panicked".into())
}

fn compare() -> Result<(), String> {
    let update = std::env::var_os("UPDATE_COUNTS").is_some_and(|v| v == "1");
    let expected = if update { BTreeMap::new() } else { read()? };
    let mut counts = Vec::new();
    let mut wrong = Vec::new();
    for (path, _) in paths::ALL {
        let was = expected.get(*path).copied();
        let mut each = instructions_each(path)?;
        // The monitor looks every few milliseconds, so a path that takes long on a busy machine has more of it in its count:
        // the least of some is the path's own.
        for _ in 0..RETRIES {
            if was.is_none_or(|was| each / was - 1.0 <= TOLERANCE) {
                break;
            }
            each = each.min(instructions_each(path)?);
        }
        let change = was.map(|was| each / was - 1.0);
        let shown = change.map_or("new".into(), |c| format!("{:+.1} %", c * 100.0));
        println!("{path:<12} {each:>7.0} instructions ({shown})");
        if !update && change.is_none_or(|c| c.abs() > TOLERANCE) {
            wrong.push(format!("{path} ({shown})"));
        }
        counts.push((*path, each));
    }
    if update {
        return write(&counts);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "beyond {:.0} % of {}: {}. If that is meant, or better, UPDATE_COUNTS=1 cargo run --release -p waterway-counts \
         writes the file anew",
        TOLERANCE * 100.0,
        file().display(),
        wrong.join(", ")
    ))
}

/// What callgrind counts an operation: what the start costs cancels out.
fn instructions_each(path: &str) -> Result<f64, String> {
    let few = instructions(path, FEW)?;
    Ok((instructions(path, MANY)? - few) / (MANY - FEW) as f64)
}

/// What callgrind counts in a whole run.
fn instructions(path: &str, n: u64) -> Result<f64, String> {
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args([path, &n.to_string()])
        .env("WATERWAY_MAX_PROCS", "1")
        .env("WATERWAY_HELD_WARN_MS", "0")
        .output();
    let done = done.map_err(|e| format!("valgrind: {e} (apt-get install valgrind)"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    if !done.status.success() {
        return Err(format!("{path} under valgrind: {}\n{said}", done.status));
    }
    let count = said
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind told no count:\n{said}"))
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("expected.txt")
}

/// Lines of a name and a count. What begins with `#` is for readers.
fn read() -> Result<BTreeMap<String, f64>, String> {
    let file = file();
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    parse(&text)
}

fn parse(text: &str) -> Result<BTreeMap<String, f64>, String> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let entry = |line: &str| {
        let (name, count) = line.split_once(' ')?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    };
    lines
        .map(|line| entry(line).ok_or_else(|| format!("{line:?} is no name with a count")))
        .collect()
}

fn write(counts: &[(&str, f64)]) -> Result<(), String> {
    let compiler = Command::new("rustc").arg("--version").output();
    let compiler = compiler.map_err(|e| format!("rustc: {e}"))?.stdout;
    let mut text = format!(
        "# Instructions an operation, on one worker. Another compiler makes others; these are from\n# {}\n\
         # Written by UPDATE_COUNTS=1 cargo run --release -p waterway-counts\n",
        String::from_utf8_lossy(&compiler).trim()
    );
    for (path, each) in counts {
        text += &format!("{path} {each:.0}\n");
    }
    let file = file();
    std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_names_with_counts() {
        let read = parse("# told\n\nspawn 400\nyield 90\n").unwrap();
        assert_eq!((read["spawn"], read["yield"], read.len()), (400.0, 90.0, 2));
        assert!(parse("spawn much\n").unwrap_err().contains("spawn much"));
    }

    #[test]
    fn the_file_knows_every_path_and_no_other() {
        let known: Vec<String> = read().unwrap().into_keys().collect();
        let mut names: Vec<&str> = paths::ALL.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(known, names);
    }
}

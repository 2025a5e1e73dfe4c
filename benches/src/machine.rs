//! What the race ran on, and with.

use std::num::NonZeroUsize;
use std::process::Command;

use crate::field::{self, Entrant};

/// The load of the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// How many run at a time.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Bytes that programs can have before the machine runs out of memory; 0 if nobody knows.
pub fn available_memory() -> usize {
    let line = line_of("/proc/meminfo", "MemAvailable");
    let number = line.strip_suffix(" kB").and_then(|n| n.parse().ok());
    number.unwrap_or(0) * 1024
}

/// Names and what is known of each.
pub fn describe(
    field: &[Entrant],
    workers: &[usize],
    (steps, said_by): (usize, &str),
    load_before: String,
) -> Vec<(String, String)> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut facts = vec![
        ("Command".into(), command()),
        (
            "Processor".into(),
            format!(
                "{}, {} cores",
                line_of("/proc/cpuinfo", "model name"),
                cores()
            ),
        ),
        ("Memory".into(), line_of("/proc/meminfo", "MemTotal")),
        ("Kernel".into(), format!("Linux {}", kernel.trim())),
        (
            "Workers of each rival".into(),
            workers
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "A microsecond of work".into(),
            format!("{steps} steps, {said_by}"),
        ),
        (
            "Load before and after".into(),
            format!("{load_before}, {}", load()),
        ),
        ("Rust".into(), said("rustc", &["--version"])),
        (
            "Commit".into(),
            said("git", &["describe", "--always", "--dirty"]),
        ),
    ];
    let lock = std::fs::read_to_string(field::peers().join("Cargo.lock")).unwrap_or_default();
    for entrant in field {
        let versions = match entrant.peer.name {
            "go" => said("go", &["version"]),
            _ => versions(&lock, entrant.peer.packages),
        };
        facts.push((entrant.peer.title.into(), versions));
    }
    facts
}

fn command() -> String {
    let args = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    match args.is_empty() {
        true => "`cargo run --release -p waterway-bench`".into(),
        false => format!("`cargo run --release -p waterway-bench -- {args}`"),
    }
}

fn said(program: &str, args: &[&str]) -> String {
    let said = field::output(Command::new(program).args(args).current_dir(field::root()));
    said.map_or("unknown".into(), |text| text.trim().to_owned())
}

/// What a line `key: value` of a file says.
fn line_of(path: &str, key: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or("unknown".into(), |(_, value)| value.trim().to_owned())
}

/// The packages with the versions that a `Cargo.lock` names.
fn versions(lock: &str, packages: &[&str]) -> String {
    let version = |package: &&str| {
        let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
        let (version, _) = rest.split_once('"')?;
        Some(format!("{package} {version}"))
    };
    let known: Vec<_> = packages.iter().filter_map(version).collect();
    known.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock() {
        let lock = "[[package]]\nname = \"may_queue\"\nversion = \"9.0.0\"\n\n\
                    [[package]]\nname = \"may\"\nversion = \"0.3.51\"\nsource = \"x\"\n";
        assert_eq!(versions(lock, &["may", "tokio"]), "may 0.3.51");
    }
}

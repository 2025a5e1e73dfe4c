//! How the models are run, several at once. They are the tests of this package.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// In a child: the one model that it runs.
pub const CHILD: &str = "WATERWAY_MODEL";

/// The program that runs one model: this one. Each has a process of its own: one that fails leaves threads behind that hold locks, and
/// stacks are mapped and unmapped without end, which threads of one process would wait for each other with.
///
/// # Panics
///
/// If this program has no path any more.
pub fn child(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.env(CHILD, name);
    command
}

/// Runs those models whose name `chosen` likes, as many at once as there are cores: each has one thread that runs at a time.
///
/// # Panics
///
/// With their names, if some failed.
pub fn run(
    names: impl Iterator<Item = &'static str>,
    chosen: impl Fn(&str) -> bool,
    passes: impl Fn(&str) -> bool + Sync,
) {
    let names: Vec<_> = names.filter(|name| chosen(name)).collect();
    let (next, failed) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    std::thread::scope(|s| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            s.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !passes(name) {
                        failed.lock().expect("nobody panics with it").push(*name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nobody panics with it");
    assert!(failed.is_empty(), "failed: {}", failed.join(", "));
}

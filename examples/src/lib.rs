//! What several of the example programs need and none of them is about: the memory that this process holds.

use std::fs;

/// Bytes of memory that this process holds: resident pages, and the page tables that map them.
///
/// # Panics
///
/// Where `/proc/self/status` does not give `VmRSS` and `VmPTE`.
pub fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    kibibytes(&status, "VmRSS:") + kibibytes(&status, "VmPTE:")
}

/// Bytes of memory that may be taken without hurting anyone: what the machine has, or less where a control group says so.
///
/// # Panics
///
/// Where `/proc/meminfo` does not give `MemAvailable`.
pub fn available_bytes() -> usize {
    let machine = fs::read_to_string("/proc/meminfo").expect("/proc is mounted");
    let group = |file| fs::read_to_string(format!("/sys/fs/cgroup/memory.{file}")).ok();
    let bytes = |text: String| text.trim().parse::<usize>().ok();
    let machine = kibibytes(&machine, "MemAvailable:");
    match (
        group("max").and_then(bytes),
        group("current").and_then(bytes),
    ) {
        (Some(most), Some(now)) => machine.min(most.saturating_sub(now)),
        _ => machine,
    }
}

/// How many mappings this process has (`vm.max_map_count` limits them, to 65,530 as a rule).
///
/// # Panics
///
/// Where `/proc/self/maps` cannot be read.
pub fn mappings() -> usize {
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    maps.lines().count()
}

/// How many mappings this process may have.
///
/// # Panics
///
/// Where `/proc/sys/vm/max_map_count` cannot be read.
pub fn most_mappings() -> usize {
    let most = fs::read_to_string("/proc/sys/vm/max_map_count").expect("/proc is mounted");
    most.trim().parse().expect("a number")
}

/// The value, in bytes, of a line such as `VmRSS:     1234 kB`.
fn kibibytes(text: &str, key: &str) -> usize {
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<usize>().ok())
        .unwrap_or_else(|| panic!("no {key} line in /proc"))
        * 1024
}

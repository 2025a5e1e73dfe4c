//! What the kernel says of the memory of this process.

/// Resident pages, and the tables that map them, in bytes.
pub struct Memory {
    pages: usize,
    tables: usize,
}

impl Memory {
    pub fn now() -> Memory {
        Memory {
            pages: field("VmRSS:"),
            tables: field("VmPTE:"),
        }
    }

    /// Tells what came on top of this, for each of `n`.
    pub fn grown_each(&self, n: usize) {
        let now = Memory::now();
        let pages = now.pages.saturating_sub(self.pages) as f64 / n as f64;
        let tables = now.tables.saturating_sub(self.tables) as f64 / n as f64;
        crate::tell("memory each, with page tables", "B", pages + tables);
        crate::tell("of it page tables", "B", tables);
    }
}

/// Tells the most that was ever resident.
pub fn peak() {
    crate::tell("peak memory", "MB", field("VmHWM:") as f64 / 1e6);
}

/// A line of `/proc/self/status`, which counts in KiB.
fn field(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number.and_then(|n| n.parse().ok()).unwrap_or(0) * 1024
}

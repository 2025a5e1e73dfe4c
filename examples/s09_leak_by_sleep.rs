//! S9: goroutine leak by endless sleep. No channel is involved; all that shows is a number that only grows, from one
//! spawn site.

use std::time::Duration;

use waterway::time::sleep;
use waterway::{go, num_goroutines};

/// Prints the number of goroutines after each batch.
pub fn main() {
    for _ in 0..5 {
        for _ in 0..1000 {
            // tour:begin
            go(|| sleep(Duration::from_secs(10_000_000)));
            // tour:end
        }
        println!("live={}", num_goroutines());
    }
    let mut dump = Vec::new();
    waterway::watch::dump(&mut dump).unwrap();
    let dump = String::from_utf8_lossy(&dump);
    let site = dump.lines().filter(|l| l.contains("spawned at") && l.contains("s09_leak_by_sleep.rs")).count();
    println!("of_one_site={site}");
}

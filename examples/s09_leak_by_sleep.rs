//! S9: goroutines that leak by an endless sleep.
//!
//! Each sleeps for 10,000,000 seconds, and a loop starts more and more of them at one place in the program. Today
//! `num_goroutines()` shows the growth; nothing watches it by place of birth yet.

use std::time::Duration;
use waterway::{go, num_goroutines, time};

/// Starts goroutines that never end, and counts them.
#[waterway::main]
pub fn main() {
    let before = num_goroutines();
    // tour:begin
    for round in 1..=5 {
        for _ in 0..100 {
            go(|| time::sleep(Duration::from_secs(10_000_000)));
        }
        time::sleep(Duration::from_millis(100));
        println!(
            "round {round}: {} more than at first",
            num_goroutines() - before
        );
    }
    // tour:end
    println!("goroutines_leaked={}", num_goroutines() - before);
}

//! S1: `go` runs in parallel. Main spins for a second without calling the runtime; the goroutine prints meanwhile.

use std::time::{Duration, Instant};

use waterway::go;

/// Prints hello, then world long before the end.
pub fn main() {
    // tour:begin
    go(|| println!("world"));
    println!("hello");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        // Main computes. The goroutine does not wait for it.
    }
    println!("main ends");
    // tour:end
}

//! S1: `go` runs a function in parallel.
//!
//! Main computes for a whole second without one call into the runtime. "world" is printed meanwhile, before main ends:
//! a goroutine needs no turn to be given to it.

use std::time::{Duration, Instant};
use waterway::go;

/// Prints `world` while main spins.
#[waterway::main]
pub fn main() {
    // tour:begin
    go(|| println!("world"));
    println!("hello");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {}
    println!("main ends");
    // tour:end
}

//! Settings that are not installed, and a goroutine that is not started.

#![deny(unused_must_use)]

use waterway::{Builder, Config};

fn main() {
    Config::new().max_procs(2);
    Builder::new().name("idle");
}

//! Loom models of the ring.

fn main() {}

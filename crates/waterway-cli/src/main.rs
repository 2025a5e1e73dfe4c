//! The `waterway` command.
fn main() {}

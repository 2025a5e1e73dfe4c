//! Nothing to build: `links` needs a build script, and forbids two copies of the runtime in one process.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}

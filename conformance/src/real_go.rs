//! Programs of real Go, where there is a toolchain on `PATH`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::child;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go");

/// Why nothing can be compared where there is no toolchain.
pub const NONE: &str = "no Go toolchain on PATH";

/// Builds a package of `go/` as `directory/name`.
///
/// # Errors
///
/// There is no Go toolchain.
///
/// # Panics
///
/// If there is one and it does not build the program.
pub fn build(package: &str, directory: &Path, name: &str) -> Result<PathBuf, String> {
    if !works("go") {
        return Err(NONE.into());
    }
    // Another process may build the same: each has a file of its own, and only a whole program gets the name.
    let fresh = directory.join(format!("{name}-{}", std::process::id()));
    let program = directory.join(name);
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&fresh).arg(package);
    build.current_dir(SOURCE);
    build.envs([("GOFLAGS", ""), ("GOTOOLCHAIN", "local"), ("GOWORK", "off")]);
    if env::var_os("HOME").is_none() && env::var_os("GOCACHE").is_none() {
        build.env("GOCACHE", directory.join("go-cache"));
    }
    let built = child::run(&mut build);
    assert!(built.status.success(), "{}", built.stderr);
    fs::rename(&fresh, &program).expect("the program gets its name");
    Ok(program)
}

/// A wrapper (as version managers put on `PATH`) may exist and not work.
pub fn works(go: &str) -> bool {
    let mut asked = Command::new(go);
    asked.arg("version").env("GOTOOLCHAIN", "local");
    asked.output().is_ok_and(|out| out.status.success())
}

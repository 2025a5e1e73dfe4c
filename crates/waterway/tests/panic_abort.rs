//! With `panic = "abort"` the first panic ends the process, wherever it happens. That is a setting of the whole program,
//! so the test builds one, beside the workspace's own target directory.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MANIFEST: &str = r#"
[package]
name = "panic-abort"
version = "0.0.0"
edition = "2024"

[[bin]]
name = "panic-abort"
path = "main.rs"

[dependencies]
waterway = { path = "LIBRARY" }

[profile.dev]
panic = "abort"
debug = false

[workspace]
"#;

const PROGRAM: &str = r#"
use waterway::{Builder, chan, go, scope, select};

struct Says;

impl Drop for Says {
    fn drop(&mut self) {
        println!("unwound");
    }
}

fn fail() {
    let _says = Says;
    panic!("no way back");
}

fn main() {
    // Whatever does not panic works as ever.
    let (tx, rx) = chan(0);
    go(move || tx.send(7).unwrap());
    select! { recv(rx) -> v => assert_eq!(v, Ok(7)) }
    println!("before");
    match std::env::args().nth(1).as_deref() {
        Some("goroutine") => drop(Builder::new().name("doomed").go(fail).join()),
        Some("scope") => scope(|s| drop(s.go(fail).join())),
        _ => fail(),
    }
    println!("after");
}
"#;

fn build() -> PathBuf {
    let library = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("panic-abort");
    std::fs::create_dir_all(&dir).unwrap();
    let manifest = MANIFEST.replace("LIBRARY", library.to_str().unwrap());
    std::fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(dir.join("main.rs"), PROGRAM).unwrap();
    // The versions that are there already.
    let lock = library.join("../../Cargo.lock");
    std::fs::copy(lock, dir.join("Cargo.lock")).unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--target-dir"])
        .arg(dir.join("target"))
        .current_dir(&dir)
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{errors}");
    dir.join("target/debug/panic-abort")
}

#[test]
fn the_first_panic_ends_the_process() {
    let program = build();
    for place in ["goroutine", "scope", "main"] {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(&program).arg(place).output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert_eq!(status.signal(), Some(libc::SIGABRT), "{place}: {stderr}");
        assert!(stderr.contains("no way back"), "{place}: {stderr}");
        assert_eq!(String::from_utf8_lossy(&stdout), "before\n", "{place}");
    }
}

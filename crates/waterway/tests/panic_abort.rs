//! With `panic = "abort"` the first panic ends the process, wherever it happens. That is a setting of the whole program,
//! so the test builds one.

mod rustc;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (dir.join("panic_abort.rs"), dir.join("panic_abort"));
    std::fs::write(&source, PROGRAM).unwrap();
    let options = ["-Cpanic=abort", "-o", program.to_str().unwrap()];
    let built = rustc::rustc(&source, options);
    let errors = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{errors}");
    program
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

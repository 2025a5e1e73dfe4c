//! Programs that tests have the compiler look at, with the library that was built for these very tests: that takes a fraction of a
//! second, where a build by cargo makes the library and all that it needs once more.

#![allow(dead_code)] // Each binary uses a part.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `rustc` on `program` (a path from the workspace's root), which may name the library.
pub fn rustc<S: AsRef<OsStr>>(program: &Path, options: impl IntoIterator<Item = S>) -> Output {
    let deps = std::env::current_exe().unwrap();
    let deps = deps.parent().unwrap();
    let mut library = OsStr::new("waterway=").to_owned();
    library.push(newest_library(deps));
    let rustc = std::env::var_os("RUSTC").map(PathBuf::from);
    Command::new(rustc.unwrap_or_else(|| Path::new(env!("CARGO")).with_file_name("rustc")))
        .args(["--edition=2024", "--color=never", "--extern"])
        .arg(library)
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .args(options)
        .arg(program)
        .current_dir(root())
        .output()
        .expect("a compiler beside cargo")
}

/// What was compiled last is of the source as it is now: what this test was linked with is, and it is no newer.
fn newest_library(deps: &Path) -> PathBuf {
    let files = std::fs::read_dir(deps).unwrap().map(|file| file.unwrap());
    let libraries = files.filter(|file| {
        let name = file.file_name();
        let name = name.to_str().unwrap_or_default();
        name.strip_prefix("libwaterway-")
            .is_some_and(|rest| rest.ends_with(".rlib"))
    });
    let newest = libraries.max_by_key(|file| file.metadata().unwrap().modified().unwrap());
    let newest = newest.unwrap_or_else(|| panic!("no libwaterway-*.rlib in {}", deps.display()));
    newest.path()
}

/// The workspace's.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut above = here.ancestors();
    let root = above.find(|dir| dir.join("Cargo.lock").exists());
    root.expect("a workspace").to_owned()
}

/// The programs (paths from the workspace's root, as `package` plus the rest) must not compile, and the compiler must say what the
/// file `.stderr` beside each holds. `UPDATE_UI=1` writes these anew.
#[track_caller]
pub fn refused(package: &str, programs: &[PathBuf]) {
    assert!(!programs.is_empty());
    let mut wrong = Vec::new();
    for program in programs {
        let output = rustc(
            program,
            ["--crate-type=bin", "--emit=metadata", "-o", "/dev/null"],
        );
        let said = String::from_utf8(output.stderr).unwrap();
        let name = program.display();
        if output.status.success() {
            wrong.push(format!("{name} compiles"));
            continue;
        }
        let file = root().join(program).with_extension("stderr");
        let said = comparable(&said, package);
        if std::env::var_os("UPDATE_UI").is_some() {
            std::fs::write(file, &said).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(file).unwrap_or_default();
        if comparable(&expected, package) != said {
            wrong.push(format!(
                "{name}: expected\n{expected}\nbut the compiler says\n{said}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n(UPDATE_UI=1 writes them anew)",
        wrong.join("\n\n")
    );
}

/// Without what changes with each line of the library: places in its source, and the width of the margin. Without the count of
/// errors.
fn comparable(text: &str, package: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut in_library = false;
    for line in text.lines() {
        let mut line = line
            .trim_start()
            .replace("$DIR/", "")
            .replace("$WORKSPACE/", "");
        line = line
            .replace(&format!("{package}/"), "")
            .replace("crates/waterway/src/", "src/");
        if line.starts_with("error: aborting")
            || line.starts_with("For more information")
            || line.starts_with("Some errors have")
        {
            continue;
        }
        if line.starts_with("--> ") {
            in_library = line.starts_with("--> src/");
            if in_library {
                line = line.split(':').next().unwrap().to_owned();
            }
        } else if in_library
            && line
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .starts_with(" |")
        {
            let (_, rest) = line.split_once(" |").unwrap();
            line = format!("|{rest}");
        }
        lines.push(line.trim_end().to_owned());
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

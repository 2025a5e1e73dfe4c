//! What must not compile.

mod rustc;

use std::path::Path;

#[test]
fn misuse_does_not_compile() {
    let package = Path::new("crates/waterway");
    let programs = std::fs::read_dir(rustc::root().join(package).join("tests/ui")).unwrap();
    let programs = programs.map(|file| package.join("tests/ui").join(file.unwrap().file_name()));
    let mut programs: Vec<_> = programs
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect();
    programs.sort();
    rustc::refused("crates/waterway", &programs);
}

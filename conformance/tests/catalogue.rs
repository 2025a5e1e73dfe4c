//! The tables of the README, and the tests that they speak of, each checked against the other.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use waterway_conformance::bound;

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// A test in the source: `file.rs::name`, what stands above it, and its first line.
struct Test {
    path: String,
    doc: String,
    first_lines: String,
}

/// All tests of `tests/`. An attribute that ends in `test]` makes one.
fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for entry in fs::read_dir(Path::new(PACKAGE).join("tests")).expect("there are tests") {
        let path = entry.expect("a file of tests").path();
        let file = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let text = fs::read_to_string(&path).expect("a file of text");
        let lines: Vec<&str> = text.lines().collect();
        for (at, _) in lines.iter().enumerate().filter(|(_, line)| is_test(line)) {
            let signature = at
                + lines[at..]
                    .iter()
                    .position(|line| line.starts_with("fn "))
                    .expect("a function");
            let name = lines[signature][3..].split('(').next().expect("a name");
            let above = lines[..at]
                .iter()
                .rev()
                .take_while(|line| line.starts_with("///"));
            let body = lines[signature + 1..]
                .iter()
                .take_while(|line| **line != "}");
            tests.push(Test {
                path: format!("{file}::{name}"),
                doc: above.copied().collect(),
                first_lines: body.copied().collect::<Vec<_>>().join("\n"),
            });
        }
    }
    assert!(tests.len() > 200, "only {} tests were found", tests.len());
    tests
}

fn is_test(line: &str) -> bool {
    line == "#[test]" || line == "#[waterway::test]"
}

/// The words of the README that look like `file.rs::name`.
fn named() -> BTreeSet<String> {
    let readme = fs::read_to_string(Path::new(PACKAGE).join("README.md")).expect("the README");
    let words = readme.split('`').filter(|word| word.contains(".rs::"));
    words.map(str::to_owned).collect()
}

/// The table cannot name what is gone.
#[test]
fn the_table_names_tests_that_exist() {
    let _bound = bound();
    let tests: BTreeSet<String> = tests().into_iter().map(|test| test.path).collect();
    let gone: Vec<_> = named().difference(&tests).cloned().collect();
    assert!(
        gone.is_empty(),
        "README.md names tests that do not exist: {gone:#?}"
    );
}

/// Nor miss what is new.
#[test]
fn every_test_is_in_the_table() {
    let _bound = bound();
    let tests: BTreeSet<String> = tests().into_iter().map(|test| test.path).collect();
    let missing: Vec<_> = tests.difference(&named()).cloned().collect();
    assert!(missing.is_empty(), "README.md does not name: {missing:#?}");
}

/// A test that may hang must not hang for ever, and a reader must know where it comes from.
#[test]
fn every_test_is_bounded_and_says_whom_it_answers_to() {
    let _bound = bound();
    for test in tests() {
        assert!(
            test.first_lines.contains("let _bound = bound();"),
            "{} is not bounded",
            test.path
        );
        assert!(
            !test.doc.is_empty(),
            "{} does not say what it checks",
            test.path
        );
        let origin = match test.path.split('_').next() {
            Some("go") => "Go: ",
            Some("crossbeam") => "crossbeam: ",
            _ => "",
        };
        assert!(
            test.doc.contains(origin),
            "{} does not name a test of {origin}",
            test.path
        );
    }
}

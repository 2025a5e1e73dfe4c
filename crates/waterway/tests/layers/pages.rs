//! Pages name files that are there: files move, and pages stay behind.

use std::fs;
use std::path::{Path, PathBuf};

use super::source::root;

/// What is there only after a run.
const MADE: &[&str] = &["fuzz/artifacts", "target"];

/// Every page of the workspace, but for what was built.
fn pages(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a readable directory") {
        let path = entry.expect("a directory entry").path();
        let name = path.file_name().expect("it has a name").to_string_lossy();
        if path.is_dir() && name != "target" && name != ".git" {
            pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// What a page names, from the root: the paths in code that begin with a folder of the workspace, and the files that it links to.
fn named(page: &Path, text: &str) -> Vec<PathBuf> {
    let code = text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_path = |code: &&str| {
        let folder = code.split_once('/').map(|(first, _)| root().join(first));
        folder.is_some_and(|folder| folder.is_dir())
            && !code.starts_with('/')
            && !code.contains(|c: char| c.is_whitespace() || "*{<…".contains(c))
    };
    let mut named: Vec<PathBuf> = code.filter(is_path).map(PathBuf::from).collect();
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let is_file = |link: &&str| !link.contains(':') && !link.starts_with('#');
    let folder = page.parent().expect("a page is in a folder");
    named.extend(links.filter(is_file).map(|link| {
        let file = link.split('#').next().unwrap_or_default();
        folder.join(file)
    }));
    named
}

#[test]
fn pages_name_what_is_there() {
    let mut all = Vec::new();
    pages(&root(), &mut all);
    let faults: Vec<String> = all
        .iter()
        .flat_map(|page| {
            let text = fs::read_to_string(page).expect("a readable page");
            let gone = |path: &PathBuf| {
                let made = MADE.iter().any(|made| path.starts_with(made));
                !made && !root().join(path).exists()
            };
            let gone: Vec<PathBuf> = named(page, &text).into_iter().filter(gone).collect();
            gone.into_iter()
                .map(move |path| format!("{}: {}", page.display(), path.display()))
        })
        .collect();
    assert!(all.len() > 10, "pages: {all:?}");
    assert!(faults.is_empty(), "not there:\n  {}", faults.join("\n  "));
}

/// The table of mutants is of those that there are, in the files that they change, and with the outcome that is expected.
#[test]
fn the_table_of_mutants_is_of_mutants() {
    let mutants = fs::read_to_string(root().join("models/mutants.txt")).expect("the mutants");
    let table = fs::read_to_string(root().join("docs/models.md")).expect("the page on models");
    let mut rows = 0;
    for line in table.lines() {
        let cells: Vec<&str> = line
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let [_, name, file, outcome @ ("caught" | "missed"), ..] = cells[..] else {
            continue;
        };
        rows += 1;
        let row = |mutant: &&str| {
            let mut cells = mutant.split('|').map(str::trim);
            cells.next() == Some(name)
                && cells.next() == Some(file)
                && cells.next_back() == Some(outcome)
        };
        assert!(
            mutants.lines().any(|mutant| row(&mutant)),
            "no such mutant: {line}"
        );
    }
    let mutants = mutants
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(rows, mutants.count(), "a mutant has no row");
}

#[test]
fn what_is_gone_is_seen() {
    let page = root().join("docs/page.md");
    let text = "`crates/waterway/gone.rs`, `crates/*`, `cargo test`, [here](decisions.md#a) [there](https://a.b) [x](#y)\n";
    assert_eq!(
        named(&page, text),
        [
            PathBuf::from("crates/waterway/gone.rs"),
            root().join("docs/decisions.md")
        ]
    );
}

//! `SAFETY.md` and the source agree on where `unsafe` stands, and how much of it.
//!
//! `UPDATE_LEDGER=1 cargo test -p waterway --test layers` writes the counts; the reasons are for a person to write.

use std::collections::BTreeMap;
use std::fs;

use crate::source::{self, Source};

const LEDGER: &str = "SAFETY.md";
const NO_REASON: &str = "?";
/// The ledger gives the share of code in per cent; it may be off by this much before it has to be written anew.
const TOLERANCE: usize = 5;

/// `unsafe` of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    blocks: usize,
    impls: usize,
    functions: usize,
}

impl Counts {
    fn of(file: &Source) -> Counts {
        let mut counts = Counts::default();
        let words: Vec<&str> = file
            .tokens()
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "unsafe") {
            match pair[1] {
                "{" => counts.blocks += 1,
                "impl" => counts.impls += 1,
                // Attributes as `#[unsafe(naked)]` count as well: they promise what the compiler cannot check.
                _ => counts.functions += 1,
            }
        }
        counts
    }

    fn is_none(self) -> bool {
        self == Counts::default()
    }
}

/// What `SAFETY.md` says, or should say.
struct Ledger {
    rows: BTreeMap<String, (Counts, String)>,
    share: usize,
}

impl Ledger {
    fn read(text: &str) -> Ledger {
        let rows = text.lines().filter_map(row).collect();
        let share = text.lines().find_map(share).unwrap_or(0);
        Ledger { rows, share }
    }

    /// As the source is, with the reasons of `old`.
    fn of_source(files: &[Source], old: &Ledger) -> Ledger {
        let mut rows = BTreeMap::new();
        let (mut all, mut listed) = (0, 0);
        for file in files {
            let counts = Counts::of(file);
            all += file.code_lines();
            if counts.is_none() {
                continue;
            }
            listed += file.code_lines();
            let reason = old.rows.get(&file.path).map(|(_, reason)| reason.clone());
            let reason = reason.unwrap_or_else(|| NO_REASON.to_owned());
            rows.insert(file.path.clone(), (counts, reason));
        }
        let share = (100 * listed).checked_div(all).unwrap_or(0);
        Ledger { rows, share }
    }

    /// The page with this ledger in the place of the one it has.
    fn written_into(&self, page: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut table_written = false;
        for line in page.lines() {
            if share(line).is_some() {
                lines.push(share_line(self.share));
            } else if row(line).is_none() {
                lines.push(line.to_owned());
            }
            if line.starts_with("| ---") && !table_written {
                table_written = true;
                lines.extend(self.rows.iter().map(|(path, (counts, reason))| {
                    let Counts {
                        blocks,
                        impls,
                        functions,
                    } = counts;
                    format!("| `{path}` | {blocks} | {impls} | {functions} | {reason} |")
                }));
            }
        }
        lines.join("\n") + "\n"
    }
}

/// A row of the table: file, blocks, impls, functions, reason.
fn row(line: &str) -> Option<(String, (Counts, String))> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let ["", path, blocks, impls, functions, reason, ""] = cells[..] else {
        return None;
    };
    let counts = Counts {
        blocks: blocks.parse().ok()?,
        impls: impls.parse().ok()?,
        functions: functions.parse().ok()?,
    };
    Some((
        path.trim_matches('`').to_owned(),
        (counts, reason.to_owned()),
    ))
}

fn share_line(share: usize) -> String {
    format!("Share of all lines of code that stand in these files: {share} %.")
}

fn share(line: &str) -> Option<usize> {
    let (before, _) = share_line(0)
        .split_once('0')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    line.strip_prefix(&before)?
        .strip_suffix(" %.")?
        .parse()
        .ok()
}

#[test]
fn the_ledger_of_unsafe_is_right() {
    let page = source::root().join(LEDGER);
    let text = fs::read_to_string(&page).expect("SAFETY.md at the root of the workspace");
    let written = Ledger::read(&text);
    let real = Ledger::of_source(&source::crate_sources(), &written);
    println!(
        "{} files with unsafe, {} % of the lines of code",
        real.rows.len(),
        real.share
    );

    if std::env::var_os("UPDATE_LEDGER").is_some() {
        fs::write(&page, real.written_into(&text)).expect("SAFETY.md is writable");
    } else {
        let mut faults = Vec::new();
        for (path, (counts, _)) in &real.rows {
            match written.rows.get(path) {
                None => faults.push(format!("{path} has unsafe and no row: {counts:?}")),
                Some((old, _)) if old != counts => {
                    faults.push(format!(
                        "{path}: the ledger says {old:?}, it has {counts:?}"
                    ));
                }
                Some(_) => {}
            }
        }
        for path in written
            .rows
            .keys()
            .filter(|path| !real.rows.contains_key(*path))
        {
            faults.push(format!("{path} has a row and no unsafe"));
        }
        if real.share.abs_diff(written.share) > TOLERANCE {
            faults.push(format!(
                "the share is {} %, the ledger says {} %",
                real.share, written.share
            ));
        }
        assert!(
            faults.is_empty(),
            "{LEDGER} does not fit the source. Look at each change, then UPDATE_LEDGER=1 cargo test -p waterway --test \
             layers\n  {}",
            faults.join("\n  ")
        );
    }
    let unreasoned = real
        .rows
        .iter()
        .filter(|(_, (_, reason))| reason == NO_REASON);
    let unreasoned: Vec<&String> = unreasoned.map(|(path, _)| path).collect();
    assert!(
        unreasoned.is_empty(),
        "say in {LEDGER} why these need unsafe: {unreasoned:?}"
    );
}

/// What a stranger can reach is safe to call.
#[test]
fn nothing_public_is_unsafe() {
    for file in source::sources("crates/waterway/src") {
        for item in ["fn", "trait", "extern"] {
            let lines = file.lines_of(&["pub", "unsafe", item]);
            assert!(
                lines.is_empty(),
                "{}:{lines:?}: `pub unsafe {item}`",
                file.path
            );
        }
    }
}

#[test]
fn the_ledger_is_read_as_it_is_written() {
    let page = format!(
        "# x\n\n| file | b | i | f | why |\n| --- | --- | --- | --- | --- |\n| `gone.rs` | 1 | 0 | 0 | old |\n\n{}\n",
        share_line(3)
    );
    let source = Source::new(
        "a.rs",
        "unsafe impl Send for A {}\nfn f() {\n unsafe { g() } // unsafe {\n}\n",
    );
    let clean = Source::new("b.rs", "fn f() {}\n");
    let real = Ledger::of_source(&[source, clean], &Ledger::read(&page));
    let again = Ledger::read(&real.written_into(&page));
    let counts = Counts {
        blocks: 1,
        impls: 1,
        functions: 0,
    };
    assert_eq!(
        again.rows,
        BTreeMap::from([("a.rs".to_owned(), (counts, NO_REASON.to_owned()))])
    );
    assert_eq!((Ledger::read(&page).share, again.share), (3, 80));
}

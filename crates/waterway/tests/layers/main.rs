//! The layers of the library as data, checked against its source.
//!
//! DO NOT CHANGE THE TABLE TO FIX A BUILD. It is the design; if the design changes, say why in `docs/decisions.md`.

mod ledger;
mod pages;
mod source;

use std::fmt::Write;

use source::{PathUse, Source};

const LIBRARY: &str = "crates/waterway/src/";
const CODE_LINES: usize = 500;

/// Each top module, and the modules that it may import. `lib.rs` may name all.
const LAYERS: &[(&str, &[&str])] = &[
    ("primitives", &[]),
    ("defer", &[]),
    ("guide", &[]),
    ("rt", &["primitives"]),
    ("wait", &["primitives", "rt"]),
    ("chan", &["primitives", "rt", "wait"]),
    ("goroutine", &["primitives", "rt", "wait"]),
    ("sync", &["primitives", "rt", "wait", "goroutine"]),
    ("select", &["primitives", "rt", "wait", "chan"]),
    ("futures", &["chan"]),
    ("time", &["primitives", "rt", "wait", "chan", "goroutine"]),
    (
        "flow",
        &["primitives", "rt", "wait", "chan", "goroutine", "sync"],
    ),
    (
        "context",
        &[
            "primitives",
            "rt",
            "wait",
            "chan",
            "goroutine",
            "sync",
            "time",
            "flow",
        ],
    ),
    (
        "group",
        &[
            "primitives",
            "defer",
            "goroutine",
            "sync",
            "chan",
            "context",
        ],
    ),
    ("watch", &["primitives", "rt", "wait", "goroutine", "flow"]),
];

/// The one way up: what the runtime calls in the layers above it, wired in `lib.rs`.
const WAY_UP: (&str, &str) = ("rt", "HOOKS");

/// What of std may be named in which part of the library alone. A name ends a path or stands inside it.
const PLACES: &[(&[&str], &[&str], &str)] = &[
    (
        &["thread", "park"],
        &["rt"],
        "a blocking call sleeps in `wait`, which goroutines, threads and tasks share",
    ),
    (
        &["thread", "park_timeout"],
        &["rt"],
        "a blocking call sleeps in `wait`, which goroutines, threads and tasks share",
    ),
    (
        &["std", "sync", "Condvar"],
        &["primitives"],
        "it would put a whole worker to sleep; wait through `wait`",
    ),
    (
        &["std", "sync", "Barrier"],
        &["rt"],
        "it would put a whole worker to sleep; wait through `wait`",
    ),
    (
        &["std", "sync", "mpsc"],
        &["rt"],
        "it would put a whole worker to sleep; wait through `wait`",
    ),
    (
        &["std", "sync", "Mutex"],
        &["primitives"],
        "take `primitives::Lock`, which a model checker can replace",
    ),
    (
        &["std", "sync", "RwLock"],
        &["primitives"],
        "take `primitives::Lock`, which a model checker can replace",
    ),
    (
        &["std", "sync", "atomic"],
        &["primitives"],
        "take the atomics of `primitives`, which a model checker can replace",
    ),
];

/// The library's files, but for those that hold only tests.
fn library() -> Vec<Source> {
    let mut files = source::sources("crates/waterway/src");
    files.retain(|file| !file.path.ends_with("/tests.rs"));
    assert!(!files.is_empty(), "no source found in {LIBRARY}");
    files
}

/// `["rt", "arena"]` for `crates/waterway/src/rt/arena.rs`; nothing for `lib.rs`.
fn module_of(file: &Source) -> Vec<String> {
    let path = &file.path[LIBRARY.len()..file.path.len() - ".rs".len()];
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" => Vec::new(),
        _ => path.split('/').map(str::to_owned).collect(),
    }
}

/// The path from the root of the crate, of a path that starts with `crate`, `super` or `self`.
fn absolute(module: &[String], path: &PathUse) -> Option<Vec<String>> {
    let mut at = module.to_vec();
    let mut rest = path.parts.as_slice();
    match rest.first()?.as_str() {
        "crate" => (at, rest) = (Vec::new(), &rest[1..]),
        "self" => rest = &rest[1..],
        "super" => {}
        _ => return None,
    }
    while rest.first().is_some_and(|part| part == "super") {
        at.pop();
        rest = &rest[1..];
    }
    at.extend_from_slice(rest);
    Some(at)
}

fn allowed(module: &str) -> Option<&'static [&'static str]> {
    let row = LAYERS.iter().find(|(name, _)| *name == module);
    row.map(|(_, imports)| *imports)
}

/// What is wrong with the imports of one file.
fn import_faults(file: &Source) -> Vec<String> {
    let module = module_of(file);
    let Some(own) = module.first() else {
        return Vec::new();
    };
    let Some(imports) = allowed(own) else {
        return vec![format!(
            "{}: module `{own}` is not in the table LAYERS: say there what it may import",
            file.path
        )];
    };
    let mut faults = Vec::new();
    for path in file.paths() {
        let Some(target) = absolute(&module, &path) else {
            continue;
        };
        let Some(top) = target.first().filter(|top| *top != own) else {
            continue;
        };
        if (own.as_str(), top.as_str()) == WAY_UP {
            continue;
        }
        let place = format!("{}:{}", file.path, path.line);
        let written = path.parts.join("::");
        if allowed(top).is_none() {
            faults.push(format!(
                "{place}: `{written}` goes through the crate's root: name the module that `{top}` comes from, so that \
                 the layer shows"
            ));
        } else if !imports.contains(&top.as_str()) {
            faults.push(format!(
                "{place}: `{written}`: `{own}` must not import `{top}`, it may import {imports:?} (docs/architecture.md)"
            ));
        }
    }
    faults
}

/// Uses of std outside of the place that the table `PLACES` gives them.
fn place_faults(file: &Source) -> Vec<String> {
    let module = module_of(file);
    let own = module.first().map_or("lib.rs", String::as_str);
    let mut faults = Vec::new();
    for path in file.paths() {
        for (name, places, why) in PLACES {
            let named = path.parts.windows(name.len()).any(|window| window == *name);
            if named && !places.contains(&own) {
                faults.push(format!(
                    "{}:{}: `{}` belongs in {places:?} alone: {why}",
                    file.path,
                    path.line,
                    path.parts.join("::")
                ));
            }
        }
    }
    faults
}

fn report(what: &str, faults: impl IntoIterator<Item = String>) {
    let mut text = String::new();
    for fault in faults {
        writeln!(text, "  {fault}").expect("a string");
    }
    assert!(text.is_empty(), "{what}:\n{text}");
}

#[test]
fn modules_import_what_the_table_allows() {
    report(
        "imports against the layers",
        library().iter().flat_map(import_faults),
    );
}

#[test]
fn the_table_has_no_cycle() {
    // Each row names only rows above it.
    for (index, (module, imports)) in LAYERS.iter().enumerate() {
        for import in *imports {
            let above = LAYERS[..index].iter().any(|(name, _)| name == import);
            assert!(
                above,
                "`{module}` imports `{import}`, which must stand above it in LAYERS"
            );
        }
    }
}

#[test]
fn sleeping_and_locking_have_their_place() {
    report(
        "names of std that are out of place",
        library().iter().flat_map(place_faults),
    );
}

#[test]
fn files_are_short() {
    let long = source::crate_sources().into_iter().filter_map(|file| {
        let lines = file.code_lines();
        (lines > CODE_LINES).then(|| {
            format!(
                "{}: {lines} lines of code, {CODE_LINES} at most: give a part of it a module",
                file.path
            )
        })
    });
    report("files that are too long", long);
}

#[test]
fn the_model_checker_shows_in_one_file() {
    let faults = library().into_iter().flat_map(|file| {
        let elsewhere = !file.path.ends_with("src/primitives.rs");
        let lines = file.lines_of(&["waterway_loom"]);
        let lines = lines.into_iter().filter(move |_| elsewhere);
        lines
            .map(move |line| {
                format!(
                    "{}:{line}: `waterway_loom` belongs in primitives.rs",
                    file.path
                )
            })
            .collect::<Vec<_>>()
    });
    report("cfg(waterway_loom) out of place", faults);
}

#[test]
fn nothing_is_left_unfinished() {
    const MARKS: [&str; 3] = ["todo", "unimplemented", "dbg"];
    let mut faults = Vec::new();
    for file in source::crate_sources() {
        for mark in MARKS {
            for line in file.lines_of(&[mark, "!"]) {
                faults.push(format!("{}:{line}: `{mark}!`", file.path));
            }
        }
    }
    report("unfinished code", faults);
}

/// The judge is judged: each fault must be seen, and nothing else.
#[test]
fn a_fault_is_seen() {
    let faults = |path: &str, text: &str| {
        let file = Source::new(&format!("{LIBRARY}{path}"), text);
        [import_faults(&file), place_faults(&file)].concat()
    };
    let fine = [
        (
            "chan/core.rs",
            "use crate::{primitives::Lock, wait::{Waiter, Wake as W}};",
        ),
        (
            "rt/park.rs",
            "use super::record::WaitKey; fn f() { std::thread::park(); }",
        ),
        (
            "chan/core.rs",
            "// crate::sync::Mutex\nconst S: &str = \"crate::sync\"; const R: &str = r#\"crate::sync\"#;",
        ),
        (
            "chan/core.rs",
            "#[cfg(test)]\nmod tests { use crate::sync::Mutex; }",
        ),
        (
            "select.rs",
            "macro_rules! m { () => { $crate::sync::x() } }",
        ),
        ("sync/mod.rs", "pub use self::condvar::Condvar;"),
    ];
    for (path, text) in fine {
        assert_eq!(faults(path, text), [] as [&str; 0], "{path}: {text}");
    }
    let wrong = [
        ("chan/core.rs", "use crate::sync::Mutex;"),
        (
            "chan/core.rs",
            "use crate::{wait::{Waiter}, select};\nfn f() { let c = '\"'; crate::select::x() }",
        ),
        ("chan/core.rs", "use super::super::sync::Mutex;"),
        ("chan.rs", "fn f<'a>(x: &'a u8) { super::time::sleep(x) }"),
        ("rt/mod.rs", "use crate::wait::Node;"),
        ("sync/mutex.rs", "use crate::Sender;"),
        ("unknown.rs", ""),
        ("sync/mutex.rs", "use std::{thread, sync::{Arc, Condvar}};"),
        (
            "chan/core.rs",
            "use std::thread; fn f() { thread::park_timeout(d) }",
        ),
    ];
    for (path, text) in wrong {
        assert_ne!(faults(path, text), [] as [&str; 0], "{path}: {text}");
    }
}

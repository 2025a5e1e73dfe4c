//! The names of settings in the environment, and what looks like one and is none.

/// Every setting.
pub(super) const ALL: [&str; 7] = [
    "WATERWAY_MAX_PROCS",
    "WATERWAY_STACK_SIZE",
    "WATERWAY_DEADLOCK",
    "WATERWAY_SIGQUIT",
    "WATERWAY_CHECK_TLS",
    "WATERWAY_HELD_WARN_MS",
    "WATERWAY_GUARD",
];

/// By what begins so the project's own tests are told what to do.
const TESTS: [&str; 4] = [
    "WATERWAY_TEST_",
    "WATERWAY_SEED",
    "WATERWAY_STRESS",
    "WATERWAY_FUZZ",
];

/// A line about the variables of the environment that are called as settings are, and are none.
pub(super) fn unknown(names: impl Iterator<Item = String>) -> Option<String> {
    let unknown = names.filter(|name| {
        name.starts_with("WATERWAY_")
            && !ALL.contains(&name.as_str())
            && !TESTS.iter().any(|test| name.starts_with(test))
    });
    let mut unknown: Vec<String> = unknown
        .map(|name| format!("{name} (the nearest is {})", nearest(&name)))
        .collect();
    unknown.sort();
    (!unknown.is_empty()).then(|| {
        format!(
            "waterway: the environment has what is no setting, and is ignored: {}\n",
            unknown.join(", ")
        )
    })
}

fn nearest(name: &str) -> &'static str {
    let near = ALL.iter().min_by_key(|known| distance(name, known));
    near.expect("there are settings")
}

/// How many letters are to be put in, taken out or changed to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_setting_is_told_with_the_nearest() {
        let names = |names: &[&str]| unknown(names.iter().map(|n| n.to_string()));
        assert_eq!(names(&["PATH", "WATERWAY_GUARD", "WATERWAY_TEST_X"]), None);
        let line = names(&["WATERWAY_MAXPROCS", "WATERWAY_STACK", "HOME"]).unwrap();
        assert!(line.contains("WATERWAY_MAXPROCS (the nearest is WATERWAY_MAX_PROCS)"));
        assert!(line.contains("WATERWAY_STACK (the nearest is WATERWAY_"));
        assert!(!line.contains("HOME"));
    }

    #[test]
    fn letters_are_counted() {
        for (a, b, n) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abd", "abc", 1),
            ("ab", "cab", 1),
        ] {
            assert_eq!(distance(a, b), n, "{a} {b}");
        }
    }
}

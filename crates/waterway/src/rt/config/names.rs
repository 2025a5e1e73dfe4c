//! The names of settings in the environment, and what looks like one and is none.

/// Every setting.
pub(super) const ALL: [&str; 8] = [
    "WATERWAY_MAX_PROCS",
    "WATERWAY_WORKERS",
    "WATERWAY_STACK_SIZE",
    "WATERWAY_DEADLOCK",
    "WATERWAY_SIGQUIT",
    "WATERWAY_CHECK_TLS",
    "WATERWAY_HELD_WARN_MS",
    "WATERWAY_GUARD",
];

/// By what begins so the project's own tests are told what to do.
const TESTS: [&str; 6] = [
    "WATERWAY_CI",
    "WATERWAY_MODEL_",
    "WATERWAY_TEST_",
    "WATERWAY_SEED",
    "WATERWAY_STRESS",
    "WATERWAY_FUZZ",
];

/// So many letters may be wrong in a name that is meant to be another.
const WRONG: usize = 3;

/// Lines about the variables of the environment that are called as settings are, and are none.
pub(super) fn unknown(names: impl Iterator<Item = String>) -> Option<String> {
    let mut unknown: Vec<String> = names
        .filter(|name| {
            name.starts_with("WATERWAY_")
                && !ALL.contains(&name.as_str())
                && !TESTS.iter().any(|test| name.starts_with(test))
        })
        .collect();
    unknown.sort();
    let line = |name: &String| {
        let hint = match meant(name) {
            Some(known) => format!("did you mean {known}?"),
            None => format!("the settings are {}", ALL.join(", ")),
        };
        format!("waterway: unknown setting {name} is ignored; {hint}\n")
    };
    (!unknown.is_empty()).then(|| unknown.iter().map(line).collect())
}

fn meant(name: &str) -> Option<&'static str> {
    let near = ALL.iter().min_by_key(|known| distance(name, known));
    near.copied().filter(|near| distance(name, near) <= WRONG)
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
    fn what_is_no_setting_is_told_with_what_may_be_meant() {
        let names = |names: &[&str]| unknown(names.iter().map(|n| n.to_string()));
        assert_eq!(names(&["PATH", "WATERWAY_GUARD", "WATERWAY_TEST_X"]), None);
        assert_eq!(
            names(&["WATERWAY_MAXPROCS", "WATERWAY_FOO", "HOME"]).unwrap(),
            "waterway: unknown setting WATERWAY_FOO is ignored; the settings are WATERWAY_MAX_PROCS, WATERWAY_WORKERS, \
             WATERWAY_STACK_SIZE, WATERWAY_DEADLOCK, WATERWAY_SIGQUIT, WATERWAY_CHECK_TLS, WATERWAY_HELD_WARN_MS, WATERWAY_GUARD\n\
             waterway: unknown setting WATERWAY_MAXPROCS is ignored; did you mean WATERWAY_MAX_PROCS?\n"
        );
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

//! What the environment may say, written down apart from the code that reads it. The fuzzer includes this file too.

use std::ffi::OsString;

/// Each variable, what is said to be allowed, and whether a value is.
pub type Rule = (&'static str, &'static str, fn(&str) -> bool);
pub const RULES: [Rule; 8] = [
    ("WATERWAY_MAX_PROCS", "1 to 256", |v| {
        v.parse::<u128>().is_ok_and(|n| (1..=256).contains(&n))
    }),
    ("WATERWAY_WORKERS", "1 to 256", |v| {
        v.parse::<u128>().is_ok_and(|n| (1..=256).contains(&n))
    }),
    ("WATERWAY_STACK_SIZE", "131072 to 1073741824", |v| {
        v.parse::<u128>()
            .is_ok_and(|n| (131_072..=1_073_741_824).contains(&n))
    }),
    ("WATERWAY_HELD_WARN_MS", "milliseconds", |v| {
        v.parse::<u64>().is_ok()
    }),
    ("WATERWAY_GUARD", "\"auto\" or \"mprotect\"", |v| {
        ["auto", "mprotect"].contains(&v)
    }),
    ("WATERWAY_CHECK_TLS", "\"0\" or \"1\"", |v| {
        ["0", "1"].contains(&v)
    }),
    ("WATERWAY_SIGQUIT", "\"exit\" or \"dump\" or \"off\"", |v| {
        ["exit", "dump", "off"].contains(&v)
    }),
    (
        "WATERWAY_DEADLOCK",
        "\"fatal\" or \"report\" or \"panic-main\"",
        |v| ["fatal", "report", "panic-main"].contains(&v),
    ),
];

/// The value of a variable, where there is one value for each rule.
pub fn value_of(name: &str, values: &[Option<OsString>; 8]) -> Option<OsString> {
    let at = RULES.iter().position(|rule| rule.0 == name);
    values[at.expect("each variable that is read has a rule")].clone()
}

/// Whether the outcome of reading these values is right: the number of workers and the size of stacks, or what the error says.
pub fn judge(
    values: &[Option<OsString>; 8],
    outcome: Result<(usize, usize), String>,
) -> Result<(), String> {
    let is_bad = |(rule, value): &(&Rule, &Option<OsString>)| {
        let fits = |v: &OsString| v.is_empty() || v.to_str().is_some_and(rule.2);
        !value.as_ref().is_none_or(fits)
    };
    let bad: Vec<_> = RULES.iter().zip(values).filter(is_bad).collect();
    match outcome {
        Ok(_) if !bad.is_empty() => Err(format!("{bad:?} was taken")),
        Ok((procs, stack)) => {
            let fits = (1..=256).contains(&procs)
                && (131_072..=1_073_741_824).contains(&stack)
                && stack % 4096 == 0;
            fits.then_some(())
                .ok_or_else(|| format!("{procs} workers, stacks of {stack} bytes"))
        }
        Err(text) => {
            let is_named = |(rule, value): &(&Rule, &Option<OsString>)| {
                let value = value.as_ref().map(|value| value.to_string_lossy());
                let value = format!("{:?}", value.unwrap_or_default());
                [rule.0, rule.1, &value]
                    .iter()
                    .all(|part| text.contains(part))
            };
            let named = bad.iter().any(is_named);
            named
                .then_some(())
                .ok_or_else(|| format!("{text:?} for {bad:?}"))
        }
    }
}

//! Which settings are taken, and what is said of the others.

use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;

use super::*;

fn env(name: &'static str, value: &'static str) -> Result<Config, ConfigError> {
    Config::new().with_env(|n| (n == name).then(|| value.into()))
}

#[test]
fn good_values_are_taken() {
    assert_eq!(env("WATERWAY_MAX_PROCS", "3").unwrap().max_procs, 3);
    assert_eq!(
        env("WATERWAY_STACK_SIZE", "131072").unwrap().stack_size,
        131072
    );
    assert_eq!(
        env("WATERWAY_STACK_SIZE", "200001").unwrap().stack_size,
        200_704
    );
    assert_eq!(
        env("WATERWAY_GUARD", "mprotect").unwrap().guard,
        Guard::Mprotect
    );
    assert_eq!(
        env("WATERWAY_SIGQUIT", "dump").unwrap().sigquit,
        SigquitPolicy::Dump
    );
    assert!(env("WATERWAY_CHECK_TLS", "1").unwrap().check_tls);
    assert!(matches!(
        env("WATERWAY_DEADLOCK", "report").unwrap().deadlock,
        DeadlockPolicy::Report
    ));
    assert!(matches!(
        env("WATERWAY_DEADLOCK", "panic-main").unwrap().deadlock,
        DeadlockPolicy::PanicMain
    ));
    assert!(
        env("WATERWAY_MAX_PROCS", "").is_ok(),
        "an empty variable counts as unset"
    );
}

#[test]
fn bad_values_name_variable_value_and_what_is_allowed() {
    for (name, value, allowed) in [
        ("WATERWAY_MAX_PROCS", "many", "1 to 256"),
        ("WATERWAY_MAX_PROCS", "-1", "1 to 256"),
        ("WATERWAY_STACK_SIZE", "1k", "131072"),
        ("WATERWAY_GUARD", "none", "\"mprotect\""),
        ("WATERWAY_SIGQUIT", "print", "\"dump\""),
        ("WATERWAY_DEADLOCK", "ignore", "\"report\""),
        ("WATERWAY_CHECK_TLS", "yes", "\"1\""),
        ("WATERWAY_HELD_WARN_MS", "soon", "milliseconds"),
    ] {
        let text = env(name, value).unwrap_err().to_string();
        assert!(
            text.contains(name) && text.contains(value) && text.contains(allowed),
            "{text}"
        );
    }
    let text = Config::new()
        .max_procs(0)
        .with_env(|_| None)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("max_procs is 0") && text.contains("1 to 256"),
        "{text}"
    );
}

/// Each variable, what is said to be allowed, and whether a value is.
type Rule = (&'static str, &'static str, fn(&str) -> bool);
const RULES: [Rule; 7] = [
    ("WATERWAY_MAX_PROCS", "1 to 256", |v| {
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

/// What somebody might write: near misses, numbers about the limits, and anything.
fn value() -> impl Strategy<Value = OsString> {
    let word = "(auto|mprotect|exit|dump|off|fatal|report|panic-main|0|1|on|true|call)";
    let near = [0u128, 1, 256, 131_072, 1 << 30, 1 << 32, 1 << 63, 1 << 64];
    let near = prop::sample::select(near.to_vec());
    prop_oneof![
        4 => proptest::string::string_regex(word).unwrap().prop_map(OsString::from),
        1 => proptest::string::string_regex(&format!(" ?[A-Z]?{word}[ \n]?")).unwrap().prop_map(OsString::from),
        4 => (near, -2i128..3).prop_map(|(n, d)| (n as i128 + d).to_string().into()),
        1 => proptest::string::string_regex("[+-]?0?[0-9]{1,22}[kKmM_.]?").unwrap().prop_map(OsString::from),
        1 => any::<String>().prop_map(OsString::from),
        1 => any::<Vec<u8>>().prop_map(OsString::from_vec),
    ]
}

proptest! {
    #[test]
    fn every_value_is_taken_or_named(values in prop::array::uniform7(prop::option::weighted(0.3, value()))) {
        let is_bad = |(rule, value): &(&Rule, &Option<OsString>)| {
            let fits = |v: &OsString| v.is_empty() || v.to_str().is_some_and(rule.2);
            !value.as_ref().is_none_or(fits)
        };
        let bad: Vec<_> = RULES.iter().zip(&values).filter(is_bad).collect();
        let get = |name: &str| values[RULES.iter().position(|rule| rule.0 == name).unwrap()].clone();
        match Config::new().with_env(get) {
            Ok(config) => {
                prop_assert!(bad.is_empty(), "{bad:?} was taken: {config:?}");
                prop_assert!(MAX_PROCS.contains(&config.max_procs));
                prop_assert!(STACK_SIZE.contains(&config.stack_size) && config.stack_size % 4096 == 0);
            }
            Err(error) => {
                let text = error.to_string();
                let is_named = |(rule, value): &(&Rule, &Option<OsString>)| {
                    let value = value.as_ref().unwrap().to_string_lossy();
                    [rule.0, rule.1, &format!("{value:?}")].iter().all(|part| text.contains(part))
                };
                prop_assert!(bad.iter().any(is_named), "{text:?} for {bad:?}");
            }
        }
    }

    #[test]
    fn every_setting_is_taken_or_named(
        procs in prop_oneof![0usize..300, any::<usize>()],
        stack in prop_oneof![0usize..1 << 18, (1usize << 30) - 9..(1 << 30) + 9, any::<usize>()],
        warn in any::<u64>(),
    ) {
        let config = Config::new().max_procs(procs).stack_size(stack).held_warn_ms(warn);
        match config.with_env(|_| None) {
            Ok(config) => {
                prop_assert!(MAX_PROCS.contains(&procs) && STACK_SIZE.contains(&stack));
                prop_assert_eq!((config.max_procs, config.held_warn_ms), (procs, warn));
                prop_assert_eq!(config.stack_size, stack.div_ceil(4096) * 4096);
            }
            Err(error) => {
                let text = error.to_string();
                let named = |setting: &str, value: usize, limit: &str| {
                    [setting, &value.to_string(), limit].iter().all(|part| text.contains(part))
                };
                prop_assert!(
                    !MAX_PROCS.contains(&procs) && named("max_procs", procs, "256")
                        || !STACK_SIZE.contains(&stack) && named("stack_size", stack, "1073741824"),
                    "{text}"
                );
            }
        }
    }
}

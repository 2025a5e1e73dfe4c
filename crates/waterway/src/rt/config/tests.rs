//! Which settings are taken, and what is said of the others.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

mod rules;

fn env(name: &'static str, value: &'static str) -> Result<Config, ConfigError> {
    Config::new().with_env(|n| (n == name).then(|| value.into()))
}

#[test]
fn good_values_are_taken() {
    assert_eq!(env("WATERWAY_MAX_PROCS", "3").unwrap().max_procs, 3);
    assert_eq!(env("WATERWAY_WORKERS", "3").unwrap().workers, 3);
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
        ("WATERWAY_WORKERS", "0", "1 to 256"),
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

#[test]
fn workers_are_no_more_than_cores_unless_asked_for_and_never_more_than_may_run() {
    let cores = Config::new().max_procs;
    assert_eq!(Config::new().crew(), cores);
    assert_eq!(Config::new().max_procs(256).crew(), cores);
    assert_eq!(Config::new().max_procs(256).workers(7).crew(), 7);
    assert_eq!(Config::new().max_procs(1).workers(7).crew(), 1);
}

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

/// A seed of its own for each run, which a failure prints with what the test has printed.
fn random() -> ProptestConfig {
    let seed = std::env::var("WATERWAY_SEED")
        .ok()
        .map(|n| n.parse().expect("WATERWAY_SEED is a number"));
    let seed = seed.unwrap_or_else(rand_seed);
    println!("again: WATERWAY_SEED={seed} cargo test -p waterway --lib rt::config");
    ProptestConfig {
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn rand_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_nanos() as u64
}

proptest! {
    #![proptest_config(random())]

    #[test]
    fn every_value_is_taken_or_named(values in prop::array::uniform8(prop::option::weighted(0.3, value()))) {
        let outcome = Config::new().with_env(|name| rules::value_of(name, &values));
        let outcome = outcome.map(|config| (config.max_procs, config.stack_size));
        rules::judge(&values, outcome.map_err(|error| error.to_string())).map_err(TestCaseError::fail)?;
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

#[test]
fn the_names_of_settings_are_those_that_are_read() {
    let read = std::cell::RefCell::new(Vec::new());
    let none = |name: &str| {
        read.borrow_mut().push(name.to_owned());
        None
    };
    drop(Config::new().with_env(none).unwrap());
    let (mut read, mut all) = (read.into_inner(), super::names::ALL.to_vec());
    read.sort();
    all.sort();
    assert_eq!(read, all);
}

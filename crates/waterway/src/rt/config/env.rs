//! Settings that come from the environment.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::{Config, ConfigError, DeadlockPolicy, Guard, MAX_PROCS, STACK_SIZE, SigquitPolicy};

impl Config {
    /// The settings with those of the environment over them.
    pub(crate) fn with_env(
        mut self,
        get: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Config, ConfigError> {
        // What is not UTF-8 is no setting's value, and is told as well as can be.
        let get = |name: &'static str| {
            let value = get(name).filter(|v| !v.is_empty())?;
            Some((name, value.to_string_lossy().into_owned()))
        };
        if let Some((name, value)) = get("WATERWAY_MAX_PROCS") {
            self.max_procs = number(name, &value, MAX_PROCS, "a number from 1 to 256")?;
        }
        if let Some((name, value)) = get("WATERWAY_WORKERS") {
            self.workers = number(name, &value, MAX_PROCS, "a number from 1 to 256")?;
        }
        if let Some((name, value)) = get("WATERWAY_STACK_SIZE") {
            self.stack_size = number(name, &value, STACK_SIZE, "bytes, from 131072 to 1073741824")?;
        }
        if let Some((name, value)) = get("WATERWAY_HELD_WARN_MS") {
            self.held_warn_ms = number(name, &value, 0..=u64::MAX, "milliseconds, 0 for never")?;
        }
        if let Some((name, value)) = get("WATERWAY_GUARD") {
            self.guard = choice(
                name,
                &value,
                &[("auto", Guard::Auto), ("mprotect", Guard::Mprotect)],
            )?;
        }
        if let Some((name, value)) = get("WATERWAY_CHECK_TLS") {
            self.check_tls = choice(name, &value, &[("0", false), ("1", true)])?;
        }
        if let Some((name, value)) = get("WATERWAY_SIGQUIT") {
            let all = [
                ("exit", SigquitPolicy::Exit),
                ("dump", SigquitPolicy::Dump),
                ("off", SigquitPolicy::Off),
            ];
            self.sigquit = choice(name, &value, &all)?;
        }
        if let Some((name, value)) = get("WATERWAY_DEADLOCK") {
            let all = [
                ("fatal", DeadlockPolicy::Fatal),
                ("report", DeadlockPolicy::Report),
                ("panic-main", DeadlockPolicy::PanicMain),
            ];
            self.deadlock = choice(name, &value, &all)?;
        }
        self.validate()
    }
}

fn number<T: FromStr + PartialOrd>(
    name: &str,
    value: &str,
    range: RangeInclusive<T>,
    allowed: &str,
) -> Result<T, ConfigError> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| ConfigError(format!("{name} is {value:?}: allowed is {allowed}")))
}

fn choice<T: Copy>(name: &str, value: &str, allowed: &[(&str, T)]) -> Result<T, ConfigError> {
    allowed
        .iter()
        .find(|(word, _)| *word == value)
        .map(|(_, choice)| *choice)
        .ok_or_else(|| {
            let words: Vec<_> = allowed
                .iter()
                .map(|(word, _)| format!("{word:?}"))
                .collect();
            ConfigError(format!(
                "{name} is {value:?}: allowed is {}",
                words.join(" or ")
            ))
        })
}

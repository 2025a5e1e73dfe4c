//! Settings from the environment: whatever stands there is taken, or named in the error. The library's own reader, against the
//! rules of its tests.

#![no_main]
#![allow(dead_code, unused_imports)] // The rest of these files.

#[path = "../../crates/waterway/src/rt/config.rs"]
mod config;
#[path = "../../crates/waterway/src/primitives.rs"]
mod primitives;
#[path = "../../crates/waterway/src/rt/config/tests/rules.rs"]
mod rules;
#[path = "../../crates/waterway/src/rt/say.rs"]
mod say;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use libfuzzer_sys::fuzz_target;

use config::Config;

// A word a line and a line for each variable; a line of `-` leaves it out.
fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n');
    let values: [Option<OsString>; 8] = std::array::from_fn(|_| {
        let line = lines.next().filter(|line| line != b"-")?;
        Some(OsString::from_vec(line.to_vec()))
    });
    let outcome = Config::new().with_env(|name| rules::value_of(name, &values));
    let outcome = outcome.map(|config| (config.max_procs, config.stack_size));
    if let Err(fault) = rules::judge(&values, outcome.map_err(|error| error.to_string())) {
        panic!("{fault}");
    }
});

//! Settings, and what is built.

use std::time::Duration;

use waterway::flow::{Gate, Monitor, Overflow};
use waterway::{Builder, Config, chan, go, go_local, max_procs};

use super::child::run;
use super::panics;

/// What the environment says would win.
const SAYS_NOTHING: &[(&str, &str)] = &[("WATERWAY_MAX_PROCS", ""), ("WATERWAY_WORKERS", "")];

pub fn programs(program: &str) {
    match program {
        "installs_twice" => {
            Config::new().max_procs(1).install().unwrap();
            let error = Config::new().max_procs(2).install().unwrap_err();
            eprintln!("{error}");
            assert_eq!(max_procs(), 1);
        }
        "installs_late" => {
            go(|| ()).join().unwrap();
            eprintln!("{}", Config::new().install().unwrap_err());
        }
        "installs_nonsense" => {
            // Refused, and the next ones are taken.
            eprintln!("{}", Config::new().workers(0).install().unwrap_err());
            eprintln!("{}", Config::new().stack_size(1).install().unwrap_err());
            Config::new().max_procs(1).install().unwrap();
            assert_eq!(max_procs(), 1);
        }
        other => super::channels::programs(other),
    }
}

pub fn settings_are_installed_once_and_before_the_start() {
    run("installs_twice", SAYS_NOTHING)
        .code(0)
        .says("a configuration was already installed at crates/waterway/tests/bad_use/settings.rs:17:40, and stands");
    run("installs_late", SAYS_NOTHING)
        .code(0)
        .says("the runtime has already started: install the configuration before its first use");
}

pub fn settings_out_of_range_are_an_error_that_names_them() {
    run("installs_nonsense", SAYS_NOTHING)
        .code(0)
        .says("workers is 0: it must be a number from 1 to 256")
        .says("stack_size is 1 bytes: it must be from 131072 (128 KiB) to 1073741824 (1 GiB)");
}

pub fn builders_of_nonsense_panic() {
    for (text, words) in [
        (
            panics(|| drop(Builder::new().stack_size(4096))),
            "a stack of 4096 bytes: it must be from 131072 (128 KiB) to 1073741824 (1 GiB)",
        ),
        (
            panics(|| drop(Gate::new(0))),
            "a gate with 0 places lets nobody in: give it 1 or more",
        ),
        (
            panics(|| drop(Monitor::builder().every(Duration::ZERO).start())),
            "a monitor that looks every 0 s",
        ),
        (
            panics(|| drop(Monitor::builder().every(Duration::from_secs(2)).start())),
            "make it longer",
        ),
        (
            panics(|| drop(chan::builder::<u8>().adaptive_lifo(true).make())),
            "give it `Overflow::codel()`",
        ),
        (
            panics(|| {
                drop(
                    chan::builder::<u8>()
                        .unbounded()
                        .overflow(Overflow::Reject)
                        .make(),
                )
            }),
            "an unbounded channel is never full, so `Reject` can do nothing there: give it a capacity",
        ),
        (panics(|| drop(go_local(|| ()))), "start one with go first"),
    ] {
        assert!(text.contains(words), "{text}");
    }
}

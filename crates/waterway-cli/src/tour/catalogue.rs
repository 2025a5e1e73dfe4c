//! The fifteen behaviours: what each is, which program shows it, and what is expected of it.

use std::process::{ExitCode, Termination};

use super::child::Run;
use super::judge::{self, Verdict};
use crate::programs;

/// One behaviour.
pub struct Behaviour {
    /// `S1` to `S15`.
    pub id: &'static str,
    pub title: &'static str,
    pub expected: &'static str,
    /// The text of the program, in Rust and in Go.
    pub source: &'static str,
    pub go: &'static str,
    pub program: fn() -> ExitCode,
    pub judge: fn(&Run) -> Verdict,
    /// It measures or computes: nothing else runs meanwhile.
    pub alone: bool,
    /// The order of what it says is certain, in Rust and in Go.
    pub ordered: bool,
}

impl Behaviour {
    /// 1 to 15.
    pub fn number(&self) -> u8 {
        self.id[1..].parse().expect("a number follows the S")
    }
}

// `Behaviour` is what the command line takes; clap wants to clone and show it.
impl std::fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// A behaviour whose program is `examples/$file.rs` and `examples/go/$file.go`.
macro_rules! behaviour {
    ($id:literal, $file:ident, $judge:ident, $title:literal, expected: $expected:literal, $alone:expr, $ordered:expr) => {
        Behaviour {
            id: $id,
            title: $title,
            expected: $expected,
            source: include_str!(concat!("../../../../examples/", stringify!($file), ".rs")),
            go: include_str!(concat!(
                "../../../../examples/go/",
                stringify!($file),
                ".go"
            )),
            program: || programs::$file::main().report(),
            judge: judge::$judge,
            alone: $alone,
            ordered: $ordered,
        }
    };
}

const ALONE: bool = true;
const TOGETHER: bool = false;
const ORDERED: bool = true;
const ANY_ORDER: bool = false;

#[rustfmt::skip] // one behaviour, three lines
pub static BEHAVIOURS: [Behaviour; 15] = [
    behaviour!("S1", s01_parallel, s1, "go f() runs in parallel",
        expected: "world is printed while main computes for a second",
        ALONE, ANY_ORDER),
    behaviour!("S2", s02_lightweight, s2, "goroutines are far lighter than threads",
        expected: "1,000,000 goroutines parked at once, each far smaller than a thread: at most 4,975 bytes",
        ALONE, ORDERED),
    behaviour!("S3", s03_no_delay, s3, "a blocked thread does not delay others",
        expected: "new goroutines and timers go on while main or a goroutine spins; its own thread waits, and it is named; \
                   dedicated, nobody waits",
        TOGETHER, ORDERED),
    behaviour!("S4", s04_defer, s4, "defer",
        expected: "deferred blocks run at the end of the scope, in reverse order: on return, error and panic",
        TOGETHER, ORDERED),
    behaviour!("S5", s05_rendezvous, s5, "an unbuffered channel synchronises",
        expected: "two goroutines sleep for a second at once; main gets both results after one second, not two",
        TOGETHER, ORDERED),
    behaviour!("S6", s06_deadlock, s6, "global deadlock is an error",
        expected: "fatal error: all goroutines are asleep - deadlock!, who waits where, exit status 2",
        TOGETHER, ANY_ORDER),
    behaviour!("S7", s07_no_deadlock, s7, "no deadlock while main lives",
        expected: "a goroutine waits in vain, main sleeps for five seconds and ends normally",
        TOGETHER, ANY_ORDER),
    behaviour!("S8", s08_leak_by_channel, s8, "goroutine leak by channel",
        expected: "none of 2,000 goroutines is left; where a kept sender forces the leak, 1,000 are (who they are is not \
                   proven yet)",
        TOGETHER, ORDERED),
    behaviour!("S9", s09_leak_by_sleep, s9, "goroutine leak by endless sleep",
        expected: "the number of goroutines grows by 100 each round, and the place that spawns them is named",
        TOGETHER, ORDERED),
    behaviour!("S10", s10_no_parent, s10, "no parent and child",
        expected: "a goroutine's end does not end the one it started; main's end ends all",
        TOGETHER, ORDERED),
    behaviour!("S11", s11_one_to_one, s11, "sends and receives pair one to one",
        expected: "the surplus send waits for the next receive",
        TOGETHER, ORDERED),
    behaviour!("S12", s12_slow_reader, s12, "reader slower than writers",
        expected: "ten senders at once: one value each second, nothing lost",
        TOGETHER, ANY_ORDER),
    behaviour!("S13", s13_imbalance, s13, "monitored imbalance, shedding",
        expected: "1,000 items/s in, 100/s out: goroutines and memory grow with a goroutine per item, and are flat once \
                   shed; a monitor names the slower end, the channel accounts for every item",
        TOGETHER, ORDERED),
    behaviour!("S14", s14_refuse, s14, "refuse when full",
        expected: "what does not fit is refused at once and counted, and no goroutine is made for it",
        TOGETHER, ORDERED),
    behaviour!("S15", s15_safe_writes, s15, "safe concurrent writes",
        expected: "10,000 by a channel and by a lock; an unprotected write does not compile",
        TOGETHER, ORDERED),
];

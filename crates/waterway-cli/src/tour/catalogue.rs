//! The fifteen behaviours.

use super::child::Run;
use super::judge::{self, Seen};
use crate::programs;

/// One behaviour of the seed text, and the program that shows it.
pub struct Behaviour {
    pub id: &'static str,
    pub title: &'static str,
    pub expected: &'static str,
    pub source: &'static str,
    pub go: &'static str,
    pub program: fn(),
    pub judge: fn(&Run) -> Seen,
    /// It measures, or computes: nothing else runs meanwhile.
    pub alone: bool,
    /// The order of its lines is certain.
    pub ordered: bool,
}

macro_rules! behaviour {
    ($id:literal, $file:ident, $judge:ident, $title:literal, $expected:literal $(, $field:ident: $value:literal)*) => {
        Behaviour {
            id: $id,
            title: $title,
            expected: $expected,
            source: include_str!(concat!("../../../../examples/", stringify!($file), ".rs")),
            go: include_str!(concat!("../../../../examples/go/", stringify!($file), ".go")),
            program: programs::$file::main,
            judge: judge::$judge,
            $($field: $value,)*
            ..PLAIN
        }
    };
}

/// What holds where nothing else is said.
const PLAIN: Behaviour = Behaviour {
    id: "",
    title: "",
    expected: "",
    source: "",
    go: "",
    program: || (),
    judge: judge::s1,
    alone: false,
    ordered: true,
};

pub static BEHAVIOURS: [Behaviour; 15] = [
    behaviour!(
        "S1", s01_parallel, s1, "go f() runs in parallel",
        "main computes for a second; the goroutine's world is printed meanwhile", alone: true, ordered: false
    ),
    behaviour!(
        "S2", s02_lightweight, s2, "goroutines are far lighter than threads",
        "a million parked, at most 4,975 bytes each; memory falls to a tenth after their end", alone: true
    ),
    behaviour!(
        "S3", s03_no_delay, s3, "a blocked thread does not delay others",
        "others go on while one goroutine spins; its neighbours wait, and it is named; a dedicated one delays nobody",
        alone: true
    ),
    behaviour!("S4", s04_defer, s4, "defer", "deferred code runs in reverse order on return, `?` and panic"),
    behaviour!(
        "S5", s05_rendezvous, s5, "an unbuffered channel synchronises",
        "two goroutines sleep a second at once: main has both results after one second, not two"
    ),
    behaviour!(
        "S6", s06_deadlock, s6, "global deadlock is an error",
        "fatal error: all goroutines are asleep - deadlock!, who waits where, exit status 2"
    ),
    behaviour!(
        "S7", s07_no_deadlock, s7, "no deadlock while main lives",
        "a goroutine waits for ever, main sleeps five seconds and ends normally"
    ),
    behaviour!(
        "S8", s08_leak_by_channel, s8, "goroutine leak by a channel",
        "two sends, three receives: no goroutine is left where ends are owned; where a sender is kept they stay"
    ),
    behaviour!(
        "S9", s09_leak_by_sleep, s9, "goroutine leak by endless sleep",
        "a number that only grows, from one spawn site"
    ),
    behaviour!(
        "S10", s10_no_parent, s10, "no parent and child",
        "a goroutine's end does not end those that it spawned; main's end ends all"
    ),
    behaviour!(
        "S11", s11_one_to_one, s11, "sends and receives pair one to one",
        "a surplus send waits for the next receive"
    ),
    behaviour!(
        "S12", s12_slow_reader, s12, "the reader is slower than the writers",
        "one value a second, nothing lost"
    ),
    behaviour!(
        "S13", s13_imbalance, s13, "imbalance, and shedding",
        "with a goroutine per item their number grows without bound; shedding keeps it flat"
    ),
    behaviour!(
        "S14", s14_refuse, s14, "refuse when full",
        "a full channel refuses at once, hands back and counts; no goroutine is made"
    ),
    behaviour!(
        "S15", s15_safe_writes, s15, "safe concurrent writes",
        "10,000 by a lock and by a channel; an unprotected write does not compile"
    ),
];

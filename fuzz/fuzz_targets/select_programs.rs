//! Programs of one actor over channels and selects, compared with the model of a channel: `tests/model` of the library, whole.
//! The fuzzer's bytes take the place of chance in what makes up the programs there.

#![no_main]
#![allow(dead_code)] // The models of programs that run in parallel.

#[path = "../../crates/waterway/tests/model/blocked.rs"]
mod blocked;
#[path = "../../crates/waterway/tests/model/channel.rs"]
mod channel;
#[path = "../../crates/waterway/tests/model/ends.rs"]
mod ends;
#[path = "../../crates/waterway/tests/model/program.rs"]
mod program;
#[path = "../../crates/waterway/tests/model/sequence.rs"]
mod sequence;

use std::sync::Arc;

use libfuzzer_sys::{Corpus, fuzz_target};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use program::{Kind, Program};

fuzz_target!(|data: &[u8]| -> Corpus {
    let [waits, data @ ..] = data else {
        return Corpus::Reject;
    };
    let rng = TestRng::from_seed(RngAlgorithm::PassThrough, data);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let Ok(tree) = program::sequential(40).new_tree(&mut runner) else {
        return Corpus::Reject;
    };
    let program = Arc::new(tree.current());
    let check: fn(&Program) = match waits % 2 {
        0 => sequence::run,
        _ => blocked::run,
    };
    let shared = program.clone();
    let on_thread = waits % 2 == 0 && program.actors[0].kind == Kind::Thread;
    let ended = if on_thread {
        std::thread::spawn(move || check(&shared)).join()
    } else {
        waterway::go(move || check(&shared)).join()
    };
    assert!(ended.is_ok(), "the program: {program}");
    Corpus::Keep
});

//! Programs of one actor over channels and selects, compared with the model of a channel: the library's `tests/model` runs
//! them, and judges every result. Here they are only read from the fuzzer's bytes.

#![no_main]
#![allow(dead_code)] // The strategies, and the models of programs that run in parallel.

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
use std::time::Duration;

use libfuzzer_sys::fuzz_target;

use channel::Act;
use program::{Actor, Choice, Dir, Kind, Op, Patience, Program, Style};

const OPS: usize = 40;

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let waits = bytes.one_in(2) == 1;
    let program = Arc::new(bytes.program());
    let shared = program.clone();
    // Who waits in its turn is a goroutine: `blocked` asks for one.
    let ended = match (waits, program.actors[0].kind) {
        (true, _) => waterway::go(move || blocked::run(&shared)).join(),
        (_, Kind::Goroutine) => waterway::go(move || sequence::run(&shared)).join(),
        _ => std::thread::spawn(move || sequence::run(&shared)).join(),
    };
    assert!(ended.is_ok(), "the program: {program}");
});

/// What the fuzzer gives; zeroes when there is no more.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn one_in(&mut self, count: u8) -> u8 {
        let [first, rest @ ..] = self.0 else {
            return 0;
        };
        self.0 = rest;
        first % count
    }

    fn program(&mut self) -> Program {
        let channels = 1 + self.one_in(4);
        let capacities = (0..channels).map(|_| match self.one_in(5) {
            4 => None,
            n => Some(usize::from(n)),
        });
        let capacities = capacities.collect();
        let kind = [Kind::Goroutine, Kind::Thread][usize::from(self.one_in(2))];
        let mut ops = Vec::new();
        while !self.0.is_empty() && ops.len() < OPS {
            ops.push(self.op());
        }
        let actor = Actor {
            kind,
            sends: !0,
            receives: !0,
            ops,
        };
        Program {
            capacities,
            held: 0,
            actors: vec![actor],
        }
    }

    fn op(&mut self) -> Op {
        match self.one_in(16) {
            0..=5 => Op::Move(self.dir(), self.channel(), self.patience()),
            6..=9 => Op::Select(self.choice()),
            10 => Op::Ready(self.choice()),
            11 => Op::End(self.act(), self.channel()),
            12 => Op::Iterate(self.channel(), 1 + usize::from(self.one_in(2))),
            13 => Op::Yield,
            14 => Op::Poll(usize::from(self.one_in(8))),
            _ => Op::Cancel(usize::from(self.one_in(8))),
        }
    }

    fn dir(&mut self) -> Dir {
        [Dir::Send, Dir::Recv][usize::from(self.one_in(2))]
    }

    fn channel(&mut self) -> usize {
        usize::from(self.one_in(4))
    }

    fn patience(&mut self) -> Patience {
        match self.one_in(4) {
            0 | 1 => Patience::Block,
            2 => Patience::Try,
            _ => Patience::Timed(Duration::from_micros(u64::from(self.one_in(50)))),
        }
    }

    fn choice(&mut self) -> Choice {
        let arms = 1 + self.one_in(4);
        Choice {
            arms: (0..arms).map(|_| (self.dir(), self.channel())).collect(),
            patience: self.patience(),
            biased: self.one_in(2) == 1,
            style: [Style::Set, Style::Late, Style::Macro][usize::from(self.one_in(3))],
        }
    }

    fn act(&mut self) -> Act {
        match self.one_in(6) {
            0 => Act::CloseSend,
            1 => Act::CloseRecv,
            2 => Act::CloneSend,
            3 => Act::CloneRecv,
            4 => Act::DropSend,
            _ => Act::DropRecv,
        }
    }
}

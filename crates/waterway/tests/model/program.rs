//! Random programs: who does what with which channels.

use std::fmt;
use std::time::Duration;

use proptest::prelude::*;

use crate::channel::Act;

/// Who runs an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Goroutine,
    Thread,
    Task,
}

/// How long an operation may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    Block,
    Try,
    Timed(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    Send,
    Recv,
}

/// How a select is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `Select`.
    Set,
    /// `Select`, whose chosen operation is finished only after others have run.
    Late,
    /// `select!`, if there are two arms.
    Macro,
}

#[derive(Clone, Debug)]
pub struct Choice {
    pub arms: Vec<(Dir, usize)>,
    pub patience: Patience,
    pub biased: bool,
    pub style: Style,
}

/// What an actor does next. It leaves out what it has no end for.
#[derive(Clone, Debug)]
pub enum Op {
    Move(Dir, usize, Patience),
    /// Closes, clones or drops an end.
    End(Act, usize),
    Select(Choice),
    /// Waits until an arm may go, and then only looks.
    Ready(Choice),
    /// Receives by iteration, so often.
    Iterate(usize, usize),
    Yield,
    /// Polls a future that is pending. One actor at a time only.
    Poll(usize),
    /// Drops a future that is pending. One actor at a time only.
    Cancel(usize),
}

#[derive(Clone, Debug)]
pub struct Actor {
    pub kind: Kind,
    /// Bit by channel: which ends it has.
    pub sends: u8,
    pub receives: u8,
    pub ops: Vec<Op>,
}

#[derive(Clone, Debug)]
pub struct Program {
    pub capacities: Vec<Option<usize>>,
    /// Bit by channel: the end that stays open to end the program with is the receiver, else the sender.
    pub held: u8,
    pub actors: Vec<Actor>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capacities {:?}, held {:#b}", self.capacities, self.held)?;
        for (index, actor) in self.actors.iter().enumerate() {
            let Actor {
                kind,
                sends,
                receives,
                ..
            } = actor;
            write!(
                f,
                "\nactor {index}: {kind:?}, sends {sends:#b}, receives {receives:#b}"
            )?;
            for op in &actor.ops {
                write!(f, "\n    {op:?}")?;
            }
        }
        Ok(())
    }
}

impl Program {
    /// Channels are counted modulo those that there are.
    pub fn channel(&self, index: usize) -> usize {
        index % self.capacities.len()
    }
}

const CHANNELS: usize = 4;

fn capacity() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![
        4 => Just(Some(0)),
        3 => Just(Some(1)),
        2 => Just(Some(2)),
        1 => Just(Some(3)),
        1 => Just(None),
    ]
}

fn patience() -> impl Strategy<Value = Patience> {
    prop_oneof![
        4 => Just(Patience::Block),
        2 => Just(Patience::Try),
        2 => (0u64..120).prop_map(|us| Patience::Timed(Duration::from_micros(us))),
    ]
}

fn dir() -> impl Strategy<Value = Dir> {
    prop_oneof![Just(Dir::Send), Just(Dir::Recv)]
}

fn choice() -> impl Strategy<Value = Choice> {
    let style = prop_oneof![3 => Just(Style::Set), 1 => Just(Style::Late), 3 => Just(Style::Macro)];
    let arms = prop::collection::vec((dir(), 0..CHANNELS), 1..5);
    (arms, patience(), any::<bool>(), style).prop_map(|(arms, patience, biased, style)| Choice {
        arms,
        patience,
        biased,
        style,
    })
}

fn end_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::CloseSend),
        1 => Just(Act::CloseRecv),
        2 => Just(Act::CloneSend),
        2 => Just(Act::CloneRecv),
        3 => Just(Act::DropSend),
        3 => Just(Act::DropRecv),
    ]
}

fn shared_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (dir(), 0..CHANNELS, patience()).prop_map(|(d, c, p)| Op::Move(d, c, p)),
        6 => choice().prop_map(Op::Select),
        1 => choice().prop_map(Op::Ready),
        2 => (end_act(), 0..CHANNELS).prop_map(|(a, c)| Op::End(a, c)),
        1 => (0..CHANNELS, 1usize..3).prop_map(|(c, n)| Op::Iterate(c, n)),
        1 => Just(Op::Yield),
    ]
}

fn sequential_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => shared_op(),
        3 => (0usize..8).prop_map(Op::Poll),
        2 => (0usize..8).prop_map(Op::Cancel),
    ]
}

/// Nearly all ends, as a rule.
fn ends() -> impl Strategy<Value = u8> {
    (any::<u8>(), any::<u8>()).prop_map(|(a, b)| a | b)
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Goroutine),
        2 => Just(Kind::Thread),
        2 => Just(Kind::Task),
    ]
}

/// A program of 2 to 6 actors with up to `ops` operations each.
pub fn concurrent(ops: usize) -> impl Strategy<Value = Program> {
    let actor = (
        kind(),
        ends(),
        ends(),
        prop::collection::vec(shared_op(), 1..=ops),
    )
        .prop_map(|(kind, sends, receives, ops)| Actor {
            kind,
            sends,
            receives,
            ops,
        });
    let actors = prop::collection::vec(actor, 2..=6);
    let capacities = prop::collection::vec(capacity(), 1..=CHANNELS);
    (capacities, any::<u8>(), actors).prop_map(|(capacities, held, actors)| Program {
        capacities,
        held,
        actors,
    })
}

/// A program of one actor, who has all ends.
pub fn sequential(ops: usize) -> impl Strategy<Value = Program> {
    let capacities = prop::collection::vec(capacity(), 1..=CHANNELS);
    let kind = prop_oneof![Just(Kind::Goroutine), Just(Kind::Thread)];
    (
        capacities,
        kind,
        prop::collection::vec(sequential_op(), 1..=ops),
    )
        .prop_map(|(capacities, kind, ops)| Program {
            capacities,
            held: 0,
            actors: vec![Actor {
                kind,
                sends: !0,
                receives: !0,
                ops,
            }],
        })
}

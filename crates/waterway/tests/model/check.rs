//! What must hold of programs whose actors run at once.
//!
//! *Linearizable*: every operation seems to happen at one moment between its begin and its end, and in the order of these
//! moments the model gives the same results. A send and a receive of an unbuffered channel happen in one moment. The search
//! tries all orders that the clock allows; what changes nothing is taken as soon as it fits, and states that were in vain
//! are remembered.
//!
//! Two results say less than a moment can tell, and are read more loosely. A select that goes to its default arm has found
//! each arm not ready, at a moment of that arm's own. And while a select that sends has a slot reserved, others may find
//! the buffer empty, or full, because of that slot. If it lets others run before it sends, the slot goes back, but is not
//! room again before the values around it have gone: a gap.

use std::collections::HashSet;

use crate::channel::{Act, Chan, Res};
use crate::ends::{Census, End};
use crate::journal::{Call, Waits};
use crate::program::{Kind, Op, Program};

/// What happened to one channel at one moment.
struct Event {
    call: usize,
    begin: u64,
    end: u64,
    chan: usize,
    act: Act,
    /// `None` if it is not known whether it happened.
    res: Option<Res>,
    /// A reservation of somebody else may be what it found.
    excused: bool,
    /// How many gaps there may be in the buffer.
    gaps: usize,
}

type Taken = [u64; 4];

struct Search<'a> {
    calls: &'a [Call],
    events: &'a [Event],
    has_watchers: bool,
    vain: HashSet<(Taken, Vec<Chan>)>,
}

/// More states than this are not looked at: such a history counts as fine.
const STATES: usize = 100_000;

/// True if the model allows the history.
pub fn is_linearizable(program: &Program, calls: &[Call]) -> bool {
    let events = events(calls);
    if events.len() > 256 {
        return true;
    }
    let world = program.capacities.iter().map(|n| Chan::new(*n)).collect();
    let mut search = Search {
        calls,
        events: &events,
        has_watchers: has_watchers(program),
        vain: HashSet::new(),
    };
    search.go([0; 4], world) || search.vain.len() >= STATES
}

/// True if some wait to receive who are told of values, not handed them. On an unbuffered channel a select that sends is
/// then told to go ahead, and waits with its value.
fn has_watchers(program: &Program) -> bool {
    let looks = |op: &Op| matches!(op, Op::Ready(_));
    (program.actors.iter()).any(|actor| actor.kind == Kind::Task || actor.ops.iter().any(looks))
}

/// How many gaps selects that had begun by then may have left.
fn gaps(calls: &[Call], chan: usize, by: u64) -> usize {
    let leaves = |call: &&Call| {
        let sends = |arm: &(usize, Act)| arm.0 == chan && arm.1 != Act::Recv;
        call.manner.late && call.begin < by && call.arms.iter().any(sends)
    };
    calls.iter().filter(leaves).count()
}

fn events(calls: &[Call]) -> Vec<Event> {
    let mut events = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let (at, end) = call.end.expect("the program has ended");
        let happened: Vec<(usize, Option<Res>)> = match end {
            End::One(arm, res) => vec![(arm, Some(res))],
            End::Unknown => vec![(0, None)],
            // Another may have been faster: this says nothing.
            End::Told(_) => vec![],
            End::None => (call.arms.iter().map(|arm| match arm.1 {
                Act::Send(_) => Some(Res::Full),
                _ => Some(Res::Empty),
            }))
            .enumerate()
            .collect(),
        };
        for (arm, res) in happened {
            let (chan, act) = call.arms[arm];
            let reserves = |other: &Call| {
                let sends = |arm: &(usize, Act)| arm.0 == chan && matches!(arm.1, Act::Send(_));
                other.manner.select && !other.manner.looks && other.arms.iter().any(sends)
            };
            let mut others = calls.iter().filter(|other| other.begin != call.begin);
            events.push(Event {
                call: index,
                begin: call.begin,
                end: at,
                chan,
                act,
                res,
                gaps: gaps(calls, chan, at),
                excused: others.any(|other| reserves(other) && other.overlaps(call)),
            });
        }
    }
    events
}

fn has(taken: &Taken, index: usize) -> bool {
    taken[index / 64] >> (index % 64) & 1 == 1
}

fn with(mut taken: Taken, index: usize) -> Taken {
    taken[index / 64] |= 1 << (index % 64);
    taken
}

impl Search<'_> {
    fn go(&mut self, mut taken: Taken, mut world: Vec<Chan>) -> bool {
        let candidates = loop {
            let candidates = self.candidates(&taken);
            if candidates.is_empty() {
                return true;
            }
            let free = |event: &&usize| self.is_free(&taken, &world, **event);
            let Some(&index) = candidates.iter().find(free) else {
                break candidates;
            };
            let event = &self.events[index];
            if !matches!(event.res, Some(Res::Full | Res::Empty | Res::Closed)) {
                world[event.chan].apply(event.act);
            }
            taken = with(taken, index);
        };
        if self.vain.len() >= STATES || !self.vain.insert((taken, world.clone())) {
            return false;
        }
        for &index in &candidates {
            if let Some(next) = self.alone(&world, index)
                && self.go(with(taken, index), next)
            {
                return true;
            }
            if self.events[index].res.is_none() && self.go(with(taken, index), world.clone()) {
                return true;
            }
            for &other in &candidates {
                if self.meet(&world, index, other)
                    && self.go(with(with(taken, index), other), world.clone())
                {
                    return true;
                }
            }
        }
        false
    }

    /// What may come next by the clock.
    fn candidates(&self, taken: &Taken) -> Vec<usize> {
        let left = || (0..self.events.len()).filter(|index| !has(taken, *index));
        let first_end = left().map(|index| self.events[index].end).min();
        left()
            .filter(|index| Some(self.events[*index].begin) < first_end)
            .collect()
    }

    /// True if the event can be next, and to take it first is never worse than to take it later.
    fn is_free(&self, taken: &Taken, world: &[Chan], index: usize) -> bool {
        let event = &self.events[index];
        let chan = &world[event.chan];
        let Some(res) = event.res else {
            return false;
        };
        // Another drop of the same kind comes later in any case: this one does not close the channel.
        let is_not_last = || {
            let mut later = self.events.iter().enumerate();
            later.any(|(at, other)| {
                (other.chan, other.act) == (event.chan, event.act)
                    && other.begin > event.end
                    && !has(taken, at)
            })
        };
        match (event.act, res) {
            (_, Res::Full) => !chan.is_closed() && (event.excused || !chan.has_room(event.gaps)),
            (_, Res::Empty) if event.excused => !chan.recv_closed,
            (_, Res::Empty) => !chan.is_closed() && chan.buffer.is_empty(),
            (Act::Send(_), Res::Closed) => chan.is_closed(),
            (Act::Recv, Res::Closed) => {
                chan.recv_closed || chan.send_closed && chan.buffer.is_empty()
            }
            (Act::CloneSend | Act::CloneRecv, _) => true,
            (Act::CloseSend | Act::DropSend, _) if chan.send_closed => true,
            (Act::CloseRecv | Act::DropRecv, _) if chan.recv_closed => true,
            (Act::DropSend | Act::DropRecv, _) => is_not_last(),
            _ => false,
        }
    }

    /// The world after the event alone, if it can happen.
    fn alone(&self, world: &[Chan], index: usize) -> Option<Vec<Chan>> {
        let event = &self.events[index];
        let mut next = world.to_vec();
        let res = next[event.chan].apply(event.act);
        (res == event.res.unwrap_or(Res::Done)).then_some(next)
    }

    /// True if both can happen, together.
    fn meet(&self, world: &[Chan], send: usize, recv: usize) -> bool {
        let (send, recv) = (&self.events[send], &self.events[recv]);
        let Act::Send(value) = send.act else {
            return false;
        };
        send.chan == recv.chan
            && world[send.chan].meet()
            && send.res.is_none_or(|res| res == Res::Done)
            && recv.res == Some(Res::Value(value))
            && self.may_meet(&self.calls[send.call], &self.calls[recv.call])
    }

    /// On an unbuffered channel, one of the two waits; and whoever does not needs a goroutine or thread that does, with a
    /// value that is made.
    fn may_meet(&self, send: &Call, recv: &Call) -> bool {
        let (send, recv) = (send.manner, recv.manner);
        match (send.waits, recv.waits) {
            (Waits::Never, waits) => waits == Waits::Blocked,
            // Such a select may have been told to go ahead and wait with its value.
            (_, Waits::Never) => !send.select || send.late || self.has_watchers,
            _ => true,
        }
    }
}

/// Of a program in which nothing moves: somebody who waits though the model lets him go on.
pub fn who_could_go_on(program: &Program, calls: &[Call], census: &Census) -> Option<String> {
    let chans: Vec<Chan> = (0..program.capacities.len())
        .map(|chan| at_rest(program, calls, census, chan))
        .collect();
    let has_watchers = has_watchers(program);
    // An arm that may have been chosen already, and waits with its value as a plain send does.
    let may_be_chosen = |call: &Call, &(chan, act): &(usize, Act)| {
        let unbuffered = program.capacities[chan] == Some(0);
        let commits = call.manner.select && !call.manner.looks;
        commits && act != Act::Recv && (call.manner.late || unbuffered && has_watchers)
    };
    let waiting: Vec<&Call> = calls.iter().filter(|call| call.end.is_none()).collect();
    let can_go = |call: &Call, &(chan, act): &(usize, Act)| {
        let sends = act != Act::Recv;
        let alone = match sends {
            true => chans[chan].is_closed() || chans[chan].has_room(gaps(calls, chan, u64::MAX)),
            false => chans[chan].clone().apply(act) != Res::Empty,
        };
        let meets = |other: &&Call| {
            let opposite = |arm: &(usize, Act)| arm.0 == chan && (arm.1 != Act::Recv) != sends;
            // Who looks meets nobody, and does not see a task that waits to receive.
            let seen = !other.manner.looks
                && (!call.manner.looks || !sends || other.manner.waits == Waits::Blocked);
            let elsewhere = |arm: &(usize, Act)| !opposite(arm) && may_be_chosen(other, arm);
            seen && other.begin != call.begin
                && other.arms.iter().any(opposite)
                && !other.arms.iter().any(elsewhere)
        };
        alone || chans[chan].meet() && waiting.iter().any(meets)
    };
    let who = waiting.iter().find(|call| {
        let mut chosen = call
            .arms
            .iter()
            .filter(|arm| may_be_chosen(call, arm))
            .peekable();
        match chosen.peek() {
            _ if call.manner.waits == Waits::Never => true,
            Some(_) => chosen.all(|arm| can_go(call, arm)),
            None => call.arms.iter().any(|arm| can_go(call, arm)),
        }
    });
    who.map(|call| format!("this could go on, and does not: {}", line(call)))
}

/// A channel as it is now that nothing moves. Only the number of buffered values is right.
fn at_rest(program: &Program, calls: &[Call], census: &Census, index: usize) -> Chan {
    let mut chan = Chan::new(program.capacities[index]);
    let mut buffered = 0;
    for call in calls {
        let (arm, res) = match call.end {
            Some((_, End::One(arm, res))) => (arm, Some(res)),
            Some((_, End::Unknown)) => (0, None),
            _ => continue,
        };
        let (at, act) = call.arms[arm];
        match (act, res) {
            _ if at != index => {}
            (Act::Send(_), Some(Res::Done)) => buffered += 1,
            (Act::Send(value), None) => {
                let got =
                    |c: &Call| matches!(c.end, Some((_, End::One(_, Res::Value(v)))) if v == value);
                buffered += i32::from(census.lives(value) || calls.iter().any(got));
            }
            (Act::Recv, Some(Res::Value(_))) => buffered -= 1,
            (Act::Send(_) | Act::Recv, _) => {}
            _ => _ = chan.apply(act),
        }
    }
    chan.buffer = (0..buffered.max(0) as u32).collect();
    chan
}

/// The calls as text, in the order of their beginnings.
pub fn tell(calls: &[Call]) -> String {
    let is_told = |call: &&Call| !matches!(call.arms[..], [(_, Act::CloneSend | Act::CloneRecv)]);
    let lines: Vec<String> = calls.iter().filter(is_told).map(line).collect();
    lines.join("\n")
}

fn line(call: &Call) -> String {
    let Call {
        manner,
        arms,
        begin,
        end,
    } = call;
    let kind = match (manner.select, manner.looks, manner.late) {
        (false, ..) => "",
        (_, true, _) => "ready ",
        (.., false) => "select ",
        (.., true) => "late select ",
    };
    let ended = match end {
        Some((at, end)) => format!("until {at}: {end:?}"),
        None => "goes on".into(),
    };
    format!("from {begin}: {kind}{arms:?} ({:?}) {ended}", manner.waits)
}

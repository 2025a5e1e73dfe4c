//! One operation at a time, where those that have to wait do so on goroutines of the same worker: whoever is served, by
//! whom, and in which order, is the model's to the letter.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use waterway::{Sender, WeakSender, chan, go_local, yield_now};

use crate::channel::{Act, Chan, Res};
use crate::ends::{Census, End, Ends, Token};
use crate::program::{Choice, Dir, Op, Patience, Program, Style};

type Arm = (usize, Act);

/// An operation that waits.
struct Waiting {
    id: usize,
    arms: Vec<Arm>,
}

/// The model: channels, and who waits, in the order of arrival.
struct World {
    chans: Vec<Chan>,
    waiting: Vec<Waiting>,
    /// What has come of operations that waited: one of these.
    ended: BTreeMap<usize, Vec<End>>,
}

impl World {
    /// The first who waits to do the opposite of `act` on the channel, and its arm.
    fn peer(&self, (chan, act): Arm, binds: bool) -> Option<(usize, usize)> {
        let sends = act != Act::Recv;
        let fits = |arm: &Arm| arm.0 == chan && (arm.1 != Act::Recv) != sends;
        self.waiting.iter().enumerate().find_map(|(at, waiting)| {
            // The value of a select that waits is not made yet: who does not wait passes it over.
            let has_it = sends || binds || waiting.arms.len() == 1;
            let arm = waiting.arms.iter().position(fits)?;
            has_it.then_some((at, arm))
        })
    }

    /// True if the arm can go. Who `binds` can wait for a value to be made.
    fn can(&self, arm: Arm, binds: bool) -> bool {
        let tried = self.chans[arm.0].clone().apply(arm.1);
        let unbuffered = self.chans[arm.0].meet();
        !matches!(tried, Res::Full | Res::Empty) || unbuffered && self.peer(arm, binds).is_some()
    }

    fn feasible(&self, arms: &[Arm], binds: bool) -> Vec<usize> {
        (0..arms.len())
            .filter(|arm| self.can(arms[*arm], binds))
            .collect()
    }

    /// Does what can be done.
    fn perform(&mut self, arm: Arm, binds: bool) -> Res {
        let (chan, act) = arm;
        let open = !self.chans[chan].is_closed();
        let peer = self.peer(arm, binds).filter(|_| open);
        match (act, peer) {
            (Act::Send(value), Some(peer)) => {
                self.serve(peer, Res::Value(value));
                Res::Done
            }
            (Act::Recv, Some((at, arm))) if self.chans[chan].capacity == Some(0) => {
                let value = self.serve((at, arm), Res::Done);
                Res::Value(value.expect("a sender has a value"))
            }
            _ => {
                let res = self.apply(chan, act);
                if act == Act::Recv {
                    self.refill(chan);
                }
                res
            }
        }
    }

    /// Those who wait to send put their values where there is room now.
    fn refill(&mut self, chan: usize) {
        while self.chans[chan].has_room(0)
            && !self.chans[chan].is_closed()
            && let Some(peer) = self.peer((chan, Act::Recv), true)
        {
            let value = self.serve(peer, Res::Done).expect("a sender has a value");
            self.chans[chan].buffer.push_back(value);
        }
    }

    /// Somebody waits no more. Gives the value that was sent, if one was.
    fn serve(&mut self, (at, arm): (usize, usize), res: Res) -> Option<u32> {
        let waiting = self.waiting.remove(at);
        self.ended.insert(waiting.id, vec![End::One(arm, res)]);
        self.leave(&waiting.arms);
        match waiting.arms[arm].1 {
            Act::Send(value) => Some(value),
            _ => None,
        }
    }

    /// Changes the channel. If that closes it, everybody who waits there goes on.
    fn apply(&mut self, chan: usize, act: Act) -> Res {
        let was_closed = self.chans[chan].is_closed();
        let res = self.chans[chan].apply(act);
        if !was_closed && self.chans[chan].is_closed() {
            let there = |waiting: &mut Waiting| waiting.arms.iter().any(|arm| arm.0 == chan);
            let woken: Vec<Waiting> = self.waiting.extract_if(.., there).collect();
            for waiting in &woken {
                self.ended.insert(waiting.id, Vec::new());
                self.leave(&waiting.arms);
            }
            // By now it is known what else was closed by that.
            for Waiting { id, arms } in woken {
                let closed = (0..arms.len()).filter(|arm| self.chans[arms[*arm].0].is_closed());
                let ends = closed.map(|arm| End::One(arm, Res::Closed)).collect();
                self.ended.insert(id, ends);
            }
        }
        res
    }

    /// An operation that was begun on a goroutine of its own has clones of its ends.
    fn enter(&mut self, arms: &[Arm]) {
        for (chan, sends) in ends_of(arms) {
            self.apply(
                chan,
                if sends {
                    Act::CloneSend
                } else {
                    Act::CloneRecv
                },
            );
        }
    }

    fn leave(&mut self, arms: &[Arm]) {
        for (chan, sends) in ends_of(arms) {
            self.apply(chan, if sends { Act::DropSend } else { Act::DropRecv });
        }
    }
}

/// Which ends the arms need, each once.
fn ends_of(arms: &[Arm]) -> Vec<(usize, bool)> {
    let mut ends: Vec<_> = arms.iter().map(|arm| (arm.0, arm.1 != Act::Recv)).collect();
    ends.sort();
    ends.dedup();
    ends
}

struct Machine<'p> {
    program: &'p Program,
    ends: Ends,
    world: World,
    ended: Rc<RefCell<BTreeMap<usize, End>>>,
    begun: usize,
}

/// Runs the program on the calling goroutine, which has to live on a worker.
pub fn run(program: &Program) {
    let census = Census::new(512);
    let channels = program.capacities.iter().map(|capacity| match capacity {
        Some(n) => chan(*n),
        None => chan::unbounded(),
    });
    let (tx, rx) = channels.map(|(tx, rx)| (vec![tx], vec![rx])).unzip();
    let tx: Vec<Vec<Sender<Token>>> = tx;
    let keepers: Vec<WeakSender<Token>> = tx.iter().map(|tx| tx[0].downgrade()).collect();
    let mut machine = Machine {
        program,
        ends: Ends {
            tx,
            rx,
            census: census.clone(),
        },
        world: World {
            chans: program.capacities.iter().map(|n| Chan::new(*n)).collect(),
            waiting: Vec::new(),
            ended: BTreeMap::new(),
        },
        ended: Rc::default(),
        begun: 0,
    };
    for op in &program.actors[0].ops {
        machine.step(op);
        machine.settle();
    }
    for (chan, weak) in keepers.iter().enumerate() {
        // Those who wait may be the only ones left who have ends.
        if let Some(tx) = weak.upgrade() {
            tx.close();
            machine.world.apply(chan, Act::CloseSend);
        }
        machine.settle();
        while machine.end(Act::DropSend, chan) || machine.end(Act::DropRecv, chan) {}
        machine.settle();
    }
    assert!(machine.world.waiting.is_empty());
    census.settle().unwrap_or_else(|error| panic!("{error}"));
}

impl Machine<'_> {
    fn step(&mut self, op: &Op) {
        match op {
            Op::Move(dir, chan, patience) => self.choose(
                &Choice {
                    arms: vec![(*dir, *chan)],
                    patience: *patience,
                    biased: true,
                    style: Style::Set,
                },
                false,
            ),
            Op::Select(choice) => self.choose(choice, true),
            Op::End(act, chan) => _ = self.end(*act, self.program.channel(*chan)),
            Op::Iterate(..) | Op::Yield | Op::Ready(_) | Op::Poll(_) | Op::Cancel(_) => {}
        }
    }

    /// Closes, clones or drops an end. False if there is none.
    fn end(&mut self, act: Act, chan: usize) -> bool {
        let dir = match act {
            Act::CloseSend | Act::CloneSend | Act::DropSend => Dir::Send,
            _ => Dir::Recv,
        };
        let has = self.ends.has(dir, chan);
        if has {
            self.ends.act(act, chan);
            self.world.apply(chan, act);
        }
        has
    }

    fn choose(&mut self, choice: &Choice, is_select: bool) {
        let mut arms: Vec<Arm> = Vec::new();
        for (dir, chan) in &choice.arms {
            let chan = self.program.channel(*chan);
            let same = |arm: &Arm| arm.0 == chan && (arm.1 != Act::Recv) == (*dir == Dir::Send);
            match dir {
                _ if !self.ends.has(*dir, chan) => {}
                // Of several arms that do the same, the dice say which is served.
                _ if !choice.biased && arms.iter().any(same) => {}
                Dir::Send => arms.push((chan, Act::Send(self.ends.census.number()))),
                Dir::Recv => arms.push((chan, Act::Recv)),
            }
        }
        // The model takes what has one arm for a plain operation.
        if arms.is_empty() || is_select && arms.len() == 1 {
            return;
        }
        let waits = choice.patience != Patience::Try;
        let feasible = self.world.feasible(&arms, waits);
        let mut choice = choice.clone();
        if choice.style == Style::Late {
            choice.style = Style::Set;
        }
        let end = match choice.patience {
            Patience::Block => self.begin(choice.clone(), arms.clone(), is_select),
            _ => Some(perform(&self.ends, &choice, &arms, is_select)),
        };
        let blocks = choice.patience == Patience::Block;
        if feasible.is_empty() && blocks {
            assert_eq!(end, None, "{arms:?} did not wait");
            let id = self.begun;
            return self.world.waiting.push(Waiting { id, arms });
        }
        match end {
            Some(End::One(arm, res)) => {
                let may = if choice.biased {
                    &feasible[..1.min(feasible.len())]
                } else {
                    &feasible[..]
                };
                assert!(
                    may.contains(&arm),
                    "arm {arm} of {arms:?} was chosen, not of {may:?}"
                );
                assert_eq!(
                    res,
                    self.world.perform(arms[arm], waits),
                    "arm {arm} of {arms:?}"
                );
            }
            end => assert_eq!((end, feasible), (Some(End::None), vec![]), "{arms:?}"),
        }
        if blocks {
            self.world.leave(&arms);
        }
    }

    /// Begins it on a goroutine of its own, and gives its end if it comes at once.
    fn begin(&mut self, choice: Choice, arms: Vec<Arm>, is_select: bool) -> Option<End> {
        self.begun += 1;
        let id = self.begun;
        self.world.enter(&arms);
        let needs = ends_of(&arms);
        let clones = |chan: usize, sends: bool| needs.contains(&(chan, sends));
        let ends = Ends {
            tx: pick(&self.ends.tx, |chan| clones(chan, true)),
            rx: pick(&self.ends.rx, |chan| clones(chan, false)),
            census: self.ends.census.clone(),
        };
        let ended = self.ended.clone();
        drop(go_local(move || {
            let end = perform(&ends, &choice, &arms, is_select);
            drop(ends);
            ended.borrow_mut().insert(id, end);
        }));
        self.let_others_run();
        self.ended.borrow_mut().remove(&id)
    }

    /// Until each waits, or has ended: each of these turns gives all of them one.
    fn let_others_run(&self) {
        for _ in 0..4 {
            yield_now();
        }
    }

    /// Whoever should have ended has, as it should; and nobody else.
    fn settle(&mut self) {
        self.let_others_run();
        let real = self.ended.take();
        let wanted = std::mem::take(&mut self.world.ended);
        assert!(
            real.keys().eq(wanted.keys()),
            "{real:?} have ended, of {wanted:?}"
        );
        for (id, end) in &real {
            assert!(
                wanted[id].contains(end),
                "{end:?}, not one of {:?}",
                wanted[id]
            );
        }
        for (chan, model) in self.world.chans.iter().enumerate() {
            let state = (model.buffer.len(), model.is_closed());
            if let Some(tx) = self.ends.sender(chan) {
                assert_eq!((tx.len(), tx.is_closed()), state, "channel {chan}");
            }
        }
    }
}

fn perform(ends: &Ends, choice: &Choice, arms: &[Arm], is_select: bool) -> End {
    match arms {
        [(chan, Act::Send(value))] if !is_select => ends.send(*chan, *value, choice.patience),
        [(chan, Act::Recv)] if !is_select => ends.recv(*chan, choice.patience),
        _ => ends.select(choice, arms),
    }
}

fn pick<T: Clone>(ends: &[Vec<T>], wanted: impl Fn(usize) -> bool) -> Vec<Vec<T>> {
    let one = |(chan, ends): (usize, &Vec<T>)| match wanted(chan) {
        true => ends.last().cloned().into_iter().collect(),
        false => Vec::new(),
    };
    ends.iter().enumerate().map(one).collect()
}

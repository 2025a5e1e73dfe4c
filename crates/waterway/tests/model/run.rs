//! Runs a program's actors at once: on goroutines, threads and as async tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use waterway::{chan, yield_now};

use crate::channel::Act;
use crate::check;
use crate::ends::{Census, End, Ends, got};
use crate::journal::{Call, Journal, Manner, Waits};
use crate::program::{self, Choice, Dir, Kind, Op, Patience, Program, Style};
use crate::tasks;

pub struct Actor {
    pub index: usize,
    kind: Kind,
    pub program: Arc<Program>,
    journal: Arc<Journal>,
    pub ends: Ends,
}

/// The history of a run that came to its end.
pub struct History {
    pub calls: Vec<Call>,
    pub census: Arc<Census>,
}

/// Runs the program. An error if somebody waits though he could go on, or panics.
pub fn run(program: &Arc<Program>, patience: Duration) -> Result<History, String> {
    let count = program.actors.len();
    let journal = Arc::new(Journal::new(count + 1));
    let ops: usize = program.actors.iter().map(|actor| actor.ops.len()).sum();
    let census = Census::new(8 * ops + 8);
    let channels = program.capacities.iter().map(|capacity| match capacity {
        Some(n) => chan(*n),
        None => chan::unbounded(),
    });
    let (tx, rx) = channels.map(|(tx, rx)| (vec![tx], vec![rx])).unzip();
    // Index `count` is the host's: it starts with all ends, and closes what all others wait for in vain.
    let mut host = Actor {
        index: count,
        kind: Kind::Thread,
        program: program.clone(),
        journal: journal.clone(),
        ends: Ends {
            tx,
            rx,
            census: census.clone(),
        },
    };
    let start = Arc::new(AtomicBool::new(false));
    let (tell, told) = mpsc::channel();
    for (index, spec) in program.actors.iter().enumerate() {
        let actor = host.hire(index, spec);
        spawn(actor, start.clone(), tell.clone());
    }
    drop(tell);
    host.keep_one_end();
    start.store(true, Ordering::SeqCst);
    host.until_all_are_done(&told, patience)?;
    host.leave();
    Ok(History {
        calls: journal.calls(),
        census,
    })
}

fn spawn(actor: Actor, start: Arc<AtomicBool>, tell: mpsc::Sender<Result<(), String>>) {
    let kind = actor.kind;
    let run = move || {
        while !start.load(Ordering::SeqCst) {
            yield_now();
        }
        let work = std::panic::AssertUnwindSafe(|| match kind {
            Kind::Task => tasks::block_on(actor.work_as_task()),
            _ => actor.work(),
        });
        let result = std::panic::catch_unwind(work);
        let _ = tell.send(result.map_err(|panic| crate::text_of(&*panic)));
    };
    match kind {
        Kind::Goroutine => drop(waterway::go(run)),
        _ => drop(thread::spawn(run)),
    }
}

impl Actor {
    /// An actor with clones of the ends that its part says.
    fn hire(&self, index: usize, part: &program::Actor) -> Actor {
        let ends = &self.ends;
        let pick = |mask: u8, chan: usize| mask >> chan & 1 == 1;
        let actor = Actor {
            index,
            kind: part.kind,
            program: self.program.clone(),
            journal: self.journal.clone(),
            ends: Ends {
                tx: clones(&ends.tx, |chan| pick(part.sends, chan)),
                rx: clones(&ends.rx, |chan| pick(part.receives, chan)),
                census: ends.census.clone(),
            },
        };
        // The host made the clones.
        for chan in 0..self.program.capacities.len() {
            if pick(part.sends, chan) {
                self.note(Act::CloneSend, chan);
            }
            if pick(part.receives, chan) {
                self.note(Act::CloneRecv, chan);
            }
        }
        actor
    }

    fn note(&self, act: Act, chan: usize) {
        self.begin(Waits::Never, vec![(chan, act)]);
        self.finish(End::One(0, crate::channel::Res::Done));
    }

    pub fn begin(&self, waits: Waits, arms: Vec<(usize, Act)>) {
        let (select, looks, late) = (false, false, false);
        self.journal.begin(
            self.index,
            Manner {
                waits,
                select,
                looks,
                late,
            },
            arms,
        );
    }

    pub fn finish(&self, end: End) {
        self.journal.end(self.index, end);
    }

    fn act(&mut self, act: Act, chan: usize) {
        self.begin(Waits::Never, vec![(chan, act)]);
        self.ends.act(act, chan);
        self.finish(End::One(0, crate::channel::Res::Done));
    }

    /// Drops all ends, one after the other.
    pub fn leave(&mut self) {
        for chan in 0..self.program.capacities.len() {
            while self.ends.has(Dir::Send, chan) {
                self.act(Act::DropSend, chan);
            }
            while self.ends.has(Dir::Recv, chan) {
                self.act(Act::DropRecv, chan);
            }
        }
    }

    fn keep_one_end(&mut self) {
        for chan in 0..self.program.capacities.len() {
            match self.program.held >> chan & 1 {
                1 => self.act(Act::DropSend, chan),
                _ => self.act(Act::DropRecv, chan),
            }
        }
    }

    fn until_all_are_done(
        &mut self,
        told: &mpsc::Receiver<Result<(), String>>,
        patience: Duration,
    ) -> Result<(), String> {
        let mut to_close = 0..self.program.capacities.len();
        let mut seen = (0, Instant::now());
        loop {
            match told.recv_timeout(Duration::from_micros(300)) {
                Ok(result) => result?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = self.journal.now();
            if now != seen.0 {
                seen = (now, Instant::now());
                continue;
            }
            let quiet = seen.1.elapsed();
            if quiet < Duration::from_micros(500) {
                continue;
            }
            // Nothing has begun or ended for a while.
            let calls = self.journal.calls();
            let waits = calls.iter().any(|call| call.end.is_none());
            match check::who_could_go_on(&self.program, &calls, &self.ends.census) {
                Some(who) if quiet > patience => {
                    return Err(format!("{who}\n{}", check::tell(&calls)));
                }
                None if waits => {
                    if let Some(chan) = to_close.next() {
                        let end = self.ends.has(Dir::Send, chan);
                        self.act(if end { Act::CloseSend } else { Act::CloseRecv }, chan);
                    }
                }
                _ if quiet > patience => {
                    return Err(format!("nothing happens any more\n{}", check::tell(&calls)));
                }
                _ => {}
            }
        }
    }

    fn blocked(patience: Patience) -> Waits {
        match patience {
            Patience::Try => Waits::Never,
            _ => Waits::Blocked,
        }
    }

    pub fn number(&self) -> u32 {
        self.ends.census.number()
    }

    /// What a goroutine or thread does.
    fn work(mut self) {
        let program = self.program.clone();
        for op in &program.actors[self.index].ops {
            match op {
                Op::Move(dir, chan, patience) => {
                    let chan = program.channel(*chan);
                    if self.ends.has(*dir, chan) {
                        self.move_value(*dir, chan, *patience);
                    }
                }
                Op::Iterate(chan, times) => {
                    let chan = program.channel(*chan);
                    if let Some(rx) = self.ends.receiver(chan) {
                        let mut iter = rx.iter();
                        for _ in 0..*times {
                            self.begin(Waits::Blocked, vec![(chan, Act::Recv)]);
                            let next = iter.next().ok_or(waterway::RecvError);
                            self.finish(got(0, next));
                        }
                    }
                }
                Op::Select(choice) => self.select(choice, false),
                Op::Ready(choice) => self.select(choice, true),
                other => self.other(other),
            }
        }
        self.leave();
    }

    /// What is the same for all kinds of actors.
    pub fn other(&mut self, op: &Op) {
        match op {
            Op::End(act, chan) => {
                let chan = self.program.channel(*chan);
                let dir = match act {
                    Act::CloseSend | Act::CloneSend | Act::DropSend => Dir::Send,
                    _ => Dir::Recv,
                };
                if self.ends.has(dir, chan) {
                    self.act(*act, chan);
                }
            }
            _ => yield_now(),
        }
    }

    pub fn move_value(&self, dir: Dir, chan: usize, patience: Patience) {
        let waits = Self::blocked(patience);
        let end = match dir {
            Dir::Send => {
                let value = self.number();
                self.begin(waits, vec![(chan, Act::Send(value))]);
                self.ends.send(chan, value, patience)
            }
            Dir::Recv => {
                self.begin(waits, vec![(chan, Act::Recv)]);
                self.ends.recv(chan, patience)
            }
        };
        self.finish(end);
    }

    /// The arms for which there are ends.
    fn arms(&self, choice: &Choice) -> Vec<(usize, Act)> {
        let mut arms = Vec::new();
        for (dir, chan) in &choice.arms {
            let chan = self.program.channel(*chan);
            match dir {
                _ if !self.ends.has(*dir, chan) => {}
                Dir::Send => arms.push((chan, Act::Send(self.number()))),
                Dir::Recv => arms.push((chan, Act::Recv)),
            }
        }
        arms
    }

    /// Does what an arm says, or only looks whether one could go.
    pub fn select(&self, choice: &Choice, looks: bool) {
        let arms = self.arms(choice);
        if arms.is_empty() {
            return;
        }
        let late = choice.style == Style::Late && !looks;
        let manner = Manner {
            // What is chosen and finished late may wait even if nothing else may.
            waits: if late {
                Waits::Blocked
            } else {
                Self::blocked(choice.patience)
            },
            select: true,
            looks,
            late,
        };
        self.journal.begin(self.index, manner, arms.clone());
        self.finish(match looks {
            true => self.ends.ready(choice, &arms),
            false => self.ends.select(choice, &arms),
        });
    }
}

fn clones<T: Clone>(ends: &[Vec<T>], wanted: impl Fn(usize) -> bool) -> Vec<Vec<T>> {
    let one = |(chan, ends): (usize, &Vec<T>)| match wanted(chan) {
        true => vec![ends[0].clone()],
        false => Vec::new(),
    };
    ends.iter().enumerate().map(one).collect()
}

//! Who runs when: what measures runs alone, the rest, which mostly sleeps, side by side; told in order all the same.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use super::catalogue::Behaviour;
use super::judge;
use super::{GoOutcome, Outcome, child};
use crate::go::Go;

/// Runs the behaviours, and hands each outcome on, in the order of `chosen`.
pub fn run(chosen: &[&'static Behaviour], go: Option<&Go>, each: impl FnMut(Outcome)) {
    let mut progress = Progress::new(chosen, each);
    let (alone, together): (Vec<_>, Vec<_>) = chosen.iter().copied().partition(|b| b.alone);
    for behaviour in alone {
        progress.begin(&[behaviour]);
        let ours = child::example(behaviour.id);
        progress.end(compare(behaviour, ours, go.map(|go| theirs(go, behaviour))));
    }

    progress.begin(&together);
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        for behaviour in together {
            let tx = tx.clone();
            scope.spawn(move || {
                let (ours, theirs) = thread::scope(|both| {
                    let theirs = both.spawn(|| go.map(|go| theirs(go, behaviour)));
                    let ours = child::example(behaviour.id);
                    (ours, theirs.join().expect("it does not panic"))
                });
                tx.send(compare(behaviour, ours, theirs))
                    .expect("outcomes are received until the last sender ends");
            });
        }
        drop(tx);
        for outcome in rx {
            progress.end(outcome);
        }
    });
}

/// Builds and runs the Go program of a behaviour.
fn theirs(go: &Go, behaviour: &Behaviour) -> Result<child::Run, String> {
    let program = go.built(behaviour.id, behaviour.go)?;
    Ok(child::run(&mut Command::new(program)))
}

fn compare(
    behaviour: &'static Behaviour,
    run: child::Run,
    theirs: Option<Result<child::Run, String>>,
) -> Outcome {
    let go = match theirs {
        None => GoOutcome::Absent,
        Some(Err(why)) => GoOutcome::Broken(why),
        Some(Ok(theirs)) => GoOutcome::Ran {
            agrees: judge::agree(behaviour, &run, &theirs),
            run: theirs,
        },
    };
    Outcome {
        behaviour,
        verdict: (behaviour.judge)(&run),
        run,
        go,
    }
}

/// Keeps outcomes until it is their turn, and tells a terminal what still runs.
struct Progress<F> {
    /// Those not yet handed on, by number; `None` while they have not ended.
    waiting: BTreeMap<u8, Option<Outcome>>,
    running: Vec<&'static str>,
    each: F,
}

impl<F: FnMut(Outcome)> Progress<F> {
    fn new(chosen: &[&'static Behaviour], each: F) -> Self {
        Progress {
            waiting: chosen.iter().map(|b| (b.number(), None)).collect(),
            running: Vec::new(),
            each,
        }
    }

    fn begin(&mut self, behaviours: &[&'static Behaviour]) {
        self.running.extend(behaviours.iter().map(|b| b.id));
        self.draw();
    }

    fn end(&mut self, outcome: Outcome) {
        self.erase();
        self.running.retain(|id| *id != outcome.behaviour.id);
        self.waiting
            .insert(outcome.behaviour.number(), Some(outcome));
        while let Some(first) = self.waiting.first_entry() {
            if first.get().is_none() {
                break;
            }
            first.remove().map(&mut self.each);
        }
        self.draw();
    }

    fn draw(&self) {
        if !self.running.is_empty() && std::io::stderr().is_terminal() {
            eprint!("… running {} ", self.running.join(" "));
        }
    }

    fn erase(&self) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[2K");
        }
    }
}

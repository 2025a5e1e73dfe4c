//! The tour: runs each behaviour's program in a process of its own, and says whether what was seen is what was expected.

mod catalogue;
mod child;
mod go;
mod judge;
mod report;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::mpsc;

use catalogue::{BEHAVIOURS, Behaviour};
use child::Run;
use go::Go;
use judge::Seen;

use crate::TourArgs;

/// A behaviour that has run.
struct Outcome {
    behaviour: &'static Behaviour,
    run: Run,
    seen: Seen,
    go: GoOutcome,
}

/// What real Go did.
enum GoOutcome {
    /// There is no Go, or it was not asked for.
    Absent,
    /// It could not be built or run.
    Broken(String),
    Ran { run: Run, agrees: bool },
}

impl Outcome {
    fn ok(&self) -> bool {
        self.seen.ok && !matches!(self.go, GoOutcome::Broken(_) | GoOutcome::Ran { agrees: false, .. })
    }
}

/// The behaviour with this number.
pub fn find(id: &str) -> Result<&'static Behaviour, String> {
    BEHAVIOURS
        .iter()
        .find(|b| b.id.eq_ignore_ascii_case(id))
        .ok_or_else(|| format!("there is no behaviour {id:?}: allowed are S1 to S15"))
}

/// Runs the tour.
pub fn run(args: TourArgs) -> ExitCode {
    let chosen: Result<Vec<_>, _> = match args.only.is_empty() {
        true => Ok(BEHAVIOURS.iter().collect()),
        false => args.only.iter().map(|id| find(id.trim())).collect(),
    };
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(error) => return crate::usage(&error),
    };
    let go = match (args.no_go, &args.go) {
        (true, _) => None,
        (false, Some(path)) => match Go::at(path) {
            Ok(go) => Some(go),
            Err(error) => return crate::usage(&error),
        },
        (false, None) => Go::find(),
    };
    let go_absent = go.is_none() && !args.no_go;
    let report = report::Report::new(args.json, go_absent);
    let mut failed = 0;
    in_order(&chosen, go.as_ref(), |outcome| {
        failed += usize::from(!outcome.ok());
        report.show(&outcome);
    });
    report.close(chosen.len(), failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs behaviours that mostly sleep side by side, the others alone; hands the outcomes on in the order of `chosen`.
fn in_order(chosen: &[&'static Behaviour], go: Option<&Go>, mut each: impl FnMut(Outcome)) {
    let (send, receive) = mpsc::channel();
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let mut take = |at: usize, outcome: Outcome| {
        waiting.insert(at, outcome);
        while let Some(outcome) = waiting.remove(&next) {
            next += 1;
            each(outcome);
        }
    };
    let (alone, together): (Vec<_>, Vec<_>) = chosen.iter().enumerate().partition(|(_, b)| b.alone);
    std::thread::scope(|scope| {
        for (at, behaviour) in together.iter().copied() {
            let send = send.clone();
            scope.spawn(move || {
                // The receiver lives until all have sent.
                let _ = send.send((at, one(behaviour, go)));
            });
        }
        drop(send);
        for (count, (at, outcome)) in receive.iter().enumerate() {
            progress(&format!("{} of {} that mostly sleep have ended", count + 1, together.len()));
            take(at, outcome);
        }
    });
    for (at, behaviour) in alone {
        progress(&format!("{} runs alone: {}", behaviour.id, behaviour.title));
        take(at, one(behaviour, go));
    }
}

fn one(behaviour: &'static Behaviour, go: Option<&Go>) -> Outcome {
    let run = child::example(behaviour.id);
    let seen = (behaviour.judge)(&run);
    let go = match go.map(|go| go.run(behaviour)) {
        None => GoOutcome::Absent,
        Some(Err(error)) => GoOutcome::Broken(error),
        Some(Ok(theirs)) => GoOutcome::Ran { agrees: judge::agree(behaviour, &run, &theirs), run: theirs },
    };
    Outcome { behaviour, run, seen, go }
}

/// A line that the next one overwrites, for who watches.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K… {text}\r");
    }
}

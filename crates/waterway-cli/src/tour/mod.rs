//! The tour: runs the program of each behaviour in a process of its own, and tells whether what was seen is what was
//! expected, and whether real Go comes to the same.

mod catalogue;
mod child;
mod judge;
mod report;
mod schedule;

use std::process::ExitCode;

use catalogue::BEHAVIOURS;
pub use catalogue::Behaviour;
use child::Run;
use judge::Verdict;
use report::Report;

use crate::TourArgs;

/// A behaviour that has run.
struct Outcome {
    behaviour: &'static Behaviour,
    run: Run,
    verdict: Verdict,
    go: GoOutcome,
}

/// What real Go did.
enum GoOutcome {
    /// There is no Go, or it is not wanted.
    Absent,
    /// Its program could not be built.
    Broken(String),
    Ran {
        run: Run,
        agrees: bool,
    },
}

impl Outcome {
    /// As expected, and no other outcome than Go's. (Go that cannot build is no fault of ours, but is told.)
    fn ok(&self) -> bool {
        self.verdict.is_ok() && !matches!(self.go, GoOutcome::Ran { agrees: false, .. })
    }
}

/// The behaviour with this number.
pub fn find(id: &str) -> Result<&'static Behaviour, String> {
    BEHAVIOURS
        .iter()
        .find(|behaviour| behaviour.id.eq_ignore_ascii_case(id.trim()))
        .ok_or_else(|| "there is no such behaviour: allowed are S1 to S15".into())
}

/// Runs the tour.
pub fn run(args: TourArgs) -> ExitCode {
    let mut chosen: Vec<_> = match args.only.is_empty() {
        true => BEHAVIOURS.iter().collect(),
        false => args.only,
    };
    chosen.sort_by_key(|behaviour| behaviour.number());
    chosen.dedup_by_key(|behaviour| behaviour.number());

    let go = args.go.find();
    let skipped = go.as_ref().err().copied();
    let go = go.ok();

    let mut report = Report::open(args.json, chosen.len(), skipped);
    schedule::run(&chosen, go.as_ref(), |outcome| report.show(&outcome));
    match report.close() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

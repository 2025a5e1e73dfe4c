//! Go's own figure: the same kernels as Go programs, judged by what Go has.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use waterway_conformance::goker::{Kernel, Outcome};
use waterway_conformance::{child, real_go};

/// Who is not told to be asleep by then is not.
const PATIENCE: Duration = Duration::from_secs(3);

/// What came of all runs of a kernel in Go.
#[derive(Default)]
pub struct Sum {
    /// Runs in each way.
    pub runs: usize,
    /// Beside others: all that are to block do.
    pub manifested: usize,
    /// The profile of leaked goroutines has some of them.
    pub some_leaked: usize,
    /// It has all of them.
    pub all_leaked: usize,
    /// Alone: Go says that all goroutines are asleep.
    pub asleep: usize,
    /// The same with a ticker that only a stuck goroutine could read.
    pub asleep_with_ticker: usize,
}

/// Runs a kernel `runs` times in each way. `None` without Go.
pub fn runs(kernel: &Kernel, runs: usize) -> Option<Sum> {
    let program = program().as_ref()?;
    let stuck: String = stuck(kernel)
        .iter()
        .map(|name| format!(" {name}"))
        .collect();
    let mut sum = Sum {
        runs,
        ..Sum::default()
    };
    for _ in 0..runs {
        let beside = child::run(Command::new(program).args([kernel.id, "beside"]));
        let names = |what: &str| {
            let mut lines = beside.stdout.lines();
            lines.find_map(|line| line.strip_prefix(what))
        };
        let leaked = names("leaked").unwrap_or_default();
        sum.manifested += usize::from(names("blocked") == Some(&stuck));
        sum.some_leaked += usize::from(!leaked.is_empty());
        sum.all_leaked += usize::from(leaked == stuck);
        sum.asleep += usize::from(all_asleep(program, kernel, "alone"));
        sum.asleep_with_ticker += usize::from(all_asleep(program, kernel, "ticker"));
    }
    Some(sum)
}

fn all_asleep(program: &PathBuf, kernel: &Kernel, way: &str) -> bool {
    let mut command = Command::new(program);
    let (outcome, ended) = child::run_for(command.args([kernel.id, way]), PATIENCE);
    ended && outcome.stderr.contains("all goroutines are asleep")
}

/// Who blocks in Go: as in the form that is closest to it.
fn stuck(kernel: &Kernel) -> &'static [&'static str] {
    let blocks = kernel
        .forms
        .iter()
        .rev()
        .find_map(|form| match form.outcome {
            Outcome::Stuck(names) | Outcome::Waits(names) => Some(names),
            Outcome::Ends => None,
        });
    blocks.unwrap_or_default()
}

/// The program with all kernels, built once.
fn program() -> &'static Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let own = std::env::current_exe().expect("this program has a path");
        let directory = own.parent().expect("it lies in a directory");
        let built = real_go::build("./goker", directory, "goker-go");
        built
            .inspect_err(|why| eprintln!("not beside real Go: {why}"))
            .ok()
    })
}

//! The race: Waterway beside its rivals, on the same work in one run.
//!
//! Each rival is a program of its own (`peers/`), built here and run again and again, interleaved: A B C A B C. All have
//! the same workloads and answer in the same lines of JSON. Beside them run the floors: what the machine allows. See `--help`.

mod catalogue;
mod chart;
mod field;
mod floors;
mod line;
mod machine;
mod memory;
mod race;
mod readme;
mod report;
mod scaling;
mod stats;
mod targets;
mod workers;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use catalogue::{Chosen, Workload};
use clap::Parser;
use field::Peer;

/// Races Waterway and its rivals on the same work, in one run, and reports medians, ranges and ratios to Go.
#[derive(Parser)]
#[command(name = "waterway-bench", after_help = format!("Workloads:\n{}", catalogue::list()))]
struct Cli {
    /// Some of the work, and two rounds without one to warm up: to see that it runs, not to measure.
    #[arg(long)]
    quick: bool,

    /// Only this workload, or those whose names begin so. May be repeated. All of them are listed below.
    #[arg(long, value_name = "WORKLOAD", value_parser = catalogue::find)]
    only: Vec<Chosen>,

    /// Who takes part: of waterway, go, tokio, may and threads, and of floor, which is no rival but what the machine allows.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = field::find)]
    peers: Vec<&'static Peer>,

    /// Writes all figures as JSON, too; with `-` to the standard output, in place of the table.
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,

    /// Rounds, after one to warm up [default: 5; 3 for the largest workloads; 2, and none to warm up, with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: Option<u16>,

    /// Workers that each rival is told to have; with a list, all is raced with each, and the tables are of the first. Waterway starts no more than there are cores [default: as many as there are cores]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Vec<u16>,

    /// Where performance.md and performance.svg go [default: target/race for a part, by --quick, --only, --peers or fewer than three rounds; docs for a whole race]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Races nothing: writes the figures of docs/performance.md into the rows of the README's table.
    #[arg(long, exclusive = true)]
    readme: bool,
}

impl Cli {
    fn workloads(&self) -> Vec<&'static Workload> {
        let all = catalogue::ALL.iter();
        if self.only.is_empty() {
            return all.collect();
        }
        let named = |w: &&Workload| self.only.iter().any(|chosen| chosen.has(w));
        all.filter(named).collect()
    }

    fn peers(&self) -> Vec<&'static Peer> {
        let all = field::ALL.iter();
        all.filter(|peer| self.peers.is_empty() || self.peers.contains(peer))
            .collect()
    }

    /// The directory for the report, and whether it will hold all that there is.
    fn out(&self) -> PathBuf {
        let few = self.rounds.is_some_and(|rounds| rounds < FEWEST_ROUNDS);
        let part = self.quick || few || !self.only.is_empty() || !self.peers.is_empty();
        match &self.out {
            Some(dir) => dir.clone(),
            None if part => field::target(),
            None => field::root().join("docs"),
        }
    }
}

/// A race of fewer rounds is none to publish.
const FEWEST_ROUNDS: u16 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.readme {
        true => readme::write(),
        false => run(&cli),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), String> {
    let out = cli.out();
    std::fs::create_dir_all(&out).map_err(|e| format!("cannot make {}: {e}", out.display()))?;
    let mut workers: Vec<usize> = cli.workers.iter().map(|n| usize::from(*n)).collect();
    if workers.is_empty() {
        workers.push(machine::cores());
    }
    let before = machine::load();
    if let Some(path) = cli.json.as_deref().filter(|path| *path != Path::new("-")) {
        // Now, not when all is measured.
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        file.map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    let told = field::told_steps(std::env::var_os(field::STEPS).as_deref())?;
    let (field, mut left_out) = field::line_up(&cli.peers());
    if field.is_empty() || (!cli.peers.is_empty() && !left_out.is_empty()) {
        return Err(format!(
            "who was asked for cannot take part: {}",
            left_out.join("; ")
        ));
    }
    let steps = told.map_or_else(|| field::steps(&field), |steps| (steps, "as told"));
    let by_workers: Vec<_> = workers
        .iter()
        .map(|&workers| {
            let plan = race::Plan {
                workloads: cli.workloads(),
                quick: cli.quick,
                rounds: cli.rounds.map(usize::from),
                workers,
                steps: steps.0,
            };
            (workers, race::run(&plan, &field, &mut left_out))
        })
        .collect();
    let results = &by_workers[0].1;
    let report = report::Report {
        by_workers: &by_workers,
        left_out: &left_out,
        machine: machine::describe(&field, &workers, steps, before),
        quick: cli.quick,
    };
    let failed = |path: &Path, e| format!("cannot draw {}: {e}", path.display());
    let (chart, scaling) = (out.join("performance.svg"), out.join("scaling.svg"));
    chart::draw(&chart, results).map_err(|e| failed(&chart, e))?;
    scaling::draw(&scaling, results).map_err(|e| failed(&scaling, e))?;
    write(&out.join("performance.md"), &report.markdown())?;
    match &cli.json {
        Some(path) if path == Path::new("-") => println!("{}", report.json()),
        Some(path) => write(path, &format!("{}\n", report.json()))?,
        None => {}
    }
    if cli.json.as_deref() != Some(Path::new("-")) {
        print!("{}", report.summary());
    }
    eprintln!("all figures: {}", out.join("performance.md").display());
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_help_lists_all_workloads_with_their_titles() {
        let help = Cli::command().render_long_help().to_string();
        for workload in catalogue::ALL {
            let line = |l: &&str| {
                let mut words = l.split_whitespace();
                words.next() == Some(workload.name) && l.ends_with(workload.title)
            };
            let times = help.lines().filter(line).count();
            assert_eq!(times, 1, "{} in\n{help}", workload.name);
        }
    }
}

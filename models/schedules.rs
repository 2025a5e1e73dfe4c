//! How shuttle models are run: each in a process of its own, under many schedules; one that fails can be run again.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use waterway_models::CHILD;

/// A model by its name: a program whose every schedule must end, and keep its assertions.
pub(crate) type Model = (&'static str, fn());

/// Schedules of each kind for each model, unless `WATERWAY_MODEL_RUNS` says otherwise.
const RUNS: usize = 200;

/// A file that holds a schedule: that one alone.
const REPLAY: &str = "WATERWAY_MODEL_REPLAY";

fn config() -> Config {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::File(Some(std::env::temp_dir()));
    config.silence_warnings = true;
    config.max_steps = MaxSteps::FailAfter(200_000);
    config
}

fn runs() -> usize {
    let runs = std::env::var("WATERWAY_MODEL_RUNS");
    runs.map_or(RUNS, |n| n.parse().expect("WATERWAY_MODEL_RUNS: a number"))
}

/// Runs the models of this test, or those whose name holds the first argument.
pub(crate) fn main(test: &str, all: &[Model]) {
    if let Ok(name) = std::env::var(CHILD) {
        let model = all.iter().find(|(known, _)| *known == name);
        return check(model.expect("a model of that name").1);
    }
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let replay = std::env::var_os(REPLAY).is_some();
    let schedules = if replay { 1 } else { 2 * runs() };
    // A schedule is of one model.
    let meant = |name: &str, only: &str| name.contains(only) && (!replay || name == only);
    let chosen = |name: &str| only.as_deref().map_or(!replay, |only| meant(name, only));
    let names = all.iter().map(|(name, _)| *name);
    waterway_models::run(names, chosen, |name| told(test, name, schedules));
}

/// Runs a model and says how it fared. False if it failed.
fn told(test: &str, name: &str, schedules: usize) -> bool {
    let started = Instant::now();
    match child(name) {
        Ok(()) => {
            let took = started.elapsed().as_secs_f64();
            println!("model {name} ... ok ({schedules} schedules, {took:.1} s)");
            true
        }
        Err(schedule) => {
            println!("model {name} ... FAILED");
            if let Some(file) = schedule {
                println!(
                    "Again: {REPLAY}={file} cargo test -p waterway-models --test {test} {name}"
                );
            }
            false
        }
    }
}

/// Runs a model in its process. Gives the file of the schedule that
/// failed.
fn child(name: &str) -> Result<(), Option<String>> {
    let mut child = waterway_models::child(name)
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program runs");
    let mut schedule = None;
    let errors = child.stderr.take().expect("it is piped");
    for line in BufReader::new(errors).lines().map_while(Result::ok) {
        if let Some((_, file)) = line.split_once("failing schedule persisted to file: ") {
            schedule = Some(file.to_owned());
        }
        eprintln!("{line}");
    }
    match child.wait().is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err(schedule),
    }
}

fn check(model: fn()) {
    if let Ok(schedule) = std::env::var(REPLAY) {
        return shuttle::replay_from_file(model, &schedule);
    }
    Runner::new(RandomScheduler::new(runs()), config()).run(model);
    Runner::new(PctScheduler::new(3, runs()), config()).run(model);
}

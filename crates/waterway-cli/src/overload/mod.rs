//! The experiment: items come in faster than a server can take them, in several designs side by side.

mod design;
mod json;
mod live;
mod picture;
mod race;
mod settings;
mod summary;
mod table;
mod units;
mod wire;
mod work;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::CommandFactory;
use clap::error::ErrorKind;
use waterway_examples::available_bytes;

use crate::Cli;
use crate::go::Go;
use design::Runs;
pub use design::{Design, find};
use live::Live;
pub use settings::{Load, OverloadArgs};

/// Go's programs, in one file.
const GO: &str = include_str!("../../go/overload.go");

/// Runs the experiment.
pub fn run(args: OverloadArgs) -> ExitCode {
    let load = args.load;
    let mut designs = args.designs();
    let of_go = |design: &&Design| matches!(design.runs, Runs::Go(_));
    let go = match designs.iter().any(of_go) {
        true => args.go.find().map_err(String::from),
        false => Err(String::new()),
    };
    if go.is_err() {
        designs.retain(|design| !of_go(design));
    }
    if let Err(why) = possible(&args, &designs) {
        Cli::command().error(ErrorKind::ValueValidation, why).exit();
    }

    // That nobody listens any longer is no reason to stop.
    let say = |text: &str| match args.json_on_stdout() {
        true => drop(writeln!(io::stderr(), "{text}")),
        false => drop(writeln!(io::stdout(), "{text}")),
    };
    let go = go.and_then(go_program);
    if let Err(why) = &go {
        designs.retain(|design| !of_go(design));
        if !why.is_empty() {
            say(why);
        }
    }
    if load.rate_in <= load.rate_out {
        say(&format!(
            "note: {} items a second come in and {} can go out: nothing is overloaded",
            load.rate_in, load.rate_out
        ));
    }
    let commands = designs
        .iter()
        .map(|design| (*design, command(design, load, go.as_ref().ok())));
    let mut live = Live::new(load, args.json_on_stdout());
    let all = race::run(commands.collect(), load, |all| live.show(all));

    say(&format!("\n{}", table::text(&all, load)));
    let written = picture::write(&args.out, &all, load).map(|files| say(&files));
    let written = written.and_then(|()| json::write(&args, &all));
    if let Err(why) = &written {
        eprintln!("error: {why}");
    }
    match written.is_ok() && all.iter().all(|one| one.failed.is_none()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Whether this can run and its results can be written. As an error, what is wrong and what to do.
fn possible(args: &OverloadArgs, designs: &[&Design]) -> Result<(), String> {
    if designs.is_empty() {
        return Err(
            "--only: no design is left without Go: name one that is not Go's, or --go PATH".into(),
        );
    }
    args.load.affordable(designs, available_bytes() as u64)?;
    args.writable()
}

/// Runs one design in this process.
pub fn work(design: &Design, load: Load) -> ExitCode {
    match design.runs {
        Runs::Here(way) => work::run(way(load), load),
        Runs::Go(_) => {
            eprintln!("{} is a program of Go's", design.id);
            ExitCode::FAILURE
        }
    }
}

fn go_program(go: Go) -> Result<PathBuf, String> {
    let told = |why| format!("Go is left out: {why}");
    go.built("overload", GO).map_err(told)
}

/// The command that runs a design in a process of its own.
fn command(design: &Design, load: Load, go: Option<&PathBuf>) -> Command {
    let (rate_in, rate_out) = (load.rate_in.to_string(), load.rate_out.to_string());
    let seconds = load.seconds.to_string();
    match (&design.runs, go) {
        (Runs::Go(name), Some(go)) => {
            let mut command = Command::new(go);
            command.args([name, &rate_in[..], &rate_out, &seconds]);
            command
        }
        _ => {
            // Where it does not know itself, the failure to run it is told.
            let mut command = Command::new(std::env::current_exe().unwrap_or_default());
            command.args(["run-overload", design.id, "--rate-in", &rate_in]);
            command.args(["--rate-out", &rate_out, "--seconds", &seconds]);
            command
        }
    }
}

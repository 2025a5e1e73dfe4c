//! The `waterway` command. Without arguments it runs the tour of the fifteen behaviours.

mod programs;
mod tour;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tour::Behaviour;

/// Waterway: Go's concurrency for Rust.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the fifteen behaviours, each in a process of its own, beside real Go where there is one (the default).
    ///
    /// Exits with status 1 if one fails, 2 if the arguments are wrong.
    Tour(TourArgs),
    /// Run the program of one behaviour, in this process.
    #[command(hide = true)]
    RunExample {
        /// Which one, S1 to S15.
        #[arg(value_parser = tour::find)]
        behaviour: &'static Behaviour,
    },
}

/// What to run, and how to tell of it.
#[derive(Args, Default)]
struct TourArgs {
    /// Only these behaviours, for example S6 or S6,S7.
    #[arg(long, value_name = "S1..S15", value_delimiter = ',', value_parser = tour::find)]
    only: Vec<&'static Behaviour>,

    /// One line of JSON for each behaviour.
    #[arg(long)]
    json: bool,

    /// The Go command to compare with, or the directory of its toolchain.
    #[arg(long, value_name = "PATH", conflicts_with = "no_go")]
    go: Option<PathBuf>,

    /// Do not compare with Go.
    #[arg(long)]
    no_go: bool,
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match command.unwrap_or(Command::Tour(TourArgs::default())) {
        Command::Tour(args) => tour::run(args),
        Command::RunExample { behaviour } => (behaviour.program)(),
    }
}

//! The `waterway` command. Without arguments it runs the tour of the fifteen behaviours.

mod programs;
mod tour;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Waterway: Go's concurrency for Rust.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the fifteen behaviours, each in a process of its own, and compare with real Go where there is one.
    Tour(TourArgs),
    /// Run the program of one behaviour in this process.
    RunExample {
        /// Which one, S1 to S15.
        id: String,
    },
}

/// What to run, and how to say it.
#[derive(Args, Default)]
struct TourArgs {
    /// Only these behaviours, as `S6` or `S6,S7`.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// One line of JSON for each behaviour.
    #[arg(long)]
    json: bool,
    /// The Go command to compare with.
    #[arg(long, value_name = "PATH", conflicts_with = "no_go")]
    go: Option<PathBuf>,
    /// Do not compare with Go.
    #[arg(long)]
    no_go: bool,
}

fn main() -> ExitCode {
    match Cli::parse().command.unwrap_or(Command::Tour(TourArgs::default())) {
        Command::Tour(args) => tour::run(args),
        Command::RunExample { id } => match tour::find(&id) {
            Ok(behaviour) => {
                (behaviour.program)();
                ExitCode::SUCCESS
            }
            Err(error) => usage(&error),
        },
    }
}

/// A bad argument: what was wrong and what is allowed.
fn usage(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}

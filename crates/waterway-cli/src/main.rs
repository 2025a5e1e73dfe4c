//! The `waterway` command. Without arguments it runs the tour of the fifteen behaviours.

mod go;
mod overload;
mod programs;
mod tour;

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, Error, Parser, Subcommand};
use go::GoArgs;
use overload::{Design, Load, OverloadArgs};
use tour::Behaviour;

/// Waterway: Go's concurrency for Rust.
#[derive(Parser)]
#[command(
    name = "waterway",
    version,
    about,
    after_help = "Examples:\n  waterway                           the tour\n  waterway tour --only S6,S7         two behaviours of it\n  waterway overload --seconds 60     ten times more in than out, for a minute\n  waterway overload --help           what it measures, and all flags"
)]
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
    /// Bring in more than can go out, in several designs side by side: what becomes of memory and waiting times.
    ///
    /// Each design runs in a process of its own, all at the same time, beside real Go where there is one. Tells how things stand while they run; at the end
    /// prints a table and draws overload.svg and overload.png.
    ///
    /// Exits with status 1 if a design fails, or loses sight of an item; 2 if the arguments are wrong.
    Overload(OverloadArgs),
    /// Run one design of the experiment, in this process.
    #[command(hide = true)]
    RunOverload {
        /// Which one.
        #[arg(value_parser = overload::find)]
        design: &'static Design,
        #[command(flatten)]
        load: Load,
    },
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

    #[command(flatten)]
    go: GoArgs,
}

fn main() -> ExitCode {
    let command = Cli::try_parse()
        .unwrap_or_else(|error| keep_hidden(error).exit())
        .command;
    match command.unwrap_or(Command::Tour(TourArgs::default())) {
        Command::Tour(args) => tour::run(args),
        Command::Overload(args) => overload::run(args),
        Command::RunOverload { design, load } => overload::work(design, load),
        Command::RunExample { behaviour } => (behaviour.program)(),
    }
}

/// Nobody is to be told to use what is hidden.
fn keep_hidden(mut error: Error) -> Error {
    let kind = ContextKind::SuggestedSubcommand;
    let Some(ContextValue::Strings(mut names)) = error.remove(kind) else {
        return error;
    };
    let cli = Cli::command();
    names.retain(|name| cli.find_subcommand(name).is_some_and(|c| !c.is_hide_set()));
    if !names.is_empty() {
        error.insert(kind, ContextValue::Strings(names));
    }
    error
}

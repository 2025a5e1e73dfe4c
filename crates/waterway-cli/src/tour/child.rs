//! A program in a process of its own: what it printed, when, and how it ended.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A program that has not ended by now never will: it is killed. No judgement of speed; the longest takes 20 s.
const PATIENCE: Duration = Duration::from_secs(180);

/// What was seen of a program.
#[derive(Debug, Default)]
pub struct Run {
    /// The lines of its standard output.
    pub lines: Vec<Line>,
    pub stderr: String,
    /// Its exit status; `None` if a signal ended it, or it could not be run (then `stderr` says why).
    pub status: Option<i32>,
    pub took: Duration,
}

/// A line of output.
#[derive(Debug)]
pub struct Line {
    /// When it arrived, since before the program's start: never earlier than the program wrote it.
    pub at: Duration,
    pub text: String,
}

impl Run {
    fn failed(why: String) -> Run {
        Run {
            stderr: why,
            ..Run::default()
        }
    }

    /// What it said: its lines but for figures (`name=value`) and remarks (`# …`).
    pub fn said(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().map(|line| line.text.as_str());
        lines.filter(|text| !text.starts_with('#') && !text.contains('='))
    }

    /// Its figures, `name=value`, in order.
    pub fn figures(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.lines.iter().filter(|line| !line.text.starts_with('#'));
        lines.filter_map(|line| line.text.split_once('='))
    }

    /// When this line arrived.
    pub fn when(&self, text: &str) -> Option<Duration> {
        let line = self.lines.iter().find(|line| line.text == text);
        line.map(|line| line.at)
    }
}

/// Runs the program of one behaviour in a child process of this one.
pub fn example(id: &str) -> Run {
    match std::env::current_exe() {
        Ok(itself) => run(Command::new(itself).args(["run-example", id])),
        Err(error) => Run::failed(format!("this program cannot find itself: {error}")),
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Run {
    let start = Instant::now();
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Run::failed(format!("{command:?} could not be run: {error}")),
    };
    let stdout = child.stdout.take().expect("it is piped");
    let mut stderr = child.stderr.take().expect("it is piped");
    thread::scope(|scope| {
        let lines = scope.spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let at = |text| Line {
                at: start.elapsed(),
                text,
            };
            lines.map(at).collect()
        });
        let errors = scope.spawn(move || {
            let mut bytes = Vec::new();
            // Whatever ended it, what could be read counts.
            let _ = stderr.read_to_end(&mut bytes);
            // The examples are modules of this program, by a path that goes up and down again.
            String::from_utf8_lossy(&bytes).replace("crates/waterway-cli/src/../../../", "")
        });
        let status = wait(&mut child, start + PATIENCE);
        let took = start.elapsed();
        let mut stderr = errors.join().expect("reading does not panic");
        if status.is_none() {
            stderr.push_str("\nIt did not end, and was killed.");
        }
        Run {
            lines: lines.join().expect("reading does not panic"),
            stderr,
            status: status.and_then(|status| status.code()),
            took,
        }
    })
}

/// Waits for the end; kills the child and returns `None` once it is too late.
fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(2)),
            Ok(ended) => return ended,
            Err(_) => break,
        }
    }
    // It may have ended just now.
    let _ = child.kill();
    let _ = child.wait();
    None
}

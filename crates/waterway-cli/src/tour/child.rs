//! A program in a process of its own: what it printed, when, and how it ended.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What was seen of a program.
#[derive(Debug, Default)]
pub struct Run {
    /// Its lines, each with the time since its start.
    pub lines: Vec<(Duration, String)>,
    pub stderr: String,
    /// Its exit status; `None` if a signal ended it, or it could not be started (then `stderr` says why).
    pub status: Option<i32>,
    pub took: Duration,
}

impl Run {
    /// The lines that are no comments.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(_, line)| line.as_str()).filter(|line| !line.starts_with('#'))
    }

    pub fn has(&self, line: &str) -> bool {
        self.said().any(|said| said == line)
    }

    /// The last `name=number` that was printed.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.figures().filter(|(key, _)| *key == name).map(|(_, value)| value).last()
    }

    /// Everything of the form `name=number`, comments included, in order.
    pub fn figures(&self) -> impl Iterator<Item = (&str, u64)> {
        let words = self.lines.iter().flat_map(|(_, line)| line.split_whitespace());
        words.filter_map(|word| word.split_once('=')).filter_map(|(key, value)| Some((key, value.parse().ok()?)))
    }
}

/// Runs one of our own programs, in a child process of this one.
pub fn example(id: &str) -> Run {
    match std::env::current_exe() {
        Ok(exe) => watch(Command::new(exe).args(["run-example", id])),
        Err(error) => Run { stderr: format!("this program cannot find itself: {error}"), ..Run::default() },
    }
}

/// Runs a command to its end.
pub fn watch(command: &mut Command) -> Run {
    let begin = Instant::now();
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return Run { stderr: format!("{command:?} could not be started: {error}"), ..Run::default() },
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let errors = scope.spawn(move || {
            let mut bytes = Vec::new();
            // What could be read counts, whatever ended it.
            let _ = stderr.map(|mut pipe| pipe.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut lines = Vec::new();
        for line in stdout.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()).map_while(Result::ok) {
            lines.push((begin.elapsed(), line));
        }
        let status = child.wait().ok().and_then(|status| status.code());
        Run { lines, stderr: errors.join().unwrap_or_default(), status, took: begin.elapsed() }
    })
}

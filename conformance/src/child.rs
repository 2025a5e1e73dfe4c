//! Programs that run in a process of their own, with a limit on their time.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::LIMIT as TEST_LIMIT;

/// Shorter than the caller's own time, so that a program that hangs is ended by its test.
const LIMIT: Duration = TEST_LIMIT.checked_div(2).unwrap();

/// What a process left.
#[derive(Debug)]
pub struct Outcome {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How it ended.
    pub status: ExitStatus,
}

impl Outcome {
    /// Asserts the exit code.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        self
    }

    /// Asserts that a signal ended it.
    #[track_caller]
    pub fn aborted(&self) -> &Self {
        assert_eq!(self.status.signal(), Some(SIGABRT), "{self:?}");
        self
    }

    /// Asserts that its standard error contains `text`.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} in {self:?}");
        self
    }

    /// Asserts its whole standard output.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Self {
        assert_eq!(self.stdout, text, "{self:?}");
        self
    }
}

/// Linux's number for it, on every architecture.
const SIGABRT: i32 = 6;

/// Runs a program to its end.
///
/// # Panics
///
/// If it cannot be started, or has not ended after half the time that a test may take.
#[track_caller]
pub fn run(command: &mut Command) -> Outcome {
    let (outcome, ended) = run_for(command, LIMIT);
    assert!(
        ended,
        "{command:?} has not ended after {LIMIT:?}\n{}\n{}",
        outcome.stdout, outcome.stderr
    );
    outcome
}

/// Runs a program to its end, or, after `limit`, kills it; true if it has ended by itself.
///
/// # Panics
///
/// If it cannot be started.
#[track_caller]
pub fn run_for(command: &mut Command, limit: Duration) -> (Outcome, bool) {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let (status, ended) = wait(&mut child, limit);
    let outcome = Outcome {
        stdout: stdout.join().expect("reading does not panic"),
        stderr: stderr.join().expect("reading does not panic"),
        status,
    };
    (outcome, ended)
}

fn reader(source: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut source) = source {
            // What was read before an error is worth showing.
            let _ = source.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// How it ended, and whether by itself.
fn wait(child: &mut Child, limit: Duration) -> (ExitStatus, bool) {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return (status, true);
        }
        thread::sleep(Duration::from_millis(2));
    }
    // It may have ended just now.
    let _ = child.kill();
    (child.wait().expect("a child can be waited for"), false)
}

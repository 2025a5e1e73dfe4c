//! The designs, each in a process of its own, all at the same time.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::design::Design;
use super::settings::Load;
use super::wire::{End, Line, Sample};

/// How long after the last item a process may take to end: no judgement of speed.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is known of a design.
pub struct Series {
    pub design: &'static Design,
    pub samples: Vec<Sample>,
    /// What became of all items; once it is here the design is over.
    pub end: Option<End>,
    /// Why it came to no good end.
    pub failed: Option<String>,
}

/// What a process tells: a line, or that there are no more, with what it wrote to standard error.
enum Told {
    Line(Line),
    Over(Result<String, String>),
}

/// Runs the designs, each by its command, and calls `each` whenever something is new.
pub fn run(
    designs: Vec<(&'static Design, Command)>,
    load: Load,
    mut each: impl FnMut(&[Series]),
) -> Vec<Series> {
    let (tx, rx) = mpsc::channel();
    let mut series = Vec::new();
    let mut children: Vec<Option<Child>> = Vec::new();
    for (number, (design, command)) in designs.into_iter().enumerate() {
        let child = spawn(command, number, &tx);
        series.push(Series {
            design,
            samples: Vec::new(),
            end: None,
            failed: child.as_ref().err().cloned(),
        });
        children.push(child.ok());
    }
    drop(tx);
    for child in children.iter_mut().flatten() {
        // All are there: a line starts them. One that has died says so by its status.
        let _ = child.stdin.take().expect("it is piped").write_all(b"go\n");
    }

    let mut deadline = Some(Instant::now() + Duration::from_secs(load.seconds.into()) + PATIENCE);
    loop {
        let left = deadline.map_or(PATIENCE, |at| at.saturating_duration_since(Instant::now()));
        match rx.recv_timeout(left) {
            Ok((number, Told::Line(Line::Sample(sample)))) => series[number].samples.push(sample),
            Ok((number, Told::Line(Line::End(end)))) => series[number].end = Some(end),
            Ok((number, Told::Over(told))) => {
                let child = children[number].as_mut().expect("who tells is there");
                series[number].failed = failure(child.wait(), told, &series[number].end);
            }
            Err(RecvTimeoutError::Disconnected) => return series,
            Err(RecvTimeoutError::Timeout) => {
                for child in children.iter_mut().flatten() {
                    // One that has ended by now needs no end.
                    let _ = child.kill();
                }
                deadline = None;
            }
        }
        each(&series);
    }
}

/// Starts a process, and a thread that hands on what it tells.
fn spawn(
    mut command: Command,
    number: usize,
    tell: &Sender<(usize, Told)>,
) -> Result<Child, String> {
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn();
    let mut child = child.map_err(|error| format!("{command:?} could not be run: {error}"))?;
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = child.stderr.take().expect("it is piped");
    let tell = tell.clone();
    thread::spawn(move || {
        // Who would hear it waits for the last of these threads.
        let over = listen(stdout, stderr, |line| {
            let _ = tell.send((number, Told::Line(line)));
        });
        let _ = tell.send((number, Told::Over(over)));
    });
    Ok(child)
}

/// Reads to the end: lines to `each`, standard error whole.
fn listen(
    stdout: ChildStdout,
    mut stderr: ChildStderr,
    mut each: impl FnMut(Line),
) -> Result<String, String> {
    thread::scope(|scope| {
        let errors = scope.spawn(move || {
            let mut bytes = Vec::new();
            // Whatever ended it, what could be read counts.
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).trim().to_string()
        });
        let mut wrong = None;
        for text in BufReader::new(stdout).lines().map_while(Result::ok) {
            match serde_json::from_str(&text) {
                Ok(line) => each(line),
                Err(error) => wrong = Some(format!("a line that cannot be read ({error}): {text}")),
            }
        }
        let errors = errors.join().expect("reading does not panic");
        wrong.map_or(Ok(errors), Err)
    })
}

/// Why a process that has ended came to no good end, if so.
fn failure(
    status: std::io::Result<ExitStatus>,
    told: Result<String, String>,
    end: &Option<End>,
) -> Option<String> {
    match (status, told, end) {
        (Ok(status), Ok(_), Some(end)) if status.success() => end.conserved().err(),
        (Ok(status), Ok(errors), _) => Some(format!("its process ended with {status}: {errors}")),
        (Ok(_), Err(wrong), _) => Some(wrong),
        (Err(error), ..) => Some(format!("how its process ended is not known: {error}")),
    }
}

//! Runs the programs of an attack, each in a child process of the same binary and within a time limit, so that a hang is a
//! failure. The binaries have no test harness: `main` is a program's own, and no thread of a harness keeps verdicts away.
#![allow(dead_code, unused_imports)] // Each binary uses a part.

mod limits;

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use limits::SOON;

const PROGRAM: &str = "WATERWAY_TEST_PROGRAM";

/// What a child process left.
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub status: ExitStatus,
}

impl Outcome {
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        let found = self.stderr.contains(text);
        assert!(found, "no {text:?} in stderr:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn says_not(&self, text: &str) -> &Self {
        let found = self.stderr.contains(text);
        assert!(!found, "{text:?} in stderr:\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        let stderr = &self.stderr;
        assert_eq!(
            self.status.code(),
            Some(code),
            "{:?}\n{stderr}",
            self.status
        );
        self
    }
}

pub const DEADLOCK: &str = "fatal error: all goroutines are asleep - deadlock!";

/// A program of this binary, to be started.
pub fn command(program: &str, env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .env(PROGRAM, program)
        .env("RUST_BACKTRACE", "0")
        .envs(env.iter().copied())
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // SAFETY: `signal` may be called between fork and exec. A shell that starts the tests in the background has them, and
    // their children, ignore SIGQUIT.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGQUIT, libc::SIG_DFL);
            Ok(())
        })
    };
    command
}

/// Waits for a child, which must end within the limit.
#[track_caller]
pub fn finish(mut child: Child) -> Outcome {
    let (stdout, stderr) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begin.elapsed() > limits::LONG {
            // Its own children too: they hold its standard error.
            // SAFETY: a signal to the group of our own child, which is not reaped yet.
            unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGKILL) };
            child.wait().unwrap();
            panic!("the program hangs; it said:\n{}", stderr.join().unwrap());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Outcome {
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        status,
    }
}

fn reader(source: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut source) = source {
            source.read_to_string(&mut text).unwrap();
        }
        text
    })
}

#[track_caller]
pub fn run(program: &str, env: &[(&str, &str)]) -> Outcome {
    finish(command(program, env).spawn().unwrap())
}

/// Runs programs all at once. Gives their outcomes, in order.
#[track_caller]
pub fn run_all(programs: &[&str], env: &[(&str, &str)]) -> Vec<Outcome> {
    let started = programs.iter().map(|p| command(p, env).spawn().unwrap());
    let started: Vec<Child> = started.collect();
    started.into_iter().map(finish).collect()
}

/// Calls `round` so often, or as often as there is time for: where others have the CPUs it may take long.
pub fn rounds(most: u32, round: impl FnMut(u32)) {
    let begin = Instant::now();
    let in_time = |_: &u32| begin.elapsed() < limits::LONG / 10;
    (0..most).take_while(in_time).for_each(round);
}

/// The main function of a binary: a program in the child, all tests (or those whose name holds the argument) otherwise. Most
/// tests wait for a process, and processes wait for time to pass: several run at once.
pub fn main(programs: fn(&str), tests: &[(&str, fn())]) {
    if let Ok(program) = std::env::var(PROGRAM) {
        return programs(&program);
    }
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let chosen: Vec<_> = (tests.iter())
        .filter(|(name, _)| only.as_deref().is_none_or(|o| name.contains(o)))
        .collect();
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|s| {
        for _ in 0..(2 * cores).min(8) {
            s.spawn(|| {
                while let Some((name, test)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begin = Instant::now();
                    test();
                    let took = begin.elapsed().as_secs_f64();
                    println!("test {name} ... ok ({took:.1} s)");
                }
            });
        }
    });
    println!("{} passed, 0 failed", chosen.len());
}

/// The names of test functions, with the functions.
#[macro_export]
macro_rules! tests {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), $name as fn())),*] };
}

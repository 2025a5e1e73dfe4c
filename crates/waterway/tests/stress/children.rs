//! Processes that are stopped and continued, or that the system gives too little.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{LONG, programs};

const PROGRAM: &str = "WATERWAY_TEST_PROGRAM";

/// Not a test: what the others run, in a process of its own.
#[test]
#[ignore = "run by the other tests"]
fn program() {
    if let Ok(program) = std::env::var(PROGRAM) {
        programs::run(&program);
    }
}

fn start(program: &str, env: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "children::program",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(PROGRAM, program)
        .envs(env.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the child says until it ends, which it must do well, after its program's last line.
fn finish(mut child: Child, mut out: impl Read + Send + 'static) -> String {
    let mut err = child.stderr.take().unwrap();
    let read = |from: &mut dyn Read| {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    };
    let out = std::thread::spawn(move || read(&mut out));
    let err = std::thread::spawn(move || read(&mut err));
    let begin = Instant::now();
    let mut status = None;
    while status.is_none() && begin.elapsed() < LONG {
        std::thread::sleep(Duration::from_millis(2));
        status = child.try_wait().unwrap();
    }
    let status = status.unwrap_or_else(|| {
        child.kill().unwrap();
        child.wait().unwrap()
    });
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    let ended = status.success() && out.contains("done");
    assert!(ended, "{status}\nstdout:\n{out}\nstderr:\n{err}");
    out
}

pub fn run(program: &str, env: &[(&str, &str)]) {
    output(program, env);
}

/// With so many workers, however few cores there are.
pub fn workers(n: &str) -> [(&str, &str); 2] {
    [("WATERWAY_MAX_PROCS", n), ("WATERWAY_WORKERS", n)]
}

/// What the program prints, the harness's lines left out.
pub fn output(program: &str, env: &[(&str, &str)]) -> String {
    let mut child = start(program, env);
    let out = child.stdout.take().unwrap();
    let lines = finish(child, out);
    let own = lines.lines().filter(|line| line.contains(": "));
    own.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_process_that_is_stopped_and_continued_goes_on() {
    let mut child = start("traffic", &[]);
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    while !line.contains("ready") {
        assert!(out.read_line(&mut line).unwrap() > 0, "{line}");
    }
    let pid = Pid::from_child(&child);
    for round in 0..20 {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        kill_process(pid, Signal::STOP).unwrap();
        std::thread::sleep(Duration::from_millis(5 + round * 3));
        kill_process(pid, Signal::CONT).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    finish(child, out);
}

#[test]
fn one_worker_and_eight() {
    for n in ["1", "8"] {
        run("traffic", &workers(n));
    }
}

#[test]
fn goroutines_wait_where_address_space_is_short() {
    run("little_memory", &[]);
}

#[test]
fn where_no_thread_can_be_started_it_says_so() {
    run("no_threads_at_start", &[]);
}

#[test]
fn fewer_workers_than_wanted_do_the_work() {
    run("few_threads_at_start", &workers("8"));
}

#[test]
fn what_runs_goes_on_where_no_more_threads_can_be_started() {
    run("no_more_threads", &[]);
}

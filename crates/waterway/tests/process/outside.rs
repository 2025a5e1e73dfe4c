//! What outside of the runtime may still wake somebody: where nothing does, the verdict; where something might, dumps that name it, and
//! no verdict, for it does wake in the end.

#[path = "outside_programs.rs"]
mod programs;

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::child::{DEADLOCK, SOON, command, finish, run, run_all};
use super::page::{show, update};
pub use programs::run_program;

/// So long the judge has time to give a verdict, on what is not dead.
const QUIET: Duration = Duration::from_millis(300);

pub fn a_job_that_waits_for_ever_is_no_hope() {
    for outcome in run_all(&["dead_job", "dead_job_of_std"], &[]) {
        outcome
            .code(2)
            .says(DEADLOCK)
            .says("\"stuck\" [blocking call");
        outcome.says("1 blocking job runs");
    }
}

pub fn a_timer_that_nobody_hears_is_no_hope() {
    run("dead_timer", &[]).code(2).says(DEADLOCK);
}

/// Its threads sleep on futexes, with no driver of files to wait in.
pub fn a_runtime_of_tokio_that_idles_is_no_hope() {
    run("dead_beside_tokio", &[])
        .code(2)
        .says(DEADLOCK)
        .says("\"tokio-rt-worker\" [asleep outside of this runtime");
}

/// The runtime's own threads must be seen to rest where others sleep for good: then who looks now and then is no hope either.
pub fn the_runtime_s_own_threads_are_no_hope() {
    run("dead_beside_own_threads", &[])
        .code(2)
        .says(DEADLOCK)
        .says("asleep outside of this runtime");
}

/// A thread of the runtime's own sleeps for a time as the process is stopped. When that goes on, the kernel shows it in another call.
pub fn a_deadlock_is_seen_after_the_process_was_stopped() {
    let mut child = command("dead_after_a_stop", &[]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    while !sleeps_on_a_futex(&child, "waterway-monito") {
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&child, libc::SIGSTOP);
    let mut status = 0;
    // SAFETY: a valid pointer. The child is not reaped, as it has not ended.
    unsafe { libc::waitpid(child.id() as libc::pid_t, &mut status, libc::WUNTRACED) };
    assert!(libc::WIFSTOPPED(status));
    signal(&child, libc::SIGCONT);
    end_input(&mut child);
    finish(child).code(2).says(DEADLOCK);
}

/// True if a thread of that name does.
fn sleeps_on_a_futex(child: &Child, name: &str) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
    let mut paths = tasks.map(|task| task.unwrap().path());
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let sleeps = format!("{} ", libc::SYS_futex);
    paths.any(|path| {
        read(path.join("comm")).trim_end() == name
            && read(path.join("syscall")).starts_with(&sleeps)
    })
}

/// It holds a worker, and sleeps inside of std: no proof, and nothing that would wake it.
pub fn a_goroutine_that_sleeps_for_good_is_told() {
    let told =
        "\nno goroutine can make progress by itself, and nothing is seen that could wake one\n";
    says("asleep_for_good", &[told]).killed();
}

/// Whoever asks runs, and is told as that: not by the call that the asking takes.
pub fn who_asks_is_no_hope() {
    run("asks", &[]).code(0).says(
        "\nno goroutine can make progress by itself, and but for the main thread, which asks, nothing is seen that could wake one\n",
    );
}

pub fn jobs_and_timers_that_come_keep_a_verdict_away() {
    for outcome in run_all(&["alive_job", "alive_timer"], &[]) {
        outcome.code(0).says_not("deadlock");
    }
}

/// After the report the program lives on, and each dump repeats it in a line.
pub fn a_dump_after_the_report_says_that_it_is_proved() {
    let env = [
        ("WATERWAY_DEADLOCK", "report"),
        ("WATERWAY_SIGQUIT", "dump"),
    ];
    let mut child = command("dead_job", &env).spawn().unwrap();
    let said = listen(&mut child);
    until_said(&said, &[DEADLOCK], || {});
    let proved = "\nproved: every goroutine and thread waits, and nothing outside will wake one\n";
    until_said(&said, &[proved], || signal(&child, libc::SIGQUIT));
    assert!(
        !said
            .lock()
            .unwrap()
            .contains("no goroutine can make progress")
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: a signal to a child of our own that is not reaped yet.
    unsafe { libc::kill(child.id() as libc::pid_t, signal) };
}

fn listen(child: &mut Child) -> Arc<Mutex<String>> {
    let said = Arc::new(Mutex::new(String::new()));
    let (out, err) = (child.stderr.take().unwrap(), said.clone());
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines() {
            let mut said = err.lock().unwrap();
            said.push_str(&line.unwrap());
            said.push('\n');
        }
    });
    said
}

#[track_caller]
fn until_said(said: &Mutex<String>, texts: &[&str], ask: impl Fn()) -> String {
    let begin = Instant::now();
    loop {
        let all = said.lock().unwrap().clone();
        // What is asked for stands in one dump.
        let mut dumps = all.rsplit("SIGQUIT: quit");
        if let Some(dump) = dumps.find(|dump| texts.iter().all(|text| dump.contains(text))) {
            return dump.into();
        }
        assert!(begin.elapsed() < SOON, "no {texts:?} in\n{all}");
        ask();
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A program that is not dead, and what its dump says.
struct Told {
    child: Child,
    said: Arc<Mutex<String>>,
    dump: String,
    began: Instant,
}

/// A dump of the program names all of these.
#[track_caller]
fn names(program: &str, sources: &[&str]) -> Told {
    let mut texts =
        vec!["\nno goroutine can make progress by itself. What could still wake one:\n\t"];
    texts.extend(sources);
    says(program, &texts)
}

#[track_caller]
fn says(program: &str, texts: &[&str]) -> Told {
    let mut child = command(program, &[("WATERWAY_SIGQUIT", "dump")])
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let (said, began) = (listen(&mut child), Instant::now());
    let dump = until_said(&said, texts, || signal(&child, libc::SIGQUIT));
    Told {
        child,
        said,
        dump,
        began,
    }
}

impl Told {
    /// After the judge had time, `wake` has it go on from outside: there was no verdict.
    #[track_caller]
    fn goes_on(mut self, wake: impl FnOnce(&mut Child)) {
        std::thread::sleep(QUIET.saturating_sub(self.began.elapsed()));
        wake(&mut self.child);
        finish(self.child).code(0);
        assert!(!self.said.lock().unwrap().contains("deadlock"));
    }

    fn killed(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn end_input(child: &mut Child) {
    drop(child.stdin.take());
}

pub fn threads_that_wait_for_input_are_named() {
    for (program, sources) in [
        ("read", &["\"outside\", in read (pipe 0)\n"][..]),
        ("poll", &["\"outside\", in poll (pipe 0, eventfd "]),
        (
            "epoll",
            &["\"outside\", in epoll_wait (", "pipe 0", "eventfd "],
        ),
        (
            "job",
            &["\"waterway-blocki\", with a blocking job, in read (pipe 0)\n"],
        ),
    ] {
        names(program, sources).goes_on(end_input);
    }
}

pub fn a_goroutine_that_sleeps_in_the_kernel_is_named() {
    let sources = ["\tgoroutine ", ", in read (pipe 0)\n"];
    names("goroutine", &sources).goes_on(end_input);
}

pub fn signals_that_may_come_are_named() {
    let waits = ["\"outside\", in rt_sigtimedwait (SIGHUP)\n"];
    names("sigwait", &waits).goes_on(|child| signal(child, libc::SIGHUP));
    let reads = ["\"outside\", in read (pipe ", "\tthe handler of SIGUSR1\n"];
    names("self_pipe", &reads).goes_on(|child| signal(child, libc::SIGUSR1));
    names("handler", &reads[1..]).goes_on(|child| signal(child, libc::SIGUSR1));
}

pub fn what_time_may_bring_is_named() {
    let sleeps = ["\"outside\", in clock_nanosleep, for a time\n"];
    names("sleep", &sleeps).killed();
    let calls = ["\tthe clock: a timer in 3"];
    names("after_func", &calls).killed();
    let told =
        ["\"waterway-monito\", for the `on_change` function of a monitor, in futex, for a time\n"];
    names("on_change", &told).killed();
}

/// As if it were a program of its own.
fn told(text: &str) -> String {
    ["outside_programs.rs", "programs.rs"]
        .iter()
        .fold(text.to_owned(), |text, file| {
            text.replace(
                &format!("crates/waterway/tests/process/{file}"),
                "src/main.rs",
            )
        })
}

#[track_caller]
fn shows(page: &str, mark: &str, real: &str) {
    let path = format!("{}/../../docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let mut page = std::fs::read_to_string(&path).unwrap();
    show(&mut page, mark, &told(real));
    if update() {
        std::fs::write(path, page).unwrap();
    }
}

pub fn the_pages_show_what_is_told() {
    let outcome = run("shown_report", &[]);
    outcome.code(2);
    shows("verdicts.md", "report", &outcome.stderr);
    let sources = [
        "(SIGHUP)",
        "(eventfd ",
        "(pipe 0)",
        "\tgoroutine ",
        "of SIGUSR1",
        "the clock: a timer in ",
    ];
    let told = names("shown_standstill", &sources);
    let at = told.dump.find("no goroutine can make progress").unwrap();
    let mut lines = told.dump[at..].lines();
    let mut shown: Vec<&str> = lines.next().into_iter().collect();
    shown.extend(lines.take_while(|line| line.starts_with('\t')));
    shows("reading-a-dump.md", "standstill", &shown.join("\n"));
    told.goes_on(end_input);
}

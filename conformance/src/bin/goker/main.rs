//! Runs the kernels of `waterway_conformance::goker`, each run in a process of its own, and prints what came of them.
//!
//! ```text
//! cargo run --release -p waterway-conformance --bin goker -- --runs 20 --json
//! ```
//!
//! `--jobs N` has N forms run at once (the times tell less then). `--only WORD` runs those whose name holds it, `--way WORD` in
//! that way alone. `--together` runs once, in one process, all forms of which nothing is proved: they are in nobody's way.
//!
//! A form that blocks is run in three ways: *beside* others that go on, where its goroutines must be proved to be stuck; *alone*, and
//! with a *ticker* that only a stuck goroutine could read, where the process must end with the report that all are asleep. Those whom
//! no proof reaches yet must be seen as waiting beside others, without a verdict.
//!
//! Where real Go is found each kernel is run as a Go program too (its form `go`; not with `--together`): beside others, where the
//! profile `goroutineleak` is asked who has leaked, and in the other two ways, where Go may say that all goroutines are asleep.

#![forbid(unsafe_code)]

mod child;
mod go;

use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use child::Way;
use waterway_conformance::goker::{self, Form, Kernel, Outcome};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, id, form, way] = args.as_slice()
        && first == "--child"
    {
        return child::run(id, form, way);
    }
    if let [first, which, only] = args.as_slice()
        && first == "--child"
        && which == "together"
    {
        return child::together(only);
    }
    let Some(wish) = Wish::read(&args) else {
        eprintln!(
            "usage: goker [--runs N] [--jobs N] [--only WORD] [--way beside|alone|ticker] [--together | --json]"
        );
        return ExitCode::from(2);
    };
    let forms = goker::all().flat_map(|kernel| kernel.forms.iter().map(move |form| (kernel, form)));
    let chosen: Vec<_> = forms
        .filter(|(_, form)| !wish.together || matches!(form.outcome, Outcome::Stuck(_)))
        .filter(|(kernel, form)| kernel.name(form).contains(&wish.only))
        .collect();
    let in_go: Vec<_> = goker::all()
        .filter(|kernel| !wish.together && format!("{} go", kernel.id).contains(&wish.only))
        .collect();
    let right = !wish.together || together(&wish);
    let failed = AtomicUsize::from(usize::from(!right));
    each(&chosen, wish.jobs, |(kernel, form)| {
        failed.fetch_add(usize::from(!tell(kernel, form, &wish)), Ordering::Relaxed);
    });
    each(&in_go, wish.jobs, |kernel| {
        failed.fetch_add(usize::from(!tell_go(kernel, &wish)), Ordering::Relaxed);
    });
    let failed = failed.into_inner();
    if failed > 0 {
        eprintln!("{failed} not as they should be");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Calls `f` with each of `all`, up to `jobs` at a time.
fn each<T: Sync>(all: &[T], jobs: usize, f: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..jobs {
            s.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    f(one);
                }
            });
        }
    });
}

struct Wish {
    runs: usize,
    jobs: usize,
    only: String,
    way: Option<String>,
    together: bool,
    json: bool,
}

impl Wish {
    fn read(args: &[String]) -> Option<Wish> {
        let mut wish = Wish {
            runs: 20,
            jobs: 1,
            only: String::new(),
            way: None,
            together: false,
            json: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--runs" => wish.runs = args.next()?.parse().ok()?,
                "--jobs" => wish.jobs = args.next()?.parse().ok()?,
                "--only" => wish.only.clone_from(args.next()?),
                "--way" => wish.way = Some(args.next()?.clone()),
                "--together" => wish.together = true,
                "--json" => wish.json = true,
                _ => return None,
            }
        }
        (!wish.together || !wish.json).then_some(wish)
    }

    fn wants(&self, way: Way) -> bool {
        self.way.as_ref().is_none_or(|name| name == way.name())
    }
}

/// What came of all runs of a form in one way.
#[derive(Default)]
struct Sum {
    runs: usize,
    manifested: usize,
    proved: usize,
    named: usize,
    /// All who block are seen as waiting, which is no verdict.
    seen: usize,
    asleep: usize,
    ended: usize,
    verdicts: usize,
    suspects: usize,
    /// Milliseconds from the last wait until the proof is told.
    times: Vec<f64>,
}

/// Runs the forms of which nothing is proved in one process, which prints. True if all is as it should be.
fn together(wish: &Wish) -> bool {
    if !wish.wants(Way::Beside) {
        return true;
    }
    let output = run_child(&["together", &wish.only]);
    print!("{}", output.stdout);
    eprint!("{}", output.stderr);
    output.status.success()
}

/// This program, as a child.
fn run_child(args: &[&str]) -> waterway_conformance::child::Outcome {
    let program = std::env::current_exe().expect("this program has a path");
    waterway_conformance::child::run(Command::new(program).arg("--child").args(args))
}

/// Runs a form in its ways, and prints. True if all is as it should be.
fn tell(kernel: &Kernel, form: &Form, wish: &Wish) -> bool {
    let ways: &[Way] = match form.outcome {
        Outcome::Ends => &[Way::Beside],
        Outcome::Stuck(_) | Outcome::Waits(_) => &Way::ALL,
    };
    let mut right = true;
    for &way in ways {
        if !wish.wants(way) {
            continue;
        }
        let sum = runs(kernel, form, way, wish.runs);
        let fine = match (form.outcome, way) {
            (Outcome::Ends, _) => sum.ended == sum.runs && sum.verdicts + sum.suspects == 0,
            (Outcome::Waits(_), Way::Beside) => sum.seen == sum.runs && sum.verdicts == 0,
            (_, Way::Beside) => sum.manifested == sum.runs && sum.named == sum.runs,
            (_, _) => sum.asleep == sum.runs,
        };
        right &= fine;
        print(kernel, form, way, &sum, fine, wish.json);
    }
    right
}

/// Runs a kernel in Go, and prints what Go sees. True if it blocks as it should, or there is no Go.
fn tell_go(kernel: &Kernel, wish: &Wish) -> bool {
    let Some(sum) = go::runs(kernel, wish.runs) else {
        return true;
    };
    let (id, class, fine) = (kernel.id, kernel.class, sum.manifested == sum.runs);
    let go::Sum {
        runs,
        manifested,
        some_leaked,
        all_leaked,
        asleep,
        asleep_with_ticker,
    } = sum;
    if wish.json {
        println!(
            "{{\"kernel\":\"{id}\",\"class\":\"{class}\",\"form\":\"go\",\"runs\":{runs},\"manifested\":{manifested},\
             \"some_leaked\":{some_leaked},\"all_leaked\":{all_leaked},\"all_asleep\":{asleep},\
             \"all_asleep_with_ticker\":{asleep_with_ticker},\"ok\":{fine}}}"
        );
        return fine;
    }
    let verdict = if fine { "ok  " } else { "BAD " };
    println!(
        "{verdict}{id:16} {class:15} go               {runs} runs: {manifested} blocked, {some_leaked} with some leaked, \
         {all_leaked} with all, {asleep} all asleep, {asleep_with_ticker} with a ticker"
    );
    fine
}

fn print(kernel: &Kernel, form: &Form, way: Way, sum: &Sum, fine: bool, json: bool) {
    let mut times = sum.times.clone();
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().unwrap_or(0.0);
    let most = times.last().copied().unwrap_or(0.0);
    let Sum {
        runs,
        manifested,
        proved,
        named,
        seen,
        asleep,
        ended,
        verdicts,
        suspects,
        ..
    } = sum;
    let (id, class, form, way) = (kernel.id, kernel.class, form.name, way.name());
    if json {
        println!(
            "{{\"kernel\":\"{id}\",\"class\":\"{class}\",\"form\":\"{form}\",\"way\":\"{way}\",\"runs\":{runs},\
             \"manifested\":{manifested},\"proved\":{proved},\"all_named\":{named},\"seen_waiting\":{seen},\"all_asleep\":{asleep},\
             \"ended\":{ended},\"verdicts\":{verdicts},\"suspects\":{suspects},\"ms_median\":{median:.1},\"ms_most\":{most:.1},\"ok\":{fine}}}"
        );
        return;
    }
    let verdict = if fine { "ok  " } else { "BAD " };
    println!(
        "{verdict}{id:16} {class:15} {form:9} {way:6} {runs} runs: {manifested} blocked, {proved} proved, {named} with all named, \
         {seen} seen as waiting, {asleep} all asleep, {ended} ended, {verdicts} verdicts, {suspects} suspected; ms until told: {median:.1}, at most {most:.1}"
    );
}

fn runs(kernel: &Kernel, form: &Form, way: Way, count: usize) -> Sum {
    let mut sum = Sum::default();
    for _ in 0..count {
        let output = run_child(&[kernel.id, form.name, way.name()]);
        sum.runs += 1;
        let text = &output.stdout;
        let all_asleep = output.stderr.contains("all goroutines are asleep");
        sum.asleep += usize::from(all_asleep && output.status.code() == Some(2));
        for line in text.lines() {
            match line.split_once(' ').unwrap_or((line, "")) {
                ("blocked", _) => sum.manifested += 1,
                ("proved", time) => {
                    sum.proved += 1;
                    sum.times.extend(time.parse::<f64>().ok());
                }
                ("named", _) => sum.named += 1,
                ("seen", _) => sum.seen += 1,
                ("ended", _) => sum.ended += 1,
                ("verdicts", n) => sum.verdicts += n.parse::<usize>().unwrap_or(1),
                ("suspects", n) => sum.suspects += n.parse::<usize>().unwrap_or(1),
                _ => {}
            }
        }
    }
    sum
}

//! One run of one form, or of all that end, in this process.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use waterway::watch::{Verdict, on_verdict, snapshot, verdicts};
use waterway::{Sender, chan, go, time};
use waterway_conformance::goker::{self, Crew, Form, Outcome};

/// How long a run may take: far longer than any needs.
const LIMIT: Duration = Duration::from_secs(10);
/// A form that has ended has not been judged wrongly by then.
const AFTER: Duration = Duration::from_millis(20);
/// How often is looked.
const PACE: Duration = Duration::from_millis(1);

/// What runs beside the form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A goroutine that goes on all the time, and the main thread.
    Beside,
    /// Nothing: the main thread waits for ever.
    Alone,
    /// A ticker that nobody but a stuck goroutine could read.
    Ticker,
}

impl Way {
    pub const ALL: [Way; 3] = [Way::Beside, Way::Alone, Way::Ticker];

    pub fn name(self) -> &'static str {
        match self {
            Way::Beside => "beside",
            Way::Alone => "alone",
            Way::Ticker => "ticker",
        }
    }
}

/// Runs a form, and prints what came of it, a line each.
pub fn run(id: &str, form: &str, way: &str) -> ExitCode {
    let kernel = goker::all().find(|kernel| kernel.id == id);
    let form = kernel.and_then(|kernel| kernel.forms.iter().find(|f| f.name == form));
    let way = Way::ALL.into_iter().find(|w| w.name() == way);
    let (Some(form), Some(way)) = (form, way) else {
        eprintln!("no such kernel, form or way");
        return ExitCode::from(3);
    };
    match way {
        Way::Beside => beside(form),
        Way::Alone => alone(form, false),
        Way::Ticker => alone(form, true),
    }
}

/// Runs those that end and whose name holds `only`, beside one that goes on, and prints a line each.
pub fn ends(only: &str) -> ExitCode {
    go_on();
    let mut right = true;
    for kernel in goker::all() {
        let ends = kernel.forms.iter().filter(|f| f.outcome == Outcome::Ends);
        for form in ends.filter(|form| kernel.name(form).contains(only)) {
            let crew = Crew::default();
            (form.start)(&crew);
            let start = Instant::now();
            while !crew.has_ended() && start.elapsed() < LIMIT {
                time::sleep(PACE);
            }
            let fine = crew.has_ended() && verdicts().is_empty();
            let word = if fine { "ok  " } else { "BAD " };
            println!("{word}{}: together with all that end", kernel.name(form));
            right &= fine;
        }
    }
    time::sleep(AFTER);
    if !right || !verdicts().is_empty() {
        eprintln!("not all have ended, or: {:?}", verdicts());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Somebody who goes on all the time.
fn go_on() {
    go(|| {
        loop {
            time::sleep(PACE);
        }
    });
}

fn beside(form: &Form) -> ExitCode {
    let (tell, told) = chan(100);
    on_verdict(move |verdict| hand_on(&tell, verdict));
    go_on();
    let crew = Crew::default();
    (form.start)(&crew);
    let mut named: Vec<String> = Vec::new();
    let mut rounds = LIMIT.as_millis() / PACE.as_millis();
    while rounds > 0 && !crew.has_ended() {
        rounds -= 1;
        if let Outcome::Waits(names) = form.outcome
            && waiting() == names
        {
            // Not judged by then, and as before.
            time::sleep(AFTER);
            if waiting() == names {
                println!("blocked\nseen\nverdicts {}", verdicts().len());
                return ExitCode::SUCCESS;
            }
        }
        let Ok(verdict) = told.recv_timeout(PACE) else {
            continue;
        };
        named.extend(
            verdict
                .parties
                .iter()
                .filter_map(|party| party.name.clone()),
        );
        named.sort();
        let waits = verdict
            .parties
            .iter()
            .filter_map(|party| party.waits.as_ref());
        let since_last = waits.map(|wait| wait.waited_ns).min().unwrap_or(0);
        println!("proved {:.1}", since_last as f64 / 1e6);
        if let Outcome::Stuck(names) = form.outcome
            && named == names
        {
            println!("blocked\nnamed");
            return ExitCode::SUCCESS;
        }
    }
    if crew.has_ended() {
        println!("ended");
        time::sleep(AFTER);
    } else {
        println!("blocked");
    }
    println!("verdicts {}", verdicts().len());
    ExitCode::SUCCESS
}

/// The names of those who wait without a limit, if all that have a name do.
fn waiting() -> Vec<String> {
    let all = snapshot().goroutines;
    let named = all.iter().filter(|g| g.name.is_some());
    let waits = |g: &&waterway::watch::data::Goroutine| g.wait.as_ref().is_some_and(|w| !w.timed);
    let mut names: Vec<String> = named
        .clone()
        .filter(waits)
        .filter_map(|g| g.name.clone())
        .collect();
    names.sort();
    match names.len() == named.count() {
        true => names,
        false => Vec::new(),
    }
}

fn hand_on(tell: &Sender<Verdict>, verdict: &Verdict) {
    tell.send(verdict.clone()).expect("main takes it");
}

/// The whole program, as GoBench has it: it never ends by itself.
fn alone(form: &Form, ticks: bool) -> ExitCode {
    let crew = Crew::default();
    if ticks {
        let own = waterway::sync::Mutex::new(());
        let ticker = time::tick(Duration::from_millis(3));
        crew.go("ticked", move || {
            let _lock = own.lock();
            let _again = own.lock();
            let _ = ticker.recv();
        });
    }
    (form.start)(&crew);
    let (_never, wait) = chan::<()>(0);
    let _ = wait.recv();
    ExitCode::SUCCESS
}

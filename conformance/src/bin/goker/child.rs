//! One run of one form, or of all of which nothing is proved, in this process.

use std::process::ExitCode;
use std::time::Duration;

use waterway::watch::{Verdict, data, on_verdict, snapshot, suspects, verdicts};
use waterway::{Sender, chan, go, time};
use waterway_conformance::goker::{self, Crew, Form, Outcome};

/// A form that has ended has not been judged wrongly by then.
const AFTER: Duration = Duration::from_millis(20);
/// How often is looked.
const PACE: Duration = Duration::from_millis(1);
/// How often at most: far more often than any run needs. Counted, since the machine may stop a process for long.
const ROUNDS: usize = 10_000;

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

/// Runs those of which nothing is proved and whose name holds `only`, beside one that goes on, and prints a line each.
pub fn together(only: &str) -> ExitCode {
    go_on();
    let (mut right, mut stuck) = (true, Vec::<&str>::new());
    let forms = goker::all().flat_map(|kernel| kernel.forms.iter().map(move |form| (kernel, form)));
    for (kernel, form) in forms.filter(|(kernel, form)| kernel.name(form).contains(only)) {
        match form.outcome {
            Outcome::Stuck(_) => continue,
            Outcome::Waits(names) => stuck.extend(names),
            Outcome::Ends => {}
        }
        stuck.sort();
        let crew = Crew::default();
        (form.start)(&crew);
        // Those who wait may do so for another moment only: they are looked at again in the end.
        let has_come = || match form.outcome {
            Outcome::Waits(_) => waiting() == stuck,
            _ => crew.has_ended(),
        };
        let fine = until(has_come) && verdicts().is_empty();
        let word = if fine { "ok  " } else { "BAD " };
        println!("{word}{}: together with all others", kernel.name(form));
        right &= fine;
    }
    let settled = until(|| waiting() == stuck);
    time::sleep(AFTER);
    if !right || !settled || waiting() != stuck || !verdicts().is_empty() {
        eprintln!("not all are as they should be, or: {:?}", verdicts());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Waits until `condition` holds; false if it does not come to that.
fn until(condition: impl Fn() -> bool) -> bool {
    (0..ROUNDS).any(|_| {
        time::sleep(PACE);
        condition()
    })
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
    for _ in 0..ROUNDS {
        if crew.has_ended() {
            break;
        }
        if let Outcome::Waits(names) = form.outcome
            && waiting() == names
        {
            // Not judged by then, and as before.
            time::sleep(AFTER);
            if waiting() == names {
                println!("blocked\nseen");
                break;
            }
        }
        let Ok(verdict) = told.recv_timeout(PACE) else {
            continue;
        };
        println!("proved {:.1}", since_last(&verdict));
        named.extend(verdict.parties.into_iter().filter_map(|party| party.name));
        named.sort();
        if let Outcome::Stuck(names) = form.outcome
            && named == names
        {
            println!("blocked\nnamed");
            break;
        }
    }
    if crew.has_ended() {
        println!("ended");
        time::sleep(AFTER);
    }
    println!(
        "verdicts {}\nsuspects {}",
        verdicts().len(),
        suspects().len()
    );
    ExitCode::SUCCESS
}

/// Milliseconds from the last wait of a verdict's parties until now, where the verdict is known to all.
fn since_last(verdict: &Verdict) -> f64 {
    let all = snapshot().goroutines;
    let parties = all.iter().filter(|g| {
        verdict
            .parties
            .iter()
            .any(|party| party.who == data::Who::Goroutine(g.id))
    });
    let waits = parties.filter_map(|party| party.wait.as_ref());
    let last = waits.map(|wait| wait.waited_ns).min();
    last.expect("who is stuck waits") as f64 / 1e6
}

/// The names of those who wait without a limit, if all that have a name do.
fn waiting() -> Vec<String> {
    let all = snapshot().goroutines;
    let named = all.iter().filter(|g| g.name.is_some());
    let waits = |g: &&data::Goroutine| g.wait.as_ref().is_some_and(|w| !w.timed);
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

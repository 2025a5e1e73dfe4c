//! What the Rust programs of the race share. The Go program speaks the same way, but for `--steps`.
//!
//! `PROGRAM --steps` prints how many steps of work make a microsecond here. All take as many as `RACE_STEPS` says, or else 500.
//! `PROGRAM --list` prints a line of JSON for each workload that it has, and one for each that it has not and why.
//! `PROGRAM WORKLOAD VARIANT N WORKERS` runs one and prints a line of JSON for each measurement.

pub mod blocking;
mod clock;
mod late;
mod memory;
mod work;

pub use clock::{Clock, Span};
pub use late::Lateness;
pub use memory::{Memory, peak};
pub use work::{
    STAGES, arms, compute, micros, pipelines, prime, rounds_of, sizes, sleep_times,
    steps_in_a_micro,
};

/// How much to do, with how many workers.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub n: usize,
    pub workers: usize,
}

/// A workload that a rival has, in one of its variants.
pub struct Entry {
    workload: &'static str,
    variant: &'static str,
    note: &'static str,
    divide: usize,
    cap: usize,
    smaller: bool,
    body: Option<fn(Run)>,
}

/// A workload with one variant, without a name.
pub const fn entry(workload: &'static str, body: fn(Run)) -> Entry {
    Entry {
        workload,
        variant: "",
        note: "",
        divide: 1,
        cap: usize::MAX,
        smaller: false,
        body: Some(body),
    }
}

/// A workload that this rival has no fair counterpart of.
pub const fn absent(workload: &'static str, why: &'static str) -> Entry {
    Entry {
        workload,
        variant: "",
        note: why,
        divide: 1,
        cap: usize::MAX,
        smaller: false,
        body: None,
    }
}

impl Entry {
    pub const fn variant(mut self, variant: &'static str) -> Entry {
        self.variant = variant;
        self
    }

    /// What is not like for like.
    pub const fn note(mut self, note: &'static str) -> Entry {
        self.note = note;
        self
    }

    /// Does one in `divide` of the operations, since each takes that much longer.
    pub const fn divide(mut self, divide: usize) -> Entry {
        self.divide = divide;
        self
    }

    /// Never goes beyond that size.
    pub const fn cap(mut self, cap: usize) -> Entry {
        self.cap = cap;
        self
    }

    /// The same, where that makes it another piece of work, which no ratio is told of.
    pub const fn smaller(mut self, cap: usize) -> Entry {
        self.smaller = true;
        self.cap(cap)
    }

    fn describe(&self) {
        let kind = if self.body.is_some() {
            "note"
        } else {
            "absent"
        };
        // The texts are plain ASCII, for which Rust's escapes are JSON's.
        println!(
            r#"{{"workload":{:?},"variant":{:?},"{kind}":{:?},"smaller":{}}}"#,
            self.workload, self.variant, self.note, self.smaller
        );
    }
}

/// Answers `--list` and `--steps`, or finds the entry that the arguments name and hands it to `enter`, which sets up the workers and
/// runs its body.
pub fn main(entries: &[Entry], enter: fn(Run, fn(Run))) {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["--list"] => entries.iter().for_each(Entry::describe),
        ["--steps"] => println!("{}", steps_in_a_micro()),
        [workload, variant, n, workers] => {
            let found = entries
                .iter()
                .find(|e| e.workload == workload && e.variant == variant);
            let Some((entry, body)) = found.and_then(|e| Some((e, e.body?))) else {
                fail(&format!("no workload {workload:?} {variant:?}"));
            };
            let run = Run {
                n: (number(n) / entry.divide).min(entry.cap),
                workers: number(workers),
            };
            enter(run, body);
        }
        _ => fail(
            "usage: PROGRAM --list | PROGRAM --steps | PROGRAM WORKLOAD VARIANT N WORKERS (RACE_STEPS=S: S steps of work make a microsecond; else 500)",
        ),
    }
}

fn number(text: &str) -> usize {
    match text.parse() {
        Ok(number) if number > 0 => number,
        _ => fail(&format!("{text:?} is no number above 0")),
    }
}

fn fail(what: &str) -> ! {
    eprintln!("{what}");
    std::process::exit(2)
}

/// Prints one measurement.
pub fn tell(metric: &str, unit: &str, value: f64) {
    println!(r#"{{"metric":{metric:?},"unit":{unit:?},"value":{value}}}"#);
}

impl Run {
    /// Does a tenth of the work to warm up, then all of it, and tells the time of one operation.
    pub fn timed(self, mut work: impl FnMut(usize)) {
        work(self.n / 10);
        let clock = Clock::start();
        work(self.n);
        clock.stop().per_op("time", self.n);
    }
}

//! What the tour prints: text for people, or a line of JSON for each behaviour.

use serde_json::{Map, Value, json};

use super::catalogue::Behaviour;
use super::child::Run;
use super::judge::outcome;
use super::{GoOutcome, Outcome};

/// An open report.
pub struct Report {
    json: bool,
    count: usize,
    ok: usize,
}

impl Report {
    /// Begins a report on `count` behaviours. `skipped` says why nothing is compared with Go.
    pub fn open(json: bool, count: usize, skipped: Option<&str>) -> Report {
        match (json, skipped) {
            (true, Some(skipped)) => eprintln!("{skipped}"),
            (true, None) => {}
            (false, skipped) => {
                println!("The fifteen behaviours of Go's concurrency, in Rust.");
                if let Some(skipped) = skipped {
                    println!("{skipped}");
                }
            }
        }
        Report { json, count, ok: 0 }
    }

    /// Tells of one behaviour.
    pub fn show(&mut self, outcome: &Outcome) {
        self.ok += usize::from(outcome.ok());
        match self.json {
            true => println!("{}", line_of_json(outcome)),
            false => print!("\n{}", text(outcome)),
        }
    }

    /// Ends the report; true if all were ok.
    pub fn close(self) -> bool {
        if !self.json {
            println!("\n{} of {} behaviours ok", self.ok, self.count);
        }
        self.ok == self.count
    }
}

fn text(outcome: &Outcome) -> String {
    let behaviour = outcome.behaviour;
    let mut text = format!("{:<4}{}\n", behaviour.id, behaviour.title);
    for line in shown_lines(behaviour.source) {
        text += format!("      | {line}").trim_end();
        text += "\n";
    }
    let mut row = |name: &str, value: &str| {
        let value = value.trim_end().replace('\n', "\n              ");
        text += format!("    {name:<9} {value}").trim_end();
        text.push('\n');
    };
    row("expected", behaviour.expected);
    match &outcome.verdict {
        Ok(seen) => row("seen", seen),
        Err(wrong) => {
            row("seen", wrong);
            row("waterway", &told(behaviour, &outcome.run));
            row("stderr", &outcome.run.stderr);
        }
    }
    match &outcome.go {
        GoOutcome::Absent => {}
        GoOutcome::Broken(why) => row("go", why),
        GoOutcome::Ran { run, agrees: true } => {
            row("go", &format!("agrees: {}", told(behaviour, run)))
        }
        GoOutcome::Ran { run, agrees: false } => {
            row("waterway", &told(behaviour, &outcome.run));
            row("go", &format!("DISAGREES: {}", told(behaviour, run)));
        }
    }
    row(if outcome.ok() { "ok" } else { "FAILED" }, "");
    text
}

/// How a program ended, what it said, and its figures, in one line.
fn told(behaviour: &Behaviour, run: &Run) -> String {
    let (status, fatal, said) = outcome(behaviour, run);
    let mut parts = vec![status.map_or("no exit status".into(), |status| {
        format!("exit status {status}")
    })];
    parts.extend(fatal.then(|| "deadlock".into()));
    parts.extend((!said.is_empty()).then(|| said.join(" | ")));
    let figures: Vec<_> = run
        .figures()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parts.extend((!figures.is_empty()).then(|| figures.join(" ")));
    parts.join("; ")
}

fn line_of_json(outcome: &Outcome) -> Value {
    let behaviour = outcome.behaviour;
    let (Ok(seen) | Err(seen)) = &outcome.verdict;
    let mut value = json!({
        "id": behaviour.id,
        "title": behaviour.title,
        "ok": outcome.ok(),
        "expected": behaviour.expected,
        "seen": seen,
        "ms": millis(&outcome.run),
        "figures": figures(&outcome.run),
    });
    match &outcome.go {
        GoOutcome::Absent => {}
        GoOutcome::Broken(why) => value["go"] = json!({ "error": why }),
        GoOutcome::Ran { run, agrees } => {
            value["go"] = json!({
                "agrees": agrees,
                "seen": told(behaviour, run),
                "ms": millis(run),
                "figures": figures(run),
            });
        }
    }
    value
}

fn millis(run: &Run) -> u64 {
    u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX)
}

/// Numbers and truth values as such, anything else as a string.
fn figures(run: &Run) -> Map<String, Value> {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| text.into());
    run.figures()
        .map(|(name, text)| (name.into(), value(text)))
        .collect()
}

/// The lines of a program between its marks, without the indent that all of them have.
fn shown_lines(source: &str) -> Vec<&str> {
    let marked = source
        .lines()
        .skip_while(|line| line.trim() != "// tour:begin");
    let lines: Vec<_> = marked
        .skip(1)
        .take_while(|line| line.trim() != "// tour:end")
        .collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let common = filled.map(|line| indent(line)).min().unwrap_or(0);
    lines
        .iter()
        .map(|line| line.get(common..).unwrap_or_default())
        .collect()
}

//! What the tour prints: text for people, or a line of JSON for each behaviour.

use serde_json::{Map, Value, json};

use super::catalogue::Behaviour;
use super::{GoOutcome, Outcome};

pub struct Report {
    json: bool,
}

impl Report {
    /// Opens the report. `go_absent`: Go was wanted, and there is none.
    pub fn new(json: bool, go_absent: bool) -> Report {
        if !json {
            println!("The fifteen behaviours of Go's concurrency, on Waterway.\n");
            if go_absent {
                println!("skipped: no Go toolchain on PATH (or give --go PATH), so nothing is compared with real Go\n");
            }
        }
        Report { json }
    }

    pub fn show(&self, outcome: &Outcome) {
        if self.json {
            println!("{}", as_json(outcome));
        } else {
            print!("{}", as_text(outcome));
        }
    }

    pub fn close(&self, count: usize, failed: usize) {
        if !self.json {
            println!("{} of {count} behaviours ok", count - failed);
        }
    }
}

fn as_text(outcome: &Outcome) -> String {
    let behaviour = outcome.behaviour;
    let mut text = format!("── {} {}\n\n", behaviour.id, behaviour.title);
    for line in shown_lines(behaviour) {
        text.push_str(&format!("    {line}\n"));
    }
    text.push_str(&format!("\n  expected  {}\n  seen      {}\n", behaviour.expected, outcome.seen.text));
    match &outcome.go {
        GoOutcome::Absent => {}
        GoOutcome::Broken(error) => text.push_str(&format!("  Go        {error}\n")),
        GoOutcome::Ran { run, agrees } => {
            let verdict = if *agrees { "the same outcome" } else { "ANOTHER OUTCOME" };
            let figures = run.lines.iter().map(|(_, l)| l).rfind(|l| l.starts_with('#'));
            let figures = figures.map(|f| format!(" ({})", f.trim_start_matches("# "))).unwrap_or_default();
            text.push_str(&format!("  Go        {verdict}{figures}\n"));
            if !agrees {
                text.push_str(&format!("            status {:?}: {:?}\n", run.status, run.said().collect::<Vec<_>>()));
            }
        }
    }
    if !outcome.seen.ok {
        let run = &outcome.run;
        text.push_str(&format!("  status    {:?}\n  stdout    {:?}\n", run.status, run.said().collect::<Vec<_>>()));
        text.push_str(&format!("  stderr    {}\n", run.stderr.trim_end().replace('\n', "\n            ")));
    }
    text.push_str(if outcome.ok() { "  ok\n\n" } else { "  FAILED\n\n" });
    text
}

fn as_json(outcome: &Outcome) -> Value {
    let figures: Map<String, Value> = outcome.run.figures().map(|(key, value)| (key.into(), value.into())).collect();
    let go = match &outcome.go {
        GoOutcome::Absent => Value::Null,
        GoOutcome::Broken(error) => json!({ "agrees": false, "error": error }),
        GoOutcome::Ran { run, agrees } => {
            let figures: Map<String, Value> = run.figures().map(|(key, value)| (key.into(), value.into())).collect();
            json!({ "agrees": agrees, "ms": run.took.as_millis() as u64, "figures": figures })
        }
    };
    json!({
        "id": outcome.behaviour.id,
        "title": outcome.behaviour.title,
        "ok": outcome.ok(),
        "expected": outcome.behaviour.expected,
        "seen": outcome.seen.text,
        "ms": outcome.run.took.as_millis() as u64,
        "figures": figures,
        "go": go,
    })
}

/// The lines of a program between its marks, without their common indent.
fn shown_lines(behaviour: &Behaviour) -> Vec<&'static str> {
    let marked = behaviour.source.lines().skip_while(|l| l.trim() != "// tour:begin").skip(1);
    let lines: Vec<_> = marked.take_while(|l| l.trim() != "// tour:end").collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let common = lines.iter().filter(|l| !l.trim().is_empty()).map(|l| indent(l)).min().unwrap_or(0);
    lines.iter().map(|line| line.get(common..).unwrap_or("")).collect()
}

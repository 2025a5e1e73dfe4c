//! The tables and the JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::field::{self, FLOOR};
use crate::floors;
use crate::race::Series;
use crate::stats::{Spread, figure};
use crate::targets::{Verdict, goal, has_own_goal, verdict};
use crate::workers;

/// What is not like for like, whoever takes part. What holds for one rival stands with its figures.
const CAVEATS: &str = "\
- Ratios are taken pair by pair within a round, so what slows a whole round cancels. Trust them before absolute times.
- Before a run of a workload whose largest rival takes gigabytes the runner takes as much, touches it and gives it back, for every rival:
  on a virtual machine, memory that nobody used for a while is the host's, and who first takes it pays for that.
- CPU is user and system time of the whole process for the same stretch, in the unit of the median. It shows what a fast wall costs.
- Stackful goroutines own at least a page of stack each; Go's begin with 2 KiB and tokio's tasks are as large as their state. Bytes each
  differ by design.
- In every workload the body runs as a goroutine or spawned task of the rival, not on the main thread. On OS threads it is the main thread.
- What a rival does in a smaller size than the others (fewer sleepers, fewer parked) has no ratio; the note tells the size.
- `mutex8` has no ratio: losing a core makes it faster.
- Where more workers are asked for than the machine has cores, each rival is told that number. Waterway's `max_procs` is a limit: it starts no
  more workers than there are cores, so with four on two cores it has two, and Go has four.
- Computing is counted in steps of a fixed chain of instructions, the same in Go and Rust. How many make a microsecond is measured once, before the
  race, on one core (see the top; a race of Go alone takes 500, and `RACE_STEPS=n` has all take n).
";

/// What is said of a quick race.
const QUICK: &str = "A quick run, which shows that everything works. It measures nothing.";

/// Everything that is known after the race.
pub struct Report<'a> {
    /// What was measured, by the number of workers. The tables are of the first.
    pub by_workers: &'a [(usize, Vec<Series>)],
    pub left_out: &'a [String],
    pub machine: Vec<(String, String)>,
    pub quick: bool,
}

impl<'a> Report<'a> {
    fn results(&self) -> &'a [Series] {
        &self.by_workers[0].1
    }

    /// Of who races: all but the floors.
    fn rivals(&self) -> impl Iterator<Item = &'a Series> {
        self.results().iter().filter(|s| s.peer != FLOOR)
    }

    /// Waterway beside Go: how many targets are met, and a row for each metric.
    pub fn summary(&self) -> String {
        let mut out = self.verdicts();
        if self.quick {
            let _ = writeln!(out, "{QUICK}");
        }
        out += "\n| workload | Waterway | Go | Waterway : Go | CPU : Go | best other : Go | target | floors |\n\
             | --- | ---: | ---: | ---: | ---: | --- | --- | --- |\n";
        for series in ours(self.results()) {
            let go = self.go(series);
            let [target, floor] = floors::cells(self.results(), series);
            let _ = writeln!(
                out,
                "| {}, {} | {} | {} | {} | {} | {} | {target} | {floor} |",
                series.workload.title,
                metric(series),
                spread(Spread::of(&series.values)),
                spread(go.and_then(|go| Spread::of(&go.values))),
                spread(self.ratio(series)),
                cpu_ratio(self.results(), series).map_or("-".into(), |r| figure(r.median)),
                self.best_other(series),
            );
        }
        for line in self.left_out {
            let _ = writeln!(out, "\nleft out: {line}");
        }
        out
    }

    /// How many targets came to what: our own ones, and those to be no slower than Go.
    fn verdicts(&self) -> String {
        let results = self.results();
        let (own, others): (Vec<_>, Vec<_>) = ours(results).partition(|s| has_own_goal(s));
        let mut parts = Vec::new();
        for (of, what) in [
            (own, "targets of their own met"),
            (others, "others no slower than Go"),
        ] {
            let all = of.iter().filter_map(|s| verdict(goal(s)?, results, s));
            let all: Vec<_> = all.collect();
            let count = |verdict| all.iter().filter(|v| **v == verdict).count();
            if all.is_empty() {
                continue;
            }
            let mut part = format!("{} of {} {what}", count(Verdict::Met), all.len());
            for other in [Verdict::Level, Verdict::BelowTheFloor, Verdict::NotMet] {
                if count(other) > 0 {
                    let _ = write!(part, ", {} {other}", count(other));
                }
            }
            parts.push(part);
        }
        match parts.is_empty() {
            true => String::new(),
            false => parts.join("; ") + ".\n",
        }
    }

    pub fn markdown(&self) -> String {
        let mut out = String::from(
            "# Performance\n\nWaterway beside its rivals: the same work, in one run, interleaved. Where the time of one handover goes: [profile](profile.md).\n",
        );
        if self.quick {
            let _ = writeln!(out, "\n**{QUICK}**");
        }
        out += "\nFigures are medians with ranges in parentheses; ratios to Go are paired by round. Less is better but for `x` and `share`.\n\n";
        for (name, value) in &self.machine {
            let _ = writeln!(out, "- {name}: {value}");
        }
        out += "\n## How to read it\n\n";
        out += floors::ABOUT;
        out += "\n![ratios to Go](performance.svg)\n\n## Beside Go\n\n";
        out += &self.summary();
        out += &floors::section(self.results());
        if self.results().iter().any(|s| s.metric.starts_with("with ")) {
            out += "\n## As work grows\n\nThe cost of one operation; a flat line is a cost that does not grow.\n\n![cost by size](scaling.svg)\n";
        }
        if self.by_workers.len() > 1 {
            out += &workers::section(self.by_workers);
        }
        out += "\n## Not like for like\n\n";
        out += CAVEATS;
        out += "\n## All figures\n";
        let mut workload = "";
        for series in self.rivals() {
            if series.workload.name != workload {
                workload = series.workload.name;
                let _ = write!(
                    out,
                    "\n### {workload}: {}\n\n| measure | rival | median | CPU | rounds | : Go | note |\n\
                     | --- | --- | ---: | ---: | ---: | ---: | --- |\n",
                    series.workload.title
                );
                for row in self.rows(workload) {
                    out += &row;
                }
            }
        }
        out
    }

    /// The rows of a workload, metric by metric.
    fn rows(&self, workload: &str) -> Vec<String> {
        let of_it = |s: &&Series| s.workload.name == workload;
        let mut metrics: Vec<&str> = Vec::new();
        for series in self.rivals().filter(of_it) {
            if !metrics.contains(&series.metric.as_str()) {
                metrics.push(&series.metric);
            }
        }
        let rows = metrics.iter().flat_map(|metric| {
            let series = self.rivals().filter(of_it);
            series.filter(|s| s.metric == **metric)
        });
        rows.map(|s| self.row(s)).collect()
    }

    fn row(&self, series: &Series) -> String {
        format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            metric(series),
            name(series),
            spread(Spread::of(&series.values)),
            Spread::of(&series.cpu).map_or("-".into(), |cpu| figure(cpu.median)),
            series.values.len(),
            spread(self.ratio(series)),
            series.note,
        )
    }

    pub fn json(&self) -> Value {
        let machine: serde_json::Map<_, _> = self
            .machine
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let all = self.by_workers.iter();
        let results = all.flat_map(|(workers, all)| all.iter().map(move |s| (workers, all, s)));
        let rivals = results.filter(|(_, _, s)| s.peer != FLOOR);
        let results = rivals.map(|(workers, all, s)| {
            json!({
                "workers": workers, "workload": s.workload.name, "rival": name(s), "peer": s.peer, "variant": s.variant, "note": s.note,
                "metric": s.metric, "unit": s.unit, "values": s.values, "cpu": s.cpu,
                "spread": as_json(Spread::of(&s.values)), "ratio_to_go": as_json(ratio(all, s)),
                "target": if s.peer == "waterway" && s.variant.is_empty() { goal(s).map(|goal| goal.to_string()) } else { None },
            })
        });
        let results: Vec<_> = results.collect();
        let all = self.by_workers.iter();
        let floors = all.flat_map(|(workers, all)| floors::json(*workers, all));
        let floors: Vec<_> = floors.collect();
        json!({
            "quick": self.quick, "machine": machine, "left_out": self.left_out, "results": results, "floors": floors,
        })
    }

    fn go(&self, series: &Series) -> Option<&Series> {
        go(self.results(), series)
    }

    fn ratio(&self, series: &Series) -> Option<Spread> {
        ratio(self.results(), series)
    }

    /// The rival beside Waterway and Go that is best at this, with its ratio to Go.
    fn best_other(&self, ours: &Series) -> String {
        let others =
            (self.rivals()).filter(|s| s.is_of_what(ours) && !["waterway", "go"].contains(&s.peer));
        let rated = others.filter_map(|s| Some((self.ratio(s)?.median, s)));
        let best = rated.min_by(|(a, s), (b, _)| match s.more_is_better() {
            true => b.total_cmp(a),
            false => a.total_cmp(b),
        });
        best.map_or("-".into(), |(ratio, s)| {
            format!("{} {}", figure(ratio), name(s))
        })
    }
}

/// Waterway's own, but for its variants.
pub fn ours(results: &[Series]) -> impl Iterator<Item = &Series> {
    let own = |s: &&Series| s.peer == "waterway" && s.variant.is_empty();
    results.iter().filter(own)
}

/// The same metric in Go.
pub fn go<'a>(results: &'a [Series], series: &Series) -> Option<&'a Series> {
    results
        .iter()
        .find(|s| s.peer == "go" && s.is_of_what(series))
}

/// A series' ratio to Go's. None for Go itself, and where none is claimed.
pub fn ratio(results: &[Series], series: &Series) -> Option<Spread> {
    if series.peer == "go" || series.smaller || series.workload.name == "mutex8" {
        return None;
    }
    Spread::of_ratios(&series.values, &go(results, series)?.values)
}

/// As [`ratio`], of CPU times.
pub fn cpu_ratio(results: &[Series], series: &Series) -> Option<Spread> {
    ratio(results, series)?;
    Spread::of_ratios(&series.cpu, &go(results, series)?.cpu)
}

/// A rival with its variant.
pub fn name(series: &Series) -> String {
    let title = field::find(series.peer).map_or(series.peer, |p| p.title);
    format!("{title} {}", series.variant).trim_end().to_owned()
}

pub fn metric(series: &Series) -> String {
    match series.unit.as_str() {
        "" => series.metric.clone(),
        unit => format!("{} ({unit})", series.metric),
    }
}

pub fn spread(spread: Option<Spread>) -> String {
    spread.map_or("-".into(), |s| {
        format!(
            "{} ({} to {})",
            figure(s.median),
            figure(s.min),
            figure(s.max)
        )
    })
}

fn as_json(spread: Option<Spread>) -> Value {
    spread.map_or(
        Value::Null,
        |s| json!({"median": s.median, "min": s.min, "max": s.max}),
    )
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::catalogue;

    pub fn series(workload: &str, peer: &'static str, variant: &str, values: &[f64]) -> Series {
        let workload = catalogue::ALL.iter().find(|w| w.name == workload);
        Series {
            workload: workload.expect("it is in the catalogue"),
            peer,
            variant: variant.into(),
            note: String::new(),
            smaller: false,
            metric: "time".into(),
            unit: "ns".into(),
            values: values.to_vec(),
            cpu: values.to_vec(),
        }
    }

    fn report<'a>(by_workers: &'a [(usize, Vec<Series>)], left_out: &'a [String]) -> Report<'a> {
        Report {
            by_workers,
            left_out,
            machine: vec![("Kernel".into(), "Linux 1".into())],
            quick: false,
        }
    }

    #[test]
    fn the_table_has_the_ratio_by_round_and_the_best_other() {
        let results = vec![
            series("spsc", "waterway", "", &[10.0, 30.0, 20.0]),
            series("spsc", "go", "", &[20.0, 20.0, 40.0]),
            series("spsc", "tokio", "mpsc", &[40.0, 40.0, 80.0]),
            series("spsc", "tokio", "kanal", &[5.0, 5.0, 10.0]),
            series("spsc", FLOOR, "store", &[2.0, 2.0, 4.0]),
        ];
        let summary = report(&[(2, results)], &["may: broken".into()]).summary();
        let verdicts = "0 of 1 targets of their own met, 1 not met.";
        let start = format!("{verdicts}\n\n| workload");
        assert!(summary.starts_with(&start), "{summary}");
        let row = "a message, time (ns) | 20.0 (10.0 to 30.0) | 20.0 (20.0 to 40.0) | 0.50 (0.50 to 1.50) | 0.50 | 0.25 tokio kanal | 0.30, not met | 0.10 store |";
        assert!(summary.contains(row), "{summary}");
        assert!(summary.ends_with("left out: may: broken\n"), "{summary}");
    }

    #[test]
    fn every_series_has_a_row() {
        let results = vec![
            series("spsc", "waterway", "", &[10.0]),
            series("spsc", "threads", "std", &[20.0]),
            series("spsc", FLOOR, "store", &[2.0]),
            series("mutex", "waterway", "", &[30.0]),
        ];
        let page = report(&[(2, results)], &[]).markdown();
        for row in [
            "### spsc: one sender",
            "| time (ns) | Waterway | 10.0 (10.0 to 10.0) | 10.0 | 1 | - |",
            "| time (ns) | threads std | 20.0",
            "### mutex: lock",
            "| time (ns) | Waterway | 30.0",
            "- Kernel: Linux 1\n",
        ] {
            assert!(page.contains(row), "{row:?} in {page}");
        }
        assert_eq!(page.matches("### spsc").count(), 1);
        assert!(page.contains("## What the machine allows"));
        assert!(!page.contains("| Floor"), "a floor is no rival: {page}");
    }

    #[test]
    fn no_ratio_where_the_work_is_not_the_same() {
        let mut few = series("timers", "threads", "", &[1.0]);
        few.smaller = true;
        let results = vec![
            series("timers", "waterway", "", &[10.0]),
            series("timers", "go", "", &[10.0]),
            few,
            series("mutex8", "waterway", "", &[1.0]),
            series("mutex8", "go", "", &[1.0]),
        ];
        let ratios = [0, 1, 2, 3].map(|i| ratio(&results, &results[i]).map(|r| r.median));
        assert_eq!(ratios, [Some(1.0), None, None, None]);
        let first = results[0].clone();
        assert_eq!(report(&[(2, results)], &[]).best_other(&first), "-");
    }

    #[test]
    fn the_json_tells_all() {
        let results = vec![
            series("spsc", "waterway", "", &[10.0, 20.0]),
            series("spsc", "go", "", &[10.0, 10.0]),
            series("spsc", FLOOR, "store", &[1.0, 1.0]),
        ];
        let json = report(&[(2, results)], &[]).json();
        assert_eq!(json["results"][0]["values"], json!([10.0, 20.0]));
        assert_eq!(json["results"][0]["ratio_to_go"]["median"], json!(1.5));
        assert_eq!(json["results"][1]["ratio_to_go"], Value::Null);
        assert_eq!(json["results"][0]["target"], json!("0.30"));
        assert_eq!(json["results"].as_array().map(Vec::len), Some(2));
        assert_eq!(json["floors"][0]["values"], json!([1.0, 1.0]));
        assert_eq!(json["machine"]["Kernel"], json!("Linux 1"));
    }
}

//! The tables and the JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::field;
use crate::race::Series;
use crate::stats::{Spread, figure};

/// What is not like for like, whoever takes part. What holds for one rival stands with its figures.
const CAVEATS: &str = "\
- Ratios are taken pair by pair within a round, so what slows a whole round cancels. Trust them before absolute times.
- CPU is user and system time of the whole process for the same stretch, in the unit of the median. It shows what a fast wall costs.
- Stackful goroutines own at least a page of stack each; Go's begin with 2 KiB and tokio's tasks are as large as their state. Bytes each
  differ by design.
- In every workload the body runs as a goroutine or spawned task of the rival, not on the main thread. On OS threads it is the main thread.
- `mutex8` has no ratio: losing a core makes it faster.
- Computing is counted in steps of a fixed chain of instructions, the same in Go and Rust; \"2 us\" is about right at 2.5 GHz.
";

/// Everything that is known after the race.
pub struct Report<'a> {
    pub results: &'a [Series],
    pub left_out: &'a [String],
    pub machine: Vec<(String, String)>,
    pub quick: bool,
}

impl Report<'_> {
    /// Waterway beside Go: a row for each metric.
    pub fn summary(&self) -> String {
        let mut out = String::from(
            "| workload | Waterway | Go | Waterway : Go | best other : Go |\n| --- | ---: | ---: | ---: | --- |\n",
        );
        let ours = self.results.iter().filter(|s| s.peer == "waterway");
        for series in ours {
            let go = self.go(series);
            let _ = writeln!(
                out,
                "| {}, {} | {} | {} | {} | {} |",
                series.workload.title,
                metric(series),
                spread(Spread::of(&series.values)),
                spread(go.and_then(|go| Spread::of(&go.values))),
                spread(self.ratio(series)),
                self.best_other(series),
            );
        }
        for line in self.left_out {
            let _ = writeln!(out, "\nleft out: {line}");
        }
        out
    }

    pub fn markdown(&self) -> String {
        let mut out = String::from(
            "# Performance\n\nWaterway beside its rivals: the same work, in one run, interleaved.\n",
        );
        if self.quick {
            out += "\n**A quick run, which shows that everything works. It measures nothing.**\n";
        }
        out += "\nFigures are medians with ranges in parentheses; ratios to Go are paired by round. Less is better but for `x` and `share`.\n\n";
        for (name, value) in &self.machine {
            let _ = writeln!(out, "- {name}: {value}");
        }
        out += "\n![ratios to Go](performance.svg)\n\n## Beside Go\n\n";
        out += &self.summary();
        out += "\n## Not like for like\n\n";
        out += CAVEATS;
        out += "\n## All figures\n";
        let mut workload = "";
        for series in self.results {
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
        for series in self.results.iter().filter(of_it) {
            if !metrics.contains(&series.metric.as_str()) {
                metrics.push(&series.metric);
            }
        }
        let rows = metrics.iter().flat_map(|metric| {
            let series = self.results.iter().filter(of_it);
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
        let results = self.results.iter().map(|s| {
            json!({
                "workload": s.workload.name, "rival": name(s), "peer": s.peer, "variant": s.variant, "note": s.note,
                "metric": s.metric, "unit": s.unit, "values": s.values, "cpu": s.cpu,
                "spread": as_json(Spread::of(&s.values)), "ratio_to_go": as_json(self.ratio(s)),
            })
        });
        let results: Vec<_> = results.collect();
        json!({"quick": self.quick, "machine": machine, "left_out": self.left_out, "results": results})
    }

    fn go(&self, series: &Series) -> Option<&Series> {
        go(self.results, series)
    }

    fn ratio(&self, series: &Series) -> Option<Spread> {
        ratio(self.results, series)
    }

    /// The rival beside Waterway and Go that is best at this, with its ratio to Go.
    fn best_other(&self, ours: &Series) -> String {
        let others = self.results.iter().filter(|s| {
            s.workload.name == ours.workload.name
                && s.metric == ours.metric
                && !["waterway", "go"].contains(&s.peer)
        });
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

/// The same metric in Go.
pub fn go<'a>(results: &'a [Series], series: &Series) -> Option<&'a Series> {
    results.iter().find(|s| {
        s.peer == "go" && s.workload.name == series.workload.name && s.metric == series.metric
    })
}

/// A series' ratio to Go's. None for Go itself, and where none is claimed.
pub fn ratio(results: &[Series], series: &Series) -> Option<Spread> {
    if series.peer == "go" || series.workload.name == "mutex8" {
        return None;
    }
    Spread::of_ratios(&series.values, &go(results, series)?.values)
}

/// A rival with its variant.
pub fn name(series: &Series) -> String {
    let title = field::find(series.peer).map_or(series.peer, |p| p.title);
    format!("{title} {}", series.variant).trim_end().to_owned()
}

fn metric(series: &Series) -> String {
    match series.unit.as_str() {
        "" => series.metric.clone(),
        unit => format!("{} ({unit})", series.metric),
    }
}

fn spread(spread: Option<Spread>) -> String {
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

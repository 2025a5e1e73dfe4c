//! What the machine allows, and the targets that stand against it.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::field::FLOOR;
use crate::race::Series;
use crate::report::{cpu_ratio, metric, ratio, spread};
use crate::stats::{Spread, figure};
use crate::targets::{Goal, Verdict, goal, verdict};

/// How the tables are to be read.
pub const ABOUT: &str = "\
A *target* is a goal of ours for a measure (`benches/src/targets.rs`). Some have one of their own, mostly a ratio to Go, set on an Intel Xeon with 2 cores by what the
best rival took there and what switches, locked instructions and page faults cost; that of memory and time of the parked allows more than Go takes, as each has a page
of stack. All others are to be no slower than Go, and are *level* if the median is above 1, but not every round is.

A *floor* is no rival: it is a small program (`benches/peers/floor`), run in the same rounds, that does one way what the workload needs at least (a stack each, a ring for a
buffer, a thread for a worker), and nothing of a runtime: nobody is queued or recorded, nobody else may come. Where there are several ways, each has a
floor with a name: a ring by locked instructions (`exchange`) or by plain stores (`store`), timers served `each` in its time or gathered for `0.2 ms`. Waterway may go another way than
one of them, and beat it. What lies between the lowest and Waterway is what the runtime does. A target that is missed is
*below the floor* if no floor of its measure comes to it in any round. The last column gives the floors by what the target is of: time, CPU time, or speed-up.
";

/// The series of the floors.
fn floors(results: &[Series]) -> impl Iterator<Item = &Series> {
    results.iter().filter(|s| s.peer == FLOOR)
}

/// Two cells for one of our own series: the target, met or not; and if not, what of Go's time the floors take.
pub fn cells(results: &[Series], ours: &Series) -> [String; 2] {
    let Some(goal) = goal(ours) else {
        return ["-".into(), "-".into()];
    };
    let verdict = verdict(goal, results, ours);
    let word = verdict.map_or(String::new(), |v| format!(", {v}"));
    let missed = matches!(verdict, Some(Verdict::NotMet | Verdict::BelowTheFloor));
    let ratios = if missed {
        beside(goal, results, ours)
    } else {
        None
    };
    [format!("{goal}{word}"), ratios.unwrap_or("-".into())]
}

/// How the floors of what a series measures stand to a goal, if it has any.
pub fn beside(goal: Goal, results: &[Series], ours: &Series) -> Option<String> {
    let of_it = floors(results).filter(|f| f.is_of_what(ours));
    let ratios = of_it.filter_map(|f| {
        let measured = goal.measured(results, f)?;
        Some(format!("{} {}", figure(measured.median), f.variant))
    });
    let ratios: Vec<_> = ratios.collect();
    (!ratios.is_empty()).then(|| ratios.join("; "))
}

/// A row for each floor. Nothing, if there is none.
pub fn section(results: &[Series]) -> String {
    let mut out = String::new();
    let mut last = ("", "");
    for floor in floors(results) {
        if out.is_empty() {
            out += "\n## What the machine allows\n\n";
            out += "| workload | floor | median | CPU | : Go | CPU : Go | Waterway : floor | what it does |\n\
                    | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n";
        }
        let median = |s: Option<Spread>| s.map_or("-".into(), |s| figure(s.median));
        let ours = results
            .iter()
            .find(|s| s.peer == "waterway" && s.variant.is_empty() && s.is_of_what(floor));
        // Once for all that a floor measures.
        let this = (floor.workload.name, floor.variant.as_str());
        let note = match std::mem::replace(&mut last, this) == this {
            true => "",
            false => &floor.note,
        };
        let times = ours.and_then(|ours| Spread::of_ratios(&ours.values, &floor.values));
        let _ = writeln!(
            out,
            "| {}, {} | {} | {} | {} | {} | {} | {} | {} |",
            floor.workload.title,
            metric(floor),
            floor.variant,
            spread(Spread::of(&floor.values)),
            median(Spread::of(&floor.cpu)),
            median(ratio(results, floor)),
            median(cpu_ratio(results, floor)),
            median(times),
            note,
        );
    }
    out
}

/// All floors of a race with so many workers.
pub fn json(workers: usize, results: &[Series]) -> impl Iterator<Item = Value> {
    floors(results).map(move |s| {
        json!({
            "workers": workers, "workload": s.workload.name, "floor": s.variant, "does": s.note,
            "metric": s.metric, "unit": s.unit, "values": s.values, "cpu": s.cpu,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::series;

    fn race(ours: f64) -> Vec<Series> {
        vec![
            series("mpmc", "waterway", "", &[ours]),
            series("mpmc", "go", "", &[100.0]),
            series("mpmc", "tokio", "kanal", &[50.0]),
            series("mpmc", FLOOR, "exchange", &[10.0]),
            series("mpmc", FLOOR, "store", &[2.0]),
            series("spsc", FLOOR, "store", &[3.0]),
        ]
    }

    #[test]
    fn a_target_is_met_or_its_floors_are_shown() {
        let of = |ours| {
            let results = race(ours);
            cells(&results, &results[0])
        };
        assert_eq!(of(13.4), ["0.13, met", "-"]);
        assert_eq!(of(20.0), ["0.13, not met", "0.10 exchange; 0.02 store"]);
    }

    #[test]
    fn beside_a_target_of_cpu_time_stands_the_floors_cpu_time() {
        let mut floor = series("timers", FLOOR, "each", &[90.0]);
        floor.cpu = vec![60.0];
        let ours = series("timers", "waterway", "", &[100.0]);
        let results = [ours.clone(), series("timers", "go", "", &[100.0]), floor];
        assert_eq!(
            cells(&results, &ours),
            ["CPU 0.50, below the floor", "0.60 each"]
        );
    }

    #[test]
    fn without_go_nobody_knows_and_some_measures_have_no_target() {
        let ours = series("mpmc", "waterway", "", &[20.0]);
        assert_eq!(cells(&[], &ours), ["0.13", "-"]);
        let ours = series("mutex8", "waterway", "", &[20.0]);
        assert_eq!(cells(&race(1.0), &ours), ["-", "-"]);
    }

    #[test]
    fn each_floor_has_a_row_with_go_and_us_beside_it() {
        let section = section(&race(20.0));
        let row = "time (ns) | exchange | 10.0 (10.0 to 10.0) | 10.0 | 0.10 | 0.10 | 2.00 |";
        assert!(section.contains(row), "{section}");
        let row = "time (ns) | store | 3.00 (3.00 to 3.00) | 3.00 | - | - | - |";
        assert!(section.contains(row), "{section}");
        assert_eq!(super::section(&race(20.0)[..3]), "");
    }

    #[test]
    fn the_json_of_floors_has_no_rival() {
        let all: Vec<_> = json(2, &race(1.0)).collect();
        assert_eq!(all.len(), 3);
        assert_eq!(all[0]["floor"], json!("exchange"));
        assert_eq!(all[0]["values"], json!([10.0]));
    }
}

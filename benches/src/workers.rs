//! The race with each number of workers.

use std::fmt::Write;

use crate::floors::beside;
use crate::race::Series;
use crate::report::{cpu_ratio, go, metric, ours, ratio, spread};
use crate::stats::{Spread, figure};
use crate::targets::{Goal, is_behind};

type ByWorkers = [(usize, Vec<Series>)];

/// What is behind Go, and then the table.
pub fn section(by_workers: &ByWorkers) -> String {
    let mut out = String::from(
        "\n## By workers\n\nBehind Go, with a ratio above 1 that is not level, in time or memory, and then in CPU time alone; in brackets the floors beside Go:\n\n",
    );
    for (workers, results) in by_workers {
        let _ = writeln!(out, "- {workers}: {}", behind(results));
    }
    out + "\n" + &table(by_workers)
}

/// What is behind Go, with its ratio, and those of its floors.
fn behind(results: &[Series]) -> String {
    let told = |s: &Series, what: &str, goal: Goal| {
        let of = goal.measured(results, s);
        let floors =
            beside(goal, results, s).map_or(String::new(), |floors| format!(" [{floors}]"));
        let title = s.workload.title;
        is_behind(s, of).then(|| format!("{title}, {}{what} {}{floors}", s.metric, spread(of)))
    };
    let all = ours(results).filter_map(|s| {
        let time = told(s, "", Goal::OfGo(1.0));
        time.or_else(|| told(s, ", CPU", Goal::CpuOfGo(1.0)))
    });
    match &all.collect::<Vec<_>>()[..] {
        [] => "none".into(),
        some => some.join("; "),
    }
}

/// Wall and CPU time of each workload's first metric, with each number of workers.
fn table(by_workers: &ByWorkers) -> String {
    let mut out = String::from(
        "| workload | workers | Waterway | its CPU | Go | its CPU | Waterway : Go | CPU : Go |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let cpu = |s: &Series| Spread::of(&s.cpu).map_or("-".into(), |cpu| figure(cpu.median));
    let short = |ratio: Option<Spread>| ratio.map_or("-".into(), |r| figure(r.median));
    let mut last = "";
    for first in ours(&by_workers[0].1) {
        if std::mem::replace(&mut last, first.workload.name) == first.workload.name {
            continue; // the first metric only
        }
        for (workers, results) in by_workers {
            let Some(ours) = results.iter().find(|s| s.is_like(first)) else {
                continue;
            };
            let theirs = go(results, ours);
            let _ = writeln!(
                out,
                "| {}, {} | {workers} | {} | {} | {} | {} | {} | {} |",
                ours.workload.title,
                metric(ours),
                spread(Spread::of(&ours.values)),
                cpu(ours),
                spread(theirs.and_then(|go| Spread::of(&go.values))),
                theirs.map_or("-".into(), cpu),
                short(ratio(results, ours)),
                short(cpu_ratio(results, ours)),
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::FLOOR;
    use crate::report::tests::series;

    fn of(ours: f64, theirs: f64) -> Vec<Series> {
        vec![
            series("spsc", "waterway", "", &[ours]),
            series("spsc", "go", "", &[theirs]),
        ]
    }

    #[test]
    fn each_number_of_workers_has_a_row_with_its_own_ratio() {
        let table = table(&[(2, of(10.0, 20.0)), (1, of(9.0, 12.0))]);
        for row in [
            "| 2 | 10.0 (10.0 to 10.0) | 10.0 | 20.0 (20.0 to 20.0) | 20.0 | 0.50 | 0.50 |",
            "| 1 | 9.00 (9.00 to 9.00) | 9.00 | 12.0 (12.0 to 12.0) | 12.0 | 0.75 | 0.75 |",
        ] {
            assert!(table.contains(row), "{row:?} in {table}");
        }
    }

    #[test]
    fn what_wins_in_time_and_loses_in_cpu_time_is_behind_as_well() {
        let mut busy = of(10.0, 20.0);
        busy[0].cpu = vec![22.0];
        let of = "one sender, one receiver, capacity 128, a message, time, CPU 1.10 (1.10 to 1.10)";
        assert_eq!(behind(&busy), of);
    }

    #[test]
    fn what_is_behind_go_comes_first() {
        let mut with_floors = of(30.0, 20.0);
        with_floors.push(series("spsc", FLOOR, "exchange", &[22.0]));
        with_floors.push(series("spsc", FLOOR, "store", &[5.0]));
        let by_workers = [(2, of(10.0, 20.0)), (4, of(30.0, 20.0)), (1, with_floors)];
        let section = section(&by_workers);
        let behind = "one sender, one receiver, capacity 128, a message, time 1.50 (1.50 to 1.50)";
        let floors = "[1.10 exchange; 0.25 store]";
        let list = format!("\n- 2: none\n- 4: {behind}\n- 1: {behind} {floors}\n\n| workload");
        assert!(section.contains(&list), "{section}");
    }
}

//! Our targets: what we want to be beside Go, measure by measure. They were set on an Intel Xeon with 2 cores, before there was a runtime, by what the
//! best rival took there and what switches, locked instructions and page faults cost. What has none of its own must not be slower than Go.

use std::fmt;

use crate::race::Series;
use crate::report::{cpu_ratio, ratio};
use crate::stats::Spread;

/// What is wanted of a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// At most so much of Go's.
    OfGo(f64),
    /// At most so much of Go's CPU time.
    CpuOfGo(f64),
    /// At least so much, whatever Go's is.
    AtLeast(f64),
}

use Goal::{AtLeast, CpuOfGo, OfGo};

/// By workload and metric.
#[rustfmt::skip] // a table
const TARGETS: &[(&str, &str, Goal)] = &[
    ("pingpong", "time", OfGo(0.25)),
    ("spsc", "time", OfGo(0.30)),
    ("mpmc", "time", OfGo(0.13)),
    ("mpmc0", "time", OfGo(0.30)),
    ("select2", "time", OfGo(0.45)),
    ("select2b", "time", OfGo(0.50)),
    ("select8", "time", OfGo(0.35)),
    ("select8b", "time", OfGo(0.22)),
    ("try_recv", "time", OfGo(0.35)),
    ("select_default", "time", OfGo(0.40)),
    ("spawn_join", "time", OfGo(0.25)),
    ("spawn_burst", "first time", OfGo(0.30)),
    ("spawn_burst", "second time", OfGo(0.30)),
    ("yield1", "time", OfGo(0.25)),
    ("yield1000", "time", OfGo(0.14)),
    ("mutex", "time", OfGo(0.85)),
    ("skynet", "first time", OfGo(0.45)),
    ("skynet", "later time", OfGo(0.45)),
    ("sieve", "time", OfGo(0.35)),
    ("timers", "time", CpuOfGo(0.50)),
    ("timers", "late p50", OfGo(0.30)),
    ("timers", "late p99", OfGo(0.08)),
    ("parked100k", "time to make each", OfGo(1.20)),
    ("parked100k", "memory each, with page tables", OfGo(1.81)),
    ("parked1m", "time to make each", OfGo(1.20)),
    ("parked1m", "memory each, with page tables", OfGo(1.81)),
    ("pipeline_a", "an item, 2 us a stage, speed-up from one worker", AtLeast(1.70)),
    ("pipeline_a", "an item, 20 us a stage, speed-up from one worker", AtLeast(1.70)),
    ("pipeline_b", "of the cores busy", AtLeast(0.90)),
];

/// Said beside the sum that it is a part of.
const PARTS: &[&str] = &["of it page tables"];

/// What is wanted of what a series measures, if anything is.
pub fn goal(series: &Series) -> Option<Goal> {
    let own = TARGETS.iter().find(|(workload, metric, _)| {
        (*workload, *metric) == (series.workload.name, &series.metric)
    });
    own.map(|(_, _, goal)| *goal).or_else(|| {
        let of_go = !series.more_is_better()
            && series.workload.name != "mutex8"
            && !PARTS.contains(&series.metric.as_str());
        of_go.then_some(OfGo(1.0))
    })
}

/// Whether a series of ours comes to what is wanted, as far as figures are shown. Nobody knows without Go.
pub fn is_met(goal: Goal, results: &[Series], ours: &Series) -> Option<bool> {
    let shown = |figure: f64| (figure * 100.0).round();
    match goal {
        OfGo(most) => Some(shown(ratio(results, ours)?.median) <= shown(most)),
        CpuOfGo(most) => Some(shown(cpu_ratio(results, ours)?.median) <= shown(most)),
        AtLeast(least) => Some(shown(Spread::of(&ours.values)?.median) >= shown(least)),
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OfGo(most) => write!(f, "{most:.2}"),
            CpuOfGo(most) => write!(f, "CPU {most:.2}"),
            AtLeast(least) => write!(f, "at least {least:.2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::ALL;
    use crate::report::tests::series;

    #[test]
    fn a_target_is_of_a_workload_and_there_is_one_for_a_measure() {
        for (i, target) in TARGETS.iter().enumerate() {
            assert!(ALL.iter().any(|w| w.name == target.0), "{target:?}");
            let same = |other: &(&str, &str, Goal)| (other.0, other.1) == (target.0, target.1);
            assert!(!TARGETS[..i].iter().any(same), "{target:?}");
        }
    }

    #[test]
    fn what_has_no_target_of_its_own_is_to_be_no_slower_than_go() {
        let mut ours = series("pipeline_c", "waterway", "", &[20.0]);
        assert_eq!(goal(&ours), Some(OfGo(1.0)));
        ours.unit = "x".into();
        assert_eq!(goal(&ours), None);
        ours.unit = "B".into();
        ours.metric = "of it page tables".into();
        assert_eq!(goal(&ours), None);
        assert_eq!(goal(&series("mutex8", "waterway", "", &[20.0])), None);
    }

    #[test]
    fn each_goal_is_met_by_its_own_measure() {
        let mut ours = series("timers", "waterway", "", &[20.0]);
        ours.cpu = vec![5.0];
        let results = [ours.clone(), series("timers", "go", "", &[10.0])];
        let met = |goal| is_met(goal, &results, &ours);
        assert_eq!((met(OfGo(1.99)), met(OfGo(2.0))), (Some(false), Some(true)));
        assert_eq!(
            (met(CpuOfGo(0.49)), met(CpuOfGo(0.5))),
            (Some(false), Some(true))
        );
        assert_eq!(
            (met(AtLeast(20.1)), met(AtLeast(20.0))),
            (Some(false), Some(true))
        );
        assert_eq!(is_met(OfGo(2.0), &[], &ours), None);
    }
}

//! Our targets: what we want to be beside Go, measure by measure. They were set on an Intel Xeon with 2 cores by what the
//! best rival took there and what switches, locked instructions and page faults cost. What has none of its own must not be slower than Go.

use std::fmt;

use crate::field::FLOOR;
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

/// The target of its own that a measure has.
fn own_goal(series: &Series) -> Option<Goal> {
    let own = TARGETS.iter().find(|(workload, metric, _)| {
        (*workload, *metric) == (series.workload.name, &series.metric)
    });
    own.map(|(_, _, goal)| *goal)
}

/// Whether more is wanted of what a series measures than to be no slower than Go, or something else.
pub fn has_own_goal(series: &Series) -> bool {
    own_goal(series).is_some()
}

/// What is wanted of what a series measures, if anything is.
pub fn goal(series: &Series) -> Option<Goal> {
    own_goal(series).or_else(|| {
        let of_go = !series.more_is_better()
            && series.workload.name != "mutex8"
            && !PARTS.contains(&series.metric.as_str());
        of_go.then_some(OfGo(1.0))
    })
}

/// What came of a goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    Met,
    /// No slower than Go was wanted, and it was slower in some rounds only.
    Level,
    /// Not met, as no floor comes to it in any round either.
    BelowTheFloor,
    NotMet,
}

/// How a series of ours stands to what is wanted, as far as figures are shown. Nobody knows without Go.
pub fn verdict(goal: Goal, results: &[Series], ours: &Series) -> Option<Verdict> {
    let spread = goal.measured(results, ours)?;
    if goal.is_met_by(spread.median) {
        return Some(Verdict::Met);
    }
    if goal == OfGo(1.0) && spread.has_on_both_sides(1.0) {
        return Some(Verdict::Level);
    }
    let floors = results.iter().filter(|s| s.peer == FLOOR);
    let floors = floors.filter(|f| f.is_of_what(ours));
    let mut reached = floors
        .filter_map(|floor| goal.measured(results, floor))
        .map(|floor| goal.is_met_by(goal.best_of(floor)))
        .peekable();
    // Without a floor nothing is known of what can be reached.
    match reached.peek().is_some() && reached.all(|met| !met) {
        true => Some(Verdict::BelowTheFloor),
        false => Some(Verdict::NotMet),
    }
}

/// Whether a measure of ours is behind Go's by that ratio of it: not if they are level.
pub fn is_behind(ours: &Series, ratio: Option<Spread>) -> bool {
    let of_go = matches!(goal(ours), Some(OfGo(_) | CpuOfGo(_)));
    let above = |r: Spread| !OfGo(1.0).is_met_by(r.median) && !r.has_on_both_sides(1.0);
    of_go && ratio.is_some_and(above)
}

impl Goal {
    /// What the goal is of, of a series of ours or of a floor.
    pub fn measured(self, results: &[Series], series: &Series) -> Option<Spread> {
        match self {
            OfGo(_) => ratio(results, series),
            CpuOfGo(_) => cpu_ratio(results, series),
            AtLeast(_) => Spread::of(&series.values),
        }
    }

    /// Of the rounds the best for this goal.
    fn best_of(self, spread: Spread) -> f64 {
        match self {
            OfGo(_) | CpuOfGo(_) => spread.min,
            AtLeast(_) => spread.max,
        }
    }

    fn is_met_by(self, figure: f64) -> bool {
        let shown = |figure: f64| (figure * 100.0).round();
        match self {
            OfGo(most) | CpuOfGo(most) => shown(figure) <= shown(most),
            AtLeast(least) => shown(figure) >= shown(least),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Met => "met",
            Verdict::Level => "level",
            Verdict::BelowTheFloor => "below the floor",
            Verdict::NotMet => "not met",
        })
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
        let met = |goal| verdict(goal, &results, &ours) == Some(Verdict::Met);
        assert_eq!((met(OfGo(1.99)), met(OfGo(2.0))), (false, true));
        assert_eq!((met(CpuOfGo(0.49)), met(CpuOfGo(0.5))), (false, true));
        assert_eq!((met(AtLeast(20.1)), met(AtLeast(20.0))), (false, true));
        assert_eq!(verdict(OfGo(2.0), &[], &ours), None);
    }

    /// Ours in three rounds, where Go takes 100 in each, and a floor of CPU time 60.
    fn race(values: [f64; 3]) -> Vec<Series> {
        let mut floor = series("pipeline_d", FLOOR, "each", &[90.0; 3]);
        floor.cpu = vec![60.0; 3];
        vec![
            series("pipeline_d", "waterway", "", &values),
            series("pipeline_d", "go", "", &[100.0; 3]),
            floor,
        ]
    }

    #[test]
    fn what_is_slower_in_some_rounds_only_is_level() {
        let of = |goal, values| verdict(goal, &race(values), &race(values)[0]);
        assert_eq!(of(OfGo(1.0), [95.0, 99.0, 102.0]), Some(Verdict::Met));
        assert_eq!(of(OfGo(1.0), [98.0, 102.0, 103.0]), Some(Verdict::Level));
        assert_eq!(of(OfGo(1.0), [101.0, 102.0, 103.0]), Some(Verdict::NotMet));
        // Only where we are to be no slower: a target of its own is not reached by being level with Go.
        assert_eq!(of(OfGo(0.95), [98.0, 102.0, 103.0]), Some(Verdict::NotMet));
    }

    #[test]
    fn what_no_floor_comes_to_is_below_the_floor() {
        let of = |goal| verdict(goal, &race([100.0; 3]), &race([100.0; 3])[0]);
        assert_eq!(of(OfGo(0.89)), Some(Verdict::BelowTheFloor));
        assert_eq!(of(OfGo(0.90)), Some(Verdict::NotMet));
        assert_eq!(of(CpuOfGo(0.59)), Some(Verdict::BelowTheFloor));
        assert_eq!(of(CpuOfGo(0.60)), Some(Verdict::NotMet));
        // One round of a floor shows that it can be had.
        let mut results = race([100.0; 3]);
        results[2].values = vec![90.0, 80.0, 90.0];
        let of = |goal| verdict(goal, &results, &results[0]);
        assert_eq!(of(OfGo(0.79)), Some(Verdict::BelowTheFloor));
        assert_eq!(of(OfGo(0.80)), Some(Verdict::NotMet));
        // So does a second floor.
        let mut results = race([100.0; 3]);
        results.push(series("pipeline_d", FLOOR, "array", &[20.0; 3]));
        let verdict = verdict(OfGo(0.89), &results, &results[0]);
        assert_eq!(verdict, Some(Verdict::NotMet));
    }

    #[test]
    fn behind_go_is_who_is_slower_in_every_round() {
        let behind = |values| {
            let results = race(values);
            is_behind(&results[0], ratio(&results, &results[0]))
        };
        assert!(behind([101.0, 102.0, 103.0]));
        assert!(!behind([98.0, 102.0, 103.0]));
        assert!(!behind([97.0, 98.0, 103.0]));
    }
}

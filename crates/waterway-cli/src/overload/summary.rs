//! What a series comes to: how memory grew, how flat it stayed, how much of the work was of use.

use serde::Serialize;

use super::race::Series;
use super::settings::Load;
use super::wire::{End, Sample};

/// Of a series that came to its end.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Bytes a second after the warm-up: the line that fits best.
    pub growth: f64,
    /// How well that line fits, from 0 to 1 (the square of the correlation).
    pub straight: f64,
    /// Bytes at the end more than after the warm-up.
    pub grown: i64,
    /// How far memory was, at most, in the last half from its mean in the quarter after the warm-up; a share of that.
    pub drift: f64,
    /// Bytes at the end.
    pub memory: u64,
    /// Goroutines at the end.
    pub goroutines: u64,
    /// Items that waited at the end.
    pub queue: u64,
    /// Milliseconds that items served in the last tenth had waited: the median of the samples' medians.
    pub last_p50_ms: Option<f64>,
    /// Items served in time, as a share of what the server can do.
    pub goodput: f64,
}

/// Shares of the time: the warm-up, and the quarter after it.
const WARM: f64 = 0.15;
const FIRST: f64 = 0.25;

impl Summary {
    /// Of a series that has ended and has its samples.
    pub fn of(series: &Series, load: Load) -> Option<(Summary, &End)> {
        let (end, samples) = (series.end.as_ref()?, &series.samples[..]);
        let last = samples.last()?;
        let between = |from: f64, to: f64| {
            let seconds = f64::from(load.seconds);
            let within = move |sample: &&Sample| {
                sample.time >= from * seconds && sample.time <= to * seconds
            };
            samples.iter().filter(within)
        };
        let memory = |sample: &Sample| sample.memory as f64;
        let after: Vec<_> = between(WARM, f64::MAX)
            .map(|s| (s.time, memory(s)))
            .collect();
        let (growth, straight) = line(&after);
        let first = mean(between(WARM, WARM + FIRST).map(memory))?;
        let drift = between(0.5, f64::MAX).map(|s| (memory(s) - first).abs() / first);
        let mut medians: Vec<_> = between(0.9, f64::MAX).filter_map(|s| s.p50_ms).collect();
        medians.sort_by(f64::total_cmp);
        let summary = Summary {
            growth,
            straight,
            grown: last.memory as i64 - after.first()?.1 as i64,
            drift: drift.fold(0.0, f64::max),
            memory: last.memory,
            goroutines: last.goroutines,
            queue: last.queue,
            last_p50_ms: medians.get(medians.len() / 2).copied(),
            goodput: end.in_time as f64 / (f64::from(load.rate_out) * f64::from(load.seconds)),
        };
        Some((summary, end))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

/// The slope of the line that fits best, and the square of the correlation. Points that do not differ lie on a line.
fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let (x, y) = (
        mean(points.iter().map(|p| p.0)),
        mean(points.iter().map(|p| p.1)),
    );
    let (x, y) = (x.unwrap_or_default(), y.unwrap_or_default());
    let sum = |of: fn(f64, f64) -> f64| points.iter().map(|p| of(p.0 - x, p.1 - y)).sum::<f64>();
    let (xx, xy, yy) = (sum(|x, _| x * x), sum(|x, y| x * y), sum(|_, y| y * y));
    match xx * yy > 0.0 {
        true => (xy / xx, xy * xy / (xx * yy)),
        false => (0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overload::design::DESIGNS;
    use crate::overload::wire::{Returned, Shed};

    const LOAD: Load = Load {
        rate_in: 1_000,
        rate_out: 100,
        seconds: 20,
    };

    /// Twenty seconds in which memory is as told and items wait as long as the run has lasted.
    fn series(memory: impl Fn(f64) -> f64) -> Series {
        let sample = |number: u32| {
            let time = f64::from(number) / 5.0;
            Sample {
                time,
                memory: memory(time) as u64,
                goroutines: 3,
                queue: 0,
                p50_ms: Some(time * 1e3),
                p99_ms: None,
                sent: 0,
                received: 0,
                shed: Shed::default(),
                returned: Returned::default(),
            }
        };
        let end = End {
            sent: 0,
            received: 2_000,
            in_time: 1_500,
            queue: 0,
            shed: Shed::default(),
            returned: Returned::default(),
            p50_ms: None,
            p99_ms: None,
        };
        Series {
            design: &DESIGNS[0],
            samples: (0..=100).map(sample).collect(),
            end: Some(end),
            failed: None,
        }
    }

    #[test]
    fn growth_is_a_straight_line() {
        let series = series(|time| 1e7 + 5e6 * time);
        let (summary, _) = Summary::of(&series, LOAD).unwrap();
        assert!((summary.growth - 5e6).abs() < 1.0, "{summary:?}");
        assert!(summary.straight > 0.999_999, "{summary:?}");
        assert_eq!(summary.grown, 85_000_000);
        assert_eq!(summary.memory, 110_000_000);
        assert!(summary.drift > 1.0);
        assert_eq!(summary.goodput, 0.75);
        assert!(
            summary
                .last_p50_ms
                .is_some_and(|ms| (18_000.0..20_000.0).contains(&ms))
        );
    }

    #[test]
    fn what_grows_in_the_warm_up_only_is_flat() {
        let (summary, _) = Summary::of(&series(|time| 1e7 * time.min(2.0)), LOAD)
            .map(|(s, e)| (s, e.clone()))
            .unwrap();
        assert_eq!(
            (summary.growth, summary.straight, summary.drift),
            (0.0, 1.0, 0.0)
        );
        // A step of a tenth, late.
        let step = series(|time| if time > 19.0 { 1.1e7 } else { 1e7 });
        let (summary, _) = Summary::of(&step, LOAD).unwrap();
        assert!(
            (summary.drift - 0.1).abs() < 1e-9 && summary.straight < 0.5,
            "{summary:?}"
        );
    }

    #[test]
    fn a_series_without_an_end_comes_to_nothing() {
        let mut series = series(|_| 1e7);
        series.end = None;
        assert!(Summary::of(&series, LOAD).is_none());
    }
}

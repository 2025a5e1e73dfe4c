//! What is seen while it runs: rows in place on a terminal, a line a second elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use super::race::Series;
use super::settings::Load;
use super::units::{count, mib, wait};
use super::wire::Sample;

/// A view of designs that run.
pub struct Live {
    out: Box<dyn Write>,
    load: Load,
    /// On a terminal: how many lines were drawn, and when.
    drawn: Option<(usize, Instant)>,
    /// Elsewhere: the next second to tell of.
    second: u32,
    terminal: bool,
}

/// A terminal is drawn anew at most this often.
const PACE: Duration = Duration::from_millis(100);

impl Live {
    /// On standard output; on standard error where that is for the series.
    pub fn new(load: Load, stderr: bool) -> Live {
        let (out, terminal): (Box<dyn Write>, _) = match stderr {
            true => (Box::new(io::stderr()), io::stderr().is_terminal()),
            false => (Box::new(io::stdout()), io::stdout().is_terminal()),
        };
        Live {
            out,
            load,
            drawn: None,
            second: 1,
            terminal,
        }
    }

    /// Something is new. That nobody looks (any longer) is no reason to stop.
    pub fn show(&mut self, all: &[Series]) {
        let ended = all
            .iter()
            .all(|one| one.end.is_some() || one.failed.is_some());
        if !self.terminal {
            // Who has ended keeps nobody waiting.
            let running = all
                .iter()
                .filter(|one| one.end.is_none() && one.failed.is_none());
            let least = running.map(|one| one.samples.last().map_or(0.0, |last| last.time));
            let time = least.fold(f64::INFINITY, f64::min);
            if time.is_finite() && time >= f64::from(self.second) {
                let _ = writeln!(self.out, "{}", line(time, all));
                self.second = time as u32 + 1;
            }
            return;
        }
        let fresh = self.drawn.is_none_or(|(_, at)| at.elapsed() >= PACE);
        if fresh || ended {
            let up = self
                .drawn
                .map_or(String::new(), |(lines, _)| format!("\x1b[{lines}A"));
            let rows = rows(self.load, all);
            // Rows that are wider than the terminal are cut, not wrapped: going up would miss the first.
            let text: String = rows.iter().map(|row| format!("\x1b[2K{row}\n")).collect();
            let _ = write!(self.out, "{up}\x1b[?7l{text}\x1b[?7h");
            let _ = self.out.flush();
            self.drawn = Some((rows.len(), Instant::now()));
        }
    }
}

/// One line on all designs.
fn line(time: f64, all: &[Series]) -> String {
    let designs = all.iter().filter_map(|one| {
        let last = one.samples.last()?;
        let (memory, goroutines) = (mib(last.memory as f64), count(last.goroutines));
        let p50 = wait(recent(one, |sample| sample.p50_ms));
        Some(format!(
            "{} {memory}, {goroutines} goroutines, wait {p50}",
            one.design.id
        ))
    });
    format!("{time:>3.0} s: {}", designs.collect::<Vec<_>>().join(" | "))
}

/// What was seen last; in a short window nothing may have been served.
fn recent(series: &Series, of: fn(&Sample) -> Option<f64>) -> Option<f64> {
    series.samples.iter().rev().take(5).find_map(of)
}

/// A heading, and a row for each design.
fn rows(load: Load, all: &[Series]) -> Vec<String> {
    let latest = all
        .iter()
        .filter_map(|one| one.samples.last())
        .map(|last| last.time);
    let time = latest.fold(0.0, f64::max);
    let done = (time / f64::from(load.seconds)).clamp(0.0, 1.0);
    let bar: String = (0..30)
        .map(|n| {
            if f64::from(n) < done * 30.0 {
                '█'
            } else {
                '░'
            }
        })
        .collect();
    let mut rows = vec![
        format!(
            "{} items a second in, {} out  {bar}  {time:.1} of {} s",
            count(load.rate_in.into()),
            count(load.rate_out.into()),
            load.seconds
        ),
        format!(
            "{:<24}{:>12}{:>12}{:>10}{:>12}{:>12}{:>10}{:>10}{:>10}",
            "",
            "memory",
            "goroutines",
            "waiting",
            "wait p50",
            "wait p99",
            "served",
            "shed",
            "returned"
        ),
    ];
    rows.extend(all.iter().map(row));
    rows
}

fn row(series: &Series) -> String {
    let title = series.design.title;
    if let Some(why) = &series.failed {
        return format!("{title:<24}failed: {}", why.replace('\n', " "));
    }
    let Some(last) = series.samples.last() else {
        return format!("{title:<24}{:>12}", "-");
    };
    format!(
        "{title:<24}{:>12}{:>12}{:>10}{:>12}{:>12}{:>10}{:>10}{:>10}",
        mib(last.memory as f64),
        count(last.goroutines),
        count(last.queue),
        wait(recent(series, |sample| sample.p50_ms)),
        wait(recent(series, |sample| sample.p99_ms)),
        count(last.received),
        count(last.shed.total()),
        count(last.returned.total()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overload::design::DESIGNS;
    use crate::overload::wire::{Returned, Shed};

    /// Designs of which the first is as far as told, the second has failed, and the third has said nothing yet.
    fn all(time: f64) -> Vec<Series> {
        let sample = Sample {
            time,
            memory: 3 << 20,
            goroutines: 1_234,
            queue: 56,
            p50_ms: Some(7.0),
            p99_ms: None,
            sent: 0,
            received: 89,
            shed: Shed { late: 10, full: 1 },
            returned: Returned {
                refused: 400,
                closed: 32,
            },
        };
        let of = |number: usize, samples, failed| Series {
            design: &DESIGNS[number],
            samples,
            end: None,
            failed,
        };
        vec![
            of(0, vec![sample], None),
            of(1, Vec::new(), Some("two\nlines".into())),
            of(2, Vec::new(), None),
        ]
    }

    #[test]
    fn each_design_has_one_row() {
        let load = Load {
            rate_in: 1_000,
            rate_out: 100,
            seconds: 20,
        };
        let rows = rows(load, &all(10.0));
        assert_eq!(rows.len(), 5, "{rows:#?}");
        assert!(rows[0].contains("10.0 of 20 s"), "{rows:#?}");
        assert_eq!(rows[0].matches('█').count(), 15, "{rows:#?}");
        for part in ["3.0 MiB", "1,234", "56", "7.0 ms", "-", "89", "11", "432"] {
            assert!(rows[2].contains(part), "{part}: {rows:#?}");
        }
        assert!(rows[3].ends_with("failed: two lines"), "{rows:#?}");
        assert!(rows.iter().all(|row| !row.contains('\n')), "{rows:#?}");
    }

    #[test]
    fn elsewhere_there_is_one_line() {
        let line = line(3.2, &all(3.2));
        assert_eq!(
            line,
            "  3 s: goroutines 3.0 MiB, 1,234 goroutines, wait 7.0 ms"
        );
    }
}

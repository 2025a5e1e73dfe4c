//! The race itself: workload by workload, round by round, rival by rival.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::catalogue::Workload;
use crate::field::{self, Entrant, FLOOR, STEPS, reason};
use crate::line::{self, Measurement, Offer};
use crate::memory;
use crate::stats::figure;

/// Far more than any run takes.
const LIMIT: Duration = Duration::from_secs(120);

/// What to run.
pub struct Plan {
    pub workloads: Vec<&'static Workload>,
    pub quick: bool,
    /// As asked for.
    pub rounds: Option<usize>,
    pub workers: usize,
    /// How many steps of work all are told to take for a microsecond.
    pub steps: usize,
}

impl Plan {
    fn rounds(&self, workload: &Workload) -> usize {
        let usual = if self.quick { 2 } else { workload.rounds };
        self.rounds.unwrap_or(usual)
    }
}

/// One metric of one rival, round by round.
#[derive(Clone, Debug)]
pub struct Series {
    pub workload: &'static Workload,
    pub peer: &'static str,
    pub variant: String,
    pub note: String,
    /// Of a smaller size than the others, so not compared with them.
    pub smaller: bool,
    pub metric: String,
    pub unit: String,
    pub values: Vec<f64>,
    /// As many, or none.
    pub cpu: Vec<f64>,
}

impl Series {
    /// Whether more is better, as with a speed-up.
    pub fn more_is_better(&self) -> bool {
        matches!(self.unit.as_str(), "x" | "share")
    }

    /// Whether it is of the same metric of the same workload, whoever's.
    pub fn is_of_what(&self, other: &Series) -> bool {
        (self.workload.name, &self.metric) == (other.workload.name, &other.metric)
    }

    /// Whether it is of the same metric of the same rival.
    pub fn is_like(&self, other: &Series) -> bool {
        let of = |s: &Series| (s.workload.name, s.peer, s.variant.clone(), s.metric.clone());
        of(self) == of(other)
    }
}

/// One variant of one rival in one workload.
struct Runner<'a> {
    entrant: &'a Entrant,
    offer: &'a Offer,
    series: Vec<Series>,
    failed: bool,
}

/// Runs everything. Who fails is left out from there on, and named.
pub fn run(plan: &Plan, field: &[Entrant], left_out: &mut Vec<String>) -> Vec<Series> {
    let mut results = Vec::new();
    for (i, workload) in plan.workloads.iter().enumerate() {
        let place = format!("[{}/{}] {}", i + 1, plan.workloads.len(), workload.name);
        let mut runners = at_the_start(workload, field, left_out);
        let rounds = plan.rounds(workload);
        let is_rival = |r: &&Runner<'_>| r.entrant.peer.name != FLOOR;
        let rivals = runners.iter().filter(is_rival).count();
        let first = usize::from(plan.quick);
        for round in first..=rounds {
            for i in order(round, rivals, runners.len()) {
                let runner = &mut runners[i];
                if runner.failed {
                    continue;
                }
                // Round 0 warms up: caches, files, the clock of the processor. A quick race measures nothing.
                let n = if plan.quick || round == 0 {
                    workload.quick
                } else {
                    memory::level(workload.gigabytes);
                    workload.n
                };
                match runner.measure(workload, n, plan) {
                    Ok(_) if round == 0 => {}
                    Ok(all) => {
                        let first = &all[0];
                        eprintln!(
                            "{place} {round}/{rounds} {}: {} {}",
                            runner.name(),
                            figure(first.value),
                            first.unit
                        );
                        runner.keep(workload, all);
                    }
                    Err(why) => {
                        eprintln!(
                            "{place} {round}/{rounds} {}: left out: {why}",
                            runner.name()
                        );
                        leave_out(left_out, &runner.name(), workload, &why);
                        runner.failed = true;
                    }
                }
            }
        }
        let through = runners.into_iter().filter(|r| !r.failed);
        results.extend(through.flat_map(|r| r.series));
    }
    results
}

/// Whose turn it is in a round: another rival begins each time, as the first does not find what the others find; the floors come last, as
/// they stand in the field.
fn order(round: usize, rivals: usize, all: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..all).collect();
    order[..rivals].rotate_left(round % rivals.max(1));
    order
}

/// Names who takes no part, once for all numbers of workers.
fn leave_out(left_out: &mut Vec<String>, who: &str, workload: &Workload, why: &str) {
    let line = format!("{who} in {}: {why}", workload.name);
    if !left_out.contains(&line) {
        left_out.push(line);
    }
}

/// Who has the workload. Who has not, and says why, goes to `left_out`.
fn at_the_start<'a>(
    workload: &Workload,
    field: &'a [Entrant],
    left_out: &mut Vec<String>,
) -> Vec<Runner<'a>> {
    let mut runners = Vec::new();
    for entrant in field {
        for offer in entrant
            .offers
            .iter()
            .filter(|o| o.workload == workload.name)
        {
            if offer.absent {
                leave_out(left_out, entrant.peer.title, workload, &offer.note);
                continue;
            }
            runners.push(Runner {
                entrant,
                offer,
                series: Vec::new(),
                failed: false,
            });
        }
    }
    runners
}

impl Runner<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.entrant.peer.title, self.offer.variant)
            .trim_end()
            .to_owned()
    }

    fn measure(
        &self,
        workload: &Workload,
        n: usize,
        plan: &Plan,
    ) -> Result<Vec<Measurement>, String> {
        let once = |workers: usize| {
            let mut command = field::run(&self.entrant.program);
            command.env(STEPS, plan.steps.to_string());
            command.args([
                workload.name,
                &self.offer.variant,
                &n.to_string(),
                &workers.to_string(),
            ]);
            line::measurements(&within(&mut command, LIMIT)?)
        };
        let mut all = once(plan.workers)?;
        if workload.speed_up {
            let alone = once(1)?;
            all.extend(speed_ups(&alone, &all));
        }
        Ok(all)
    }

    fn keep(&mut self, workload: &'static Workload, all: Vec<Measurement>) {
        for m in all {
            let known = self.series.iter_mut().find(|s| s.metric == m.metric);
            let series = match known {
                Some(series) => series,
                None => {
                    self.series.push(Series {
                        workload,
                        peer: self.entrant.peer.name,
                        variant: self.offer.variant.clone(),
                        note: self.offer.note.clone(),
                        smaller: self.offer.smaller,
                        metric: m.metric,
                        unit: m.unit,
                        values: Vec::new(),
                        cpu: Vec::new(),
                    });
                    self.series.last_mut().expect("pushed just now")
                }
            };
            series.values.push(m.value);
            series.cpu.extend(m.cpu);
        }
    }
}

/// How many times faster each metric is with all workers than alone.
fn speed_ups(alone: &[Measurement], all: &[Measurement]) -> Vec<Measurement> {
    let faster = all.iter().filter_map(|m| {
        let one = alone.iter().find(|one| one.metric == m.metric)?;
        Some(Measurement {
            metric: format!("{}, speed-up from one worker", m.metric),
            unit: "x".into(),
            value: one.value / m.value,
            cpu: None,
        })
    });
    faster.collect()
}

/// What the command prints, if it is through in time.
fn within(command: &mut Command, limit: Duration) -> Result<String, String> {
    let spawned = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|e| format!("it does not start: {e}"))?;
    let out = reader(child.stdout.take().expect("piped"));
    let err = reader(child.stderr.take().expect("piped"));
    let text = out.recv_timeout(limit);
    if text.is_err() {
        // It may have ended by itself just now.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    let text = text.map_err(|_| format!("it was not through in {} s", limit.as_secs()))?;
    if !status.success() {
        let said = err.recv().unwrap_or_default();
        return Err(reason(&said, &status.to_string()));
    }
    String::from_utf8(text).map_err(|e| e.to_string())
}

/// Reads to the end, on a thread that sleeps meanwhile.
fn reader(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let end = from.read_to_end(&mut text);
        // Nobody listens any more if the run was given up.
        let _ = end.map(|_| tx.send(text));
    });
    rx
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn measurement(metric: &str, value: f64) -> Measurement {
        Measurement {
            metric: metric.into(),
            unit: "ns".into(),
            value,
            cpu: None,
        }
    }

    #[test]
    fn a_speed_up_is_how_much_longer_one_worker_takes() {
        let alone = [measurement("a", 10.0), measurement("only alone", 1.0)];
        let all = [measurement("a", 4.0), measurement("only all", 1.0)];
        let faster = speed_ups(&alone, &all);
        assert_eq!(faster.len(), 1);
        assert_eq!((faster[0].value, faster[0].unit.as_str()), (2.5, "x"));
    }

    #[test]
    fn each_round_another_rival_begins_and_floors_come_last() {
        let orders = [0, 1, 2, 3].map(|round| order(round, 3, 5));
        assert_eq!(orders[0], [0, 1, 2, 3, 4]);
        assert_eq!(orders[1], [1, 2, 0, 3, 4]);
        assert_eq!(orders[2], [2, 0, 1, 3, 4]);
        assert_eq!(orders[3], orders[0]);
        assert_eq!(order(1, 0, 2), [0, 1]);
    }

    #[test]
    fn who_takes_no_part_is_named_once() {
        let (workload, mut left_out) = (&catalogue::ALL[0], Vec::new());
        for why in ["broken", "broken", "too slow"] {
            leave_out(&mut left_out, "may", workload, why);
        }
        let [first, second] = &left_out[..] else {
            panic!("{left_out:?}");
        };
        assert!(first.contains("may in pingpong: broken") && second.contains("too slow"));
    }

    #[test]
    fn who_does_not_come_to_an_end_is_stopped() {
        let error = within(Command::new("sleep").arg("1000"), Duration::from_millis(10));
        assert!(error.unwrap_err().contains("not through"));
    }

    #[test]
    fn who_fails_is_told_with_the_reason() {
        let mut fails = Command::new("sh");
        fails.args(["-c", "echo '{}'; echo out of stacks >&2; exit 101"]);
        let error = within(&mut fails, LIMIT).unwrap_err();
        assert_eq!(error, "exit status: 101: out of stacks");
    }
}

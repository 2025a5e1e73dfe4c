//! Whether what was seen is what was expected. Order and lower bounds of time are judged, never upper ones: a slow
//! machine is no failure.

use std::time::Duration;

use super::catalogue::Behaviour;
use super::child::Run;

/// What was seen; as an error, what is wrong with it.
pub type Verdict = Result<String, String>;

const FATAL: &str = "fatal error: all goroutines are asleep - deadlock!";

/// What the compiler says of `examples/unprotected.rs`.
const REFUSED: &str = include_str!("../../../../examples/unprotected.stderr");

pub fn s1(run: &Run) -> Verdict {
    says_in_any_order(run, &["hello", "main ends", "world"])?;
    follow(run, &["hello", "main ends"])?;
    follow(run, &["world", "main ends"])?;
    let (world, end) = (run.when("world"), run.when("main ends"));
    let end = at_least(end, Duration::from_secs(1))?;
    Ok(format!(
        "world after {} ms, main's end after {end} ms",
        world.unwrap_or_default().as_millis()
    ))
}

pub fn s2(run: &Run) -> Verdict {
    says(run, &["all goroutines ended"])?;
    let (count, each) = (figure(run, "goroutines")?, figure(run, "bytes_each")?);
    let thread = figure(run, "thread_bytes_each")?;
    // A debug build has larger frames, and stacks so far apart that each takes half a page of page tables.
    if (each > 4975.0 && !cfg!(debug_assertions)) || each >= thread || count < 1000.0 {
        return Err(format!(
            "{count} goroutines of {each} bytes each, a thread takes {thread}"
        ));
    }
    let fewer = match count < 1e6 {
        true => " (memory or mappings are short: fewer than a million)",
        false => "",
    };
    Ok(format!(
        "{count} goroutines{fewer} in {} mappings: {each} bytes and {} µs each, {} % of the memory left after their end; \
         {} threads: {thread} bytes and {} µs each",
        figure(run, "new_mappings")?,
        figure(run, "us_each")?,
        figure(run, "memory_left_percent")?,
        figure(run, "threads")?,
        figure(run, "thread_us_each")?,
    ))
}

pub fn s3(run: &Run) -> Verdict {
    says(
        run,
        &[
            "main spins: a new goroutine starts",
            "main spins: a timer fires",
            "main spins: no more",
            "a goroutine spins: a new goroutine starts",
            "a goroutine spins: a timer fires",
            "a goroutine spins: no more",
            "a dedicated goroutine spins: main ticks on",
        ],
    )?;
    if !run
        .figures()
        .any(|figure| figure == ("neighbour_waited", "true"))
    {
        return Err("the goroutine on the spinning one's own thread did not wait for it".into());
    }
    let named = |line: &&str| line.contains("has held worker") && line.contains("s03_no_delay.rs");
    match run.stderr.lines().find(named) {
        Some(line) => Ok(format!("all three; and on stderr: {line}")),
        None => Err("the runtime did not name the goroutine that spins".into()),
    }
}

pub fn s4(run: &Run) -> Verdict {
    says(
        run,
        &[
            "return: the body ends",
            "return: second deferred, runs first",
            "return: first deferred, runs last",
            "error: second deferred, runs first",
            "error: first deferred, runs last",
            "panic: second deferred, runs first",
            "panic: first deferred, runs last",
            "main ends",
        ],
    )?;
    Ok("second deferred, then first: on return, on an error, and on a panic".into())
}

pub fn s5(run: &Run) -> Verdict {
    let asleep = "goroutine falls asleep";
    says(run, &[asleep, asleep, "the sum is 3"])?;
    at_least(run.when("the sum is 3"), Duration::from_secs(1))?;
    Ok(format!(
        "both asleep at once, {} ms in all; both results after {} ms",
        figure(run, "slept_ms")?,
        figure(run, "took_ms")?
    ))
}

pub fn s6(run: &Run) -> Verdict {
    ended_with(run, 2)?;
    says_in_any_order(run, &["received 1", "received 2"])?;
    // Not the main thread's, which waits for the goroutine that runs `main`.
    let where_it_waits = |line: &&str| {
        let of_it = line.contains("blocked at") && line.contains("s06_deadlock.rs");
        of_it && !line.contains("waiting for goroutine")
    };
    let waits = run.stderr.lines().find(where_it_waits);
    match waits {
        Some(line) if run.stderr.contains(FATAL) => {
            Ok(format!("{FATAL} ({}), exit status 2", line.trim()))
        }
        _ => Err("the error, or the place that waits, is missing on stderr".into()),
    }
}

pub fn s7(run: &Run) -> Verdict {
    ended_with(run, 0)?;
    says_in_any_order(run, &["main ends", "received 1", "received 2"])?;
    let ms = at_least(run.when("main ends"), Duration::from_secs(5))?;
    Ok(format!("a normal end after {ms} ms"))
}

pub fn s8(run: &Run) -> Verdict {
    says(run, &["where forced, every third receive waits for ever"])?;
    match (
        figure(run, "goroutines_left")?,
        figure(run, "goroutines_leaked")?,
    ) {
        (0.0, 1000.0) => Ok("0 of 2,000 goroutines are left; forced, 1,000 stay".into()),
        (left, leaked) => Err(format!("{left} goroutines are left; forced, {leaked} stay")),
    }
}

pub fn s9(run: &Run) -> Verdict {
    let rounds = (1..=5).map(|round| format!("round {round}: {} more than at first", round * 100));
    says(run, &rounds.collect::<Vec<_>>())?;
    let site = run.figures().find(|(name, _)| *name == "growing_site");
    match site {
        Some((_, site)) if site.contains("s09_leak_by_sleep.rs:") => Ok(format!(
            "100 more each round; after {} it was named: they only become more at {site}",
            figure(run, "goroutines_leaked")?
        )),
        _ => Err("the place that spawns them was not named".into()),
    }
}

pub fn s10(run: &Run) -> Verdict {
    says(
        run,
        &[
            "the outer goroutine ends",
            "the inner goroutine goes on",
            "main ends",
        ],
    )?;
    Ok("the inner goroutine went on after the outer one's end; main's end ended a sleeper".into())
}

pub fn s11(run: &Run) -> Verdict {
    says(
        run,
        &[
            "received 1",
            "received 2",
            "main receives again",
            "the third send is done",
            "received 3",
        ],
    )?;
    at_least(run.when("the third send is done"), Duration::from_secs(1))?;
    Ok("the third send was done only when main received again, a second later".into())
}

pub fn s12(run: &Run) -> Verdict {
    let mut values: Vec<_> = (0..10).map(|value| format!("received {value}")).collect();
    values.push("main ends".into());
    says_in_any_order(run, &values)?;
    ended_with(run, 0)?;
    let mut last = Duration::ZERO;
    let received = run
        .lines
        .iter()
        .filter(|line| line.text.starts_with("received"));
    for (line, second) in received.zip(0..) {
        // Since before the program's start, so a line that arrives late makes no other one look early.
        at_least(Some(line.at), Duration::from_secs(second))?;
        last = line.at;
    }
    Ok(format!(
        "ten values, the last after {:.1} s, none lost",
        last.as_secs_f64()
    ))
}

pub fn s13(run: &Run) -> Verdict {
    says(run, &["main ends"])?;
    let quarters = |name: &str| -> Result<Vec<f64>, String> {
        (1..=4)
            .map(|quarter| figure(run, &format!("{name}_goroutines_{quarter}")))
            .collect()
    };
    let (growing, shed) = (quarters("growing")?, quarters("shed")?);
    let [sent, received, in_queue, late, returned] =
        ["sent", "received", "in_queue", "late", "returned"]
            .map(|name| figure(run, &format!("shed_{name}")));
    let (sent, received, in_queue) = (sent?, received?, in_queue?);
    let (late, returned) = (late?, returned?);
    let text = format!(
        "goroutines, each half second: {growing:?} with one per item ({} KiB), {shed:?} once shed ({} KiB); the channel: \
         {sent} sent = {received} received + {in_queue} in queue + {late} shed for being late + {returned} returned",
        figure(run, "growing_kib")?,
        figure(run, "shed_kib")?,
    );
    let told = |line: &&str| line.contains("is reader-bound") && line.contains("s13_imbalance.rs");
    let Some(told) = run.stderr.lines().find(told) else {
        return Err("the monitor did not say that the readers are slower".into());
    };
    let text = format!("{text}; and on stderr: {told}");
    let grows = growing.is_sorted_by(|before, after| before < after);
    let flat = shed.iter().all(|&count| count < 10.0);
    let counted = sent == received + in_queue + late + returned;
    if grows && flat && counted && late > 0.0 {
        Ok(text)
    } else {
        Err(text)
    }
}

pub fn s14(run: &Run) -> Verdict {
    let mut lines: Vec<_> = (1..=10)
        .map(|item| {
            format!(
                "item {item}: {}",
                if item <= 3 { "taken" } else { "refused" }
            )
        })
        .collect();
    lines.push("full: true, refused: 7".into());
    lines.push("goroutines made: 0".into());
    lines.push("received 1: full: false".into());
    says(run, &lines)?;
    Ok("3 taken, 7 refused at once, no goroutine made; after a receive there is room again".into())
}

pub fn s15(run: &Run) -> Verdict {
    says(run, &["by a channel: 10000", "by a lock: 10000"])?;
    let error = REFUSED.lines().next().unwrap_or_default();
    Ok(format!("10,000 both ways; unprotected: {error}"))
}

/// Whether Go's program came to the same: the same end, and the same said, in order where order is certain.
pub fn agree(behaviour: &Behaviour, ours: &Run, theirs: &Run) -> bool {
    outcome(behaviour, ours) == outcome(behaviour, theirs)
}

/// What a program came to, without figures and times: how it ended, and what it said.
pub fn outcome<'a>(behaviour: &Behaviour, run: &'a Run) -> (Option<i32>, bool, Vec<&'a str>) {
    let mut said: Vec<_> = run.said().collect();
    if !behaviour.ordered {
        said.sort_unstable();
    }
    (run.status, run.stderr.contains(FATAL), said)
}

/// It ended with this status.
fn ended_with(run: &Run, status: i32) -> Result<(), String> {
    match run.status {
        Some(seen) if seen == status => Ok(()),
        Some(seen) => Err(format!("it ended with status {seen} instead of {status}")),
        None => Err(format!("a signal ended it, instead of status {status}")),
    }
}

/// It ended normally after it had said exactly this, in this order.
fn says(run: &Run, lines: &[impl AsRef<str>]) -> Result<(), String> {
    ended_with(run, 0)?;
    let lines = lines.iter().map(AsRef::as_ref);
    match run.said().eq(lines.clone()) {
        true => Ok(()),
        false => Err(format!(
            "it did not say, in this order: {}",
            lines.collect::<Vec<_>>().join(" | ")
        )),
    }
}

/// It said exactly this, in whatever order.
fn says_in_any_order(run: &Run, lines: &[impl AsRef<str>]) -> Result<(), String> {
    let mut lines: Vec<_> = lines.iter().map(AsRef::as_ref).collect();
    let mut said: Vec<_> = run.said().collect();
    lines.sort_unstable();
    said.sort_unstable();
    match said == lines {
        true => Ok(()),
        false => Err(format!(
            "it did not say, in some order: {}",
            lines.join(" | ")
        )),
    }
}

/// The first of these lines comes before the second.
fn follow(run: &Run, [first, second]: &[&str; 2]) -> Result<(), String> {
    let at = |text: &str| run.said().position(|said| said == text);
    match at(first) < at(second) {
        true => Ok(()),
        false => Err(format!("{first:?} does not come before {second:?}")),
    }
}

/// It happened, and not before this time; returns when, in milliseconds.
fn at_least(when: Option<Duration>, least: Duration) -> Result<u128, String> {
    match when {
        Some(when) if when >= least => Ok(when.as_millis()),
        Some(when) => Err(format!(
            "too early: after {} ms, not {}",
            when.as_millis(),
            least.as_millis()
        )),
        None => Err("it never came".into()),
    }
}

/// The figure with this name.
fn figure(run: &Run, name: &str) -> Result<f64, String> {
    let found = run.figures().find(|(key, _)| *key == name);
    let value = found.and_then(|(_, value)| value.parse().ok());
    value.ok_or_else(|| format!("the figure {name} is missing"))
}

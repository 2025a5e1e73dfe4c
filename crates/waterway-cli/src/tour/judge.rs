//! Whether what was seen is what was expected. Order and lower bounds of time are judged, never upper ones: a slow
//! machine is no failure.

use std::time::Duration;

use super::catalogue::Behaviour;
use super::child::Run;

/// A judgement, in words.
pub struct Seen {
    pub ok: bool,
    pub text: String,
}

fn seen(ok: bool, text: impl Into<String>) -> Seen {
    Seen { ok, text: text.into() }
}

/// Ended normally after having said exactly this.
fn said(run: &Run, lines: &[&str], text: &str) -> Seen {
    seen(run.status == Some(0) && run.said().eq(lines.iter().copied()), text)
}

pub fn s1(run: &Run) -> Seen {
    let at = |line: &str| run.said().position(|said| said == line);
    let order = at("hello").is_some() && at("world") < at("main ends") && at("world").is_some();
    let enough = run.took >= Duration::from_secs(1);
    let when = run.lines.iter().find(|(_, l)| l == "world").map_or(0, |(t, _)| t.as_millis());
    seen(
        order && enough && run.status == Some(0),
        format!("world came {when} ms after the start, main ended after {} ms", run.took.as_millis()),
    )
}

pub fn s2(run: &Run) -> Seen {
    let number = |name: &str| run.number(name).unwrap_or(0);
    let each: Vec<u64> = run.figures().filter(|(key, _)| *key == "bytes_each").map(|(_, n)| n).collect();
    let times: Vec<u64> = run.figures().filter(|(key, _)| *key == "ns_each").map(|(_, n)| n).collect();
    let ([thread, goroutine], [thread_ns, goroutine_ns]) = (each[..], times[..]) else {
        return seen(false, "the figures are missing");
    };
    let small = goroutine <= 4975 || cfg!(debug_assertions);
    let fell = number("after") * 10 <= number("peak");
    let text = format!(
        "{} goroutines, {goroutine} bytes and {:.1} µs each, in {} mappings (threads: {thread} bytes and {:.1} µs); \
         {} MB at the peak, {} MB {} ms after their end",
        number("goroutines"),
        goroutine_ns as f64 / 1e3,
        number("mappings"),
        thread_ns as f64 / 1e3,
        number("peak") >> 20,
        number("after") >> 20,
        number("after_ms"),
    );
    seen(run.status == Some(0) && small && fell && number("goroutines") > 0, text)
}

pub fn s3(run: &Run) -> Seen {
    let all = [
        "main_spins: started=true timer_fired=true",
        "goroutine_spins: others_went_on=true",
        "goroutine_spins: neighbour_waits=true",
        "dedicated_spins: nobody_waited=true",
    ];
    let named = run.stderr.lines().find(|l| l.contains("\"spinner\"") && l.contains("has held worker"));
    let ok = run.status == Some(0) && all.iter().all(|line| run.has(line)) && named.is_some();
    seen(ok, named.map_or("nobody was named".into(), |line| line.trim_start_matches("waterway: ").to_string()))
}

pub fn s4(run: &Run) -> Seen {
    let lines = [
        "7: parsed",
        "7: deferred last, runs first",
        "7: deferred first, runs last",
        "true",
        "x: deferred last, runs first",
        "x: deferred first, runs last",
        "false",
        "panic: deferred",
        "panicked: true",
    ];
    said(run, &lines, "in reverse order, on return, on `?` and on a panic")
}

pub fn s5(run: &Run) -> Seen {
    let ms = run.number("ms").unwrap_or(0);
    let ok = run.status == Some(0) && run.has("sum=3") && ms >= 1000;
    seen(ok, format!("both results after {ms} ms"))
}

const FATAL: &str = "fatal error: all goroutines are asleep - deadlock!";

pub fn s6(run: &Run) -> Seen {
    let named = run.stderr.lines().any(|l| l.contains("blocked at") && l.contains("s06_deadlock.rs"));
    let ok = run.status == Some(2) && run.has("two values received") && run.stderr.contains(FATAL) && named;
    let first = run.stderr.lines().take(5).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" | ");
    seen(ok, format!("status {}: {first}", run.status.map_or("none".into(), |s| s.to_string())))
}

pub fn s7(run: &Run) -> Seen {
    let lines = ["two values received", "main ends"];
    let mut result = said(run, &lines, "");
    result.ok &= run.took >= Duration::from_secs(5) && !run.stderr.contains("deadlock");
    result.text = format!("a normal end after {} ms", run.took.as_millis());
    result
}

pub fn s8(run: &Run) -> Seen {
    let text = "owned ends: 0 goroutines left of 2,000; senders kept on purpose: 1,000 stay (that they are leaked is not \
                proven yet)";
    said(run, &["prevented: left=0", "forced: left=1000"], text)
}

pub fn s9(run: &Run) -> Seen {
    let lines = ["live=1000", "live=2000", "live=3000", "live=4000", "live=5000", "of_one_site=5000"];
    said(run, &lines, "1,000 more with each batch, 5,000 of one spawn site in the dump (no warning of its own yet)")
}

pub fn s10(run: &Run) -> Seen {
    let lines = ["the parent has ended", "the child lives on", "main ends, and the child with it"];
    said(run, &lines, "the child spoke after its parent's end, and ended with main")
}

pub fn s11(run: &Run) -> Seen {
    let lines = ["received 1", "the second send waits: true", "received 2", "the second send is done"];
    said(run, &lines, "the second send waited for the second receive")
}

pub fn s12(run: &Run) -> Seen {
    let values: Vec<Duration> = run.lines.iter().filter(|(_, l)| l.starts_with("value ")).map(|(t, _)| *t).collect();
    let span = values.last().zip(values.first()).map_or(Duration::ZERO, |(last, first)| *last - *first);
    // Nine pauses of a second; when the lines arrive here may jitter.
    let ok = run.status == Some(0)
        && values.len() == 10
        && span >= Duration::from_millis(8500)
        && run.has("received=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]");
    seen(ok, format!("{} values within {:.1} s, none lost", values.len(), span.as_secs_f64()))
}

pub fn s13(run: &Run) -> Seen {
    let counts = |name: &str| -> Vec<u64> {
        let lines = run.said().filter(|l| l.starts_with(name));
        lines.filter_map(|l| l.rsplit_once("goroutines=")?.1.parse().ok()).collect()
    };
    let (grown, flat) = (counts("goroutine_per_item"), counts("shedding"));
    let grows = grown.len() >= 2 && grown.is_sorted() && grown[grown.len() - 1] >= 500;
    let sheds = run.number("shed").unwrap_or(0) > 0 && run.number("more_goroutines") == Some(0);
    let ok = run.status == Some(0) && grows && sheds && !flat.is_empty();
    let text = format!(
        "a goroutine per item: {grown:?} live; bounded and shedding: {} more, {} shed (the monitor is not there yet)",
        run.number("more_goroutines").unwrap_or(0),
        run.number("shed").unwrap_or(0)
    );
    seen(ok, text)
}

pub fn s14(run: &Run) -> Seen {
    let lines = ["taken=100 refused=900 queued=100", "handed_back=true", "more_goroutines=0"];
    said(run, &lines, "100 taken, 900 refused and handed back at once, no goroutine made")
}

/// What the compiler says of `unprotected.rs`; a test of the library checks it against the compiler.
const REFUSED: &str = include_str!("../../../../examples/unprotected.stderr");

pub fn s15(run: &Run) -> Seen {
    let error = REFUSED.lines().next().unwrap_or_default();
    said(run, &["by_lock=10000", "by_channel=10000"], &format!("10,000 both ways; without a lock: {error}"))
}

/// Whether Go's program came to the same: everything it said we said too, in its order where order is certain, and both
/// ended alike.
pub fn agree(behaviour: &Behaviour, ours: &Run, theirs: &Run) -> bool {
    let alike = ours.status == theirs.status && ours.stderr.contains(FATAL) == theirs.stderr.contains(FATAL);
    let mut rest = ours.said();
    let all_said = theirs.said().all(|line| match behaviour.ordered {
        true => rest.any(|said| said == line),
        false => ours.has(line),
    });
    alike && all_said
}

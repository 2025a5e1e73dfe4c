//! Random programs over channels, compared with a model of one channel.
//!
//! - *In sequence*: one actor at a time. Every result equals the model's exactly; also who is served in which order, where
//!   several wait.
//! - *In parallel*: goroutines, threads and async tasks at once. Their history must be one that the model allows in some
//!   order (it is linearizable), nobody may wait who could go on, and every value is dropped once.
//!
//! A failure prints the program, shrunk, and how to see it again: `WATERWAY_SEED=… cargo test -p waterway --test model`.
//! (In parallel that may take several tries, as the actors race.)
//! The tests take some seconds; `WATERWAY_STRESS=600` makes each go on for ten minutes.

mod blocked;
mod channel;
mod check;
mod ends;
mod journal;
#[path = "../attack/limits.rs"]
mod limits;
mod program;
mod run;
mod sequence;
mod tasks;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use limits::LONG;
use program::{Kind, Program};

/// Runs `test` on random programs until the time is over.
fn for_random_programs<S: Strategy<Value = Program>>(
    seconds: u64,
    strategy: impl Fn() -> S,
    test: impl Fn(&Arc<Program>) -> Result<(), String>,
) {
    let number = |name| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let time = Duration::from_secs(number("WATERWAY_STRESS").unwrap_or(seconds));
    let replay = number("WATERWAY_SEED");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let first = replay.unwrap_or(now.unwrap().as_nanos() as u64 >> 10);
    quiet();
    let begin = Instant::now();
    for seed in first.. {
        let config = Config {
            cases: 25,
            failure_persistence: None,
            max_shrink_time: 60_000,
            max_shrink_iters: 100_000,
            ..Config::default()
        };
        let bytes: Vec<u8> = [seed, 1, 2, 3]
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect();
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let outcome = runner.run(&strategy(), |program| {
            test(&Arc::new(program)).map_err(TestCaseError::fail)
        });
        if let Err(TestError::Fail(reason, program)) = outcome {
            let thread = std::thread::current();
            panic!(
                "{reason}\nThe program, shrunk: {program}\nagain: WATERWAY_SEED={seed} cargo test -p waterway --test model {}",
                thread.name().unwrap_or_default()
            );
        }
        if replay.is_some() || begin.elapsed() > time {
            println!("seeds {first} to {seed}, 25 programs each");
            return;
        }
    }
}

/// Panics of actors are told once, with the program that is left after shrinking.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            if thread
                .name()
                .is_some_and(|name| !name.starts_with("waterway"))
            {
                usual(panic);
            }
        }));
    });
}

/// Runs `f` on a goroutine or a thread, and gives its panic, or says that it hangs.
fn apart(kind: Kind, f: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let (tell, told) = mpsc::channel();
    let run = move || {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
        let _ = tell.send(result.map_err(|panic| text_of(&*panic)));
    };
    match kind {
        Kind::Goroutine => drop(waterway::go(run)),
        _ => drop(std::thread::spawn(run)),
    }
    told.recv_timeout(patience()).unwrap_or_else(|_| {
        HUNG.store(true, Ordering::Relaxed);
        Err("it hangs".into())
    })
}

static HUNG: AtomicBool = AtomicBool::new(false);

/// After how long a program counts as hanging. One is enough to fail; while it is shrunk, less will do.
fn patience() -> Duration {
    match HUNG.load(Ordering::Relaxed) {
        false => LONG,
        true => Duration::from_millis(500),
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
    text.unwrap_or_else(|| "a panic without words".into())
}

#[test]
fn in_sequence_every_result_is_the_models() {
    for_random_programs(
        2,
        || program::sequential(40),
        |program| {
            let shared = program.clone();
            apart(program.actors[0].kind, move || sequence::run(&shared))
        },
    );
}

#[test]
fn in_sequence_whoever_waits_is_served_in_turn() {
    for_random_programs(
        2,
        || program::sequential(40),
        |program| {
            let shared = program.clone();
            apart(Kind::Goroutine, move || blocked::run(&shared))
        },
    );
}

/// Runs it, in parallel; all that is said of such programs must hold.
fn in_parallel(program: &Arc<Program>, times: usize) -> Result<(), String> {
    for _ in 0..times {
        let history =
            run::run(program, patience()).inspect_err(|_| HUNG.store(true, Ordering::Relaxed))?;
        history.census.settle()?;
        if !check::is_linearizable(program, &history.calls) {
            return Err(format!(
                "no order explains this:\n{}",
                check::tell(&history.calls)
            ));
        }
    }
    Ok(())
}

#[test]
fn in_parallel_some_order_explains_every_result() {
    let failed = AtomicBool::new(false);
    for_random_programs(
        3,
        || program::concurrent(6),
        |program| {
            // What is shrunk should fail again and again.
            let times = if failed.load(Ordering::Relaxed) {
                100
            } else {
                1
            };
            in_parallel(program, times).inspect_err(|_| failed.store(true, Ordering::Relaxed))
        },
    );
}

/// Too long to look for an order; but nobody may wait in vain, and no value be lost or doubled.
#[test]
fn in_parallel_long_programs_lose_nothing() {
    for_random_programs(
        1,
        || program::concurrent(40),
        |program| in_parallel(program, 1),
    );
}

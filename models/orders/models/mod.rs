//! The models, and how they are run.

mod home;
mod idle;
mod inbox;
mod owned;
mod records;
mod refs;
mod solo;
mod spares;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A model by its name, and how often a thread may be put aside in one schedule.
type Model = (&'static str, usize, fn());

pub(crate) fn main() {
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let preemptions = std::env::var("WATERWAY_MODEL_PREEMPTIONS");
    let preemptions: Option<usize> = preemptions
        .ok()
        .map(|n| n.parse().expect("WATERWAY_MODEL_PREEMPTIONS: a number"));
    let all = [
        inbox::MODELS,
        idle::MODELS,
        spares::MODELS,
        tokens::MODELS,
        records::MODELS,
        refs::MODELS,
        owned::MODELS,
        home::MODELS,
        solo::MODELS,
    ];
    let all = all.concat();
    if let Ok(child) = std::env::var(waterway_models::CHILD) {
        let known = all.into_iter().find(|(name, ..)| *name == child);
        let (name, usual, f) = known.expect("a model of that name");
        return check(name, preemptions.unwrap_or(usual), f);
    }
    waterway_models::run(
        all.iter().map(|(name, ..)| *name),
        |name| only.as_deref().is_none_or(|only| name.contains(only)),
        |name| {
            waterway_models::child(name)
                .status()
                .is_ok_and(|s| s.success())
        },
    );
}

/// Says which model it was that panicked.
struct Name(&'static str);

impl Drop for Name {
    fn drop(&mut self) {
        if std::thread::panicking() {
            crate::primitives::tell();
            println!(
                "model {} ... FAILED. Again: cargo test -p waterway-models --test orders {}",
                self.0, self.0
            );
        }
    }
}

fn check(name: &'static str, preemptions: usize, f: fn()) {
    let _name = Name(name);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    let schedules = Arc::new(AtomicUsize::new(0));
    let count = schedules.clone();
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        crate::primitives::prepare();
        crate::rt::thread::forget();
        f();
    });
    let schedules = schedules.load(Ordering::Relaxed);
    assert!(
        schedules > 1,
        "{name}: a model of one schedule says nothing"
    );
    println!("model {name} ... ok ({schedules} schedules, {preemptions} preemptions)");
}

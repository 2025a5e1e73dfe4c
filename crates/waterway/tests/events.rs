//! Events of the `tracing` crate, each program in a process of its own: a process has one subscriber for all of its threads.

#[path = "attack/child.rs"]
mod child;

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use child::{DEADLOCK, run};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use waterway::flow::{FlowState, Gate, Monitor, Overflow};
use waterway::sync::{Mutex, WaitGroup};
use waterway::{Builder, Sender, chan, go, go_local};

fn programs(program: &str) {
    match program {
        "all_facts" => all_facts(),
        "blocks" => blocks(),
        "calls_and_panics" => calls_and_panics(),
        "uninterested" => uninterested(),
        "monitored" => monitored(),
        other => panic!("no program {other:?}"),
    }
}

/// A layer that does this with each event, written out.
struct Each<F>(F);

impl<S: Subscriber, F: Fn(Level, &str) + 'static> Layer<S> for Each<F> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let meta = event.metadata();
        let mut text = Written(format!("{} {}", meta.level(), meta.target()));
        event.record(&mut text);
        self.0(*meta.level(), &text.0);
    }
}

struct Written(String);

impl Visit for Written {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

fn subscribe(each: impl Fn(Level, &str) + Send + Sync + 'static) {
    tracing::subscriber::set_global_default(Registry::default().with(Each(each))).unwrap();
}

fn has_thread() -> bool {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok())
        .any(|name| name.trim_end() == "waterway-events")
}

fn all_facts() {
    static HELD: AtomicBool = AtomicBool::new(false);
    subscribe(|_, text| {
        // In one piece: others write there as well.
        let line = format!("\nEVENT {text}\n");
        eprint!("{line}");
        HELD.fetch_or(text.contains("holds its worker"), Ordering::Relaxed);
    });
    let seen = Builder::new().name("seen").go(|| ());
    seen.join().unwrap();
    let failing = Builder::new().name("failing").go(|| panic!("a fault"));
    failing.join().unwrap_err();

    let gate = Gate::builder().name("orders").make();
    let inside = gate.enter();
    assert!(gate.try_enter().is_none() && gate.enter_timeout(Duration::ZERO).is_none());
    drop(inside);

    let (tx, rx) = chan::builder().name("jobs").capacity(1).make();
    tx.set_overflow(Overflow::DropNewest);
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    tx.set_overflow(Overflow::Block);
    stalls(tx);

    // One waits behind another who computes until that was told.
    let computes = Builder::new().name("computes").go(|| {
        let behind = go_local(|| ());
        while !HELD.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        behind.join().unwrap();
    });
    computes.join().unwrap();

    let (a, b) = (Mutex::new(()), Mutex::new(()));
    let (a, b) = (Box::leak(Box::new(a)), Box::leak(Box::new(b)));
    let both = WaitGroup::new();
    both.add(2);
    let both = Box::leak(Box::new(both));
    for (name, first, second) in [("a then b", &*a, &*b), ("b then a", &*b, &*a)] {
        let both = &*both;
        Builder::new().name(name).go(move || {
            let _first = first.lock();
            both.done();
            both.wait();
            drop(second.lock());
        });
    }
    _ = rx.recv();
    let (_tx, never) = chan::<()>(0);
    let _ = never.recv();
}

/// A monitor sees that a sender waits, and nobody receives.
fn stalls(tx: Sender<i32>) {
    let window = Duration::from_millis(20);
    let monitor = Monitor::builder().every(window / 10).window(window);
    let monitor = monitor.log(false).start();
    let waits = Builder::new().name("waits").go(move || tx.send(3));
    let stalled = |monitor: &Monitor| {
        let report = monitor.report();
        report.iter().any(|flow| flow.state() == FlowState::Stalled)
    };
    while !stalled(&monitor) {
        std::thread::sleep(window / 10);
    }
    drop(waits);
}

fn every_fact_is_told() {
    let env = [("WATERWAY_MAX_PROCS", "1"), ("WATERWAY_HELD_WARN_MS", "50")];
    let outcome = run("all_facts", &env);
    outcome.code(2).says(DEADLOCK);
    let events: Vec<&str> = outcome
        .stderr
        .lines()
        .filter_map(|l| l.strip_prefix("EVENT "))
        .collect();
    let told = |parts: &[&str]| {
        let found = |event: &&&str| parts.iter().all(|part| event.contains(part));
        let at = events.iter().position(|event| found(&event));
        at.unwrap_or_else(|| panic!("no event with {parts:?}:\n{}", outcome.stderr))
    };
    let here = "spawned_at=crates/waterway/tests/events.rs:";
    let begin = told(&[
        "TRACE waterway message=goroutine spawned",
        "name=\"seen\"",
        here,
        "goroutine=",
    ]);
    let end = told(&[
        "TRACE waterway message=goroutine ended",
        "name=\"seen\"",
        here,
    ]);
    assert!(begin < end);
    told(&[
        "ERROR waterway message=goroutine panicked",
        "name=\"failing\"",
        "panic=\"a fault\"",
        here,
    ]);
    let refused = "DEBUG waterway::flow message=gate did not let a caller in";
    told(&[refused, "name=\"orders\"", "how=\"refused\""]);
    told(&[refused, "name=\"orders\"", "how=\"gave up\""]);
    told(&[
        "INFO waterway::flow message=overflow policy changed",
        "overflow=DropNewest",
        "name=\"jobs\"",
    ]);
    told(&[
        "DEBUG waterway::flow message=value shed",
        "name=\"jobs\"",
        "cause=\"newest\"",
    ]);
    told(&[
        "WARN waterway::flow message=channel changed its state",
        "state=\"stalled\"",
        "waiting_senders=1",
        here,
    ]);
    told(&[
        "WARN waterway message=goroutine holds its worker",
        "name=\"computes\"",
        "asleep=false",
        here,
    ]);
    let proved = told(&[
        "ERROR waterway::watch message=proved",
        "\\\"a then b\\\"",
        "\\\"b then a\\\"",
    ]);
    let last = told(&["ERROR waterway::watch message=all goroutines are asleep - deadlock!"]);
    assert!(proved < last);
}

fn blocks() {
    subscribe(|_, _| {
        loop {
            std::thread::park();
        }
    });
    // Two events each: more than there is room for.
    for _ in 0..2_100 {
        go(|| ()).join().unwrap();
    }
    let (_tx, never) = chan::<()>(0);
    let _ = never.recv();
}

/// More events than there is room for, a verdict, and an end, though no event is ever taken.
fn a_subscriber_that_blocks_keeps_nobody() {
    run("blocks", &[]).code(2).says(DEADLOCK);
}

fn calls_and_panics() {
    let (told, tell) = chan::unbounded();
    let first = AtomicBool::new(true);
    subscribe(move |level, text| {
        if level == Level::ERROR {
            // What it does is not told to it, or this would not end.
            go(|| ()).join().unwrap();
            told.send(text.to_string()).unwrap();
            if first.swap(false, Ordering::Relaxed) {
                panic!("the subscriber fails");
            }
        }
    });
    for _ in 0..2 {
        go(|| panic!("a fault")).join().unwrap_err();
        assert!(tell.recv().unwrap().contains("a fault"));
    }
    eprintln!("both were told");
}

fn a_subscriber_may_call_and_panic() {
    let outcome = run("calls_and_panics", &[]);
    outcome
        .code(0)
        .says("both were told")
        .says("the subscriber fails");
}

fn uninterested() {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let filter = LevelFilter::WARN;
    let layer = Each(|_, _: &str| {
        COUNT.fetch_add(1, Ordering::Relaxed);
    });
    let all = Registry::default().with(layer.with_filter(filter));
    tracing::subscriber::set_global_default(all).unwrap();
    go(|| ()).join().unwrap();
    assert!(Gate::new(1).try_enter().is_some() && !has_thread());
    go(|| panic!("a fault")).join().unwrap_err();
    while COUNT.load(Ordering::Relaxed) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(has_thread());
}

fn no_thread_starts_before_somebody_wants_an_event() {
    run("uninterested", &[]).code(0);
}

/// Everybody waits, and the only event that comes of itself is a monitor's: the subscriber sends its word to who waits for it.
fn monitored() {
    let (tx, rx) = chan::<String>(1);
    subscribe(move |_, text| {
        if text.contains("state=") {
            let _ = tx.try_send(text.to_string());
        }
    });
    let every = Duration::from_millis(20);
    let _monitor = Monitor::builder().every(every).window(every * 50).start();
    let (full, _out) = chan(1);
    full.send(1).unwrap();
    go(move || full.send(2));
    // Reader-bound, or stalled if the first value is no longer within the window. The sender may be late.
    while !rx.recv().unwrap().contains("waiting_senders=1") {}
}

/// A state changes long after the last goroutine has moved, and later than a deadlock is looked for.
fn an_event_of_a_monitor_may_wake_somebody() {
    run("monitored", &[]).code(0).says_not("deadlock");
}

fn main() {
    child::main(
        programs,
        tests!(
            every_fact_is_told,
            a_subscriber_that_blocks_keeps_nobody,
            a_subscriber_may_call_and_panic,
            no_thread_starts_before_somebody_wants_an_event,
            an_event_of_a_monitor_may_wake_somebody,
        ),
    );
}

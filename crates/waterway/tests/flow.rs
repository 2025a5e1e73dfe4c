//! Monitors of real channels, and metrics.

use std::time::Duration;

use waterway::flow::{ChannelFlow, FlowState, Gate, Monitor, Overflow};
use waterway::{Receiver, Sender, chan, go, select};

fn monitor() -> Monitor {
    Monitor::builder()
        .every(Duration::from_millis(2))
        .window(Duration::from_millis(60))
        .log(false)
        .start()
}

/// The changes of the channel with that name, as they come.
fn changes(monitor: &Monitor, name: &'static str) -> Receiver<ChannelFlow> {
    let (tx, rx) = chan::unbounded();
    monitor.on_change(move |flow| {
        if flow.name.as_deref() == Some(name) {
            let _ = tx.send(flow.clone());
        }
    });
    rx
}

fn until(changes: &Receiver<ChannelFlow>, state: FlowState) -> ChannelFlow {
    changes.iter().find(|flow| flow.state == state).unwrap()
}

/// Waits until so many wait to send. Only changes are told: one that a monitor told before would have fewer, and no other would come.
fn waiting(tx: &Sender<i32>, senders: usize) {
    while tx.statistics().waiting_senders < senders {
        waterway::yield_now();
    }
}

#[waterway::test]
fn a_reader_that_is_slower_is_named_with_what_it_lacks() {
    let monitor = monitor();
    let changes = changes(&monitor, "slow reader");
    let builder = chan::builder().name("slow reader").capacity(8);
    let (tx, rx) = builder.overflow(Overflow::DropOldest).make();
    let (stop, stopped) = chan::<()>(0);
    let sender = go(move || {
        while stopped.try_recv().is_err_and(|error| error.is_empty()) {
            for n in 0..100 {
                tx.send(n).unwrap();
            }
            waterway::time::sleep(Duration::from_micros(100));
        }
    });
    let receiver = go(move || {
        while rx.recv().is_ok() {
            waterway::time::sleep(Duration::from_millis(1));
        }
    });
    let flow = until(&changes, FlowState::ReaderBound);
    assert!(flow.factor.unwrap() > 1.5, "{flow}");
    assert!(
        flow.rate_in > flow.rate_out && flow.rate_shed > 0.0,
        "{flow}"
    );
    assert!(flow.shed.oldest > 0 && flow.high_water <= 8, "{flow}");
    assert!(flow.to_string().contains("readers would need"), "{flow}");
    assert_eq!(flow.made_at.file(), file!());
    drop(stop);
    sender.join().unwrap();
    receiver.join().unwrap();
}

#[waterway::test]
fn goroutines_that_pile_up_in_sends_are_seen_and_named() {
    let (tx, rx) = chan::builder().name("pile").make();
    for n in 0..20 {
        let tx = tx.clone();
        go(move || tx.send(n));
    }
    waiting(&tx, 20);
    let monitor = monitor();
    let changes = changes(&monitor, "pile");
    let flow = until(&changes, FlowState::Stalled);
    assert_eq!((flow.waiting_senders, flow.capacity), (20, Some(0)));
    assert_eq!(flow.sends_at.unwrap().file(), file!());
    assert_eq!(flow.spawned_at.unwrap().file(), file!());
    for _ in 0..20 {
        rx.recv().unwrap();
    }
    until(&changes, FlowState::Balanced);
}

#[waterway::test]
fn goroutines_that_pile_up_in_selects_are_seen_and_named() {
    let (tx, rx) = chan::builder().name("pile of selects").make();
    for n in 0..20 {
        let (tx, again) = (tx.clone(), tx.clone());
        go(move || {
            select! {
                send(tx, n) -> sent => sent.unwrap(),
                // The same end once more: it is one who waits.
                send(again, n) -> sent => sent.unwrap(),
            }
        });
    }
    waiting(&tx, 40);
    let monitor = monitor();
    let changes = changes(&monitor, "pile of selects");
    let flow = until(&changes, FlowState::Stalled);
    assert_eq!(flow.waiting_senders, 20);
    assert_eq!(flow.sends_at.unwrap().file(), file!());
    assert_eq!(flow.spawned_at.unwrap().file(), file!());
    for _ in 0..20 {
        rx.recv().unwrap();
    }
    until(&changes, FlowState::Balanced);
}

#[waterway::test]
fn a_monitor_that_is_dropped_calls_no_more() {
    let monitor = monitor();
    let changes = changes(&monitor, "dropped");
    drop(monitor);
    // Its closure goes with it, so the channel ends.
    assert!(changes.recv().is_err());
}

#[waterway::test]
fn metrics_count_what_goes_through_channels_and_gates() {
    let (tx, rx) = chan::builder().name("counted").capacity(2).make();
    tx.set_overflow(Overflow::DropNewest);
    for n in 0..5 {
        tx.send(n).unwrap();
    }
    rx.recv().unwrap();
    let (to, from) = chan::builder().name("by hand").make();
    let sender = go(move || (0..3).for_each(|n| to.send(n).unwrap()));
    assert_eq!(from.iter().count(), 3);
    sender.join().unwrap();
    let gate = Gate::builder().name("counted gate").make();
    let _inside = gate.enter();
    assert!(gate.try_enter().is_none());
    let text = waterway::flow::metrics();
    let value = |family: &str, label: &str, end: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(family) && line.contains(label) && line.contains(end));
        let line = line.unwrap_or_else(|| panic!("no {family} {label} {end} in {text}"));
        line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    let counted = "channel=\"counted\"";
    assert_eq!(value("waterway_channel_put_total", counted, ""), 2.0);
    assert_eq!(value("waterway_channel_taken_total", counted, ""), 1.0);
    assert_eq!(
        value("waterway_channel_shed_total", counted, "cause=\"newest\""),
        3.0
    );
    assert_eq!(
        value("waterway_channel_put_total", "channel=\"by hand\"", ""),
        3.0
    );
    let doors = "gate=\"counted gate\"";
    assert_eq!(value("waterway_gate_live", doors, ""), 1.0);
    assert_eq!(value("waterway_gate_refused_total", doors, ""), 1.0);
}

#[test]
#[should_panic(expected = "has not two looks in it")]
fn a_window_too_short_is_refused() {
    let builder = Monitor::builder().every(Duration::from_secs(1));
    drop(builder.window(Duration::from_secs(1)).start());
}

#[test]
#[should_panic(expected = "a monitor that looks every 0 s")]
fn no_time_between_looks_is_refused() {
    drop(Monitor::builder().every(Duration::ZERO).start());
}

//! Monitors of real channels, and metrics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use waterway::flow::{ChannelFlow, FlowState, Gate, Monitor, Overflow, SiteFlow};
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
        if let Some(flow) = flow.channel()
            && flow.name.as_deref() == Some(name)
        {
            let _ = tx.send(flow.clone());
        }
    });
    rx
}

/// The changes of what was spawned at that line of this file, as they come.
fn changes_of_line(monitor: &Monitor, line: u32) -> Receiver<SiteFlow> {
    let (tx, rx) = chan::unbounded();
    monitor.on_change(move |flow| {
        if let Some(flow) = flow.site()
            && (flow.spawned_at.file(), flow.spawned_at.line()) == (file!(), line)
        {
            let _ = tx.send(flow.clone());
        }
    });
    rx
}

/// The value of a series whose line begins and goes on so.
fn metric(family: &str, label: &str, end: &str) -> f64 {
    let text = waterway::flow::metrics();
    let line = text
        .lines()
        .find(|line| line.starts_with(family) && line.contains(label) && line.contains(end));
    let line = line.unwrap_or_else(|| panic!("no {family} {label} {end} in {text}"));
    line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
}

fn until(changes: &Receiver<ChannelFlow>, state: FlowState) -> ChannelFlow {
    changes.iter().find(|flow| flow.state == state).unwrap()
}

/// What is told of the channel with that name as soon as it fits. A state that was just reached may be told of a window in which one of
/// the ends was kept waiting by the machine.
fn report(monitor: &Monitor, name: &str, fits: impl Fn(&ChannelFlow) -> bool) -> ChannelFlow {
    loop {
        let all = monitor.report();
        let mut channels = all.iter().filter_map(|flow| flow.channel());
        let flow = channels.find(|flow| flow.name.as_deref() == Some(name));
        if let Some(flow) = flow.filter(|flow| fits(flow)) {
            return flow.clone();
        }
        waterway::yield_now();
    }
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
    until(&changes, FlowState::ReaderBound);
    let flow = report(&monitor, "slow reader", |flow| {
        let lacks = flow.factor.is_some_and(|factor| factor > 1.5);
        flow.state == FlowState::ReaderBound && lacks && flow.rate_shed > 0.0
    });
    assert!(flow.rate_in > flow.rate_out, "{flow}");
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
fn a_backlog_without_limit_whose_reader_is_slower_is_seen_while_it_grows() {
    let monitor = monitor();
    let changes = changes(&monitor, "no limit");
    let (tx, rx) = chan::builder().name("no limit").unbounded().make();
    let (stop, stopped) = chan::<()>(0);
    let writer = go(move || {
        for n in 0.. {
            tx.send(n).unwrap();
            // One of two is read, from the same goroutine: so the reader is slower on any machine.
            if n % 2 == 0 {
                rx.recv().unwrap();
            }
            waterway::time::sleep(Duration::from_micros(100));
            if stopped
                .try_recv()
                .is_err_and(|error| error.is_disconnected())
            {
                break;
            }
        }
        (tx, rx)
    });
    until(&changes, FlowState::ReaderBound);
    let flow = report(&monitor, "no limit", |flow| {
        flow.state == FlowState::ReaderBound && flow.factor.is_some()
    });
    assert_eq!((flow.capacity, flow.until_full), (None, None));
    assert!(flow.rate_in > flow.rate_out && flow.len > 0, "{flow}");
    assert!(flow.factor.unwrap() > 1.0, "{flow}");
    assert!(
        flow.to_string()
            .contains("values are in it, without a limit"),
        "{flow}"
    );
    let named = "channel=\"no limit\"";
    // It may have left that state for a while, if the writer was kept waiting.
    while metric("waterway_channel_state", named, "state=\"reader-bound\"") < 1.0 {
        waterway::yield_now();
    }
    drop(stop);
    let both = writer.join().unwrap();
    until(&changes, FlowState::Stalled);
    drop(both);
}

#[waterway::test]
fn a_line_whose_goroutines_become_more_is_seen_until_they_do_not() {
    let monitor = monitor();
    let line = line!() + 9;
    let changes = changes_of_line(&monitor, line);
    let (tx, rx) = chan(0);
    let (stop, stopped) = chan::<()>(0);
    let spawner = go(move || {
        let (mut handles, mut number) = (Vec::new(), 0);
        while stopped.try_recv().is_err_and(|error| error.is_empty()) {
            for _ in 0..2 {
                let tx = tx.clone();
                handles.push(go(move || tx.send(number)));
                number += 1;
            }
            // One of two ends.
            let _ = rx.recv();
            waterway::time::sleep(Duration::from_micros(200));
        }
        drop(rx);
        handles.into_iter().for_each(|handle| _ = handle.join());
    });
    let flow = changes.recv().unwrap();
    assert_eq!(flow.state, FlowState::Growing, "{flow}");
    assert!(flow.rate_spawned > flow.rate_ended, "{flow}");
    assert!(flow.live > 0 && flow.live <= flow.most_live, "{flow}");
    let text = flow.to_string();
    let here = format!("{}:{line}:", file!());
    assert!(text.contains(&format!("spawn site {here}")), "{text}");
    assert!(text.contains(" is growing: over "), "{text}");
    // Those of a look may not have started, and a state may be left for a while if the spawner is kept waiting.
    let site = loop {
        let report = monitor.report();
        let mut seen = report.iter().filter_map(|flow| flow.site());
        let site = seen
            .find(|site| site.spawned_at == flow.spawned_at)
            .unwrap();
        if site.blocked > 0 {
            break site.clone();
        }
        waterway::yield_now();
    };
    assert!(site.blocked <= site.live, "{site}");
    assert_eq!(site.waits_for, Some("chan send"), "{site}");
    let waits_at = site.waits_at.unwrap();
    assert_eq!((waits_at.file(), waits_at.line()), (file!(), line));
    let label = format!("spawned_at=\"{here}");
    let growing = || metric("waterway_site_state", &label, "state=\"growing\"") == 1.0;
    while !growing() || metric("waterway_site_blocked", &label, "") < 1.0 {
        waterway::yield_now();
    }
    assert!(metric("waterway_site_live", &label, "") > 0.0);
    drop(stop);
    assert!(changes.iter().any(|flow| flow.state == FlowState::Balanced));
    spawner.join().unwrap();
}

#[waterway::test]
fn a_monitor_that_is_dropped_calls_no_more() {
    let monitor = monitor();
    let changes = changes(&monitor, "dropped");
    drop(monitor);
    // Its closure goes with it, so the channel ends.
    assert!(changes.recv().is_err());
}

/// Tells on which thread it was dropped, after a look at what all monitors say.
struct Dropped(Sender<Option<String>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        waterway::flow::metrics();
        let thread = std::thread::current().name().map(str::to_owned);
        self.0.send(thread).unwrap();
    }
}

#[test]
fn what_a_callback_owns_is_dropped_by_the_thread_that_calls_it() {
    let (told, tells) = chan::unbounded();
    let monitor = monitor();
    let owned = Dropped(told);
    monitor.on_change(move |_| _ = &owned);
    drop(monitor);
    let thread = tells
        .recv_timeout(Duration::from_secs(60))
        .expect("it is dropped");
    assert_eq!(thread.as_deref(), Some("waterway-monitor-calls"));
}

/// Channels at each of which a sender waits.
fn stalled(channels: usize) -> Vec<Receiver<i32>> {
    let of = |n| {
        let (tx, rx) = chan(0);
        let waits = tx.clone();
        drop(go(move || waits.send(n)));
        waiting(&tx, 1);
        rx
    };
    (0..channels as i32).map(of).collect()
}

#[waterway::test]
fn a_callback_that_drops_its_monitor_is_called_no_more() {
    // All of them change at one look.
    let channels = stalled(10);
    let slot = Arc::new(Mutex::new(None));
    let calls = Arc::new(AtomicUsize::new(0));
    let (told, tells) = chan::unbounded();
    {
        let mut empty = slot.lock().unwrap();
        let monitor = monitor();
        let (slot, calls, owned) = (slot.clone(), calls.clone(), Dropped(told));
        monitor.on_change(move |_| {
            _ = &owned;
            calls.fetch_add(1, Ordering::Relaxed);
            drop(slot.lock().unwrap().take());
        });
        *empty = Some(monitor);
    }
    tells.recv().expect("its thread ends");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop(channels);
}

/// A payload whose drop panics as well.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose, again");
    }
}

#[waterway::test]
fn a_callback_that_panics_is_called_again() {
    let channels = stalled(10);
    let monitor = monitor();
    let (told, tells) = chan::unbounded();
    monitor.on_change(move |_| {
        let _ = told.send(());
        std::panic::resume_unwind(Box::new(Bomb));
    });
    assert_eq!(tells.iter().take(10).count(), 10);
    drop(channels);
}

#[waterway::test]
fn while_a_call_takes_long_the_last_change_of_each_channel_waits_for_it() {
    let monitor = monitor();
    let (tx, rx) = chan::builder().name("flaps").make();
    let (told, tells) = chan::unbounded();
    let (goes_on, waits) = chan::<()>(0);
    monitor.on_change(move |flow| {
        if let Some(flow) = flow.channel()
            && flow.name.as_deref() == Some("flaps")
        {
            let _ = told.send(flow.state);
            let _ = waits.recv();
        }
    });
    let until = |state| {
        let is = |flow: &waterway::flow::Flow| {
            let channel = flow.channel();
            channel.is_some_and(|f| f.name.as_deref() == Some("flaps") && f.state == state)
        };
        while !monitor.report().iter().any(is) {
            waterway::time::sleep(Duration::from_millis(1));
        }
    };
    // Stalled and balanced, again and again; the first call does not return meanwhile.
    for n in 0..4 {
        let sends = tx.clone();
        let sender = go(move || sends.send(n));
        until(FlowState::Stalled);
        assert_eq!(rx.recv(), Ok(n));
        sender.join().unwrap().unwrap();
        until(FlowState::Balanced);
    }
    drop(goes_on);
    // Reader-bound, if there was a look at the channel before the first sender came.
    let first = tells.recv().unwrap();
    assert!(matches!(first, FlowState::Stalled | FlowState::ReaderBound));
    assert_eq!(tells.recv(), Ok(FlowState::Balanced));
    drop(monitor);
    assert!(tells.recv().is_err(), "nothing else was kept");
}

/// Nanoseconds that the threads of monitors have had a processor.
fn time_of_monitors() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let of_monitors = threads.filter_map(|thread| {
        let path = thread.ok()?.path();
        let name = std::fs::read_to_string(path.join("comm")).ok()?;
        let times = std::fs::read_to_string(path.join("schedstat")).ok()?;
        let ran = times.split(' ').next()?.parse::<u64>().ok()?;
        name.starts_with("waterway-monito").then_some(ran)
    });
    of_monitors.sum()
}

#[waterway::test]
fn looks_take_a_tenth_of_a_processor_at_most() {
    // So many that each look takes milliseconds, one of which is due each millisecond.
    let (tx, rx) = chan::<()>(0);
    for _ in 0..5_000 {
        let rx = rx.clone();
        drop(go(move || rx.recv()));
    }
    while rx.statistics().waiting_receivers < 5_000 {
        waterway::time::sleep(Duration::from_millis(1));
    }
    let builder = Monitor::builder().every(Duration::from_millis(1));
    let monitor = builder.log(false).start();
    while monitor.report().is_empty() {
        waterway::time::sleep(Duration::from_millis(1));
    }
    let (before, ran) = (Instant::now(), time_of_monitors());
    waterway::time::sleep(Duration::from_millis(500));
    let ran = time_of_monitors() - ran;
    let share = ran as f64 / before.elapsed().as_nanos() as f64;
    assert!(share < 0.2, "{share}");
    drop((monitor, tx));
}

#[waterway::test]
fn times_without_end_harm_no_other_monitor() {
    let ages = Duration::from_nanos(u64::MAX);
    let slow = Monitor::builder().every(ages).window(ages * 2);
    let slow = slow.log(false).start();
    let slower = Monitor::builder()
        .every(Duration::MAX)
        .window(Duration::MAX);
    let slower = slower.log(false).start();
    let monitor = monitor();
    let changes = changes(&monitor, "beside the ages");
    let (tx, rx) = chan::builder().name("beside the ages").make();
    drop(go(move || tx.send(1)));
    until(&changes, FlowState::Stalled);
    drop((slow, slower, rx));
}

#[test]
#[should_panic(expected = "has more than 1000 looks in it")]
fn a_window_of_too_many_looks_is_refused() {
    let builder = Monitor::builder().every(Duration::from_millis(1));
    drop(builder.window(Duration::from_secs(2)).start());
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
    let counted = "channel=\"counted\"";
    assert_eq!(metric("waterway_channel_put_total", counted, ""), 2.0);
    assert_eq!(metric("waterway_channel_taken_total", counted, ""), 1.0);
    assert_eq!(
        metric("waterway_channel_shed_total", counted, "cause=\"newest\""),
        3.0
    );
    assert_eq!(
        metric("waterway_channel_put_total", "channel=\"by hand\"", ""),
        3.0
    );
    let doors = "gate=\"counted gate\"";
    assert_eq!(metric("waterway_gate_live", doors, ""), 1.0);
    assert_eq!(metric("waterway_gate_refused_total", doors, ""), 1.0);
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

//! Counts in the text form of Prometheus (version 0.0.4). More families are added by more functions below [`text`].

use std::collections::BTreeMap;

use waterway_snapshot::{Holder, Snapshot};

use crate::flow::prometheus::{Families, MOST_SERIES};

/// Everything that is counted.
pub(super) fn text(snapshot: &Snapshot) -> String {
    let mut out = Families::new();
    goroutines(&mut out, snapshot);
    runtime(&mut out, snapshot);
    channels(&mut out, snapshot);
    findings(&mut out, snapshot);
    out.text() + &crate::flow::metrics()
}

fn goroutines(out: &mut Families, snapshot: &Snapshot) {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for goroutine in &snapshot.goroutines {
        let reason = goroutine.wait.as_ref().map_or("", |wait| &*wait.reason);
        *counts.entry((goroutine.state.text(), reason)).or_default() += 1;
    }
    let name = "waterway_goroutines";
    out.head(
        name,
        "gauge",
        "Goroutines that live, by what they do and what they wait for.",
    );
    for ((state, reason), count) in counts {
        out.series(name, &[("state", state), ("reason", reason)], count);
    }
    let counters = snapshot.counters;
    let (spawned, ended) = (counters.spawned, counters.ended);
    out.one(
        "waterway_goroutines_spawned_total",
        "counter",
        "Goroutines that were spawned.",
        spawned,
    );
    out.one(
        "waterway_goroutines_ended_total",
        "counter",
        "Goroutines that have ended.",
        ended,
    );
}

fn runtime(out: &mut Families, snapshot: &Snapshot) {
    let there = snapshot.workers.iter().filter(|w| !w.retired);
    let held = there.clone().filter(|w| w.held_ns.is_some()).count();
    let gauges = [
        (
            "waterway_max_procs",
            "Threads that may run goroutines at once.",
            snapshot.max_procs,
        ),
        (
            "waterway_workers",
            "Threads that run goroutines.",
            there.clone().count(),
        ),
        (
            "waterway_workers_busy",
            "Those that are inside of a goroutine.",
            there.filter(|w| w.busy).count(),
        ),
        (
            "waterway_workers_held",
            "Those that one goroutine has held for too long.",
            held,
        ),
        ("waterway_timers", "Timers that are set.", snapshot.timers),
        (
            "waterway_blocking_threads",
            "Threads for what blocks in the kernel.",
            snapshot.blocking.threads,
        ),
        (
            "waterway_blocking_running",
            "Blocking jobs that run.",
            snapshot.blocking.running,
        ),
        (
            "waterway_blocking_queued",
            "Blocking jobs that wait for a thread.",
            snapshot.blocking.queued,
        ),
        (
            "waterway_locks_held",
            "Locks that are held, of those that were ever waited for.",
            snapshot
                .locks
                .iter()
                .filter(|l| l.holder != Holder::Nobody)
                .count(),
        ),
    ];
    for (name, help, value) in gauges {
        out.one(name, "gauge", help, value);
    }
}

/// Channels of one name that were made at one line.
#[derive(Clone, Copy, Default)]
struct Kin {
    channels: usize,
    len: usize,
    capacity: usize,
    sending: usize,
    receiving: usize,
}

fn channels(out: &mut Families, snapshot: &Snapshot) {
    let mut kin: BTreeMap<(&str, String), Kin> = BTreeMap::new();
    for channel in &snapshot.channels {
        let name = channel.name.as_deref().unwrap_or_default();
        let kin = kin.entry((name, channel.made_at.to_string())).or_default();
        kin.channels += 1;
        kin.len += channel.len.unwrap_or(0);
        kin.capacity = kin.capacity.saturating_add(channel.capacity.unwrap_or(0));
        kin.sending += channel.sending.len();
        kin.receiving += channel.receiving.len();
    }
    let mut kin: Vec<_> = kin.into_iter().collect();
    kin.sort_by_key(|(_, kin)| std::cmp::Reverse((kin.len, kin.channels)));
    kin.truncate(MOST_SERIES);
    type Count = fn(&Kin) -> usize;
    let families: [(&str, &str, Count); 5] = [
        (
            "waterway_channels",
            "Channels, by name and by the line that made them.",
            |k| k.channels,
        ),
        ("waterway_channel_length", "Values that lie in them.", |k| {
            k.len
        }),
        (
            "waterway_channel_capacity",
            "Values that they hold, 0 without a limit.",
            |k| k.capacity,
        ),
        (
            "waterway_channel_senders_waiting",
            "Goroutines and threads that wait in a send.",
            |k| k.sending,
        ),
        (
            "waterway_channel_receivers_waiting",
            "Those that wait in a receive.",
            |k| k.receiving,
        ),
    ];
    for (family, help, count) in families {
        out.head(family, "gauge", help);
        for ((name, made_at), kin) in &kin {
            out.series(
                family,
                &[("channel", name), ("made_at", made_at)],
                count(kin),
            );
        }
    }
}

fn findings(out: &mut Families, snapshot: &Snapshot) {
    let (verdicts, suspects) = (snapshot.verdicts.len(), snapshot.suspects.len());
    out.one(
        "waterway_verdicts",
        "gauge",
        "Proofs that some goroutines will never go on.",
        verdicts,
    );
    out.one(
        "waterway_suspects",
        "gauge",
        "What looks so, and is not proved.",
        suspects,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use waterway_snapshot::{Channel, Site};

    #[test]
    fn labels_are_escaped_and_series_are_told_once() {
        let channel = |name: &str, len| Channel {
            name: Some(name.into()),
            made_at: Site {
                file: "a\\b.rs".into(),
                line: 3,
                column: 1,
            },
            capacity: Some(8),
            len: Some(len),
            ..Channel::default()
        };
        let odd = "say \"hi\"\n";
        let snapshot = Snapshot {
            channels: vec![channel(odd, 1), channel(odd, 2), channel("b", 0)],
            ..Snapshot::default()
        };
        let text = text(&snapshot);
        let labels = r#"{channel="say \"hi\"\n",made_at="a\\b.rs:3:1"}"#;
        for line in [
            format!("waterway_channel_length{labels} 3\n"),
            format!("waterway_channel_capacity{labels} 16\n"),
            format!("waterway_channels{labels} 2\n"),
        ] {
            assert_eq!(text.matches(&line).count(), 1, "{line} in {text}");
        }
        // As strictly as the format has it, and nothing twice.
        let length = crate::flow::prometheus::parsed(&text);
        let odd = |l: &(String, String)| *l == ("channel".to_owned(), odd.to_owned());
        assert!(length.iter().any(|series| series.labels.iter().any(odd)));
    }
}

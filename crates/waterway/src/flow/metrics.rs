//! All of it as counts for Prometheus.

use std::collections::HashMap;
use std::time::Duration;

use super::gate::{self, Gate, GateStatistics};
use super::look::{Seen, look};
use super::monitor::measured;
use super::prometheus::{Families, MOST_SERIES};
use super::track::{ChannelFlow, FlowState};
use crate::chan::Cause;

/// Channels, gates, and what monitors have measured, in the text form of Prometheus (version 0.0.4).
///
/// | family | of what |
/// | --- | --- |
/// | `waterway_channel_put_total`, `_taken_total` | values that came into each channel, and that went out of it, shed ones included |
/// | `waterway_channel_shed_total{cause}`, `_refused_total` | what its policy shed, and gave back |
/// | `waterway_channel_high_water`, `_until_full_seconds`, `_time_in_queue_seconds{quantile}`, `_senders_waited_ratio`, `_receivers_waited_ratio`, `_state{state}` | what a [`Monitor`](super::Monitor) that runs has measured in its window |
/// | `waterway_gates` | how many gates there are |
/// | `waterway_gate_limit`, `_live`, `_most_live`, `_waiting`, `_admitted_total`, `_refused_total`, `_gave_up_total` | each [`Gate`] |
///
/// Channels and gates have their name (`channel`, `gate`), the line that made them (`made_at`) and their number (`id`) as labels. A
/// series ends when its channel or gate goes. Of more than 1,000 channels those are told through which most values went.
///
/// `/metrics` of `watch::serve` (feature `serve`) has these as well.
///
/// # Blocking
///
/// Never parks. Takes some microseconds a channel.
///
/// ```
/// let (tx, rx) = waterway::chan::builder::<u8>().name("jobs").capacity(4).make();
/// tx.send(1).unwrap();
/// let text = waterway::flow::metrics();
/// assert!(text.contains("waterway_channel_put_total{channel=\"jobs\","));
/// # drop(rx);
/// ```
///
/// Go: none.
pub fn metrics() -> String {
    let (_, mut seen) = look();
    seen.sort_by_key(|channel| (std::cmp::Reverse(channel.put), channel.id));
    seen.truncate(MOST_SERIES);
    seen.sort_by_key(|channel| channel.id);
    text(&seen, &measured(), &gates())
}

/// A gate, by what tells it from others, and its counts.
type GateFacts = ([(&'static str, String); 3], GateStatistics);

fn gates() -> Vec<GateFacts> {
    let facts = |gate: &Gate| {
        let labels = [
            ("gate", gate.name().unwrap_or_default().to_owned()),
            ("made_at", gate.location().to_string()),
            ("id", gate.id().to_string()),
        ];
        (labels, gate.statistics())
    };
    gate::all().iter().map(facts).collect()
}

fn text(seen: &[Seen], measured: &[ChannelFlow], gates: &[GateFacts]) -> String {
    let mut out = Families::new();
    let labels: HashMap<usize, [(&str, String); 3]> = seen
        .iter()
        .map(|channel| {
            let name = channel.name.as_deref().unwrap_or_default().to_owned();
            let made_at = channel.made_at.to_string();
            let id = channel.id.to_string();
            let labels = [("channel", name), ("made_at", made_at), ("id", id)];
            (channel.id, labels)
        })
        .collect();
    channels(&mut out, seen, &labels);
    monitors(&mut out, measured, &labels);
    gate_families(&mut out, gates);
    out.text()
}

type Labels = HashMap<usize, [(&'static str, String); 3]>;

fn series(
    out: &mut Families,
    name: &str,
    labels: &[(&str, String)],
    more: Option<(&str, &str)>,
    value: impl std::fmt::Display,
) {
    let all: Vec<(&str, &str)> = labels
        .iter()
        .map(|(label, text)| (*label, &**text))
        .chain(more)
        .collect();
    out.series(name, &all, value);
}

fn channels(out: &mut Families, seen: &[Seen], labels: &Labels) {
    type Count = fn(&Seen) -> u64;
    let families: [(&str, &str, Count); 3] = [
        (
            "waterway_channel_put_total",
            "Values that came into the channel.",
            |c| c.put,
        ),
        (
            "waterway_channel_taken_total",
            "Values that went out of the channel: to receivers, or shed.",
            |c| c.taken,
        ),
        (
            "waterway_channel_refused_total",
            "Values that the channel was too full for, and gave back.",
            |c| c.counts.refused,
        ),
    ];
    for (name, help, count) in families {
        out.head(name, "counter", help);
        for channel in seen {
            series(out, name, &labels[&channel.id], None, count(channel));
        }
    }
    let name = "waterway_channel_shed_total";
    out.head(name, "counter", "Values that the channel shed, by cause.");
    for channel in seen {
        let by = &channel.counts;
        for (cause, count) in [
            (Cause::Newest, by.newest),
            (Cause::Oldest, by.oldest),
            (Cause::Superseded, by.superseded),
            (Cause::Late, by.late),
        ] {
            let cause = Some(("cause", cause.word()));
            series(out, name, &labels[&channel.id], cause, count);
        }
    }
}

fn monitors(out: &mut Families, measured: &[ChannelFlow], labels: &Labels) {
    // A monitor may have seen channels that are gone, or more than are told.
    let known: Vec<_> = measured
        .iter()
        .filter_map(|flow| Some((labels.get(&flow.channel)?, flow)))
        .collect();
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    type Figure<'a> = &'a dyn Fn(&ChannelFlow) -> Option<f64>;
    let families: [(&str, &str, Figure<'_>); 4] = [
        (
            "waterway_channel_high_water",
            "The most values that were in the channel at any look.",
            &|flow| Some(flow.high_water as f64),
        ),
        (
            "waterway_channel_until_full_seconds",
            "When the channel is full, if all goes on as in the window.",
            &|flow| seconds(flow.until_full),
        ),
        (
            "waterway_channel_senders_waited_ratio",
            "Share of the looks in which somebody waited to send.",
            &|flow| Some(flow.senders_waited),
        ),
        (
            "waterway_channel_receivers_waited_ratio",
            "Share of the looks in which somebody waited to receive.",
            &|flow| Some(flow.receivers_waited),
        ),
    ];
    for (name, help, figure) in families {
        out.head(name, "gauge", help);
        for (labels, flow) in &known {
            if let Some(value) = figure(flow) {
                series(out, name, *labels, None, value);
            }
        }
    }
    let name = "waterway_channel_time_in_queue_seconds";
    out.head(
        name,
        "gauge",
        "How long values of the window waited in the channel.",
    );
    for (labels, flow) in &known {
        let Some(time) = flow.time_in_queue else {
            continue;
        };
        for (quantile, time) in [("0", time.min), ("0.5", time.p50), ("0.99", time.p99)] {
            let quantile = Some(("quantile", quantile));
            series(out, name, *labels, quantile, time.as_secs_f64());
        }
    }
    let name = "waterway_channel_state";
    out.head(name, "gauge", "1 for the state that the channel is in.");
    for (labels, flow) in &known {
        for state in FlowState::ALL {
            let is = u8::from(flow.state == state);
            series(out, name, *labels, Some(("state", state.words())), is);
        }
    }
}

fn gate_families(out: &mut Families, gates: &[GateFacts]) {
    out.one(
        "waterway_gates",
        "gauge",
        "Gates that there are.",
        gates.len(),
    );
    type Count = fn(&GateStatistics) -> u64;
    let families: [(&str, &str, &str, Count); 7] = [
        (
            "waterway_gate_limit",
            "gauge",
            "How many may be inside.",
            |g| g.limit as u64,
        ),
        ("waterway_gate_live", "gauge", "How many are inside.", |g| {
            g.live as u64
        }),
        (
            "waterway_gate_most_live",
            "gauge",
            "The most that were ever inside at once.",
            |g| g.most_live as u64,
        ),
        ("waterway_gate_waiting", "gauge", "How many wait.", |g| {
            g.waiting as u64
        }),
        (
            "waterway_gate_admitted_total",
            "counter",
            "How many were let in.",
            |g| g.admitted,
        ),
        (
            "waterway_gate_refused_total",
            "counter",
            "How many were turned away at once.",
            |g| g.refused,
        ),
        (
            "waterway_gate_gave_up_total",
            "counter",
            "How many waited, and left before they were let in.",
            |g| g.gave_up,
        ),
    ];
    for (name, kind, help, count) in families {
        out.head(name, kind, help);
        for (labels, statistics) in gates {
            series(out, name, labels, None, count(statistics));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chan::ByCause;
    use std::panic::Location;

    #[test]
    fn families_are_told_once_and_names_are_escaped() {
        let seen = Seen {
            id: 7,
            name: Some("say \"hi\"\n\\".into()),
            made_at: Location::caller(),
            capacity: Some(4),
            put: 9,
            taken: 5,
            counts: ByCause {
                oldest: 2,
                refused: 3,
                ..ByCause::default()
            },
            waits: Default::default(),
        };
        let mut track = super::super::track::Track::new(&seen);
        for second in 0..4 {
            track.add(second * 1_000_000_000, &seen, 1_000_000_000);
        }
        let gate = (
            [
                ("gate", "doors".to_owned()),
                ("made_at", "a.rs:1:2".to_owned()),
                ("id", "3".to_owned()),
            ],
            Gate::new(5).statistics(),
        );
        let text = text(&[seen], &[track.report().unwrap()], &[gate]);
        let labels = r#"{channel="say \"hi\"\n\\","#;
        for (start, end) in [
            (format!("waterway_channel_put_total{labels}"), "id=\"7\"} 9"),
            (
                format!("waterway_channel_shed_total{labels}"),
                "cause=\"oldest\"} 2",
            ),
            (
                format!("waterway_channel_refused_total{labels}"),
                "id=\"7\"} 3",
            ),
            (
                "waterway_gate_limit{gate=\"doors\",".to_owned(),
                "id=\"3\"} 5",
            ),
        ] {
            let found = text
                .lines()
                .filter(|l| l.starts_with(&start) && l.ends_with(end));
            assert_eq!(found.count(), 1, "{start}..{end} in {text}");
        }
        let mut families = std::collections::HashSet::new();
        let mut kind = "";
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# TYPE ") {
                let (name, its) = head.split_once(' ').unwrap();
                assert!(families.insert(name), "{name} is told twice");
                assert_eq!(its == "counter", name.ends_with("_total"), "{name}");
                kind = name;
            } else if !line.starts_with('#') {
                assert!(line.starts_with(kind), "{line} stands below {kind}");
                let (_, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
        }
    }
}
